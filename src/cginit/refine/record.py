"""What one simulation of one state showed; several states simulated with the same potentials are a round."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cginit.bonded import BondedPotential, Distribution, Potential
from cginit.configuration import Configuration
from cginit.coordinates import BondedCounts
from cginit.curves import RDF, Array, PairPotential
from cginit.errors import InputError
from cginit.interactions import Interaction, Interactions
from cginit.refine.bonded import bonded_distance
from cginit.refine.convergence import Distance, distance
from cginit.refine.inside import Inside
from cginit.sampling import PairCounts
from cginit.target import Target

__all__ = [
    "Record",
    "Round",
    "bonded_potentials",
    "distances_of",
    "is_homogeneous",
    "on_grid",
    "pair_potentials",
    "round_chi2",
    "round_lmse",
    "round_potentials",
]


@dataclass(frozen=True, eq=False)
class Record:
    """One simulation of one state and what it showed.

    Attributes
    ----------
    index : int
        Number of the round; 0 for the start potentials.
    potentials : Interactions of PairPotential or BondedPotential
        As simulated: `pairs` and `bonded` in one.
    rdfs : Interactions of RDF
        Their g(r) with errors, on the grid of the target, to the cut-off or beyond.
    distances : Interactions of Distance
        g(r) against the target up to each cut-off, and the distributions of bonds, angles and dihedrals.
    final : Configuration
        The last configuration.
    pressure, pressure_error : float
        In the units of the potentials; NaN where unknown.
    counts : Interactions of PairCounts
        Pairs of every configuration, for fluctuations and reweighting; empty where they were not kept.
    distributions : Interactions of Distribution
        Those of bonds, angles and dihedrals that have a target, on its grid.
    bonded_counts : Interactions of BondedCounts
        How many of them each configuration has in each bin.
    inside : Inside
        Of molecules, the pairs between them and those that feel pair potentials, where the g(r) count others.
    warnings : tuple of str
        What `cginit.sampling.examine` found.
    made_by : str
        What made the potentials: an update, ``part`` or ``half`` of a step, ``start``.
    held : frozenset of Interaction
        Interactions that are simulated and not refined; their g(r) do not count.
    engine : str
        Engine and version.
    seed, steps : int
        Seed of the run and the steps it took.
    seconds, engine_seconds : float
        Wall time of the simulation with its analysis, and of the engine's integration in it.
    complete : bool
        Whether the simulation had its full length; one far from the target is ended early.
    skipped : int
        Updates judged by reweighting since the simulation before: simulations that were not needed.
    remarks : tuple of str
        What was done to make it run.
    others : tuple of Configuration
        The last configurations of the other replicas.
    shapes : ndarray, shape (k, n, 3), or None
        Of molecules, places in configurations spread over the run; None where none were kept.
    relaxed : int
        Steps that had to count as equilibration because g(r) still moved; see `cginit.refine.relaxation`.
    longer : float
        Steps of sampling in multiples of those of the schedule.
    """

    index: int
    potentials: Interactions[Potential]
    rdfs: Interactions[RDF]
    distances: Interactions[Distance]
    final: Configuration
    pressure: float = float("nan")
    pressure_error: float = float("nan")
    counts: Interactions[PairCounts] = field(default_factory=lambda: Interactions({}))
    warnings: tuple[str, ...] = ()
    made_by: str = "start"
    held: frozenset[Interaction] = frozenset()
    engine: str = ""
    seed: int = 0
    steps: int = 0
    seconds: float = 0.0
    engine_seconds: float = 0.0
    complete: bool = True
    skipped: int = 0
    remarks: tuple[str, ...] = ()
    others: tuple[Configuration, ...] = ()
    shapes: NDArray[np.float32] | None = None
    relaxed: int = 0
    longer: float = 1.0
    distributions: Interactions[Distribution] = field(default_factory=lambda: Interactions({}))
    bonded_counts: Interactions[BondedCounts] = field(default_factory=lambda: Interactions({}))
    inside: Inside = field(default_factory=Inside)

    def __repr__(self) -> str:
        worst = max(self.distances.items(), key=lambda item: item[1].chi2, default=None)
        shown = "" if worst is None else f", chi^2 {worst[1].chi2:.3g} of {worst[0]}"
        return f"<Record {self.index}{shown}, {self.steps} steps in {self.seconds:.3g} s, by {self.made_by}>"

    @cached_property
    def pairs(self) -> Interactions[PairPotential]:
        """The potentials of pairs."""
        return pair_potentials(self.potentials)

    @cached_property
    def bonded(self) -> Interactions[BondedPotential]:
        """The potentials of bonds, angles and dihedrals."""
        return bonded_potentials(self.potentials)

    @property
    def potential(self) -> PairPotential:
        """The potential, where there is one interaction only."""
        return self.pairs.only()

    @property
    def rdf(self) -> RDF:
        """Its g(r), where there is one interaction only."""
        return self.rdfs.only()

    @property
    def distance(self) -> Distance:
        """The differences of all interactions as one: the worst of those that count, the mean square of all."""
        free = [one for name, one in self.distances.items() if name not in self.held]
        return Distance(
            chi2=float(np.max([one.chi2 for one in free])),
            lmse=float(np.mean([one.lmse for one in self.distances.values()])),
            integral=max(one.integral for one in free),
            largest=max(one.largest for one in free),
        )

    @property
    def homogeneous(self) -> bool:
        """Whether it was one homogeneous fluid; one that still drifts is."""
        return is_homogeneous(self.warnings)

    @property
    def is_noise(self) -> bool:
        """Whether it had its full length and differs from the target by noise only."""
        return self.complete and self.distance.is_noise

    @property
    def beads(self) -> dict[str, int]:
        """Number of beads of each type."""
        final = self.final
        return {
            name: int(np.count_nonzero(final.types == number)) for number, name in enumerate(final.species)
        }


def distances_of(
    target: Target,
    rdfs: Mapping[Interaction, RDF],
    distributions: Mapping[Interaction, Distribution],
    pairs: Mapping[Interaction, PairPotential],
    longer: float = 1.0,
) -> Interactions[Distance]:
    """Return how far all that has a target is from it: g(r) up to the cut-off of each pair, and distributions.

    `longer` is the length of the simulation in multiples of that of its schedule; see `convergence.distance`.
    """
    found = {
        name: distance(rdfs[name], curve, pairs[name].r_cut, longer) for name, curve in target.rdfs.items()
    }
    bonded = {
        name: bonded_distance(distributions[name], curve, longer)
        for name, curve in target.distributions.items()
    }
    return Interactions({**found, **bonded})


#: All states simulated once with the same potentials, in the order of their targets; of one state a tuple of one.
Round = tuple[Record, ...]


def pair_potentials(potentials: Mapping[Interaction, Potential]) -> Interactions[PairPotential]:
    """Return those of pairs."""
    return Interactions({name: one for name, one in potentials.items() if isinstance(one, PairPotential)})


def bonded_potentials(potentials: Mapping[Interaction, Potential]) -> Interactions[BondedPotential]:
    """Return those of bonds, angles and dihedrals."""
    return Interactions({name: one for name, one in potentials.items() if isinstance(one, BondedPotential)})


def round_potentials(finished: Round) -> Interactions[Potential]:
    """Return the potentials of all states of a round."""
    found: dict[Interaction, Potential] = {}
    for record in finished:
        for name, potential in record.potentials.items():
            found.setdefault(name, potential)
    return Interactions(found)


def round_lmse(finished: Round, targets: Sequence[Target]) -> float:
    """Return the mean squared difference of all states by their weights."""
    weights = np.array([one.weight for one in targets])
    return float(weights @ [record.distance.lmse for record in finished] / weights.sum())


def round_chi2(finished: Round) -> float:
    """Return the largest chi^2 per point of all interactions of all states; NaN where one has no error."""
    return float(np.max([record.distance.chi2 for record in finished]))


def is_homogeneous(warnings: Iterable[str]) -> bool:
    """Whether a run with these warnings of `cginit.sampling.examine` was one homogeneous fluid.

    Examples
    --------
    >>> is_homogeneous(("not equilibrated: the energy drifts",)), is_homogeneous(("crystal: a Bragg peak",))
    (True, False)
    """
    return not any(text.startswith(("inhomogeneous", "crystal")) for text in warnings)


def on_grid(curve: RDF, potential: PairPotential) -> Array:
    """Return the values ``(n,)`` of a curve on the grid of the potential; InputError if it lies on another."""
    full = curve.with_core()
    n = potential.r.size
    if full.r.size < n or not np.allclose(full.r[:n], potential.r, atol=1e-6 * potential.dr):
        raise InputError(
            f"g(r) (step {full.dr:g}, from {full.r[0]:g} to {full.r_max:g}) does not lie on the grid of the "
            f"potential (step {potential.dr:g}, to {potential.r_cut:g})"
        )
    return full.g[:n]
