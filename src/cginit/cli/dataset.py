"""``cg-init dataset``: simulate state points of random potentials, count them, merge them into one file."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cginit.errors import InputError

if TYPE_CHECKING:
    from cginit.campaign import Dataset

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True, help="Training data: random potentials, simulated at many state points."
)

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the records, one file a state point.")]


@app.command()
def simulate(
    folder: Folder,
    first: Annotated[int, typer.Option(help="First integer of the potentials.", min=0)] = 0,
    count: Annotated[int, typer.Option(help="How many potentials.", min=1)] = 100,
    densities: Annotated[
        int, typer.Option(help="Densities a potential, of the four published.", min=1, max=4)
    ] = 2,
    workers: Annotated[int, typer.Option(help="State points simulated at a time.", min=1)] = 1,
) -> None:
    """Simulate with LAMMPS what the folder does not hold yet; stop and start at will."""
    from cginit.campaign import plan, run_campaign
    from cginit.engines.lammps import LammpsEngine

    tasks = plan(range(first, first + count), densities)
    outcome = run_campaign(tasks, LammpsEngine(), folder, workers)
    typer.echo(f"{len(outcome)} simulated, {sum(not reason for reason in outcome.values())} of them accepted")


@app.command()
def merge(
    folder: Folder,
    out: Annotated[Path, typer.Option(metavar="FILE", help="HDF5 file to write.")],
    rejected: Annotated[bool, typer.Option(help="Keep rejected state points, without curves.")] = True,
) -> None:
    """Join all records of a folder into one file."""
    from cginit.campaign import save

    data = _records(folder)
    save(data if rejected else data.select(data.accepted), out)
    typer.echo(out)


@app.command()
def status(
    source: Annotated[Path, typer.Argument(metavar="DIR|FILE", help="Folder of records, or a merged file.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Count accepted state points by density, and rejected ones by reason."""
    from cginit.campaign import load

    data = _records(source) if source.is_dir() else load(source)
    accepted = data.select(data.accepted)
    families = Counter(str(x) for x in accepted.family)
    reasons = Counter(str(x).split(":")[0] for x in data.rejected if x)
    if as_json:
        typer.echo(json.dumps({"accepted": dict(families), "rejected": dict(reasons)}))
        return
    typer.echo(f"accepted  {len(accepted)} state points of {len(set(accepted.seed.tolist()))} potentials")
    for density, number in sorted(Counter(accepted.density.tolist()).items()):
        typer.echo(f"  density {density:<6g} {number}")
    for reason, number in reasons.most_common():
        typer.echo(f"rejected  {number:>5} {reason}")
    typer.echo(f"engine time {data.seconds.sum() / 3600:.2f} core-hours")


def _records(folder: Path) -> Dataset:
    from cginit.campaign import merge as join
    from cginit.campaign import read_record

    paths = sorted(folder.glob("*.npz"))
    if not paths:
        raise InputError(f"{folder} holds no records; make them with: cg-init dataset simulate {folder}")
    return join([read_record(path) for path in paths])
