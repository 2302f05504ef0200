"""``cg-init scattering``: a target g(r) from a measured structure factor."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cginit.cli.options import Kt, Temperature
from cginit.cli.outputs import check_file
from cginit.cli.target_options import default_dr
from cginit.cli.temperature import energy_of_options
from cginit.cli.voice import quantity, voice
from cginit.curves import RDF
from cginit.state import StatePoint
from cginit.units import unit_system

if TYPE_CHECKING:
    from cginit.curves import Array
    from cginit.liquid.scattering import Inversion
    from cginit.units import UnitSystem

__all__ = ["scattering"]

UnitsOfData = Annotated[
    str,
    typer.Option(
        "--units", help="Units of 1/k, of the result and of the options: nm-kJ/mol, angstrom-kcal/mol, lj."
    ),
]


def scattering(
    structure_factor: Annotated[
        Path, typer.Option("--sk", help="File with columns k, S(k) and, if known, the standard error of S.")
    ],
    density: Annotated[
        float,
        typer.Option(
            "--density", help="Number of scatterers (beads) per volume, in the cube of the unit of k."
        ),
    ],
    units: UnitsOfData,
    out: Annotated[
        Path,
        typer.Option(
            "--out", callback=check_file, help="File to write: VOTCA's layout, or CSV by the suffix .csv."
        ),
    ],
    temperature: Temperature = None,
    kT: Kt = None,
    window: Annotated[
        str,
        typer.Option(
            "--window", help="lorch: damps the ripples of the end of the data, broadens peaks; or none."
        ),
    ] = "lorch",
    dr: Annotated[
        float | None, typer.Option("--dr", help="Grid step; by default 0.01 nm (0.02 in lj).")
    ] = None,
    r_max: Annotated[
        float | None, typer.Option("--r-max", help="Last distance; by default pi over the first k.")
    ] = None,
) -> None:
    """Transform a structure factor S(k) to g(r) and state what the limited range of k costs.

    The third column of the file is the estimated error: of the truncation at the last k, of the extrapolation to
    k = 0, and of the errors of S(k), if given.
    """
    import numpy as np

    from cginit.io import write_rdf
    from cginit.io.scattering import question_structure_factor, read_structure_factor
    from cginit.liquid.scattering import invert_structure_factor

    system = unit_system(units)
    k, s, error = read_structure_factor(structure_factor)
    energy = energy_of_options(temperature, kT, system, str(structure_factor))
    odd = question_structure_factor(k, s, density, system, str(structure_factor))
    step = default_dr(system) if dr is None else dr
    last = step * np.floor(np.pi / max(k[0], 1e-3 * k[-1]) / step) if r_max is None else r_max
    done = invert_structure_factor(k, s, density, dr=step, r_max=float(last), window=window, s_error=error)
    notes = _findings(k, done, window, system)
    target = RDF(done.r, done.g, done.error, units=system)
    state = StatePoint(density, energy, system)
    written = write_rdf(target, out, state=state, notes=notes)
    _say(done, state, system, written)
    for note in notes:
        voice().note(note, "", None)
    for question in odd:
        voice().note(question, "note: ")


def _say(done: Inversion, state: StatePoint, system: UnitSystem, written: Path) -> None:
    """Say what was written, and of what state."""
    voice().result |= {
        "range": quantity(float(done.r[-1]), system.length),
        "core": quantity(float(done.r_core), system.length),
        "s_0": float(done.s_0),
        "density": quantity(state.density, system.density),
        "kT": quantity(state.kT, system.energy),
    }
    voice().file(written, f"g(r) up to {done.r[-1]:g} {system.length}")


def _findings(k: Array, done: Inversion, window: str, system: UnitSystem) -> list[str]:
    """Return what the limited range of k costs, a sentence each."""
    import numpy as np

    worst = int(np.argmax(np.where(done.r >= done.r_core, done.error, 0.0)))
    broadening = (2.8 if window == "lorch" else 1.9) / k[-1]
    return [
        f"from S(k) between k = {k[0]:g} and {k[-1]:g} {system.length}^-1 with the window {window}; peaks are "
        f"broadened by some {broadening:.2g} {system.length}; S(0) = {done.s_0:.3g} by extrapolation",
        f"the error of g is largest at r = {done.r[worst]:.4g}: {done.truncation[worst]:.2g} from the end of S(k), "
        f"{done.low_k[worst]:.2g} from its beginning, {done.noise[worst]:.2g} from its errors",
        f"g is set to 0 below r = {done.r_core:.4g}, where the transform was {done.core_rms:.2g} (root mean square)",
    ]
