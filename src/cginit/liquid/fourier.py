"""The Fourier transform of a radial function in three dimensions, by discrete sine transforms."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cginit.curves import GRID_TOLERANCE, Array
from cginit.errors import InputError
from cginit.splines import monotone_cubic

__all__ = ["RadialGrid", "sine_nodes"]


@dataclass(frozen=True)
class RadialGrid:
    r"""A uniform radial grid and its reciprocal grid, with the transform between them.

    .. math::
        \hat f(k) = \frac{4\pi}{k} \int_0^\infty f(r) \sin(kr)\, r\, dr, \qquad
        f(r) = \frac{1}{2\pi^2 r} \int_0^\infty \hat f(k) \sin(kr)\, k\, dk

    Nodes are :math:`r_i = i\,\Delta r` with :math:`k_j = j \pi / ((n+1) \Delta r)`, i, j = 1..n (a type I
    sine transform), or, with `half`, :math:`r_i = (i - 1/2) \Delta r` with
    :math:`k_j = (j - 1/2) \pi / (n \Delta r)` (type IV). The second suits histograms, whose values
    belong to bin centres. In both, `forward` and `inverse` undo each other to rounding, and both integrals
    are trapezoidal sums, so that smooth functions that vanish at the far end are transformed to spectral
    accuracy.

    Parameters
    ----------
    n : int
        Number of nodes. Powers of two (half) or one less (not half) are fast.
    dr : float
        Step.
    half : bool
        Whether the nodes lie at odd multiples of dr/2.

    Examples
    --------
    >>> grid = RadialGrid(255, 0.05)
    >>> gaussian = np.exp(-grid.r**2)
    >>> bool(np.allclose(grid.forward(gaussian), np.pi**1.5 * np.exp(-grid.k**2 / 4), atol=1e-12))
    True
    """

    n: int
    dr: float
    half: bool = False

    def __post_init__(self) -> None:
        if self.n < 2 or not self.dr > 0.0:
            raise InputError(f"a radial grid needs n >= 2 and dr > 0, not n = {self.n} and dr = {self.dr}")

    @classmethod
    def covering(cls, r: Array, n: int) -> RadialGrid:
        """Return the grid of at least `n` nodes that continues the uniform grid `r` in both directions.

        Raises
        ------
        InputError
            If r[0] is no multiple of half the step: no sine transform has such nodes.
        """
        dr = float((r[-1] - r[0]) / (r.size - 1))
        halves = 2.0 * float(r[0]) / dr
        if abs(halves - round(halves)) > 2.0 * GRID_TOLERANCE:
            raise InputError(
                f"r[0] = {r[0]:g} is not a multiple of half the step {dr:g}; "
                "resample to multiples of the step"
            )
        half = bool(round(halves) % 2)
        size = 1 << max(n, 3).bit_length()
        return cls(size if half else size - 1, dr, half)

    @cached_property
    def r(self) -> Array:
        """Nodes in real space, shape (n,)."""
        first = 0.5 if self.half else 1.0
        return np.asarray((np.arange(self.n) + first) * self.dr, dtype=np.float64)

    @cached_property
    def k(self) -> Array:
        """Nodes in reciprocal space, shape (n,)."""
        return self._nodes * self.dk

    @property
    def dk(self) -> float:
        """Step in reciprocal space."""
        return float(np.pi / ((self.n if self.half else self.n + 1) * self.dr))

    @cached_property
    def _nodes(self) -> Array:
        return np.asarray(np.arange(self.n) + (0.5 if self.half else 1.0), dtype=np.float64)

    def index(self, r0: float) -> int:
        """Return the position of the distance `r0` among the nodes; -1 for r0 = 0 on a whole-step grid."""
        return round(r0 / self.dr - (0.5 if self.half else 1.0))

    def sine(self, x: Array) -> Array:
        """Return the unnormalised sine transform ``2 sum_i x_i sin(k_j r_i)``, of shape ``(..., n)``.

        `x` ``(..., m)``, m <= n, is 0 beyond its end.
        It is `scipy.fft.dst` of type 1 or 4, by the Fourier transform of NumPy: to import scipy.fft takes longer than
        all transforms of a guess.
        """
        if self.half:
            whole = np.zeros((*np.shape(x)[:-1], self.n))
            whole[..., : np.shape(x)[-1]] = x
            return self._sine_half(whole)
        # The sine series of x is the Fourier series of its odd continuation.
        m = np.shape(x)[-1]
        odd = np.empty((*np.shape(x)[:-1], 2 * self.n + 2))
        odd[..., 0] = odd[..., m + 1 : -m] = 0.0
        odd[..., 1 : m + 1] = x
        np.negative(odd[..., m:0:-1], out=odd[..., -m:])
        return np.asarray(np.negative(np.fft.rfft(odd).imag[..., 1:-1]), dtype=np.float64)

    def _sine_half(self, x: Array) -> Array:
        """Type IV: a complex transform of half the length, between two rotations (an odd n is padded instead)."""
        n = self.n
        if n % 2:
            sparse = np.zeros((*x.shape[:-1], 8 * n))
            sparse[..., 1 : 2 * n : 2] = x
            return np.asarray(-2.0 * np.fft.rfft(sparse).imag[..., 1 : 2 * n : 2], dtype=np.float64)
        turned = np.fft.fft((x[..., ::-2] + 1j * x[..., ::2]) * self._rotation) * self._rotation
        result = np.empty_like(x)
        result[..., ::2] = 2.0 * turned.real
        result[..., ::-2] = 2.0 * turned.imag
        return result

    @cached_property
    def _rotation(self) -> NDArray[np.complex128]:
        angle = 0.125 * np.pi * (8.0 * np.arange(self.n // 2) + 1.0) / self.n
        return np.asarray(np.exp(-1j * angle), dtype=np.complex128)

    def forward(self, f: Array) -> Array:
        """Return the transform of `f` ``(n,)`` at `k`."""
        return 2.0 * np.pi * self.dr / self.k * self.sine(self.r * f)

    def inverse(self, f_k: Array) -> Array:
        """Return the function ``(n,)`` at `r` whose transform is `f_k`."""
        return self.dk / (4.0 * np.pi**2) / self.r * self.sine(self.k * f_k)

    def filter(self, weight: Array, x: Array) -> Array:
        """Return r times the convolution of x/r by `weight` ``(..., n)``, given in k, for `x` ``(..., m)``, m <= n.

        For a positive weight this is a symmetric positive definite matrix, whatever m.
        """
        scale = 0.5 * self.dr * self.dk / np.pi
        return scale * self.sine(weight * self.sine(x))[..., : x.shape[-1]]

    def filter_matrix(self, weight: Array, size: int, columns: int | None = None) -> Array:
        r"""Return the matrix ``(..., size, size)`` of `filter` for a `weight` ``(..., n)``, or more `columns` of it.

        .. math:: 2 \sin(k r_i) \sin(k r_j) = \cos k (r_i - r_j) - \cos k (r_i + r_j)

        makes it the difference of a Toeplitz and a Hankel matrix, whose elements are those of one cosine transform.
        """
        # The sum over k of weight cos(k d dr) for d = 0, 1, ...: a Fourier transform of its even continuation.
        rows, across = np.shape(weight)[:-1], columns or size
        if self.half:
            spread = np.zeros((*rows, 4 * self.n))
            spread[..., 1 : 2 * self.n : 2] = weight
            cosine, first = np.fft.rfft(spread).real, 1
        else:
            even = np.zeros((*rows, self.n + 2))
            even[..., 1:-1] = weight
            cosine, first = (self.n + 1) * np.fft.irfft(even), 2
        scale = self.dr * self.dk / np.pi
        near = scale * np.concatenate([cosine[..., size - 1 : 0 : -1], cosine[..., :across]], axis=-1)
        beyond = scale * cosine[..., first : first + size + across - 1]
        return np.asarray(_windows(near, size)[..., ::-1, :] - _windows(beyond, size), dtype=np.float64)

    def integral(self, f: Array) -> float:
        """Return the integral of `f` ``(n,)`` over all space, the transform at k = 0."""
        return float(4.0 * np.pi * self.dr * np.sum(self.r**2 * f))


def _windows(x: Array, size: int) -> Array:
    """Return `size` parts ``(..., size, m)`` of x ``(..., size + m - 1)`` that begin one element later each."""
    # They share the memory of x, as those of numpy.lib.stride_tricks, which takes five times as long as a transform.
    shape = (*x.shape[:-1], size, x.shape[-1] - size + 1)
    return np.ndarray(shape, np.float64, x, strides=(*x.strides, x.itemsize))


def sine_nodes(r: Array, g: Array, error: Array) -> tuple[Array, Array, Array]:
    """Return distances, g and its error ``(n,)`` on multiples of the step, or as they are on such of half the step.

    Examples
    --------
    >>> r = np.arange(1, 6) * 0.1
    >>> sine_nodes(r, r, r)[0] is r
    True
    >>> [float(x) for x in sine_nodes(r + 0.03, r + 0.03, r)[1].round(2)]
    [0.13, 0.2, 0.3, 0.4, 0.5]
    """
    dr = float((r[-1] - r[0]) / (r.size - 1))
    halves = 2.0 * float(r[0]) / dr
    if abs(halves - round(halves)) <= 1e-3:
        return r, g, error
    multiples = np.asarray(np.arange(1, int(r[-1] / dr) + 1) * dr, dtype=np.float64)
    values = np.maximum(monotone_cubic(r, g, np.maximum(multiples, r[0])), 0.0)
    noise = np.asarray(np.interp(multiples, r, error), dtype=np.float64)
    return multiples, np.asarray(values, dtype=np.float64), noise
