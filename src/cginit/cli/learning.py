"""What networks learn from: a data set as pairs of g(r) and U(r), and auxiliary pairs from the HNC closure."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cginit.cli.progress import duration
from cginit.cli.voice import voice

if TYPE_CHECKING:
    from collections.abc import Callable

    from cginit.campaign.dataset import Dataset
    from cginit.learn.config import Auxiliary
    from cginit.learn.data import TrainingSet

__all__ = ["Data", "Device", "Families", "auxiliary_set", "counter", "need_torch", "training_set"]

Data = Annotated[Path, typer.Option(help="Data set (HDF5), as cg-init dataset merge writes it.")]
Device = Annotated[str, typer.Option(help="Where to compute: auto, cpu or cuda.")]
Families = Annotated[str, typer.Option(help="Families of potentials to use: a, b or ab.")]


def counter(what: str, *, every: int = 100) -> Callable[[int, int], None]:
    """Return a callback that tells on stderr how many state points are done, `every` so many and at the end."""
    began = time.monotonic()

    def report(done: int, total: int) -> None:
        if done % every == 0 or done == total:
            left = (time.monotonic() - began) * (total - done) / max(done, 1)
            voice().progress(f"{what}: {done}/{total} state points, {duration(left)} left")

    return report


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
    import numpy as np

    from cginit.curves import RDF
    from cginit.errors import InputError
    from cginit.guess.assembly import visible_target
    from cginit.learn.data import CAP, FINE, S_K_ERROR, STRIDE, TrainingSet
    from cginit.liquid.finite_size import infinite_system
    from cginit.models.grid import RANGE, interpolate
    from cginit.units import LJ

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
    family = np.array(["ab".find(x) for x in rows.family], dtype=np.int64)
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


def auxiliary_set(how: Auxiliary, folder: Path, device: str) -> TrainingSet | None:
    """Return the auxiliary pairs, from `folder` as far as it has them; a thousand fluids take a minute or so.

    None where the configuration has no share for them.
    """
    if how.share == 0.0:
        return None
    from cginit.learn.pairs import cheap_pairs
    from cginit.learn.pool import choose_device

    began = time.monotonic()

    def report(done: int, total: int) -> None:
        left = (time.monotonic() - began) * (total - done) / max(done, 1)
        voice().progress(f"auxiliary pairs: {done}/{total} chunks, {duration(left)} left")

    return cheap_pairs(how, folder / "auxiliary", report, choose_device(device).type)


def need_torch() -> None:
    """Refuse to go on without PyTorch, with the way to install it."""
    from importlib.util import find_spec

    from cginit.errors import MissingDependencyError

    if find_spec("torch") is None:
        raise MissingDependencyError("training needs PyTorch: pip install 'cginit[train]'")
