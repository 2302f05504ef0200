"""What every command that refines does: guess, run, say how it ended, write the tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cginit.cli.failures import NOT_CONVERGED
from cginit.cli.outputs import PAIR, check_pair_tables
from cginit.cli.progress import waiting
from cginit.cli.voice import quantity, voice
from cginit.errors import InputError

if TYPE_CHECKING:
    from cginit.bonded import BondedPotential, Potential
    from cginit.cli.simulation import SimulationOptions, UpdateOptions
    from cginit.cli.system import System
    from cginit.configuration import Configuration
    from cginit.curves import PairPotential
    from cginit.engines.base import Schedule
    from cginit.interactions import Interaction, Interactions
    from cginit.refine import Record, Refinement
    from cginit.target import Target

__all__ = [
    "NOT_CONVERGED",
    "finish",
    "guess_system",
    "run_targets",
    "say_plan",
    "say_run",
    "say_tables",
    "start_of_system",
    "with_pressure",
    "write_potentials",
    "write_results",
]

#: Programs that load tables, by the names of their formats.
PROGRAM_NAMES = {
    "lammps": "LAMMPS",
    "hoomd": "HOOMD",
    "openmm": "OpenMM",
    "gromacs": "GROMACS",
    "espresso": "ESPResSo",
    "dlpoly": "DL_POLY",
}


def guess_system(
    targets: Sequence[Target],
    method: str | None,
    cutoff: float | None,
    starts: Sequence[Configuration | None] = (),
) -> Interactions[Potential]:
    """Guess each interaction from the first state that has it; of one bead type by any method."""
    from cginit.guess import REFINEMENT_METHOD, guess
    from cginit.guess.mixture import DEFAULT_MIXTURE_METHOD, guess_mixture
    from cginit.guess.molecules import guess_molecules
    from cginit.interactions import Interactions

    found: dict[Interaction, Potential] = {}
    own: Mapping[Interaction, Potential]
    for number, one in enumerate(targets):
        if all(name in found for name in one.measured):
            continue
        if one.topology is not None:
            start = starts[number] if starts else None
            own = guess_molecules(one, method, cutoff, start)
        elif len(one.pairs) == 1:
            own = {one.pairs[0]: guess(one.rdfs.only(), one.state, method or REFINEMENT_METHOD, cutoff)}
        else:
            own = guess_mixture(one, method or DEFAULT_MIXTURE_METHOD, cutoff)
        for name, potential in own.items():
            found.setdefault(name, potential)
    return Interactions(found)


def start_of_system(
    file: Path, method: str | None, cutoff: float | None, out: list[Path] | None, pressure: float | None
) -> tuple[System, list[Target], Interactions[Potential]]:
    """Read the file of a system, guess what it does not give, and say what the potentials are."""
    from cginit.cli.system import read_system
    from cginit.interactions import Interactions

    system = read_system(file)
    if len({name for one in system.targets for name in one.pairs}) > 1:
        check_pair_tables(out)
    targets = with_pressure(system.targets, pressure)
    # A method that is named is wanted instead of the tables to start from.
    first = {} if method is not None else system.first_potentials(cutoff)
    known = {**first, **system.given_potentials()}
    guessed: Mapping[Interaction, Potential] = {}
    if any(name not in known for one in targets for name in one.measured):
        with waiting("guessing the potentials"):
            guessed = guess_system(targets, method, cutoff, system.starts)
    potentials = Interactions({**guessed, **known})
    describe_potentials(potentials)
    for note in system.notes:
        voice().note(note)
    return system, targets, potentials


def describe_potentials(potentials: Mapping[Interaction, Potential]) -> None:
    """Print a line for each interaction, and the notes of all of them once."""
    from cginit.bonded import BondedPotential

    spoken = voice()
    spoken.result["interactions"] = [str(name) for name in potentials]
    for name, one in potentials.items():
        if isinstance(one, BondedPotential):
            unit = one.units.length if name.coordinate == "bond" else "rad"
            spoken.line(
                f"{name!s:<12} from {one.x[0]:.4g} to {one.x[-1]:.4g} {unit}, minimum at {one.at_minimum:.4g}"
            )
            continue
        spoken.line(f"{name!s:<12} cut-off {one.r_cut:.4g} {one.units.length}, core below {one.r_core:.4g}")
    notes = (
        note for one in potentials.values() for note in one.notes if "kT ln" in note or "stands in" in note
    )
    for note in dict.fromkeys(notes):
        spoken.note(note)


def with_pressure(targets: Sequence[Target], pressure: float | None) -> list[Target]:
    """Return the targets with a pressure to reach, where the command line gives one."""
    import dataclasses

    if pressure is None:
        return list(targets)
    if len(targets) > 1:
        raise InputError("--pressure is that of one state; give the pressure of each in its table [[states]]")
    return [dataclasses.replace(one, pressure=pressure) for one in targets]


def run_targets(
    targets: Sequence[Target],
    potentials: Interactions[Potential],
    update: UpdateOptions,
    simulation: SimulationOptions,
    *,
    workdir: Path,
    held: Sequence[str] = (),
    starts: Sequence[Configuration | None] | None = None,
) -> Refinement:
    """Refine with live progress and say how it ended."""
    from cginit.cli.round_table import RoundTable
    from cginit.refine import refine_system

    with (
        simulation.settings(update) as settings,
        RoundTable(settings.limits.iterations, targets[0].units) as table,
    ):
        result = refine_system(
            targets,
            potentials,
            simulation.make_engine(),
            update.rule(targets),
            workdir=workdir,
            settings=settings,
            held=held,
            starts=_starts(simulation, targets, starts),
            progress=table.add,
        )
    finish(result, workdir)
    return result


def say_plan(targets: Sequence[Target], update: UpdateOptions, simulation: SimulationOptions) -> None:
    """Say what a refinement would do, which is not begun; see `say_run`."""
    say_run(update.rule(targets).name, simulation.engine, simulation.schedule, simulation.iterations)
    if simulation.start is not None:
        simulation.starts(targets)


def say_run(update: str, engine: str, schedule: Schedule, iterations: int) -> None:
    """Say which rule, engine and steps a refinement takes, and that it has not begun."""
    spoken = voice()
    spoken.result["plan"] = {
        "update": update,
        "engine": engine,
        "iterations": iterations,
        "equilibration": schedule.equilibration,
        "production": schedule.production,
        "every": schedule.every,
        "dt": quantity(schedule.dt, "a sqrt(m/kT)"),
    }
    spoken.line(f"update    {update}, at most {iterations} simulations by {engine}")
    spoken.line(
        f"each      {schedule.equilibration} steps of equilibration, {schedule.production} of sampling, a "
        f"configuration every {schedule.every}, time step {schedule.dt:.3g} a sqrt(m/kT)"
    )
    spoken.line("plan      nothing has been simulated or written; without --plan it begins")


def _starts(
    simulation: SimulationOptions,
    targets: Sequence[Target],
    known: Sequence[Configuration | None] | None,
) -> Sequence[Configuration | None]:
    """Return the starts that the options name, else those of the topologies."""
    if simulation.beads is not None and any(one.topology is not None for one in targets):
        raise InputError("--beads cannot stand beside a topology, which states them")
    if known is None or simulation.start is not None or simulation.beads is not None:
        return simulation.starts(targets)
    return known


def finish(result: Refinement, workdir: Path) -> None:
    """Say how a refinement ended, and how well its potentials are known."""
    spoken = voice()
    spoken.result |= {
        "workdir": workdir,
        "converged": result.converged,
        "reason": result.reason,
        "simulations": len(result.rounds),
        "best": result.best,
        "states": [_state(record) for record in result.shown],
        "known": list(result.certainty.sentences()),
    }
    spoken.line(result.reason)
    for line in result.certainty.sentences():
        spoken.line(f"known     {line}")
    notes = (text for record in result.rounds[result.best] for text in (*record.warnings, *record.remarks))
    for note in dict.fromkeys(notes):
        spoken.note(note)


def _state(record: Record) -> dict[str, Any]:
    """Return what was simulated of one state, for the JSON document."""
    unit = next(iter(record.rdfs.values())).units.pressure
    return {
        "pressure": quantity(record.pressure, unit, record.pressure_error),
        "interactions": {
            str(name): {"chi2": one.chi2, "mean_squared_difference": one.lmse, "largest": one.largest}
            for name, one in record.distances.items()
        },
    }


def say_tables(paths: Sequence[Path]) -> None:
    """Print the lines that load tables of one pair into LAMMPS, and the names of the files."""
    from cginit.io import table_usage

    say_usage("lammps", "\n".join(filter(None, map(table_usage, paths))))
    for path in paths:
        voice().file(path)


def say_usage(program: str, lines: str) -> None:
    """Print the lines that load tables into a program, one of the formats of tables."""
    spoken = voice()
    spoken.result["usage"] = [*spoken.result.get("usage", ()), *lines.splitlines()]
    for line in lines.splitlines():
        spoken.line(f"{PROGRAM_NAMES.get(program, program):<9} {line}")


def write_potentials(
    potentials: Mapping[Interaction, Potential],
    out: Sequence[Path | str] | None,
    folder: Path,
    *,
    kT: float,
    out_units: str | None = None,
    label: Callable[[str], str] = lambda name: name,
) -> None:
    """Write the tables and print their names.

    One interaction has tables of any format, by default ``best.pot`` and ``best.table`` in `folder`. Several have one
    for each where a name holds ``{pair}``, else one for a program, by default ``{pair}.pot`` and ``mixture.table``.
    Bonds, angles and dihedrals have a ``.pot`` each and ``bonded.table`` for LAMMPS in `folder`.
    `label` makes the name of an interaction that of its file.
    """
    from cginit.bonded import BondedPotential
    from cginit.curves import PairPotential
    from cginit.interactions import Interactions

    pairs = Interactions({name: one for name, one in potentials.items() if isinstance(one, PairPotential)})
    bonded = {name: one for name, one in potentials.items() if isinstance(one, BondedPotential)}
    if bonded:
        _write_bonded(bonded, folder, label)
    if pairs:
        _write_pairs(pairs, out, folder, kT, out_units, label)


def write_results(
    result: Refinement,
    out: Sequence[Path | str] | None,
    folder: Path,
    *,
    out_units: str | None = None,
    label: Callable[[str], str] = lambda name: name,
) -> None:
    """Write the tables of a refinement, and say what makes a model of them that runs, if they are of molecules."""
    write_potentials(
        result.potentials, out, folder, kT=result.targets[0].kT, out_units=out_units, label=label
    )
    if not all(name.is_pair for name in result.potentials):
        voice().line(f"run       cg-init export {folder} --for lammps writes a folder that runs as it is")


def _write_pairs(
    pairs: Interactions[PairPotential],
    out: Sequence[Path | str] | None,
    folder: Path,
    kT: float,
    out_units: str | None,
    label: Callable[[str], str],
) -> None:
    from cginit.io import write_table
    from cginit.io.pair_tables import write_pair_tables

    if len(pairs) == 1:
        own = label(str(next(iter(pairs))))
        names = [str(path).replace(PAIR, own) for path in out or (folder / "best.pot", folder / "best.table")]
        say_tables([write_table(pairs.only(), Path(name), units=out_units) for name in names])
        return
    if out_units is not None:
        raise InputError("--out-units is not for mixtures; their tables have the units of their files")
    for name in map(str, out or (folder / f"{PAIR}.pot", folder / "mixture.table")):
        if PAIR in name:
            for pair, potential in pairs.items():
                path = Path(name.replace(PAIR, label(str(pair))))
                path.parent.mkdir(parents=True, exist_ok=True)
                voice().file(write_table(potential, path))
            continue
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        tables = write_pair_tables({pair.types: one for pair, one in pairs.items()}, name, kT=kT)
        say_usage(tables.format, tables.usage)
        for path in tables.paths:
            voice().file(path)


def _write_bonded(
    potentials: Mapping[Interaction, BondedPotential], folder: Path, label: Callable[[str], str]
) -> None:
    from cginit.io.bonded_tables import write_bonded_pot, write_lammps_bonded

    folder.mkdir(parents=True, exist_ok=True)
    for name, one in potentials.items():
        own = label(str(name))
        stem = name.file_stem if own == str(name) else own
        voice().file(write_bonded_pot(one, folder / f"{stem}.pot"))
    path, usage = write_lammps_bonded(potentials, folder / "bonded.table")
    say_usage("lammps", usage)
    voice().file(path)
