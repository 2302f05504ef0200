"""Random pair potentials of the kinds that coarse-grained beads have: the second family of training data."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import numpy as np

from cginit.campaign.potentials import TABLE_INTERVALS, capped, uniforms
from cginit.curves import Array, PairPotential

__all__ = [
    "BOUNDED",
    "KINDS",
    "BeadPotential",
    "Kinds",
    "Uniform",
    "bead_density",
    "bead_potential",
    "bump",
    "drawn",
    "drawn_volume",
    "effective_volume",
    "outside",
]

#: Gives the next number in [0, 1) of a stream.
Uniform = Callable[[], float]
#: Names of kinds with their shares, and what gives U ``(n,)`` in kT on r ``(n,)`` in sigma.
Kinds = Mapping[str, tuple[float, Callable[[Array, Uniform], Array]]]
#: Parts of the random stream: an integer gives independent numbers for the potential and for its densities.
_POTENTIAL, _DENSITY = 98, 100
#: Nearest distance at which a power law is evaluated; far inside any core.
_NEAREST = 0.2
#: Cut-offs in sigma.
SHORTEST, LONGEST = 2.0, 5.0
#: Numbers that any kind draws at most.
_NUMBERS = 40
#: In kT.
_NOTHING = 2e-3
#: The last fifth of the range brings U and the force to zero.
_SWITCH = 0.8


@dataclass(frozen=True, eq=False)
class BeadPotential:
    """One random potential of family b or c.

    Attributes
    ----------
    seed : int
        The integer that names it.
    kind : str
        Its name among the kinds of its family.
    potential : PairPotential
        U in kT over r in sigma, 201 points on [0, r_cut]; U and the force vanish at r_cut.
    """

    seed: int
    kind: str
    potential: PairPotential


def bead_potential(
    seed: int, kinds: Collection[str] | None = None, longest: float = LONGEST
) -> BeadPotential:
    """Return the random potential of family b named by `seed`; see `KINDS`.

    The cut-off is uniform in [2, 5] sigma, where sigma is about the diameter of a bead that has a core, or
    nearer, where U ends earlier. A smooth switch over the last fifth of the range brings energy and force to
    zero.

    Parameters
    ----------
    seed : int
        The integer.
    kinds : collection of str, optional
        Keys of `KINDS` among which is drawn; by default all.
    longest : float
        Largest cut-off, in sigma.

    Raises
    ------
    InputError
        If `seed` is negative.

    Examples
    --------
    >>> made = bead_potential(3)
    >>> made.kind in KINDS, float(made.potential.u[-1])
    (True, 0.0)
    """
    among = {name: one for name, one in KINDS.items() if kinds is None or name in kinds}
    return drawn(seed, uniforms(seed, _POTENTIAL), among, longest)


def drawn(seed: int, uniform: Uniform, kinds: Kinds, longest: float) -> BeadPotential:
    """Return the potential that a stream of uniform numbers makes of some kinds with their shares.

    Parameters
    ----------
    seed : int
        The integer that names it.
    uniform : callable
        Gives the next number in [0, 1).
    kinds : dict of str to (float, callable)
        Names with their shares, and what gives U ``(n,)`` in kT on r ``(n,)`` in sigma.
    longest : float
        Largest cut-off, in sigma.
    """
    at = uniform() * sum(share for share, _ in kinds.values())
    kind = next(iter(kinds))
    for name, (share, _) in kinds.items():
        kind = name
        at -= share
        if at < 0.0:
            break
    r_cut = SHORTEST + (longest - SHORTEST) * uniform()
    # A range in which U is nothing would only cost time: the same numbers again, on a grid that ends with U.
    again = [uniform() for _ in range(_NUMBERS)]
    u = kinds[kind][1](np.linspace(0.0, r_cut, TABLE_INTERVALS + 1), _replay(again))
    last = np.flatnonzero(np.abs(u) > _NOTHING)[-1]
    r_cut *= min(1.0, (last + 1) / TABLE_INTERVALS / _SWITCH)
    r = np.linspace(0.0, r_cut, TABLE_INTERVALS + 1)
    u = capped(r, kinds[kind][1](r, _replay(again)))
    # 1 up to the switch, then the quintic whose first two derivatives vanish at both ends.
    x = np.clip((r / r_cut - _SWITCH) / (1.0 - _SWITCH), 0.0, 1.0)
    u = u * (1.0 - x**3 * (10.0 - 15.0 * x + 6.0 * x**2))
    u[-1] = 0.0
    return BeadPotential(seed, kind, PairPotential(r, u, units="lj"))  # type: ignore[arg-type]


def bead_density(made: BeadPotential, index: int) -> float:
    """Return the density, in sigma^-3, of state point `index` of a potential.

    Drawn in units of a diameter d between two: where U first falls to 2 kT, and that of the hard sphere
    with the second virial coefficient of the whole repulsion, barriers included. A core is filled up to
    rho d^3 = 0.95, where hard spheres freeze, with more weight on dense fluids; bounded potentials,
    whose beads overlap, up to 3.
    """
    uniform = uniforms(made.seed, _DENSITY, index)
    volume = drawn_volume(made.potential, uniform)
    highest = 3.0 if made.potential.u[0] < 1e3 else 0.95
    packing = 0.05 + (highest - 0.05) * uniform() ** 0.6
    # Very thin gases teach nothing, and a box of 10 sigma should not hold more than some 1600 beads.
    return float(np.clip(packing / volume, 0.03, 1.5))


def drawn_volume(potential: PairPotential, uniform: Uniform) -> float:
    """Return the cube of a diameter between those of `effective_volume`; of the second where there is no core."""
    core, whole = effective_volume(potential)
    return whole * (min(core, whole) / whole) ** uniform() if core > 0.1 else whole


def effective_volume(potential: PairPotential) -> tuple[float, float]:
    """Return the cubes of two diameters of a bead: where U first falls to 2 kT, and that of the whole repulsion.

    The second is the hard sphere with the second virial coefficient of the repulsion, barriers included.
    """
    r, u = potential.r, potential.u
    whole = 3.0 * float(np.trapezoid(-np.expm1(-np.maximum(u, 0.0)) * r**2, r))
    return float(r[np.flatnonzero(u < 2.0)[0]]) ** 3, whole


def _replay(numbers: list[float]) -> Uniform:
    return iter(numbers).__next__


def _geometric(low: float, high: float, uniform: Uniform) -> float:
    """Return a number whose logarithm is uniform."""
    return low * float((high / low) ** uniform())


def bump(r: Array, centre: float, width: float) -> Array:
    """Return a Gaussian ``(n,)`` of height 1 on distances ``(n,)``."""
    return np.asarray(np.exp(-(((r - centre) / width) ** 2)), dtype=np.float64)


def _power(r: Array, uniform: Uniform, low: float = 6.0, high: float = 24.0) -> Array:
    """Return r^-n, 1 kT at r = sigma."""
    return np.asarray(outside(r) ** -(low + (high - low) * uniform()), dtype=np.float64)


def outside(r: Array) -> Array:
    """Return the distances ``(n,)`` at which a diverging potential is evaluated."""
    return np.maximum(r, _NEAREST)


def _features(r: Array, uniform: Uniform, most: int, nearest: float = 1.0) -> Array:
    """Return one to `most` smooth wells, shoulders or barriers; wells are the shallower ones, to stay a fluid."""
    u = np.zeros(r.size)
    for _ in range(1 + int(most * uniform())):
        centre, width = nearest + 1.8 * uniform(), _geometric(0.08, 0.5, uniform)
        if uniform() < 0.55:
            u += _geometric(0.2, 3.0, uniform) * bump(r, centre, width)
        else:
            u -= _geometric(0.1, 1.5, uniform) * bump(r, centre, width)
    return u


def _mie(r: Array, uniform: Uniform) -> Array:
    """Return Mie (n, 6), n from 8 to 24, at reduced temperatures 0.75 to 3."""
    n, r = 8.0 + 16.0 * uniform(), outside(r)
    scale = n / (n - 6.0) * (n / 6.0) ** (6.0 / (n - 6.0))
    return np.asarray(scale / (0.75 + 2.25 * uniform()) * (r**-n - r**-6.0), dtype=np.float64)


def _structured(r: Array, uniform: Uniform) -> Array:
    """Return a core with random features."""
    return _power(r, uniform) + _features(r, uniform, 4)


def _two_wells(r: Array, uniform: Uniform) -> Array:
    """Return two wells and a barrier between them, as one-bead water has."""
    u = _power(r, uniform, 10.0, 24.0)
    u += (-1.2 + 1.6 * uniform()) * bump(r, 1.02 + 0.12 * uniform(), 0.08 + 0.07 * uniform())
    u += (0.3 + 2.2 * uniform()) * bump(r, 1.2 + 0.3 * uniform(), 0.1 + 0.15 * uniform())
    u -= 0.8 * uniform() * bump(r, 1.55 + 0.35 * uniform(), 0.12 + 0.15 * uniform())
    return u + (0.3 * uniform()) * bump(r, 2.0 + 0.4 * uniform(), 0.15 + 0.2 * uniform())


def _sticky(r: Array, uniform: Uniform) -> Array:
    """Return a short-ranged attraction, as between colloids with a depletant."""
    width = _geometric(0.08, 0.25, uniform)
    depth = _geometric(0.4, 3.0, uniform)
    return _power(r, uniform, 16.0, 24.0) - depth * bump(r, 1.0 + width, width)


def _screened(r: Array, uniform: Uniform) -> Array:
    """Return a screened Coulomb repulsion on a core, every second one with a short-ranged attraction."""
    amplitude, decay = _geometric(0.5, 20.0, uniform), _geometric(0.5, 4.0, uniform)
    u = _power(r, uniform, 10.0, 24.0) + amplitude * np.exp(-decay * (r - 1.0)) / outside(r)
    depth, width = _geometric(0.3, 2.5, uniform), _geometric(0.1, 0.25, uniform)
    return np.asarray(u - (uniform() < 0.5) * depth * bump(r, 1.0 + width, width), dtype=np.float64)


def _exponential(r: Array, uniform: Uniform) -> Array:
    """Return a Born-Mayer core, softer than a power law near contact, with random features."""
    u = _geometric(0.5, 2.0, uniform) * np.exp(-(3.0 + 9.0 * uniform()) * (r - 1.0))
    return np.asarray(u + (uniform() < 0.7) * _features(r, uniform, 3), dtype=np.float64)


def _gaussian(r: Array, uniform: Uniform) -> Array:
    """Return the Gaussian core of polymer coils."""
    return _geometric(0.5, 10.0, uniform) * bump(r, 0.0, 1.0 + uniform()) + _maybe(r, uniform)


def _hertzian(r: Array, uniform: Uniform) -> Array:
    """Return elastic spheres, A (1 - r/R)^(5/2)."""
    size = 1.2 + 1.8 * uniform()
    u = _geometric(2.0, 100.0, uniform) * np.maximum(0.0, 1.0 - r / size) ** 2.5
    return np.asarray(u + _maybe(r, uniform), dtype=np.float64)


def _dpd(r: Array, uniform: Uniform) -> Array:
    """Return the conservative part of dissipative particle dynamics, a/2 (1 - r/R)^2."""
    size = 1.2 + 1.3 * uniform()
    u = 0.5 * _geometric(5.0, 60.0, uniform) * np.maximum(0.0, 1.0 - r / size) ** 2
    return np.asarray(u + _maybe(r, uniform), dtype=np.float64)


def _star(r: Array, uniform: Uniform) -> Array:
    """Return star polymers of 2 to 64 arms.

    Source: Likos et al., Phys. Rev. Lett. 80, 4450 (1998), doi:10.1103/PhysRevLett.80.4450.
    """
    arms, size = _geometric(2.0, 64.0, uniform), 1.0 + 0.5 * uniform()
    decay, x = np.sqrt(arms) / 2.0, outside(r) / size
    farther = np.exp(-decay * (x - 1.0)) / (x * (1.0 + decay))
    inside = -np.log(np.minimum(x, 1.0)) + 1.0 / (1.0 + decay)
    return np.asarray(5.0 / 18.0 * arms**1.5 * np.where(x < 1.0, inside, farther), dtype=np.float64)


def _maybe(r: Array, uniform: Uniform) -> Array:
    """Return features for every second bounded potential, weak ones, since soft beads cluster easily."""
    return (uniform() < 0.5) * 0.5 * _features(r, uniform, 2, nearest=0.5)


#: Kinds with their shares: cores with structure and liquids first, since these are what people coarse-grain.
KINDS: dict[str, tuple[float, Callable[[Array, Uniform], Array]]] = {
    "mie": (0.15, _mie),
    "structured": (0.22, _structured),
    "two wells": (0.18, _two_wells),
    "sticky": (0.08, _sticky),
    "screened": (0.09, _screened),
    "exponential": (0.08, _exponential),
    "gaussian": (0.06, _gaussian),
    "hertzian": (0.04, _hertzian),
    "dpd": (0.05, _dpd),
    "star": (0.05, _star),
}
#: Those of beads that may overlap.
BOUNDED = ("gaussian", "hertzian", "dpd", "star")
