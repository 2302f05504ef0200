"""From a measured structure factor S(k) to g(r), with what the end of the data costs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cginit.curves import Array
from cginit.errors import InputError

__all__ = ["WINDOWS", "Inversion", "invert_structure_factor"]

#: Windows by name; the number is the part of the error at k_max by which the error at 0.8 k_max is larger:
#: broadening falls as k_max^-2, hence 0.8^-2 - 1; ripples of a sharp end differ by themselves.
WINDOWS = {"lorch": 0.5625, "none": 1.0}
#: Part of k_max up to which the data are used again, for the error.
SHORTER = 0.8
#: |mean of the last tenth of S(k) - 1| above which the data are refused.
MAX_OFFSET = 0.1
#: A g(r) that no fluid has, not even of a core as narrow as a bin of the steepest well.
LARGEST = 1e6
#: Points of the quadrature in each half period of the fastest oscillation.
FINENESS = 16


@dataclass(frozen=True, eq=False)
class Inversion:
    """A g(r) from S(k) and its errors.

    Attributes
    ----------
    r, g : ndarray, shape (n,)
        The curve, its core set to 0.
    truncation, low_k, noise : ndarray, shape (n,)
        Estimated errors from the end of the data, from their beginning, and from the errors of S(k).
    r_core : float
        Where g was set to 0 below.
    core_rms : float
        Root mean square of what was set to 0 between half of `r_core` and `r_core`, where g is known to be 0: the
        true error there.
    s_0 : float
        S at k = 0 by extrapolation.
    """

    r: Array
    g: Array
    truncation: Array
    low_k: Array
    noise: Array
    r_core: float
    core_rms: float
    s_0: float

    @property
    def error(self) -> Array:
        """All errors together, shape (n,)."""
        return np.sqrt(self.truncation**2 + self.low_k**2 + self.noise**2)


def invert_structure_factor(
    k: Array,
    s: Array,
    density: float,
    *,
    dr: float,
    r_max: float,
    window: str = "lorch",
    s_error: Array | None = None,
) -> Inversion:
    r"""Return g(r) of an isotropic liquid from its structure factor.

    .. math:: g(r) = 1 + \frac{1}{2\pi^2 \rho\, r} \int_0^{k_{max}} k\,[S(k) - 1]\, W(k) \sin(kr)\, dk

    The Lorch window :math:`W = \sin(\pi k/k_{max}) / (\pi k/k_{max})` replaces the ripples of the cut at k_max by
    a broadening of some :math:`2.8/k_{max}`; ``none`` has W = 1. Below the first datum S(k) is a parabola in
    k without linear term through the first five. Below its first peak, g is set to 0 inwards of its first zero.

    The error of the truncation is the difference to the result with 0.8 k_max, scaled by the order at which
    it vanishes (Richardson), or to that without a window, whichever is larger, and of these the largest within a
    period 2 pi/k_max; that of the missing beginning, the difference to a constant S there. Peaks that
    the data do not resolve at all are not seen by such differences.

    Parameters
    ----------
    k, s : ndarray, shape (m,)
        Wave numbers, increasing and positive, and S(k).
    density : float
        Number density of the scatterers.
    dr, r_max : float
        Grid of the result, ``0, dr, ..., r_max``.
    window : {"lorch", "none"}
    s_error : ndarray, shape (m,), optional
        Standard errors of S(k).

    Returns
    -------
    Inversion

    Raises
    ------
    InputError
        If the data do not tend to 1, or something is out of range.

    References
    ----------
    E. Lorch, J. Phys. C 2, 229 (1969), doi:10.1088/0022-3719/2/2/305.

    Examples
    --------
    >>> k = np.linspace(0.1, 12.0, 400)
    >>> soft = 1.0 - 0.1 * np.pi**1.5 * np.exp(-(k**2) / 4)  # of g = 1 - exp(-r^2) at density 0.1
    >>> done = invert_structure_factor(k, soft, 0.1, dr=0.1, r_max=4.0, window="none")
    >>> bool(np.allclose(done.g, 1 - np.exp(-done.r**2), atol=1e-3))
    True
    """
    if window not in WINDOWS:
        raise InputError(f"unknown window {window!r}; known are {', '.join(WINDOWS)}")
    for name, value in (("density", density), ("dr", dr), ("r_max", r_max)):
        if not (np.isfinite(value) and value > 0.0):
            raise InputError(f"{name} must be a positive number, not {value}")
    if k.size < 10 or k[0] < 0.0 or np.any(np.diff(k) <= 0.0):
        raise InputError("S(k) needs at least 10 rows with increasing, positive k")
    tail = float(np.mean(s[k > 0.9 * k[-1]]))
    if abs(tail - 1.0) > MAX_OFFSET:
        raise InputError(
            f"S(k) is {tail:.3g} on average over its last tenth (up to k = {k[-1]:g}), not 1; normalise it, or "
            "measure to larger k"
        )
    r = dr * np.arange(round(r_max / dr) + 1, dtype=np.float64)
    shape = np.polynomial.polynomial.polyfit(k[:5] ** 2, s[:5], 1)
    s_0 = max(0.0, float(shape[0]))
    data = _Data(k, s, s_0, density)
    g = data.transform(r, window)
    if np.max(np.abs(g)) > LARGEST:
        raise InputError(
            f"g(r) would rise to {np.max(np.abs(g)):.1g}; S(k) is not that of a fluid of density {density:g}"
        )
    period = 2.0 * np.pi / k[-1]
    shorter = data.transform(r, window, SHORTER)
    sharp = g if window == "none" else data.transform(r, "none")
    truncation = _largest(np.maximum(np.abs(g - shorter) / WINDOWS[window], np.abs(g - sharp)), dr, period)
    constant = _Data(k, s, float(s[0]), density, constant=True).transform(r, window)
    noise = np.zeros_like(r) if s_error is None else data.noise(r, window, s_error)
    first = _core(g)
    core = (r >= 0.5 * r[first]) & (r < r[first])
    return Inversion(
        r,
        np.where(np.arange(r.size) < first, 0.0, np.maximum(g, 0.0)),
        truncation,
        np.abs(g - constant),
        noise,
        float(r[first]),
        float(np.sqrt(np.mean(g[core] ** 2))) if np.any(core) else 0.0,
        s_0,
    )


@dataclass(frozen=True, eq=False)
class _Data:
    k: Array
    s: Array
    s_0: float
    density: float
    constant: bool = False

    def transform(self, r: Array, window: str, part: float = 1.0) -> Array:
        """Return g(r) from the data up to `part` of their range."""
        from scipy.interpolate import PchipInterpolator

        k_max = part * self.k[-1]
        n = int(np.ceil(FINENESS * k_max * max(r[-1], 1e-12) / np.pi)) + 4 * self.k.size
        fine = np.linspace(0.0, k_max, n + 1)
        s = PchipInterpolator(self.k, self.s)(np.maximum(fine, self.k[0]))
        low = fine < self.k[0]
        if not self.constant and self.k[0] > 0.0:
            # From S(0) to the first datum as k^2, so that the curve is continuous.
            s[low] = self.s_0 + (self.s[0] - self.s_0) * (fine[low] / self.k[0]) ** 2
        weight = np.full(fine.size, fine[1])
        weight[[0, -1]] *= 0.5
        values = fine * (s - 1.0) * _window(fine / k_max, window) * weight
        return 1.0 + np.array([float(values @ _sinc(fine, x)) for x in r]) / (2.0 * np.pi**2 * self.density)

    def noise(self, r: Array, window: str, error: Array) -> Array:
        """Return the standard error ``(n,)`` of g from independent errors of S."""
        weight = np.gradient(self.k)
        values = self.k * error * _window(self.k / self.k[-1], window) * weight
        sums = np.array([float(np.linalg.norm(values * _sinc(self.k, x))) for x in r])
        return np.asarray(sums / (2.0 * np.pi**2 * self.density), dtype=np.float64)


def _sinc(k: Array, r: float) -> Array:
    """Return sin(k r) / r."""
    return k * np.sinc(k * r / np.pi)


def _window(x: Array, window: str) -> Array:
    return np.sinc(x) if window == "lorch" else np.ones_like(x)


def _largest(values: Array, dr: float, period: float) -> Array:
    """Return the largest value within a period of each point: where the ripples cross, a difference is 0."""
    from scipy.ndimage import maximum_filter1d

    return np.asarray(maximum_filter1d(values, 2 * max(1, round(period / dr)) + 1), dtype=np.float64)


def _core(g: Array) -> int:
    """Index from which on g is kept: just outside of its last zero before the main peak."""
    peak = int(np.argmax(g))
    below = np.flatnonzero(g[:peak] <= 0.0)
    return int(below[-1]) + 1 if below.size else 0
