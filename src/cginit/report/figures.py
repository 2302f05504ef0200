"""Figures: how they are made and written, and the error against the number of simulations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from io import BytesIO
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cginit.atomic import check_new, write_atomically
from cginit.errors import InputError, MissingDependencyError, files_explained
from cginit.refine.convergence import CHI2_AT_NOISE, Distance
from cginit.refine.record import Record

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "BEST_COLOUR",
    "FIRST_COLOUR",
    "SMALLEST",
    "TARGET_COLOUR",
    "check_figure",
    "draw_errors",
    "error_figure",
    "new_figure",
    "save_figure",
]

#: An analytic engine can agree to the last bit, which a logarithmic axis cannot show.
SMALLEST = 1e-16
#: Ends of names and what they mean to matplotlib.
FIGURE_FORMATS = ("png", "pdf", "svg", "eps", "ps", "jpg", "jpeg", "tif", "tiff", "webp")
#: How its formats are told to hold no date.
NO_DATE = {"pdf": {"CreationDate": None}, "svg": {"Date": None}}
NO_MATPLOTLIB = "figures need matplotlib: pip install 'cginit[report]'"
TARGET_COLOUR, FIRST_COLOUR, BEST_COLOUR = "0.15", "#d55e00", "#0072b2"
LINE_COLOURS = ("#d55e00", "#009e73", "#0072b2", "#cc79a7", "#e69f00", "#56b4e9")


def error_figure(histories: Mapping[str, Sequence[Record]], path: Path) -> Path:
    """Draw the mean squared difference against the number of simulations for several refinements."""
    if not any(histories.values()):
        raise InputError("there is no finished simulation to draw")
    figure = new_figure((5.5, 3.8))
    axes = figure.subplots()
    draw_errors(axes, {name: [(x.index, x.distance) for x in items] for name, items in histories.items()})
    axes.legend(frameon=False)
    return save_figure(figure, path)


def draw_errors(
    axes: Axes, histories: Mapping[str, Sequence[tuple[int, Distance]]], *, begin: int = 1
) -> None:
    """Draw the errors of numbered simulations of one or several curves; the first has the number `begin`."""
    from matplotlib.ticker import MaxNLocator

    for (name, history), colour in zip(histories.items(), cycle(LINE_COLOURS), strict=False):
        index = np.array([number for number, _ in history])
        lmse = np.maximum([one.lmse for _, one in history], SMALLEST)
        noise = np.array([one.chi2 <= CHI2_AT_NOISE for _, one in history])
        axes.semilogy(index + begin, lmse, "-", color=colour, lw=1.2, label=name or None)
        for chosen, face in ((~noise, colour), (noise, "white")):
            if np.any(chosen):
                axes.semilogy(index[chosen] + begin, lmse[chosen], "o", color=colour, ms=5, mfc=face)
    axes.set(xlabel="simulation (open: within the noise)", ylabel="mean squared difference")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    numbers = [number for history in histories.values() for number, _ in history]
    if numbers:
        # Around a single simulation there would be no whole number but its own.
        axes.set_xlim(min(numbers) + begin - 0.5, max(numbers) + begin + 0.5)
    axes.grid(alpha=0.25, which="both", axis="y")


def new_figure(size: tuple[float, float]) -> Figure:
    """Return an empty figure of this size in inches; MissingDependencyError if matplotlib is not installed."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingDependencyError(NO_MATPLOTLIB) from error
    return Figure(figsize=size, layout="constrained")


def check_figure(path: Path) -> None:
    """Make sure that `save_figure` can write a figure, before it is worked for.

    Raises
    ------
    InputError
        If the end of its name is no format of figures, or its place is not one to write to.
    MissingDependencyError
        If matplotlib is not installed.
    """
    if _figure_format(path) not in FIGURE_FORMATS:
        known = ", ".join(f".{name}" for name in FIGURE_FORMATS)
        raise InputError(
            f"the end of {path} names no format of figures; known are {known}. Name it otherwise, as "
            f"{path.with_suffix('.png').name}"
        )
    if find_spec("matplotlib") is None:
        raise MissingDependencyError(NO_MATPLOTLIB)
    # Folders are made when there is a figure for them.
    check_new(path)


def save_figure(figure: Figure, path: Path, dpi: int = 150) -> Path:
    """Write a figure, whose folder is made if need be, whole or not at all, and return its path.

    Equal figures are equal files: they hold no date.

    Raises
    ------
    InputError
        If it cannot be written; see `check_figure`.
    """
    import matplotlib

    check_figure(path)
    with files_explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    stream, kind = BytesIO(), _figure_format(path)
    with matplotlib.rc_context({"svg.hashsalt": "cginit"}):
        figure.savefig(stream, dpi=dpi, format=kind, metadata=NO_DATE.get(kind))
    return write_atomically(path, stream.getvalue())


def _figure_format(path: Path) -> str:
    return path.suffix.removeprefix(".").lower()
