"""What LAMMPS is told of molecules: sections of the data file, tables of bonded potentials, exclusions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cginit.engines.base import ReducedProblem
from cginit.engines.bonds import left_potential, longest_bond, terms_of
from cginit.engines.potentials import Term
from cginit.engines.table import bonded_table, widened
from cginit.errors import InputError
from cginit.io.bonded_tables import lammps_section

__all__ = ["LammpsMolecules", "left_table"]

#: Points on which LAMMPS interpolates linearly.
INTERPOLATION_POINTS = 10_000
#: Distances apart that LAMMPS' own rule of exclusion knows, as factors of 1-2, 1-3 and 1-4 pairs.
_SPECIAL = {"none": "1 1 1", "1-2": "0 1 1", "1-3": "0 0 1", "1-4": "0 0 0", "molecule": "0 0 0"}
_KINDS = ("bond", "angle", "dihedral")


@dataclass(frozen=True, eq=False)
class LammpsMolecules:
    """The molecules of a problem in the words of LAMMPS.

    Parameters
    ----------
    problem : ReducedProblem
        A problem with a topology.
    table : str
        Name of the file of the bonded tables.
    """

    problem: ReducedProblem
    table: str

    def terms(self, coordinate: str) -> list[Term]:
        """Return the interactions of one coordinate; their place is LAMMPS' type, from 1."""
        return terms_of(self.problem, coordinate)

    @property
    def _exclusions(self) -> str:
        topology = self.problem.start.topology
        return "none" if topology is None else topology.exclusions

    @cached_property
    def ghosts(self) -> NDArray[np.intp]:
        """Pairs ``(m, 2)`` that are left out by bonds without a force, since no rule of LAMMPS' names them."""
        topology = self.problem.start.topology
        if topology is None or self._exclusions in _SPECIAL:
            return np.empty((0, 2), dtype=np.intp)
        excluded = {tuple(pair) for pair in topology.excluded().tolist()}
        bonds = {tuple(sorted(pair)) for pair in topology.bonds.tolist()}
        kept = sorted(bonds - excluded)
        if kept:
            raise InputError(
                f"the exclusions {self._exclusions!r} keep the pair force of the bonded beads {kept[0]} (from 0); "
                "LAMMPS leaves out all bonded pairs or none of them"
            )
        return np.array(sorted(excluded - bonds), dtype=np.intp).reshape(-1, 2)

    @cached_property
    def reach(self) -> float:
        """The longest bond that can occur, those of the start among them."""
        return longest_bond(self.problem, self.ghosts.astype(np.int64))

    def style_lines(self) -> str:
        """Return what stands before ``read_data``: styles and exclusions."""
        lines = [f"special_bonds lj {_SPECIAL.get(self._exclusions, '0 1 1')}"]
        if self.terms("bond") or len(self.ghosts):
            table = f"table linear {INTERPOLATION_POINTS}"
            lines.append(
                f"bond_style {'hybrid ' if len(self.ghosts) else ''}{table}{' zero' if len(self.ghosts) else ''}"
            )
        lines += [
            f"{kind}_style table linear {INTERPOLATION_POINTS}"
            for kind in ("angle", "dihedral")
            if self.terms(kind)
        ]
        return "\n".join(lines) + "\n"

    def setting_lines(self, *, wide: bool) -> str:
        """Return what stands after ``read_data``: tables, and how far neighbours are communicated.

        With `wide`, bonds may have any length, as while overlaps are pushed apart.
        """
        lines = self._bond_lines(wide)
        if len(self.ghosts):
            lines.append(f"bond_coeff {len(self.terms('bond')) + 1} zero 1.0")
        for kind in ("angle", "dihedral"):
            lines += [
                f"{kind}_coeff {k} {self.table} {_keyword(kind, k)}"
                for k in range(1, len(self.terms(kind)) + 1)
            ]
        if self._exclusions == "molecule":
            lines.append("neigh_modify exclude molecule/intra all")
        steps = 2 if self.terms("angle") or self.terms("dihedral") else 1
        r_cut = max(one.r_cut for one in self.problem.potentials.values())
        lines.append(f"comm_modify cutoff {max(r_cut, steps * self.reach) + 0.6:.10g}")
        return "\n".join(lines) + "\n"

    def strict_lines(self) -> str:
        """Return what makes a bond that leaves its table an error."""
        lines = self._bond_lines(wide=False)
        return "\n".join(lines) + "\n" if lines else ""

    def _bond_lines(self, wide: bool) -> list[str]:
        hybrid = "table " if len(self.ghosts) else ""
        name = "wide" if wide else "bond"
        return [
            f"bond_coeff {k} {hybrid}{self.table} {_keyword(name, k)}"
            for k in range(1, len(self.terms("bond")) + 1)
        ]

    def tables(self) -> str:
        """Return the file of the bonded tables."""
        sections = ["# bonded potentials: U/kT; F a/kT, of angles in degrees, of dihedrals in radians\n"]
        for kind in _KINDS:
            for k, term in enumerate(self.terms(kind), 1):
                table = bonded_table(term.potential)
                sections.append(lammps_section(_keyword(kind, k), kind, table, str(term.interaction)))
                if kind == "bond":
                    sections.append(
                        lammps_section(
                            _keyword("wide", k), kind, widened(table, 1.5 * self.reach), str(term.interaction)
                        )
                    )
        return "\n".join(sections)

    def counts(self) -> str:
        """Return the lines of the data file that say how many bonds and angles there are."""
        found = []
        for kind in _KINDS:
            ghosts = len(self.ghosts) if kind == "bond" else 0
            total = sum(len(term.members) for term in self.terms(kind)) + ghosts
            if total:
                found += [f"{total} {kind}s", f"{len(self.terms(kind)) + bool(ghosts)} {kind} types"]
        return "".join(f"{line}\n" for line in found)

    def sections(self) -> str:
        """Return the sections of the data file that list bonds and angles."""
        found = []
        for kind in _KINDS:
            groups = [(k, term.members) for k, term in enumerate(self.terms(kind), 1)]
            if kind == "bond" and len(self.ghosts):
                groups.append((len(groups) + 1, self.ghosts.astype(np.int64)))
            rows = [(k, beads) for k, members in groups for beads in (members + 1).tolist()]
            if rows:
                found.append(f"{kind.capitalize()}s\n")
                found += [f"{n} {k} {' '.join(map(str, beads))}" for n, (k, beads) in enumerate(rows, 1)]
                found.append("")
        return "\n".join(found)


def _keyword(kind: str, number: int) -> str:
    return f"{kind.upper()}_{number}"


def left_table(words: str, problem: ReducedProblem) -> str | None:
    """Return a sentence on the bond that left its table, if that is what LAMMPS' error says."""
    found = re.search(r"Bond length .*: type (\d+) length ([0-9.eE+-]+)", words)
    return None if found is None else left_potential(problem, int(found[1]) - 1, float(found[2]))
