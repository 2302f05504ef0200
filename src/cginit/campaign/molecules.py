"""Random molecules of bead-like potentials, one integer a molecule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np

from cginit.bonded import BondedPotential, Potential
from cginit.campaign.beads import BOUNDED, KINDS, bead_potential, effective_volume
from cginit.campaign.families import NamedTask, split_of
from cginit.campaign.potentials import uniforms
from cginit.curves import PairPotential
from cginit.errors import InputError
from cginit.interactions import Interaction, Interactions, all_pairs
from cginit.topology import Topology

__all__ = [
    "FAMILY",
    "LARGEST",
    "PAIRS",
    "SPECIES",
    "Bonded",
    "Molecule",
    "MoleculeTask",
    "liquid_topology",
    "molecule_plan",
    "molecule_topology",
    "random_molecule",
]

#: The family of molecules, and their state points: more of the test molecules, to see one at two densities.
FAMILY, TEST_STATES, TRAIN_STATES = "m", 2, 1
#: Names of bead types; pairs that three types have; beads of the largest molecule.
SPECIES, PAIRS, LARGEST = ("A", "B", "C"), 6, 10
#: Shares of molecules by their number of beads.
SIZES = {2: 0.18, 3: 0.18, 4: 0.14, 5: 0.10, 6: 0.10, 7: 0.08, 8: 0.08, 9: 0.07, 10: 0.07}
#: Shares of branched molecules and rings (the rest is linear), and of those whose beads may overlap.
BRANCHED, RING, SOFT = 0.3, 0.1, 0.15
#: Shares of molecules with several bead types, of those with three, with angles, with dihedrals where these can be,
#: and in a solvent.
SEVERAL, THREE, ANGLES, DIHEDRALS, SOLVENT = 0.6, 0.35, 0.5, 0.3, 0.15
#: No bead type makes up less of a molecule than this; its g would be noise.
RAREST = 0.2
#: Part of the energies of family b that remains: connected beads condense at higher temperatures than loose ones.
ENERGY = (0.35, 0.9)
#: Largest cut-off in diameters.
LONGEST = 3.0
#: Part of the diameter of beads that overlap which counts as their core.
SOFT_PART = 0.6
#: Bond lengths in diameters of the core, and stiffness in kT per bond length squared.
BOND, BOND_STIFFNESS = (0.6, 1.1), (80.0, 300.0)
#: Angles in rad and their stiffness in kT; three bonds at one bead leave 120 degrees to each other.
ANGLE, ANGLE_STIFFNESS, BRANCH_ANGLE = (1.7, 2.9), (4.0, 50.0), 2.1
#: A longer molecule that is stiffer would not fit the box.
FLEXIBLE_FROM, FLEXIBLE = 7, 12.0
#: A dihedral is defined where its angles keep away from pi.
TORSION, TORSION_ANGLE, TORSION_STIFFNESS = (0.5, 2.5), 2.3, 10.0
#: Packing, beads times their volume: of cores, where beads freeze at 0.95, and of beads that overlap.
PACKING, SOFT_PACKING = (0.4, 0.9), (0.5, 2.5)
#: Densities of beads in sigma^-3, whatever the packing.
THINNEST, DENSEST = 0.1, 1.8
EXCLUSIONS = {"1-2": 0.2, "1-3": 0.45, "1-4": 0.2, "molecule": 0.15}
#: The integers of the pair potentials are far from those of the campaign of family b and of cheap pairs.
_FIRST_POTENTIAL = 2_000_000
_SHAPE, _ENERGIES, _DENSITY = 1, 2, 3
_KIND = ord(FAMILY)

Uniform = Callable[[], float]
T = TypeVar("T")


@dataclass(frozen=True)
class Bonded:
    """The bonded potentials of a molecule, in sigma, kT and rad.

    Attributes
    ----------
    lengths, stiffness : tuple of float
        Of U = k/2 (b - b_0)^2, for each pair of bead types in the order A-A, A-B, ..., B-B, ...; bonded or not.
    angle, angle_stiffness : float
        Of all angles; a stiffness of 0 stands for none.
    torsion : float
        Height h of U = h/2 [(1 + cos phi) + (1 + cos 3 phi)] of all dihedrals; 0 for none.
    """

    lengths: tuple[float, ...]
    stiffness: tuple[float, ...]
    angle: float = 0.0
    angle_stiffness: float = 0.0
    torsion: float = 0.0

    def potentials(self, topology: Topology) -> Interactions[BondedPotential]:
        """Return the potential of each bonded term of a topology."""
        rows = {name: row for row, name in enumerate(all_pairs(topology.species))}
        found: dict[Interaction, BondedPotential] = {}
        for name in topology.terms:
            if name.coordinate == "bond":
                row = rows[Interaction("pair", name.beads)]
                x0, k = self.lengths[row], self.stiffness[row]
                x = x0 * np.linspace(0.1, 2.2, 211)
                u = 0.5 * k * (x - x0) ** 2
            elif name.coordinate == "angle":
                x = np.linspace(0.0, np.pi, 91)
                u = 0.5 * self.angle_stiffness * (x - self.angle) ** 2
            else:
                x = np.linspace(-np.pi, np.pi, 72, endpoint=False)
                u = 0.5 * self.torsion * (2.0 + np.cos(x) + np.cos(3.0 * x))
            found[name] = BondedPotential.shifted(x, u, coordinate=name.coordinate, units="lj")
        return Interactions(found)


@dataclass(frozen=True, eq=False)
class Molecule:
    """One random molecule with its potentials, maybe in a solvent of single beads.

    Attributes
    ----------
    seed : int
        The integer that names it.
    topology : Topology
        Of a single molecule; a solvent is the last of its species.
    solvent : float
        Part of all beads that are solvent; 0 for none.
    pairs : Interactions of PairPotential
        In kT over r in sigma, 201 points on [0, r_cut] each.
    bonded : Bonded
        What holds it together.
    soft : bool
        Whether its beads may overlap.
    """

    seed: int
    topology: Topology
    solvent: float
    pairs: Interactions[PairPotential]
    bonded: Bonded
    soft: bool

    @property
    def potentials(self) -> Interactions[Potential]:
        """All potentials."""
        found: dict[Interaction, Potential] = dict(self.pairs)
        return Interactions({**found, **self.bonded.potentials(self.topology)})

    def density(self, index: int) -> float:
        """Return the density of beads, in sigma^-3, of state point `index`.

        Drawn in units of the volume of a bead, which is between that of its core and that of its whole repulsion,
        less what bonded beads share.
        """
        uniform = uniforms(self.seed, _KIND, _DENSITY, index)
        between = 0.5 + 0.5 * uniform()
        volumes = {}
        for name, potential in self.pairs.items():
            core, whole = effective_volume(potential)
            volumes[name] = whole if self.soft else whole * (min(core, whole) / whole) ** between
        species = self.topology.species
        names = list(all_pairs(species))
        like = [volumes[Interaction("pair", (name, name))] for name in species]
        volume = sum(like[kind] for kind in self.topology.types.tolist())
        for i, j in self.topology.bonds.tolist():
            name = Interaction("pair", (species[self.topology.types[i]], species[self.topology.types[j]]))
            x = min(1.0, self.bonded.lengths[names.index(name)] / volumes[name] ** (1.0 / 3.0))
            # The lens that two spheres at the distance x of their diameter share.
            volume -= volumes[name] * (1.0 - 1.5 * x + 0.5 * x**3)
        bead = (1.0 - self.solvent) * volume / self.topology.n + self.solvent * like[-1]
        low, high = SOFT_PACKING if self.soft else PACKING
        packing = low + (high - low) * uniform() ** 0.7
        return float(np.clip(packing / bead, THINNEST, DENSEST))


def random_molecule(seed: int) -> Molecule:
    """Return the random molecule named by `seed`.

    2 to 10 beads of one to three types in a chain, a tree with at most three bonds a bead, or a ring; pair potentials
    of family b (`cginit.campaign.beads`), one of each pair of types, with diameters of 0.8 to 1.2 sigma and energies
    of 0.35 to 0.9 of theirs; harmonic bonds of 0.6 to 1.1 diameters, which let beads merge as those of mapped
    molecules do; half of the molecules have angles, some dihedrals, some are in a solvent.

    Raises
    ------
    InputError
        If `seed` is negative.

    Examples
    --------
    >>> made = random_molecule(3)
    >>> 2 <= made.topology.n <= 10, made.topology.n_molecules
    (True, 1)
    """
    uniform = uniforms(seed, _KIND, _SHAPE)
    size = _drawn(SIZES, uniform())
    shape = _drawn({"branched": BRANCHED, "ring": RING, "linear": 1.0 - BRANCHED - RING}, uniform())
    kinds = 1 + (uniform() < SEVERAL) * (1 + (uniform() < THREE))
    types = _types(size, min(kinds, size), uniform)
    solvent = 0.3 + 0.4 * uniform() if uniform() < SOLVENT and max(types) < 2 else 0.0
    species = SPECIES[: max(types) + 1 + (solvent > 0.0)]
    exclusions = _drawn(EXCLUSIONS, uniform())
    shape = "linear" if shape == "ring" and size < 4 else shape
    soft = uniform() < SOFT

    uniform = uniforms(seed, _KIND, _ENERGIES)
    diameters = [1.0 if kind == 0 else 0.8 + 0.4 * uniform() for kind in range(len(species))]
    energy = 1.0 if soft else _geometric(*ENERGY, uniform())
    among = [name for name in KINDS if (name in BOUNDED) == soft]
    pairs, lengths, stiffness = {}, [], []
    for row, name in enumerate(all_pairs(species)):
        a, b = (diameters[species.index(one)] for one in name.types)
        number = _FIRST_POTENTIAL + 2 * PAIRS * seed + row
        made = bead_potential(number, among, LONGEST).potential
        pairs[name] = made.scaled(0.5 * (a + b), energy * (0.8 + 0.4 * uniform()), "lj")
        core, whole = effective_volume(pairs[name])
        diameter = SOFT_PART * whole ** (1.0 / 3.0) if soft else core ** (1.0 / 3.0)
        lengths.append(diameter * (BOND[0] + (BOND[1] - BOND[0]) * uniform()))
        stiffness.append(_geometric(*BOND_STIFFNESS, uniform()) / lengths[-1] ** 2)
    angle, bending, torsion = _shape_terms(shape, size, uniform)
    topology = molecule_topology(
        types, _bonds(shape, size, uniforms(seed, _KIND)), species, exclusions, bending > 0.0, torsion > 0.0
    )
    bonded = Bonded(tuple(lengths), tuple(stiffness), angle, bending, torsion)
    return Molecule(seed, topology, solvent, Interactions(pairs), bonded, soft)


def _drawn(shares: dict[T, float], uniform: float) -> T:
    """Return the key that a number in [0, 1) falls on."""
    at = uniform * sum(shares.values())
    for name, share in shares.items():
        at -= share
        if at < 0.0:
            return name
    return next(iter(shares))


def _geometric(low: float, high: float, uniform: float) -> float:
    return low * float((high / low) ** uniform)


def _types(size: int, kinds: int, uniform: Uniform) -> list[int]:
    """Return the type of each bead: in blocks, or in any order; none is rarer than `RAREST`."""
    if kinds == 1:
        return [0] * size
    shares = [0.35 + uniform() for _ in range(kinds)]
    least = max(1, int(np.ceil(RAREST * size)))
    counts = [least] * kinds
    for _ in range(size - least * kinds):
        # To the type that lacks most.
        counts[int(np.argmax([share / (n + 1) for share, n in zip(shares, counts, strict=True)]))] += 1
    beads = [kind for kind, n in enumerate(counts) for _ in range(n)]
    if uniform() < 0.6:
        for last in range(size - 1, 0, -1):
            other = int((last + 1) * uniform())
            beads[last], beads[other] = beads[other], beads[last]
    names = list(dict.fromkeys(beads))
    return [names.index(kind) for kind in beads]


def _bonds(shape: str, size: int, uniform: Uniform) -> list[tuple[int, int]]:
    if shape != "branched":
        chain = [(i, i + 1) for i in range(size - 1)]
        return [*chain, (0, size - 1)] if shape == "ring" else chain
    bonds: list[tuple[int, int]] = []
    for bead in range(1, size):
        free = [i for i in range(bead) if sum(i in bond for bond in bonds) < 3]
        bonds.append((free[int(len(free) * uniform())], bead))
    return bonds


def _shape_terms(shape: str, size: int, uniform: Uniform) -> tuple[float, float, float]:
    """Return angle, its stiffness and the height of the torsion."""
    numbers = [uniform() for _ in range(5)]
    if shape == "ring" or size < 3 or numbers[0] >= ANGLES:
        return 0.0, 0.0, 0.0
    angle = ANGLE[0] + (ANGLE[1] - ANGLE[0]) * numbers[1]
    stiffness = _geometric(*ANGLE_STIFFNESS, numbers[2])
    if size >= FLEXIBLE_FROM:
        stiffness = min(stiffness, FLEXIBLE)
    if shape == "branched":
        return min(angle, BRANCH_ANGLE), stiffness, 0.0
    twisted = size > 3 and angle < TORSION_ANGLE and stiffness > TORSION_STIFFNESS and numbers[3] < DIHEDRALS
    return angle, stiffness, _geometric(*TORSION, numbers[4]) if twisted else 0.0


def molecule_topology(
    types: list[int],
    bonds: list[tuple[int, int]],
    species: tuple[str, ...],
    exclusions: str,
    angles: bool,
    dihedrals: bool,
) -> Topology:
    """Return the topology of one molecule, with all angles and dihedrals that its bonds make where there are any."""
    groups: dict[Interaction, list[tuple[int, int]]] = {}
    for i, j in bonds:
        a, b = sorted((types[i], types[j]))
        groups.setdefault(Interaction("bond", (species[a], species[b])), []).append((i, j))
    topology = Topology(
        np.array(types),
        species,
        Interactions({one: np.array(x) for one, x in groups.items()}),
        exclusions=exclusions,
    )
    wanted = [name for name, there in (("angle", angles), ("dihedral", dihedrals)) if there]
    return topology.completed(*wanted) if wanted else topology


def liquid_topology(molecule: Topology, molecules: int, solvent: int) -> Topology:
    """Return so many molecules and single beads of the last species."""
    if not solvent:
        return molecule.repeated(molecules)
    last = Topology([len(molecule.species) - 1], molecule.species, exclusions=molecule.exclusions)  # type: ignore[arg-type]
    return Topology.joined([(molecule, molecules), (last, solvent)])


@dataclass(frozen=True)
class MoleculeTask(NamedTask):
    """One state point of a random molecule.

    Attributes
    ----------
    family : str
        ``m``.
    seed : int
        The integer that names the molecule.
    index : int
        Which density.

    Raises
    ------
    InputError
        If the family is another or there is no such index.
    """

    def __post_init__(self) -> None:
        if self.family != FAMILY:
            raise InputError(f"molecules are the family {FAMILY!r}, not {self.family!r}")
        if not 0 <= self.index < TEST_STATES:
            raise InputError(f"a molecule has state points 0 to {TEST_STATES - 1}, not {self.index}")

    @cached_property
    def molecule(self) -> Molecule:
        """The molecule with its potentials."""
        return random_molecule(self.seed)

    @cached_property
    def density(self) -> float:
        """Density of beads in sigma^-3."""
        return self.molecule.density(self.index)


def molecule_plan(seeds: range) -> list[MoleculeTask]:
    """Return the state points of these molecules: two of each test molecule, one of each other.

    Examples
    --------
    >>> [task.name for task in molecule_plan(range(9, 11))]
    ['m-000009-0', 'm-000010-0', 'm-000010-1']
    """
    return [
        MoleculeTask(FAMILY, seed, index)
        for seed in seeds
        for index in range(TEST_STATES if split_of(seed) == "test" else TRAIN_STATES)
    ]
