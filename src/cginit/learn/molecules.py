"""A data set of molecules as rows of pairs of bead types that networks learn from, and their features."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from cginit.campaign.liquids import MoleculeLiquid, liquid_of
from cginit.campaign.records import MoleculeDataset
from cginit.curves import RDF, Array
from cginit.errors import ConvergenceError, InputError
from cginit.guess.assembly import visible_target
from cginit.interactions import Interaction
from cginit.learn.data import CAP, FINE, STRIDE, TrainingSet
from cginit.learn.subjects.bridge_features import SHORTEST_RANGE, LiquidFeatures
from cginit.liquid.pair_inversion import invert_pairs
from cginit.models.correlations import WEIGHTS, with_origin
from cginit.models.grid import RANGE, U_VISIBLE, bridge_grid, interpolate
from cginit.sampling import MoleculeStructure
from cginit.units import LJ

__all__ = ["FAMILY", "VARIATIONS", "molecule_features", "molecule_origin", "molecule_set"]

#: Number of the family of molecules among those of potentials, a and b being 0 and 1.
FAMILY = 2
#: Variations of each liquid that a training sees: as it is, and with noise and an earlier end.
VARIATIONS = 3


def molecule_set(dataset: MoleculeDataset) -> TrainingSet:
    """Return the accepted liquids as networks learn from them, one row a pair of bead types.

    Of each pair g between different molecules, up to 5 sigma and 1 beyond half the box, as point values and 0 below
    its first visible point, as in a guess; its potential; and the density of all beads.

    Raises
    ------
    InputError
        If none is accepted.
    """
    u_r = np.linspace(0.0, RANGE, round(RANGE / FINE) + 1)
    rows = [_row(one, pair, u_r) for one in _liquids(dataset) for pair in one.rdfs]
    return TrainingSet(
        r=bridge_grid(), u_r=u_r, **{name: np.array([x[name] for x in rows]) for name in rows[0]}
    )


def _row(one: MoleculeLiquid, pair: Interaction, u_r: Array) -> dict[str, Any]:
    """Return the columns of one pair of a liquid."""
    visible, potential, n = visible_target(one.rdfs[pair]), one.potentials[pair], bridge_grid().size
    size = min(n, visible.target.g.size)
    return {
        "g": np.append(visible.target.g[:size], np.ones(n - size)),
        "g_error": np.append(visible.error[:size], np.zeros(n - size)),
        "u": interpolate(np.minimum(potential.u, CAP)[None], 0.0, potential.dr, u_r, 0.0)[0],
        "density": one.start.density,
        "r_cut": min(potential.r_cut, RANGE),
        "potential": one.seed + STRIDE * FAMILY,
        "test": one.test,
    }


def molecule_features(
    dataset: MoleculeDataset,
    folder: Path,
    variations: int = VARIATIONS,
    seed: int = 1,
    report: Callable[[int, int], None] | None = None,
) -> LiquidFeatures:
    """Return -ln g and gamma of all rows of `molecule_set`, by the inversion with the structure of the molecules.

    All pairs of a liquid are inverted at once, with Omega(k) of the molecules at the end of its run.

    Parameters
    ----------
    dataset : MoleculeDataset
        Liquids.
    folder : Path
        Keeps the features of each liquid.
    variations : int
        The first is g as it is; the others have noise of one standard error and end at a random distance.
    seed : int
        Of noise and ends.
    report : callable, optional
        Called with the number of liquids done and their total.
    """
    liquids = _liquids(dataset)
    folder.mkdir(parents=True, exist_ok=True)
    parts = []
    for done, one in enumerate(liquids, start=1):
        path = folder / f"{one.name}.npz"
        if not path.exists():
            _features(one, variations, seed).write(path)
        parts.append(LiquidFeatures.read(path))
        if report is not None:
            report(done, len(liquids))
    return LiquidFeatures.joined(parts)


def _liquids(dataset: MoleculeDataset) -> list[MoleculeLiquid]:
    found = [liquid_of(record) for record in dataset.select(dataset.accepted).records()]
    if not found:
        raise InputError("the data set holds no accepted liquid of molecules; simulate some first")
    return found


def _features(one: MoleculeLiquid, variations: int, seed: int) -> LiquidFeatures:
    r, molecules = bridge_grid(), MoleculeStructure([one.start])
    densities = np.array(list(one.densities.values()))
    pairs, n = len(one.rdfs), r.size
    g, gamma = np.ones((pairs, variations, n)), np.zeros((pairs, variations, len(WEIGHTS), n))
    valid = np.zeros((pairs, variations), dtype=bool)
    for v in range(variations):
        rng = np.random.default_rng([seed, one.seed, one.index, v])
        curves = [_varied(curve, rng) if v else curve for curve in one.rdfs.values()]
        visible = [visible_target(curve) for curve in curves]
        end = min(n, min(x.target.r.size for x in visible))
        if v:
            shortest = min(max(SHORTEST_RANGE, max(x.r_cut for x in one.potentials.values())), r[end - 1])
            end = 1 + round((shortest + (r[end - 1] - shortest) * rng.random()) / float(r[1]))
        values = np.array([x.target.g[:end] for x in visible])
        error = np.array([x.error[:end] for x in visible])
        try:
            for k, weight in enumerate(WEIGHTS):
                found = invert_pairs(
                    r[1:end],
                    values[:, 1:],
                    densities,
                    error=error[:, 1:],
                    noise_weight=weight,
                    intramolecular=molecules,
                )
                gamma[:, v, k, :end] = with_origin(found.gamma)
        except ConvergenceError:
            continue
        g[:, v, :end], valid[:, v] = values, True
    return LiquidFeatures(r, g, np.where(valid[:, :, None, None], gamma, 0.0), valid)


def _varied(curve: RDF, rng: np.random.Generator) -> RDF:
    """Return g with noise of one standard error; points without a count stay without one."""
    error: Array = np.zeros(curve.g.size) if curve.error is None else curve.error
    noisy = np.maximum(curve.g + error * rng.standard_normal(curve.g.size), np.exp(-U_VISIBLE))
    return RDF(curve.r, np.where(curve.g > 0.0, noisy, 0.0), error, units=LJ)


def molecule_origin(dataset: MoleculeDataset) -> str:
    """Return where the data come from, in the words of a model card."""
    used = dataset.select(dataset.accepted)
    engines = ", ".join(sorted(set(used.engine.tolist())))
    return (
        "Random molecules of 2 to 10 beads of up to three types (family m, `cginit.campaign.molecules`), simulated\n"
        f"with {engines} at kT = 1 and densities of beads from {used.density.min():.3g} to {used.density.max():.3g}. "
        f"Of {len(dataset)} tasks {len(used)}\nwere accepted as homogeneous liquids in equilibrium; they have "
        f"{int(used.n.min())} to {int(used.n.max())} beads and {int(used.steps.min())} to {int(used.steps.max())}\n"
        "steps of production."
    )
