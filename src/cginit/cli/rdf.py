"""``cg-init rdf``: a target g(r) from an atomistic trajectory."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cginit.errors import InputError
from cginit.state import StatePoint
from cginit.units import NM_KJ, UnitSystem, unit_system

__all__ = ["rdf"]

#: Bin width where none is asked for: fine enough for the first peak of a molecular liquid.
DEFAULT_DR_NM = 0.01
DEFAULT_DR_LJ = 0.02


def rdf(
    topology: Annotated[
        Path,
        typer.Option(
            "--topology", help="Topology with masses and residues: tpr, gro, pdb, psf, data, gsd, ..."
        ),
    ],
    mapping: Annotated[
        str,
        typer.Option(
            "--map",
            help="How atoms become beads: 'residues:com' or 'residues:cog' (centre of mass or of geometry of each "
            "residue), with a selection after it if only some residues count ('residues:com resname SOL'), or a "
            "selection whose atoms are the beads ('name OW').",
        ),
    ],
    out: Annotated[
        Path, typer.Option("--out", help="File to write: VOTCA's layout, or CSV by the suffix .csv.")
    ],
    trajectory: Annotated[
        Path | None,
        typer.Option(
            "--trajectory", help="Trajectory: xtc, trr, dcd, dump, ... Not needed if the topology has frames."
        ),
    ] = None,
    temperature: Annotated[
        float | None, typer.Option("--temperature", help="Temperature of the run in kelvin.")
    ] = None,
    kT: Annotated[
        float | None,
        typer.Option("--kT", help="Thermal energy instead of the temperature, in the energy unit."),
    ] = None,
    units: Annotated[
        str | None,
        typer.Option(
            "--units",
            help="Units of the result and of the options: nm-kJ/mol (default), angstrom-kcal/mol, lj. Required for "
            "LAMMPS and GSD files, which do not state theirs: then the units in which they were written.",
        ),
    ] = None,
    dr: Annotated[
        float | None, typer.Option("--dr", help="Bin width and grid step; by default 0.01 nm (0.02 in lj).")
    ] = None,
    r_max: Annotated[
        float | None, typer.Option("--r-max", help="Last distance; by default as far as half the box allows.")
    ] = None,
    blocks: Annotated[
        int, typer.Option("--blocks", min=2, help="Blocks in time for the standard error of g.")
    ] = 10,
    begin: Annotated[
        float | None,
        typer.Option("--begin", help="First time used, in the time unit of the trajectory (ps)."),
    ] = None,
    end: Annotated[float | None, typer.Option("--end", help="Last time used.")] = None,
    step: Annotated[int, typer.Option("--step", min=1, help="Use every n-th frame.")] = 1,
    density: Annotated[
        float | None,
        typer.Option(
            "--density",
            help="Density to state in the file instead of beads per mean volume of the trajectory.",
        ),
    ] = None,
) -> None:
    """Map a trajectory to one bead per molecule and write the radial distribution function of the beads.

    The file states density, kT and units, so that cg-init --rdf FILE needs nothing else. The third column is the
    standard error of g from blocks in time.
    """
    from rich.console import Console
    from rich.progress import Progress

    from cginit.io import write_rdf
    from cginit.trajectory import rdf_from_trajectory

    system = NM_KJ if units is None else unit_system(units)
    energy = _thermal_energy(temperature, kT, system)
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("frames", total=None)
        target, sampled = rdf_from_trajectory(
            topology,
            trajectory,
            mapping=mapping,
            dr=_default_dr(system) if dr is None else dr,
            r_max=r_max,
            blocks=blocks,
            begin=begin,
            end=end,
            step=step,
            units=units,
            progress=lambda done, total: progress.update(task, completed=done, total=total),
        )
    state = StatePoint(sampled.density if density is None else density, energy, sampled.units)
    written = write_rdf(target, out, state=state)
    typer.echo(
        f"{written}: g(r) of {sampled.n_beads} beads ({sampled.mapping}) from {sampled.n_frames} frames, time "
        f"{sampled.times[0]:g} to {sampled.times[1]:g}; density {state.density:.6g} {sampled.units.density}, "
        f"kT {state.kT:.6g} {sampled.units.energy}"
    )


def _thermal_energy(temperature: float | None, kT: float | None, units: UnitSystem) -> float:
    if kT is not None and temperature is None:
        return kT
    if temperature is not None and kT is None:
        return temperature * units.boltzmann()
    raise InputError(
        f"give the temperature of the run either as --temperature (kelvin) or as --kT ({units.energy}); "
        "a trajectory does not state it"
    )


def _default_dr(units: UnitSystem) -> float:
    return DEFAULT_DR_LJ if units.length_nm is None else DEFAULT_DR_NM / units.length_nm
