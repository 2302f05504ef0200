"""The subject of the bridge function: from liquid-state features to what the Verlet-modified closure lacks of U."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import exp
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor, nn

from cginit.curves import Array
from cginit.errors import InputError
from cginit.learn.architectures import CorrectedEnsemble, odd_asinh
from cginit.learn.augmentation import Augmentation, pairs
from cginit.learn.bodies import Ports, build_body
from cginit.learn.card import auxiliary_words, tables
from cginit.learn.config import Architecture, Config, LossTerms
from cginit.learn.data import TrainingSet
from cginit.learn.domain import auxiliary_counts, training_domain
from cginit.learn.evaluate import VISIBLE_G
from cginit.learn.identity import array_digest, data_digest
from cginit.learn.losses import Loss
from cginit.learn.pool import Pool, hermite
from cginit.learn.statistics import own_fold
from cginit.learn.subjects.base import Lesson, Preparation, Run
from cginit.learn.subjects.bridge_bands import (
    band_points,
    carried_errors,
    minus_logarithm,
    points_of_unseen,
    stated_errors,
    unseen_fluids,
)
from cginit.learn.subjects.bridge_features import VARIATIONS, LiquidFeatures, liquid_features
from cginit.learn.subjects.guess_errors import guess_errors
from cginit.learn.subjects.potential import LOST
from cginit.learn.task import Batch, Job
from cginit.liquid.bridge import modified_verlet
from cginit.models.correlations import U_LOWEST, verlet_modified
from cginit.models.grid import (
    BRIDGE_POINTS,
    RANGE,
    U_CUT,
    U_VISIBLE,
    boltzmann_potential,
    interpolate,
    network_grid,
)

__all__ = [
    "BridgeEnsemble",
    "BridgePredictions",
    "BridgeSubject",
    "BridgeTask",
    "channels",
    "on_network_points",
    "verlet_closure",
]

#: Curves that the network sees: -ln g, h, c, gamma, the closure's own correction, and what gamma of the freer
#: inversion has besides.
CURVES = 6
#: Unit of the output in kT.
UNIT = 0.3
#: Spread in kT that is added to that of the members: where they agree to rounding it would mean nothing.
LEAST_SPREAD = 1e-3
#: Noise of auxiliary pairs, in their standard errors: from that of the publication to that of the data set.
NOISE = (0.125, 1.0)
#: What the factors of the stated errors are found on, with auxiliary pairs in the training and without.
UNSEEN = "auxiliary fluids that no training has drawn, with noise of g from 1e-5 to 0.01"
VALIDATION = "the validation folds, each predicted by the one member that has not seen it"
#: Rows whose inversions are kept in one file.
CHUNK = 250
#: The seed of member k is a multiple of this and k.
MEMBERS = 1000


def _correction(gamma: Tensor) -> Tensor:
    """Return gamma + B of the Verlet-modified closure."""
    return gamma + modified_verlet(gamma)


def verlet_closure(u0: Tensor, gamma: Tensor) -> Tensor:
    """Return U ``(..., n)`` in kT of the Verlet-modified closure, as `cginit.models.correlations.verlet_modified`."""
    return u0 + _correction(gamma[..., 0, :])


def channels(u0: Tensor, gamma: Tensor) -> Tensor:
    """Return the input curves ``(..., 6, n)`` of -ln g ``(..., n)`` and gamma ``(..., 2, n)``."""
    h = torch.exp(-u0) - 1.0
    first, freer = gamma[..., 0, :], gamma[..., 1, :]
    # In the core of a dense liquid c is -50; the layers should see its logarithm there and itself where it is small.
    logarithms = [odd_asinh(x) for x in (h - first, first, _correction(first), freer - first)]
    return torch.stack((u0, h.clamp(max=4.0), *logarithms), dim=-2)


class BridgeTask:
    """Networks that add a bridge correction to the Verlet-modified closure, on the grid of g.

    Parameters
    ----------
    pool : Pool
        The data.
    features : LiquidFeatures
        Those of its rows.
    architecture : Architecture
        Form of the layers; its options and `residual` mean nothing here.
    loss : LossTerms
        Published loss with forces, in which what g does not show counts as the rest.
    augmentation : Augmentation
        Bounds of the change of length unit; noise and shorter ranges are among the variations of the features.
    start : sequence of dict of str to Tensor
        Weights that the jobs start from in turns, in place of random ones.
    """

    def __init__(
        self,
        pool: Pool,
        features: LiquidFeatures,
        architecture: Architecture,
        loss: LossTerms,
        augmentation: Augmentation,
        start: Sequence[dict[str, Tensor]] = (),
    ) -> None:
        def tensor(values: Array) -> Tensor:
            return torch.from_numpy(np.asarray(values, dtype=np.float32)).to(pool.device)

        self.pool, self.architecture, self.augmentation, self.start = pool, architecture, augmentation, start
        self.measure = Loss(loss.kind, True, loss.a, loss.alpha, loss.u_cut)
        self.points = features.r.size
        self.grid = tensor(features.r)
        self.step = float(features.r[1])
        g = tensor(features.g)
        u0 = -torch.log(g.clamp(min=exp(-U_VISIBLE), max=exp(-U_LOWEST)))
        self.curves = torch.cat((u0[:, :, None], tensor(features.gamma)), dim=2)
        # A variation without a solution is replaced by the row as it is.
        usable = np.where(features.valid, np.arange(features.valid.shape[1])[None], 0)
        self.usable = torch.from_numpy(usable).to(pool.device)

    def body(self, seed: int) -> nn.Module:
        """Return the layers as a training starts from them; members have seeds one after the other.

        Raises
        ------
        InputError
            If the weights that it is to start from are those of other layers.
        """
        ports = Ports(curves=CURVES, points=self.points, outputs=self.points)
        body = build_body(self.architecture, ports, seed)
        if self.start:
            try:
                body.load_state_dict(self.start[seed % MEMBERS % len(self.start)])
            except RuntimeError as error:
                raise InputError(f"the networks to start from have other layers: {error}") from error
        return body

    def batch(self, rows: Tensor, generators: list[Generator] | None, variation: int = 0) -> Batch:
        """Return -ln g, gamma, density and U of `rows`, in a random variation, or in the one that is given."""
        pool = self.pool
        if generators is None:
            chosen = torch.full_like(rows, variation)
            scale = torch.ones_like(pool.density[rows])
        else:
            part = pool.random(rows.shape[1:], generators)
            chosen = (part * self.usable.shape[1]).to(torch.int64).clamp(max=self.usable.shape[1] - 1)
            scale = pool.scales(rows, self.augmentation, generators)
        curves = self.curves[rows, self.usable[rows, chosen]]
        at = self.grid * scale[..., None] / self.step
        # Beyond the end of g the curves are 0, as where g ends early.
        u0, *gamma = (hermite(curves[..., k, :], at, 0.0) for k in range(curves.shape[-2]))
        u0 = u0.clamp(max=U_VISIBLE)
        return (
            u0,
            torch.stack(gamma, dim=-2),
            pool.density[rows] * scale**3,
            pool.curves_u(rows, scale, self.grid),
        )

    def inputs(self, batch: Batch, jobs: slice) -> Batch:
        """Return the curves ``(jobs, m, 6, n)`` and the density ``(jobs, m, 1)``."""
        u0, gamma, density, _ = batch
        return channels(u0, gamma), density[..., None]

    def potential(self, out: Tensor, batch: Batch) -> Tensor:
        """Return U ``(jobs, m, n)`` of the outputs of the bodies."""
        return verlet_closure(batch[0], batch[1]) + UNIT * out

    def loss(self, out: Tensor, batch: Batch, jobs: slice) -> Tensor:
        """Return the loss of each job."""
        u = batch[-1]
        return self.measure(self.potential(out, batch), u, u)

    def error(self, out: Tensor, batch: Batch, job: int) -> float:
        """Return the mean absolute error of U in kT where g > 0.01, each state point counting 0.5 kT at most."""
        u = batch[-1]
        counts = (u < U_CUT) & (torch.exp(-batch[0]) > VISIBLE_G) & (self.grid <= RANGE)
        deviation = torch.where(counts, (self.potential(out, batch) - u).abs(), torch.zeros_like(u))
        errors = deviation.sum(dim=-1) / counts.sum(dim=-1).clamp(min=1)
        return float(errors.clamp(max=LOST).mean())


class BridgeEnsemble(CorrectedEnsemble):
    """Mean of trained networks and their spread, as it is exported."""

    def forward(self, u0: Tensor, gamma: Tensor, density: Tensor) -> tuple[Tensor, Tensor]:
        """Return U and its spread ``(m, n)`` in kT of -ln g ``(m, n)``, gamma ``(m, 2, n)`` and the density."""
        base = verlet_closure(u0, gamma)
        mean, spread = self.corrected(base, UNIT, channels(u0, gamma), density)
        return mean, torch.sqrt(spread**2 + LEAST_SPREAD**2)


@dataclass(frozen=True, eq=False)
class BridgePredictions:
    """Potentials in kT on the 50 points of the networks, by the ensemble and by the closures that it starts from.

    Attributes
    ----------
    g, truth : ndarray, shape (m, 50)
        Inputs and true potentials.
    out_of_fold : ndarray, shape (m, 50)
        By the member that was not trained on the potential; by the mean of all on the test set.
    closure, hnc : ndarray, shape (m, 50)
        The Verlet-modified closure and HNC.
    fold : ndarray of int, shape (m,)
        -1 for the test set.
    """

    g: Array
    truth: Array
    out_of_fold: Array
    closure: Array
    hnc: Array
    fold: NDArray[np.int64]


class BridgeSubject:
    """What a closure lacks of U; see `cginit.learn.subjects.base.Subject`."""

    name = "bridge"
    unit = " kT"
    error_key = "validation_error_kT"
    outputs = ("u", "spread")
    preparation = "Ornstein-Zernike inversions"
    cheap_pairs = True

    def identity(self, config: Config, data: TrainingSet, auxiliary: TrainingSet | None) -> dict[str, object]:
        """Return configuration, variations of the features, and digests, that of S(k) too."""
        return {
            "config": config.to_dict(),
            "variations": VARIATIONS,
            "data": data_digest(data),
            "long_wave": array_digest(data.long_wave),
            "auxiliary": None if auxiliary is None else data_digest(auxiliary),
        }

    def prepare(self, given: Preparation) -> Lesson:
        """Return -ln g and gamma on the points of g; a g whose inversion has no solution is no input.

        The inversions stay in ``features`` and ``auxiliary-features`` of the folder, in files of so many rows as are
        lost when a command is stopped.
        """
        data, auxiliary, seed = given.data, given.auxiliary, given.config.schedule.seed
        if data.r.size != BRIDGE_POINTS:
            raise InputError(f"g has {data.r.size} points; a guess shows the network {BRIDGE_POINTS}")
        features = self._features(given)
        every = features
        if auxiliary is not None:
            # A simulation shows nothing below its first count.
            auxiliary = replace(auxiliary, g=np.where(auxiliary.g >= np.exp(-U_VISIBLE), auxiliary.g, 0.0))
            kept = given.folder / "auxiliary-features"
            more = _prepared(auxiliary, kept, 2, seed, given.report, as_it_is=0, noise=NOISE)
            every = LiquidFeatures.joined([features, more])
        pool, config = Pool(data, given.device, auxiliary), given.config
        extra = len(data) + np.flatnonzero(every.valid[len(data) :, 0])

        members = self._members(config)

        def task(start: dict[str, Tensor] | None) -> BridgeTask:
            weights = members if start is None else (start,)
            return BridgeTask(pool, every, config.architecture, config.loss, config.augmentation, weights)

        u0 = minus_logarithm(features.g[:, 0])
        inputs = {"u0": u0, "gamma": features.gamma[:, 0], "density": data.density}
        return Lesson(inputs, features.valid[:, 0], task, BridgeEnsemble, extra, features)

    def _features(self, given: Preparation) -> LiquidFeatures:
        """Return the features of the rows of the data."""
        seed = given.config.schedule.seed
        return _prepared(given.data, given.folder / "features", VARIATIONS, seed, given.report)

    def _members(self, config: Config) -> Sequence[dict[str, Tensor]]:
        """Return the weights that the networks start from, if these are not random."""
        return ()

    def predict(self, run: Run, more: Callable[[Sequence[Job]], Array]) -> BridgePredictions:
        """Return what the members and the closures give; NaN where the inversion has no solution."""
        g, _, truth = pairs(run.data)
        u0, gamma = run.lesson.inputs["u0"], run.lesson.inputs["gamma"][:, 0]
        out = on_network_points(run, own_fold(run.every, run.fold))
        closure = on_network_points(run, verlet_modified(u0, gamma))
        return BridgePredictions(g, truth, out, closure, on_network_points(run, u0 + gamma), run.fold)

    def domain(self, run: Run) -> dict[str, Any]:
        """Return the limits of the training inputs."""
        return training_domain(run.config, run.data, run.preparation.auxiliary).to_dict()

    def figures(self, run: Run) -> dict[str, Any]:
        """Return the scale of the errors and how many of them the band holds."""
        given, fold = run.preparation, run.fold
        spread = np.hypot(np.std(run.every, axis=0, ddof=1), LEAST_SPREAD)
        seen = given.data, run.lesson.features, own_fold(run.every, fold), spread
        carried = carried_errors(given.data, run.lesson.features)
        if given.auxiliary is None:
            calibration = band_points(*seen, fold >= 0, carried)
        else:
            fluids = unseen_fluids(given.config.auxiliary, given.folder / "unseen-pairs")
            calibration = points_of_unseen(_predictor(run.ensemble), fluids)
        return {
            "auxiliary": auxiliary_counts(given.auxiliary),
            **stated_errors(calibration, band_points(*seen, fold < 0, carried)),
            "without solution": int(np.sum(~run.lesson.usable)),
        }

    def errors(
        self, run: Run, folder: Path | None, report: Callable[[str, int, int], None] | None = None
    ) -> dict[str, Any]:
        """Return the tables of errors beside those of the closures, and of the guess of an exported model."""
        found: BridgePredictions = run.predictions
        theories = {"Verlet-modified": found.closure, "hnc": found.hnc}
        return guess_errors(run, folder, {"network": found.out_of_fold, **theories})

    def card(self, description: Mapping[str, Any]) -> dict[str, Any]:
        """Return what only this card has."""
        coverage = description["coverage of the 90 % band"]
        return {
            "points": BRIDGE_POINTS,
            "unsolved": description["without solution"],
            "auxiliary": auxiliary_words(**description["auxiliary"], config=description["config"]),
            "calibrated_on": UNSEEN if description["auxiliary"]["pairs"] else VALIDATION,
            "structure_scale": description["structure_scale"],
            "noise_scale": description["noise_scale"],
            # Of connected beads there is none.
            "carried_scale": description.get("carried_scale", 0.0),
            "on_calibration": 100.0 * coverage["calibration"],
            "on_test": 100.0 * coverage["test"],
            "best": ", ".join(f"{m['validation_error_kT']:.3f} kT" for m in description["members"]),
            **tables(description),
        }


def on_network_points(run: Run, u: Array) -> Array:
    """Return potentials ``(m, n)`` on the points of g at the 50 points of the networks; NaN without a solution."""
    g, _, _ = pairs(run.data)
    u0, usable = run.lesson.inputs["u0"], run.lesson.usable[:, None]
    # What is added to -ln g is smooth even at a core.
    step = float(run.data.r[1])
    smooth = interpolate(np.where(usable, u, u0) - u0, 0.0, step, network_grid(), 0.0)
    return np.where(usable, boltzmann_potential(g) + smooth, np.nan)


def _predictor(ensemble: nn.Module) -> Callable[..., tuple[Array, Array]]:
    """Return an ensemble as a function of arrays."""

    def predict(*inputs: Array) -> tuple[Array, Array]:
        with torch.no_grad():
            u, spread = ensemble(*(torch.from_numpy(x.astype(np.float32)) for x in inputs))
        return u.numpy().astype(np.float64), spread.numpy().astype(np.float64)

    return predict


def _prepared(
    data: TrainingSet,
    folder: Path,
    variations: int,
    seed: int,
    report: Callable[[int, int], None] | None,
    *,
    as_it_is: int = 2,
    noise: tuple[float, float] | None = None,
) -> LiquidFeatures:
    """Return the features of `data`, from the files in `folder` as far as it has them."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = []
    for first in range(0, len(data), CHUNK):
        path = folder / f"{first}.npz"
        if not path.exists():
            rows = data.select((np.arange(len(data)) // CHUNK) == first // CHUNK)

            def count(done: int, total: int, first: int = first) -> None:
                if report is not None:
                    report(first + done, len(data))

            liquid_features(rows, variations, seed, count, as_it_is=as_it_is, noise=noise).write(path)
        parts.append(LiquidFeatures.read(path))
    return LiquidFeatures.joined(parts)
