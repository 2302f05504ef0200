"""A folder for LAMMPS: data file, tables of pairs and of bonds, input script."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cginit.atomic import write_atomically
from cginit.engines.lammps_molecules import LammpsMolecules
from cginit.export.model import Model
from cginit.io.bonded_tables import bonded_keyword, write_lammps_bonded
from cginit.io.pair_tables import write_pair_tables
from cginit.units import ANGSTROM_KCAL, LJ

__all__ = ["write_lammps"]

#: Points on which LAMMPS interpolates bonded tables.
POINTS = 10_000
#: Distance beyond the cut-off in which neighbours are kept, in angstrom or reduced units.
SKIN = {LJ: 0.3, ANGSTROM_KCAL: 2.0}

_SCRIPT = """\
# written by cginit; start.data is where a simulation of these potentials ended
variable steps index 100000
units {units}
atom_style {style}
boundary p p p
{styles}read_data start.data
neighbor {skin} bin
neigh_modify every 1 delay 0 check yes
{pairs}
{bonded}velocity all create {temperature:.10g} 4711 dist gaussian mom yes
timestep {dt:.6g}
fix bath all langevin {temperature:.10g} {temperature:.10g} {damp:.6g} 4711
fix move all nve
thermo 1000
thermo_style custom step temp pe press
dump frames all custom 1000 trajectory.dump id type x y z
dump_modify frames sort id
run ${{steps}}
write_data final.data
"""


def write_lammps(model: Model, folder: Path) -> list[Path]:
    """Write ``in.lammps``, ``start.data`` and tables in LAMMPS' real units, or reduced ones; return the files."""
    real = model.to(ANGSTROM_KCAL)
    molecules = LammpsMolecules(real.problem, "bonded.table") if real.problem.is_molecular else None
    tables = write_pair_tables(
        {name.types: one for name, one in real.pairs.items()}, folder / "pairs.table", kT=real.kT
    )
    files = [*tables.paths]
    bonded = {term.interaction: one for term in real.terms if (one := real.potentials[term.interaction])}
    if bonded:
        files.append(write_lammps_bonded(bonded, folder / "bonded.table")[0])  # type: ignore[arg-type]
    unit = 1.0 if real.units == LJ else 1000.0  # ps in fs
    text = _SCRIPT.format(
        units="lj" if real.units == LJ else "real",
        style="atomic" if molecules is None else "molecular",
        styles="" if molecules is None else molecules.style_lines(),
        skin=SKIN[real.units],
        pairs=tables.usage.replace(str(folder) + "/", ""),
        bonded="" if molecules is None else _bonded_lines(real, molecules),
        temperature=real.kT / (1.0 if real.units == LJ else real.units.boltzmann()),
        dt=real.dt * unit,
        damp=real.time * unit,
    )
    data = write_atomically(folder / "start.data", _data(real, molecules))
    return [*files, data, write_atomically(folder / "in.lammps", text)]


def _bonded_lines(real: Model, molecules: LammpsMolecules) -> str:
    """Return the tables of bonds, angles and dihedrals, and how far beads of a molecule may be apart."""
    hybrid = "table " if len(molecules.ghosts) else ""
    numbers = {"bond": 0, "angle": 0, "dihedral": 0}
    lines = []
    for term in real.terms:
        kind = term.interaction.coordinate
        numbers[kind] += 1
        style = hybrid if kind == "bond" else ""
        keyword = bonded_keyword(term.interaction)
        lines.append(f"{kind}_coeff {numbers[kind]} {style}bonded.table {keyword}  # {term.interaction}")
    if len(molecules.ghosts):
        lines.append(f"bond_coeff {numbers['bond'] + 1} zero 1.0  # pairs that are left out, without a force")
    topology = real.start.topology
    if topology is not None and topology.exclusions == "molecule":
        lines.append("neigh_modify exclude molecule/intra all")
    # An angle reaches over two bonds; the longest is known in the length of the problem.
    steps = 2 if numbers["angle"] or numbers["dihedral"] else 1
    reach = steps * molecules.reach * real.problem.length
    r_cut = max(one.r_cut for one in real.pairs.values())
    lines.append(f"comm_modify cutoff {max(r_cut, reach) + 2.0 * SKIN[real.units]:.6g}")
    return "\n".join(lines) + "\n"


def _data(real: Model, molecules: LammpsMolecules | None) -> str:
    """Return the data file: beads whole along their bonds by image flags, in a box from 0."""
    start = real.start
    head = ["written by cginit", "", f"{start.n} atoms", f"{len(start.species)} atom types"]
    head += [] if molecules is None else [molecules.counts().rstrip("\n")]
    edges = [f"0 {edge:.10g} {axis}lo {axis}hi" for edge, axis in zip(start.box, "xyz", strict=True)]
    masses = [f"{k} {real.masses[name]:.10g} # {name}" for k, name in enumerate(start.species, 1)]
    whole = start.positions if start.topology is None else start.topology.whole(start.positions, start.box)
    images = np.floor(whole / start.box).astype(int)
    owners = [""] * start.n
    if molecules is not None and start.topology is not None:
        owners = [f"{molecule + 1} " for molecule in start.topology.molecules]
    rows = [
        f"{k} {owner}{kind + 1} {x:.10g} {y:.10g} {z:.10g} {i} {j} {m}"
        for k, (owner, kind, (x, y, z), (i, j, m)) in enumerate(
            zip(owners, start.types, whole - images * start.box, images, strict=True), 1
        )
    ]
    style = "atomic" if molecules is None else "molecular"
    more = [] if molecules is None else ["", molecules.sections()]
    return (
        "\n".join([*head, "", *edges, "", "Masses", "", *masses, "", f"Atoms # {style}", "", *rows, *more])
        + "\n"
    )
