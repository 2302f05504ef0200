"""What a column beside g can be, by its values: its error, a running number, a curve; laws that no g follows."""

from __future__ import annotations

from typing import Literal

import numpy as np

from cginit.curves import Array, median

__all__ = ["LEAST_ROWS", "Companion", "companion", "growth"]

Companion = Literal["error", "nothing", "number", "curve"]

#: A column is a running number if it follows the integral of r^2 g to this part of its largest value.
FOLLOWS = 0.05
#: It is one, too, if it never falls and ends at so many times its value where g first passes 1/2: errors of counts
#: fall as 1/r or stay as they are.
GROWS = 3.0
#: Fewer rows show no law.
LEAST_ROWS = 8
#: Over the last half of its range a histogram of counts grows like r^2 and a running number like r^3; in powers of
#: r, the g of a liquid changes by less than this, and never to a value as large.
LEAST_POWER, LEAST_LAST = 1.2, 1.5
#: The error of g where g > 1/2 is, in the middle, below this part of g; more would be no measurement.
LARGEST_ERROR = 0.3


def companion(r: Array, g: Array, values: Array) -> Companion:
    r"""Return what a third column can be: the error of g, nothing (zeros), a running number, or another curve.

    A running coordination number is :math:`4\pi\rho\int_0^r g\, r^2 dr`: it follows that integral, whatever the
    density, or at least never falls and grows many times over. A column as large as g is no error of it.

    Examples
    --------
    >>> r = np.linspace(0.1, 4, 40)
    >>> g = np.where(r < 1, 0.0, 1.0)
    >>> companion(r, g, np.cumsum(r**2 * g)), companion(r, g, 0.01 / r), companion(r, g, g)
    ('number', 'error', 'curve')
    """
    if not np.any(values):
        return "nothing"
    if np.any(values < 0.0):
        # Whoever reads it as an error will say so.
        return "error"
    top = float(values.max())
    seen = g > 0.5
    if r.size >= LEAST_ROWS and np.any(seen):
        integral = np.cumsum(r**2 * g)
        slope = float(values @ integral) / float(integral @ integral)
        if np.max(np.abs(values - slope * integral)) < FOLLOWS * top:
            return "number"
        # Printed digits may fall by a rounding error.
        start = float(values[int(np.argmax(seen))])
        if np.all(np.diff(values) >= -1e-6 * top) and top > GROWS * max(start, 1e-12 * top):
            return "number"
    ratio = median(values[seen] / g[seen]) if np.any(seen) else median(values) / max(float(g.max()), 1e-300)
    return "error" if ratio < LARGEST_ERROR else "curve"


def growth(r: Array, g: Array) -> float | None:
    """Return the power of r by which a column grows over the last half of its range; None if it is no such law.

    Examples
    --------
    >>> r = np.linspace(0.1, 4, 40)
    >>> round(growth(r, 3 * r**2), 3), growth(r, np.ones(40))
    (2.0, None)
    """
    half = (r >= 0.5 * r[-1]) & (r > 0.0)
    if r.size < LEAST_ROWS or np.count_nonzero(half) < 4 or np.any(g[half] <= 0.0) or g[-1] < LEAST_LAST:
        return None
    x, y = np.log(r[half]), np.log(g[half])
    power, offset = np.polyfit(x, y, 1)
    off = float(np.std(y - offset - power * x))
    # The law explains the column: what is left is a small part of the rise.
    return float(power) if power > LEAST_POWER and off < 0.1 * power * float(np.ptp(x)) else None
