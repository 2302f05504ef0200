"""From the g(r) of a file to one that can be inverted and simulated: its bins, the end of its box, its level."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from cginit.curves import GRID_TOLERANCE, RDF
from cginit.errors import InputError
from cginit.liquid.ornstein_zernike import estimate_noise
from cginit.liquid.tail import half_box, main_peak

__all__ = ["Prepared", "prepare_target", "rebinned", "supported_step"]

#: A step finer than this part of the peak distance shows nothing that a wider one does not, and is rebinned; so is
#: a curve of more rows than this, since the memory of the pair counter grows as their cube (600: 0.9 GB).
FINEST, MOST_ROWS = 1.0 / 100.0, 600
#: The steps that are chosen then, as parts of the peak distance: the first at which the noise of g near its main
#: peak is below the number, or the last one. 40 points a period lose less than 0.1 % of a wave by averaging.
STEPS, LOW_NOISE = (1.0 / 40.0, 1.0 / 30.0, 1.0 / 20.0), 0.01


@dataclass(frozen=True)
class Prepared:
    """A target and what was done to it.

    Attributes
    ----------
    target : RDF
    remarks : tuple of str
        What was done and is no cause for concern: bins, the level asked for.
    notes : tuple of str
        What was wrong with the file.
    """

    target: RDF
    remarks: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def prepare_target(target: RDF, *, dr: float | None = None, normalise: float | None = None) -> Prepared:
    """Return a target without what its file does to it: bins that are too fine, distances beyond half the box.

    Parameters
    ----------
    target : RDF
    dr : float, optional
        The width of bins wanted; by default the file's own, unless it is finer than simulation and noise support.
    normalise : float, optional
        Divide by the mean of g beyond this distance, where correlations have ended.

    Raises
    ------
    InputError
        If the bins are narrower than those of the file or too many, or g ends before `normalise`.

    Examples
    --------
    >>> r = np.arange(0.0005, 4, 0.001)
    >>> fine = RDF(r, 1 - np.exp(-((r / 0.9) ** 12)) + np.exp(-20 * (r - 1.1) ** 2), units="lj")
    >>> prepared = prepare_target(fine)
    >>> prepared.target.dr
    0.02
    """
    remarks: list[str] = []
    notes: list[str] = []
    if dr is not None and not 0.0 < dr < np.inf:
        raise InputError(f"bins need a positive width, not {dr:g}")
    step = supported_step(target) if dr is None else dr
    if step is not None and abs(step / target.dr - 1.0) > GRID_TOLERANCE:
        why = (
            f"--dr {step:g}"
            if dr is not None
            else "simulations and the noise support no finer ones; --dr chooses"
        )
        remarks.append(
            f"{target.r.size} rows {target.dr:.6g} {target.units.length} apart averaged over bins of {step:g} "
            f"{target.units.length} ({why})"
        )
        target = rebinned(target, step)
        if target.r.size > MOST_ROWS:
            raise InputError(
                f"bins of {step:g} {target.units.length} are {target.r.size} up to r = {target.r_max:g}; "
                f"simulations are counted in at most {MOST_ROWS}: give a --dr of {target.r_max / MOST_ROWS:.2g} or "
                "more"
            )
    box = half_box(target.with_core().r, target.with_core().g)
    if box is not None:
        # The end is known to a step, and the last points before it are as good as any.
        end = box.distance - target.dr
        notes.append(
            f"g(r) falls beyond r = {box.distance:.3g} {target.units.length} as the part of a sphere that is "
            f"inside a box of twice that edge does (to {box.last:.3g} at its end): it was counted beyond half the "
            f"box. It is cut at {end:.3g}; sample it up to half the shortest edge."
        )
        target = target.truncated(end)
    if normalise is not None:
        mean = target.mean_beyond(normalise)
        target = target.normalised(normalise)
        remarks.append(f"divided by {mean:.5g}, its mean beyond r = {normalise:g} {target.units.length}")
    return Prepared(target, tuple(remarks), tuple(notes))


def supported_step(target: RDF) -> float | None:
    """Return the width of bins that suits a target, a round number; None where its own step does.

    A step is too fine below a hundredth of the peak distance, or where there are more than 600 rows. It is then a
    fortieth of that distance, or up to a twentieth where the noise near the main peak is above 1 %.
    """
    whole = target.with_core()
    # A peak is looked for in bins that are wide enough to show one through the noise of the fine ones.
    coarse = whole if whole.r.size <= 400 else rebinned(target, whole.r_max / 200.0)
    peak = main_peak(coarse.r, coarse.g) or 0.125 * whole.r_max
    if target.dr >= FINEST * peak and whole.r.size <= MOST_ROWS:
        return None
    floor = max(whole.r_max / MOST_ROWS, target.dr)
    step = target.dr
    for part in STEPS:
        step = max(_round_below(part * peak), _round_above(floor))
        if _noise(rebinned(target, step), peak) < LOW_NOISE:
            break
    return step if step > 1.5 * target.dr else None


def _noise(target: RDF, peak: float) -> float:
    """Return the error of g at the main peak, as given or as its roughness shows it, as part of g."""
    error = target.error if target.error is not None else estimate_noise(target.r, target.g)
    at = int(np.argmin(np.abs(target.r - peak)))
    return float(error[at] / max(target.g[at], 1e-300))


def _round_below(value: float) -> float:
    """Return the largest of 1, 2, 5 times a power of ten that is not above a value."""
    power = np.floor(np.log10(value))
    step = max(m * 10.0**power for m in (1.0, 2.0, 5.0) if m * 10.0**power <= value * (1.0 + 1e-9))
    # Printed, so that 0.005 is not 0.0049999.
    return float(f"{step:.6g}")


def _round_above(value: float) -> float:
    below = _round_below(value)
    if below >= value * (1.0 - 1e-9):
        return below
    return _round_below(below * 2.6)


def rebinned(target: RDF, dr: float) -> RDF:
    r"""Return the averages of g over bins of any width centred on multiples of it, weighted by volume as counts are.

    A point of the file is the average over the bin centred on it, of which a share goes to each new bin that it
    overlaps: :math:`\int g\, r^2 dr` over whole new bins is that of the file. Errors are taken as independent. A
    bin that the file does not fill to the end is left out.

    Raises
    ------
    InputError
        If `dr` is not positive, is below the step of the file, or leaves fewer than three bins.

    Examples
    --------
    >>> rebinned(RDF(np.arange(0.5, 100) * 0.01, np.ones(100), units="lj"), 0.07).g.round(12).tolist()[:3]
    [1.0, 1.0, 1.0]
    """
    whole = target.with_core()
    if not dr > 0.0 or dr < whole.dr * (1.0 - GRID_TOLERANCE):
        raise InputError(
            f"bins of {dr:g} {target.units.length} are narrower than those of g(r), {whole.dr:g}; choose wider ones"
        )
    edges = np.append(whole.r - 0.5 * whole.dr, whole.r[-1] + 0.5 * whole.dr).clip(0.0)
    count = int(np.floor((edges[-1] - 0.5 * dr) / dr + GRID_TOLERANCE)) + 1
    if count < 3:
        raise InputError(f"g(r) up to r = {whole.r_max:g} has no three bins of {dr:g}; choose narrower ones")
    centres = dr * np.arange(count, dtype=np.float64)
    lower = np.append(0.0, centres[1:] - 0.5 * dr)
    upper = np.append(lower[1:], centres[-1] + 0.5 * dr).clip(max=edges[-1])
    # The pieces between edges of either kind, each in one bin of the file and in one new bin.
    cuts = np.unique(np.concatenate([edges, lower, upper]))
    cuts = cuts[cuts <= upper[-1]]
    middle = 0.5 * (cuts[1:] + cuts[:-1])
    old = np.clip(np.searchsorted(edges, middle) - 1, 0, whole.r.size - 1)
    new = np.clip(np.searchsorted(lower, middle) - 1, 0, count - 1)
    # What lies before the first bin of the file is core.
    share = np.where(middle >= edges[0], np.diff(cuts**3), 0.0) / (upper**3 - lower**3)[new]
    g = np.bincount(new, share * whole.g[old], minlength=count)
    error = None
    if whole.error is not None:
        error = np.sqrt(np.bincount(new, (share * whole.error[old]) ** 2, minlength=count))
    return replace(target, r=centres, g=np.maximum(g, 0.0), error=error)
