"""Public checker of guesses: run it on a method of your own to see that it keeps the contract.

The contract is `cginit.guess.base.Guess`; the checker needs neither pytest nor a simulation.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from cginit.curves import RDF, Array, PairPotential, force
from cginit.errors import InputError
from cginit.extrapolate import first_visible
from cginit.guess.base import Guess
from cginit.state import StatePoint
from cginit.units import LJ, NM_KJ

__all__ = ["check_guess"]

#: Length (nm) and energy (kJ/mol) of the units check: argon-like, so that nothing is near 1 by accident.
LENGTH, ENERGY = 0.34, 2.7
#: Agreement asked of the same problem in two unit systems, relative to kT + |U|: a network that computes
#: in single precision and resamples to its own grid stays within it, a forgotten conversion does not.
UNITS_TOLERANCE = 1e-3


def check_guess(guess: Guess) -> None:
    """Verify that `guess` keeps the contract; return nothing if it does.

    The targets are g = exp(-U/kT), averaged over bins, of a Lennard-Jones fluid and of soft particles at kT = 1 and
    density 0.05, on three grids: from r = 0, with the core missing, and at bin centres. Checked
    are grid and cut-off, U(r_cut) = 0, F = -dU/dr, the repulsive core below `PairPotential.r_core`, that units are
    kept, that arguments are not modified, and that the same input gives the same output to the last bit.

    Parameters
    ----------
    guess : Guess
        The method under test.

    Raises
    ------
    InputError
        With the name of the method, the case and the rule that it breaks.

    Examples
    --------
    >>> from cginit.guess.boltzmann import Boltzmann
    >>> check_guess(Boltzmann())
    """
    if not isinstance(guess, Guess):
        raise InputError(f"{guess!r} is no guess: it needs a property 'name' and to be callable")
    if not isinstance(guess.name, str) or not guess.name:
        raise InputError(f"{guess!r}: the name must be a non-empty string, not {guess.name!r}")
    state = StatePoint(0.05, 1.0, LJ)
    for case, target in _targets().items():
        _check_one(guess, case, target, state)


def _targets() -> dict[str, RDF]:
    def lennard_jones(r: Array) -> Array:
        x = np.maximum(r, 0.3) ** -6
        return np.asarray(4.0 * (x * x - x), dtype=np.float64)

    def soft(r: Array) -> Array:
        return np.asarray(3.0 * np.exp(-(r**2)))

    nodes = np.linspace(0.0, 4.0, 81)
    centres = np.linspace(0.025, 3.975, 80)
    return {
        "core, grid from 0": _histogram(nodes, lennard_jones),
        "core missing": _histogram(nodes[17:], lennard_jones),
        "core, bin centres": _histogram(centres, lennard_jones),
        "soft, grid from 0": _histogram(nodes, soft),
    }


def _histogram(r: Array, u: Callable[[Array], Array]) -> RDF:
    """Return g = exp(-U) averaged over bins around `r`, weighted with the volume of the shells."""
    dr = float(r[1] - r[0])
    points = np.abs(r[:, None] + dr * (np.arange(100) - 49.5) / 100)
    shell = points**2
    return RDF(r, np.sum(np.exp(-u(points)) * shell, axis=1) / np.sum(shell, axis=1), units=LJ)


def _check_one(guess: Guess, case: str, target: RDF, state: StatePoint) -> None:
    def require(condition: bool, rule: str) -> None:
        if not condition:
            raise InputError(f"guess {guess.name!r}, target {case!r}: {rule}")

    r_cut = float(target.r[-20])
    r_before, g_before, state_before = target.r.copy(), target.g.copy(), (state.density, state.kT)
    potential = guess(target, state, r_cut)
    require(isinstance(potential, PairPotential), f"must return a PairPotential, not {type(potential)}")
    unchanged = np.array_equal(target.r, r_before) and np.array_equal(target.g, g_before)
    require(unchanged and (state.density, state.kT) == state_before, "must not modify its arguments")

    whole = target.with_core()
    grid = whole.truncated(r_cut).r
    require(
        potential.units == target.units, f"must answer in {target.units.name}, not {potential.units.name}"
    )
    require(
        potential.r.shape == grid.shape and np.allclose(potential.r, grid, rtol=0.0, atol=1e-6 * target.dr),
        "r must be the grid of the target, extended towards 0 and cut at r_cut",
    )
    require(potential.u[-1] == 0.0, f"u(r_cut) must be 0, not {potential.u[-1]}")

    # A smooth curve has its slope between the secants of the neighbouring steps, or near it.
    secants = np.diff(potential.u) / np.diff(potential.r)
    spread = np.abs(np.diff(secants)) + 1e-6 * np.max(np.abs(secants))
    off = np.abs(potential.f - force(potential.r, potential.u))[1:-1] - spread
    worst = int(np.argmax(off))
    require(off[worst] <= 0.0, f"f must be -du/dr, which it is not at r = {potential.r[1 + worst]:g}")

    seen = float(whole.r[first_visible(whole)])
    require(
        seen - 1e-6 * target.dr <= potential.r_core < r_cut,
        f"r_core = {potential.r_core:g} must be at or above the first visible point of g, {seen:g}",
    )
    core = potential.u[potential.r <= potential.r_core + 1e-6 * target.dr]
    require(
        bool(np.all(np.diff(core) <= 0.0)), "the extrapolated core must repel: u must not rise with r there"
    )

    again = guess(target, state, r_cut)
    require(
        np.array_equal(potential.u, again.u) and np.array_equal(potential.f, again.f),
        "must be deterministic: a second call gave another result",
    )

    real = RDF(target.r * LENGTH, target.g, units=NM_KJ)
    other = guess(real, StatePoint(state.density / LENGTH**3, state.kT * ENERGY, NM_KJ), r_cut * LENGTH)
    require(other.units == NM_KJ, f"must answer in {NM_KJ.name}, not {other.units.name}")
    expected = potential.u * ENERGY
    off = np.abs(other.u - expected) - UNITS_TOLERANCE * (state.kT * ENERGY + np.abs(expected))
    worst = int(np.argmax(off))
    require(
        off[worst] <= 0.0,
        f"must keep units: the same problem in {NM_KJ.name} gave {other.u[worst]:g} {NM_KJ.energy} instead of "
        f"{expected[worst]:g} at r = {other.r[worst]:g} {NM_KJ.length}",
    )
