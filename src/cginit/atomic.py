"""Files appear whole or not at all, and what was there is kept where that is asked for."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from cginit.errors import InputError, files_explained

__all__ = [
    "Backups",
    "check_new",
    "check_writable",
    "keep_backups",
    "list_results",
    "sync_folder",
    "write_arrays",
    "write_atomically",
]

#: Files that were replaced and the names under which they are kept, in order.
Backups = list[tuple[Path, Path]]

_backups: ContextVar[Backups | None] = ContextVar("backups", default=None)
_results: ContextVar[list[Path] | None] = ContextVar("results", default=None)


@contextmanager
def keep_backups() -> Iterator[Backups]:
    """Within this context `write_atomically` keeps a file that it replaces by another content as ``#NAME.1#``.

    The next is ``#NAME.2#``, as GROMACS does it. Yields the list of what was kept, which grows.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, keep_backups() as kept:
    ...     for text in ("first", "second", "second"):
    ...         _ = write_atomically(Path(folder) / "a.pot", text)
    ...     [(old.name, new.name) for old, new in kept]
    [('a.pot', '#a.pot.1#')]
    """
    kept: Backups = []
    token = _backups.set(kept)
    try:
        yield kept
    finally:
        _backups.reset(token)


@contextmanager
def list_results() -> Iterator[list[Path]]:
    """Yield the list, which grows, of the results that `write_atomically` writes within this context.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, list_results() as written:
    ...     _ = write_atomically(Path(folder) / "a.pot", "a result")
    ...     _ = write_atomically(Path(folder) / "a.json", "what a program keeps for itself", backup=False)
    ...     [one.name for one in written]
    ['a.pot']
    """
    written: list[Path] = []
    token = _results.set(written)
    try:
        yield written
    finally:
        _results.reset(token)


def write_atomically(path: str | os.PathLike[str], data: str | bytes, *, backup: bool = True) -> Path:
    r"""Write `data` to `path` so that a reader sees the old file or the new one, never a part.

    The data go to a temporary file in the same folder, are forced to the disk and renamed; after a failure
    nothing is left behind. A symbolic link keeps pointing where it did: its target is replaced. A new file
    gets the permissions of the user's umask, an existing one keeps its own. What is no file (a pipe, a device) is
    written to as it is.

    Parameters
    ----------
    path : path-like
        The file; its folder must exist.
    data : str or bytes
        The whole content; text is written as UTF-8 with ``\n`` line ends.
    backup : bool
        Whether the file is one that `keep_backups` is for: a result, not what a program keeps for itself.

    Returns
    -------
    Path
        `path` as it was given.

    Raises
    ------
    InputError
        If the folder is missing or not writable, or `path` is a folder.
    StorageError
        If the disk is full or fails.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_atomically(Path(folder) / "a.txt", "1 2\n").read_text()
    '1 2\n'
    """
    target = Path(path)
    content = data.encode("utf-8") if isinstance(data, str) else data
    with files_explained(target):
        if _is_special(target):
            with target.open("wb") as stream:
                stream.write(content)
            return target
        final = _final(target)
        temporary = final.with_name(f".{_shortened(final.name)}.{os.getpid()}-{os.urandom(4).hex()}.tmp")
        kept: Path | None = None
        try:
            _write_new(temporary, content)
            if final.exists():
                temporary.chmod(final.stat().st_mode & 0o7777)
                kept = _kept(final, content) if backup else None
            temporary.replace(final)
        except BaseException:
            for leftover in (temporary, kept):
                with contextlib.suppress(OSError):
                    if leftover is not None:
                        leftover.unlink()
            raise
        sync_folder(final.parent)
    found = _backups.get()
    if kept is not None and found is not None:
        found.append((target, target.with_name(kept.name)))
    written = _results.get()
    if backup and written is not None:
        written.append(target)
    return target


def check_writable(path: str | os.PathLike[str]) -> None:
    """Make sure, as far as the system tells, that `write_atomically` can write a file, before it is worked for.

    Raises
    ------
    InputError
        If its folder is missing or not writable, or `path` is a folder.
    """
    target = Path(path)
    with files_explained(target):
        place = target if _is_special(target) else _final(target).parent
        if not os.access(place, os.W_OK):
            raise InputError(
                f"cannot write {target}: {place} is not writable; choose a folder that you may write to"
            )


def check_new(path: Path) -> None:
    """Make sure, as `check_writable`, that a file can be written whose folder may have to be made."""
    existing = next((one for one in path.parents if one.exists()), path.parent)
    check_writable(path if existing == path.parent else existing / path.name)


def write_arrays(path: str | os.PathLike[str], arrays: Mapping[str, ArrayLike]) -> Path:
    """Write arrays by name to `path` as compressed ``.npz``, as `write_atomically` does; `numpy.load` reads them.

    They are what a program keeps for itself: no backups are made.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with np.load(write_arrays(Path(folder) / "a.npz", {"x": [1.0, 2.0]})) as content:
    ...         content["x"].tolist()
    [1.0, 2.0]
    """
    stream = BytesIO()
    np.savez_compressed(stream, **{name: np.asarray(values) for name, values in arrays.items()})  # type: ignore[arg-type]
    return write_atomically(path, stream.getvalue(), backup=False)


def _is_special(target: Path) -> bool:
    """Whether it is there and neither file nor folder: a pipe, a terminal, /dev/null."""
    return target.exists() and not target.is_file() and not target.is_dir()


def _final(target: Path) -> Path:
    """Return the file itself behind links, in a folder that exists."""
    try:
        final = target.resolve()
    except (RuntimeError, ValueError) as error:
        raise InputError(f"cannot write {str(target)!r}: {error}; choose another name") from None
    if final.is_dir():
        raise InputError(f"cannot write {target}: it is a folder; give the name of a file in it")
    if not final.parent.is_dir():
        there = "is not a folder" if final.parent.exists() else "does not exist; create it first"
        raise InputError(f"cannot write {target}: the folder {final.parent} {there}")
    # The system says by itself what it does not like about a name; the temporary file has another.
    with contextlib.suppress(FileNotFoundError):
        final.lstat()
    return final


def _shortened(name: str) -> str:
    """Return a name that leaves room for more within the 255 bytes that systems allow."""
    return name.encode()[:200].decode(errors="ignore")


def _write_new(path: Path, content: bytes) -> None:
    # tempfile would create the file with mode 0600 whatever the umask says.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _kept(final: Path, content: bytes) -> Path | None:
    """Keep the file under another name if backups are wanted and it is going to change; return the name."""
    if _backups.get() is None or (final.stat().st_size == len(content) and final.read_bytes() == content):
        return None
    number = 0
    while True:
        number += 1
        name = final.with_name(f"#{_shortened(final.name)}.{number}#")
        if name.exists():
            continue
        try:
            os.link(final, name)
        except FileExistsError:
            continue
        except OSError:
            _copy(final, name)  # no links here
        return name


def _copy(source: Path, to: Path) -> None:
    try:
        shutil.copy2(source, to)
    except BaseException:
        with contextlib.suppress(OSError):
            to.unlink()
        raise


def sync_folder(folder: Path) -> None:
    """Make the rename itself survive a power cut, where the file system can."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
