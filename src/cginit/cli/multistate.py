"""``cg-init multistate``: one potential for several state points."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cginit.cli.guess import write_tables
from cginit.cli.options import (
    SIMULATION,
    Cluster,
    Device,
    Equilibration,
    Every,
    LammpsBinary,
    Launcher,
    NumberOfReplicas,
    Out,
    OutUnits,
    Production,
    Quiet,
    Seed,
    Threads,
)
from cginit.cli.refine import NOT_CONVERGED, make_engine
from cginit.cli.toml import check_keys, stated_energy
from cginit.errors import InputError
from cginit.guess import DEFAULT_METHOD

if TYPE_CHECKING:
    from cginit.refine.checkpoint import Iteration
    from cginit.refine.multistate import StateTarget

__all__ = ["multistate", "read_states"]

_KEYS = {"target", "density", "temperature", "kT", "weight"}


def multistate(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="TOML file: units, and for each state a table [[states]] with target (a file), density, temperature "
            "or kT, and perhaps weight.",
        ),
    ],
    workdir: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder of the refinement; the same command goes on there.")
    ],
    method: Annotated[
        str, typer.Option(help="Guess from the first state.", rich_help_panel="Guess")
    ] = DEFAULT_METHOD,
    cutoff: Annotated[
        float | None, typer.Option(help="Cut-off of the potential.", rich_help_panel="Guess")
    ] = None,
    engine: Annotated[
        str, typer.Option(help="lammps, hoomd or dilute.", rich_help_panel=SIMULATION)
    ] = "lammps",
    update: Annotated[
        str,
        typer.Option(help="auto (Gauss-Newton for all states at once) or ibi.", rich_help_panel="Update"),
    ] = "auto",
    iterations: Annotated[
        int, typer.Option(help="Largest number of rounds.", min=1, rich_help_panel=SIMULATION)
    ] = 20,
    wall_time: Annotated[
        float | None,
        typer.Option(help="Seconds after which no new round starts.", rich_help_panel=SIMULATION),
    ] = None,
    equilibration: Equilibration = 3_000,
    production: Production = 12_000,
    every: Every = 120,
    seed: Seed = 1,
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
    """Refine one transferable potential against the g(r) of several state points.

    Exit code 0: every state is at the noise, or the best compromise is found; 3: stopped at a cap.
    """
    from cginit.engines.base import Schedule
    from cginit.guess import guess
    from cginit.refine.multistate import refine_states
    from cginit.refine.replicas import open_replicas

    states = read_states(file)
    first = guess(states[0].target, states[0].state, method, cutoff)

    def show(finished: tuple[Iteration, ...]) -> None:
        if not quiet:
            parts = "  ".join(f"{item.distance.chi2:.3g}" for item in finished)
            seconds = sum(item.seconds for item in finished)
            typer.echo(f"round {finished[0].index:<3} chi2 of the states  {parts}   {seconds:.0f} s")

    with open_replicas(replicas, cluster) as simulations:
        result = refine_states(
            states,
            first,
            make_engine(engine, lammps_binary, tuple(launcher.split()), threads, device),
            workdir=workdir,
            update=update,
            schedule=Schedule(equilibration=equilibration, production=production, every=every),
            iterations=iterations,
            wall_time=wall_time,
            seed=seed,
            replicas=simulations,
            progress=show,
        )
    if not quiet:
        typer.echo(result.reason)
    for path in write_tables(
        result.potential, out or [workdir / "best.pot", workdir / "best.table"], out_units
    ):
        typer.echo(path)
    if not result.converged and not result.compromise:
        raise typer.Exit(NOT_CONVERGED)


def read_states(file: Path) -> list[StateTarget]:
    """Read the states of a TOML file; the names of the targets are relative to it.

    Raises
    ------
    InputError
        If a key is missing or unknown, or a target cannot be read.
    """
    from cginit.io import read_rdf
    from cginit.network.config import read_toml
    from cginit.refine.multistate import StateTarget
    from cginit.state import StatePoint
    from cginit.units import unit_system

    content = read_toml(file)
    if set(content) != {"units", "states"} or not content["states"]:
        raise InputError(f"{file} must state units and one table [[states]] for each state, and nothing else")
    units = unit_system(content["units"])
    states = []
    for number, one in enumerate(content["states"], start=1):
        where = f"state {number} of {file}"
        check_keys(one, _KEYS, where)
        if "target" not in one or "density" not in one:
            raise InputError(f"{where} needs target, density, and either temperature (kelvin) or kT")
        state = StatePoint(one["density"], stated_energy(one, units, where), units)
        target = read_rdf(file.parent / one["target"], units=units)
        states.append(StateTarget(target, state, float(one.get("weight", 1.0))))
    return states
