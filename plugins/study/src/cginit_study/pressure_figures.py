"""Figures of the learned pressures: all networks of a study, and predicted against simulated pressures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cginit.curves import Array
from cginit.errors import InputError
from cginit.learn.statistics import r_squared, relative_errors
from cginit.report.figures import new_figure, save_figure
from cginit_study.figures import COLOURS, fold_error, log_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Agreement", "pressure_figure", "route_figure"]

#: Factor by which predictions may leave the range of the true values before they count as off the scale.
BEYOND = 10.0
#: Colours and lines of what stands beside the networks.
LINES = (
    ("0.15", "--"),
    ("0.15", ":"),
    ("#cc79a7", "-"),
    ("#cc79a7", "--"),
    ("#e69f00", "-"),
    ("#e69f00", "--"),
)


@dataclass(frozen=True, eq=False)
class Agreement:
    """Predicted against true pressures for a panel of `pressure_figure`.

    Attributes
    ----------
    title : str
    found, truth : ndarray, shape (m,)
        NaN where a route has no answer.
    test : ndarray of bool, shape (m,)
        Rows of the test set.
    """

    title: str
    found: Array
    truth: Array
    test: np.ndarray[tuple[int], np.dtype[np.bool_]]


def route_figure(
    errors: Mapping[str, Array], medians: Mapping[str, Array], references: Mapping[str, Array], path: Path
) -> Path:
    """Draw the mean relative error of each network with the standard error over the folds, one panel a kind.

    A diamond is the mean over the folds of the median relative error.

    Parameters
    ----------
    errors : mapping of str to ndarray, shape (folds,)
        Mean relative absolute errors of each network ``KIND/ROUTE-OPTIONS``.
    medians : mapping of str to ndarray, shape (folds,)
        Median ones.
    references : mapping of str to ndarray, shape (m,)
        Relative absolute errors of other methods, one number a state point, NaN where there is no answer. A line
        shows the mean, and the legend mean and median; a line far above the bars is left out.
    path : Path
        The suffix is the format.

    Raises
    ------
    InputError
        If there is no network.
    """
    if not errors:
        raise InputError("no network of the study is finished on every fold; train it first")
    kinds = list(dict.fromkeys(name.partition("/")[0] for name in errors))
    routes = list(dict.fromkeys(name.partition("/")[2].partition("-")[0] for name in errors))
    means = {name: float(np.nanmean(values)) for name, values in errors.items()}
    lines = {name: x[np.isfinite(x)] for name, x in references.items() if np.isfinite(x).any()}
    drawn = {name: float(np.mean(x)) for name, x in lines.items()}
    highest = BEYOND * max(means.values())
    shown = [x for x in drawn.values() if x < highest]
    middle = {name: float(np.nanmean(medians[name])) for name in errors}
    low, high = min([*middle.values(), *shown]), max([*means.values(), *shown])
    figure = new_figure((9.5, 2.6 * len(kinds) + 1.0))
    for axes, kind in zip(figure.subplots(len(kinds), 1, squeeze=False)[:, 0], kinds, strict=True):
        names = [name for name in errors if name.partition("/")[0] == kind]
        for k, route in enumerate(routes):
            chosen = [i for i, n in enumerate(names) if n.partition("/")[2].partition("-")[0] == route]
            axes.bar(
                chosen,
                [means[names[i]] for i in chosen],
                yerr=[fold_error(errors[names[i]]) for i in chosen],
                color=COLOURS[k],
                capsize=2,
                label=f"route {route}",
            )
        axes.plot(
            range(len(names)),
            [middle[name] for name in names],
            "D",
            color="0.15",
            mec="white",
            ms=4.5,
            ls="",
            label="median",
        )
        for (name, mean), (colour, line) in zip(drawn.items(), LINES, strict=False):
            text = f"{name}: {mean:.2g} (median {np.median(lines[name]):.2g})"
            if mean < highest:
                axes.axhline(mean, color=colour, ls=line, lw=1.2, label=text)
            else:
                axes.plot([], [], color=colour, ls=line, label=f"{text}, above the frame")
        axes.set_xticks(range(len(names)), [n.partition("-")[2] for n in names], fontsize=8)
        axes.set(ylabel=f"<LMRAE>, {kind}", xlim=(-0.7, len(names) - 0.3), ylim=(0.7 * low, 1.5 * high))
        log_ticks(axes)
    handles, texts = axes.get_legend_handles_labels()
    figure.legend(handles, texts, loc="outside upper center", ncols=3, frameon=False, fontsize=8)
    return save_figure(figure, path)


def pressure_figure(
    panels: Sequence[Agreement], path: Path, labels: tuple[str, str] = ("simulated βP σ³", "predicted βP σ³")
) -> Path:
    """Draw predicted against simulated pressures (or what `labels` say), training and test, one panel a route.

    All panels share their axes, those of the positive true values. What a route predicts far outside, or negative,
    stands at the edge as a cross and is counted in the title.
    """
    if not panels:
        raise InputError("there is no route to the pressure to draw; train a final network first")
    columns = min(len(panels), 4)
    rows = -(-len(panels) // columns)
    figure = new_figure((3.2 * columns, 3.4 * rows))
    flat = figure.subplots(rows, columns, squeeze=False).ravel()
    known = np.concatenate([panel.truth for panel in panels])
    known = known[known > 0.0]
    limits = 0.5 * float(known.min()), 2.0 * float(known.max())
    for axes, panel in zip(flat, panels, strict=False):
        _agreement(axes, panel, limits)
        axes.set(xlabel=labels[0], ylabel=labels[1])
    for axes in flat[len(panels) :]:
        axes.set_axis_off()
    return save_figure(figure, path)


def _agreement(axes: Axes, panel: Agreement, limits: tuple[float, float]) -> None:
    low, high = limits
    edges = low / 2.0, high * 2.0
    # Room for the legend above the points that stand at the upper edge.
    top = high * (high / low) ** 0.25
    axes.set(xscale="log", yscale="log", xlim=edges, ylim=(edges[0], top))
    axes.plot(edges, edges, color="0.7", lw=0.8, zorder=0)
    outside = 0
    for rows, name, colour in ((~panel.test, "train", COLOURS[0]), (panel.test, "test", COLOURS[1])):
        use = rows & np.isfinite(panel.found) & np.isfinite(panel.truth)
        if not np.any(use):
            continue
        found, truth = panel.found[use], panel.truth[use]
        error = float(np.mean(relative_errors(found, truth)))
        label = f"{name}: R² = {_plain(r_squared(found, truth))}, <|Δ/true|> {_plain(error)}"
        positive = truth > 0.0
        off = positive & ((found < low) | (found > high))
        inside = positive & ~off
        axes.plot(truth[inside], found[inside], ".", ms=4, color=colour, label=label)
        axes.plot(truth[off], np.clip(found[off], low, high), "x", ms=4, mew=0.8, color=colour)
        outside += int(np.sum(off)) + int(np.sum(~positive))
    missing = int(np.sum(~np.isfinite(panel.found)))
    notes = [f"{outside} off the scale"] * (outside > 0) + [f"{missing} without an answer"] * (missing > 0)
    axes.set_title(f"{panel.title}\n{', '.join(notes)}", fontsize=8)
    if axes.get_legend_handles_labels()[1]:
        # Above the diagonal; the search for the best place is slow with many points.
        axes.legend(
            fontsize=6.5, loc="upper left", handletextpad=0.0, borderpad=0.2, framealpha=0.9, edgecolor="none"
        )


def _plain(value: float) -> str:
    return f"{value:.3f}" if abs(value) < 100.0 else f"{value:.1e}"
