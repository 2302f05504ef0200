"""What commands that train share: options, counters, and the auxiliary pairs of a configuration."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cginit.cli.progress import duration
from cginit.cli.voice import voice

if TYPE_CHECKING:
    from collections.abc import Callable

    from cginit.learn.config import Auxiliary
    from cginit.learn.data import TrainingSet

__all__ = ["Data", "Device", "Families", "auxiliary_set", "counter", "need_torch"]

Data = Annotated[Path, typer.Option(help="Data set (HDF5), as cg-init dataset merge writes it.")]
Device = Annotated[str, typer.Option(help="Where to compute: auto, cpu or cuda.")]
Families = Annotated[
    str, typer.Option(help="Families of potentials to use, a letter each: a, b, c, or several as abc.")
]


def counter(what: str, *, every: int = 100) -> Callable[[int, int], None]:
    """Return a callback that tells on stderr how many state points are done, `every` so many and at the end."""
    began = time.monotonic()

    def report(done: int, total: int) -> None:
        if done % every == 0 or done == total:
            left = (time.monotonic() - began) * (total - done) / max(done, 1)
            voice().progress(f"{what}: {done}/{total} state points, {duration(left)} left")

    return report


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
