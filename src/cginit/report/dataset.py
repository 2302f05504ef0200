"""A sheet of training data that a person can look through."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cginit.errors import InputError, MissingDependencyError
from cginit.report.figures import save_figure

if TYPE_CHECKING:
    from cginit.campaign import Dataset

__all__ = ["dataset_sheet"]

COLUMNS = 5
#: Range of the axis of U, in kT.
LOWEST, HIGHEST = -4.0, 12.0


def dataset_sheet(data: Dataset, path: Path, *, count: int = 40, seed: int = 1) -> Path:
    """Draw U(r) and g(r) with its error, of state points chosen at random, and write the figure to `path`.

    Raises
    ------
    InputError
        If there is no state point.
    MissingDependencyError
        If matplotlib is not installed.
    """
    if not len(data):
        raise InputError("there is no accepted state point to draw")
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingDependencyError("figures need matplotlib: pip install 'cginit[report]'") from error
    chosen = np.sort(np.random.default_rng(seed).permutation(len(data))[:count])
    rows = -(-chosen.size // COLUMNS)
    figure = Figure(figsize=(3.2 * COLUMNS, 2.2 * rows), layout="constrained")
    panels = figure.subplots(rows, COLUMNS, squeeze=False).ravel()
    for panel in panels[chosen.size :]:
        panel.set_axis_off()
    for panel, i in zip(panels, chosen, strict=False):
        panel.plot(data.u_r[i], data.u[i], color="#0072b2", lw=1.0)
        panel.set_ylim(LOWEST, HIGHEST)
        panel.set_xlim(0.0, 6.0)
        panel.tick_params(labelsize=6)
        twin = panel.twinx()
        seen = np.isfinite(data.g[i])
        r, g, band = data.r[seen], data.g[i][seen], 2.0 * data.g_error[i][seen]
        twin.plot(r, g, color="#d55e00", lw=1.0)
        twin.fill_between(r, g - band, g + band, color="#d55e00", alpha=0.3, lw=0.0)
        twin.tick_params(labelsize=6)
        panel.set_title(
            f"{data.family[i]} {data.seed[i]}  rho {data.density[i]:.3g}  P {data.pressure[i]:.3g}  "
            f"N {data.n[i]}  err {100 * data.peak_error[i]:.2g} %",
            fontsize=7,
        )
    figure.suptitle("U(r)/kT (blue, left) and g(r) (orange, right; band: two standard errors)", fontsize=9)
    return save_figure(figure, path, dpi=110)
