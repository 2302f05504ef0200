"""The contract of a guess: a target g(r) and a state in, a pair potential out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ParamSpec, Protocol, TypeVar, runtime_checkable

from cginit.curves import RDF, PairPotential
from cginit.errors import CGInitError
from cginit.state import StatePoint

__all__ = ["Guess", "GuessOfMany", "attempt"]

P = ParamSpec("P")
T = TypeVar("T")


@runtime_checkable
class Guess(Protocol):
    """A method that proposes U(r) from g(r).

    Implementations receive `target` and `state` in the same units and return the potential in these
    units, on the grid of the target extended to r = 0 (or its first multiple of the step above 0) and cut at
    `r_cut`, with U(r_cut) = 0, a repulsive extrapolation below the first visible point of g, and
    `PairPotential.r_core` set to that point. They do not modify their arguments, and they are
    deterministic. `cginit.testing.check_guess` verifies all of this on a given implementation.
    """

    @property
    def name(self) -> str:
        """The name by which users choose the method."""
        ...

    def __call__(self, target: RDF, state: StatePoint, r_cut: float) -> PairPotential:
        """Propose the pair potential."""
        ...


@runtime_checkable
class GuessOfMany(Guess, Protocol):
    """A method that proposes the potentials of many g(r) in less time than one after the other."""

    def many(self, questions: Sequence[tuple[RDF, StatePoint, float]]) -> list[PairPotential | CGInitError]:
        """Propose the pair potential of each target, state and cut-off, or return what a call with it raises."""
        ...


def attempt(function: Callable[P, T], *args: P.args, **keywords: P.kwargs) -> T | CGInitError:
    """Return what a function returns, or the `CGInitError` that it raises: one of many must not stop the others."""
    try:
        return function(*args, **keywords)
    except CGInitError as error:
        return error
