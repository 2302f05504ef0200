"""What a trajectory of molecules shows, written as the files that ``cg-init refine`` reads."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from cginit.errors import InputError

if TYPE_CHECKING:
    from cginit.bonded import Potential
    from cginit.interactions import Interaction
    from cginit.trajectory import MoleculeTargets

__all__ = ["START_FILE", "write_molecules"]

#: The file of the topology and the positions, beside that of the system.
START_FILE = "start.gsd"
#: End of the names of tables to start from.
FIRST_SUFFIX = ".start.pot"


def write_molecules(
    file: Path,
    found: MoleculeTargets,
    kT: float,
    pairs: Mapping[tuple[str, str], Path],
    *,
    density: float | None = None,
    pressure: float | None = None,
    first: Mapping[Interaction, Potential] | None = None,
) -> list[tuple[Path, str]]:
    """Write distributions, the g(r) inside molecules, the start and, last, the file of the system.

    All of them lie in the folder of `file`; it refers to the g(r) of `pairs` where these lie.

    Parameters
    ----------
    file : Path
        Its folder is made.
    found : MoleculeTargets
        What the trajectory showed.
    kT : float
        Thermal energy in the units of the targets.
    pairs : mapping of (str, str) to Path
        Files of the g(r), written already.
    density : float, optional
        Of all beads, instead of that of the trajectory.
    pressure : float, optional
        Pressure to reach, in the units of the targets.
    first : mapping of Interaction to potential, optional
        Potentials to start from.

    Returns
    -------
    list of (Path, str)
        What was written, and what it is; the file of the system last.
    """
    from cginit.cli.system import next_command
    from cginit.io import write_atomically
    from cginit.trajectory import write_start

    missing = [f"{a}-{b}" for a, b in found.rdfs if (a, b) not in pairs]
    if missing:
        raise InputError(f"g(r) of {', '.join(missing)} was not written")
    folder = file.parent
    folder.mkdir(parents=True, exist_ok=True)
    inside, bonded = _inside_files(folder, found), _distribution_files(folder, found)
    start = write_start(found.start, folder / START_FILE)
    tables = _first_tables(folder, first or {})
    written = [
        *((path, f"g(r) {name} inside molecules") for name, path in inside.items()),
        *((path, f"distribution of {name}") for name, path in bonded.items()),
        (start, "topology and start configuration"),
        *([(folder, f"{len(tables)} tables *{FIRST_SUFFIX} to start from")] if tables else []),
    ]
    targets = {
        "-".join(pair): os.path.relpath(path.resolve(), folder.resolve()) for pair, path in pairs.items()
    }
    idle = {str(name): why for name, why in found.left_out.items()}
    lines = [
        *_head(found, kT, density, pressure),
        *_table("targets", targets | {name: path.name for name, path in bonded.items() if name not in idle}),
    ]
    for name, why in idle.items():
        lines += [f"# Left out: {why}.", f"# {_table('', {name: bonded[name].name})[1]}"]
    if inside:
        lines += ["", "# g(r) of pairs inside molecules: drawn by cg-init report, and no target."]
        lines += _table("inside", {name: path.name for name, path in inside.items()})
    if tables:
        lines += ["", "# What a refinement starts from, unless --method names a guess."]
        lines += _table("start", {str(name): path.name for name, path in tables.items()})
    whole = write_atomically(file, "\n".join(lines) + "\n")
    return [*written, (whole, next_command(file))]


def _inside_files(folder: Path, found: MoleculeTargets) -> dict[str, Path]:
    """Write the g(r) of pairs inside molecules, and return the file of each."""
    from cginit.io import write_rdf

    note = "g(r) {} inside molecules: 4 pi rho times the integral of r^2 g is the number of such neighbours"
    return {
        str(one): write_rdf(curve, folder / f"{one.file_stem}.intra.dat", notes=[note.format(one)])
        for one, curve in found.inside.items()
    }


def _distribution_files(folder: Path, found: MoleculeTargets) -> dict[str, Path]:
    """Write the distributions of bonds, angles and dihedrals, and return the file of each."""
    from cginit.io.bonded_tables import write_distribution

    return {
        str(name): write_distribution(one, folder / f"{name.file_stem}.dat", notes=[str(name)])
        for name, one in found.distributions.items()
    }


def _head(found: MoleculeTargets, kT: float, density: float | None, pressure: float | None) -> list[str]:
    """Return the lines of the file of the system before its tables."""
    units = json.dumps(found.system.units.name)
    state = found.system.state(kT)
    return [
        f"units = {units}",
        f"kT = {state.kT!r}",
        f"density = {state.density if density is None else density!r}",
        *([] if pressure is None else [f"pressure = {pressure!r}"]),
        f'topology = "{START_FILE}"',
        f"topology_units = {units}",
        "# Pairs up to so many bonds apart feel no pair potential.",
        f'exclusions = "{found.topology.exclusions}"',
        "# Pairs that the g(r) of the targets leave out.",
        f'target_exclusions = "{found.target_exclusions}"',
        "",
    ]


def _table(title: str, files: Mapping[str, str]) -> list[str]:
    """Return the lines of a table of files, by their paths from the folder of the system."""
    return [
        f"[{title}]",
        *(
            f"{json.dumps(name, ensure_ascii=False)} = {json.dumps(Path(path).as_posix(), ensure_ascii=False)}"
            for name, path in files.items()
        ),
    ]


def _first_tables(folder: Path, first: Mapping[Interaction, Potential]) -> dict[Interaction, Path]:
    """Write the potentials to start from, and return the file of each."""
    from cginit.curves import PairPotential
    from cginit.io import write_table
    from cginit.io.bonded_tables import write_bonded_pot

    found = {}
    for name, potential in first.items():
        path = folder / f"{name.file_stem}{FIRST_SUFFIX}"
        if isinstance(potential, PairPotential):
            found[name] = write_table(potential, path)
        else:
            found[name] = write_bonded_pot(potential, path)
    return found
