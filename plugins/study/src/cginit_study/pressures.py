"""Pressures by the networks of a study U -> P: out of fold, on the test set, and from guessed potentials."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from cginit.curves import Array
from cginit.errors import InputError
from cginit.learn.bodies import Ports, build_body
from cginit.learn.data import TrainingSet
from cginit.learn.statistics import fold_means, relative_errors
from cginit.learn.task import read_fit
from cginit.models.grid import POINTS, interpolate, network_grid
from cginit_study.pressure_options import EosOptions
from cginit_study.pressure_task import B_UNITS, PressureSubject, input_curves, pressure_of
from cginit_study.results import keep, kept
from cginit_study.study import StudyConfig, final_path, fold_path, labels_of, load_study

__all__ = ["PressureStudy", "assess_pressures", "network_coefficients", "network_pressure"]


@dataclass(frozen=True, eq=False)
class PressureStudy:
    """All pressures that the figures need.

    Attributes
    ----------
    config : StudyConfig
        Of the study.
    fold : ndarray of int, shape (m,)
        Fold of each row; -1 for the test set.
    errors, test_errors : dict of str to ndarray, shape (folds,)
        Mean relative absolute error of each network ``KIND/LABEL`` on the fold that it was not trained on, and of the
        networks of each fold on the test set.
    medians : dict of str to ndarray, shape (folds,)
        Median relative absolute error on the fold that it was not trained on: a few state points whose pressure is
        nearly 0 decide the mean.
    final : dict of str to ndarray, shape (m,)
        Pressures by the final networks.
    """

    config: StudyConfig
    fold: NDArray[np.int64]
    errors: dict[str, Array]
    test_errors: dict[str, Array]
    medians: dict[str, Array]
    final: dict[str, Array]


def network_pressure(
    config: StudyConfig, name: str, path: Path, u: Array, density: Array, p0: Array
) -> Array:
    """Return beta P sigma^3 ``(m,)`` by a trained network.

    Parameters
    ----------
    config : StudyConfig
        Of its study.
    name : str
        ``KIND/LABEL``.
    path : Path
        Its weights.
    u : ndarray, shape (m, 50)
        Potentials in kT.
    density, p0 : ndarray, shape (m,)
        rho sigma^3 and the pressure of the second virial coefficient.
    """
    options, out = _outputs(config, name, path, u, density, p0)
    rho = torch.from_numpy(np.asarray(density, dtype=np.float32))
    return np.asarray(pressure_of(options.route, out, rho).numpy(), dtype=np.float64)


def network_coefficients(config: StudyConfig, name: str, path: Path, u: Array) -> Array:
    """Return B2 .. B5 ``(m, 4)`` in powers of sigma^3 by a trained network of the route Bn.

    Parameters
    ----------
    config, name, path
        As `network_pressure` takes them.
    u : ndarray, shape (m, 50)
        Potentials in kT.

    Raises
    ------
    InputError
        If the network is of another route.
    """
    if not name.partition("/")[2].startswith("Bn-"):
        raise InputError(f"{name} gives no virial coefficients; networks KIND/Bn-OPTIONS do")
    nothing = np.zeros(len(u))
    out = _outputs(config, name, path, u, nothing, nothing)[1]
    return np.asarray(out.numpy() * np.array(B_UNITS), dtype=np.float64)


def _outputs(
    config: StudyConfig, name: str, path: Path, u: Array, density: Array, p0: Array
) -> tuple[EosOptions, torch.Tensor]:
    kind, _, label = name.partition("/")
    options = EosOptions.parse(label)
    ports = Ports(1 + options.force, options.scalars, POINTS, options.outputs)
    body = build_body(config.size_of(kind), ports, 0)
    body.load_state_dict(read_fit(path).weights)

    def tensor(values: Array) -> torch.Tensor:
        return torch.from_numpy(np.asarray(values, dtype=np.float32))

    rho = tensor(density)
    shown, force = input_curves(tensor(u), options.clip, options.exponential)
    curves = torch.stack((shown, force), dim=1) if options.force else shown[:, None]
    scalars = [rho] * (options.route != "Bn") + [torch.asinh(tensor(p0))] * options.ideal
    numbers = torch.stack(scalars, dim=1) if scalars else rho.new_zeros((rho.numel(), 0))
    with torch.no_grad():
        return options, body.eval()(curves, numbers)


def assess_pressures(folder: Path, data: TrainingSet, p0: Array) -> PressureStudy:
    """Return pressures and errors of the study in `folder` on `data`, test set included.

    Networks that are not finished are left out. The errors of the networks of the folds are kept in the folder, and
    read from there where their weights are not.

    Raises
    ------
    InputError
        If `folder` holds no study.
    """
    config = load_study(folder)[0]
    u = interpolate(data.u, 0.0, float(data.u_r[1]), network_grid(), 0.0)
    fold = data.folds(config.folds)
    held = fold < 0
    found = kept(folder, data)
    names = []
    for kind in config.kinds:
        for label in labels_of(config, PressureSubject()):
            name = f"{kind}/{label}"
            paths = [fold_path(folder, kind, label, k) for k in range(config.folds)]
            if all(path.exists() for path in paths):
                every = np.stack([network_pressure(config, name, x, u, data.density, p0) for x in paths])
                out = every[np.maximum(fold, 0), np.arange(fold.size)]
                test = [relative_errors(x[held], data.pressure[held]) for x in every]
                mine = relative_errors(out, data.pressure)
                found[name] = {
                    "errors": fold_means(mine, fold, config.folds),
                    "median": fold_means(mine, fold, config.folds, np.median),
                    "test": np.array([x.mean() if x.size else np.nan for x in test]),
                }
            names += [name] * (name in found)
    keep(folder, data, found)
    errors, tested, medians = (
        {name: found[name][key] for name in names} for key in ("errors", "test", "median")
    )
    final = {}
    for name in config.final:
        kind, _, label = name.partition("/")
        path = final_path(folder, kind, label)
        if path.exists():
            final[name] = network_pressure(config, name, path, u, data.density, p0)
    return PressureStudy(config, fold, errors, tested, medians, final)
