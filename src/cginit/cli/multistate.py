"""``cg-init multistate``: common potentials for several state points, of one bead type or of mixtures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypedDict

import typer

from cginit.cli.guess import write_tables
from cginit.cli.mixture import write_mixture
from cginit.cli.mixture_file import read_mixture
from cginit.cli.options import (
    SIMULATION,
    Cluster,
    Device,
    Equilibration,
    Every,
    LammpsBinary,
    Launcher,
    NumberOfReplicas,
    OutUnits,
    PairOut,
    Production,
    Quiet,
    Seed,
    Threads,
)
from cginit.cli.refine import NOT_CONVERGED, make_engine
from cginit.cli.toml import check_keys, stated_energy
from cginit.errors import InputError
from cginit.guess import REFINEMENT_METHOD

if TYPE_CHECKING:
    from cginit.curves import PairPotential
    from cginit.engines.base import Schedule
    from cginit.mixture import Pair
    from cginit.refine.checkpoint import Iteration
    from cginit.refine.mixture_states import MixtureState
    from cginit.refine.mixture_store import MixtureIteration
    from cginit.refine.multistate import StateTarget
    from cginit.refine.replicas import Replicas
    from cginit.refine.rounds import StatesRefinement

__all__ = ["multistate", "read_states"]

_KEYS = {"target", "density", "temperature", "kT", "weight"}


def multistate(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="TOML file with a table \\[\\[states]] for each state. One bead type: target (a file), density, "
            "temperature or kT, and units before the tables. Mixtures: mixture, the file of cg-init mixture. Both: "
            "perhaps weight.",
        ),
    ],
    workdir: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder of the refinement; the same command goes on there.")
    ],
    method: Annotated[
        str | None,
        typer.Option(
            help=f"Guess from the first state that has the pair. Default: {REFINEMENT_METHOD}, network for mixtures.",
            rich_help_panel="Guess",
        ),
    ] = None,
    cutoff: Annotated[
        float | None, typer.Option(help="Cut-off of the potentials.", rich_help_panel="Guess")
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
    out: PairOut = None,
    out_units: OutUnits = None,
    quiet: Quiet = False,
) -> None:
    """Refine common potentials against the g(r) of several state points.

    Of mixtures --out is as for cg-init mixture.

    Exit code 0: every state is at the noise, or the best compromise is found; 3: stopped at a cap.
    """
    from cginit.engines.base import Schedule
    from cginit.guess import guess
    from cginit.refine.mixture_states import MixtureState, refine_mixture_states
    from cginit.refine.multistate import refine_states
    from cginit.refine.replicas import open_replicas

    states = read_states(file)
    mixtures = [one for one in states if isinstance(one, MixtureState)]
    plain = [one for one in states if not isinstance(one, MixtureState)]
    if mixtures and out_units is not None:
        raise InputError("--out-units is not for mixtures; their tables have the units of their files")

    def show(finished: tuple[Iteration, ...] | tuple[MixtureIteration, ...]) -> None:
        if not quiet:
            parts = "  ".join(f"{_chi2(item):.3g}" for item in finished)
            seconds = sum(item.seconds for item in finished)
            typer.echo(f"round {finished[0].index:<3} chi2 of the states  {parts}   {seconds:.0f} s")

    simulator = make_engine(engine, lammps_binary, tuple(launcher.split()), threads, device)
    with open_replicas(replicas, cluster) as simulations:
        settings: _Settings = {
            "workdir": workdir,
            "update": update,
            "schedule": Schedule(equilibration=equilibration, production=production, every=every),
            "iterations": iterations,
            "wall_time": wall_time,
            "seed": seed,
            "replicas": simulations,
            "progress": show,
        }
        result: StatesRefinement[PairPotential, Any] | StatesRefinement[dict[Pair, PairPotential], Any]
        if mixtures:
            start = _guess_mixtures(mixtures, method or "network", cutoff)
            result = refine_mixture_states(mixtures, start, simulator, **settings)
        else:
            first = guess(plain[0].target, plain[0].state, method or REFINEMENT_METHOD, cutoff)
            result = refine_states(plain, first, simulator, **settings)
    if not quiet:
        typer.echo(result.reason)
    for path in _write(result.potential, out, workdir, out_units, mixtures[0].target.kT if mixtures else 1.0):
        typer.echo(path)
    if not result.converged and not result.compromise:
        raise typer.Exit(NOT_CONVERGED)


class _Settings(TypedDict):
    """What refinements of several states are given alike."""

    workdir: Path
    update: str
    schedule: Schedule
    iterations: int
    wall_time: float | None
    seed: int
    replicas: Replicas
    progress: Callable[[Any], None]


def _chi2(item: Iteration | MixtureIteration) -> float:
    from cginit.refine.mixture_store import MixtureIteration

    return (item.distance() if isinstance(item, MixtureIteration) else item.distance).chi2


def _guess_mixtures(
    states: Sequence[MixtureState], method: str, cutoff: float | None
) -> dict[Pair, PairPotential]:
    """Guess each pair from the first state that has it."""
    from cginit.guess.mixture import guess_mixture

    found: dict[Pair, PairPotential] = {}
    for one in states:
        if any(pair not in found and pair[::-1] not in found for pair in one.target.pairs):
            for pair, potential in guess_mixture(one.target, method, cutoff).items():
                if pair[::-1] not in found:
                    found.setdefault(pair, potential)
    return found


def _write(
    found: PairPotential | dict[Pair, PairPotential],
    out: list[Path] | None,
    workdir: Path,
    units: str | None,
    kT: float,
) -> Sequence[Path | str]:
    """Write the tables and return their paths; `kT` is that of the first state, for tables in its units."""
    if isinstance(found, dict):
        names = [str(path) for path in out or [workdir / "{pair}.pot", workdir / "mixture.table"]]
        return write_mixture(found, names, kT)
    return write_tables(found, out or [workdir / "best.pot", workdir / "best.table"], units)


def read_states(file: Path) -> list[StateTarget] | list[MixtureState]:
    """Read the states of a TOML file; the names of other files are relative to it.

    Raises
    ------
    InputError
        If a key is missing or unknown, a target cannot be read, or some states are mixtures and others are not.
    """
    from cginit.network.config import read_toml

    content = read_toml(file)
    if not content.get("states"):
        raise InputError(f"{file} has no table [[states]]; it must state one for each state")
    named = ["mixture" in one for one in content["states"]]
    if all(named):
        return _read_mixtures(file, content)
    if any(named):
        raise InputError(
            f"{file}: some states are mixtures and others are not; describe a pure liquid by a file of cg-init "
            "mixture with one species"
        )
    return _read_targets(file, content)


def _read_mixtures(file: Path, content: dict[str, Any]) -> list[MixtureState]:
    from cginit.refine.mixture_states import MixtureState

    if set(content) != {"states"}:
        raise InputError(f"{file}: the files of the mixtures state their units; give tables [[states]] only")
    states = []
    for number, one in enumerate(content["states"], start=1):
        check_keys(one, {"mixture", "weight"}, f"state {number} of {file}")
        states.append(MixtureState(read_mixture(file.parent / one["mixture"]), float(one.get("weight", 1.0))))
    return states


def _read_targets(file: Path, content: dict[str, Any]) -> list[StateTarget]:
    from cginit.io import read_rdf
    from cginit.refine.multistate import StateTarget
    from cginit.state import StatePoint
    from cginit.units import unit_system

    if set(content) != {"units", "states"}:
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
