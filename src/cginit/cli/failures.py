"""Exit codes, and the words of a failure."""

from __future__ import annotations

import re

from cginit.errors import CGInitError, ConvergenceError, EngineError, StorageError, in_words

__all__ = ["INTERRUPTED", "MACHINE_FAILED", "NOT_CONVERGED", "USAGE", "exit_code", "in_plain_words", "words"]

#: A failing disk or too little memory is a failure of the machine, as that of an engine is.
USAGE, NOT_CONVERGED, MACHINE_FAILED = 2, 3, 4
#: What a shell returns for a program that Ctrl-C ended.
INTERRUPTED = 130
#: What the parser says of a number that is none, and what to do.
_NUMBER = re.compile(r"is not a valid (float|int)( range)?\b\.?")
_REMEDY = {
    "float": "is no number; write it with a decimal point and without its unit, as 0.5",
    "int": "is no whole number; write its digits alone, as 1000",
}


def exit_code(failure: BaseException) -> int:
    """Return the exit code of what ended a command: 2 bad input, 3 not converged, 4 engine or machine, 130 Ctrl-C."""
    if isinstance(failure, SystemExit):
        return failure.code if isinstance(failure.code, int) else int(failure.code is not None)
    if isinstance(failure, KeyboardInterrupt):
        return INTERRUPTED
    if isinstance(failure, ConvergenceError):
        return NOT_CONVERGED
    if isinstance(failure, (EngineError, StorageError, MemoryError)):
        return MACHINE_FAILED
    if isinstance(failure, CGInitError):
        return USAGE
    if isinstance(failure, OSError):
        return MACHINE_FAILED if isinstance(in_words(failure), StorageError) else USAGE
    return int(getattr(failure, "exit_code", 1))


def words(failure: BaseException) -> str | None:
    """Return what is said of a failure; None where everything has been said."""
    if isinstance(failure, (SystemExit, KeyboardInterrupt)):
        return None
    if isinstance(failure, MemoryError):
        return f"there is not enough memory ({failure or 'out of memory'}); use smaller input"
    if isinstance(failure, OSError):
        return str(in_words(failure))
    return str(failure)


def in_plain_words(text: str) -> str:
    """Return what the parser says of an option, in the words of a user instead of a programmer.

    Examples
    --------
    >>> in_plain_words("'25C' is not a valid float.")
    "'25C' is no number; write it with a decimal point and without its unit, as 0.5"
    """
    return _NUMBER.sub(lambda found: _REMEDY[found[1]], text)
