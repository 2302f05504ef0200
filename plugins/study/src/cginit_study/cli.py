"""The command ``cginit-study``: training of the networks, search of their sizes, simulated guesses, figures."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cginit.cli.command import Application
from cginit.cli.learning import Data, Device, Families
from cginit.cli.program import Program, run
from cginit.cli.voice import voice

if TYPE_CHECKING:
    from rich.progress import Progress as Bars

    from cginit.learn.data import TrainingSet
    from cginit_study.study import StudyConfig, StudyProgress

__all__ = ["app", "main"]

_DATA = "--data data/state-points.h5"
_OWN = "plugins/study/data"


class Study(Program):
    """The program ``cginit-study``."""

    program = "cginit-study"

    @property
    def examples(self) -> Mapping[str, tuple[str, ...]]:
        """The examples of its help; each runs in a copy of the repository."""
        return {
            "": (
                f"cginit-study train {_DATA} --config potential --out study",
                f"cginit-study figures {_DATA} --potential-study study --out figures",
            ),
            "train": (
                f"cginit-study train {_DATA} --config potential --out study",
                f"cginit-study train {_DATA} --config potential --only CN --out study",
            ),
            "search": (
                f"cginit-study search {_DATA} --config potential --out search",
                f"cginit-study search {_DATA} --config potential --trials 5 --out search",
            ),
            "simulate": (
                f"cginit-study simulate {_DATA} --out runs",
                f"cginit-study simulate {_DATA} --method network --count 5 --out runs",
            ),
            "figures": (
                f"cginit-study figures {_DATA} --potential-study {_OWN}/potential --out figures",
                f"cginit-study figures {_DATA} --pressure-study {_OWN}/pressure --out figures",
            ),
        }


app = Application(
    cls=Study,
    no_args_is_help=True,
    add_completion=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(value: bool) -> None:
    if value:
        voice().answer(f"cginit-study {version('cginit-study')}, cginit {version('cginit')}")
        raise typer.Exit


@app.callback(epilog="Each command has help of its own: cginit-study train --help")
def start(
    shown: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_version,
            is_eager=True,
            help="Print the version and exit.",
            rich_help_panel="Output",
        ),
    ] = False,
) -> None:
    """Train the published networks g(r) -> U and U -> P on a data set, and draw the figures of the paper."""


Config = Annotated[
    str, typer.Option(help="Study (TOML), or potential or pressure for those that come with this program.")
]
Only = Annotated[
    list[str] | None, typer.Option(help="Only this architecture (CN) or network (CN/f); may be repeated.")
]
Threads = Annotated[int, typer.Option(min=1, help="Threads of the CPU.")]


@app.command()
def train(
    data: Data,
    config: Config,
    out: Annotated[Path, typer.Option(help="Folder of the study; the same command goes on where it was.")],
    sizes: Annotated[
        Path | None, typer.Option(help="sizes.toml of cginit-study search, instead of those of the study.")
    ] = None,
    only: Only = None,
    device: Device = "auto",
    families: Families = "a",
    side_by_side: Annotated[
        int,
        typer.Option(min=0, help="Networks trained at once; 0: one cross-validation on a CPU, all on CUDA."),
    ] = 0,
    threads: Threads = 1,
) -> None:
    """Train every network of a study on every fold, and the final ones on all but the test set."""
    import torch

    from cginit_study.study import run_study
    from cginit_study.subjects import subject_of

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


@app.command()
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
    threads: Threads = 1,
) -> None:
    """Search width, depth, kernel, learning rate and loss of DN/x, CN/x and UN/x by cross-validation (Optuna)."""
    import torch

    from cginit_study.search import search_sizes
    from cginit_study.subjects import subject_of

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


@app.command()
def simulate(
    data: Data,
    out: Annotated[Path, typer.Option(help="Folder of the runs; the same command goes on where it was.")],
    method: Annotated[
        list[str] | None,
        typer.Option(
            help="Guess; may be repeated. Default: CN/f (with --potential-study, else cn-f), network, hnc, "
            "boltzmann, and true, the true potential."
        ),
    ] = None,
    model: Annotated[
        Path | None, typer.Option(help="Folder of an exported model that a method names, if not shipped.")
    ] = None,
    potential_study: Annotated[
        Path | None,
        typer.Option(help="Study g -> U, whose final networks methods such as CN/f name."),
    ] = None,
    count: Annotated[int, typer.Option(min=1, help="Test state points.")] = 20,
    engine: Annotated[str, typer.Option(help="lammps or hoomd.")] = "lammps",
    families: Families = "a",
) -> None:
    """Simulate guesses for test state points, and keep their g(r) beside the target."""
    from cginit_study.simulated import simulate_cases

    published = "cn-f" if potential_study is None else "CN/f"
    for line in simulate_cases(
        _pairs(data, families),
        out,
        tuple(method or (published, "network", "hnc", "boltzmann", "true")),
        count=count,
        engine=engine,
        model=model,
        study=potential_study,
    ):
        voice().line(line)
    voice().file(out)


@app.command()
def figures(
    data: Data,
    out: Annotated[Path, typer.Option(help="Folder of figures, table and numbers.")],
    potential_study: Annotated[
        Path | None, typer.Option(help="Study g -> U: figures 6, 7, 8 and 9 (cginit-study train).")
    ] = None,
    pressure_study: Annotated[
        Path | None, typer.Option(help="Study U -> P: figures 3 and 4, with --potential-study 11 too.")
    ] = None,
    simulated: Annotated[
        Path | None, typer.Option(help="Folder of cginit-study simulate: figure 10.")
    ] = None,
    network: Annotated[str, typer.Option(help="Final network g -> U of figures 8, 9 and 11.")] = "CN/f",
    eos: Annotated[str, typer.Option(help="Final network U -> P of figures 4 and 11.")] = "UN/Bn-c",
    model: Annotated[
        Path | None,
        typer.Option(help="Folder of the exported default network U -> P, to stand beside the study's."),
    ] = None,
    families: Families = "a",
) -> None:
    """Draw what the given studies allow, and write table.md and numbers.json beside."""
    import torch

    from cginit_study.evaluation import evaluate

    torch.set_num_threads(1)
    pairs = _pairs(data, families)
    for path in evaluate(pairs, out, potential_study, pressure_study, simulated, network, eos, model):
        voice().file(path)


def _settings(config: str, sizes: Path | None) -> StudyConfig:
    from cginit.toml import read_toml
    from cginit_study.study import StudyConfig
    from cginit_study.subjects import config_path

    path = config_path(config)
    content = read_toml(path)
    if sizes is not None:
        for table, values in read_toml(sizes).items():
            content[table] = {**content.get(table, {}), **values}
    return StudyConfig.from_dict(content, str(path))


def _pairs(data: Path, families: str) -> TrainingSet:
    from cginit.campaign.dataset import load
    from cginit.learn.simulated import training_set

    # The networks of the study were trained and judged on all accepted state points, those that age among them.
    return training_set(load(data, aged=True), families)


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


def main() -> None:
    """Run the command line; errors end with a message and an exit code."""
    run(app, Study.program)
