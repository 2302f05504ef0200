"""``cg-init mixture``: potentials of all pairs of a mixture, guessed and refined."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cginit.cli.mixture_file import read_mixture
from cginit.cli.options import (
    SIMULATION,
    UPDATE,
    Adaptive,
    Cluster,
    Device,
    Equilibration,
    Every,
    Iterations,
    LammpsBinary,
    Launcher,
    Longest,
    NumberOfReplicas,
    Pressure,
    Production,
    Quiet,
    Reweighting,
    Seed,
    Threads,
    WallTime,
)
from cginit.cli.outputs import check_pair_tables
from cginit.cli.refine import NOT_CONVERGED, Correction, make_engine

if TYPE_CHECKING:
    from cginit.curves import PairPotential
    from cginit.mixture import Pair
    from cginit.refine.mixture_store import MixtureIteration

__all__ = ["mixture", "show_iteration", "write_mixture"]


def mixture(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="TOML file: units, temperature or kT, perhaps step (average finer g(r) over such bins), normalise "
            "(divide each g(r) by its mean beyond this distance) and range (use g(r) so far), a table \\[densities] "
            "of the species and a table \\[targets] with the file of each pair, as 'A-B' = 'A-B.dist.tgt'.",
        ),
    ],
    workdir: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Folder of the refinement, which goes on there; without it only guess."
        ),
    ] = None,
    method: Annotated[
        str, typer.Option(help="network, hnc, py or boltzmann, for the start.", rich_help_panel="Guess")
    ] = "network",
    cutoff: Annotated[
        float | None,
        typer.Option(help="Cut-off of all pairs. Default: one for each pair.", rich_help_panel="Guess"),
    ] = None,
    engine: Annotated[str, typer.Option(help="lammps or hoomd.", rich_help_panel=SIMULATION)] = "lammps",
    update: Annotated[
        str,
        typer.Option(
            help="auto (gauss-newton, with a way back, and ibi where it has no solution), gauss-newton, hncn, ihnc, "
            "imc or ibi.",
            rich_help_panel=UPDATE,
        ),
    ] = "auto",
    pressure: Pressure = None,
    pressure_correction: Annotated[
        Correction,
        typer.Option(
            help="How: within the update where it can (auto), or ramps: wjk or simple.",
            rich_help_panel=UPDATE,
        ),
    ] = "auto",
    reweighting: Reweighting = True,
    adaptive: Adaptive = True,
    iterations: Iterations = 30,
    wall_time: WallTime = None,
    equilibration: Equilibration = 3_000,
    production: Production = 12_000,
    every: Every = 120,
    longest: Longest = None,
    beads: Annotated[
        int | None,
        typer.Option(
            help="Number of beads, about. Default: 1000 or more.", min=100, rich_help_panel=SIMULATION
        ),
    ] = None,
    seed: Seed = 1,
    lammps_binary: LammpsBinary = None,
    launcher: Launcher = "",
    threads: Threads = 1,
    device: Device = "auto",
    replicas: NumberOfReplicas = 1,
    cluster: Cluster = None,
    out: Annotated[
        list[str] | None,
        typer.Option(
            "--out",
            metavar="FILE",
            callback=check_pair_tables,
            help="Tables to write: a name with {pair} in it, one file a pair, or one file for a program (.table, "
            ".py, .xml). Default: {pair}.pot and mixture.table, in the folder of the refinement if there is one.",
            rich_help_panel="Tables",
        ),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Guess and refine the potentials of all pairs of a mixture from their g(r).

    Every simulation is kept in --workdir. Exit code 0: converged (or only guessed), 3: stopped at the cap.
    """
    from cginit.engines.base import Schedule
    from cginit.guess.mixture import guess_mixture
    from cginit.refine.mixture import mixture_start, refine_mixture
    from cginit.refine.mixture_updates import make_mixture_update
    from cginit.refine.replicas import open_replicas

    target = read_mixture(file)
    potentials = guess_mixture(target, method, cutoff)
    if not quiet:
        for pair, one in potentials.items():
            typer.echo(
                f"{'-'.join(pair):<12} cut-off {one.r_cut:.4g} {target.units.length}, core below {one.r_core:.4g}"
            )
        for note in dict.fromkeys(
            note
            for one in potentials.values()
            for note in one.notes
            if "kT ln" in note or "stands in" in note
        ):
            typer.secho(f"note      {note}", fg=typer.colors.YELLOW)
    converged = True
    if workdir is not None:
        with open_replicas(replicas, cluster) as simulations:
            result = refine_mixture(
                target,
                potentials,
                make_engine(engine, lammps_binary, tuple(launcher.split()), threads, device),
                workdir=workdir,
                update=make_mixture_update(update, pressure=pressure, correction=pressure_correction),
                schedule=Schedule(equilibration=equilibration, production=production, every=every),
                iterations=iterations,
                wall_time=wall_time,
                seed=seed,
                start=mixture_start(target, potentials, beads=beads, seed=seed),
                adaptive=adaptive,
                reweighting=reweighting,
                replicas=simulations,
                longest=longest,
                progress=None if quiet else show_iteration,
            )
        potentials, converged = result.potentials, result.converged
        if not quiet:
            typer.echo(result.reason)
            last = result.history[result.best]
            for warning in (*last.warnings, *last.remarks):
                typer.secho(f"note      {warning}", fg=typer.colors.YELLOW)
    folder = workdir or Path()
    names = out or [str(folder / "{pair}.pot"), str(folder / "mixture.table")]
    for path in write_mixture(potentials, names, target.kT):
        typer.echo(path)
    if not converged:
        raise typer.Exit(NOT_CONVERGED)


def show_iteration(done: MixtureIteration) -> None:
    """Print a line for a finished simulation of a mixture."""
    parts = "  ".join(f"{'-'.join(pair)} {one.chi2:.3g}" for pair, one in done.distances.items())
    typer.echo(f"iteration {done.index:<3} {done.update:<6} chi2  {parts}   {done.seconds:.0f} s")


def write_mixture(
    potentials: dict[Pair, PairPotential],
    names: list[str],
    kT: float,
    labels: dict[Pair, str] | None = None,
) -> list[str]:
    """Write potentials and return the files: one a pair where a name holds ``{pair}``, else one for a program.

    `labels` are the names of the pairs in names of files, by default A-B.
    """
    from cginit.io import write_table
    from cginit.io.pair_tables import write_pair_tables

    written = []
    for name in names:
        if "{pair}" in name:
            for pair, potential in potentials.items():
                path = Path(name.format(pair="-".join(pair) if labels is None else labels[pair]))
                path.parent.mkdir(parents=True, exist_ok=True)
                write_table(potential, path)
                written.append(str(path))
            continue
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        tables = write_pair_tables(potentials, name, kT=kT)
        written += [str(path) for path in tables.paths]
        typer.echo(tables.usage)
    return written
