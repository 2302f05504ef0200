"""Molecular liquids of known potentials, in reduced units (kT = 1): what the starts are compared on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cginit.bonded import BondedPotential
from cginit.configuration import Configuration
from cginit.curves import PairPotential
from cginit.growth import grown_configuration
from cginit.interactions import Interactions
from cginit.topology import Topology

__all__ = ["ANGLES", "BONDS", "CUTOFF", "DIHEDRALS", "LIQUIDS", "STEP", "Liquid", "lennard_jones", "spring"]

#: Grid step and range of the pair potentials, grids of the distributions.
STEP, CUTOFF = 0.05, 2.5
BONDS, ANGLES = np.arange(0.4, 1.6001, 0.01), np.linspace(0.0, np.pi, 91)
DIHEDRALS = np.linspace(-np.pi, np.pi, 72, endpoint=False)


@dataclass(frozen=True)
class Liquid:
    """A liquid whose potentials are known.

    Attributes
    ----------
    topology : Topology
        Molecules with the pairs that feel no pair potential.
    density : float
        Of all beads.
    truth : Interactions
        The potentials.
    """

    topology: Topology
    density: float
    truth: Interactions

    def grown(self, seed: int) -> Configuration:
        shape = Interactions({name: one.at_minimum for name, one in self.truth.items() if not name.is_pair})
        return grown_configuration(self.topology, self.density, seed=seed, units="lj", shape=shape)


def lennard_jones(epsilon: float, sigma: float = 1.0) -> PairPotential:
    r = np.arange(0.0, CUTOFF + 1e-9, STEP)
    x = np.maximum(r, 0.5 * sigma) / sigma
    u = 4.0 * epsilon * (x**-12 - x**-6)
    u -= u[-1]
    core = int(np.ceil(0.8 * sigma / STEP))
    slope = (u[core] - u[core + 1]) / STEP
    return PairPotential(r, np.where(r < r[core], u[core] + slope * (r[core] - r), u), units="lj")


def repulsive(epsilon: float, width: float) -> PairPotential:
    """A soft bead: a Gaussian core, shifted to 0 at the cut-off."""
    r = np.arange(0.0, CUTOFF + 1e-9, STEP)
    u = epsilon * np.exp(-((r / width) ** 2))
    return PairPotential(r, u - u[-1], units="lj")


def spring(k: float, x0: float, coordinate: str) -> BondedPotential:
    x = BONDS if coordinate == "bond" else ANGLES
    return BondedPotential.shifted(x, 0.5 * k * (x - x0) ** 2, coordinate=coordinate, units="lj")


def stiff(k: float) -> BondedPotential:
    """A chain that wants to be straight."""
    return BondedPotential.shifted(ANGLES, k * (1.0 + np.cos(ANGLES)), coordinate="angle", units="lj")


def torsion(height: float) -> BondedPotential:
    """Three wells, the one at trans the deepest."""
    u = height * (0.5 * (1.0 + np.cos(DIHEDRALS)) + 0.5 * (1.0 + np.cos(3.0 * DIHEDRALS)))
    return BondedPotential.shifted(DIHEDRALS, u, coordinate="dihedral", units="lj")


def dumbbells(density: float, epsilon: float) -> Liquid:
    topology = Topology([0, 0], ("A",), {"bond A-A": [[0, 1]]}).repeated(300)
    truth = {"A-A": lennard_jones(epsilon), "bond A-A": spring(600.0, 1.0, "bond")}
    return Liquid(topology, density, Interactions(truth))


def unlike_dumbbells(density: float) -> Liquid:
    topology = Topology([0, 1], ("A", "B"), {"bond A-B": [[0, 1]]}).repeated(300)
    pairs = {"A-A": lennard_jones(0.8), "A-B": lennard_jones(0.5, 0.9), "B-B": lennard_jones(0.3, 0.8)}
    return Liquid(topology, density, Interactions(pairs | {"bond A-B": spring(500.0, 0.8, "bond")}))


def soft_dumbbells(density: float) -> Liquid:
    topology = Topology([0, 0], ("A",), {"bond A-A": [[0, 1]]}).repeated(350)
    return Liquid(
        topology,
        density,
        Interactions({"A-A": repulsive(6.0, 0.9), "bond A-A": spring(300.0, 0.8, "bond")}),
    )


def trimers(density: float) -> Liquid:
    terms = {"bond A-B": [[0, 1], [1, 2]], "angle A-B-A": [[0, 1, 2]]}
    topology = Topology([0, 1, 0], ("A", "B"), terms).repeated(200)
    truth = {"A-A": lennard_jones(0.6), "A-B": lennard_jones(0.5), "B-B": lennard_jones(0.4)}
    truth |= {"bond A-B": spring(400.0, 1.0, "bond"), "angle A-B-A": spring(30.0, 2.1, "angle")}
    return Liquid(topology, density, Interactions(truth))


def tetramers(density: float) -> Liquid:
    terms = {"bond A-B": [[0, 1], [2, 3]], "bond B-B": [[1, 2]]}
    topology = Topology([0, 1, 1, 0], ("A", "B"), terms, exclusions="1-4").completed().repeated(150)
    truth = {"A-A": lennard_jones(0.5), "A-B": lennard_jones(0.4), "B-B": lennard_jones(0.5)}
    truth |= {"bond A-B": spring(400.0, 0.9, "bond"), "bond B-B": spring(400.0, 0.9, "bond")}
    truth |= {"angle A-B-B": spring(20.0, 1.95, "angle"), "dihedral A-B-B-A": torsion(1.5)}
    return Liquid(topology, density, Interactions(truth))


def chains(beads: int, molecules: int, density: float, stiffness: float, epsilon: float) -> Liquid:
    bonds = {"bond A-A": np.column_stack([np.arange(beads - 1), np.arange(1, beads)])}
    topology = Topology(np.zeros(beads, dtype=int), ("A",), bonds)
    truth = {"A-A": lennard_jones(epsilon), "bond A-A": spring(400.0, 1.0, "bond")}
    if stiffness > 0.0:
        topology = topology.completed("angle")
        truth["angle A-A-A"] = stiff(stiffness)
    return Liquid(topology.repeated(molecules), density, Interactions(truth))


def solution(density: float) -> Liquid:
    dimer = Topology([0, 0], ("A", "S"), {"bond A-A": [[0, 1]]})
    topology = Topology.joined([(dimer, 100), (Topology([1], ("A", "S")), 450)])
    truth = {"A-A": lennard_jones(0.7), "A-S": lennard_jones(0.65), "S-S": lennard_jones(0.7)}
    return Liquid(topology, density, Interactions(truth | {"bond A-A": spring(500.0, 1.0, "bond")}))


#: The liquids by name, made when they are called.
LIQUIDS: dict[str, Callable[[], Liquid]] = {
    "dumbbells-0.4": lambda: dumbbells(0.4, 0.5),
    "dumbbells-0.7": lambda: dumbbells(0.7, 0.6),
    "unlike-dumbbells-0.8": lambda: unlike_dumbbells(0.8),
    "soft-dumbbells-1.5": lambda: soft_dumbbells(1.5),
    "trimers-0.45": lambda: trimers(0.45),
    "trimers-0.7": lambda: trimers(0.7),
    "tetramers-0.7": lambda: tetramers(0.7),
    "6-mers-0.5": lambda: chains(6, 100, 0.5, 0.0, 0.35),
    "6-mers-0.75": lambda: chains(6, 100, 0.75, 2.0, 0.4),
    "20-mers-flexible-0.7": lambda: chains(20, 35, 0.7, 0.0, 0.35),
    "20-mers-stiff-0.7": lambda: chains(20, 35, 0.7, 5.0, 0.35),
    "dumbbells-in-solvent-0.7": lambda: solution(0.7),
}
