"""How a curve shows itself: a line of text, a card with a sparkline in a notebook, a plot, a data frame."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cginit.errors import MissingDependencyError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from pandas import DataFrame

    from cginit.units import UnitSystem

__all__ = ["Drawing", "Shown", "data_frame", "in_notebook", "new_panels", "sparkline"]

_Array = NDArray[np.float64]
#: Size of a sparkline in pixels, and room around it.
WIDTH, HEIGHT, MARGIN = 240.0, 60.0, 3.0
#: Standard errors of a band: the truth is inside in 95 of 100 points.
BAND = 2.0
#: Size of one panel of several, in inches.
PANEL = (4.0, 3.2)


@dataclass(frozen=True, eq=False)
class Drawing:
    """A curve as it is drawn.

    Attributes
    ----------
    x, y : ndarray, shape (n,)
    error : ndarray, shape (n,), or None
        Standard error of y.
    x_label, y_label : str
        With units.
    low, high : float
        The part of y that is shown: a repulsive core would squeeze all the rest to a line.
    """

    x: _Array
    y: _Array
    error: _Array | None
    x_label: str
    y_label: str
    low: float
    high: float


class Shown:
    """A curve that can be looked at; a subclass says what it is, how it is drawn and what its columns are."""

    __slots__ = ()
    units: UnitSystem

    def _facts(self) -> dict[str, str]:
        """Return what there is to know, by name."""
        raise NotImplementedError

    def _drawing(self) -> Drawing:
        raise NotImplementedError

    def drawing(self) -> Drawing:
        """Return the curve as it is drawn."""
        return self._drawing()

    def _columns(self) -> dict[str, _Array | None]:
        raise NotImplementedError

    def __repr__(self) -> str:
        facts = ", ".join(f"{name} {words}" for name, words in self._facts().items())
        return f"<{type(self).__name__}: {facts}>"

    def _repr_html_(self) -> str:
        # Only a notebook asks for it.
        from html import escape

        rows = "".join(
            f"<tr><td style='text-align:left;opacity:0.7'>{escape(name)}</td>"
            f"<td style='text-align:left'>{escape(words)}</td></tr>"
            for name, words in self._facts().items()
        )
        return (
            "<div style='display:flex;flex-wrap:wrap;gap:1.5em;align-items:center'>"
            f"<div><b>{type(self).__name__}</b><table>{rows}</table></div>{sparkline(self.drawing())}</div>"
        )

    def plot(self, axes: Axes | None = None, **style: Any) -> Axes:
        """Draw the curve, with a band of two standard errors where they are known, and return the axes.

        Parameters
        ----------
        axes : matplotlib Axes, optional
            Where to draw; a new figure by default.
        **style
            For `matplotlib.axes.Axes.plot`, as ``label="target"``.

        Raises
        ------
        MissingDependencyError
            If matplotlib is not installed.
        """
        drawing = self.drawing()
        first = axes is None
        if axes is None:
            axes = _pyplot().subplots()[1]
        (line,) = axes.plot(drawing.x, drawing.y, **style)
        if drawing.error is not None:
            band = BAND * drawing.error
            axes.fill_between(
                drawing.x, drawing.y - band, drawing.y + band, color=line.get_color(), alpha=0.25, lw=0.0
            )
        if first:
            room = 0.05 * (drawing.high - drawing.low)
            axes.set(
                xlabel=drawing.x_label, ylabel=drawing.y_label, ylim=(drawing.low - room, drawing.high + room)
            )
        return axes

    def to_frame(self) -> DataFrame:
        """Return the points as a pandas data frame, one row a point; ``frame.attrs["units"]`` names the units.

        Raises
        ------
        MissingDependencyError
            If pandas is not installed.
        """
        columns = {name: values for name, values in self._columns().items() if values is not None}
        return data_frame(columns, self.units)


def data_frame(content: Any, units: UnitSystem) -> DataFrame:
    """Return `content` (columns, or rows) as a pandas data frame whose ``attrs["units"]`` names the units.

    Raises
    ------
    MissingDependencyError
        If pandas is not installed.
    """
    if find_spec("pandas") is None:
        raise MissingDependencyError("data frames need pandas: pip install pandas")
    from pandas import DataFrame

    frame = DataFrame(content)
    frame.attrs["units"] = units.name
    return frame


def _pyplot() -> Any:
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise MissingDependencyError("figures need matplotlib: pip install 'cginit[report]'") from error
    return pyplot


def new_panels(panels: int, across: int) -> list[Axes]:
    """Return the axes of a new figure with so many panels, so many of them side by side.

    Raises
    ------
    MissingDependencyError
        If matplotlib is not installed.
    """
    down = -(-panels // across)
    figure = _pyplot().figure(figsize=(PANEL[0] * across, PANEL[1] * down), layout="constrained")
    return [figure.add_subplot(down, across, number + 1) for number in range(panels)]


def in_notebook() -> bool:
    """Return whether a notebook runs this: an IPython with a kernel, which shows HTML."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return getattr(shell, "kernel", None) is not None


def sparkline(drawing: Drawing, wanted: Drawing | None = None) -> str:
    """Return a small picture of a curve as SVG, in the colour of the text around it: also right in dark mode.

    A second curve, which it should be like, stands behind it as a broad and faint line, on the same axes.
    """
    span = max(float(drawing.x[-1] - drawing.x[0]), 1e-300)
    height = max(drawing.high - drawing.low, 1e-300)

    def points(one: Drawing) -> str:
        x = MARGIN + (one.x - drawing.x[0]) / span * (WIDTH - 2.0 * MARGIN)
        inside = np.clip(one.y, drawing.low, drawing.high)
        y = HEIGHT - MARGIN - (inside - drawing.low) / height * (HEIGHT - 2.0 * MARGIN)
        # What lies outside of the picture by more than its margin is left out, not drawn along its edge.
        shown = (one.y >= drawing.low) & (one.y <= drawing.high)
        shown[:-1] |= shown[1:].copy()
        shown &= one.x <= drawing.x[-1]
        return " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x[shown], y[shown], strict=True))

    from html import escape

    line = 'fill="none" stroke="currentColor"'
    behind = (
        ""
        if wanted is None
        else f'<polyline points="{points(wanted)}" {line} stroke-width="4" opacity="0.3"/>'
    )
    return (
        f'<svg width="{WIDTH:.0f}" height="{HEIGHT:.0f}" role="img" aria-label="{escape(drawing.y_label)} against '
        f'{escape(drawing.x_label)}">{behind}<polyline points="{points(drawing)}" {line} stroke-width="1.5"/></svg>'
    )
