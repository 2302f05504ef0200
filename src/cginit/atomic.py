"""Files appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from cginit.errors import InputError

__all__ = ["write_arrays", "write_atomically"]


def write_atomically(path: str | os.PathLike[str], data: str | bytes) -> Path:
    r"""Write `data` to `path` so that a reader sees the old file or the new one, never a part.

    The data go to a temporary file in the same folder, are forced to the disk and renamed; after a failure
    nothing is left behind. A symbolic link keeps pointing where it did: its target is replaced. A new file
    gets the permissions of the user's umask, an existing one keeps its own.

    Parameters
    ----------
    path : path-like
        The file; its folder must exist.
    data : str or bytes
        The whole content; text is written as UTF-8 with ``\n`` line ends.

    Returns
    -------
    Path
        `path` as it was given.

    Raises
    ------
    InputError
        If the folder is missing or not writable, or `path` is a folder.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_atomically(Path(folder) / "a.txt", "1 2\n").read_text()
    '1 2\n'
    """
    target = Path(path)
    final = target.resolve()
    if final.is_dir():
        raise InputError(f"cannot write {target}: it is a folder; give the name of a file in it")
    if not final.parent.is_dir():
        raise InputError(f"cannot write {target}: the folder {final.parent} does not exist; create it first")
    content = data.encode("utf-8") if isinstance(data, str) else data
    temporary = final.with_name(f".{final.name[:200]}.{os.getpid()}-{os.urandom(4).hex()}.tmp")
    try:
        # tempfile would create the file with mode 0600 whatever the umask says.
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    except OSError as error:
        raise InputError(
            f"cannot write {target}: {error.strerror}; choose a folder that you may write to"
        ) from error
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        if final.exists():
            temporary.chmod(final.stat().st_mode & 0o7777)
        temporary.replace(final)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    _sync_folder(final.parent)
    return target


def write_arrays(path: str | os.PathLike[str], arrays: Mapping[str, ArrayLike]) -> Path:
    """Write arrays by name to `path` as compressed ``.npz``, as `write_atomically` does; `numpy.load` reads them.

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
    return write_atomically(path, stream.getvalue())


def _sync_folder(folder: Path) -> None:
    """Make the rename itself survive a power cut, where the file system can."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
