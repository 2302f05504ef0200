"""Errors of a trained potential network and of the complete guesses beside it, for its model card."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cginit.atomic import write_atomically
from cginit.cli.voice import voice

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cginit.campaign.dataset import Dataset
    from cginit.curves import Array
    from cginit.guess.base import Guess
    from cginit.learn.data import TrainingSet

__all__ = ["card_errors", "guesses_on_points", "held_rows", "on_points", "origin", "written", "written_files"]


def held_rows(data: TrainingSet) -> TrainingSet:
    """Return the test set.

    Raises
    ------
    InputError
        If there is none.
    """
    from cginit.errors import InputError

    held = data.select(data.test)
    if len(held) == 0:
        raise InputError("the data set holds no test potential; simulate more potentials")
    return held


def on_points(data: TrainingSet) -> tuple[Array, Array]:
    """Return g and U ``(m, 50)`` on the published grid."""
    from cginit.learn.augmentation import pairs

    g, _, u = pairs(data)
    return g, u


def card_errors(
    name: str,
    folder: Path,
    data: TrainingSet,
    bare: Array,
    folds: Mapping[str, Array],
) -> dict[str, str]:
    """Return the tables and the sentence of a model card.

    Parameters
    ----------
    name, folder
        The exported model, whose complete guess is judged on the test set beside HNC and Boltzmann inversion.
    data : TrainingSet
        All of it.
    bare : ndarray, shape (m, 50)
        What the ensemble gives for the test set.
    folds : mapping of str to ndarray, shape (k, 50)
        Predictions for the other rows, each by a network that had not seen the potential.
    """
    import numpy as np

    from cginit.guess.boltzmann import Boltzmann
    from cginit.guess.integral_equation import IntegralEquation
    from cginit.guess.network import NetworkGuess
    from cginit.learn.data import STRIDE
    from cginit.learn.evaluate import boltzmann_potential, delta_table, error_table
    from cginit.models.model import load_model

    held, known = held_rows(data), data.select(~data.test)
    g, truth = on_points(held)
    network = NetworkGuess(name, bin_average=False, folder=folder)
    hnc = IntegralEquation("hnc", bin_average=False)
    predictions = {
        "network": bare,
        # The g of a training set are point values already.
        name: guesses_on_points(network, held),
        "hnc": guesses_on_points(hnc, held),
        "boltzmann": guesses_on_points(Boltzmann(bin_average=False), held),
        "-ln g": boltzmann_potential(g),
    }
    if load_model(name, folder).kind == "BN":
        predictions |= {
            f"{name}, S(k) known": guesses_on_points(network, held, long_wave=True),
            "hnc, S(k) known": guesses_on_points(hnc, held, long_wave=True),
        }
    family = held.potential // STRIDE
    groups = {f"family {'ab'[k]}, {int(np.sum(family == k))}": family == k for k in np.unique(family)}
    if len(groups) > 1:
        groups[f"all, {len(held)}"] = family >= 0
    g_known, truth_known = on_points(known)
    validation = {**folds, "-ln g": boltzmann_potential(g_known)}
    return {
        "test": error_table(predictions, truth, g, held.density),
        "deltas": delta_table(predictions, truth, g, groups, ("hnc", "boltzmann")),
        "validation": error_table(validation, truth_known, g_known, known.density),
    }


def written(folder: Path, name: str, card: str, table: str) -> None:
    """Write the model card, and print the table of errors and the names of the files."""
    write_atomically(folder / f"{name}.md", card)
    voice().line(table)
    written_files(folder, name)


def written_files(folder: Path, name: str) -> None:
    """Print the names of the files that ship."""
    for suffix in (".onnx", ".safetensors", ".json", ".md"):
        voice().file(folder / f"{name}{suffix}")


def origin(dataset: Dataset, families: str) -> str:
    """Return where the data come from, in the words of a model card."""
    import numpy as np

    used = dataset.select(dataset.accepted & np.isin(dataset.family, list(families)))
    engines = ", ".join(sorted(set(used.engine.tolist())))
    tasks = int(np.sum(np.isin(dataset.family, list(families))))
    recipes = {
        "a": "random splines, half of them with a WCA core (family a, `cginit.campaign.potentials`)",
        "b": "bead-like potentials of many kinds (family b, `cginit.campaign.beads`)",
    }
    return (
        f"Random pair potentials: {' and '.join(recipes[x] for x in families)}, simulated with\n{engines} at kT = 1 "
        f"and densities from {used.density.min():.3g} to {used.density.max():.3g}. Of {tasks} tasks {len(used)} were "
        f"accepted as\nhomogeneous fluids in equilibrium; they have {int(used.n.min())} to {int(used.n.max())} beads "
        f"and {int(used.steps.min())} to {int(used.steps.max())} steps of production."
    )


def guesses_on_points(guess: Guess, data: TrainingSet, *, long_wave: bool = False) -> Array:
    """Return the potentials of a guess on the network's grid ``(m, 50)``; NaN where it has none."""
    import numpy as np

    from cginit.errors import CGInitError
    from cginit.learn.data import CAP
    from cginit.models.grid import POINTS, interpolate, network_grid

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
