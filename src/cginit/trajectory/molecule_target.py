"""From a trajectory to all that a refinement of molecules needs: g(r), distributions of bonds, a start."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Unpack

import numpy as np

from cginit.bonded import Distribution
from cginit.configuration import Configuration
from cginit.coordinates import StraightChain, block_distribution, joined_bins, straight_chains
from cginit.curves import RDF, Array
from cginit.errors import InputError
from cginit.growth import grown_configuration, typical_value
from cginit.interactions import Interaction, Interactions
from cginit.target import Target
from cginit.topology import Topology
from cginit.trajectory.sampled import MappedSystem, Sampled, sampled
from cginit.trajectory.source import BeadSource, TargetOptions

__all__ = ["MoleculeTargets", "molecules_from_trajectory", "molecules_of"]

#: Part of its box by which a lattice vector is off an axis that counts as along it.
ORTHORHOMBIC = 1e-5
#: Bins in which a distribution must have been seen to be one that a smooth potential makes.
FEWEST_BINS = 4
#: Pairs of the same molecule that feel a pair potential if they are more bonds apart, where g counts none of them.
LONG_CHAIN = "1-4"


@dataclass(frozen=True, eq=False)
class MoleculeTargets:
    """What a trajectory of molecules shows, beads and all.

    Attributes
    ----------
    rdfs : dict of (str, str) to RDF
        g(r) of the pairs that are not excluded.
    inside : Interactions of RDF
        Of all pairs inside molecules, in the norm of g(r): 4 pi rho_b times the integral of r^2 g is the number of
        beads b in the molecule of a bead a.
    distributions : Interactions of Distribution
        Of every type of bond, angle and dihedral.
    start : Configuration
        The last frame with the topology, the exclusions of which are those of a simulation.
    target_exclusions : str
        What the g(r) leave out.
    system : MappedSystem
        Beads, frames, density and notes.
    """

    rdfs: dict[tuple[str, str], RDF]
    inside: Interactions[RDF]
    distributions: Interactions[Distribution]
    start: Configuration
    target_exclusions: str
    system: MappedSystem

    @property
    def topology(self) -> Topology:
        """The molecules."""
        if self.start.topology is None:
            raise InputError("the start has no topology")
        return self.start.topology

    @property
    def left_out(self) -> Interactions[StraightChain]:
        """Dihedrals that a refinement does without: those of chains that straighten, nearly free ones."""
        found = straight_chains(self.distributions)
        return Interactions({name: one for name, one in found.items() if one.free})

    def target(self, kT: float) -> Target:
        """Return what a refinement is to reach at the density of the trajectory, less what is `left_out`."""
        left_out = self.left_out
        return Target(
            self.rdfs,
            self.system.density,
            kT,
            topology=self.topology,
            target_exclusions=self.target_exclusions,
            distributions=Interactions(
                {name: one for name, one in self.distributions.items() if name not in left_out}
            ),
            inside=self.inside,
        )


def molecules_from_trajectory(
    topology: str | Path, trajectory: str | Path | None = None, **options: Unpack[TargetOptions]
) -> MoleculeTargets:
    r"""Map a trajectory to beads and return g(r), the distributions of all bonded coordinates, and a start.

    All of it in the one pass of `rdfs_from_trajectory`, whose options these are. Bonds are those of the mapping file
    or those that the bonds of the topology imply; angles and dihedrals those that a mapping of VOTCA names, else all
    that the bonds make. Exclusions are by default what the mapping file says, else ``molecule``.

    Bins are as narrow as the distribution asks for: at least four in the standard deviation of a normal distribution
    as high; of bonds a tenth of `dr` at least, of angles half a degree.

    Raises
    ------
    InputError
        As `rdfs_from_trajectory`, if nothing is bonded, or if the excluded pairs cannot be said in a word.
    MissingDependencyError
        If MDAnalysis or Numba is not installed.

    Examples
    --------
    >>> decane = molecules_from_trajectory(
    ...     "production.tpr", "production.xtc", mapping="decane.yaml", dr=0.01
    ... )  # doctest: +SKIP
    >>> [str(one) for one in decane.distributions]  # doctest: +SKIP
    ['bond E-M', 'angle E-M-E']
    """
    source, counted = BeadSource.split_off(topology, trajectory, options)
    found = sampled(source, molecules=True, **counted)
    molecules = molecules_of(found)
    if molecules is None:
        raise InputError(
            f"{topology} and the mapping {found.system.mapping} know of no bonds between beads; name them in a "
            "mapping file, or take a topology that has them"
        )
    return molecules


def molecules_of(found: Sampled) -> MoleculeTargets | None:
    """Return what `molecules_from_trajectory` does of a trajectory that was counted; None if no beads are bonded.

    Raises
    ------
    InputError
        If the excluded pairs cannot be said in a word.
    """
    beads = found.counting.topology
    if beads is None or not beads.terms:
        return None
    counted = beads.exclusions
    if counted == "listed":
        raise InputError(
            "the pairs that the mapping leaves out are those of no rule; choose one: none, 1-2, 1-3, 1-4 or molecule "
            "(--exclude)"
        )
    distributions, notes = _distributions(found)
    notes += [
        f"{name} is left out of the refinement: {why}"
        for name, why in straight_chains(distributions).items()
        if why.free
    ]
    acting, more = _acting(beads, counted)
    start, also = _start(found, beads.excluding(acting), distributions)
    return MoleculeTargets(
        found.rdfs(),
        _inside(found, beads),
        distributions,
        start,
        counted,
        found.with_notes(*notes, *more, *also).system,
    )


def _distributions(found: Sampled) -> tuple[Interactions[Distribution], list[str]]:
    curves, notes = {}, []
    for one, counts in found.counts.terms.items():
        if one.coordinate == "bond":
            _check_all_counted(found, one, counts)
        x, sums = joined_bins(found.counting.terms[one].x, counts, one.coordinate)
        curves[one] = block_distribution(
            x, sums / found.system.n_frames, found.weights, one.coordinate, found.system.units
        )
        seen = int(np.count_nonzero(sums.sum(axis=0)))
        if seen < FEWEST_BINS:
            notes.append(
                f"{one} was seen in {seen} bins of {curves[one].dx:.3g} only: it is as good as rigid, and no "
                "potential with a time step of the others makes that; join its beads to one"
            )
    return Interactions(curves), notes


def _check_all_counted(found: Sampled, name: Interaction, counts: Array) -> None:
    """Refuse bonds across half the box, which no bin counts: another image of what they join is nearer."""
    every = len(found.counting.terms[name].members) * found.system.n_frames
    lost = every - round(float(counts.sum()))
    if lost > 0:
        raise InputError(
            f"{lost} of {every} lengths of {name} are above half the box ({found.wanted.reach:.3g} "
            f"{found.system.units.length}), where a bond has no length: the trajectory has its atoms in another "
            "order than the topology, or the bonds are those of other molecules; take the topology of this trajectory"
        )


def _inside(found: Sampled, beads: Topology) -> Interactions[RDF]:
    number = dict(zip(beads.species, np.bincount(beads.types, minlength=len(beads.species)), strict=True))
    curves = {}
    for one, sums in found.counts.inside.items():
        a, b = one.types
        # Each bead a has rho_b of the others around it, itself among them.
        curves[one] = found.curve(sums, float(number[a]) * float(number[b]) * (0.5 if one.like else 1.0))
    return Interactions(curves)


def _acting(beads: Topology, counted: str) -> tuple[str, list[str]]:
    """Return the rule of exclusion for a simulation, and a sentence where it differs from that of the g(r)."""
    if counted == "molecule":
        if np.array_equal(beads.excluded(LONG_CHAIN), beads.excluded("molecule")):
            return "molecule", []
        return LONG_CHAIN, [
            "g(r) leaves out all pairs of a molecule, and a simulation only those up to three bonds apart, since "
            "chains would pass through themselves: what is inside a chain is no target then, but an outcome"
        ]
    if counted == "none":
        return "1-3", [
            "g(r) counts bonded pairs, which feel no pair potential in a simulation (exclusions 1-3); choose "
            "--exclude molecule, or what acts"
        ]
    return counted, []


def _start(
    found: Sampled, beads: Topology, distributions: Interactions[Distribution]
) -> tuple[Configuration, list[str]]:
    """Return the last frame; molecules grown anew in a cube where its box is skewed."""
    if found.last is None:
        raise InputError("the molecules of the last frame were not kept")
    positions, vectors = found.last
    edges = np.diagonal(vectors)
    if np.all(np.abs(vectors - np.diag(edges)) <= ORTHORHOMBIC * edges.max()):
        return Configuration(positions, edges, units=found.system.units, topology=beads), []
    shape = distributions.map(typical_value)
    grown = grown_configuration(beads, found.system.density, seed=1, units=found.system.units, shape=shape)
    return grown, [
        "the box is skewed, and simulations here are in orthorhombic ones: the start is molecules at random in a cube"
    ]
