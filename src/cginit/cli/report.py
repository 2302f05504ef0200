"""``cg-init report``: the figure and the page of a refinement."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cginit.cli.outputs import check_figure_option, check_file
from cginit.cli.progress import waiting
from cginit.cli.voice import voice

if TYPE_CHECKING:
    from cginit.refine import OpenedRefinement

__all__ = ["report"]


def report(
    workdir: Annotated[Path, typer.Argument(metavar="DIR", help="The --workdir of a refinement.")],
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", callback=check_figure_option, help="Figure to write. Default: DIR/report.png."
        ),
    ] = None,
    page: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", callback=check_file, help="HTML page to write. Default: DIR/report.html."
        ),
    ] = None,
    live: Annotated[
        bool,
        typer.Option(
            "--live",
            help="Serve the page to browsers of this machine instead, kept up to date while the refinement runs; "
            "Ctrl-C ends it.",
        ),
    ] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port for --live. Default: a free one.")] = 0,
) -> None:
    """Draw all distributions, potentials and errors of a refinement, finished or not: a figure and an HTML page.

    The page is one file that needs no network: a slider over the iterations, differences in their noise, S(k),
    pressure, settings, and the tables to download.

    With --live the page is kept up to date while the refinement runs.
    """
    if live:
        _serve(workdir, port)
        return
    from cginit.refine import open_refinement
    from cginit.report import can_make_pages, refinement_page

    opened = open_refinement(workdir)
    if out is not None or find_spec("matplotlib") is not None:
        with waiting("drawing the figure"):
            figure = _figure(opened, out or workdir / "report.png")
        voice().file(figure)
    else:
        voice().note("the figure needs matplotlib: pip install 'cginit[report]'")
    if page is None and not can_make_pages():
        voice().note("the page report.html needs plotly: pip install 'cginit[report]'")
        return
    # What stands in the folder by default is made of the folder, any time again.
    with waiting("finding how well the potentials of each iteration are known"):
        made = refinement_page(opened, page or workdir / "report.html", backup=page is not None)
    voice().file(made)


def _figure(opened: OpenedRefinement, path: Path) -> Path:
    from cginit.report import refinement_figure
    from cginit.report.summary import figure_title

    some = bool(opened.rounds)
    return refinement_figure(
        opened.rounds,
        opened.targets,
        path,
        opened.estimate,
        title=figure_title(opened),
        best=opened.best if some else None,
        result=opened.potentials if some else None,
    )


def _serve(workdir: Path, port: int) -> None:
    from cginit.report.live import LivePage

    with waiting("reading the refinement"):
        served = LivePage(workdir, port)
    with served as page:
        voice().result["address"] = page.address
        voice().answer(page.address)
        if voice().as_json:
            # The document comes when the page is no longer there.
            voice().progress(page.address)
        voice().aside("Browsers of this machine that have this address see the page; Ctrl-C ends it.")
        try:
            page.serve()
        except KeyboardInterrupt:
            voice().aside("the page is no longer served; the refinement is not touched")
