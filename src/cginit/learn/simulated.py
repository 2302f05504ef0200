"""A data set of simulations as pairs of g(r) and U(r) that networks learn from, and where they come from in words."""

from __future__ import annotations

import numpy as np

from cginit.campaign.dataset import Dataset
from cginit.campaign.families import FAMILIES
from cginit.curves import RDF
from cginit.errors import InputError
from cginit.guess.assembly import visible_target
from cginit.learn.data import CAP, FINE, S_K_ERROR, STRIDE, TrainingSet
from cginit.liquid.finite_size import infinite_system
from cginit.models.grid import RANGE, interpolate
from cginit.units import LJ

__all__ = ["origin", "training_set"]


def training_set(dataset: Dataset, families: str = "a") -> TrainingSet:
    """Return the accepted rows of some families as networks learn from them.

    g, up to 5 sigma, becomes that of an infinite system (with S at the smallest wave vectors of the box for S(0)),
    point values (its bins average over steep cores) and 0 below its first visible point, as in a guess; potentials
    go onto a fine common grid. The test set is that of the data set. S(k) is that at
    k = 2 pi / L of the cubic boxes.

    Raises
    ------
    InputError
        If no row is accepted.
    """
    rows = dataset.select(dataset.accepted & np.isin(dataset.family, list(families)))
    if len(rows) == 0:
        raise InputError(
            f"the data set holds no accepted state point of family {families}; simulate some first"
        )
    inside = rows.r <= RANGE + 1e-9
    r = rows.r[inside]
    u_r = np.linspace(0.0, RANGE, round(RANGE / FINE) + 1)
    g, u = [], []
    columns = (rows.u_r, rows.u, rows.g, rows.g_error, rows.n, rows.s_k_min)
    for table_r, table, values, error, beads, s_k_min in zip(*columns, strict=True):
        whole = infinite_system(values[inside], float(s_k_min), float(beads))
        visible = visible_target(RDF(r, whole, error[inside], units=LJ))
        g.append(visible.target.g)
        step = float(table_r[-1] / (table_r.size - 1))
        u.append(interpolate(np.minimum(table, CAP)[None], 0.0, step, u_r, 0.0)[0])
    k_min = 2.0 * np.pi * (rows.density / rows.n) ** (1.0 / 3.0)
    family = np.array([FAMILIES.index(x) for x in rows.family], dtype=np.int64)
    return TrainingSet(
        r,
        np.array(g),
        rows.g_error[:, inside],
        u_r,
        np.array(u),
        rows.density,
        rows.r_cut,
        rows.seed + STRIDE * family,
        rows.pressure,
        rows.pressure_error,
        rows.split == "test",
        np.stack([k_min, rows.s_k_min, S_K_ERROR * rows.s_k_min], axis=1),
    )


def origin(dataset: Dataset, families: str) -> str:
    """Return where the data come from, in the words of a model card."""
    used = dataset.select(dataset.accepted & np.isin(dataset.family, list(families)))
    engines = ", ".join(sorted(set(used.engine.tolist())))
    tasks = int(np.sum(np.isin(dataset.family, list(families))))
    recipes = {
        "a": "random splines, half of them with a WCA core (family a, `cginit.campaign.potentials`)",
        "b": "bead-like potentials of many kinds (family b, `cginit.campaign.beads`)",
        "c": "dense liquids (family c, `cginit.campaign.dense`)",
    }
    return (
        f"Random pair potentials: {', '.join(recipes[x] for x in families)}, simulated with\n{engines} at kT = 1 "
        f"and densities from {used.density.min():.3g} to {used.density.max():.3g}. Of {tasks} tasks {len(used)} were "
        f"accepted as\nhomogeneous fluids in equilibrium; they have {int(used.n.min())} to {int(used.n.max())} beads "
        f"and {int(used.steps.min())} to {int(used.steps.max())} steps of production."
    )
