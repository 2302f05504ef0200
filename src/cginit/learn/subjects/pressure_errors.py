"""Errors of the networks of the pressure, and how far they can be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cginit.curves import Array
from cginit.eos.inference import calibrated_error
from cginit.learn.calibration import band_coverage, band_factor
from cginit.learn.statistics import r_squared, relative_errors

__all__ = ["PressurePredictions", "error_table"]


@dataclass(frozen=True, eq=False)
class PressurePredictions:
    """Compressibility factors of all rows of a training set.

    Attributes
    ----------
    truth : ndarray, shape (m,)
        Simulated.
    z : ndarray, shape (m,)
        By the member that was not trained on the potential; by the mean of all on the test set. NaN where HNC has no
        solution.
    unseen, spread : ndarray, shape (m,)
        Mean and spread of an ensemble of which no member was trained on the potential: that of `GROUPS` which lacks
        its group; on the test set the ensemble itself. NaN where HNC has no solution.
    base : ndarray, shape (m, 3)
        Z_v, Z_e of HNC, and the size of the second term.
    fold : ndarray of int, shape (m,)
        -1 for the test set.
    """

    truth: Array
    z: Array
    unseen: Array
    spread: Array
    base: Array
    fold: NDArray[np.int64]

    def error_scale(self) -> float:
        """Return the factor of `cginit.eos.inference.calibrated_error`.

        The judging ensembles have fewer members and less to learn from than the ensemble, so that it is rather too
        large.
        """
        return band_factor(self._ratio(), self.fold)

    def coverage(self) -> tuple[float, float]:
        """Return the part of the rows inside the 90 % band, of the validation folds and of the test set."""
        return band_coverage(self._ratio(), self.fold)

    def _ratio(self) -> Array:
        unit = calibrated_error(1.0, self.spread, self.base, self.unseen)
        return np.asarray(np.abs(self.unseen - self.truth) / np.maximum(unit, 1e-12))


def error_table(routes: Mapping[str, Array], truth: Array, density: Array, rows: NDArray[np.bool_]) -> str:
    """Return a Markdown table of the relative errors of several routes, by density and altogether.

    Parameters
    ----------
    routes : mapping of str to ndarray, shape (m,)
        Compressibility factors; NaN where a route has none.
    truth, density : ndarray, shape (m,)
    rows : ndarray of bool, shape (m,)
        Which count.
    """
    lines = [
        "| density | route | state points | median | mean | R² of P |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    edges = ((0.0, 0.2), (0.2, 0.4), (0.4, 0.75), (0.75, 9.0), (0.0, 9.0))
    for low, high in edges:
        inside = rows & (density > low) & (density <= high)
        label = (
            "all" if (low, high) == edges[-1] else f"{low:g} to {high:g}" if high < 9.0 else f"above {low:g}"
        )
        for name, z in routes.items():
            use = inside & np.isfinite(z)
            if not np.any(use):
                continue
            errors = relative_errors(z[use], truth[use])
            r2 = r_squared((z * density)[use], (truth * density)[use])
            lines.append(
                f"| {label} | {name} | {int(use.sum())} | {np.median(errors):.4f} | {errors.mean():.4f} | {r2:.4f} |"
            )
    return "\n".join(lines)
