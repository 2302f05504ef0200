"""``cg-init train`` of the forward map: training, errors of g and of polished guesses, and the files that ship."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cginit.cli.judging import written_files
from cginit.cli.learning import counter
from cginit.cli.voice import voice

if TYPE_CHECKING:
    from cginit.campaign.dataset import Dataset
    from cginit.learn.config import Config
    from cginit.learn.data import TrainingSet
    from cginit.learn.fitting import Progress

__all__ = ["train_structure"]


def train_structure(
    config: Config,
    dataset: Dataset,
    data: TrainingSet,
    out: Path,
    export: Path | None,
    report: Callable[[Progress], None],
    families: str,
    device: str,
    *,
    every: int = 8,
) -> None:
    """Train the ensemble that gives g(r) of a potential, and judge it on the validation folds and the test set."""
    import numpy as np

    from cginit.cli.judging import origin
    from cginit.learn.subjects.structure_errors import (
        assess,
        bridge_members,
        check_quality,
        error_tables,
        saved,
    )
    from cginit.learn.subjects.structure_export import write_forward
    from cginit.learn.subjects.structure_training import train_forward
    from cginit.learn.training import data_digest

    run = train_forward(config, data, out, device=device, report=report, prepared=counter("HNC and response"))
    rows = {
        "validation": np.flatnonzero(~data.test)[::every],
        "test": np.flatnonzero(data.test),
    }
    if export is None:
        del rows["test"]
    members = bridge_members(config.schedule.members)
    errors: dict[str, Any] = {"every": every}
    for name, chosen in rows.items():
        found = assess(run, data, chosen, members, counter(f"errors, {name}", every=50))
        saved(found, out / f"errors-{name}.npz")
        errors[f"map_{name}"], errors[f"step_{name}"] = error_tables(found)
        errors[f"check_{name}"] = check_quality(found)
        for key in ("map", "step", "check"):
            voice().line(f"## {key}, {name}\n{errors[f'{key}_{name}']}")
    if export is None:
        return
    facts = {
        "data": {"text": origin(dataset, families), "digest": data_digest(data)},
        "errors": errors,
    }
    write_forward(config, run, data, export, facts)
    written_files(export, config.name)
