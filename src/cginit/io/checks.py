"""Whether a target g(r) can be what it says it is, before any time is spent on it."""

from __future__ import annotations

import numpy as np

from cginit.curves import GRID_TOLERANCE, RDF, Array
from cginit.errors import InputError

__all__ = ["check_target"]

#: |tail - 1| above which a target is refused. Over one period of the g(r) of dense Lennard-Jones (T* = 1,
#: rho* = 0.85) the mean is within 0.04 of 1 wherever the curve ends beyond 2.6 sigma; twice this is no liquid.
MAX_OFFSET = 0.1
#: |tail - 1| worth a note: more than the oscillation of that liquid leaves.
NOTED_OFFSET = 0.05
#: Curves that end before this many peak distances do not show their tail; only gross errors are refused.
SHORT, MAX_SHORT_OFFSET = 2.5, 0.4
#: The tail falls by more than this part over one period: correlations that a homogeneous liquid does not have.
SLOW_DECAY = 0.03


def check_target(target: RDF, r_cut: float | None = None) -> tuple[str, ...]:
    """Refuse a g(r) that does not tend to 1 or ends before the cut-off.

    The tail is the mean of g over the last period of its oscillation, for which the distance of its main
    peak (at least a quarter of the range) is taken. It must be within 0.1 of 1, or within 0.4 if the
    curve ends before 2.5 peak distances. A tail that differs and still falls from one period to the next is
    the sign of droplets or of phase coexistence; a tail that is flat is one of normalisation.

    Parameters
    ----------
    target : RDF
    r_cut : float, optional
        The cut-off wanted for the potential.

    Returns
    -------
    tuple of str
        Sentences on what is odd but usable.

    Raises
    ------
    InputError
        With the tail's value and the likely reason, or the range that is missing.

    Examples
    --------
    >>> r = np.linspace(0.1, 4, 40)
    >>> check_target(RDF(r, np.where(r < 1, 0.0, 1.0), units="lj"))
    ()
    """
    if r_cut is not None and r_cut > target.r_max + GRID_TOLERANCE * target.dr:
        raise InputError(
            f"g(r) ends at r = {target.r_max:g} {target.units.length}, under the cut-off {r_cut:g}; sample it "
            f"further, or choose a cut-off of at most {target.r_max:g}"
        )
    if not np.any(target.g > 0.0):
        raise InputError("g(r) is 0 everywhere; give the curve itself")
    full = target.with_core()
    peak = _peak(full)
    period = max(peak, 0.25 * full.r_max)
    tail = _mean(full, full.r_max - period, full.r_max)
    before = _mean(full, full.r_max - 2.0 * period, full.r_max - period)
    short = full.r_max < SHORT * peak
    limit = MAX_SHORT_OFFSET if short else MAX_OFFSET
    # Before twice the peak's distance the oscillation itself changes the mean from period to period.
    decays = (
        full.r_max - 2.0 * period > 2.0 * peak
        and before > (1.0 + SLOW_DECAY) * tail
        and before > 1.0 + NOTED_OFFSET
        and abs(tail - 1.0) > NOTED_OFFSET
    )
    if abs(tail - 1.0) > limit:
        raise InputError(
            f"g(r) does not tend to 1: its mean over the last {period:.3g} {full.units.length} up to r = "
            f"{full.r_max:g} is {tail:.3g}; {_reason(tail, decays)}"
        )
    notes: list[str] = []
    if short:
        notes.append(
            f"g(r) ends at {full.r_max / peak:.1f} times the distance of its main peak; whether it tends to 1 "
            "cannot be judged, and the long-ranged part of U(r) rests on little."
        )
    elif decays:
        notes.append(
            f"g(r) is still {tail - 1.0:+.3f} from 1 at its end and falls slowly (mean "
            f"{before:.3f} one period before): near a critical point or in a box that begins to separate."
        )
    elif abs(tail - 1.0) > NOTED_OFFSET:
        notes.append(
            f"The tail of g(r) is {tail:.3f}, not 1; check its normalisation, or the size of the box."
        )
    return tuple(notes)


def _peak(target: RDF) -> float:
    """Distance of the first pronounced maximum; 0 for a g(r) without one, as that of soft particles."""
    g = target.g
    # The global maximum may lie in the tail of a wrong or a phase-separated g(r): the first one counts that
    # rises over a tenth of g's range on both sides.
    prominence = 0.1 * float(np.ptp(g))
    low = g[0]
    top, at = -np.inf, 0
    for i, value in enumerate(g):
        if value > top:
            top, at = float(value), i
        if top - low > prominence and top - value > prominence:
            return float(target.r[at])
        if value < low:
            low = value
    return 0.0


def _mean(target: RDF, lower: float, upper: float) -> float:
    chosen: Array = target.g[(target.r >= lower - 1e-9) & (target.r <= upper + 1e-9)]
    return float(np.mean(chosen)) if chosen.size else 1.0


def _reason(tail: float, decays: bool) -> str:
    if decays:
        return (
            "it is still falling from period to period, as in phase coexistence or droplets: one potential of a "
            "homogeneous liquid cannot give it. Sample a homogeneous state, or a larger box"
        )
    if tail < 0.1:
        return (
            "this looks like h(r) = g(r) - 1 or the RDF inside molecules; add 1, or count the pairs of different "
            "molecules"
        )
    for factor, cause in ((2.0, "each pair was counted twice"), (0.5, "each pair was counted once of twice")):
        if abs(tail / factor - 1.0) < 0.05:
            return f"{cause}; multiply g(r) by {1.0 / factor:g}"
    return f"its normalisation is off; divide g(r) by {tail:.3g} if volume or density was wrong, or sample it again"
