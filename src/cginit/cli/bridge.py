"""``cg-init train`` of the networks that add the bridge function to a closure."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cginit.cli.judging import card_errors, held_rows, on_points, origin, written
from cginit.cli.learning import auxiliary_set, counter
from cginit.cli.voice import voice

if TYPE_CHECKING:
    from cginit.campaign.dataset import Dataset
    from cginit.learn.config import Config
    from cginit.learn.data import TrainingSet
    from cginit.learn.fitting import Progress

__all__ = ["train_closure"]


def train_closure(
    config: Config,
    dataset: Dataset,
    data: TrainingSet,
    out: Path,
    export: Path | None,
    report: Callable[[Progress], None],
    *,
    families: str,
    device: str,
) -> None:
    """Train the ensemble, print its errors beside those of the closures, and write the files of a guess."""
    import numpy as np

    from cginit.learn.card import bridge_card
    from cginit.learn.evaluate import boltzmann_potential, error_table
    from cginit.learn.export import describe
    from cginit.learn.subjects.bridge_export import write_bridge
    from cginit.learn.subjects.bridge_training import train_bridge
    from cginit.learn.training import data_digest

    if export is not None:
        held_rows(data)
    auxiliary = auxiliary_set(config.auxiliary, out, device)
    run = train_bridge(
        config,
        data,
        out,
        device=device,
        report=report,
        prepared=counter("Ornstein-Zernike inversions"),
        auxiliary=auxiliary,
    )
    found = run.predictions
    known = ~data.test
    folds = {
        "network": found.out_of_fold[known],
        "Verlet-modified": found.closure[known],
        "hnc": found.hnc[known],
    }
    if export is None:
        g, truth = (x[known] for x in on_points(data))
        voice().line(error_table({**folds, "-ln g": boltzmann_potential(g)}, truth, g, data.density[known]))
        voice().line(
            f"standard error = {found.error_scale():.3g} x spread; its 90 % band covers "
            f"{100 * found.coverage()[0]:.1f} % of the visible points of the validation folds"
        )
        return
    facts: dict[str, Any] = {"data": {"text": origin(dataset, families), "digest": data_digest(data)}}
    write_bridge(config, run, data, export, facts, auxiliary)
    bare = found.out_of_fold[np.flatnonzero(data.test)]
    description = describe(
        export, config.name, {"errors": card_errors(config.name, export, data, bare, folds)}
    )
    written(export, config.name, bridge_card(description), description["errors"]["test"])
