"""A g(r) that passes every other check and is yet not what was counted: smoothed, offset, coarse, S(k), of bonds."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from cginit.curves import RDF, median
from cginit.liquid.ornstein_zernike import estimate_noise
from cginit.liquid.tail import main_peak

__all__ = ["question_bonds", "question_curve"]

#: Errors of block means are 0.4 to 1.8 times the roughness of g over the 1418 state points of the data set. A stated
#: one that is less or more by these is no standard error of g, or not of this g.
SMALLEST_ERROR, LARGEST_ERROR = 0.2, 8.0
#: Roughness, as part of g, below which a g was not counted as it stands: ten million pairs in a bin leave 3e-4, and
#: the longest of the data set 1e-4.
SMOOTH = 3e-5
#: Steps above this part of the peak distance lose the height of the peak of a liquid, whose core is empty to this.
COARSE, EMPTY_CORE = 1.0 / 6.0, 0.1
#: A core that is not empty: g there is above the first and below the second, on so many rows, and the same to this
#: part.
OFFSET, HIGHEST_OFFSET, OFFSET_ROWS, SAME = 1e-3, 0.3, 5, 0.1
#: Below this part of where g rises to 1/2 a hard core is empty.
INSIDE = 0.8
#: What S(k) of a dense liquid has and none of the 2413 g(r) of the data set: a peak above the first; up to half its
#: place, from a fifth of that or less, on so many rows, values of which nine tenths are above the third number and
#: nine tenths below the fourth, the tenths being less than so many times apart.
WAVE_PEAK, WAVE_ROWS, WAVES_LOW, WAVES_HIGH, WAVES_RISE = 1.7, 6, 1e-2, 0.3, 4.0
#: A peak before an empty gap of so many rows, on which g is below this part of 1.
GAP_ROWS, EMPTY, FULL = 3, 1e-3, 0.3


def question_curve(target: RDF) -> tuple[str, ...]:
    """Return questions on a g(r) that can be read and yet looks like no count of pairs.

    Examples
    --------
    >>> r = np.arange(1.0, 200) * 0.02
    >>> g = np.where(r < 0.9, 0.02, 1.0 + np.exp(-20 * (r - 1.05) ** 2))
    >>> question_curve(RDF(r, g, units="lj"))[0][:41]
    'g(r) is 0.02 at all r below 0.72 sigma, w'
    """
    whole = target.with_core()
    questions = (
        _offset(target, whole) or _waves(target),
        _coarse(whole),
        question_bonds(whole),
        _noise(target),
    )
    return tuple(text for text in questions if text)


def _offset(target: RDF, whole: RDF) -> str:
    """Question a core in which g is the same small number everywhere."""
    risen = np.flatnonzero(target.g > 0.5)
    if not risen.size or whole.g.max() < 1.0 + HIGHEST_OFFSET:
        return ""
    inside = target.g[(target.r > 0.0) & (target.r < INSIDE * target.r[risen[0]])]
    if inside.size < OFFSET_ROWS or inside.min() <= OFFSET or inside.max() > HIGHEST_OFFSET:
        return ""
    if np.ptp(inside) > SAME * inside.max():
        return ""
    edge, unit = INSIDE * target.r[risen[0]], target.units.length
    return (
        f"g(r) is {median(inside):.3g} at all r below {edge:.2g} {unit}, where beads with a core leave it 0: was a "
        "constant added, or a background not taken off? U(r) then lacks its core, and g beyond is too high by as much"
    )


def _waves(target: RDF) -> str:
    """Question a curve that has the peak of a dense liquid and no core: S(k) is the compressibility down to k = 0."""
    top = int(np.argmax(target.g))
    place, below = target.r[top], (target.r > 0.05 * target.r[top]) & (target.r < 0.5 * target.r[top])
    if target.g[top] < WAVE_PEAK or np.count_nonzero(below) < WAVE_ROWS or target.r[below][0] > 0.2 * place:
        return ""
    # numpy.quantile loads numpy.ma, which nothing else on the way of a guess does.
    ranked = np.sort(target.g[below])
    tenth = ranked.size // 10
    low, high = float(ranked[tenth]), float(ranked[-1 - tenth])
    if low < WAVES_LOW or high > WAVES_HIGH or high > WAVES_RISE * low:
        return ""
    return (
        f"g(r) is {low:.2g} to {high:.2g} up to half the distance of its peak, which is {target.g[top]:.2g} high: "
        "there is no core. Is it a structure factor S(k)? cg-init scattering makes a g(r) of one"
    )


def _coarse(whole: RDF) -> str:
    """Question bins in which no peak has a height."""
    peak = main_peak(whole.r, whole.g)
    # Beads that overlap have no peak whose height could be lost.
    core = whole.g[whole.r < 0.5 * peak]
    if not peak or whole.dr <= COARSE * peak or core.max(initial=0.0) > EMPTY_CORE:
        return ""
    unit = whole.units.length
    return (
        f"The rows of g(r) are {whole.dr:.3g} {unit} apart, its main peak is at {peak:.3g} {unit}: such bins average "
        f"the peak away. Sample g(r) in bins of about {float(f'{peak / 50.0:.1g}'):g} {unit}"
    )


def question_bonds(whole: RDF) -> str:
    """Return a question on a first peak that an empty gap parts from all others: neighbours along bonds; or nothing.

    Parameters
    ----------
    whole : RDF
        With its core.
    """
    filled = np.flatnonzero(whole.g > FULL)
    if not filled.size:
        return ""
    first = int(filled[0])
    empty = whole.g[first:] < EMPTY
    runs = np.flatnonzero(np.convolve(empty, np.ones(GAP_ROWS), mode="valid") > GAP_ROWS - 0.5)
    if not runs.size or not np.any(whole.g[first + runs[0] :] > FULL):
        return ""
    end = first + int(runs[0])
    top = first + int(np.argmax(whole.g[first:end]))
    unit = whole.units.length
    return (
        f"g(r) has a peak at r = {whole.r[top]:.3g} {unit} of its own, and is 0 from {whole.r[end]:.3g} {unit} on "
        "before it rises again: are these neighbours along a bond? Leave out pairs of the same molecule, or refine "
        "molecules with their bonds"
    )


def _noise(target: RDF) -> str:
    """Question an error that is none, or a curve that scatters less than any count does."""
    rough, seen = estimate_noise(target.r, target.g), target.g > 0.5
    if np.count_nonzero(seen) < 20:
        return ""
    scatter = median((rough / np.maximum(target.g, 1e-300))[seen])
    return next(_of_scatter(target, scatter, seen), "")


def _of_scatter(target: RDF, scatter: float, seen: NDArray[np.bool_]) -> Iterator[str]:
    error = None if target.error is None else median((target.error / np.maximum(target.g, 1e-300))[seen])
    if error is not None and error < SMALLEST_ERROR * scatter:
        yield (
            f"The stated error of g, {100 * error:.2g} % of it, is {scatter / max(error, 1e-300):.2g} times less "
            "than g scatters from row to row: is it a variance? Give the standard error of g, or leave the column out"
        )
    elif error is not None and SMOOTH < scatter < error / LARGEST_ERROR:
        yield (
            f"The stated error of g, {100 * error:.2g} % of it, is {error / scatter:.2g} times what g scatters from "
            "row to row: is it in per cent, or a standard deviation of single frames, or was g smoothed? Give the "
            "standard error of the mean, and g as it was counted"
        )
    elif error is None and 0.0 < scatter < SMOOTH:
        yield (
            "g(r) does not scatter from row to row: it was computed, or smoothed. Smoothing over more than a row "
            "lowers the first peak and moves U(r) and the pressure; give g as it was counted"
        )
