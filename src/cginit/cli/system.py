"""The file of a system: one state or several, of one bead type or of mixtures, in one schema."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cginit.cli.system_bonds import STEPS, on_shared_grids
from cginit.cli.system_curves import norms_stated, read_curves
from cginit.cli.system_molecules import read_molecules
from cginit.cli.system_tables import TableFile, joined_given, named_tables, read_tables
from cginit.cli.toml import check_keys, stated_energy, stated_number
from cginit.cli.voice import voice
from cginit.errors import InputError

if TYPE_CHECKING:
    from cginit.bonded import Potential
    from cginit.configuration import Configuration
    from cginit.curves import RDF
    from cginit.interactions import Interaction, Interactions, Named
    from cginit.state import StatePoint
    from cginit.target import Target

__all__ = ["System", "next_command", "read_system", "refuse_curve", "write_system"]

#: What says what one state is.
STATE = (
    *("temperature", "kT", "densities", "targets", "density", "target", "pressure"),
    *("clean", "column", "dr", "step", "normalise", "range"),
    *("topology", "coordinates", "topology_units", "exclusions", "target_exclusions", "angles"),
    *("target_normalisation", "names", "atom_style"),
    "inside",
    *STEPS,
)
#: What a file may hold beside.
WHOLE = ("units", "given", "start", "states")
#: Ends of names of files of columns or arrays.
CURVES = (".dat", ".xvg", ".csv", ".tsv", ".txt", ".npy", ".npz", ".tgt", ".new")
#: Folder of the refinement beside the file, where nobody has named one.
WORKDIR = "refined"
#: What a table of ``[[states]]`` may hold beside.
OWN = ("units", "weight", "mixture", "system")


@dataclass(frozen=True, eq=False)
class System:
    """What a file describes.

    Attributes
    ----------
    targets : tuple of Target
        One a state.
    given : dict of Interaction to TableFile
        Tables of interactions that are simulated and not refined.
    first : dict of Interaction to TableFile
        Tables of interactions that a refinement starts from.
    starts : tuple of Configuration or None
        Where the topology of a state is that of a configuration, this.
    notes : tuple of str
        What was odd about the g(r) of the targets.
    """

    targets: tuple[Target, ...]
    given: dict[Interaction, TableFile]
    starts: tuple[Configuration | None, ...]
    first: dict[Interaction, TableFile] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def given_potentials(self) -> Interactions[Potential]:
        """Read the given tables, onto the grids of the targets where they have one.

        Raises
        ------
        InputError
            If one cannot be read, or belongs to no interaction.
        """
        return read_tables(self.given, "given", self.targets)

    def first_potentials(self, r_cut: float | None = None) -> Interactions[Potential]:
        """Read the tables of ``[start]``; pairs end at `r_cut`, by default where their tables end.

        Raises
        ------
        InputError
            If one cannot be read, or belongs to no interaction.
        """
        return read_tables(self.first, "start", self.targets, r_cut)


def read_system(file: Path) -> System:
    """Read the description of a system and its targets, whose names are relative to the file.

    Raises
    ------
    InputError
        If a key is missing or unknown, or a target cannot be read.
    """
    from cginit.toml import read_toml

    refuse_curve(file)
    content = read_toml(file)
    check_keys(content, (*WHOLE, *STATE), str(file))
    given, first = (named_tables(content, section, file) for section in ("given", "start"))
    if "step" in content:
        voice().warn(f"step in {file} is called dr now")
    notes: list[str] = []
    if "states" not in content:
        target, start = _target(content, file, str(file), notes)
        said = tuple(dict.fromkeys(notes))
        return System((target,), given, (start,), first, said)
    if not content["states"]:
        raise InputError(f"{file} has no table [[states]]; it must state one for each state")
    common = {name: value for name, value in content.items() if name != "states"}
    found = []
    for number, one in enumerate(content["states"], start=1):
        where = f"state {number} of {file}"
        check_keys(one, (*STATE, *OWN), where)
        target, start, own = _state(common, one, file, where, notes)
        found.append((target, start))
        if own is not None:
            given = joined_given(given, own.given, where)
            first = {**own.first, **first}
    targets, starts = zip(*found, strict=True)
    targets = on_shared_grids(targets)
    said = tuple(dict.fromkeys(notes))
    return System(targets, given, starts, first, said)


def refuse_curve(file: Path) -> None:
    """Refuse a g(r) where the file of a system is expected.

    Raises
    ------
    InputError
        If the end of its name is that of columns or arrays.
    """
    if file.suffix.lower() in CURVES and file.exists():
        raise InputError(
            f"{file} is no file of a system, whose name ends with .toml; a g(r) is given with its option: "
            f"--rdf {file}"
        )


def _state(
    common: Mapping[str, Any], one: Mapping[str, Any], file: Path, where: str, notes: list[str]
) -> tuple[Target, Configuration | None, System | None]:
    """Return the target of one of several states, what all share and what is its own, its start, and its own file."""
    import dataclasses

    weight = stated_number(one, "weight", str(file)) if "weight" in one else 1.0
    other = one.get("system", one.get("mixture"))
    if other is None:
        own = {name: value for name, value in one.items() if name != "weight"}
        # Its temperature replaces that of all, in whatever way either is stated.
        shared = {
            name: value
            for name, value in common.items()
            if not (name in ("temperature", "kT") and ("temperature" in own or "kT" in own))
        }
        target, start = _target({**shared, **own}, file, where, notes)
        return dataclasses.replace(target, weight=weight), start, None
    left = sorted({*common, *one} - {"weight", "mixture", "system", "given", "start"})
    if left:
        raise InputError(
            f"{where} is described by {other}, which states its units, densities and targets; remove "
            f"{', '.join(left)}"
        )
    found = read_system(file.parent / other)
    if len(found.targets) != 1:
        raise InputError(f"{where}: {other} has {len(found.targets)} states, not one")
    notes += found.notes
    return dataclasses.replace(found.targets[0], weight=weight), found.starts[0], found


def _target(
    content: Mapping[str, Any], file: Path, where: str, notes: list[str]
) -> tuple[Target, Configuration | None]:
    """Return the target of a state and the start of its topology; what is odd about them is added to the notes."""
    from cginit.interactions import Interaction
    from cginit.io import question_target
    from cginit.io.molecule_questions import PAIRS_THAT_COUNT

    target, start = _read_target(content, file, where, notes)
    norm = content.get("target_normalisation", PAIRS_THAT_COUNT)
    certain: list[Interaction] = []
    if target.topology is not None and norm == PAIRS_THAT_COUNT:
        pairs = {name: entry for name, entry in content["targets"].items() if Interaction.of(name).is_pair}
        certain = [Interaction.of(name) for name in norms_stated(pairs, file.parent)]
    given = [Interaction.of(name) for name in content.get("given", {})]
    notes += question_target(target, start=start, given=given, norm=norm, certain=certain)
    return target, start


def _read_target(
    content: Mapping[str, Any], file: Path, where: str, notes: list[str]
) -> tuple[Target, Configuration | None]:
    from cginit.target import BEAD, Target
    from cginit.units import unit_system

    if "units" not in content:
        raise InputError(f"{where} does not state units")
    units = unit_system(content["units"])
    if "topology" in content:
        return read_molecules(content, units, file, where, notes)
    single = "target" in content or "density" in content
    needed = ("target", "density") if single else ("densities", "targets")
    for name in needed:
        if name not in content:
            words = "target and density" if single else "[densities] and [targets], or target and density"
            raise InputError(
                f"{where} does not state {name}; it needs units, temperature (kelvin) or kT, and {words}"
            )
    kT = stated_energy(content, units, where)
    pressure = content.get("pressure")
    if single:
        (curve,) = read_curves({"target": content["target"]}, file.parent, units, content, notes).values()
        rdfs: dict[Named, RDF] = {(BEAD, BEAD): curve}
        return Target(rdfs, {BEAD: stated_number(content, "density", where)}, kT, pressure), None
    densities = content["densities"]
    curves = read_curves(content["targets"], file.parent, units, content, notes)
    rdfs = {_pair(name, densities, file): curve for name, curve in curves.items()}
    return Target(rdfs, densities, kT, pressure), None


def _pair(name: str, densities: Mapping[str, float], file: Path) -> tuple[str, str]:
    for a in densities:
        for b in densities:
            # A bead type may have a dash in its name.
            if name == f"{a}-{b}":
                return a, b
    raise InputError(f"{file}: the target {name!r} is no pair of {', '.join(densities)}; write it as A-B")


def write_system(
    file: Path,
    state: StatePoint,
    densities: Mapping[str, float],
    targets: Mapping[tuple[str, str], Path],
    pressure: float | None = None,
) -> Path:
    """Write the file that `read_system` reads, with names of targets relative to it, and return its path.

    Parameters
    ----------
    file : Path
        Its folder is made.
    state : StatePoint
        Units and kT count.
    densities : mapping of str to float
        Of each bead type.
    targets : mapping of pair to Path
        The file of each pair.
    pressure : float, optional
        Pressure to reach.

    Raises
    ------
    InputError
        If a pair is missing.
    """
    from itertools import combinations_with_replacement

    from cginit.io import write_atomically

    missing = [
        f"{a}-{b}"
        for a, b in combinations_with_replacement(densities, 2)
        if (a, b) not in targets and (b, a) not in targets
    ]
    if missing:
        raise InputError(
            f"a mixture needs all its pairs, and {', '.join(missing)} is not sampled; leave --pair out"
        )
    if state.units is None:
        raise InputError("the state of a system has no units; give --units")
    file.parent.mkdir(parents=True, exist_ok=True)
    folder = file.parent.resolve()
    lines = [f"units = {_text(state.units.name)}", f"kT = {state.kT!r}"]
    lines += [] if pressure is None else [f"pressure = {pressure!r}"]
    lines += ["", "[densities]"]
    lines += [f"{_text(name)} = {float(value)!r}" for name, value in densities.items()]
    lines += ["", "[targets]"]
    lines += [
        f"{_text('-'.join(pair))} = {_text(Path(os.path.relpath(path.resolve(), folder)).as_posix())}"
        for pair, path in targets.items()
    ]
    return write_atomically(file, "\n".join(lines) + "\n")


def next_command(file: Path) -> str:
    """Return the command that refines the system of a file, to be pasted as it is."""
    import shlex

    return f"run cg-init refine {shlex.quote(str(file))} --workdir {shlex.quote(str(file.parent / WORKDIR))}"


def _text(words: str) -> str:
    # A string of JSON is one of TOML.
    return json.dumps(words, ensure_ascii=False)
