"""Errors of predicted potentials, as tables by density and in words for the model card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from cginit.curves import Array
from cginit.learn.statistics import fitted_delta, median_delta
from cginit.models.grid import U_CUT

__all__ = [
    "VISIBLE_G",
    "AbsoluteErrors",
    "absolute_errors",
    "delta_table",
    "error_table",
    "summary",
]

#: More densities than this are put together in ranges with these limits.
MOST_DENSITIES, DENSITY_EDGES = 6, (0.2, 0.4, 0.75)
#: Points with more than this g count as the part of the potential that g shows.
VISIBLE_G = 1e-2


@dataclass(frozen=True, eq=False)
class AbsoluteErrors:
    """Mean absolute error of each potential in kT, over the points with U below 20 kT.

    Attributes
    ----------
    all : ndarray, shape (m,)
        Over all these points.
    visible : ndarray, shape (m,)
        Over those with g > 0.01 as well.
    """

    all: Array
    visible: Array


def absolute_errors(u: Array, truth: Array, g: Array) -> AbsoluteErrors:
    """Return the errors of predictions `u` ``(m, 50)`` against `truth` ``(m, 50)``.

    Examples
    --------
    >>> errors = absolute_errors(np.zeros((1, 3)), np.array([[30.0, 2.0, 0.0]]), np.array([[0.0, 0.001, 1.0]]))
    >>> errors.all.tolist(), errors.visible.tolist()
    ([1.0], [0.0])
    """
    counts = truth < U_CUT
    seen = counts & (g > VISIBLE_G)
    deviation = np.where(counts, np.abs(u - truth), 0.0)

    def mean(where: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Array:
        total = np.sum(deviation * where, axis=1) / np.maximum(np.count_nonzero(where, axis=1), 1)
        return np.asarray(total, dtype=np.float64)

    return AbsoluteErrors(mean(counts), mean(seen))


def summary(values: Array) -> dict[str, float]:
    """Return number, median and mean of errors ``(m,)``."""
    median = float(np.median(values)) if values.size else float("nan")
    mean = float(np.mean(values)) if values.size else float("nan")
    return {"n": float(values.size), "median": median, "mean": mean}


def error_table(predictions: Mapping[str, Array], truth: Array, g: Array, density: Array) -> str:
    """Return a Markdown table of the errors of several methods, by density (or ranges of it) and altogether.

    Rows whose prediction is not a number (a method that found no solution) are left out of that method's figures,
    and the count says so.

    Parameters
    ----------
    predictions : mapping of str to ndarray, shape (m, 50)
        Potentials in kT by method.
    truth, g : ndarray, shape (m, 50)
        True potentials and g.
    density : ndarray, shape (m,)
        rho sigma^3.
    """
    lines = [
        "| density | method | state points | visible: median | visible: mean | all: median | all: mean |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for label, rows in [*_groups(density), ("all", np.ones(density.size, dtype=bool))]:
        for method, u in predictions.items():
            use = rows & np.all(np.isfinite(u), axis=1)
            errors = absolute_errors(u[use], truth[use], g[use])
            seen, every = summary(errors.visible), summary(errors.all)
            lines.append(
                f"| {label} | {method} | {int(seen['n'])} | {seen['median']:.3f} | {seen['mean']:.3f} "
                f"| {every['median']:.3f} | {every['mean']:.3f} |"
            )
    return "\n".join(lines)


def delta_table(
    predictions: Mapping[str, Array],
    truth: Array,
    g: Array,
    groups: Mapping[str, NDArray[np.bool_]],
    others: Sequence[str],
) -> str:
    r"""Return a Markdown table of :math:`\delta` of :math:`p(x) \propto e^{-x/\delta}` and who is better how often.

    Parameters
    ----------
    predictions : mapping of str to ndarray, shape (m, 50)
        Potentials in kT by method.
    truth, g : ndarray, shape (m, 50)
        True potentials and g.
    groups : mapping of str to ndarray of bool, shape (m,)
        State points that count together.
    others : sequence of str
        Methods that each one is compared with by the error of its visible part.
    """
    lines = [
        "| state points | method | visible: delta (fit) | visible: median / ln 2 | all: delta (fit) "
        + "| all: median / ln 2 | "
        + " | ".join(f"better than {other}" for other in others)
        + " |",
        "| --- | --- |" + " ---: |" * (4 + len(others)),
    ]
    errors = {method: absolute_errors(u, truth, g) for method, u in predictions.items()}
    for label, rows in groups.items():
        for method, mine in errors.items():
            cells = [f(x[rows]) for x in (mine.visible, mine.all) for f in (fitted_delta, median_delta)]
            figures = [f"{cell:.3f}" if np.isfinite(cell) else "-" for cell in cells]
            lines.append(
                f"| {label} | {method} | {' | '.join(figures)} | "
                + " | ".join(_wins(mine.visible[rows], errors[other].visible[rows]) for other in others)
                + " |"
            )
    return "\n".join(lines)


def _wins(ours: Array, theirs: Array) -> str:
    both = np.isfinite(ours) & np.isfinite(theirs)
    if np.array_equal(ours[both], theirs[both]):
        return "-"
    return f"{int(np.sum(ours[both] < theirs[both]))} of {int(np.sum(both))}"


def _groups(density: Array) -> list[tuple[str, NDArray[np.bool_]]]:
    values = np.unique(density)
    if values.size <= MOST_DENSITIES:
        return [(f"{value:g}", density == value) for value in values]
    groups = []
    for low, high in pairwise((0.0, *DENSITY_EDGES, np.inf)):
        rows = (density > low) & (density <= high)
        if np.any(rows):
            groups.append((f"{low:g} to {high:g}" if np.isfinite(high) else f"above {low:g}", rows))
    return groups
