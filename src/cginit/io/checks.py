"""Whether a target g(r) can be what it says it is, before any time is spent on it."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from cginit.curves import GRID_TOLERANCE, RDF, Array
from cginit.errors import InputError
from cginit.io.companion import growth
from cginit.io.state_questions import question_state
from cginit.liquid.tail import HalfBox, Level, half_box, kirkwood_buff, main_peak, shell_excess, tail_level
from cginit.state import StatePoint, common_units

__all__ = ["check_target", "refuse_two_phases"]

#: |tail - 1| above which a target is refused. Over one period of the g(r) of dense Lennard-Jones (T* = 1, rho* =
#: 0.85) the mean is within 0.04 of 1 wherever the curve ends beyond 2.6 sigma; twice this is no liquid.
MAX_OFFSET = 0.1
#: |tail - 1| of a decaying tail that is worth a note: more than the oscillation of that liquid leaves.
NOTED_OFFSET = 0.05
#: The level of the tail is noted if it is off 1 by so many of its errors and by this much. Of 1418 state points of
#: the data set none is; N instead of N - 1 of a hundred beads is 0.01, and published targets are 0.009 off.
LEVEL_ERRORS, LEVEL_OFFSET = 4.0, 0.012
#: Curves that end before this many peak distances do not show their tail; only gross errors are refused.
SHORT, MAX_SHORT_OFFSET = 2.5, 0.4
#: Before this many the mean is that of the main peak and the core.
TAILLESS = 1.6
#: The tail falls by more than this part over one period: correlations that a homogeneous liquid does not have.
SLOW_DECAY = 0.03
#: S(0) of g that is worth a note, and above which a refinement is refused. The largest of 1418 fluids of the data
#: set is 3.4; inside two phases it grows with the volume.
NOTED_LONG_WAVE, MAX_LONG_WAVE = 5.0, 10.0
#: A tail follows r to this part of a power, and scatters around it by this part of the whole change.
OFF_POWER = 0.15
#: Least mean of g - 1 in the shell beyond two and a half peak distances for a tail that falls over many of them.
LEAST_EXCESS = 0.02


def check_target(target: RDF, r_cut: float | None = None, state: StatePoint | None = None) -> tuple[str, ...]:
    """Refuse a g(r) that does not tend to 1 or ends before the cut-off.

    The tail is the mean of g over the last period of its oscillation, for which the distance of its main peak (at
    least a quarter of the range) is taken. It must be within 0.1 of 1, or within 0.4 if the curve ends before 2.5
    peak distances. A tail that differs and still falls from one period to the next is the sign of droplets or of
    phase coexistence; a tail that is flat is one of normalisation, and the level that it tends to
    (`cginit.liquid.tail.tail_level`) is noted where it differs from 1 by more than 0.012 and four of its errors.
    A tail that falls as a sphere leaves its box was counted beyond half the box and is refused.

    Parameters
    ----------
    target : RDF
    r_cut : float, optional
        The cut-off wanted for the potential.
    state : StatePoint, optional
        Its state; then S(0) of g is looked at, too, and whether density, temperature and bead fit each other.

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
    box = half_box(full.r, full.g)
    if box is not None:
        raise InputError(_beyond(target, box))
    peak = main_peak(full.r, full.g)
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
    if abs(tail - 1.0) > limit and full.r_max < TAILLESS * peak:
        raise InputError(
            f"g(r) ends at r = {full.r_max:g} {full.units.length}, {full.r_max / peak:.2g} times the distance of its "
            f"main peak, and does not show whether it tends to 1; sample it up to {SHORT * peak:.2g} "
            f"{full.units.length} at least, better twice as far"
        )
    if abs(tail - 1.0) > limit:
        raise InputError(
            f"g(r) does not tend to 1: its mean over the last {period:.3g} {full.units.length} up to r = "
            f"{full.r_max:g} is {tail:.3g}; {_reason(full, tail, decays)}"
        )
    notes = [] if state is None else list(question_state(target, state))
    phases = None if state is None else _two_phases(target, state, NOTED_LONG_WAVE)
    if short:
        notes.append(
            f"g(r) ends at {full.r_max / peak:.1f} times the distance of its main peak; whether it tends to 1 "
            "cannot be judged, and the long-ranged part of U(r) rests on little."
        )
    elif phases is not None:
        notes.append(f"{phases}.")
    elif decays:
        notes.append(
            f"g(r) is still {tail - 1.0:+.3f} from 1 at its end and falls slowly (mean "
            f"{before:.3f} one period before): near a critical point or in a box that begins to separate."
        )
    else:
        notes += _level(full)
    return tuple(notes)


