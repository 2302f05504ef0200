"""Guesses of U(r) from g(r): one file a method, chosen by name."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib import import_module

import numpy as np

from cginit.curves import RDF, PairPotential, Provenance
from cginit.errors import CGInitError, InputError
from cginit.guess.base import Guess, GuessOfMany, attempt
from cginit.lazy import callable_package
from cginit.state import StatePoint, check_density, common_units, excluded_diameter

__all__ = [
    "DEFAULT_METHOD",
    "METHODS",
    "REFINEMENT_METHOD",
    "Guess",
    "GuessOfMany",
    "default_cutoff",
    "guess",
    "guess_many",
    "load_guess",
]


def _boltzmann() -> Guess:
    return import_module("cginit.guess.boltzmann").Boltzmann()  # type: ignore[no-any-return]


def _integral_equation(closure: str) -> Callable[[], Guess]:
    def make() -> Guess:
        return import_module("cginit.guess.integral_equation").IntegralEquation(closure)  # type: ignore[no-any-return]

    return make


def _network(name: str) -> Callable[[], Guess]:
    def make() -> Guess:
        return import_module("cginit.guess.network").NetworkGuess(name)  # type: ignore[no-any-return]

    return make


#: The method taken when none is named: the one that is nearest to the potentials of the test set. It falls back to
#: HNC and Boltzmann inversion where it has not been trained, and says so.
DEFAULT_METHOD = "network"
#: The method from which a refinement starts when none is named: what is nearest in g counts there, and the rest is
#: refined. It is `DEFAULT_METHOD` where g or the state are unlike its training.
REFINEMENT_METHOD = "polished"
#: The methods of this package; each is imported when it is first used. ``network`` is the best model.
METHODS: dict[str, Callable[[], Guess]] = {
    "network": _network("bridge"),
    "bridge": _network("bridge"),
    "cn-f": _network("cn-f"),
    "hnc": _integral_equation("hnc"),
    "py": _integral_equation("py"),
    "boltzmann": _boltzmann,
}

#: Default cut-off in diameters of the excluded core: the third shell, where a dense fluid has g - 1 of a few
#: per cent. It gives 0.9 nm for SPC/E water, what its coarse-graining tutorials use.
CUTOFF_DIAMETERS = 3.5
#: Default cut-off of particles without a core, in mean spacings.
CUTOFF_SPACINGS = 3.0
#: Targets that go through a method at once, of which enough are on grids of the same number of points.
PORTION = 256
#: A table of fewer rows has no shape.
LEAST_ROWS = 4


def load_guess(method: str) -> Guess:
    """Return the method of that name, ours or one registered under the entry point ``cginit.guesses``.

    Raises
    ------
    InputError
        If there is none.
    """
    if method in METHODS:
        return METHODS[method]()
    # It loads e-mail and zip archives, a tenth of the start of the program.
    from importlib.metadata import entry_points

    found = {point.name: point for point in entry_points(group="cginit.guesses")}
    if method in found:
        other: Guess = found[method].load()()
        return other
    raise InputError(f"unknown method {method!r}; known are {', '.join([*METHODS, *sorted(found)])}")


def default_cutoff(target: RDF, state: StatePoint) -> float:
    """Return the cut-off taken when none is given, on the grid of the target.

    3.5 times the distance where g first reaches 1 for particles with a core, 3 mean spacings
    for others (or where g stays below 1), and never beyond the end of the target.
    """
    target, state = common_units(target, state)
    above = np.flatnonzero(target.g >= 1.0)
    if excluded_diameter(target) > 0.0 and above.size:
        reach = CUTOFF_DIAMETERS * float(target.r[above[0]])
    else:
        reach = CUTOFF_SPACINGS * float(state.density) ** (-1.0 / 3.0)
    inside = target.r[target.r <= min(reach, target.r_max) + 1e-6 * target.dr]
    return float(inside[-1])


def guess(
    target: RDF, state: StatePoint, method: str | Guess = DEFAULT_METHOD, r_cut: float | None = None
) -> PairPotential:
    """Propose the pair potential that gives `target`.

    Parameters
    ----------
    target : RDF
        The g(r) to reproduce.
    state : StatePoint
        Its density and kT; the result has the units of the state, or of the target where the state has none.
    method : str or Guess
        ``network`` (default), which is the best model shipped, ``polished``, ``cn-f``, ``hnc``, ``py``,
        ``boltzmann``, a method of another package, or an object of your own (`Guess`).
    r_cut : float, optional
        Cut-off in the units of the result; by default `default_cutoff`.

    Returns
    -------
    PairPotential
        U and F ``(m,)`` on the grid of the target up to the cut-off, with U(r_cut) = 0. Its `notes` say what was
        extrapolated or taken instead, its `provenance` which model made it, its `u_error` how sure that is.

    Raises
    ------
    InputError
        If the density cannot be right, the cut-off lies beyond the target, or the method is unknown.
    ConvergenceError
        If an integral equation has no solution.

    Examples
    --------
    >>> r = np.arange(0.0, 5.01, 0.05)
    >>> target = RDF(r, np.where(r < 1, np.exp(-4 * (1 - r) ** 2), 1.0), units="lj")
    >>> potential = guess(target, StatePoint(0.01, 1.0), method="boltzmann", r_cut=2.0)
    >>> round(float(potential.u[0]), 2)
    4.02
    """
    question = _question(target, state, r_cut)
    proposer = load_guess(method) if isinstance(method, str) else method
    return _signed(proposer(*question), proposer, question)


def guess_many(
    targets: Sequence[RDF],
    states: StatePoint | Sequence[StatePoint],
    method: str | Guess = DEFAULT_METHOD,
    r_cut: float | None = None,
) -> list[PairPotential | CGInitError]:
    """Propose the pair potential of each of many targets, in less time than `guess` takes for one after the other.

    The potentials are those of `guess`, to 1e-6 kT. A target that has none does not stop the others: its error is in
    the place of its potential. Methods of other packages, and those that gain nothing, run one after the other.

    Parameters
    ----------
    targets : sequence of RDF
    states : StatePoint or sequence of StatePoint
        That of all targets, or of each.
    method, r_cut
        See `guess`.

    Returns
    -------
    list of PairPotential or CGInitError
        One for each target, in their order: its potential, or what `guess` raises.

    Raises
    ------
    InputError
        If the method is unknown, or there is not one state for each target.

    Examples
    --------
    >>> r = np.arange(0.0, 5.01, 0.05)
    >>> targets = [RDF(r, np.where(r < 1, np.exp(-a * (1 - r) ** 2), 1.0), units="lj") for a in (1, 4)]
    >>> found = guess_many(targets, StatePoint(0.01, 1.0), method="boltzmann", r_cut=2.0)
    >>> [round(float(potential.u[0]), 1) for potential in found if isinstance(potential, PairPotential)]
    [1.0, 4.0]
    """
    of_each = [states] * len(targets) if isinstance(states, StatePoint) else list(states)
    if len(of_each) != len(targets):
        raise InputError(
            f"{len(targets)} targets have {len(of_each)} states; give one state, or one for each target"
        )
    proposer = load_guess(method) if isinstance(method, str) else method
    found: list[PairPotential | CGInitError] = []
    for first in range(0, len(targets), PORTION):
        part = slice(first, first + PORTION)
        asked = [
            attempt(_question, target, state, r_cut)
            for target, state in zip(targets[part], of_each[part], strict=True)
        ]
        questions = [one for one in asked if not isinstance(one, CGInitError)]
        answers = iter(
            proposer.many(questions)
            if isinstance(proposer, GuessOfMany)
            else [attempt(proposer, *one) for one in questions]
        )
        for one in asked:
            answer = one if isinstance(one, CGInitError) else next(answers)
            if isinstance(answer, PairPotential) and not isinstance(one, CGInitError):
                answer = _signed(answer, proposer, one)
            found.append(answer)
    return found


def _question(target: RDF, state: StatePoint, r_cut: float | None) -> tuple[RDF, StatePoint, float]:
    """Return target and state in the same units, and the cut-off.

    Raises
    ------
    InputError
        If the density cannot be right, or the cut-off lies beyond the target.
    """
    if not isinstance(target, RDF) or not isinstance(state, StatePoint):
        raise InputError(
            f"a guess needs an RDF and a StatePoint, not {type(target).__name__} and {type(state).__name__}: "
            "target, state = cginit.read_target(FILE), or cginit.read_rdf(FILE, units=...) and "
            "cginit.StatePoint(density, kT, units)"
        )
    target, state = common_units(target, state)
    check_density(target, state)
    cutoff = default_cutoff(target, state) if r_cut is None else r_cut
    if cutoff > target.r_max * (1.0 + 1e-9):
        raise InputError(
            f"the cut-off {cutoff:g} lies beyond the target g(r), which ends at {target.r_max:g} "
            f"{target.units.length}; sample g further or choose a smaller cut-off"
        )
    if np.count_nonzero(target.r <= cutoff * (1.0 + 1e-9)) < LEAST_ROWS:
        raise InputError(
            f"g(r) has fewer than {LEAST_ROWS} rows up to the cut-off {cutoff:.3g} {target.units.length}, its rows "
            f"are {target.dr:.3g} apart; sample it in finer bins, or give S(k), if this is one, to cg-init scattering"
        )
    return target, state, cutoff


def _signed(
    potential: PairPotential, proposer: Guess, question: tuple[RDF, StatePoint, float]
) -> PairPotential:
    """Return a potential that says where it comes from."""
    target, state, _ = question
    origin = potential.provenance or Provenance(proposer.name)
    origin = replace(origin, density=state.density, kT=state.kT, source=_source(target))
    return potential.with_provenance(origin)


def _source(target: RDF) -> str:
    content = np.concatenate([target.r, target.g]).astype("<f8").tobytes()
    return "sha256:" + hashlib.sha256(content).hexdigest()[:12]


callable_package(__name__)
