"""Errors of a trained potential network and of the complete guesses beside it, for its model card."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from cginit.campaign.families import FAMILIES
from cginit.curves import Array
from cginit.errors import CGInitError, InputError
from cginit.guess.base import Guess
from cginit.guess.boltzmann import Boltzmann
from cginit.guess.integral_equation import IntegralEquation
from cginit.guess.network import NetworkGuess
from cginit.learn.augmentation import pairs
from cginit.learn.data import CAP, STRIDE, TrainingSet
from cginit.learn.evaluate import delta_table, error_table
from cginit.learn.subjects.base import Run
from cginit.models.grid import POINTS, boltzmann_potential, interpolate, network_grid
from cginit.models.model import load_model

__all__ = ["guess_errors", "guesses_on_points", "held_rows", "on_points"]


def held_rows(data: TrainingSet) -> TrainingSet:
    """Return the test set.

    Raises
    ------
    InputError
        If there is none.
    """
    held = data.select(data.test)
    if len(held) == 0:
        raise InputError("the data set holds no test potential; simulate more potentials")
    return held


def on_points(data: TrainingSet) -> tuple[Array, Array]:
    """Return g and U ``(m, 50)`` on the published grid."""
    g, _, u = pairs(data)
    return g, u


def guess_errors(run: Run, folder: Path | None, predictions: Mapping[str, Array]) -> dict[str, str]:
    """Return the tables of a model card of networks g -> U.

    Parameters
    ----------
    run : Run
        The finished training.
    folder : Path or None
        Of the exported model, whose complete guess is judged on the test set beside HNC and Boltzmann inversion.
        Without one nothing of the test set is shown.
    predictions : mapping of str to ndarray, shape (m, 50)
        What networks, under ``network``, and theories give for all rows, each by a network that had not seen the
        potential.
    """
    data, name = run.data, run.config.name
    known = data.select(~data.test)
    g, truth = on_points(known)
    folds = {key: u[~data.test] for key, u in predictions.items()}
    errors = {"validation": error_table({**folds, "-ln g": boltzmann_potential(g)}, truth, g, known.density)}
    if folder is None:
        return errors
    held = held_rows(data)
    g, truth = on_points(held)
    network = NetworkGuess(name, bin_average=False, folder=folder)
    hnc = IntegralEquation("hnc", bin_average=False)
    found = {
        "network": predictions["network"][data.test],
        # The g of a training set are point values already.
        name: guesses_on_points(network, held),
        "hnc": guesses_on_points(hnc, held),
        "boltzmann": guesses_on_points(Boltzmann(bin_average=False), held),
        "-ln g": boltzmann_potential(g),
    }
    if load_model(name, folder).subject == "bridge":
        found |= {
            f"{name}, S(k) known": guesses_on_points(network, held, long_wave=True),
            "hnc, S(k) known": guesses_on_points(hnc, held, long_wave=True),
        }
    family = held.potential // STRIDE
    groups = {f"family {FAMILIES[k]}, {int(np.sum(family == k))}": family == k for k in np.unique(family)}
    if len(groups) > 1:
        groups[f"all, {len(held)}"] = family >= 0
    return {
        "test": error_table(found, truth, g, held.density),
        "deltas": delta_table(found, truth, g, groups, ("hnc", "boltzmann")),
        **errors,
    }


def guesses_on_points(guess: Guess, data: TrainingSet, *, long_wave: bool = False) -> Array:
    """Return the potentials of a guess on the network's grid ``(m, 50)``; NaN where it has none."""
    found = np.full((len(data), POINTS), np.nan)
    for row in range(len(data)):
        target, state = data.target(row, long_wave=long_wave)
        try:
            # No method is told where the potential ends.
            potential = guess(target, state, float(data.r[-1]))
        except CGInitError:
            continue
        found[row] = interpolate(
            np.minimum(potential.u, CAP)[None], float(potential.r[0]), potential.dr, network_grid(), 0.0
        )[0]
    return found
