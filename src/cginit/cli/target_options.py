"""What ``cg-init target`` is told: the trajectory, how atoms become beads, and the g(r) wanted."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cginit.cli.outputs import check_file
from cginit.cli.temperature import energy_of_options
from cginit.errors import InputError
from cginit.units import NM_KJ, UnitSystem, unit_system

if TYPE_CHECKING:
    from cginit.trajectory.source import FrameOptions

__all__ = ["RdfOptions", "default_dr"]

#: Bin width where none is asked for: fine enough for the first peak of a molecular liquid.
DEFAULT_DR_NM = 0.01
DEFAULT_DR_LJ = 0.02


@dataclass(frozen=True)
class RdfOptions:
    """What the command line says about the trajectory, the mapping and the g(r) wanted."""

    topology: Annotated[
        Path,
        typer.Option(
            "--topology", help="Topology with masses and residues: tpr, gro, pdb, psf, data, gsd, ..."
        ),
    ]
    mapping: Annotated[
        list[str],
        typer.Option(
            "--map",
            help="How atoms become beads: 'residues:com' or 'residues:cog' (centre of mass or of geometry of each "
            "residue), with a selection after it if only some residues count ('residues:com resname SOL'), or a "
            "selection whose atoms are the beads ('name OW'). Given several times, each is a bead type; 'W=name OW' "
            "calls it W. 'types': each atom is a bead of its own type. Or a mapping file: .yaml, .xml of VOTCA.",
        ),
    ]
    out: Annotated[
        str | None,
        typer.Option(
            "--out",
            help="File to write: VOTCA's layout, or CSV by the suffix .csv. With several pairs a folder, or a name "
            "with {pair} in it ('{pair}.dat'). Default: the folder of --system.",
        ),
    ] = None
    trajectory: Annotated[
        Path | None,
        typer.Option(
            "--trajectory", help="Trajectory: xtc, trr, dcd, dump, ... Not needed if the topology has frames."
        ),
    ] = None
    pair: Annotated[
        list[str] | None,
        typer.Option(
            "--pair", help="Pair of bead types, A-B; repeat for several. Default: all of the mapping."
        ),
    ] = None
    exclude: Annotated[
        str | None,
        typer.Option(
            "--exclude",
            help="Pairs in a molecule that do not count: none, molecule (all of them), or 1-2, 1-3, 1-4, ... (up to "
            "so many bonds apart, by the topology's bonds without a mapping file). Default: what the mapping file "
            "says (molecule in YAML; in VOTCA's XML beads that share a bond, angle or dihedral), none without one.",
        ),
    ] = None
    temperature: Annotated[
        float | None, typer.Option("--temperature", help="Temperature of the run in kelvin.")
    ] = None
    kT: Annotated[
        float | None,
        typer.Option("--kT", help="Thermal energy instead of the temperature, in the energy unit."),
    ] = None
    units: Annotated[
        str | None,
        typer.Option(
            "--units",
            help="Units of the result and of the options: nm-kJ/mol (default), angstrom-kcal/mol, lj. Required for "
            "LAMMPS and GSD files, which do not state theirs: then the units in which they were written.",
        ),
    ] = None
    dr: Annotated[
        float | None, typer.Option("--dr", help="Bin width and grid step; by default 0.01 nm (0.02 in lj).")
    ] = None
    r_max: Annotated[
        float | None, typer.Option("--r-max", help="Last distance; by default as far as half the box allows.")
    ] = None
    blocks: Annotated[
        int, typer.Option("--blocks", min=2, help="Blocks in time for the standard error of g.")
    ] = 10
    begin: Annotated[
        float | None,
        typer.Option("--begin", help="First time used, in the time unit of the trajectory (ps)."),
    ] = None
    end: Annotated[float | None, typer.Option("--end", help="Last time used.")] = None
    stride: Annotated[int, typer.Option("--stride", min=1, help="Use every n-th frame.")] = 1
    density: Annotated[
        float | None,
        typer.Option(
            "--density",
            help="Density to state in the file instead of beads per mean volume of the trajectory.",
        ),
    ] = None
    workers: Annotated[
        int, typer.Option("--workers", min=1, help="Processes; the result does not depend on their number.")
    ] = 1
    out_beads: Annotated[
        list[Path] | None,
        typer.Option(
            "--out-beads",
            metavar="FILE",
            help="Also write the beads: .gsd, .dump, .lammpstrj (all frames used), .gro (the last).",
        ),
    ] = None
    system_file: Annotated[
        Path | None,
        typer.Option(
            "--system",
            metavar="FILE",
            callback=check_file,
            help="Also write the TOML file that cg-init refine reads: densities of the types, kT, units, targets. "
            "Where beads are bonded also the distributions of bonds, angles and dihedrals, g(r) inside molecules, "
            "and the last frame with its topology to start from, all in the folder of this file.",
        ),
    ] = None
    start: Annotated[
        bool | None,
        typer.Option(
            "--start/--no-start",
            help="With --system, of bonded beads: also invert the frames for potentials of all terms to start from. "
            "Default: where each bead is an atom of the file. Of atoms that are mapped to beads the answer is that "
            "of force matching, whose g(r) need not be nearer than that of a guess.",
        ),
    ] = None
    pressure: Annotated[
        str | None,
        typer.Option(
            "--pressure",
            metavar="VALUE|FILE",
            help="Pressure to reach, for --system: a number in the energy unit per cubed length unit, or the mean of "
            "a file: .xvg of gmx energy with the column Pressure, or the log of LAMMPS with Press.",
        ),
    ] = None

    @property
    def system(self) -> UnitSystem:
        """Units of the result."""
        return NM_KJ if self.units is None else unit_system(self.units)

    @property
    def energy(self) -> float:
        """The thermal energy; InputError if it is not given, or twice."""
        return energy_of_options(self.temperature, self.kT, self.system, "a trajectory")

    @property
    def target_pressure(self) -> float | None:
        """The pressure to reach, from the option or the file that it names."""
        if self.pressure is None:
            return None
        try:
            return float(self.pressure)
        except ValueError:
            from cginit.io.pressure_log import read_mean_pressure

            return read_mean_pressure(self.pressure, units=self.system).value

    @property
    def place(self) -> str:
        """Where the g(r) go; InputError if nothing says it."""
        if self.out is not None:
            return self.out
        if self.system_file is None:
            raise InputError("give --out for the g(r), or --system for all that a refinement needs")
        return f"{self.system_file.parent}/"

    @property
    def frames(self) -> FrameOptions:
        """Which frames of what beads, for every reader of the trajectory."""
        return {
            "mapping": self.mapping,
            "begin": self.begin,
            "end": self.end,
            "step": self.stride,
            "units": self.units,
        }


def default_dr(units: UnitSystem) -> float:
    """Return the bin width where none is asked for."""
    return DEFAULT_DR_LJ if units.length_nm is None else DEFAULT_DR_NM / units.length_nm
