"""Options that several commands share, so that each has one name and one help text."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from cginit.cli.outputs import check_any_tables, check_figure_option, check_tables

TARGET = "Target"
TABLES = "Tables"
SIMULATION = "Simulation"
UPDATE = "Update"

RDF_HELP = (
    "Target g(r): VOTCA .dist.tgt, xvg, CSV, LAMMPS fix ave/time of compute rdf, .npy, .npz or plain columns of "
    "r, g and perhaps its error."
)

OptionalRdf = Annotated[
    Path | None, typer.Option("--rdf", metavar="FILE", help=RDF_HELP, rich_help_panel=TARGET)
]
Density = Annotated[
    float | None,
    typer.Option(
        help="Number of beads per volume, in the inverse cube of the length unit.", rich_help_panel=TARGET
    ),
]
MassDensity = Annotated[
    float | None,
    typer.Option(
        "--mass-density",
        help="Mass density in g/cm^3, with --molar-mass, instead of --density.",
        rich_help_panel=TARGET,
    ),
]
MolarMass = Annotated[
    float | None,
    typer.Option(
        "--molar-mass", help="Molar mass of a bead in g/mol, for --mass-density.", rich_help_panel=TARGET
    ),
]
Column = Annotated[
    str | None,
    typer.Option(
        "--column",
        metavar="N|NAME",
        help="Column of g in a file of several, by its number from 1 or its name.",
        rich_help_panel=TARGET,
    ),
]
Dr = Annotated[
    float | None,
    typer.Option(
        "--dr",
        help="Average g(r) over bins of this width; rows in uneven steps, as of a figure, are interpolated in such "
        "steps. Default: its own, or a wider one where it is finer than simulations and the noise support.",
        rich_help_panel=TARGET,
    ),
]
Normalise = Annotated[
    float | None,
    typer.Option(
        "--normalise",
        metavar="R",
        help="Divide g(r) by its mean beyond R, where its correlations have ended.",
        rich_help_panel=TARGET,
    ),
]
Temperature = Annotated[
    float | None, typer.Option(help="Temperature in kelvin (not with lj units).", rich_help_panel=TARGET)
]
Kt = Annotated[
    float | None, typer.Option("--kT", help="Thermal energy in the energy unit.", rich_help_panel=TARGET)
]
Units = Annotated[
    str | None,
    typer.Option(
        help="Units of the target: nm-kJ/mol, angstrom-kcal/mol or lj. Not needed if its header states them.",
        rich_help_panel=TARGET,
    ),
]
TargetBeads = Annotated[
    int | None,
    typer.Option(
        help="Number of beads in the box that g(r) was sampled in, normalised with the N - 1 others: its limit, "
        "which is not exactly 1, is corrected. Not needed if its header states it.",
        min=2,
        rich_help_panel=TARGET,
    ),
]
Sk = Annotated[
    Path | None,
    typer.Option(
        "--sk",
        help="S(k) of the same liquid with its errors, columns k S error, k in the inverse length unit: weighed "
        "with g(r). Not needed if the header of the target states it, as cg-init target writes it.",
        rich_help_panel=TARGET,
    ),
]
Clean = Annotated[bool, typer.Option("--clean", help="Set small negative g(r) to 0.", rich_help_panel=TARGET)]
Method = Annotated[
    str | None,
    typer.Option(
        help="network, polished, cn-f, hnc, py or boltzmann. Default: network; cg-init refine of one bead type: "
        "polished.",
        rich_help_panel="Guess",
    ),
]
Cutoff = Annotated[
    float | None,
    typer.Option(
        help="Cut-off of the potential in the length unit. Default: 3.5 bead diameters, if g(r) reaches there.",
        rich_help_panel="Guess",
    ),
]
Out = Annotated[
    list[Path] | None,
    typer.Option(
        "--out",
        metavar="FILE",
        callback=check_tables,
        help="Table to write; may be repeated. The end of the name is the format: .pot .tab .table .xvg .npz .csv "
        ".txt. Default: NAME.pot and NAME.table in this folder, NAME from the target.",
        rich_help_panel=TABLES,
    ),
]
PairOut = Annotated[
    list[Path] | None,
    typer.Option(
        "--out",
        metavar="FILE",
        callback=check_any_tables,
        help="Table to write; may be repeated. Of mixtures a name with {pair} in it, one file a pair, or one file "
        "for a program (.table, .py, .xml). Default: best.pot and best.table, of mixtures {pair}.pot and "
        "mixture.table, in --workdir.",
        rich_help_panel=TABLES,
    ),
]
OutUnits = Annotated[
    str | None,
    typer.Option(
        help="Units of the tables. Default: what each format's programs expect (LAMMPS: real).",
        rich_help_panel=TABLES,
    ),
]
Plot = Annotated[
    Path | None,
    typer.Option(
        "--plot",
        metavar="FILE",
        callback=check_figure_option,
        help="Draw g(r) and the potential, with its error where the method knows it (.png, .pdf, .svg).",
        rich_help_panel=TABLES,
    ),
]

Equilibration = Annotated[int, typer.Option(help="Steps before sampling.", min=0, rich_help_panel=SIMULATION)]
Production = Annotated[int, typer.Option(help="Steps of sampling.", min=1, rich_help_panel=SIMULATION)]
Every = Annotated[int, typer.Option(help="Steps between configurations.", min=1, rich_help_panel=SIMULATION)]
Seed = Annotated[int, typer.Option(help="Seed of the whole refinement.", min=0, rich_help_panel=SIMULATION)]
LammpsBinary = Annotated[
    str | None, typer.Option(help="A LAMMPS executable of your own.", rich_help_panel=SIMULATION)
]
Launcher = Annotated[
    str, typer.Option(help='What stands before the engine, as "mpirun -n 4".', rich_help_panel=SIMULATION)
]
Threads = Annotated[
    int | None,
    typer.Option(
        help="OpenMP threads of LAMMPS. Default: those of OMP_NUM_THREADS, else the cores, at most 8 and one for 250 "
        "beads.",
        min=1,
        rich_help_panel=SIMULATION,
    ),
]
DeviceName = Literal["auto", "cpu", "gpu"]
Device = Annotated[
    DeviceName, typer.Option(help="HOOMD device: auto, cpu or gpu.", rich_help_panel=SIMULATION)
]
NumberOfReplicas = Annotated[
    int,
    typer.Option(
        "--replicas",
        min=1,
        help="Simulations of each iteration at the same time, whose g(r) are averaged; on Dask "
        "(pip install 'cginit[campaign]').",
        rich_help_panel=SIMULATION,
    ),
]
Cluster = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        help="Dask scheduler that runs the replicas, as tcp://host:8786. Default: processes on this machine.",
        rich_help_panel=SIMULATION,
    ),
]
Longest = Annotated[
    int | None,
    typer.Option(
        help="Most steps of sampling that a simulation may grow to, where shorter ones show nothing but noise. "
        "Default: four times --production.",
        min=1,
        rich_help_panel=SIMULATION,
    ),
]
Pressure = Annotated[
    float | None,
    typer.Option(
        help="Pressure to reach, in the unit of the target: kJ/mol/nm^3 (1 bar is 0.06022), kcal/mol/angstrom^3 or "
        "epsilon/sigma^3.",
        rich_help_panel=UPDATE,
    ),
]
Reweighting = Annotated[
    bool,
    typer.Option(
        help="Judge small updates by the configurations of the last simulation.", rich_help_panel=UPDATE
    ),
]
Adaptive = Annotated[
    bool,
    typer.Option(
        help="End simulations far from the target after a quarter of the production, and go on with those in which "
        "g(r) still moves.",
        rich_help_panel=SIMULATION,
    ),
]
Iterations = Annotated[
    int, typer.Option(help="Largest number of simulations.", min=1, rich_help_panel=SIMULATION)
]
WallTime = Annotated[
    float | None,
    typer.Option(help="Seconds after which no new simulation starts.", rich_help_panel=SIMULATION),
]
