"""Small refinements as commands, started, killed, started again, and compared to the last bit."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cginit import RDF, StatePoint, write_rdf
from cginit.liquid import solve

#: Seconds within which what has to happen must have happened, on a busy machine.
PATIENCE = 1200.0
#: Exit codes of a refinement that has ended: converged, or at its cap.
DONE = (0, 3)
R = 0.05 * np.arange(51)
DENSITY, DIMERS = 0.6, 125
#: So many beads make such noise that the loop would be content with anything; the target claims to be exact.
SHORT = (
    *("--engine", "lammps", "--update", "ibi", "--quiet"),
    *("--equilibration", "100", "--production", "2500", "--every", "50", "--seed", "7"),
)
PROGRAM = "from cginit.cli import main; main()"


@dataclass(frozen=True)
class Case:
    """A refinement of a few short simulations.

    Attributes
    ----------
    name : str
        Name.
    arguments : tuple of str
        Of the program.
    """

    name: str
    arguments: tuple[str, ...]


ONE = Case(
    "one species",
    ("refine", "--rdf", "t.dat", "--method", "boltzmann", "--workdir", "w", "--iterations", "4", "--beads", "250",
     "--damping", "0.2", "--no-adaptive", "--no-reweighting", *SHORT),
)  # fmt: skip
MIXTURE = Case(
    "mixture",
    ("mixture", "m.toml", "--method", "boltzmann", "--workdir", "w", "--iterations", "3", "--beads", "250",
     "--no-adaptive", "--no-reweighting", *SHORT),
)  # fmt: skip
STATES = Case(
    "several states",
    ("multistate", "s.toml", "--method", "boltzmann", "--workdir", "w", "--iterations", "2", *SHORT),
)
MOLECULES = Case(
    "molecules",
    ("refine", "d.toml", "--method", "boltzmann", "--workdir", "w", "--iterations", "3",
     "--no-adaptive", "--no-reweighting", *SHORT),
)  # fmt: skip
REPLICAS = Case("replicas", (*ONE.arguments, "--replicas", "2"))


def prepare(folder: Path) -> Path:
    """Write the targets of all cases into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    u = 8.0 * np.exp(-4.0 * R**2) - 0.3 * np.exp(-(((R - 1.3) / 0.3) ** 2))
    state = StatePoint(DENSITY, 1.0, "lj")
    for name, factor in (("t.dat", 1.0), ("ab.dat", 0.8), ("hot.dat", 0.7)):
        fluid = solve(R, factor * (u - u[-1]), DENSITY)
        g = np.maximum(np.interp(R, fluid.r, fluid.g), 0.0)
        write_rdf(RDF(R, g, np.full(R.size, 1e-4), units="lj"), folder / name, state=state)
    (folder / "m.toml").write_text(
        'units = "lj"\nkT = 1.0\n[densities]\nA = 0.25\nB = 0.35\n[targets]\n'
        'A-A = "t.dat"\nA-B = "ab.dat"\nB-B = "hot.dat"\n'
    )
    (folder / "s.toml").write_text(
        'units = "lj"\n[[states]]\ntarget = "t.dat"\ndensity = 0.6\nkT = 1.0\n'
        '[[states]]\ntarget = "hot.dat"\ndensity = 0.6\nkT = 1.4\n'
    )
    _prepare_molecules(folder)
    return folder


def _prepare_molecules(folder: Path) -> None:
    """Write dimers: their file, the distribution of a spring, and what refines both."""
    x = np.arange(0.7, 1.3001, 0.01)
    write_distribution(folder / "bond.dat", x, np.exp(-75.0 * (x - 1.0) ** 2) * x**2)
    rng = np.random.default_rng(5)
    n, edge = 2 * DIMERS, (2 * DIMERS / DENSITY) ** (1.0 / 3.0)
    # On a lattice, so that no two of them overlap.
    cells = int(np.ceil(DIMERS ** (1.0 / 3.0)))
    places = np.stack(np.meshgrid(*3 * [np.arange(cells)], indexing="ij"), axis=-1).reshape(-1, 3)[:DIMERS]
    heads = places * edge / cells + 0.2
    ways = rng.normal(size=heads.shape)
    beads = (
        np.stack([heads, heads + ways / np.linalg.norm(ways, axis=1)[:, None]], axis=1).reshape(-1, 3) % edge
    )
    rows = (f"{i + 1} {i // 2 + 1} 1 {x:.6f} {y:.6f} {z:.6f}" for i, (x, y, z) in enumerate(beads))
    bonds = (f"{i + 1} 1 {2 * i + 1} {2 * i + 2}" for i in range(DIMERS))
    (folder / "d.data").write_text(
        f"dimers\n\n{n} atoms\n{DIMERS} bonds\n1 atom types\n1 bond types\n\n"
        + "".join(f"0 {edge:.6f} {axis}lo {axis}hi\n" for axis in "xyz")
        + "\nMasses\n\n1 1.0 # A\n\nAtoms # molecular\n\n"
        + "\n".join(rows) + "\n\nBonds\n\n" + "\n".join(bonds) + "\n"
    )  # fmt: skip
    (folder / "d.toml").write_text(
        'units = "lj"\nkT = 1.0\ntopology = "d.data"\ntopology_units = "lj"\nexclusions = "1-2"\n'
        'target_exclusions = "1-2"\n[targets]\n"A-A" = "t.dat"\n"bond A-A" = "bond.dat"\n'
    )


