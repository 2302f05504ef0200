"""``cg-init dataset``: plan a campaign, simulate its state points, count them, merge them into one file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cginit.cli.command import Application
from cginit.cli.voice import voice
from cginit.errors import InputError

if TYPE_CHECKING:
    from cginit.campaign.dataset import AnyDataset
    from cginit.campaign.families import NamedTask

__all__ = ["app"]

app = Application(
    no_args_is_help=True, help="Training data: random potentials, simulated at many state points."
)

Folder = Annotated[
    Path, typer.Argument(metavar="DIR", help="Folder of the campaign: its plan, and one file a state point.")
]
Source = Annotated[Path, typer.Argument(metavar="DIR|FILE", help="Folder of a campaign, or a merged file.")]


@app.command()
def generate(
    folder: Folder,
    family: Annotated[
        str,
        typer.Option(
            help="a: published random splines. b: potentials of beads. c: dense liquids. m: molecules of such beads."
        ),
    ] = "a",
    first: Annotated[int, typer.Option(help="First integer of the potentials.", min=0)] = 0,
    count: Annotated[int, typer.Option(help="How many potentials.", min=1)] = 100,
    precision: Annotated[
        float | None,
        typer.Option(
            help="Relative standard error of g near its peak (default 0.005, molecules 0.02).",
            min=1e-4,
            max=0.1,
        ),
    ] = None,
) -> None:
    """Add potentials to the plan of a campaign; begins one if the folder holds none."""
    from dataclasses import replace

    from cginit.campaign import Batch, Campaign
    from cginit.campaign.campaign import FILE

    campaign = Campaign.read(folder) if (folder / FILE).exists() else Campaign()
    campaign = campaign.with_batch(Batch(family, first, count))
    if precision is not None:
        campaign = replace(campaign, precision=precision)
    tasks = campaign.tasks()
    campaign.write(folder)
    test = sum(task.split == "test" for task in tasks)
    voice().result |= {"state_points": len(tasks), "test": test}
    voice().answer(
        f"{len(tasks)} state points of {len({(x.family, x.seed) for x in tasks})} {_named(tasks[0].family)}, "
        f"{test} of them for tests only; simulate them with: cg-init dataset simulate {folder}"
    )


@app.command()
def simulate(
    folder: Folder,
    workers: Annotated[
        int | None, typer.Option(help="State points at a time on this machine (default: its cores).", min=1)
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="A running Dask scheduler to use instead, as tcp://host:8786."),
    ] = None,
    engine: Annotated[str, typer.Option(help="What simulates: lammps or hoomd.")] = "lammps",
) -> None:
    """Simulate what the campaign lacks; stop and start at will."""
    import os

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from cginit.campaign import Campaign, record_path, run_campaign
    from cginit.refine.loop import load_engine

    campaign = Campaign.read(folder)
    tasks = campaign.tasks()
    done = sum(record_path(folder, task).exists() for task in tasks)
    accepted = 0
    bar = Progress(
        TextColumn("state points"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[accepted]} accepted"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=voice().quiet,
    )
    with bar:
        row = bar.add_task("", total=len(tasks), completed=done, accepted=0)

        def progress(task: NamedTask, reason: str) -> None:
            nonlocal accepted
            accepted += not reason
            bar.update(row, advance=1, accepted=accepted)

        outcome = run_campaign(
            tasks,
            load_engine(engine),
            folder,
            workers=workers or os.cpu_count() or 1,
            scheduler=cluster,
            precision=campaign.precision,
            progress=progress,
        )
    lost = len(tasks) - done - len(outcome)
    again = f"; {lost} were lost, run again to repeat them" if lost else ""
    voice().result |= {"done": len(outcome), "accepted": accepted, "lost": lost}
    voice().answer(f"{len(outcome)} state points done, {accepted} of them accepted{again}")


@app.command()
def merge(
    sources: Annotated[
        list[Path], typer.Argument(metavar="DIR|FILE...", help="Folders of campaigns, or merged files.")
    ],
    out: Annotated[Path, typer.Option(metavar="FILE", help="HDF5 file to write.")],
    rejected: Annotated[bool, typer.Option(help="Keep rejected state points, without curves.")] = True,
) -> None:
    """Join records into one file; a state point that occurs twice is taken from the first source."""
    from cginit.campaign import join, save

    data = join([_data(source, aged=True) for source in sources])
    save(data if rejected else data.select(data.accepted), out)
    voice().file(out)


@app.command()
def unpack(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Merged file.")],
    folder: Folder,
) -> None:
    """Put the records of a merged file back into a folder, so that a campaign goes on there."""
    from cginit.campaign import load_any
    from cginit.campaign.dataset import write_record

    folder.mkdir(parents=True, exist_ok=True)
    written = 0
    for record in load_any(file, aged=True).records():
        path = folder / f"{record.family}-{record.seed:06d}-{record.index}.npz"
        if not path.exists():
            write_record(record, path)
            written += 1
    voice().result["records"] = written
    voice().answer(
        f"{written} records written to {folder}; plan more with: cg-init dataset generate {folder}"
    )


@app.command()
def status(source: Source) -> None:
    """Count accepted state points by family, split and density, and rejected ones by reason."""
    from cginit.campaign import Campaign, Dataset, counts, screen_report
    from cginit.campaign.campaign import FILE

    data = _data(source)
    found = counts(data)
    voice().result |= found
    say = voice().line
    good = data.select(data.accepted)
    if (source / FILE).exists():
        planned = len(Campaign.read(source).tasks())
        say(f"planned   {planned} state points, {len(data)} done")
    for family in sorted(set(data.family.tolist())):
        rows = good.select(good.family == family)
        say(
            f"family {family}  {len(rows)} accepted, of {len(set(rows.seed.tolist()))} {_named(family)}; "
            f"{found['test'][family]} of them for tests only"
        )
        for low, high in ((0.0, 0.2), (0.2, 0.4), (0.4, 0.75), (0.75, 9.0)):
            inside = int(((rows.density > low) & (rows.density <= high)).sum())
            say(f"  density {'above' if high == 9 else 'to'} {low if high == 9 else high:<5g} {inside}")
    for reason, number in found["rejected"].items():
        say(f"rejected  {number:>5} {reason}")
    if isinstance(data, Dataset):
        screen = screen_report(data)
        say(
            f"screen    refused {screen.refused} without simulation; of {screen.audited} that were simulated all "
            f"the same {screen.wrong} were fluids; of {screen.simulated} that passed {screen.rejected} were rejected"
        )
    if len(good):
        for line in _spread(good):
            say(line)
    say(f"engine time {data.seconds.sum() / 3600:.2f} core-hours")


def _named(family: str) -> str:
    return "molecules" if family == "m" else "potentials"


def _spread(good: AnyDataset) -> list[str]:
    """Return how beads, steps and errors of accepted state points are distributed, one line each."""
    import numpy as np

    # Of molecules, that of every pair.
    errors = good.peak_error[np.isfinite(good.peak_error)]
    relative = good.pressure_error / np.maximum(np.abs(good.pressure), 0.05 * good.density)
    columns = {
        "beads": (good.n, "{:.0f}"),
        "steps of production": (good.steps, "{:.0f}"),
        "error of g at its first peak": (errors, "{:.2%}"),
        "error of P, relative": (relative, "{:.3%}"),
    }
    lines = [f"{'accepted':<32}" + " ".join(f"{x:>9}" for x in ("least", "10 %", "median", "90 %", "most"))]
    for name, (values, form) in columns.items():
        parts = " ".join(f"{form.format(x):>9}" for x in np.quantile(values, (0.0, 0.1, 0.5, 0.9, 1.0)))
        lines.append(f"  {name:<30}{parts}")
    return lines


@app.command()
def sheet(
    source: Source,
    out: Annotated[Path, typer.Option(metavar="FILE", help="Figure to write.")],
    count: Annotated[int, typer.Option(help="How many state points.", min=1, max=200)] = 40,
    seed: Annotated[int, typer.Option(help="Of the choice.")] = 1,
    family: Annotated[str | None, typer.Option(help="Only this family.")] = None,
) -> None:
    """Draw potential and g(r) of accepted state points chosen at random, to look through."""
    from cginit.campaign import Dataset
    from cginit.report.dataset import dataset_sheet

    data = _data(source)
    if not isinstance(data, Dataset):
        raise InputError(f"{source} holds molecules; a sheet draws loose beads")
    rows = data.accepted if family is None else data.accepted & (data.family == family)
    voice().file(dataset_sheet(data.select(rows), out, count=count, seed=seed))


def _data(source: Path, *, aged: bool = False) -> AnyDataset:
    from cginit.campaign import load_any, read_record
    from cginit.campaign import merge as columns

    if not source.exists():
        raise InputError(f"{source} does not exist")
    if not source.is_dir():
        return load_any(source, aged=aged)
    paths = sorted(source.glob("*.npz"))
    if not paths:
        raise InputError(f"{source} holds no records; make them with: cg-init dataset simulate {source}")
    return columns([read_record(path) for path in paths])
