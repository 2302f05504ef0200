"""The folder of a refinement: who it belongs to, and one folder an iteration, complete or absent."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import logging
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cginit.atomic import check_writable, sync_folder
from cginit.errors import CGInitError, EngineError, InputError, files_explained, in_words
from cginit.lock import FolderLock
from cginit.refine.settings_difference import settings_difference
from cginit.refine.whole_files import (
    MANIFEST,
    agrees,
    damage_of,
    entry_of,
    manifest_of,
    remove_folder,
    versions,
    write_json,
)

__all__ = ["WorkDir", "disk_explained"]

log = logging.getLogger(__name__)

#: What engines leave of their trajectory; pair counts and the last configuration are kept of it.
TRAJECTORIES = ("trajectory.*", "frames.npy")
#: Bytes below which a disk counts as full.
FREE_SPACE = 1_000_000


class WorkDir:
    """A folder with one sub-folder for each iteration; a context manager.

    Nothing is written by the constructor. ``iteration_003`` exists only when all of its files do: an iteration
    is made in ``iteration_003.partial``, which a resumed run removes, and renamed when it is complete. Its
    ``files.json`` holds size and hash of each result: an iteration that a crash of the machine has cut short is made
    again, with all that follow from it.

    From `claim` to `close`, the end of the context, of the object or of the process, no other run can use the folder;
    see `cginit.lock.FolderLock`.

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
        self._lock: FolderLock | None = None
        self._identity = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, KeyboardInterrupt):
            self.note_kept(error)
        self.close()

    def close(self) -> None:
        """Let other runs use the folder."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def note_kept(self, error: BaseException) -> None:
        """Add to an exception, once, what the folder keeps; for an interrupt, which the command line tells."""
        with contextlib.suppress(CGInitError, OSError):
            count = sum(1 for _ in self.complete())
            text = _kept(count, self.folder)
            if text not in getattr(error, "__notes__", ()):
                error.add_note(text)

    @property
    def exists(self) -> bool:
        """Whether the folder belongs to a refinement of this kind."""
        return (self.folder / self._settings).exists()

    def claim(self, identity: dict[str, str], first: Callable[[], None]) -> None:
        """Make the folder, with the files that `first` writes, or make sure that it belongs to this refinement.

        Raises
        ------
        InputError
            If the folder belongs to another one, another run uses it, or it cannot be written to.
        StorageError
            If the disk is full or fails.
        """
        with files_explained(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            check_writable(self.folder / self._settings)
            self._lock = FolderLock.acquire(self.folder)
        try:
            with files_explained():
                self._identity = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
                self._take(identity, first)
        except BaseException:
            self.close()
            raise

    def _take(self, identity: dict[str, str], first: Callable[[], None]) -> None:
        for leftover in self.folder.glob("*.partial"):
            remove_folder(leftover)
        for leftover in self.folder.glob(".*.tmp"):
            leftover.unlink()
        path = self.folder / self._settings
        content = self._read_settings()
        if content is not None and not self._was_given_up(identity, content):
            self._compare(identity, content)
            if all(agrees(self.folder / name, entry) for name, entry in content.get("files", {}).items()):
                self._remove_damaged()
                return
        elif self.exists:
            # Cut short by a crash of the machine. The iterations know whose they are, too.
            for iteration in self._iterations():
                if manifest_of(iteration).get("identity") != self._identity:
                    raise InputError(
                        f"{path} is not whole, and {iteration} belongs to another refinement or is not whole, "
                        "either; use a new --workdir"
                    )
        before = versions(self.folder)
        first()
        after = versions(self.folder)
        files = {name: entry_of(self.folder / name) for name in after if before.get(name) != after[name]}
        # Written last: a folder with settings is one that can be continued.
        write_json({"format_version": self._version, "identity": identity, "files": files}, path)
        self._remove_damaged()

    def _was_given_up(self, identity: dict[str, str], found: dict[str, Any]) -> bool:
        """Whether another refinement began here and simulated nothing, as one whose settings do not run does."""
        other = found.get("format_version") == self._version and found["identity"] != identity
        return other and next(self._iterations(), None) is None

    def _read_settings(self) -> dict[str, Any] | None:
        try:
            found = json.loads((self.folder / self._settings).read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return None
        return found if isinstance(found, dict) and isinstance(found.get("identity"), dict) else None

    def identity(self) -> dict[str, str]:
        """Return what the refinement is that the folder belongs to; empty where that is not known."""
        content = self._read_settings() or {"identity": {}}
        return {str(name): str(value) for name, value in content["identity"].items()}

    def _compare(self, identity: dict[str, str], found: dict[str, Any]) -> None:
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
                settings_difference(name, there.get(name), identity.get(name)) for name in differing
            )
            raise InputError(
                f"{self.folder} holds another refinement ({details}); use the same settings to go on with it, "
                "or a new --workdir"
            )

    def _iterations(self) -> Iterator[Path]:
        index = 0
        while (path := self.path(index)).is_dir():
            yield path
            index += 1

    def _remove_damaged(self) -> None:
        """Remove the first iteration that is not whole and all after it, the last first."""
        found = list(self._iterations())
        first = next((index for index, path in enumerate(found) if damage_of(path)), None)
        if first is None:
            return
        log.warning("%s; the iterations from there on are made again", damage_of(found[first]))
        for path in reversed(found[first:]):
            # Renamed before it is removed: half an iteration is none.
            partial = path.with_suffix(".partial")
            path.rename(partial)
            remove_folder(partial)

    def complete(self) -> Iterator[Path]:
        """Yield the folders of the complete iterations in order.

        Raises
        ------
        InputError
            If the folder holds no refinement, or one of them is not whole; `claim` removes such.
        """
        self.check_whole()
        for path in self._iterations():
            self._refuse(damage_of(path))
            yield path

    def check_whole(self) -> None:
        """Make sure that the folder holds a refinement, and that what `claim` has written is whole.

        Raises
        ------
        InputError
            If not.
        """
        if not self.exists:
            raise InputError(f"{self.folder} holds no refinement; give the --workdir of cg-init refine")
        content = self._read_settings()
        if content is None:
            self._refuse(f"{self.folder / self._settings} is not whole")
            return
        files = content.get("files", {})
        bad = [name for name, entry in files.items() if not agrees(self.folder / name, entry)]
        self._refuse(f"{self.folder / bad[0]} is not what was written there" if bad else "")

    def _refuse(self, damage: str) -> None:
        if damage:
            raise InputError(
                f"{damage}; the command that made {self.folder} makes it again, and what follows from it"
            )

    def path(self, index: int) -> Path:
        """Return the folder of an iteration."""
        return self.folder / f"iteration_{index:03d}"

    def prepare(self, index: int) -> Path:
        """Return the empty folder in which iteration `index` is to be made."""
        self._check_lock()
        partial = self.path(index).with_suffix(".partial")
        if partial.exists():
            remove_folder(partial)
        partial.mkdir()
        return partial

    def finish(self, index: int, write: Callable[[Path], None]) -> Path:
        """Write the results of an iteration beside the engine's files, make its folder complete and return it.

        The trajectory is removed.
        """
        self._check_lock()
        partial = self.path(index).with_suffix(".partial")
        for name in TRAJECTORIES:
            for trajectory in partial.glob(f"engine*/**/{name}"):
                trajectory.unlink()
        write(partial)
        files = {one.name: entry_of(one) for one in sorted(partial.iterdir()) if one.is_file()}
        write_json({"identity": self._identity, "files": files}, partial / MANIFEST)
        sync_folder(partial)
        partial.rename(self.path(index))
        sync_folder(self.folder)
        return self.path(index)

    def _check_lock(self) -> None:
        if self._lock is not None:
            self._lock.check()


@contextmanager
def disk_explained(folder: Path, index: int) -> Iterator[None]:
    """Say in plain words that the disk is full or that a simulation was interrupted, and what is kept."""
    kept = f"the {index} finished simulation{' is' if index == 1 else 's are'} kept"
    again = "make room and run the same command again"
    try:
        yield
    except KeyboardInterrupt as interrupt:
        interrupt.add_note(_kept(index, folder))
        raise
    except EngineError as error:
        if _is_full(folder):
            raise EngineError(f"the disk of {folder} is full ({error}); {kept}; {again}") from error
        raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            what = "the quota" if error.errno == errno.EDQUOT else "the disk"
            raise EngineError(f"{what} of {folder} is full; {kept}; {again}") from error
        raise EngineError(f"{in_words(error)}; {kept}, and the same command goes on") from error


def _kept(count: int, folder: Path) -> str:
    return f"{count} simulation{'s' * (count != 1)} kept in {folder}; the same command goes on"


def _is_full(folder: Path) -> bool:
    with contextlib.suppress(OSError):
        return shutil.disk_usage(folder).free < FREE_SPACE
    return False
