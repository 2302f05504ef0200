"""HOOMD-blue as an engine: each run is a process of its own, in a folder that a user can rerun by hand."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import numpy as np

from cginit.configuration import Configuration, Trajectory
from cginit.engines.base import EngineRun, Potentials, ReducedProblem, Schedule, reduce_problem
from cginit.engines.hoomd_molecules import left_table, molecule_inputs
from cginit.engines.process import Finished, last_words, run_engine
from cginit.engines.table import engine_table
from cginit.errors import EngineError, InputError, MissingDependencyError, UnstableError
from cginit.state import StatePoint

__all__ = ["HOOMD_PATH_VARIABLE", "HoomdEngine"]

#: Environment variable: a folder that holds the package ``hoomd``, for builds that are not installed.
HOOMD_PATH_VARIABLE = "CGINIT_HOOMD_PATH"

_SCRIPT, _SETTINGS, _START = "run_hoomd.py", "settings.json", "start.npz"
_FRAMES, _RESULT, _LOG, _GSD = "frames.npy", "result.npz", "log.hoomd", "trajectory.gsd"

#: Exit code of the worker where HOOMD cannot be imported.
_MISSING = 3
#: Width of the neighbour list's shell in a; smaller only where the box leaves no room for it.
_BUFFER = 0.4


@dataclass(frozen=True)
class HoomdEngine:
    """Run HOOMD-blue (4.8 or newer, from conda-forge) on a CPU or a GPU.

    HOOMD runs in a Python of its own, started in the run's folder, so that an abort there is an error here.

    Parameters
    ----------
    device : {"cpu", "gpu", "auto"}
        Where HOOMD runs; ``auto`` takes a GPU where HOOMD finds one.
    gsd : bool
        Whether to leave the production run in ``trajectory.gsd`` too, in the units of the potential.
    launcher : tuple of str
        What stands before the interpreter, for example ``("mpirun", "-n", "4")`` with an MPI build of HOOMD.
    python : str, optional
        The interpreter that has HOOMD, for example that of a conda environment; by default this one. The folder
        named by the environment variable ``CGINIT_HOOMD_PATH`` is searched first.
    timeout : float, optional
        Wall time in seconds after which a run is stopped and reported as failed.
    """

    device: Literal["cpu", "gpu", "auto"] = "cpu"
    gsd: bool = False
    launcher: tuple[str, ...] = ()
    python: str | None = None
    timeout: float | None = None

    def __post_init__(self) -> None:
        if self.device not in ("cpu", "gpu", "auto"):
            raise InputError(f"unknown HOOMD device {self.device!r}; choose cpu, gpu or auto")

    @property
    def name(self) -> str:
        """``hoomd``."""
        return "hoomd"

    @property
    def coordinates(self) -> frozenset[str]:
        """All of them."""
        return frozenset({"pair", "bond", "angle", "dihedral"})

    def run(
        self,
        potential: Potentials,
        state: StatePoint,
        start: Configuration,
        schedule: Schedule,
        *,
        seed: int,
        workdir: Path,
    ) -> EngineRun:
        """Simulate with Langevin dynamics; see `cginit.engines.base.Engine`.

        Raises
        ------
        InputError
            If the arguments do not fit each other.
        MissingDependencyError
            If the interpreter has no HOOMD-blue.
        EngineError
            If HOOMD stops with an error, which the message quotes.
        """
        problem = reduce_problem(potential, state, start, schedule)
        workdir.mkdir(parents=True, exist_ok=True)
        _write_inputs(problem, schedule, seed, self.device, workdir)
        self._execute(workdir, problem)
        run = _read_run(workdir, problem, schedule, seed)
        if self.gsd and run.trajectory is not None:
            _write_gsd(run.trajectory, schedule, workdir / _GSD)
        return run

    def command(self) -> list[str]:
        """Return the command line, to be run in the folder of the run."""
        return [*self.launcher, self.python or sys.executable, _SCRIPT]

    def environment(self) -> dict[str, str]:
        """Return the environment of the interpreter, which finds HOOMD-blue where ``CGINIT_HOOMD_PATH`` says."""
        environment = dict(os.environ)
        paths = [environment.get(HOOMD_PATH_VARIABLE, ""), environment.get("PYTHONPATH", "")]
        environment["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
        return environment

    def _execute(self, workdir: Path, problem: ReducedProblem) -> None:
        for name in (_FRAMES, _RESULT, _LOG, _GSD):
            (workdir / name).unlink(missing_ok=True)
        log, environment = workdir / _LOG, self.environment()
        done = run_engine("HOOMD-blue", self.command(), workdir, environment, log, timeout=self.timeout)
        if done.code == _MISSING:
            raise MissingDependencyError(
                f"{self.python or sys.executable} has no HOOMD-blue ({_words(workdir)}): conda install "
                f"-c conda-forge hoomd, or set {HOOMD_PATH_VARIABLE} to the folder that holds the package hoomd"
            )
        if done.code != 0 or not (workdir / _RESULT).exists():
            raise _failure(workdir, done, problem)


def _write_inputs(problem: ReducedProblem, schedule: Schedule, seed: int, device: str, workdir: Path) -> None:
    start = problem.start
    half = 0.5 * float(np.min(start.box))
    arrays: dict[str, Any] = {}
    cuts: dict[str, float] = {}
    for (i, j), one in problem.potentials.items():
        # HOOMD's grid: linspace(0, r_cut, points, endpoint=False); the end point, U = F = 0, is implied.
        _, u, f = engine_table(one)
        arrays[f"u_{i}_{j}"], arrays[f"f_{i}_{j}"] = u[:-1], f[:-1]
        # HOOMD wants cut-off and buffer to stay below half the box; U vanishes at the cut-off, so that moving it
        # by a millionth costs nothing.
        cuts[f"{i}_{j}"] = min(one.r_cut, half * (1.0 - 1e-6))
    r_cut = max(cuts.values())
    molecules, terms = molecule_inputs(problem)
    np.savez(
        workdir / _START, positions=start.positions, box=start.box, types=start.types, **arrays, **molecules
    )
    settings = {
        **terms,
        "length": problem.length,
        "device": device,
        "seed": int(np.random.SeedSequence(seed).generate_state(1, np.uint64)[0]),
        "species": len(start.species),
        "r_cut": cuts,
        "buffer": max(min(_BUFFER, 0.99 * (half - r_cut)), 0.0),
        "dt": problem.dt,
        "friction": schedule.friction,
        "push_off": schedule.push_off,
        "equilibration": schedule.equilibration,
        "production": schedule.production // schedule.every * schedule.every,
        "every": schedule.every,
        "sample_every": schedule.sample_every,
    }
    (workdir / _SETTINGS).write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")
    worker = files("cginit.engines").joinpath("_hoomd_worker.py").read_text(encoding="utf-8")
    (workdir / _SCRIPT).write_text(worker, encoding="utf-8")


#: HOOMD's words for what users can mend, and how.
_REMEDIES = (
    ("no longer in the simulation box", "the run blew up; use a smaller time step or a longer push-off"),
    ("out of bounds", "the run blew up; use a smaller time step or a longer push-off"),
    ("NaN", "the run blew up; use a smaller time step or a longer push-off"),
    ("too small for domain decomposition", "use fewer ranks, or more beads"),
    ("without MPI", "leave out the launcher, or install an MPI build of HOOMD-blue"),
    ("GPU", "choose the device cpu, or install a GPU build of HOOMD-blue"),
)


def _words(workdir: Path) -> str:
    log = workdir / _LOG
    text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    errors = [line[len("ERROR:") :].strip() for line in text.splitlines() if line.startswith("ERROR:")]
    return errors[0] if errors else last_words(text)


def _failure(workdir: Path, done: Finished, problem: ReducedProblem) -> EngineError:
    words = _words(workdir)
    left = left_table(words, problem)
    if left is not None:
        return UnstableError(f"HOOMD-blue stopped: {left}. Its log is {workdir / _LOG}")
    remedy = next((f"; {advice}" for sign, advice in _REMEDIES if sign in words), "")
    message = f"HOOMD-blue stopped ({done.how}): {words}{remedy}. Its log is {workdir / _LOG}"
    return UnstableError(message) if "blew up" in remedy else EngineError(message)


def _read_run(workdir: Path, problem: ReducedProblem, schedule: Schedule, seed: int) -> EngineRun:
    with np.load(workdir / _RESULT, allow_pickle=False) as result:
        return problem.run(
            np.load(workdir / _FRAMES, allow_pickle=False),
            final=result["final"],
            energy=result["thermo"][:, 0],
            virial=result["thermo"][:, 1],
            engine="hoomd",
            version=str(result["version"]),
            seed=seed,
            schedule=schedule,
            seconds=float(result["seconds"]),
        )


def _write_gsd(trajectory: Trajectory, schedule: Schedule, path: Path) -> None:
    try:
        import gsd.hoomd
    except ImportError as error:
        raise MissingDependencyError("a GSD file needs gsd: pip install 'cginit[sampling]'") from error

    with gsd.hoomd.open(path, mode="w") as file:
        for index, positions in enumerate(trajectory.positions):
            frame = gsd.hoomd.Frame()
            frame.configuration.step = (index + 1) * schedule.every
            frame.configuration.box = [*trajectory.box, 0.0, 0.0, 0.0]
            frame.particles.N = trajectory.n
            frame.particles.types = list(trajectory.species)
            frame.particles.typeid = trajectory.types
            frame.particles.position = positions
            file.append(frame)