def refuse_two_phases(target: RDF, state: StatePoint) -> None:
    """Refuse a target of a box in two phases, which no refinement of one homogeneous liquid reaches.

    Its simulations would swing between cluster and gas until their number is spent.

    Raises
    ------
    InputError
        If S(0) of g is above 10, and the tail of g falls over many shells.
    """
    phases = _two_phases(target, state, MAX_LONG_WAVE)
    if phases is not None:
        raise InputError(
            f"{phases}. A refinement would swing between cluster and gas. Sample a homogeneous state, or a larger "
            "box; cg-init --rdf still gives a guess"
        )


def _two_phases(target: RDF, state: StatePoint, limit: float) -> str | None:
    """Return what a g(r) of two phases looks like, None if it does not."""
    curve, here = common_units(target.with_core(), state)
    s_0 = kirkwood_buff(curve.r, curve.g, here.density)
    shells = shell_excess(curve.r, curve.g)[1:]
    falls = len(shells) > 1 and shells[0] > LEAST_EXCESS and all(b < a for a, b in pairwise(shells))
    if s_0 <= limit or not falls:
        return None
    means = ", ".join(f"{value:+.3f}" for value in shells[:4])
    return (
        f"g(r) gives a structure factor S(0) of {s_0:.1f}, that of a liquid is a few hundredths and that of a gas "
        f"1, and its tail falls over many shells (means of g - 1: {means}): the box looks like two phases, a drop "
        "in a gas, or is near a critical point and too small"
    )


def _level(full: RDF) -> list[str]:
    """Return a note if the level that g tends to is not 1."""
    level = tail_level(full.r, full.g)
    if level is None:
        return []
    off = abs(level.mean - 1.0)
    # Few beads that hardly move are off in all bins alike: the level is known no better than one bin is.
    bins = 0.0 if full.error is None else float(full.error[full.r >= level.start].mean())
    if off <= max(LEVEL_OFFSET, LEVEL_ERRORS * float(np.hypot(level.error, bins))):
        return []
    beyond = _distance_of_mean(full, level)
    return [
        f"The tail of g(r) tends to {level.mean:.4f} ± {level.error:.4f}, not to 1: its normalisation has another "
        "number of beads or another volume than the box, and U(r) and the pressure follow it. In one species "
        f"--normalise {beyond:g} (normalise = {beyond:g} in the file of a system) divides g by its mean beyond that "
        "distance"
    ]


def _distance_of_mean(full: RDF, level: Level) -> float:
    """Return the distance beyond which the mean of g comes nearest to its level; others halve an oscillation."""
    # Before the last third of the tail there is enough of it to average.
    last = level.start + (full.r_max - level.start) * 2.0 / 3.0
    candidates = full.r[(full.r >= level.start) & (full.r <= last)]
    off = [abs(full.mean_beyond(float(r)) - level.mean) for r in candidates]
    return float(candidates[int(np.argmin(off))])


def _beyond(target: RDF, box: HalfBox) -> str:
    length = target.units.length
    return (
        f"g(r) falls beyond r = {box.distance:.3g} {length} as the part of a sphere that is inside a box of twice "
        f"that edge does (to {box.last:.3g} at its end): it was counted beyond half the box. Cut it at "
        f"{box.distance - target.dr:.3g} {length}, or sample it up to half the shortest edge"
    )


def _grows_as_r(full: RDF) -> bool:
    half = (full.r >= 0.5 * full.r_max) & (full.g > 0.0)
    if np.count_nonzero(half) < 4:
        return False
    x, y = np.log(full.r[half]), np.log(full.g[half])
    offset, power = np.polynomial.polynomial.polyfit(x, y, 1)
    return bool(abs(power - 1.0) < OFF_POWER and np.std(y - offset - power * x) < OFF_POWER * np.ptp(x))


def _mean(target: RDF, lower: float, upper: float) -> float:
    chosen: Array = target.g[(target.r >= lower - 1e-9) & (target.r <= upper + 1e-9)]
    return float(np.mean(chosen)) if chosen.size else 1.0


def _reason(full: RDF, tail: float, decays: bool) -> str:
    if (power := growth(full.r, full.g)) is not None:
        return f"it grows like r^{power:.1f}, as a number of neighbours or a histogram does; give the column of g(r)"
    if decays:
        return (
            "it is still falling from period to period, as in phase coexistence or droplets: one potential of a "
            "homogeneous liquid cannot give it. Sample a homogeneous state, or a larger box"
        )
    if _grows_as_r(full):
        return (
            "it grows like r, as one does that was divided by rings (2 pi r dr) instead of spherical shells "
            "(4 pi r^2 dr); count in three dimensions"
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
