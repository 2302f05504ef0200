"""The figures of the published study, drawn from predictions of this project's networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cginit.curves import Array
from cginit.errors import InputError
from cginit.models.grid import U_CUT, network_grid
from cginit.report.figures import new_figure, save_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "bar_figure",
    "density_figure",
    "error_figure",
    "fold_error",
    "log_ticks",
    "simulated_figure",
    "smoothness_figure",
]

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "0.4")


def bar_figure(
    panels: Mapping[str, Mapping[str, Array]],
    path: Path,
    *,
    references: Mapping[str, Mapping[str, float]] | None = None,
    logarithmic: bool = True,
) -> Path:
    """Draw the mean over the folds of each network with the standard error of this mean, one panel a quantity.

    Parameters
    ----------
    panels : mapping of str to mapping of str to ndarray, shape (folds,)
        Label of the axis; in it the values of each network ``KIND/LABEL``.
    path : Path
        The suffix is the format.
    references : mapping of str to mapping of str to float, optional
        Horizontal lines of a panel by name.
    logarithmic : bool
        Axis of the values.

    Raises
    ------
    InputError
        If there is no network.
    """
    if not panels or not all(panels.values()):
        raise InputError("no network of the study is finished on every fold; train it first")
    names = list(next(iter(panels.values())))
    kinds = list(dict.fromkeys(name.partition("/")[0] for name in names))
    figure = new_figure((max(6.0, 0.22 * len(names) + 2.0), 3.4 * len(panels)))
    all_axes = figure.subplots(len(panels), 1, squeeze=False)[:, 0]
    for axes, (label, values) in zip(all_axes, panels.items(), strict=True):
        for k, kind in enumerate(kinds):
            chosen = [i for i, name in enumerate(names) if name.partition("/")[0] == kind]
            means = [float(np.nanmean(values[names[i]])) for i in chosen]
            errors = [fold_error(values[names[i]]) for i in chosen]
            axes.bar(chosen, means, yerr=errors, color=COLOURS[k], capsize=2, label=kind)
        for k, (name, value) in enumerate(((references or {}).get(label, {})).items()):
            if np.isfinite(value):
                axes.axhline(value, color=COLOURS[-1], ls=("--", ":", "-.", "-")[k % 4], lw=1.0, label=name)
        axes.set_xticks(range(len(names)), [n.partition("/")[2] for n in names], rotation=90, fontsize=8)
        axes.set(ylabel=label, xlim=(-0.7, len(names) - 0.3))
        if logarithmic:
            log_ticks(axes)
    # Above the panels, where no bar can be.
    handles, texts = all_axes[0].get_legend_handles_labels()
    figure.legend(handles, texts, loc="outside upper center", ncols=len(texts), frameon=False, fontsize=8)
    return save_figure(figure, path)


def log_ticks(axes: Axes) -> None:
    """Make the second axis logarithmic, with numbers such as 0.2 at its ticks where it spans a few decades."""
    from matplotlib.ticker import FuncFormatter, LogLocator

    axes.set_yscale("log")
    low, high = axes.get_ylim()
    few = high / low < 50.0
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if few else (1.0,)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g}"))
    axes.yaxis.set_minor_formatter(FuncFormatter(lambda *_: ""))


def fold_error(values: Array) -> float:
    """Return the standard error of the mean over the folds, 0 for one fold."""
    return float(np.nanstd(values, ddof=1) / np.sqrt(values.size)) if values.size > 1 else 0.0


def smoothness_figure(
    curves: Mapping[str, Array], truth: Array, panels: Mapping[str, Mapping[str, Array]], path: Path
) -> Path:
    """Draw one potential as networks with and without force in the loss give it, and the curvature errors of all.

    Parameters
    ----------
    curves : mapping of str to ndarray, shape (50,)
        Predictions of one potential by name.
    truth : ndarray, shape (50,)
        The true one.
    panels : mapping
        Curvature errors as `bar_figure` takes them, one quantity.
    path : Path
    """
    (label, values), names = next(iter(panels.items())), list(next(iter(panels.values())))
    figure = new_figure((11.0, 3.8))
    left, right = figure.subplots(1, 2)
    _draw_potential(left, {"true": truth, **curves})
    for k, force in enumerate((False, True)):
        chosen = [i for i, name in enumerate(names) if ("f" in name.partition("/")[2]) == force]
        means = [float(np.nanmean(values[names[i]])) for i in chosen]
        errors = [fold_error(values[names[i]]) for i in chosen]
        text = "force in the loss" if force else "without"
        right.bar(chosen, means, yerr=errors, capsize=2, color=COLOURS[k], label=text)
    right.set_xticks(range(len(names)), names, rotation=90, fontsize=7)
    right.set(ylabel=label)
    log_ticks(right)
    right.margins(y=0.15)
    right.legend(frameon=False, fontsize=8, loc="upper center", bbox_to_anchor=(0.5, 1.12), ncols=2)
    return save_figure(figure, path)


def error_figure(groups: Mapping[str, tuple[Array, float]], path: Path) -> Path:
    r"""Draw p(MAE) of several groups with the exponential :math:`e^{-MAE/\delta} / \delta` of each.

    Parameters
    ----------
    groups : mapping of str to (ndarray of shape (m,), float)
        Errors of the cases of a group, and its delta.
    path : Path
    """
    figure = new_figure((6.0, 4.0))
    axes = figure.subplots()
    end = max(3.0 * float(np.median(x)) for x, _ in groups.values())
    for (name, (errors, delta)), colour in zip(groups.items(), COLOURS, strict=False):
        counts, edges = np.histogram(errors, 15, (0.0, min(5.0 * float(np.median(errors)), end)))
        seen = counts > 0
        density = counts / (errors.size * np.diff(edges))
        middle = 0.5 * (edges[1:] + edges[:-1])
        axes.plot(middle[seen], density[seen], "o", ms=4, color=colour)
        axes.plot(edges, np.exp(-edges / delta) / delta, color=colour, label=f"{name}: δ = {delta:.3f} kT")
    axes.set(xlabel="mean absolute error / kT", ylabel="p(MAE)", yscale="log")
    axes.legend(frameon=False, fontsize=8)
    return save_figure(figure, path)


def density_figure(predictions: Mapping[float, Array], truth: Array, name: str, path: Path) -> Path:
    """Draw one potential as it is predicted from g at several densities, and their differences to the true one.

    Parameters
    ----------
    predictions : mapping of float to ndarray, shape (50,)
        By density.
    truth : ndarray, shape (50,)
    name : str
        The network.
    path : Path
    """
    figure = new_figure((10.0, 3.8))
    left, right = figure.subplots(1, 2)
    curves = {f"ρ = {density:g}": u for density, u in predictions.items()}
    _draw_potential(left, {"true": truth, **curves})
    left.set_title(name, fontsize=9)
    shown = truth < U_CUT
    for (label, u), colour in zip(curves.items(), COLOURS, strict=False):
        right.plot(network_grid()[shown], (u - truth)[shown], color=colour, label=label, lw=1.2)
    right.axhline(0.0, color="0.8", lw=0.8, zorder=0)
    right.set(xlabel="r / σ", ylabel="(U − U true) / kT", xlim=(0, 5))
    return save_figure(figure, path)


def simulated_figure(
    cases: Sequence[tuple[str, Array, Array, Mapping[str, Array]]], lmse: Mapping[str, Array], path: Path
) -> Path:
    """Draw simulated g(r) of guesses against their targets, and the distribution of the mean squared difference.

    Parameters
    ----------
    cases : sequence of (title, r, target, {method: g})
        Shown one by one.
    lmse : mapping of str to ndarray
        Mean squared differences of all cases by method.
    path : Path
    """
    from matplotlib.ticker import LogLocator, NullFormatter

    columns = min(len(cases) + 1, 3)
    rows = -(-(len(cases) + 1) // columns)
    figure = new_figure((4.0 * columns, 3.2 * rows))
    flat = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, (title, r, target, found) in zip(flat, cases, strict=False):
        axes.plot(r, target, color="0.15", lw=4, alpha=0.3, label="target")
        for (name, g), colour in zip(found.items(), COLOURS, strict=False):
            axes.plot(r, g, color=colour, lw=1.2, label=name)
        # A guess that lets particles cluster has a g far above the frame.
        axes.set(xlabel="r / σ", ylabel="g(r)", xlim=(0, 5), ylim=(0, 1.4 * float(np.max(target))))
        axes.set_title(title, fontsize=8)
    handles, texts = flat[0].get_legend_handles_labels()
    figure.legend(handles, texts, loc="outside upper center", ncols=len(texts), frameon=False, fontsize=8)
    last = flat[len(cases)]
    for (name, values), colour in zip(lmse.items(), COLOURS, strict=False):
        # What failed counts, as the worst.
        ordered = np.sort(np.where(np.isfinite(values), values, np.inf))
        ended = np.isfinite(ordered)
        if np.any(ended):
            part = np.arange(1, ordered.size + 1) / ordered.size
            label = f"{name}: {np.median(ordered):.1e}"
            last.step(ordered[ended], part[ended], where="post", color=colour, label=label)
    last.set(xlabel="mean squared difference of g", ylabel="part of the cases", xscale="log", ylim=(0, 1))
    last.xaxis.set_major_locator(LogLocator())
    last.xaxis.set_minor_formatter(NullFormatter())
    last.set_title("medians", fontsize=8)
    last.legend(frameon=False, fontsize=7, loc="lower right")
    for axes in flat[len(cases) + 1 :]:
        axes.set_axis_off()
    return save_figure(figure, path)


def _draw_potential(axes: Axes, curves: Mapping[str, Array]) -> None:
    r = network_grid()
    for k, (name, u) in enumerate(curves.items()):
        colour, width, alpha = ("0.15", 4.0, 0.3) if k == 0 else (COLOURS[k - 1], 1.2, 1.0)
        axes.plot(r, np.minimum(u, U_CUT), label=name, color=colour, lw=width, alpha=alpha)
    axes.set(xlabel="r / σ", ylabel="U / kT", xlim=(0, 5))
    axes.legend(frameon=False, fontsize=8)
