"""``cg-init refine --settings``: a settings file of csg_inverse, run here."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cginit.cli.guess import Problem, describe, write_tables
from cginit.errors import InputError

if TYPE_CHECKING:
    from cginit.engines.base import Engine
    from cginit.votca import Settings

__all__ = ["SettingsFile", "refine_settings"]

SettingsFile = Annotated[
    Path | None,
    typer.Option(
        "--settings",
        metavar="FILE",
        help="Settings of csg_inverse (VOTCA) instead of --rdf and what belongs to it. Options beside it count more.",
        rich_help_panel="Target",
    ),
]

NOT_CONVERGED = 3
#: Options of the command that may stand beside --settings.
BESIDE = (
    *("settings", "workdir", "method", "density", "clean", "update", "reweighting", "adaptive", "engine"),
    *("iterations", "wall_time", "equilibration", "production", "every", "dt", "seed", "lammps_binary"),
    *("launcher", "threads", "device", "replicas", "cluster", "longest", "out", "out_units", "quiet"),
)
#: Of these, what only a single component has.
NOT_FOR_MIXTURES = ("density", "reweighting", "adaptive", "replicas", "cluster", "longest", "out_units")
#: Folder of the refinement beside the settings unless --workdir names another.
WORKDIR = "cginit"


def refine_settings(path: Path, context: typer.Context) -> None:
    """Run a settings file of csg_inverse as ``cg-init refine`` runs its own options.

    Raises
    ------
    InputError
        If the file asks for something that is not done here, or an option stands beside it that it decides.
    typer.Exit
        With code 3 if the refinement stopped at a cap.
    """
    from cginit.cli.progress import IterationTable
    from cginit.refine import Limits, make_update
    from cginit.refine.replicas import open_replicas
    from cginit.votca import make_plan, read_settings, run_plan

    given = _given(context)
    wrong = [name for name in given if name not in BESIDE]
    if wrong:
        names = ", ".join("--" + name.replace("_", "-") for name in wrong)
        raise InputError(
            f"{names} cannot stand beside --settings, which decides it; change {path}, or leave --settings out"
        )
    settings = read_settings(path)
    if settings.is_mixture:
        _refine_mixture(settings, context, given)
        return
    quiet = bool(given.get("quiet"))
    plan = make_plan(
        settings,
        method=given.get("method"),
        density=given.get("density"),
        iterations=given.get("iterations"),
        clean=bool(given.get("clean")),
    )
    changed = {name: given[name] for name in ("equilibration", "production", "every", "dt") if name in given}
    limits = Limits(plan.limits.iterations, given.get("wall_time"))
    plan = replace(plan, schedule=replace(plan.schedule, **changed), limits=limits)
    if "update" in given:
        wanted: float | None = getattr(plan.update, "pressure", None)
        plan = replace(plan, update=make_update(given["update"], pressure=wanted))
    if not quiet:
        problem = Problem(plan.target, plan.state, plan.problem.r_cut, ())
        describe(problem, plan.potential)
        for note in plan.notes:
            typer.secho(f"settings  {note}", fg=typer.colors.YELLOW)
    values = context.params
    engine = _engine(values)
    workdir: Path = given.get("workdir") or settings.folder / WORKDIR
    with (
        open_replicas(values["replicas"], values["cluster"]) as simulations,
        IterationTable(plan.limits.iterations, plan.target.units, quiet=quiet) as table,
    ):
        result = run_plan(
            plan,
            engine,
            workdir,
            seed=values["seed"],
            adaptive=values["adaptive"],
            reweighting=values["reweighting"],
            replicas=simulations,
            longest=given.get("longest"),
            progress=table.add,
        )
    if not quiet:
        typer.echo(result.reason)
        last = result.history[result.best]
        for warning in (*last.warnings, *last.remarks):
            typer.secho(f"note      {warning}", fg=typer.colors.YELLOW)
    name = settings.interaction.name
    default = [workdir / f"{name}.pot", workdir / f"{name}.table"]
    for written in write_tables(result.potential, given.get("out") or default, given.get("out_units")):
        typer.echo(written)
    if not result.converged:
        raise typer.Exit(NOT_CONVERGED)


def _refine_mixture(settings: Settings, context: typer.Context, given: dict[str, Any]) -> None:
    """Run a settings file with several bead types."""
    from cginit.cli.mixture import show_iteration, write_mixture
    from cginit.votca import make_mixture_plan, run_mixture_plan

    wrong = [name for name in given if name in NOT_FOR_MIXTURES]
    if wrong:
        names = ", ".join("--" + name.replace("_", "-") for name in wrong)
        raise InputError(
            f"{names}: not for mixtures, and {settings.path} has {len(settings.interactions)} pairs"
        )
    quiet = bool(given.get("quiet"))
    plan = make_mixture_plan(
        settings,
        method=given.get("method"),
        update=given.get("update"),
        iterations=given.get("iterations"),
        clean=bool(given.get("clean")),
    )
    changed = {name: given[name] for name in ("equilibration", "production", "every", "dt") if name in given}
    plan = replace(plan, schedule=replace(plan.schedule, **changed))
    if not quiet:
        for note in plan.notes:
            typer.secho(f"settings  {note}", fg=typer.colors.YELLOW)
    workdir: Path = given.get("workdir") or settings.folder / WORKDIR
    result = run_mixture_plan(
        plan,
        _engine(context.params),
        workdir,
        seed=context.params["seed"],
        wall_time=given.get("wall_time"),
        progress=None if quiet else show_iteration,
    )
    if not quiet:
        typer.echo(result.reason)
        for warning in result.history[result.best].warnings:
            typer.secho(f"note      {warning}", fg=typer.colors.YELLOW)
    out = [str(name) for name in given.get("out") or (workdir / "{pair}.pot", workdir / "mixture.table")]
    for written in write_mixture(result.potentials, out, plan.target.kT, plan.names):
        typer.echo(written)
    if not result.converged:
        raise typer.Exit(NOT_CONVERGED)


def _engine(values: dict[str, Any]) -> Engine:
    from cginit.cli.refine import make_engine

    return make_engine(
        values["engine"],
        values["lammps_binary"],
        tuple(values["launcher"].split()),
        values["threads"],
        values["device"],
    )


def _given(context: typer.Context) -> dict[str, Any]:
    """Return the options that the user wrote, by name."""
    return {
        name: value
        for name, value in context.params.items()
        if (source := context.get_parameter_source(name)) is not None and source.name == "COMMANDLINE"
    }
