"""Figure of an isotherm: the pressure against the density by every route."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from cginit.curves import Array
from cginit.eos.comparison import RouteComparison
from cginit.report.figures import new_figure, save_figure

__all__ = ["isotherm_figure"]

#: Colour and line of each route.
STYLES = {
    "network": ("#d55e00", "-", 2.2),
    "virial": ("#e69f00", "none", 0.0),
    "hnc-mean": ("#cc79a7", "-", 2.2),
    "hnc-energy": ("#56b4e9", "-", 1.2),
    "hnc": ("#0072b2", "-", 1.6),
    "hnc-compressibility": ("#56b4e9", "--", 1.6),
    "perturbation": ("#cc79a7", ":", 1.3),
    "b2": ("0.6", ":", 1.3),
    "b2+b3": ("0.4", "-.", 1.3),
    "carnahan-starling": ("#009e73", "--", 1.3),
}


def isotherm_figure(density: Array, curves: Mapping[str, Array], found: RouteComparison, path: Path) -> Path:
    """Draw P(rho) by all routes, and the state with its trusted pressure; the suffix of `path` is the format.

    Parameters
    ----------
    density : ndarray, shape (m,)
    curves : mapping of str to ndarray, shape (m,)
        Pressures by route, NaN where one has no answer.
    found : RouteComparison
        The state, in the same units.
    path : Path

    Raises
    ------
    MissingDependencyError
        If matplotlib is not installed.
    """
    units = next(iter(found.routes.values())).units
    figure = new_figure((6.4, 4.4))
    axes = figure.subplots()
    # The spread of series and hard spheres at high density would hide all others.
    shown = [values for name, values in curves.items() if name in ("network", "hnc", "hnc-mean")]
    values = np.concatenate([x[np.isfinite(x)] for x in (shown or list(curves.values()))])
    low, high = float(min(values.min(), 0.0)), float(max(values.max(), 0.0))
    for name, curve in curves.items():
        colour, line, width = STYLES[name]
        axes.plot(density, curve, color=colour, ls=line, lw=width, label=name)
    axes.plot(density, density * found.state.kT, color="0.85", lw=1.0, zorder=0, label="ideal gas")
    axes.axvline(found.state.density, color="0.8", lw=0.8, zorder=0)
    for state_route in dict.fromkeys(("virial", found.trusted)):
        if state_route is not None and state_route in found.routes:
            one = found.routes[state_route]
            error = one.error if np.isfinite(one.error) else 0.0
            label = "virial (at the state)" if state_route == "virial" else None
            axes.errorbar(
                [found.state.density],
                [one.value],
                [error],
                fmt="o",
                ms=6,
                capsize=3,
                color=STYLES[state_route][0],
                label=label,
            )
    margin = 0.06 * (high - low)
    axes.set(
        xlabel=f"ρ / {_raised(units.density)}",
        ylabel=f"P / ({_raised(units.pressure)})",
        xlim=(0, float(density[-1])),
        ylim=(low - margin, high + margin),
    )
    if not units.is_reduced:
        factor = units.bar()
        other = axes.secondary_yaxis(
            "right", functions=(lambda p: np.multiply(p, factor), lambda p: np.divide(p, factor))
        )
        other.set_ylabel("P / bar")
    axes.legend(frameon=False, fontsize=8, loc="upper left")
    return save_figure(figure, path)


def _raised(unit: str) -> str:
    return unit.replace("^-3", "⁻³").replace("^3", "³")
