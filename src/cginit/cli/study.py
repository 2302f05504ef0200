"""``cg-init train study`` and ``cg-init train search``: the published comparison of networks, and sizes for it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cginit.cli.learning import Data, Device, Families, need_torch, training_set
from cginit.cli.voice import voice

if TYPE_CHECKING:
    from rich.progress import Progress as Bars

    from cginit.network.data import TrainingSet
    from cginit.network.study import StudyConfig, StudyProgress, Subject

__all__ = ["search", "study", "subject_of"]

Config = Annotated[
    Path,
    typer.Option(
        help="Study (TOML); the package holds configs/study-potential.toml and study-pressure.toml."
    ),
]
Only = Annotated[
    list[str] | None, typer.Option(help="Only this architecture (CN) or network (CN/f); may be repeated.")
]


def study(
    data: Data,
    config: Config,
    out: Annotated[Path, typer.Option(help="Folder of the study; the same command goes on where it was.")],
    sizes: Annotated[
        Path | None, typer.Option(help="sizes.toml of cg-init train search, instead of those of the study.")
    ] = None,
    only: Only = None,
    device: Device = "auto",
    families: Families = "a",
    side_by_side: Annotated[
        int,
        typer.Option(min=0, help="Networks trained at once; 0: one cross-validation on a CPU, all on CUDA."),
    ] = 0,
    threads: Annotated[int, typer.Option(min=1, help="Threads of the CPU.")] = 1,
) -> None:
    """Train every network of a study on every fold, and the final ones on all but the test set."""
    need_torch()
    import torch

    from cginit.network.study import run_study

    torch.set_num_threads(threads)
    settings = _settings(config, sizes)
    pairs = _pairs(data, families)
    with _Bars() as bars:
        run_study(
            settings,
            subject_of(settings.subject),
            pairs,
            out,
            device=device,
            only=tuple(only or ()),
            side_by_side=side_by_side,
            report=bars.show,
        )
    voice().file(out)


def search(
    data: Data,
    config: Config,
    out: Annotated[Path, typer.Option(help="Folder of the search; the same command goes on where it was.")],
    trials: Annotated[
        int, typer.Option(min=1, help="Trials of each architecture, those done included.")
    ] = 30,
    steps: Annotated[int, typer.Option(min=1, help="Optimiser steps of a trial.")] = 2000,
    only: Only = None,
    device: Device = "auto",
    families: Families = "a",
    threads: Annotated[int, typer.Option(min=1, help="Threads of the CPU.")] = 1,
) -> None:
    """Search width, depth, kernel, learning rate and loss of DN/x, CN/x and UN/x by cross-validation (Optuna)."""
    need_torch()
    import torch

    from cginit.network.search import search_sizes

    torch.set_num_threads(threads)
    settings = _settings(config, None)

    path = search_sizes(
        settings,
        subject_of(settings.subject),
        _pairs(data, families),
        out,
        trials=trials,
        steps=steps,
        kinds=tuple(only or settings.kinds),
        device=device,
        report=voice().progress,
    )
    voice().file(path)


def subject_of(name: str) -> Subject:
    """Return the subject that a study names.

    Raises
    ------
    InputError
        If there is none of this name.
    """
    from cginit.eos.task import PressureSubject
    from cginit.errors import InputError
    from cginit.network.study import PotentialSubject

    subjects: dict[str, type[Subject]] = {"potential": PotentialSubject, "pressure": PressureSubject}
    if name not in subjects:
        raise InputError(f"unknown subject {name!r} of a study; known are {', '.join(subjects)}")
    return subjects[name]()


def _settings(config: Path, sizes: Path | None) -> StudyConfig:
    from cginit.network.study import StudyConfig
    from cginit.toml import read_toml

    content = read_toml(config)
    if sizes is not None:
        for table, values in read_toml(sizes).items():
            content[table] = {**content.get(table, {}), **values}
    return StudyConfig.from_dict(content, str(config))


def _pairs(data: Path, families: str) -> TrainingSet:
    from cginit.campaign.dataset import load

    return training_set(load(data), families)


class _Bars:
    """Progress bars of a study on standard error; a context manager."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._console = Console(stderr=True, quiet=voice().quiet)
        self._bars: Bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=self._console,
        )
        self._networks = self._bars.add_task("networks", total=None)
        self._steps = self._bars.add_task("steps", total=None)

    def __enter__(self) -> _Bars:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def show(self, progress: StudyProgress) -> None:
        """Show where the study is."""
        fit = progress.fit
        first, last = fit.names[0], fit.names[-1]
        names = first if len(fit.names) == 1 else f"{first} .. {last}"
        self._bars.update(self._networks, completed=progress.done, total=progress.total)
        self._bars.update(self._steps, completed=fit.step, total=fit.steps, description=names)
        if not self._console.is_terminal or fit.step == fit.steps:
            errors = " ".join(f"{x:.4f}" for x in fit.error[:8])
            self._console.print(
                f"{progress.done}/{progress.total} networks  {names}  step {fit.step}/{fit.steps}  "
                f"loss {fit.loss.mean():.4g}  validation {errors}",
                highlight=False,
                soft_wrap=True,
            )
