"""What figures and pages show of a refinement: each distribution beside its target, each potential in kT."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cginit.bonded import BondedPotential, Distribution, Potential
from cginit.curves import RDF, Array
from cginit.interactions import Interaction
from cginit.refine.bonded import bonded_variance
from cginit.refine.convergence import combined_variance
from cginit.refine.record import Record
from cginit.target import Target
from cginit.units import UnitSystem

__all__ = ["SIGMAS", "Comparison", "EnergyCurve", "coordinate_label", "distribution_label", "energy_curve"]

#: Bands reach so many standard errors to either side.
SIGMAS = 2.0
#: Part of its largest value from which on a distribution is seen, and what is left beside it, as part of its width.
VISIBLE, MARGIN = 2e-3, 0.15
#: Highest energy that is shown, in kT, the least that is, and what it may be in depths of a well from some depth on.
HIGHEST, LEAST, DEPTHS, SHALLOW = 6.0, 2.0, 5.0, 0.1
#: Of bonds, angles and dihedrals, whose minimum is 0.
HIGHEST_BONDED = 10.0


@dataclass(frozen=True, eq=False)
class Comparison:
    """One distribution of one simulation beside its target, on one grid; angles in degrees.

    Attributes
    ----------
    x : ndarray, shape (n,)
        Distance, length of a bond or angle.
    got, wanted : ndarray, shape (n,)
        g(r) or probability density, of the simulation and of the target.
    got_error, wanted_error : ndarray, shape (n,), or None
        Their standard errors.
    noise : ndarray, shape (n,)
        Standard error of their difference, as chi^2 takes it; 0 where it is unknown.
    """

    x: Array
    got: Array
    wanted: Array
    got_error: Array | None
    wanted_error: Array | None
    noise: Array

    @classmethod
    def of(cls, name: Interaction, record: Record, target: Target) -> Comparison | None:
        """Compare what a simulation shows of an interaction with its target; None where it has none there."""
        if name in target.rdfs and name in record.rdfs:
            return cls.of_pair(record.rdfs[name], target.rdfs[name], record.longer)
        if name in target.distributions and name in record.distributions:
            return cls.of_bonded(record.distributions[name], target.distributions[name], record.longer)
        return None

    @classmethod
    def of_pair(cls, sampled: RDF, target: RDF, longer: float = 1.0) -> Comparison:
        """Compare two g(r), as far as both reach."""
        got, wanted = sampled.with_core(), target.with_core()
        n = int(np.searchsorted(wanted.r, min(got.r_max, wanted.r_max) + 0.5 * wanted.dr))
        r = wanted.r[:n]
        if got.r.size < n or not np.allclose(got.r[:n], r, atol=1e-3 * wanted.dr):
            # Folders of the format before may hold other grids.
            error = None if got.error is None else np.interp(r, got.r, got.error)
            got = RDF(r, np.interp(r, got.r, got.g), error, units=got.units)
        return cls(
            r,
            got.g[:n],
            wanted.g[:n],
            None if got.error is None else got.error[:n],
            None if wanted.error is None else wanted.error[:n],
            np.sqrt(combined_variance(got, wanted, n, longer)),
        )

    @classmethod
    def of_bonded(cls, sampled: Distribution, target: Distribution, longer: float = 1.0) -> Comparison:
        """Compare two distributions of a bond, an angle or a dihedral."""
        turn = _degrees(target.coordinate)

        def density(values: Array) -> Array:
            return np.asarray(values / turn, dtype=np.float64)

        return cls(
            target.x * turn,
            density(sampled.p),
            density(target.p),
            None if sampled.error is None else density(sampled.error),
            None if target.error is None else density(target.error),
            density(np.sqrt(bonded_variance(sampled, target, longer))),
        )

    @property
    def shown(self) -> tuple[float, float]:
        """Between which values of x something is to be seen; a grid of bond lengths may be many times as long."""
        seen = np.flatnonzero(np.maximum(self.got, self.wanted) > VISIBLE * float(self.wanted.max()))
        if not seen.size:
            return float(self.x[0]), float(self.x[-1])
        low, high = float(self.x[seen[0]]), float(self.x[seen[-1]])
        margin = MARGIN * max(high - low, float(self.x[1] - self.x[0]))
        return max(low - margin, float(self.x[0])), min(high + margin, float(self.x[-1]))

    @property
    def difference(self) -> Array:
        """The simulation less the target, shape (n,)."""
        return np.asarray(self.got - self.wanted, dtype=np.float64)

    @property
    def band(self) -> Array:
        """Half the height of the band within which a difference is noise, shape (n,)."""
        return SIGMAS * self.noise


@dataclass(frozen=True, eq=False)
class EnergyCurve:
    """One potential as it is drawn: in kT, angles in degrees.

    Attributes
    ----------
    x, u : ndarray, shape (n,)
        The curve.
    error : ndarray, shape (n,), or None
        Standard error of u.
    core : float
        Below it a pair potential is extrapolated, not inferred.
    lowest, highest : float
        Energies between which it is shown: the wells; the core would squeeze them to a line.
    """

    x: Array
    u: Array
    error: Array | None
    core: float
    lowest: float
    highest: float


def energy_curve(potential: Potential, kT: float) -> EnergyCurve:
    """Return a potential in multiples of `kT`, with the energies between which it is worth to be seen."""
    error = None if potential.u_error is None else np.asarray(potential.u_error / kT, dtype=np.float64)
    u = np.asarray(potential.u / kT, dtype=np.float64)
    if isinstance(potential, BondedPotential):
        highest = min(HIGHEST_BONDED, max(LEAST, 1.1 * float(u.max())))
        # In the bins beyond, seen once or never, an error of many kT stands beside one of none.
        error = None if error is None else np.where(u > highest, 0.0, error)
        return EnergyCurve(
            potential.x * _degrees(potential.coordinate), u, error, 0.0, -0.04 * highest, highest
        )
    outside = u[potential.r >= potential.r_core]
    depth = -float(outside.min())
    lowest = min(-0.5, -1.2 * depth)
    highest = min(HIGHEST, max(LEAST, 1.1 * float(outside.max())))
    if depth > SHALLOW:
        highest = min(highest, -DEPTHS * lowest)
    return EnergyCurve(potential.r, u, error, potential.r_core, lowest, highest)


def coordinate_label(name: Interaction, units: UnitSystem) -> str:
    """Return what the axis of the coordinate says.

    Examples
    --------
    >>> from cginit.units import NM_KJ
    >>> coordinate_label(Interaction.of("A-A"), NM_KJ), coordinate_label(Interaction.of("angle A-A-A"), NM_KJ)
    ('r / nm', 'angle / degrees')
    """
    if name.is_pair:
        return f"r / {units.length}"
    return f"length / {units.length}" if name.coordinate == "bond" else f"{name.coordinate} / degrees"


def distribution_label(name: Interaction, units: UnitSystem) -> str:
    """Return what the axis of the distribution says."""
    if name.is_pair:
        return "g(r)"
    return f"density / {units.length}^-1" if name.coordinate == "bond" else "density / degree^-1"


def _degrees(coordinate: str) -> float:
    """Return the size of a radian in what is shown; 1 of a length."""
    return 1.0 if coordinate == "bond" else 180.0 / float(np.pi)
