"""What the Ornstein-Zernike equation needs to know of the molecules of a simulation."""

from __future__ import annotations

from cginit.errors import ConvergenceError
from cginit.interactions import all_pairs
from cginit.refine.record import Record
from cginit.sampling import MoleculeStructure
from cginit.target import Target

__all__ = ["molecule_structure"]


def molecule_structure(record: Record, target: Target) -> MoleculeStructure | None:
    """Return the structure of the molecules in the last configurations of a simulation; None for loose beads.

    Raises
    ------
    ConvergenceError
        If the g(r) are not those between different molecules, which the equation wants.
    """
    if target.topology is None or not target.topology.is_molecular:
        return None
    if not target.counts_between_molecules:
        raise ConvergenceError(
            f"the g(r) count pairs inside molecules too (target_exclusions = {target.target_exclusions!r}); the "
            "Ornstein-Zernike equation of molecules wants those between molecules"
        )
    if len(target.rdfs) < len(all_pairs(target.densities)):
        raise ConvergenceError("some pairs of beads have no g(r); the Ornstein-Zernike equation needs all")
    return MoleculeStructure((record.final, *record.others))
