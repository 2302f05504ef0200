"""What S(k) adds to g(r): ``python benchmarks/long_waves/judge.py DATA.h5 FOLDER``, after ``simulate.py``.

Each test state point of family a is guessed from g(r) alone, from g(r) and S at the smallest wave number, and from
g(r) and S(k) up to 2 pi/sigma. State points that FOLDER holds have g(r), S(k) and P of their new simulation; of the
others the data set knows S at the smallest wave number only, and that takes the place of S(k). The tables are the
mean absolute error of U over U < 20 kT and g > 0.01, and the pressure by the virial formula with the guessed U and
the sampled g. FOLDER also keeps what was judged.

R^2 = 1 - sum (P - P_true)^2 / sum (P_true - mean)^2, with the standard deviation over 2000 draws of as many
potentials with replacement: few state points of the highest pressures decide it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cginit.atomic import write_atomically
from cginit.campaign.dataset import load
from cginit.curves import RDF, Array, LongWave, StructureFactor, median
from cginit.errors import CGInitError
from cginit.guess.base import Guess
from cginit.guess.integral_equation import IntegralEquation
from cginit.guess.network import NetworkGuess
from cginit.learn.data import STRIDE
from cginit.learn.simulated import training_set
from cginit.learn.subjects.guess_errors import held_rows
from cginit.liquid.virial import sampled_virial
from cginit.state import StatePoint

WAYS = ("g(r)", "g(r), S at the smallest k", "g(r), S(k)")
DRAWS = 2000


@dataclass(frozen=True, eq=False)
class Case:
    """A state point: its name, the target in each way, and what is true."""

    name: str
    potential: int
    new: bool
    targets: dict[str, RDF]
    density: float
    pressure: float
    u_r: Array
    u: Array
    bin_average: bool


def simulated(path: Path) -> Case:
    """Return a state point of ``simulate.py``."""
    with np.load(path, allow_pickle=False) as x:
        g = RDF(x["r"], x["g"], x["g_error"], units="lj", beads=int(x["beads"]))
        waves = StructureFactor(x["k"], x["s"], x["s_error"], units="lj")
        forms = (g, replace(g, long_wave=waves.smallest), replace(g, structure_factor=waves))
        numbers = (float(x["density"]), float(x["pressure"]), x["u_r"], x["u"])
    name = path.stem
    return Case(name, int(name.split("-")[1]), True, dict(zip(WAYS, forms, strict=True)), *numbers, True)


def cases(data_path: Path, folder: Path) -> Iterator[Case]:
    """Yield all test state points of family a, those that were simulated anew as they are now."""
    new = {path.stem: path for path in sorted(folder.glob("a-*.npz"))}
    for path in new.values():
        yield simulated(path)
    done = [simulated(path) for path in new.values()]
    data = held_rows(training_set(load(data_path), "ab"))
    for row in np.flatnonzero(data.potential // STRIDE == 0):
        number, density = int(data.potential[row] % STRIDE), float(data.density[row])
        if any(one.potential == number and abs(one.density - density) < 1e-6 for one in done):
            continue
        g = RDF(data.r, data.g[row], data.g_error[row], units="lj")
        k, s, error = (float(x) for x in data.long_wave[row])
        known = replace(g, long_wave=LongWave(k, s, error)) if s > 0.0 else g
        forms = dict(zip(WAYS, (g, known, known), strict=True))
        name = f"a-{number:06d} at {density:g}"
        pressure = float(data.pressure[row])
        yield Case(name, number, False, forms, density, pressure, data.u_r, data.u[row], False)


def judge(case: Case, guess: Guess, way: str) -> list[float]:
    """Return the error of U and the pressure; NaN where there is no guess."""
    target = case.targets[way]
    try:
        found = guess(target, StatePoint(case.density, 1.0), float(target.r[-1]))
        pressure = sampled_virial(target.r, target.g, found.r, found.u, case.density)
    except CGInitError:
        return [np.nan, np.nan]
    truth = np.interp(found.r, case.u_r, case.u, right=0.0)
    shown = (truth < 20.0) & (np.interp(found.r, target.r, target.g) > 0.01)
    return [float(np.mean(np.abs(found.u - truth)[shown])), float(pressure)]


def judged(case: Case, kept: Path) -> dict[str, list[float]]:
    """Return the results of all methods and ways, from the file where they are."""
    path = kept / f"{case.name.replace(' ', '-')}.json"
    if path.exists():
        found: dict[str, list[float]] = json.loads(path.read_text())
        return found
    guesses: dict[str, Guess] = {"network": NetworkGuess("bridge", bin_average=case.bin_average)}
    if case.new:
        guesses["hnc"] = IntegralEquation("hnc", case.bin_average)
    ways = WAYS if case.new else WAYS[:2]
    found = {f"{name}, {way}": judge(case, guess, way) for name, guess in guesses.items() for way in ways}
    write_atomically(path, json.dumps(found))
    return found


def determination(found: Array, truth: Array, potential: Array) -> tuple[float, float]:
    """Return R^2 and its standard deviation over draws of potentials."""
    rng = np.random.default_rng(1)
    names, members = np.unique(potential, return_inverse=True)
    counts = [
        np.bincount(rng.integers(0, names.size, names.size), minlength=names.size) for _ in range(DRAWS)
    ]

    def of(weight: Array) -> float:
        mean = float(weight @ truth / weight.sum())
        return float(1.0 - weight @ (found - truth) ** 2 / (weight @ (truth - mean) ** 2))

    drawn = [of(count[members].astype(np.float64)) for count in counts if np.count_nonzero(count) > 1]
    return of(np.ones(truth.size)), float(np.std(drawn))


def main(data: Path, folder: Path) -> None:
    kept = folder / "judged"
    kept.mkdir(parents=True, exist_ok=True)
    rows = [(case, judged(case, kept)) for case in cases(data, folder)]
    new = [(case, found) for case, found in rows if case.new]
    print(
        "| state point | S | P | " + " | ".join(f"{m}, {w}" for m in ("hnc", "network") for w in WAYS) + " |"
    )
    print("| --- | ---: | ---: |" + " ---: |" * 6)
    for case, found in sorted(new, key=lambda one: one[0].targets[WAYS[2]].structure_factor.s[0]):  # type: ignore[union-attr]
        cells = []
        for name in ("hnc", "network"):
            for way in WAYS:
                error, pressure = found[f"{name}, {way}"]
                cells.append(f"{error:.2f}, {100 * (pressure / case.pressure - 1):+.0f} %")
        s = case.targets[WAYS[2]].structure_factor.s[0]  # type: ignore[union-attr]
        print(f"| {case.name} | {s:.4f} | {case.pressure:.1f} | " + " | ".join(cells) + " |")
    print()
    print("| state points | method | from | error of U, median | error of P, median | R^2 of P |")
    print("| --- | --- | --- | ---: | ---: | ---: |")
    for label, group, names in (("simulated anew", new, ("hnc", "network")), ("all", rows, ("network",))):
        for name in names:
            for way in WAYS:
                values = np.array(
                    [found.get(f"{name}, {way}", found[f"{name}, {WAYS[1]}"]) for _, found in group]
                )
                truth = np.array([case.pressure for case, _ in group])
                known = np.isfinite(values[:, 1])
                potential = np.array([case.potential for case, _ in group])
                r2, spread = determination(values[known, 1], truth[known], potential[known])
                off = median(np.abs(values[known, 1] / truth[known] - 1.0))
                error = median(values[known, 0])
                print(
                    f"| {label}, {known.sum()} of {len(group)} | {name} | {way} | {error:.3f} | {100 * off:.1f} % | "
                    f"{r2:.3f} ± {spread:.3f} |"
                )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
