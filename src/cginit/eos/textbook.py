"""Potentials of textbooks, whose virial coefficients everyone can check."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from cginit.curves import Array
from cginit.models.grid import RANGE

__all__ = ["TEXTBOOK", "textbook_potentials"]

#: Energies are capped here, as in the training set.
CAP = 1e3
#: Step of the textbook potentials in sigma.
FINE = 0.01

#: Potentials in kT whose B2 and B3 everyone can check, with lengths in sigma.
TEXTBOOK: dict[str, Callable[[Array], Array]] = {
    "Gaussian core, 2 kT": lambda r: 2.0 * np.exp(-(r**2)),
    "Gaussian core, 10 kT": lambda r: 10.0 * np.exp(-(r**2)),
    "DPD, a = 25": lambda r: 12.5 * np.maximum(1.0 - r, 0.0) ** 2,
    "ramp, 5 kT, width 2": lambda r: 5.0 * np.maximum(1.0 - r / 2.0, 0.0),
    "WCA, T = 1": lambda r: np.where(r < 2 ** (1 / 6), 4.0 * (r**-12 - r**-6) + 1.0, 0.0),
    "r^-12": lambda r: r**-12,
    "LJ, T = 2": lambda r: 2.0 * (r**-12 - r**-6),
    "LJ, T = 1.35": lambda r: 4.0 / 1.35 * (r**-12 - r**-6),
}


def textbook_potentials() -> tuple[Array, Array]:
    """Return distances ``(k,)`` and the potentials of `TEXTBOOK` ``(m, k)`` in kT, cut and shifted at 5 sigma."""
    r = np.linspace(0.0, RANGE, round(RANGE / FINE) + 1)
    # r^-12 at the origin is far above the cap.
    inner = np.maximum(r, FINE)
    curves = np.array([np.minimum(shape(inner), CAP) for shape in TEXTBOOK.values()])
    return r, curves - curves[:, -1:]
