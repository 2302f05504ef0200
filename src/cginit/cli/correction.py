"""``cg-init train`` of the default route to the pressure: training, errors, and the files that ship."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from cginit.cli.judging import written_files
from cginit.cli.learning import counter
from cginit.cli.voice import voice

if TYPE_CHECKING:
    from cginit.campaign.dataset import Dataset
    from cginit.learn.config import Config
    from cginit.learn.data import TrainingSet
    from cginit.learn.fitting import Progress

__all__ = ["train_pressure"]


def train_pressure(
    config: Config,
    dataset: Dataset,
    data: TrainingSet,
    out: Path,
    export: Path | None,
    report: Callable[[Progress], None],
    device: str,
) -> None:
    """Train the ensemble that corrects the HNC pressure, and print its errors beside those of the theory."""
    from cginit.learn.subjects.pressure_export import write_eos
    from cginit.learn.subjects.pressure_training import train_correction
    from cginit.learn.training import data_digest

    run = train_correction(config, data, out, device=device, report=report, prepared=counter("HNC"))
    folder = out / "model" if export is None else export
    facts = {"data": {"text": _origin(dataset, data), "digest": data_digest(data)}}
    description = write_eos(config, run, data, folder, facts)
    for group in ("validation", "test"):
        if description["errors"][group].count("\n") > 1:
            voice().line(f"## {group}\n{description['errors'][group]}")
    coverage = description["coverage of the 90 % band"]
    voice().line(
        f"the 90 % band holds {100 * coverage['validation']:.1f} % of the validation folds and "
        f"{100 * coverage['test']:.1f} % of the test set"
    )
    written_files(folder, config.name)


def _origin(dataset: Dataset, data: TrainingSet) -> str:
    used = dataset.select(dataset.accepted)
    engines = ", ".join(sorted(set(used.engine.tolist())))
    families = ", ".join(sorted(set(used.family.tolist())))
    return (
        f"Random pair potentials (families {families} of the data set), simulated with {engines} at kT = 1 and "
        f"densities from {data.density.min():.3g}\nto {data.density.max():.3g} sigma^-3. {len(data)} state points "
        "that were accepted as homogeneous fluids in equilibrium are used."
    )
