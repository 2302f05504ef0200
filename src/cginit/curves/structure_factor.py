"""S(k) of a fluid at small wave numbers, as a simulation or an experiment knows it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from cginit.display import Drawing, Shown
from cginit.errors import InputError
from cginit.grids import Array, frozen
from cginit.units import UnitSystem, conversion, unit_system

__all__ = ["LongWave", "StructureFactor"]


@dataclass(frozen=True)
class LongWave:
    r"""Structure factor :math:`S(k) = 1 + \rho \hat h(k)` at one small wave number.

    It is a sum over all of g, in which a point counts as r^2 and its noise with it; a simulation knows it far better
    by itself.

    Attributes
    ----------
    k : float
        Wave number in the inverse unit of length; 0 for a compressibility, :math:`S(0) = \rho kT \kappa_T`.
    s : float
        S(k).
    error : float
        Its standard error.

    Raises
    ------
    InputError
        If `k` or `error` is negative, or `s` is not positive.

    Examples
    --------
    >>> LongWave(0.6, 0.02, 0.001).scaled(10.0)
    LongWave(k=0.06, s=0.02, error=0.001)
    """

    k: float
    s: float
    error: float

    def __post_init__(self) -> None:
        if not (0.0 <= self.k < np.inf and 0.0 < self.s < np.inf and 0.0 <= self.error < np.inf):
            raise InputError(
                f"S(k) needs k >= 0, S > 0 and an error >= 0, not k = {self.k:g}, S = {self.s:g} +- {self.error:g}"
            )

    def scaled(self, length: float) -> LongWave:
        """Return the same with lengths multiplied by `length`."""
        return replace(self, k=self.k / length)


@dataclass(frozen=True, eq=False, repr=False)
class StructureFactor(Shown):
    r"""Structure factor :math:`S(k) = 1 + \rho \hat h(k)` at some wave numbers, with its errors.

    What is small in S(k) is the difference of large parts of g(r), whose noise hides it; sampled by itself S(k) has
    about the same relative error at every k.

    Parameters
    ----------
    k : array_like, shape (m,)
        Increasing wave numbers in the inverse unit of length; 0 for a compressibility,
        :math:`S(0) = \rho kT \kappa_T`.
    s : array_like, shape (m,)
        S(k), positive.
    error : array_like, shape (m,)
        Standard errors of S.
    units : str or UnitSystem
        Units of length of `k`.

    Raises
    ------
    InputError
        If a value is not finite, k is negative or does not increase, S is not positive, or an error is negative.

    Examples
    --------
    >>> waves = StructureFactor([0.6, 0.9], [0.02, 0.03], [0.001, 0.001], units="lj")
    >>> waves.reduced(0.5).k.tolist()
    [0.3, 0.45]
    """

    k: Array
    s: Array
    error: Array
    units: UnitSystem = field(kw_only=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "units", unit_system(self.units))
        for name in ("k", "s", "error"):
            object.__setattr__(self, name, frozen(getattr(self, name), name))
        if not (self.k.ndim == 1 and self.k.size and self.k.shape == self.s.shape == self.error.shape):
            raise InputError(
                f"S(k) needs as many values and errors as wave numbers, at least one, not {self.k.size}, "
                f"{self.s.size} and {self.error.size}"
            )
        if self.k[0] < 0.0 or np.any(np.diff(self.k) <= 0.0):
            raise InputError("the wave numbers of S(k) must be 0 or more and increase; sort them")
        if np.any(self.s <= 0.0):
            bad = int(np.argmin(self.s))
            raise InputError(
                f"S = {self.s[bad]:.3g} at k = {self.k[bad]:g}; S(k) of a fluid is positive, so leave this value out"
            )
        if np.any(self.error < 0.0):
            bad = int(np.argmin(self.error))
            raise InputError(f"the error of S at k = {self.k[bad]:g} is negative; a standard error is not")

    def __len__(self) -> int:
        return int(self.k.size)

    @property
    def smallest(self) -> LongWave:
        """S at the smallest wave number."""
        return LongWave(float(self.k[0]), float(self.s[0]), float(self.error[0]))

    def _facts(self) -> dict[str, str]:
        return {
            "k": f"{self.k[0]:.4g} to {self.k[-1]:.4g} 1/{self.units.length} in {len(self)} points",
            "S": f"{self.s[0]:.3g} at the first, its error {self.error[0]:.2g}",
        }

    def _drawing(self) -> Drawing:
        label = f"k {self.units.length}"
        return Drawing(self.k, self.s, self.error, label, "S(k)", 0.0, max(1.0, float(self.s.max())))

    def _columns(self) -> dict[str, Array | None]:
        return {"k": self.k, "s": self.s, "error": self.error}

    def to(self, units: str | UnitSystem) -> StructureFactor:
        """Return the same in other units."""
        target = unit_system(units)
        length, _ = conversion(self.units, target)
        return self if target == self.units else replace(self, k=self.k / length, units=target)

    def scaled(self, length: float) -> StructureFactor:
        """Return the same with lengths multiplied by `length`, under the name of the same units."""
        return replace(self, k=self.k / length)

    def reduced(self, length: float) -> StructureFactor:
        """Return the same with lengths in multiples of `length`."""
        return replace(self, k=self.k * length, units=unit_system("lj"))

    def rows(self) -> tuple[tuple[float, float, float], ...]:
        """Return k, S(k) and its error, one after the other."""
        return tuple(zip(self.k.tolist(), self.s.tolist(), self.error.tolist(), strict=True))