def write_distribution(path: Path, x: np.ndarray, p: np.ndarray) -> None:
    """Write a plain density per length, normalised, with an error that a short simulation does not reach."""
    p = p / (np.sum(p) * (x[1] - x[0]))
    path.write_text("".join(f"{a:.4f} {b:.8f} {1e-4 * b:.8f}\n" for a, b in zip(x, p, strict=True)))


def start(case: Case, folder: Path) -> subprocess.Popen[str]:
    """Start the command in a folder."""
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *case.arguments],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Wait for the end; return the exit code and what was said."""
    try:
        _, errors = process.communicate(timeout=PATIENCE)
    except BaseException:
        process.kill()
        process.communicate()
        raise
    return process.returncode, errors


def complete(case: Case, folder: Path) -> float:
    """Run the command to its end; return the seconds that it took."""
    began = time.monotonic()
    code, errors = finish(start(case, folder))
    assert code in DONE, f"{code}: {errors}"
    return time.monotonic() - began


def kill(process: subprocess.Popen[str]) -> None:
    """Give a process no time for a farewell."""
    process.send_signal(signal.SIGKILL)
    process.communicate()


def of_engine(path: Path) -> bool:
    """Whether a file is one of an engine's own (engine, engine_2, ...), which nothing reads again."""
    return any(part.split("_")[0] == "engine" for part in path.parts)


def result(folder: Path) -> dict[str, bytes]:
    """Return what a refinement has found: its tables, and every array that it keeps, to the bit."""
    found = {}
    for path in sorted((folder / "w").rglob("*")):
        name = str(path.relative_to(folder))
        if of_engine(path) or path.name.startswith("#") or not path.is_file():
            continue
        if path.suffix in (".pot", ".table"):
            found[name] = path.read_bytes()
        elif path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as arrays:
                for key in arrays.files:
                    found[f"{name}:{key}"] = arrays[key].tobytes()
    return found


def assert_same(folder: Path, wanted: dict[str, bytes]) -> None:
    """Fail unless a folder holds the same result, nothing that is half written, and no lock."""
    found = result(folder)
    assert sorted(found) == sorted(wanted)
    assert not [name for name in found if found[name] != wanted[name]]
    names = [one.name for one in (folder / "w").rglob("*")]
    assert not [name for name in names if name.endswith((".partial", ".tmp")) or name.startswith(".lock")]


def until(condition, seconds: float = PATIENCE) -> bool:
    """Wait until something holds; whether it does."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.01)
    return False


def processes() -> Iterator[tuple[int, int, str, str]]:
    """Yield number, parent, working directory and command of every process of this machine."""
    for one in Path("/proc").iterdir():
        if not one.name.isdigit():
            continue
        try:
            words = (one / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            parent = int((one / "stat").read_text(errors="replace").rpartition(")")[2].split()[1])
            yield int(one.name), parent, str((one / "cwd").readlink()), words
        except (OSError, ValueError, IndexError):
            continue


def engines(folder: Path) -> list[int]:
    """Return the processes of LAMMPS below a folder."""
    return [
        number
        for number, _, place, words in processes()
        if place.startswith(f"{folder.resolve()}/") and "-in in.lammps" in words and "_guardian" not in words
    ]


def workers(process: subprocess.Popen[str]) -> list[int]:
    """Return the workers of Dask of a command."""
    return [
        number for number, parent, _, words in processes() if parent == process.pid and "spawn_main" in words
    ]
