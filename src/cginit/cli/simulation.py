"""Options of every command that refines: how potentials are changed and how they are simulated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

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
    Reweighting,
    Seed,
    Threads,
    WallTime,
)
from cginit.errors import InputError

if TYPE_CHECKING:
    from cginit.configuration import Configuration
    from cginit.engines.base import Engine, Schedule
    from cginit.refine import Settings, Update
    from cginit.target import Target

__all__ = ["SimulationOptions", "UpdateOptions"]


@dataclass(frozen=True)
class UpdateOptions:
    """How the potentials are changed after a simulation."""

    update: Annotated[
        str,
        typer.Option(
            help="auto (gauss-newton, and ibi where it has no answer), gauss-newton, ihnc, hncn, imc, ibi or "
            "anderson-ibi.",
            rich_help_panel=UPDATE,
        ),
    ] = "auto"
    damping: Annotated[
        float, typer.Option(help="Factor of each update, in (0, 1].", rich_help_panel=UPDATE)
    ] = 1.0
    pressure: Pressure = None
    pressure_correction: Annotated[
        Literal["auto", "wjk", "simple"],
        typer.Option(
            help="How: within the update where it can (auto), or by ramps: wjk or simple.",
            rich_help_panel=UPDATE,
        ),
    ] = "auto"
    kirkwood_buff: Annotated[
        bool,
        typer.Option(
            "--kirkwood-buff",
            help="Also bring the Kirkwood-Buff integral of each pair to that of its target, by ramps.",
            rich_help_panel=UPDATE,
        ),
    ] = False
    back: Annotated[
        bool,
        typer.Option(help="Take back a part of steps that made things worse.", rich_help_panel=UPDATE),
    ] = True
    reweighting: Reweighting = True

    def rule(self, targets: Sequence[Target]) -> Update:
        """Return the update rule."""
        from cginit.refine import make_update

        if self.pressure_correction != "auto" and all(one.pressure is None for one in targets):
            raise InputError(
                f"--pressure-correction {self.pressure_correction} has no pressure to reach; give --pressure"
            )
        return make_update(
            self.update,
            self.damping,
            pressure=any(one.pressure is not None for one in targets),
            correction=self.pressure_correction,
            kirkwood_buff=self.kirkwood_buff,
        )


@dataclass(frozen=True)
class SimulationOptions:
    """How potentials are simulated, and for how long."""

    engine: Annotated[
        str,
        typer.Option(
            help="lammps, hoomd, or dilute (no simulation: g = exp(-U/kT)).", rich_help_panel=SIMULATION
        ),
    ] = "lammps"
    iterations: Iterations = 30
    wall_time: WallTime = None
    equilibration: Equilibration = 3_000
    production: Production = 12_000
    every: Every = 120
    longest: Longest = None
    adaptive: Adaptive = True
    dt: Annotated[
        float,
        typer.Option(help="Time step in a sqrt(m/kT), a the bead diameter.", rich_help_panel=SIMULATION),
    ] = 0.005
    seed: Seed = 1
    start: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Start configuration: GSD, LAMMPS data, GRO or what else MDAnalysis reads. Default: made here.",
            rich_help_panel=SIMULATION,
        ),
    ] = None
    start_units: Annotated[
        str | None,
        typer.Option(
            help="Units of --start where its format leaves them open (GSD, LAMMPS data).",
            rich_help_panel=SIMULATION,
        ),
    ] = None
    beads: Annotated[
        int | None,
        typer.Option(
            help="Number of beads of the start made here. Default: 1000, or what g(r) needs.",
            min=100,
            rich_help_panel=SIMULATION,
        ),
    ] = None
    lammps_binary: LammpsBinary = None
    launcher: Launcher = ""
    threads: Threads = None
    device: Device = "auto"
    replicas: NumberOfReplicas = 1
    cluster: Cluster = None

    @property
    def schedule(self) -> Schedule:
        """Length of each simulation."""
        from cginit.engines.base import Schedule

        return Schedule(
            equilibration=self.equilibration, production=self.production, every=self.every, dt=self.dt
        )

    @contextmanager
    def settings(self, update: UpdateOptions) -> Iterator[Settings]:
        """Yield how the refinement is run, with the cluster that runs its replicas."""
        from cginit.refine import Limits, Settings, open_replicas

        with open_replicas(self.replicas, self.cluster) as replicas:
            yield Settings(
                schedule=self.schedule,
                limits=Limits(self.iterations, self.wall_time),
                seed=self.seed,
                adaptive=self.adaptive,
                reweighting=update.reweighting,
                replicas=replicas,
                longest=self.longest,
                back=update.back,
            )

    def check(self, update: UpdateOptions) -> None:
        """Refuse an engine and a rule that do not exist, before a guess that would be made in vain.

        Raises
        ------
        InputError
            If there is none of that name, or an option stands beside it that it does not know.
        """
        from cginit.refine import make_update

        self.make_engine()
        make_update(update.update, update.damping)

    def make_engine(self) -> Engine:
        """Build the engine with the options that it knows; refuse those that it does not."""
        from cginit.refine.loop import load_engine

        launcher = tuple(self.launcher.split())
        if self.engine == "lammps":
            from cginit.engines.lammps import LammpsEngine

            return LammpsEngine(binary=self.lammps_binary, launcher=launcher, threads=self.threads)
        if self.lammps_binary is not None or self.threads is not None:
            raise InputError(f"--lammps-binary and --threads do not apply to the engine {self.engine}")
        if self.engine == "hoomd":
            from cginit.engines.hoomd import HoomdEngine

            return HoomdEngine(device=self.device, launcher=launcher)
        if launcher:
            raise InputError(f"--launcher does not apply to the engine {self.engine}")
        return load_engine(self.engine)

    def starts(self, targets: Sequence[Target]) -> list[Configuration | None]:
        """Return the start of each state: read, made where only the number of beads was given, or left open."""
        if self.start is not None:
            return [self._read_start(targets)]
        if self.beads is None:
            return [None for _ in targets]
        from cginit.refine.loop import start_configuration

        return [
            start_configuration(one, 0.0, seed=self.seed + number, beads=self.beads)
            for number, one in enumerate(targets)
        ]

    def _read_start(self, targets: Sequence[Target]) -> Configuration:
        from cginit.trajectory import read_configuration

        if self.start is None or self.beads is not None:
            raise InputError("--start and --beads exclude each other: the file has its own number of beads")
        if len(targets) > 1:
            raise InputError(f"--start is the configuration of one state, and there are {len(targets)}")
        return read_configuration(self.start, units=self.start_units).to(targets[0].units)
