"""The liquid that a record of molecules describes, as guesses and tests take it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cginit.bonded import Potential
from cginit.campaign.molecules import SPECIES, Bonded, liquid_topology, molecule_topology
from cginit.campaign.records import MoleculeRecord
from cginit.configuration import Configuration
from cginit.curves import RDF, PairPotential
from cginit.errors import InputError
from cginit.interactions import Interaction, Interactions, all_pairs
from cginit.units import LJ

__all__ = ["MoleculeLiquid", "liquid_of"]


@dataclass(frozen=True, eq=False)
class MoleculeLiquid:
    """A simulated liquid of molecules, in sigma and kT.

    Attributes
    ----------
    name : str
        Of its record.
    seed, index : int
        As of the record.
    test : bool
        Whether it is for tests only.
    start : Configuration
        Its last configuration, with the topology.
    rdfs : dict of Interaction to RDF
        g(r) between different molecules, up to half the box.
    potentials : dict of Interaction to PairPotential
        Of all pairs, as simulated.
    bonded : Interactions
        Of all bonded terms.
    """

    name: str
    seed: int
    index: int
    test: bool
    start: Configuration
    rdfs: dict[Interaction, RDF]
    potentials: dict[Interaction, PairPotential]
    bonded: Interactions[Potential]

    @property
    def densities(self) -> dict[str, float]:
        """Beads of each type per volume."""
        volume = float(np.prod(self.start.box))
        counts = np.bincount(self.start.types, minlength=len(self.start.species))
        return {name: float(n) / volume for name, n in zip(self.start.species, counts, strict=True)}


def liquid_of(record: MoleculeRecord) -> MoleculeLiquid:
    """Return the liquid of a record.

    Raises
    ------
    InputError
        If the record was rejected, and keeps no configuration.
    """
    name = f"{record.family}-{record.seed:06d}-{record.index}"
    if record.rejected:
        raise InputError(f"{name} was rejected and has no liquid: {record.rejected}")
    species = SPECIES[: record.species]
    types = record.types[record.types >= 0].tolist()
    bonds = [(int(i), int(j)) for i, j in record.bonds[record.bonds[:, 0] >= 0]]
    single = molecule_topology(
        types, bonds, species, record.exclusions, record.angle_stiffness > 0.0, record.torsion > 0.0
    )
    topology = liquid_topology(single, record.molecules, record.solvent)
    edge = (record.n / record.density) ** (1.0 / 3.0)
    start = Configuration(
        record.positions[: record.n].astype(np.float64), np.full(3, edge), units=LJ, topology=topology
    )
    rdfs, potentials = {}, {}
    for row, pair in enumerate(all_pairs(species)):
        seen = np.isfinite(record.g[row])
        rdfs[pair] = RDF(record.r[seen], record.g[row][seen], record.g_error[row][seen], units=LJ)
        grid = np.linspace(0.0, record.r_cut[row], record.u.shape[1])
        # Single precision on disk.
        u = np.append(record.u[row][:-1].astype(np.float64), 0.0)
        potentials[pair] = PairPotential(grid, u, units="lj")  # type: ignore[arg-type]
    bonded = Bonded(
        tuple(np.nan_to_num(record.bond_length, nan=1.0).tolist()),
        tuple(np.nan_to_num(record.bond_stiffness, nan=1.0).tolist()),
        record.angle,
        record.angle_stiffness,
        record.torsion,
    )
    terms: dict[Interaction, Potential] = dict(bonded.potentials(topology))
    return MoleculeLiquid(
        name,
        record.seed,
        record.index,
        record.split == "test",
        start,
        rdfs,
        potentials,
        Interactions(terms),
    )
