"""``cg-init refine``: the loop with live progress."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cginit.cli.guess import GuessOptions, Problem, describe, read_problem, write_tables
from cginit.cli.options import (
    SIMULATION,
    UPDATE,
    Adaptive,
    Clean,
    Cluster,
    Cutoff,
    Density,
    Device,
    DeviceName,
    Equilibration,
    Every,
    Iterations,
    Kt,
    LammpsBinary,
    Launcher,
    Longest,
    Method,
    NumberOfReplicas,
    OptionalRdf,
    Out,
    OutUnits,
    Pressure,
    Production,
    Quiet,
    Reweighting,
    Seed,
    TargetBeads,
    Temperature,
    Threads,
    Units,
    WallTime,
)
from cginit.cli.settings import SettingsFile, refine_settings
from cginit.errors import InputError
from cginit.guess import REFINEMENT_METHOD

if TYPE_CHECKING:
    from cginit.configuration import Configuration
    from cginit.engines.base import Engine

__all__ = ["make_engine", "refine"]

NOT_CONVERGED = 3

Correction = Literal["auto", "wjk", "simple"]


def refine(
    context: typer.Context,
    rdf: OptionalRdf = None,
    workdir: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder of the refinement; the same command run again goes on there. With --settings by default "
            "the folder cginit beside it.",
        ),
    ] = None,
    settings: SettingsFile = None,
    density: Density = None,
    temperature: Temperature = None,
    kT: Kt = None,
    units: Units = None,
    method: Method = REFINEMENT_METHOD,
    potential: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Start from this table instead of a guess; the units in its header count, else --units, and "
            "--cutoff cuts it or lengthens it by U = 0.",
            rich_help_panel="Guess",
        ),
    ] = None,
    cutoff: Cutoff = None,
    clean: Clean = False,
    target_beads: TargetBeads = None,
    engine: Annotated[
        str, typer.Option(help="lammps, hoomd or dilute.", rich_help_panel=SIMULATION)
    ] = "lammps",
    update: Annotated[
        str,
        typer.Option(
            help="auto, gauss-newton, ihnc, hncn, imc, ibi or anderson-ibi.", rich_help_panel=UPDATE
        ),
    ] = "auto",
    damping: Annotated[
        float, typer.Option(help="Factor of each update, in (0, 1].", rich_help_panel=UPDATE)
    ] = 1.0,
    pressure: Pressure = None,
    pressure_correction: Annotated[
        Correction,
        typer.Option(
            help="How: within the update where it can (auto), or a ramp: wjk or simple.",
            rich_help_panel=UPDATE,
        ),
    ] = "auto",
    kirkwood_buff: Annotated[
        bool, typer.Option("--kirkwood-buff", help="Add the Kirkwood-Buff ramp.", rich_help_panel=UPDATE)
    ] = False,
    reweighting: Reweighting = True,
    adaptive: Adaptive = True,
    iterations: Iterations = 30,
    wall_time: WallTime = None,
    equilibration: Equilibration = 3_000,
    production: Production = 12_000,
    every: Every = 120,
    longest: Longest = None,
    dt: Annotated[
        float,
        typer.Option(help="Time step in a sqrt(m/kT), a the bead diameter.", rich_help_panel=SIMULATION),
    ] = 0.005,
    seed: Seed = 1,
    start: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Start configuration: GSD, LAMMPS data, GRO or what else MDAnalysis reads. Default: made here.",
            rich_help_panel=SIMULATION,
        ),
    ] = None,
    start_units: Annotated[
        str | None,
        typer.Option(
            help="Units of --start where its format leaves them open (GSD, LAMMPS data).",
            rich_help_panel=SIMULATION,
        ),
    ] = None,
    beads: Annotated[
        int | None,
        typer.Option(
            help="Number of beads of the start made here. Default: 1000, or what g(r) needs.",
            min=100,
            rich_help_panel=SIMULATION,
        ),
    ] = None,
    lammps_binary: LammpsBinary = None,
    launcher: Launcher = "",
    threads: Threads = 1,
    device: Device = "auto",
    replicas: NumberOfReplicas = 1,
    cluster: Cluster = None,
    out: Out = None,
    out_units: OutUnits = None,
    quiet: Quiet = False,
) -> None:
    """Refine a potential by simulation until its g(r) differs from the target by noise only.

    Every simulation is kept in --workdir; the best potential is written to --out. Exit code 0: converged, 3: stopped
    at a cap.
    """
    from cginit.cli.progress import IterationTable
    from cginit.engines.base import Schedule
    from cginit.guess import guess
    from cginit.io import read_start
    from cginit.refine import Limits, make_update
    from cginit.refine import refine as run_loop
    from cginit.refine.replicas import open_replicas

    if settings is not None:
        refine_settings(settings, context)
        return
    if rdf is None or workdir is None:
        raise typer.BadParameter("give the target --rdf and a folder --workdir, or --settings of csg_inverse")
    options = GuessOptions(rdf, density, temperature, kT, units, method, cutoff, clean, target_beads)
    problem = read_problem(options)
    if potential is None:
        first = guess(problem.target, problem.state, method, problem.r_cut)
    else:
        first = read_start(potential, problem.target, problem.state.kT, cutoff)
    if not quiet:
        describe(problem, first)
    rule = make_update(
        update, damping, pressure=pressure, correction=pressure_correction, kirkwood_buff=kirkwood_buff
    )
    with (
        open_replicas(replicas, cluster) as simulations,
        IterationTable(iterations, problem.target.units, quiet=quiet) as table,
    ):
        result = run_loop(
            problem.target,
            problem.state,
            first,
            make_engine(engine, lammps_binary, tuple(launcher.split()), threads, device),
            rule,
            workdir=workdir,
            schedule=Schedule(equilibration=equilibration, production=production, every=every, dt=dt),
            limits=Limits(iterations, wall_time),
            seed=seed,
            start=_start_configuration(start, start_units, beads, problem, seed),
            adaptive=adaptive,
            reweighting=reweighting,
            replicas=simulations,
            longest=longest,
            progress=table.add,
        )
    if not quiet:
        typer.echo(result.reason)
        last = result.history[result.best]
        for warning in (*last.warnings, *last.remarks):
            typer.secho(f"note      {warning}", fg=typer.colors.YELLOW)
    for path in write_tables(
        result.potential, out or [workdir / "best.pot", workdir / "best.table"], out_units
    ):
        typer.echo(path)
    if not result.converged:
        raise typer.Exit(NOT_CONVERGED)


def make_engine(
    name: str, binary: str | None, launcher: tuple[str, ...], threads: int, device: DeviceName
) -> Engine:
    """Build the engine with the options that it knows; refuse those that it does not."""
    from cginit.refine.loop import load_engine

    if name == "lammps":
        from cginit.engines.lammps import LammpsEngine

        return LammpsEngine(binary=binary, launcher=launcher, threads=threads)
    if binary is not None or threads != 1:
        raise InputError(f"--lammps-binary and --threads do not apply to the engine {name}")
    if name == "hoomd":
        from cginit.engines.hoomd import HoomdEngine

        return HoomdEngine(device=device, launcher=launcher)
    if launcher:
        raise InputError(f"--launcher does not apply to the engine {name}")
    return load_engine(name)


def _start_configuration(
    path: Path | None, units: str | None, beads: int | None, problem: Problem, seed: int
) -> Configuration | None:
    """Read the start, or make it where only the number of beads was given; None leaves it to the loop."""
    if path is not None:
        from cginit.trajectory import read_configuration

        if beads is not None:
            raise InputError("--start and --beads exclude each other: the file has its own number of beads")
        return read_configuration(path, units=units).to(problem.target.units)
    if beads is None:
        return None
    from cginit.configuration import random_configuration

    return random_configuration(beads, problem.state.density, seed=seed, units=problem.target.units)
