"""The exceptions of cginit; each is also the built-in exception that a caller would expect."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = [
    "CGInitError",
    "ConvergenceError",
    "EngineError",
    "InputError",
    "MissingDependencyError",
    "StorageError",
    "UnstableError",
    "files_explained",
    "in_words",
]


class CGInitError(Exception):
    """Base of every error that cginit raises on purpose; its message says what failed and what to do."""


class InputError(CGInitError, ValueError):
    """A file or an argument is wrong: the message names it, its value and a remedy."""


class ConvergenceError(CGInitError, ArithmeticError):
    """A numerical iteration found no solution, for example HNC inside the gas-liquid region."""


class EngineError(CGInitError, RuntimeError):
    """A simulation engine stopped; the message carries the engine's own words."""


class UnstableError(EngineError):
    """A run blew up: its potential, start or time step is too wild, and a gentler one may do."""


class MissingDependencyError(CGInitError, ImportError):
    """An optional package is absent; the message names the extra that brings it."""


class StorageError(CGInitError, OSError):
    """A disk is full, a quota is used up, or a device or its server fails: what was asked for is not to blame."""


#: What a user can do about an error of the system that is not of the user's making.
_STORAGE = {
    errno.ENOSPC: "the disk is full; make room and run the same command again",
    errno.EDQUOT: "the quota is used up; make room and run the same command again",
    errno.EFBIG: "the file would be larger than the system allows; see ulimit -f",
    errno.EIO: "the device failed; look after it before anything is written there again",
    errno.ESTALE: "the server has lost the file (stale handle); mount it anew and run the same command again",
    errno.ETIMEDOUT: "the server does not answer; run the same command again when it does",
    errno.ENFILE: "the system has too many open files; run the same command again",
    errno.EMFILE: "too many files are open; see ulimit -n",
    errno.ENOMEM: "there is not enough memory",
}
#: The same for what was asked for.
_REQUEST = {
    errno.EACCES: "permission denied; choose a place that you may use",
    errno.EPERM: "the system does not permit it; choose a place that you may use",
    errno.EROFS: "its file system is read-only; choose another place",
    errno.ENOENT: "there is no such file or folder",
    errno.EEXIST: "a file of this name is in the way; remove it or choose another name",
    errno.ENOTDIR: "a part of the path is a file, not a folder; choose another name",
    errno.EISDIR: "it is a folder; give the name of a file",
    errno.ENAMETOOLONG: "the name is too long; choose a shorter one",
    errno.ELOOP: "its symbolic links go round in circles; choose another name",
    errno.EINVAL: "the system does not take this name; choose another",
}


def in_words(error: OSError, path: str | os.PathLike[str] | None = None) -> CGInitError:
    """Return what the system says, with the file and what to do, as an error of this package.

    Parameters
    ----------
    error : OSError
        As caught; one of this package is returned as it is.
    path : path-like, optional
        The file or folder that the user knows; by default that of `error`.

    Examples
    --------
    >>> print(in_words(OSError(errno.ENOSPC, "No space left on device"), "CG-CG.pot"))
    cannot use CG-CG.pot: the disk is full; make room and run the same command again
    """
    if isinstance(error, CGInitError):
        return error
    name = error.filename if path is None else path
    # Of a rename the new name is the one that was asked for.
    name = error.filename2 or name if path is None else name
    where = "" if name is None else f"cannot use {os.fspath(name) if not isinstance(name, int) else name}: "
    number = error.errno
    if number in _STORAGE:
        found = StorageError(where + _STORAGE[number])
        found.errno = number
        return found
    known = _REQUEST.get(number) if number is not None else None
    return InputError(where + (known or error.strerror or str(error) or type(error).__name__))


@contextmanager
def files_explained(path: str | os.PathLike[str] | None = None) -> Iterator[None]:
    """Turn errors of the system about files into those of this package; see `in_words`."""
    try:
        yield
    except OSError as error:
        if isinstance(error, CGInitError):
            raise
        raise in_words(error, path) from error
