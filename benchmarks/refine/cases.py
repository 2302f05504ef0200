"""Targets of the refinement benchmark: liquids of known potential, water, mixtures, test points of the data set."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cginit import RDF, PairPotential, StatePoint, read_rdf, sampling, write_rdf
from cginit.campaign import Dataset
from cginit.campaign import load as load_dataset
from cginit.configuration import Configuration, random_configuration
from cginit.engines import Schedule
from cginit.engines.lammps import LammpsEngine
from cginit.io import read_rdf_header
from cginit.target import Target

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "data" / "state-points.h5"
#: The test points, chosen once by `chosen`.
TEST_POINTS = Path(__file__).with_name("cases.json")
Energy = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Liquid:
    """A liquid in reduced units (kT = 1) with a known potential."""

    density: float
    r_cut: float
    dr: float
    energy: Energy


def lennard_jones(r: np.ndarray) -> np.ndarray:
    r = np.maximum(r, 0.65)
    return 4.0 * (r**-12 - r**-6)


def wca(r: np.ndarray) -> np.ndarray:
    return np.where(r < 2 ** (1 / 6), lennard_jones(r) + 1.0, 0.0)


def gaussian_core(r: np.ndarray) -> np.ndarray:
    return 5.0 * np.exp(-(r**2))


def two_lengths(r: np.ndarray) -> np.ndarray:
    """Core and a soft shoulder at 1.8 of it, as water-like models have them."""
    return wca(r) + 1.5 / (1.0 + np.exp((r - 1.8) / 0.1))


LIQUIDS = {
    "lj": Liquid(0.8, 2.5, 0.02, lennard_jones),
    "wca": Liquid(0.8, 2.0, 0.02, wca),
    "gaussian-core": Liquid(0.5, 3.5, 0.05, gaussian_core),
    "two-lengths": Liquid(0.3, 3.0, 0.03, two_lengths),
}
#: Liquids that set no constant of the package, to try what is calibrated on others.
OTHER_LIQUIDS = {
    "lj-hot": Liquid(0.5, 2.5, 0.02, lambda r: lennard_jones(r) / 1.5),
    "soft-spheres": Liquid(0.6, 2.5, 0.02, lambda r: np.maximum(r, 0.5) ** -12.0),
    "yukawa": Liquid(0.4, 3.5, 0.03, lambda r: wca(r) + 3.0 * np.exp(-2.0 * (r - 1.0)) / np.maximum(r, 0.3)),
    "hertz": Liquid(1.0, 1.5, 0.02, lambda r: 20.0 * np.maximum(0.0, 1.0 - r / 1.4) ** 2.5),
}
#: Steps and seed of a target; long against those of a refinement, so that its noise hardly counts.
TARGET_STEPS, TARGET_SEED = 60_000, 2024

#: The mixture that is simulated here: densities, and size and well of the Lennard-Jones potential of each pair.
BINARY_DENSITIES = {"A": 0.5, "B": 0.35}
BINARY = {("A", "A"): (1.0, 0.8), ("A", "B"): (0.95, 1.0), ("B", "B"): (0.85, 0.65)}
MIXTURES = ("binary", "lj-mixture")

#: Test points of the data set: so many of each family, and the shortest cut-off, in sigma.
OF_EACH_FAMILY, SHORTEST = 10, 0.5


@dataclass(frozen=True, eq=False)
class Case:
    """One target with its state, cut-off and number of beads."""

    target: RDF
    state: StatePoint
    r_cut: float
    beads: int


def names() -> list[str]:
    """Return the cases that can be run here; the targets of others are named by CGINIT_TARGETS."""
    given = {"spce": "spce/CG-CG.dist.tgt", "lj-mixture": "lj-mixture/LJ1-LJ1.dist.tgt"}
    return [name for name in chosen_cases() if name not in given or _given(given[name])]


def chosen_cases() -> list[str]:
    """Return all cases, those first whose targets need no simulation."""
    return ["water", "spce", *json.loads(TEST_POINTS.read_text()), *LIQUIDS, *MIXTURES]


def chosen(data: Dataset, count: int = OF_EACH_FAMILY) -> list[str]:
    """Return the names of test points, spread evenly over the densities of each family.

    The accepted test points of a family, ordered by density and seed, are divided into as many equal parts as are
    wanted, and the middle one of each is taken. Left out are cut-offs of less than ten bins of g.
    """
    found = []
    for family in ("a", "b"):
        test = data.accepted & (data.family == family) & (data.split == "test")
        rows = np.flatnonzero(test & (data.r_cut >= SHORTEST))
        rows = rows[np.lexsort((data.index[rows], data.seed[rows], data.density[rows]))]
        for part in np.array_split(rows, count):
            row = part[part.size // 2]
            found.append(f"{family}-{int(data.seed[row]):06d}-{int(data.index[row])}")
    return found


def others(data: Dataset, count: int = 4) -> list[str]:
    """Return liquids that are in no other list: those above, and test points spread over the densities of a family.

    As `chosen`, of each part the first one that is not in the benchmark of the refinement.
    """
    used, found = set(json.loads(TEST_POINTS.read_text())), []
    for family in ("b", "a"):
        test = data.accepted & (data.family == family) & (data.split == "test")
        rows = np.flatnonzero(test & (data.r_cut >= SHORTEST))
        rows = rows[np.lexsort((data.index[rows], data.seed[rows], data.density[rows]))]
        for part in np.array_split(rows, count):
            names = (
                f"{family}-{int(data.seed[row]):06d}-{int(data.index[row])}" for row in part[part.size // 4 :]
            )
            found.append(next(name for name in names if name not in used))
    return [*found, *OTHER_LIQUIDS]


def _given(path: str) -> Path | None:
    folder = os.environ.get("CGINIT_TARGETS")
    found = None if folder is None else Path(folder) / path
    return found if found is not None and found.exists() else None


def _needed(path: str) -> Path:
    found = _given(path)
    if found is None:
        raise SystemExit(f"{path} is not in the folder that CGINIT_TARGETS names")
    return found


def true_potential(name: str) -> PairPotential:
    """Return the potential that made the target of a liquid or of a test point; of these on its own fine grid."""
    if name not in LIQUIDS and name not in OTHER_LIQUIDS:
        data, row = _row(name)
        known = np.isfinite(data.u[row])
        return PairPotential.shifted(data.u_r[row][known], data.u[row][known], units="lj")
    liquid = (LIQUIDS | OTHER_LIQUIDS)[name]
    r = np.arange(round(liquid.r_cut / liquid.dr) + 1) * liquid.dr
    return PairPotential.shifted(r, liquid.energy(r), units="lj")


def load(name: str, folder: Path, beads: int) -> Case:
    """Return a case of one species; a liquid is simulated once, with twice the beads, and kept in `folder`."""
    if name == "spce":
        target = read_rdf(_needed("spce/CG-CG.dist.tgt"), units="nm-kJ/mol")
        return Case(target, StatePoint.from_temperature(33.2827, 300.0, "nm-kJ/mol"), 0.9, beads)
    if name == "water":
        path = ROOT / "examples/water/target.dat"
        target, header = read_rdf(path), read_rdf_header(path)
        return Case(target, StatePoint(header.density or 0.0, header.kT or 0.0, target.units), 0.9, beads)
    if name in LIQUIDS or name in OTHER_LIQUIDS:
        return _liquid(name, folder, beads)
    return _test_point(name)


def _liquid(name: str, folder: Path, beads: int) -> Case:
    liquid = (LIQUIDS | OTHER_LIQUIDS)[name]
    state = StatePoint(liquid.density, 1.0, "lj")
    path = folder / f"{name}.dat"
    with _alone(folder / f"{name}.lock"):
        if not path.exists():
            _simulate_liquid(name, path, beads)
    return Case(read_rdf(path), state, liquid.r_cut, beads)


def _simulate_liquid(name: str, path: Path, beads: int) -> None:
    liquid = (LIQUIDS | OTHER_LIQUIDS)[name]
    start = random_configuration(2 * beads, liquid.density, seed=TARGET_SEED, units="lj")
    schedule = Schedule(equilibration=10_000, production=TARGET_STEPS, every=150)
    work = path.with_name(f"{name}-run")
    work.mkdir(parents=True, exist_ok=True)
    state = StatePoint(liquid.density, 1.0, "lj")
    run = LammpsEngine().run(true_potential(name), state, start, schedule, seed=TARGET_SEED, workdir=work)
    if run.trajectory is None:
        raise SystemExit("the engine returned no configurations")
    half = 0.5 * float(np.min(run.trajectory.box))
    r_max = np.floor((min(half, 2.0 * liquid.r_cut) / liquid.dr) - 0.5) * liquid.dr
    write_rdf(sampling.rdf(run.trajectory, dr=liquid.dr, r_max=float(r_max)), path, state=state)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Let one process at a time make a target."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _test_point(name: str) -> Case:
    """The recorded g(r) with its errors, and as many beads as were recorded."""
    data, row = _row(name)
    known = np.isfinite(data.g[row])
    end = int(np.argmin(known)) if not np.all(known) else known.size
    target = RDF(data.r[:end], data.g[row][:end], data.g_error[row][:end], units="lj")
    # On the grid of g, not below the cut-off of the potential.
    r_cut = float(np.ceil(data.r_cut[row] / target.dr - 1e-6)) * target.dr
    return Case(target, StatePoint(float(data.density[row]), 1.0, "lj"), r_cut, int(data.n[row]))


def _row(name: str) -> tuple[Dataset, int]:
    """Return the data set, and the row of a test point."""
    data = load_dataset(DATA)
    family, seed, index = name.split("-")
    chosen = (data.family == family) & (data.seed == int(seed)) & (data.index == int(index))
    return data, int(np.flatnonzero(chosen)[0])


def load_mixture(name: str, folder: Path, beads: int) -> tuple[Target, float, Configuration]:
    """Return target, cut-off and start of a mixture; that of known potentials is simulated once."""
    if name == "lj-mixture":
        curves = {}
        for pair in (("LJ1", "LJ1"), ("LJ1", "LJ2"), ("LJ2", "LJ2")):
            path = _needed(f"lj-mixture/{'-'.join(pair)}.dist.tgt")
            # All three tend to 0.99; a simulation at the stated densities tends to 1.
            curves[pair] = read_rdf(path, units="nm-kJ/mol").rebinned(0.01).normalised(1.4)
        target = Target(curves, {"LJ1": 12.535, "LJ2": 12.535}, 0.70673)
        r_cut = 0.85
    else:
        target, r_cut = _binary(folder, beads), 2.5
    start = random_configuration(target.counts(beads), target.state.density, seed=1, units=target.units)
    return target, r_cut, start


def binary_potentials() -> dict[tuple[str, str], PairPotential]:
    """Return the known potentials of the mixture that is simulated here."""
    r = np.linspace(0.0, 2.5, 51)
    found = {}
    for pair, (size, well) in BINARY.items():
        x = np.maximum(r, 0.3) / size
        u = np.minimum(4.0 * well * (x**-12 - x**-6), 1e4)
        found[pair] = PairPotential.shifted(r, u, units="lj")
    return found


def _binary(folder: Path, beads: int) -> Target:
    paths = {pair: folder / f"binary-{'-'.join(pair)}.dat" for pair in BINARY}
    with _alone(folder / "binary.lock"):
        if not all(path.exists() for path in paths.values()):
            _simulate_binary(paths, folder / "binary-run", beads)
    return Target({pair: read_rdf(path, units="lj") for pair, path in paths.items()}, BINARY_DENSITIES, 1.0)


def _simulate_binary(paths: dict[tuple[str, str], Path], work: Path, beads: int) -> None:
    density = sum(BINARY_DENSITIES.values())
    counts = {name: round(2 * beads * part / density) for name, part in BINARY_DENSITIES.items()}
    start = random_configuration(counts, density, seed=TARGET_SEED, units="lj")
    schedule = Schedule(equilibration=10_000, production=TARGET_STEPS, every=150, length=0.85)
    work.mkdir(parents=True, exist_ok=True)
    state = StatePoint(start.density, 1.0, "lj")
    run = LammpsEngine().run(binary_potentials(), state, start, schedule, seed=TARGET_SEED, workdir=work)
    if run.trajectory is None:
        raise SystemExit("the engine returned no configurations")
    for pair, curve in sampling.partial_rdfs(run.trajectory, dr=0.05).items():
        write_rdf(curve, paths[pair])
