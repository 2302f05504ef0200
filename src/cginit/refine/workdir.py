"""The folder of a refinement: who it belongs to, and one folder an iteration, complete or absent."""

from __future__ import annotations

import errno
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from cginit.errors import EngineError, InputError
from cginit.io import write_atomically

__all__ = ["WorkDir", "disk_explained", "save_arrays", "write_json"]

#: What engines leave of their trajectory; pair counts and the last configuration are kept of it.
TRAJECTORIES = ("trajectory.*", "frames.npy")
#: How often, and how many seconds apart, a folder is removed in which an engine still writes that was told to end.
ATTEMPTS, PAUSE = 50, 0.1
#: Bytes below which a disk counts as full.
FREE_SPACE = 1_000_000


class WorkDir:
    """A folder with one sub-folder for each iteration.

    Nothing is written by the constructor. ``iteration_003`` exists only when all of its files do: an iteration
    is made in ``iteration_003.partial``, which a resumed run removes, and renamed when it is complete.

    Parameters
    ----------
    folder : Path
        The work directory.
    settings : str
        Name of the file that says to what refinement the folder belongs.
    version : int
        Version of the layout.
    """

    def __init__(self, folder: Path, settings: str, version: int) -> None:
        self.folder = folder
        self._settings, self._version = settings, version

    @property
    def exists(self) -> bool:
        """Whether the folder belongs to a refinement of this kind."""
        return (self.folder / self._settings).exists()

    def claim(self, identity: dict[str, str], first: Callable[[], None]) -> None:
        """Make the folder, with the files that `first` writes, or make sure that it belongs to this refinement.

        Raises
        ------
        InputError
            If the folder belongs to another one.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.exists:
            self._compare(identity)
        else:
            first()
            # Written last: a folder with settings is one that can be continued.
            content = {"format_version": self._version, "identity": identity}
            write_json(content, self.folder / self._settings)
        self.clean()

    def clean(self) -> None:
        """Remove what a run that was ended has left of an unfinished iteration."""
        for leftover in self.folder.glob("*.partial"):
            _remove(leftover)

    def _compare(self, identity: dict[str, str]) -> None:
        found = json.loads((self.folder / self._settings).read_text())
        if found.get("format_version") != self._version:
            raise InputError(
                f"{self.folder} has format {found.get('format_version')}, this cginit writes {self._version}; "
                "use a new --workdir"
            )
        there = found["identity"]
        names = sorted({*there, *identity})
        differing = [name for name in names if there.get(name) != identity.get(name)]
        if differing:
            details = "; ".join(
                f"{name}: {there.get(name)} there, {identity.get(name)} here" for name in differing
            )
            raise InputError(
                f"{self.folder} holds another refinement ({details}); use the same settings to go on with it, "
                "or a new --workdir"
            )

    def complete(self) -> Iterator[Path]:
        """Yield the folders of the complete iterations in order."""
        index = 0
        while (path := self.path(index)).is_dir():
            yield path
            index += 1

    def path(self, index: int) -> Path:
        """Return the folder of an iteration."""
        return self.folder / f"iteration_{index:03d}"

    def prepare(self, index: int) -> Path:
        """Return the empty folder in which iteration `index` is to be made."""
        partial = self.path(index).with_suffix(".partial")
        if partial.exists():
            _remove(partial)
        partial.mkdir()
        return partial

    def finish(self, index: int, write: Callable[[Path], None]) -> Path:
        """Write the results of an iteration beside the engine's files, make its folder complete and return it.

        The trajectory is removed.
        """
        partial = self.path(index).with_suffix(".partial")
        for name in TRAJECTORIES:
            for trajectory in partial.glob(f"engine*/**/{name}"):
                trajectory.unlink()
        write(partial)
        _sync(partial)
        partial.rename(self.path(index))
        _sync(self.folder)
        return self.path(index)


@contextmanager
def disk_explained(folder: Path, index: int) -> Iterator[None]:
    """Say in plain words that the disk is full, whichever program met it."""
    kept = f"the {index} finished simulations are kept; make room and run the same command again"
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise EngineError(f"the disk of {folder} is full; {kept}") from error
    except EngineError as error:
        if shutil.disk_usage(folder).free < FREE_SPACE:
            raise EngineError(f"the disk of {folder} is full ({error}); {kept}") from error
        raise


def save_arrays(path: Path, **arrays: Any) -> None:
    """Write arrays that are on the disk when this returns."""
    with path.open("wb") as stream:
        np.savez_compressed(stream, **arrays)
        stream.flush()
        os.fsync(stream.fileno())


def write_json(content: object, path: Path) -> None:
    """Write a file whole or not at all."""
    write_atomically(path, json.dumps(content, indent=1) + "\n")


def _remove(folder: Path) -> None:
    """Remove a folder in which an engine may still write for the moment that it takes to end."""
    for _ in range(ATTEMPTS):
        try:
            shutil.rmtree(folder)
            return
        except OSError as error:
            if error.errno != errno.ENOTEMPTY:
                raise
            time.sleep(PAUSE)
    shutil.rmtree(folder)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
