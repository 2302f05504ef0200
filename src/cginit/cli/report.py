"""``cg-init report``: the figure of a refinement."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cginit.cli.outputs import check_figure_option

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
    """Draw g(r), U(r) and the error of a refinement, of one component or of a mixture, finished or not."""
    from cginit.refine.checkpoint import Store
    from cginit.refine.mixture_store import MixtureStore
    from cginit.report import mixture_figure, refinement_figure

    path = out or workdir / "report.png"
    mixture = MixtureStore(workdir)
    if mixture.exists:
        typer.echo(mixture_figure(mixture.read(), mixture.target(), path))
        return
    store = Store(workdir)
    history = store.read()
    origin = history[0].potential.provenance if history else None
    kT = 1.0 if origin is None or origin.kT is None else origin.kT
    typer.echo(refinement_figure(history, store.target(), kT, path, store.reweighted()))
