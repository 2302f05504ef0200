"""``cg-init mixture``: potentials of all pairs of a mixture, guessed and refined."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cginit.cli.options import (
    SIMULATION,
    Device,
    Equilibration,
    Every,
    LammpsBinary,
    Launcher,
    Production,
    Quiet,
    Seed,
    Threads,
)
from cginit.cli.refine import NOT_CONVERGED, make_engine
from cginit.errors import InputError

if TYPE_CHECKING:
    from cginit.curves import PairPotential
    from cginit.mixture import MixtureTarget, Pair
    from cginit.refine.mixture_store import MixtureIteration

__all__ = ["mixture", "read_mixture"]


def mixture(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="TOML file: units, temperature or kT, perhaps step (average finer g(r) over such bins) and range "
            "(use g(r) so far), a table [densities] of the species and a table [targets] with the file of each pair, "
            "as 'A-B' = 'A-B.dist.tgt'.",
        ),
    ],
    workdir: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Folder of the refinement, which goes on there; without it only guess."
        ),
    ] = None,
    method: Annotated[
        str, typer.Option(help="hnc, py or boltzmann, for the start.", rich_help_panel="Guess")
    ] = "hnc",
    cutoff: Annotated[
        float | None,
        typer.Option(help="Cut-off of all pairs. Default: one for each pair.", rich_help_panel="Guess"),
    ] = None,
    engine: Annotated[str, typer.Option(help="lammps or hoomd.", rich_help_panel=SIMULATION)] = "lammps",
    update: Annotated[
        str,
        typer.Option(
            help="auto (ihnc where it has a solution, else ibi), ihnc or ibi.", rich_help_panel="Update"
        ),
    ] = "auto",
    iterations: Annotated[
        int, typer.Option(help="Largest number of simulations.", min=1, rich_help_panel=SIMULATION)
    ] = 30,
    equilibration: Equilibration = 3_000,
    production: Production = 12_000,
    every: Every = 120,
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
    out: Annotated[
        list[str] | None,
        typer.Option(
            "--out",
            metavar="FILE",
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

    target = read_mixture(file)
    potentials = guess_mixture(target, method, cutoff)
    if not quiet:
        for pair, one in potentials.items():
            typer.echo(
                f"{'-'.join(pair):<12} cut-off {one.r_cut:.4g} {target.units.length}, core below {one.r_core:.4g}"
            )
        for note in dict.fromkeys(
            note for one in potentials.values() for note in one.notes if "kT ln" in note
        ):
            typer.secho(f"note      {note}", fg=typer.colors.YELLOW)
    converged = True
    if workdir is not None:

        def show(done: MixtureIteration) -> None:
            if not quiet:
                parts = "  ".join(f"{'-'.join(p)} {d.chi2:.3g}" for p, d in done.distances.items())
                typer.echo(f"iteration {done.index:<3} {done.update:<6} chi2  {parts}   {done.seconds:.0f} s")

        result = refine_mixture(
            target,
            potentials,
            make_engine(engine, lammps_binary, tuple(launcher.split()), threads, device),
            workdir=workdir,
            update=update,
            schedule=Schedule(equilibration=equilibration, production=production, every=every),
            iterations=iterations,
            seed=seed,
            start=mixture_start(target, potentials, beads=beads, seed=seed),
            progress=show,
        )
        potentials, converged = result.potentials, result.converged
        if not quiet:
            typer.echo(result.reason)
            for warning in result.history[result.best].warnings:
                typer.secho(f"note      {warning}", fg=typer.colors.YELLOW)
    folder = workdir or Path()
    for path in _write(
        potentials, out or [str(folder / "{pair}.pot"), str(folder / "mixture.table")], target.kT
    ):
        typer.echo(path)
    if not converged:
        raise typer.Exit(NOT_CONVERGED)


def read_mixture(file: Path) -> MixtureTarget:
    """Read the description of a mixture and its targets, whose names are relative to the file.

    Raises
    ------
    InputError
        If a key is missing or unknown, or a target cannot be read.
    """
    from cginit.io import read_rdf
    from cginit.mixture import MixtureTarget
    from cginit.network.config import read_toml
    from cginit.units import unit_system

    content = read_toml(file)
    known = {"units", "temperature", "kT", "densities", "targets", "clean", "step", "range"}
    unknown = sorted(set(content) - known)
    if unknown:
        raise InputError(
            f"{file} has unknown keys {', '.join(unknown)}; known are {', '.join(sorted(known))}"
        )
    for name in ("units", "densities", "targets"):
        if name not in content:
            raise InputError(f"{file} does not state {name}; it needs units, [densities] and [targets]")
    if ("temperature" in content) == ("kT" in content):
        raise InputError(f"{file} must state either temperature (kelvin) or kT")
    units = unit_system(content["units"])
    kT = content["kT"] if "kT" in content else content["temperature"] * units.boltzmann()
    curves = {}
    for name, target in content["targets"].items():
        curve = read_rdf(file.parent / target, units=units, clean=bool(content.get("clean", False)))
        if "step" in content:
            curve = curve.rebinned(float(content["step"]))
        if "range" in content:
            curve = curve.truncated(float(content["range"]))
        curves[_pair(name, content["densities"], file)] = curve
    return MixtureTarget(curves, content["densities"], float(kT))


def _pair(name: str, densities: dict[str, float], file: Path) -> Pair:
    for a in densities:
        for b in densities:
            if name == f"{a}-{b}":
                return a, b
    raise InputError(f"{file}: the target {name!r} is no pair of {', '.join(densities)}; write it as A-B")


def _write(potentials: dict[Pair, PairPotential], names: list[str], kT: float) -> list[str]:
    from cginit.io import write_table
    from cginit.io.pair_tables import write_pair_tables

    written = []
    for name in names:
        if "{pair}" in name:
            for pair, potential in potentials.items():
                path = Path(name.format(pair="-".join(pair)))
                path.parent.mkdir(parents=True, exist_ok=True)
                write_table(potential, path)
                written.append(str(path))
            continue
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        tables = write_pair_tables(potentials, name, kT=kT)
        written += [str(path) for path in tables.paths]
        typer.echo(tables.usage)
    return written
