"""What all update rules share: the contract, and putting core and cut-off right after a change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol, TypeVar, runtime_checkable

import numpy as np

from cginit.curves import RDF, Array, PairPotential, force
from cginit.errors import InputError
from cginit.extrapolate import extend_core, first_visible
from cginit.refine.convergence import SMOOTHING_BINS, combined_variance
from cginit.refine.measurement import Measurement
from cginit.state import StatePoint

__all__ = [
    "MAX_CHANGE",
    "Update",
    "apply_change",
    "check_damping",
    "first_shown",
    "rule_named",
    "signal",
    "smooth_cutoff",
]

Rule = TypeVar("Rule")

#: No point of the potential moves further than this in one update, in kT: a bin that saw no pair has an
#: infinite logarithm, which says only that the change has to go one way.
MAX_CHANGE = 2.0
#: Part of the cut-off over which the force is brought to zero, and the largest change in kT that this may make: a
#: potential that is cut off where it is steep keeps its step rather than turn into another one, and what an update
#: asks of the last points is not taken back by it.
CUTOFF_WIDTH, CUTOFF_CHANGE = 0.05, 0.02
#: A first visible point within so many steps of the origin means particles that overlap, not a core.
OVERLAP_STEPS = 3


@runtime_checkable
class Update(Protocol):
    """A rule that proposes the next potential.

    It sees every simulation so far, the last one last, of which most rules use only that one. All arguments share
    one unit system and one grid up to the cut-off. The result has the grid and cut-off of the last potential,
    U(r_cut) = 0, a force that goes smoothly to zero there (`smooth_cutoff`), and a repulsive core. An update is a
    pure function of its arguments, so that a loop can be resumed. It raises `cginit.errors.ConvergenceError` where
    its theory has no answer.
    """

    @property
    def name(self) -> str:
        """The name by which users choose the rule."""
        ...

    @property
    def beyond_cutoff(self) -> bool:
        """Whether the rule wants g(r) as far as box and target allow rather than to the cut-off."""
        ...

    def __call__(self, history: Sequence[Measurement], target: RDF, state: StatePoint) -> PairPotential:
        """Return the next potential."""
        ...


def rule_named(rules: Mapping[str, Rule], name: str, purpose: str = "") -> Rule:
    """Return the rule of that name from a table of them.

    Raises
    ------
    InputError
        If there is none; it names those that there are, and says the `purpose`.
    """
    if name not in rules:
        raise InputError(f"unknown update {name!r}{purpose}; known are {', '.join(rules)}")
    return rules[name]


def check_damping(damping: float) -> None:
    """Refuse a factor of the change outside (0, 1]."""
    if not 0.0 < damping <= 1.0:
        raise InputError(f"damping must lie in (0, 1], not {damping}")


def apply_change(
    potential: PairPotential, change: Array, target: RDF, kT: float, limit: float = MAX_CHANGE
) -> PairPotential:
    """Return the potential changed by `change` ``(n,)``, with core and cut-off put right.

    The change is limited to `limit` kT a point; below the first visible point of the target the core is
    extrapolated anew, and U and force are brought to zero at the cut-off (`smooth_cutoff`).
    """
    u = potential.u + np.clip(change, -limit * kT, limit * kT)
    u = smooth_cutoff(potential.r, u, CUTOFF_CHANGE * kT)
    first = first_shown(potential, target)
    if first > OVERLAP_STEPS:
        u = extend_core(potential.r, u, first, kT)
    elif first > 0:
        slope = min(0.0, float(u[first + 2] - u[first]) / (2.0 * potential.dr))
        u[:first] = u[first] + slope * (potential.r[:first] - potential.r[first])
    return replace(potential, u=u, f=force(potential.r, u), u_error=None, r_core=float(potential.r[first]))


def first_shown(potential: PairPotential, target: RDF) -> int:
    """Return the index in the grid of the potential from which the target shows it."""
    shown = target.with_core()
    start = float(shown.r[first_visible(shown)])
    return int(np.searchsorted(potential.r, start - 0.5 * potential.dr))


def smooth_cutoff(r: Array, u: Array, most: float = np.inf) -> Array:
    r"""Return energies ``(n,)`` shifted to U(r_cut) = 0 whose force goes smoothly to zero there.

    Within the last 5 % before the cut-off (at least four points) the ramp :math:`U'(r_c) (r - r_c)` fades out by
    a weight :math:`x^2 (3 - 2 x)` that rises from 0 to 1; within fewer points where no point may change by more than
    `most`, down to none.

    Examples
    --------
    >>> r = np.linspace(0.0, 2.0, 81)
    >>> u = smooth_cutoff(r, 1.0 - 0.5 * r)
    >>> float(u[-1]), bool(abs(u[-2]) < 0.2 * 0.5 * (r[-1] - r[-2])), bool(u[0] == 1.0)
    (0.0, True, True)
    >>> steep = np.array([2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 0.0])
    >>> bool(np.all(smooth_cutoff(np.arange(8.0), steep, most=0.1) == steep))
    True
    """
    dr = float(r[1] - r[0])
    widest = max(4, round(CUTOFF_WIDTH * float(r[-1]) / dr))
    shifted: Array = u - u[-1]
    if u.size <= widest + 2:
        return shifted
    # The slope of the parabola through the last three points.
    slope = (1.5 * shifted[-1] - 2.0 * shifted[-2] + 0.5 * shifted[-3]) / dr
    for points in range(widest, 1, -1):
        x = np.linspace(0.0, 1.0, points + 1)
        ramp = slope * (r[-points - 1 :] - r[-1]) * x**2 * (3.0 - 2.0 * x)
        if float(np.max(np.abs(ramp))) <= most:
            shifted[-points - 1 :] -= ramp
            break
    return shifted


def signal(rdf: RDF, target: RDF, n: int) -> Array:
    """Return the part ``(n,)`` of the squared difference that is not noise; 1 where no error is known."""
    rdf, target = rdf.with_core(), target.with_core()
    variance = combined_variance(rdf, target, n)
    known = variance > 0.0
    squared = np.divide((rdf.g[:n] - target.g[:n]) ** 2, variance, out=np.zeros(n), where=known)
    window = np.ones(SMOOTHING_BINS)
    count = np.convolve(known, window, "same")
    mean = np.divide(np.convolve(squared, window, "same"), count, out=np.full(n, np.inf), where=count > 0)
    return np.asarray(np.maximum(0.0, 1.0 - 1.0 / np.maximum(mean, 1e-12)), dtype=np.float64)
