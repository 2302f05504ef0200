"""``cg-init refine`` and its other names: one loop for every system, with live progress."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cginit.cli.groups import refuse_options, with_groups
from cginit.cli.guess import OptionalSystem, nothing_beside
from cginit.cli.guess_facts import describe
from cginit.cli.guess_problem import GuessOptions, read_problem
from cginit.cli.options import Cutoff, Method, OutUnits, PairOut
from cginit.cli.outputs import PAIR, check_tables
from cginit.cli.progress import waiting
from cginit.cli.refinement import (
    NOT_CONVERGED,
    run_targets,
    say_plan,
    start_of_system,
    with_pressure,
    write_potentials,
    write_results,
)
from cginit.cli.simulation import SimulationOptions, UpdateOptions
from cginit.guess import REFINEMENT_METHOD

if TYPE_CHECKING:
    from cginit.curves import PairPotential
    from cginit.interactions import Interactions
    from cginit.target import Target

__all__ = ["mixture", "multistate", "refine"]

SystemFile = Annotated[
    Path,
    typer.Argument(
        metavar="FILE",
        help="TOML file of the system: units, temperature or kT, a table [densities] of the bead types and a table "
        "[targets] with the file of each pair, as 'A-B' = 'A-B.dist.tgt'; of one bead type target and density. "
        "Perhaps dr (average finer g(r) over such bins), normalise (divide each g(r) by its mean beyond this "
        "distance), range (use g(r) so far), pressure, [given] tables that stay as they are, and a table "
        "[[states]] for each of several states, with what differs, weight, or system = the file of another.",
    ),
]

Workdir = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Folder of the refinement; the same command run again goes on there. With --settings by default "
        "the folder cginit beside it.",
    ),
]
SettingsFile = Annotated[
    Path | None,
    typer.Option(
        "--settings",
        metavar="FILE",
        help="Settings of csg_inverse (VOTCA) instead of --rdf and what belongs to it. Options beside it count "
        "more.",
        rich_help_panel="Target",
    ),
]
StartTable = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Start from this table instead of a guess; the units in its header count, else --units, and "
        "--cutoff cuts it or lengthens it by U = 0.",
        rich_help_panel="Guess",
    ),
]
Plan = Annotated[
    bool,
    typer.Option(
        "--plan", help="Say what would be run, and end before the first simulation; nothing is written."
    ),
]


def refine_command(
    context: typer.Context,
    target: GuessOptions,
    update: UpdateOptions,
    simulation: SimulationOptions,
    system: OptionalSystem = None,
    workdir: Workdir = None,
    settings: SettingsFile = None,
    potential: StartTable = None,
    plan: Plan = False,
    out: PairOut = None,
    out_units: OutUnits = None,
) -> None:
    """Refine potentials by simulation until every g(r) differs from its target by noise only.

    The system is --rdf with its state, a SYSTEM file, or --settings. Every simulation is kept in --workdir; the best
    potentials are written to --out. Exit code 0: converged, 3: stopped at a cap.
    """
    if sum(one is not None for one in (system, target.rdf, settings)) != 1:
        raise typer.BadParameter("give one target: --rdf, a SYSTEM file, or --settings of csg_inverse")
    simulation.check(update)
    if settings is not None:
        from cginit.cli.votca import refine_settings

        refine_settings(settings, context, update, simulation, plan=plan)
        return
    if workdir is None and not plan:
        raise typer.BadParameter("give a folder for the refinement: --workdir DIR")
    if system is not None:
        nothing_beside(context, system)
        run_system(
            system, workdir, target.method, target.cutoff, update, simulation, out, out_units, plan=plan
        )
        return
    if potential is not None and target.method is not None:
        refuse_options(["method"], f"--potential {potential}, which is the start")
    check_tables([path for path in out or () if PAIR not in str(path)])
    options = replace(target, method=target.method or REFINEMENT_METHOD)
    targets, potentials = _of_rdf(options, potential)
    targets = with_pressure(targets, update.pressure)
    if plan or workdir is None:
        say_plan(targets, update, simulation)
        return
    result = run_targets(targets, potentials, update, simulation, workdir=workdir)
    write_results(result, out, workdir, out_units=out_units)
    if not result.converged:
        raise typer.Exit(NOT_CONVERGED)


refine = with_groups(refine_command)


def _of_rdf(options: GuessOptions, table: Path | None) -> tuple[list[Target], Interactions[PairPotential]]:
    """Return the target of one bead type, and its start: a table or a guess."""
    from cginit.guess import guess
    from cginit.interactions import Interactions
    from cginit.io import read_start, refuse_two_phases
    from cginit.target import Target

    problem = read_problem(options)
    refuse_two_phases(problem.target, problem.state)
    if table is None:
        with waiting("guessing the potential"):
            first = guess(problem.target, problem.state, options.method or REFINEMENT_METHOD, problem.r_cut)
    else:
        first = read_start(table, problem.target, problem.state.kT, options.cutoff)
    describe(problem, first)
    target = Target.of(problem.target, problem.state)
    return [target], Interactions({target.pairs[0]: first})


def run_system(
    file: Path,
    workdir: Path | None,
    method: str | None,
    cutoff: float | None,
    update: UpdateOptions,
    simulation: SimulationOptions,
    out: list[Path] | None,
    out_units: str | None = None,
    *,
    plan: bool = False,
) -> None:
    """Guess and refine the system of a file; without a `workdir` only guess, and of a `plan` only say it."""
    system, targets, potentials = start_of_system(file, method, cutoff, out, update.pressure)
    if plan:
        say_plan(targets, update, simulation)
        return
    if workdir is None:
        write_potentials(potentials, out, Path(), kT=targets[0].kT, out_units=out_units)
        return
    result = run_targets(
        targets,
        potentials,
        update,
        simulation,
        workdir=workdir,
        held=[str(name) for name in system.given_potentials()],
        starts=system.starts if any(system.starts) else None,
    )
    write_results(result, out, workdir, out_units=out_units)
    if not (result.converged or result.compromise):
        raise typer.Exit(NOT_CONVERGED)


def mixture_command(
    file: SystemFile,
    update: UpdateOptions,
    simulation: SimulationOptions,
    workdir: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Folder of the refinement, which goes on there; without it only guess."
        ),
    ] = None,
    method: Method = None,
    cutoff: Cutoff = None,
    out: PairOut = None,
    out_units: OutUnits = None,
) -> None:
    """Guess and refine the potentials of all pairs of a mixture: cg-init refine SYSTEM by another name.

    Every simulation is kept in --workdir. Exit code 0: converged (or only guessed), 3: stopped at the cap.
    """
    simulation.check(update)
    run_system(file, workdir, method, cutoff, update, simulation, out, out_units)


def multistate_command(
    file: SystemFile,
    update: UpdateOptions,
    simulation: SimulationOptions,
    workdir: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder of the refinement; the same command goes on there.")
    ],
    method: Method = None,
    cutoff: Cutoff = None,
    out: PairOut = None,
    out_units: OutUnits = None,
) -> None:
    """Refine common potentials against the g(r) of several states: cg-init refine SYSTEM by another name.

    Exit code 0: every state is at the noise, or the best compromise is found; 3: stopped at a cap.
    """
    simulation.check(update)
    run_system(file, workdir, method, cutoff, update, simulation, out, out_units)


mixture = with_groups(mixture_command)
multistate = with_groups(multistate_command)
