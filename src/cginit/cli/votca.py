"""``cg-init refine --settings``: a settings file of csg_inverse, run here."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from cginit.cli.groups import given_options, refuse_options
from cginit.cli.guess_facts import Problem, describe
from cginit.cli.refinement import NOT_CONVERGED, describe_potentials, finish, say_run, write_results
from cginit.cli.voice import voice

if TYPE_CHECKING:
    from cginit.cli.simulation import SimulationOptions, UpdateOptions
    from cginit.votca import Plan

__all__ = ["refine_settings"]

#: Options of the command that may stand beside --settings.
BESIDE = (
    *(
        "settings",
        "plan",
        "workdir",
        "method",
        "density",
        "clean",
        "update",
        "reweighting",
        "adaptive",
        "engine",
    ),
    *("iterations", "wall_time", "equilibration", "production", "every", "dt", "seed", "lammps_binary"),
    *("launcher", "threads", "device", "replicas", "cluster", "longest", "back", "out", "out_units"),
)
#: Folder of the refinement beside the settings unless --workdir names another.
WORKDIR = "cginit"


def refine_settings(
    path: Path,
    context: typer.Context,
    update: UpdateOptions,
    simulation: SimulationOptions,
    *,
    plan: bool = False,
) -> None:
    """Run a settings file of csg_inverse as ``cg-init refine`` runs its own options, or only say its `plan`.

    Raises
    ------
    InputError
        If the file asks for something that is not done here, or an option stands beside it that it decides.
    typer.Exit
        With code 3 if the refinement stopped at a cap.
    """
    from cginit.cli.round_table import RoundTable
    from cginit.refine import Limits
    from cginit.votca import make_plan, read_settings, run_plan

    given = given_options(context)
    refuse_options(
        [name for name in given if name not in BESIDE],
        f"--settings, which decides it; change {path}, or leave --settings out",
    )
    settings = read_settings(path)
    made = make_plan(
        settings,
        method=given.get("method"),
        update=given.get("update"),
        density=given.get("density"),
        iterations=given.get("iterations"),
    )
    changed = {name: given[name] for name in ("equilibration", "production", "every", "dt") if name in given}
    limits = Limits(made.limits.iterations, given.get("wall_time"))
    made = replace(made, schedule=replace(made.schedule, **changed), limits=limits)
    _describe(made)
    if plan:
        say_run(made.update.name, simulation.engine, made.schedule, made.limits.iterations)
        return
    # Some versions of Typer make paths of strings only after this.
    workdir = Path(given.get("workdir") or settings.folder / WORKDIR)
    with (
        simulation.settings(update) as run,
        RoundTable(made.limits.iterations, made.target.units) as table,
    ):
        result = run_plan(made, simulation.make_engine(), workdir, settings=run, progress=table.add)
    finish(result, workdir)
    labels = {str(pair): name for pair, name in made.names.items()}
    out = [Path(path) for path in given["out"]] if given.get("out") else None
    if out is None and len(labels) == 1:
        (own,) = labels.values()
        out = [workdir / f"{own}.pot", workdir / f"{own}.table"]
    write_results(
        result, out, workdir, out_units=given.get("out_units"), label=lambda name: labels.get(name, name)
    )
    if not result.converged:
        raise typer.Exit(NOT_CONVERGED)


def _describe(plan: Plan) -> None:
    """Print what is run, and what is done otherwise than csg_inverse would."""
    from cginit.bonded import BondedPotential

    potential = next(iter(plan.potentials.values()))
    if len(plan.potentials) == 1 and not isinstance(potential, BondedPotential):
        describe(Problem(plan.target.rdfs.only(), plan.target.state, potential.r_cut, ()), potential)
    else:
        describe_potentials(plan.potentials)
    for note in plan.notes:
        voice().note(note, "settings  ")
