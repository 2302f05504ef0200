"""``cg-init report``: the figure of a refinement."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cginit.cli.outputs import check_figure_option
from cginit.cli.voice import voice

__all__ = ["report"]


def report(
    workdir: Annotated[Path, typer.Argument(metavar="DIR", help="The --workdir of a refinement.")],
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", callback=check_figure_option, help="Figure to write. Default: DIR/report.png."
        ),
    ] = None,
) -> None:
    """Draw every g(r), U(r) and the error of a refinement of any system, finished or not."""
    from cginit.refine.store import Store
    from cginit.report import refinement_figure

    store = Store(workdir)
    rounds, targets = store.rounds(), store.targets()
    voice().file(refinement_figure(rounds, targets, out or workdir / "report.png", store.estimate()))
