"""Whether a density can be that of a g(r): both are of one liquid, and each bounds the other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cginit.curves import RDF
from cginit.liquid.ornstein_zernike import estimate_noise
from cginit.liquid.tail import main_peak
from cginit.state import excluded_diameter
from cginit.units import UnitSystem

__all__ = ["question_density"]

#: A gas: the cores fill less than this of space, and a bead has fewer neighbours than this in its first shell ...
GAS_PACKING, GAS_NEIGHBOURS = 0.025, 0.6
#: ... while g has the shells of a liquid: a minimum below, then a maximum above these and by so much lower than the
#: first, which a gas, with g = exp(-U/kT), only has if U has them. Of 523 bead potentials of the data set none is
#: asked about.
MINIMUM, MAXIMUM, LOWER = 0.97, 1.005, 0.1
#: S(k) is not negative. With a positive window the least of the 1562 state points of the data set is 0.08; it is
#: asked about below this and by so many of its errors. A density that is too high by 2 is so in 72 % of them.
LEAST_ORDER, ORDER_ERRORS = -0.05, 4.0
#: Shells of packed beads (a main peak above, a minimum below, a second peak above these, an empty core) make S(k)
#: fall below this somewhere, if g shows three peak distances: in all but 2 of the 725 such state points of the data
#: set, and all but 12 of them where g is cut at three peak distances. A density that is too low by 2 leaves it above
#: in 86 % of them, one that is too low by 3 in all.
PACKED_PEAK, PACKED_MINIMUM, PACKED_SECOND, EMPTY_CORE, LEAST_SHELLS = 1.5, 0.85, 1.1, 0.05, 3.0
DISORDER = 0.55
#: Waves up to this over the peak distance; the first peak of S(k) is at some 7.
LARGEST_WAVE, WAVES = 16.0, 320


@dataclass(frozen=True)
class _Shells:
    """What g shows of the neighbours of a bead."""

    r: float
    peak: float
    minimum: float
    second: float
    neighbours: float


def question_density(target: RDF, density: float, *, loose: bool = True) -> str | None:
    r"""Return a question on a density that does not fit g(r), or None.

    The structure factor :math:`S(k) = 1 + \rho \hat h(k)` is the mean square of a sum over beads, and not negative:
    :math:`\rho \le -1/\min_k \hat h(k)`. Multiplied by the overlap of two spheres,
    :math:`h(r)\,(1 - \frac{3r}{2R} + \frac{r^3}{2R^3})`, whose transform is positive, h may end at R, and the bound
    holds still. Below :math:`k = 9/R`, the first zero of that transform, an error in the level of g counts, and
    only above is the bound looked at. Beads that are packed have a small S somewhere: a density that leaves it near
    1 is too low.

    Parameters
    ----------
    target : RDF
    density : float
        Of all beads that g counts, in the units of g.
    loose : bool
        Whether g counts all pairs. Without those of one molecule :math:`1 + \rho \hat h` may be negative.

    References
    ----------
    J.-P. Hansen and I. R. McDonald, Theory of Simple Liquids, 4th ed., section 3.6.

    Examples
    --------
    >>> r = np.arange(1, 251) * 0.02
    >>> g = np.where(r < 1, 0, 1 + np.cos(6.6 * (r - 1.08)) * np.exp(1.1 - r))
    >>> target = RDF(r, np.maximum(g, 0), units="lj")
    >>> question_density(target, 0.4), question_density(target, 1.6)[:49]
    (None, 'No liquid of a density of 1.6 sigma^-3 has this g')
    """
    whole = target.with_core()
    place = main_peak(whole.r, whole.g)
    if not place:
        return None
    shells = _shells(whole, place, density)
    few = None if shells is None else _liquid_of_a_gas(whole, shells, density)
    if few or not loose:
        return few
    return _of_order(whole, shells, place, density)


def _of_order(whole: RDF, shells: _Shells | None, place: float, density: float) -> str | None:
    """Question a density at which S(k) would be negative, or as that of a gas beside shells of packed beads."""
    end, unit = whole.r_max + 0.5 * whole.dr, whole.units.density
    k = np.linspace(0.02, LARGEST_WAVE, WAVES) / place
    x = whole.r / end
    weight = 4.0 * np.pi * whole.dr * whole.r**2 * (1.0 - 1.5 * x + 0.5 * x**3)
    waves = np.sinc(np.outer(k, whole.r) / np.pi) * weight
    h = waves @ (whole.g - 1.0)
    error = estimate_noise(whole.r, whole.g) if whole.error is None else whole.error
    noise = density * np.sqrt(waves**2 @ error**2)
    order = 1.0 + density * h
    beyond = k >= 9.0 / end
    if np.any(beyond & (order < LEAST_ORDER - ORDER_ERRORS * noise)):
        return (
            f"No liquid of a density of {density:.4g} {unit} has this g(r): its S(k) would be "
            f"{order[beyond].min():.2g} at its lowest, and is never negative. The density is at most "
            f"{-1.0 / h[beyond].min():.3g} {unit}. Is it that of the beads which g(r) counts, in the box in which it "
            "was counted, or does g(r) leave out pairs, as those inside molecules?"
        )
    packed = (
        shells is not None
        and shells.peak > PACKED_PEAK
        and shells.minimum < PACKED_MINIMUM
        and shells.second > PACKED_SECOND
        and whole.g[whole.r < 0.5 * place].max(initial=0.0) < EMPTY_CORE
        and end >= LEAST_SHELLS * place
    )
    least = float(order.min())
    if not packed or least <= DISORDER:
        return None
    return (
        f"g(r) has the shells of packed beads, but at a density of {density:.4g} {unit} its S(k) falls to "
        f"{least:.2g} only, where that of packed beads is near 0. Is the density too low: that of molecules, of one "
        "kind of beads, or of another box?"
    )


def _shells(whole: RDF, place: float, density: float) -> _Shells | None:
    """Return the heights of g at its main peak, the minimum behind it and the second peak; None without any."""
    near = np.flatnonzero((whole.r > place) & (whole.r <= 2.0 * place))
    if not near.size:
        return None
    first = int(near[np.argmin(whole.g[near])])
    beyond = whole.g[(whole.r > whole.r[first]) & (whole.r <= 2.8 * place)]
    if not beyond.size:
        return None
    inside = slice(0, first + 1)
    count = 4.0 * np.pi * density * whole.dr * float(np.sum(whole.r[inside] ** 2 * whole.g[inside]))
    height = float(whole.g[np.argmin(np.abs(whole.r - place))])
    return _Shells(place, height, float(whole.g[first]), float(beyond.max()), count)


def _liquid_of_a_gas(whole: RDF, shells: _Shells, density: float) -> str | None:
    """Question the density of a gas that comes with the g(r) of a liquid."""
    core = excluded_diameter(whole)
    packing = np.pi / 6.0 * density * core**3
    if packing >= GAS_PACKING or core < 0.5 * shells.r or shells.neighbours >= GAS_NEIGHBOURS:
        return None
    if not (shells.minimum < MINIMUM and MAXIMUM < shells.second < shells.peak - LOWER):
        return None
    return (
        f"g(r) has the shells of a liquid, but at a density of {density:.4g} {whole.units.density} a bead has "
        f"{shells.neighbours:.2g} neighbours in its first shell and the beads fill {packing:.2g} of space, as in a "
        f"gas. {_slip(whole.units)}"
    )


def _slip(units: UnitSystem) -> str:
    """Return what a density that is too low may be."""
    if units.length_nm is None:
        return "Are r and the density in the same reduced units?"
    return (
        "Is the density a mass density (g/cm^3: give it with --mass-density and --molar-mass), a reduced one, or one "
        "per another volume?"
    )
