r"""Learning curves: what the error of g -> U on unseen potentials depends on, measured with cheap pairs.

Every point of the curves is one network, trained by the loop of `cginit.learn.fitting` on pairs from integral
equations (`cginit.learn.pairs`) and judged on potentials that it has not seen.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path

import numpy as np

from cginit.atomic import write_atomically
from cginit.campaign.families import DENSITIES
from cginit.curves import Array
from cginit.errors import InputError
from cginit.learn.architectures import network_of, predict
from cginit.learn.augmentation import Augmentation, pairs
from cginit.learn.config import Architecture, Auxiliary, Config, LossTerms, TrainingSchedule
from cginit.learn.data import DATA_NOISE, TrainingSet
from cginit.learn.evaluate import absolute_errors
from cginit.learn.fitting import fit
from cginit.learn.identity import claim
from cginit.learn.pairs import cheap_pairs
from cginit.learn.pool import Pool, choose_device
from cginit.learn.statistics import median_delta
from cginit.learn.subjects.potential import PotentialTask
from cginit.learn.task import Job, TrainingProgress
from cginit.models.grid import RANGE, boltzmann_potential

__all__ = ["AXES", "Point", "Result", "learning_curves", "plan", "read_results"]

#: Sees all 50 points from each, and adds to -ln g.
WHOLE = Architecture(kind="RN", options="f", width=24, kernel=5, dilations=(1, 3, 7, 13), residual=True)
#: The same number of layers and weights, each output seeing 21 of the 50 points.
NEAR = replace(WHOLE, dilations=(1, 1, 1, 1))
#: Convolutions one after the other, each output seeing 17 of the 50 points.
PLAIN = Architecture(kind="CN", options="f", width=48, layers=4, kernel=5)
#: The network of the publication's Fig. 5: density after the convolutions, then a dense block.
PUBLISHED = Architecture(kind="CN", options="f", width=24, layers=4, kernel=5, dense=True)
#: Standard error of g at g = 1 and r = 1 sigma: that of the data set (its median), and of the publication's runs.
NOISE = {"none": 0.0, "paper": 1e-3, "data": DATA_NOISE}
#: Integers of the potentials: to learn from, and for tests.
FIRST, TESTS = 1_000_000, 900_000
#: Of family a, 21.6 of a hundred integers name a fluid that is more than a bare core.
FLUIDS = 0.21
TEST_INTEGERS = 1000
#: Integers are asked for in multiples of this, so that curves share their chunks of pairs.
ROUND = 1000
#: Range of the densities to learn from; tests have the four of the publication.
DENSITY = (0.05, 1.1)
#: Training pairs that the error of the training is measured on, at most.
SHOWN = 500
AXES = ("number", "form", "noise", "smoothing", "split")


@dataclass(frozen=True)
class Point:
    """One network of the curves.

    Attributes
    ----------
    axis, name : str
        What it is compared by, and its value.
    potentials : int
        How many it learns from.
    noise : str
        Key of `NOISE`, in training and test.
    smoothing : float
        Of the splines, in training and test.
    split : {"potential", "state point"}
        Whether the test potentials are all unknown, or known at another density.
    architecture : Architecture
        Its layers.
    """

    axis: str
    name: str
    potentials: int
    noise: str = "none"
    smoothing: float = 1e-4
    split: str = "potential"
    architecture: Architecture = field(default_factory=lambda: WHOLE)

    @property
    def label(self) -> str:
        """Names its files."""
        return f"{self.axis}-{self.name}-{self.potentials}".replace(" ", "-")


@dataclass(frozen=True)
class Result:
    """A row of the table of results: delta = median / ln 2 of the visible mean absolute errors, in kT.

    Attributes
    ----------
    axis, name, potentials, noise, smoothing, split
        Of the `Point`.
    pairs, steps : int
        It learned from, and optimiser steps.
    parameters : int
        Weights of the network.
    train, test : float
        delta of pairs that it learned from, and of the test pairs.
    mean : float
        Mean error of the test pairs.
    boltzmann : float
        delta of -ln g on the test pairs.
    simulated : float
        delta on simulated pairs, whose potentials it has not seen; NaN where none were given.
    """

    axis: str
    name: str
    potentials: int
    noise: str
    smoothing: float
    split: str
    pairs: int
    steps: int
    parameters: int
    train: float
    test: float
    mean: float
    boltzmann: float
    simulated: float


def plan(most: int = 30_000, middle: int = 1000) -> list[Point]:
    """Return the points of all curves: numbers up to `most`, everything else with `middle` potentials.

    Examples
    --------
    >>> [p.potentials for p in plan() if p.name == "whole" and p.axis == "number"]
    [100, 300, 1000, 3000, 10000, 30000]
    """
    numbers = [n for n in (100, 300, 1000, 3000, 10_000, 30_000) if n <= most]
    points = [Point("number", "whole", n) for n in numbers]
    forms = {
        "near": NEAR,
        "whole, not residual": replace(WHOLE, residual=False),
        "plain": PLAIN,
        "published": PUBLISHED,
        "published, residual": replace(PUBLISHED, residual=True),
    }
    points += [Point("form", name, middle, architecture=form) for name, form in forms.items()]
    points += [Point("noise", name, middle, noise=name) for name in NOISE if name != "none"]
    points += [Point("smoothing", f"{s:g}", middle, smoothing=s) for s in (1e-3, 1e-2)]
    points += [Point("split", "state point", middle, split="state point")]
    points += [Point("form", "published", n, architecture=PUBLISHED) for n in numbers if n > middle]
    return points


def learning_curves(
    folder: Path,
    points: Iterable[Point],
    schedule: TrainingSchedule,
    simulated: TrainingSet | None = None,
    report: Callable[[str], None] | None = None,
    device: str = "cpu",
) -> list[Result]:
    """Train the networks of `points`, or finish what `folder` holds, and return the table ``curves.csv`` of all.

    Parameters
    ----------
    folder : Path
        Receives chunks of pairs, weights by label, and ``curves.csv``, which grows with every network.
    points : iterable of Point
        What to train, in this order.
    schedule : TrainingSchedule
        Steps, batch and seed.
    simulated : TrainingSet, optional
        Simulated pairs to judge all networks on as well; those of tests are dropped.
    report : callable, optional
        Called with a line of text now and then.
    device : {"cpu", "cuda", "auto"}
        Where to train.

    Raises
    ------
    InputError
        If `folder` holds curves of another schedule, or there are too few potentials.
    """
    say = report or (lambda line: None)
    claim(folder / "curves.json", {"schedule": asdict(schedule)})
    table = folder / "curves.csv"
    for point in points:
        if any(
            (r.axis, r.name, r.potentials) == (point.axis, point.name, point.potentials)
            for r in read_results(table)
        ):
            continue
        result = _measure(point, folder, schedule, simulated, say, device)
        # Read again: several processes may work on parts of the curves.
        _write(table, [*read_results(table), result])
        say(
            f"{point.label}: delta {result.test:.4f} kT on unseen potentials, {result.train:.4f} kT on known ones"
        )
    return read_results(table)


def read_results(path: Path) -> list[Result]:
    """Return the rows of ``curves.csv``; none where there is no file."""
    if not path.exists():
        return []
    kinds = {"str": str, "int": int, "float": float}
    with path.open(encoding="utf-8", newline="") as stream:
        return [
            Result(**{f.name: kinds[str(f.type)](row[f.name]) for f in fields(Result)})
            for row in csv.DictReader(stream)
        ]


def _write(path: Path, results: list[Result]) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, [f.name for f in fields(Result)], lineterminator="\n")
    writer.writeheader()
    for result in results:
        values = asdict(result)
        writer.writerow({k: f"{v:.5g}" if isinstance(v, float) else v for k, v in values.items()})
    # It grows with every network; the curves before are in it.
    write_atomically(path, text.getvalue().encode(), backup=False)


def _measure(
    point: Point,
    folder: Path,
    schedule: TrainingSchedule,
    simulated: TrainingSet | None,
    say: Callable[[str], None],
    device: str,
) -> Result:
    place = choose_device(device)
    data, test = _data(point, folder, say, place.type)
    noise = 1.0 if NOISE[point.noise] > 0.0 else 0.0
    config = Config(architecture=point.architecture, schedule=schedule)
    augmentation = Augmentation((1.0, 1.0), noise=noise, shortest_range=RANGE)
    task = PotentialTask(Pool(data, place), config.architecture, [config.options], LossTerms(), augmentation)
    job = Job(
        point.label,
        folder / "networks" / f"{point.label}.safetensors",
        schedule.seed,
        0,
        np.arange(len(data)),
    )

    def progress(p: TrainingProgress) -> None:
        say(f"{point.label}: step {p.step}/{p.steps}, loss {p.loss[0]:.3f}")

    network = network_of(fit(task, [job], schedule, place, progress)[0].weights, point.architecture)

    def errors(of: TrainingSet) -> tuple[Array, Array]:
        g, density, u = pairs(of)
        found = predict(network, g, density)
        return absolute_errors(found, u, g).visible, absolute_errors(boltzmann_potential(g), u, g).visible

    known = data.select(np.arange(len(data)) % max(len(data) // SHOWN, 1) == 0)
    tested, inverted = errors(_noisy(test, noise, 1))
    return Result(
        point.axis,
        point.name,
        point.potentials,
        point.noise,
        point.smoothing,
        point.split,
        len(data),
        schedule.steps,
        sum(p.numel() for p in network.parameters()),
        median_delta(errors(_noisy(known, noise, 2))[0]),
        median_delta(tested),
        float(np.mean(tested)),
        median_delta(inverted),
        float("nan") if simulated is None else median_delta(errors(simulated.select(~simulated.test))[0]),
    )


def _data(
    point: Point, folder: Path, say: Callable[[str], None], device: str
) -> tuple[TrainingSet, TrainingSet]:
    """Return the pairs to learn from, and those of the test."""

    def made(first: int, potentials: int, densities: tuple[float, ...] | None = None) -> TrainingSet:
        how = Auxiliary(
            families="a",
            closure="bridge",
            first=first,
            potentials=potentials,
            states=1,
            density=DENSITY,
            noise=NOISE[point.noise],
            smoothing=point.smoothing,
            distinct=True,
        )
        kind = "pairs" if densities is None else "tests"
        if point.smoothing != Auxiliary.smoothing:
            kind += f"-{point.smoothing:g}"

        def count(done: int, total: int) -> None:
            if done % 10 == 0:
                say(f"{point.label}: {done} of {total} chunks of pairs")

        return cheap_pairs(how, folder / kind, count, device, densities)

    integers = -(-int(point.potentials / FLUIDS) // ROUND) * ROUND
    known = made(FIRST, integers)
    if len(known) < point.potentials:
        raise InputError(
            f"of {integers} potentials {len(known)} are fluids, not {point.potentials}; lower FLUIDS"
        )
    siblings = _first(known, 0)
    if point.split == "state point":
        siblings = _first(made(TESTS, TEST_INTEGERS), point.potentials)
    known = TrainingSet.joined([siblings, _first(known, point.potentials - len(siblings))])
    return known, made(TESTS, TEST_INTEGERS, DENSITIES)


def _first(data: TrainingSet, count: int) -> TrainingSet:
    return data.select(np.arange(len(data)) < count)


def _noisy(data: TrainingSet, noise: float, seed: int) -> TrainingSet:
    if noise == 0.0:
        return data
    rng = np.random.default_rng(seed)
    g = data.g + noise * data.g_error * rng.standard_normal(data.g.shape)
    return replace(data, g=np.maximum(g, 0.0))
