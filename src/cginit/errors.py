"""The exceptions of cginit; each is also the built-in exception that a caller would expect."""

from __future__ import annotations

__all__ = [
    "CGInitError",
    "ConvergenceError",
    "EngineError",
    "InputError",
    "MissingDependencyError",
    "UnstableError",
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
