"""``cg-init pressure``: the pressure of a tabulated potential by every route, and which one to trust."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cginit.cli.guess_facts import in_error
from cginit.cli.options import Kt, Temperature
from cginit.cli.outputs import check_figure_option
from cginit.cli.progress import waiting
from cginit.cli.temperature import energy_of_options
from cginit.cli.voice import quantity, voice
from cginit.curves import PairPotential
from cginit.errors import ConvergenceError, InputError
from cginit.state import StatePoint

if TYPE_CHECKING:
    from cginit.curves import Array
    from cginit.eos.comparison import RouteComparison
    from cginit.eos.result import Pressure
    from cginit.units import UnitSystem

__all__ = ["pressure"]

#: An atmosphere in bar, exact by definition.
BAR_PER_ATM = 1.01325
#: Characters of a line of the table.
WIDTH = 200

TableFormat = Annotated[
    str | None, typer.Option("--format", help="Format of the table. Default: by its name.")
]
Keyword = Annotated[str | None, typer.Option(help="Section, if the file is a LAMMPS file of several tables.")]
ModelFolder = Annotated[
    Path | None,
    typer.Option(help="Folder of an exported network (cg-init train --export), if not the shipped."),
]


def pressure(
    potential: Annotated[
        Path,
        typer.Option(
            metavar="FILE", help="Table of the potential, in any format that cg-init convert reads."
        ),
    ],
    density: Annotated[
        float | None, typer.Option(help="Beads per volume, in the inverse cube of the length unit.")
    ] = None,
    temperature: Temperature = None,
    kT: Kt = None,
    units: Annotated[
        str | None,
        typer.Option(
            help="Units of the table and the options: nm-kJ/mol, angstrom-kcal/mol or lj. Not needed if its header "
            "states them."
        ),
    ] = None,
    table_format: TableFormat = None,
    keyword: Keyword = None,
    rdf: Annotated[
        Path | None,
        typer.Option(
            "--rdf", metavar="FILE", help="g(r) of this potential at this state, for the virial formula."
        ),
    ] = None,
    model: ModelFolder = None,
    plot: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            callback=check_figure_option,
            help="Draw P against the density by every route (.png, .pdf, .svg).",
        ),
    ] = None,
) -> None:
    """Print the pressure that a pair potential has at a state, before it is simulated.

    Exit code 3: no route can be trusted, as inside the gas-liquid region.
    """
    from cginit.eos.comparison import compare_routes
    from cginit.io import read_rdf, read_table

    table = read_table(potential, units=units, format=table_format, keyword=keyword)
    state = _state(table, potential, density, temperature, kT)
    target = None if rdf is None else read_rdf(rdf, units=table.units)
    with waiting("pressure by every route"):
        found = compare_routes(table, state, target, model)
    voice().result |= _plain(found)
    _print(found)
    if plot is not None:
        with waiting("pressure at other densities"):
            _plot(table, found, model, plot)
        voice().file(plot)
    if found.trusted is None:
        raise ConvergenceError(f"no pressure to trust: {found.reason}")


def _state(
    table: PairPotential,
    path: Path,
    density: float | None,
    temperature: float | None,
    kT: float | None,
) -> StatePoint:
    """Return the state, of which the header of the table may know a part."""
    origin, units = table.provenance, table.units
    if density is None and origin is not None:
        density = origin.density
    if density is None:
        raise InputError(
            f"the number density is not stated in {path}; give it in {units.density} with --density"
        )
    stated = None if origin is None else origin.kT
    return StatePoint(density, energy_of_options(temperature, kT, units, str(path), stated), units)


def _print(found: RouteComparison) -> None:
    """Print the state, a table of the routes, and which one to trust; of a quiet command only the pressure."""
    spoken = voice()
    state = found.state
    units = next(iter(found.routes.values())).units
    kelvin = "" if units.is_reduced else f" ({state.kT / units.boltzmann():.5g} K)"
    spoken.line(
        f"state     density {state.density:g} {units.density}, kT {state.kT:g} {units.energy}{kelvin}; "
        f"rho kT = {state.density * state.kT:.5g} {units.pressure}"
    )
    if spoken.for_people:
        whole = _table(found, units)
        narrow = not spoken.verbose and _too_wide(whole)
        spoken.line(_table(found, units, narrow=True) if narrow else whole)
        if narrow:
            spoken.line("(what the routes are, and the pressure in atm: a wider window, or -v)")
    elif found.trusted is not None:
        one = found.routes[found.trusted]
        value, error = (one.value, one.error) if units.is_reduced else one.in_bar()
        spoken.answer(f"{in_error(value, error)} {units.pressure if units.is_reduced else 'bar'}")
    for name, why in found.failures.items():
        spoken.line(f"{name}: no answer, {why}")
    trusted = "none" if found.trusted is None else found.trusted
    spoken.line(f"trusted   {trusted}: {found.reason}")
    for sign in found.flags:
        colour = typer.colors.RED if sign.certain else typer.colors.YELLOW
        spoken.note(f"{sign.kind}: {sign.text}", "warning   ", colour)
    if found.trusted is not None:
        for note in found.routes[found.trusted].notes:
            spoken.note(note)


def _too_wide(text: str) -> bool:
    """Whether a terminal would wrap the lines of a table; files and other programs take any width."""
    if not sys.stdout.isatty():
        return False
    return max(map(len, text.splitlines())) > shutil.get_terminal_size().columns


def _table(found: RouteComparison, units: UnitSystem, *, narrow: bool = False) -> str:
    """Return the pressure by every route in every unit that it can be given in; a narrow table lacks what is long."""
    from rich.console import Console
    from rich.table import Table

    from cginit.eos.routes import EXPLANATIONS

    state = found.state
    table = Table(box=None, pad_edge=False, header_style="")
    factors = {f"P / ({units.pressure})": 1.0}
    if not units.is_reduced:
        factors["bar"] = units.bar()
        if not narrow:
            factors["atm"] = units.bar() / BAR_PER_ATM
    factors["P / (rho kT)"] = 1.0 / (state.density * state.kT)
    for k, name in enumerate(["", "route", *factors]):
        table.add_column(name, justify="right" if k > 1 else "left", no_wrap=True)
    if not narrow:
        table.add_column("")
    for name, one in found.routes.items():
        cells = [in_error(one.value * x, one.error * x) for x in factors.values()]
        cells += [] if narrow else [EXPLANATIONS[name]]
        table.add_row("*" if name == found.trusted else "", name, *cells)
    console = Console(width=WIDTH, highlight=False)
    with console.capture() as shown:
        console.print(table)
    # Cells are padded to the width of their column, the last one, too.
    return "\n".join(line.rstrip() for line in shown.get().splitlines())


def _plain(found: RouteComparison) -> dict[str, Any]:
    """Return what was found for the JSON document."""

    def entry(one: Pressure) -> dict[str, Any]:
        plain = quantity(one.value, one.units.pressure, one.error)
        if not one.units.is_reduced:
            value, error = one.in_bar()
            plain |= {"bar": value, "bar_error": error}
            plain |= {"atm": value / BAR_PER_ATM, "atm_error": error / BAR_PER_ATM}
        unit = found.state.density * found.state.kT
        plain |= {
            "reduced": one.value / unit,
            "reduced_error": one.error / unit,
            "notes": list(one.notes),
        }
        return plain

    units = next(iter(found.routes.values())).units
    return {
        "units": units.name,
        "density": quantity(found.state.density, units.density),
        "kT": quantity(found.state.kT, units.energy),
        "routes": {name: entry(one) for name, one in found.routes.items()},
        "failures": found.failures,
        "trusted": found.trusted,
        "reason": found.reason,
        "flags": [{"kind": x.kind, "certain": x.certain, "text": x.text} for x in found.flags],
    }


#: Densities of the figure, and how far it reaches beyond the state.
POINTS, BEYOND = 24, 1.5


def _plot(table: PairPotential, found: RouteComparison, model: Path | None, path: Path) -> None:
    import numpy as np

    from cginit.eos.comparison import isotherm
    from cginit.report.pressure import isotherm_figure

    density = found.state.density
    densities: Array = np.linspace(BEYOND * density / POINTS, BEYOND * density, POINTS)
    curves = isotherm(table, found.state.kT, densities, model)
    isotherm_figure(densities, curves, found, path)
