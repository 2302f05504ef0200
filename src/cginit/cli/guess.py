"""``cg-init guess``: the guess and its tables."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Annotated

import typer

from cginit.cli.groups import given_options, refuse_options, with_groups
from cginit.cli.guess_facts import Problem, describe
from cginit.cli.options import (
    Clean,
    Column,
    Cutoff,
    Density,
    Dr,
    Kt,
    MassDensity,
    Method,
    MolarMass,
    Normalise,
    OptionalRdf,
    Out,
    OutUnits,
    Plot,
    Sk,
    TargetBeads,
    Temperature,
    Units,
)
from cginit.cli.progress import waiting
from cginit.cli.refinement import say_tables, start_of_system, write_potentials
from cginit.cli.temperature import energy_of_options
from cginit.cli.voice import voice
from cginit.curves import RDF, PairPotential
from cginit.errors import InputError
from cginit.guess import DEFAULT_METHOD, default_cutoff, guess
from cginit.io import check_target, prepare_target, question_curve, rdf_reading, read_rdf_header, write_table
from cginit.io.scattering import read_waves
from cginit.state import StatePoint, number_density

__all__ = [
    "GuessOptions",
    "OptionalSystem",
    "default_tables",
    "nothing_beside",
    "propose",
    "propose_tables",
    "read_problem",
    "write_tables",
]


@dataclass(frozen=True)
class GuessOptions:
    """What the command line says about the target and the guess."""

    rdf: OptionalRdf = None
    column: Column = None
    density: Density = None
    mass_density: MassDensity = None
    molar_mass: MolarMass = None
    temperature: Temperature = None
    kT: Kt = None
    units: Units = None
    dr: Dr = None
    normalise: Normalise = None
    clean: Clean = False
    target_beads: TargetBeads = None
    sk: Sk = None
    method: Method = None
    cutoff: Cutoff = None

    @property
    def file(self) -> Path:
        """The file of the target; InputError if none is given."""
        if self.rdf is None:
            raise InputError("give the target g(r): --rdf FILE")
        return self.rdf


def read_problem(options: GuessOptions) -> Problem:
    """Read the target; density and kT come from the options, else from the header of the file.

    Raises
    ------
    InputError
        If the file is wrong, or neither it nor the options state the density or the temperature.
    """
    reading = rdf_reading(
        options.file, units=options.units, clean=options.clean, column=options.column, dr=options.dr
    )
    prepared = prepare_target(reading.rdf, dr=options.dr, normalise=options.normalise)
    target = prepared.target
    if options.target_beads is not None:
        target = replace(target, beads=options.target_beads)
    if options.sk is not None:
        target = replace(target, structure_factor=read_waves(options.sk, target.units))
    header = read_rdf_header(options.file)
    density = _density(options, header.density, target)
    kT = energy_of_options(options.temperature, options.kT, target.units, str(options.rdf), header.kT)
    state = StatePoint(density, kT, target.units)
    if options.cutoff is not None and not options.cutoff > 0.0:
        raise InputError(
            f"a cut-off must be above 0, not {options.cutoff:g}; give --cutoff in {target.units.length}"
        )
    r_cut = default_cutoff(target, state) if options.cutoff is None else options.cutoff
    notes = (
        *reading.notes,
        *_of_a_mixture(reading.others),
        *_part_of(header.part_of),
        *prepared.notes,
        *check_target(target, r_cut, state),
        *question_curve(reading.rdf),
    )
    return Problem(target, state, r_cut, notes, "; ".join([reading.line, *prepared.remarks]))


def _of_a_mixture(others: tuple[str, ...]) -> tuple[str, ...]:
    """Note that a file of several g(r) may be that of a mixture, of which one pair alone says little."""
    if not others:
        return ()
    return (
        f"the file holds more g(r): {', '.join(others)}. If they are pairs of one mixture, the beads here are taken "
        "for a liquid of their own, which they are not; cg-init guess SYSTEM.toml takes all pairs together",
    )


def _part_of(stated: str | None) -> tuple[str, ...]:
    """Note that a g(r) is, as its file states, one of those that belong together."""
    if stated is None:
        return ()
    whole, bonds = ("molecules", " without bonds") if stated == "molecules" else (f"a {stated}", "")
    return (
        f"this g(r) is one pair of {whole}, as its header states, and taken alone for a liquid of its own{bonds}. "
        "cg-init target --system writes a file of all that belongs together, for cg-init guess and refine",
    )


def _density(options: GuessOptions, stated: float | None, target: RDF) -> float:
    if options.mass_density is not None or options.molar_mass is not None:
        if options.density is not None:
            raise InputError("give either --density or --mass-density with --molar-mass, not both")
        if options.mass_density is None or options.molar_mass is None:
            raise InputError("--mass-density and --molar-mass belong together; give both, or --density")
        return number_density(options.mass_density, options.molar_mass, target.units)
    density = options.density if options.density is not None else stated
    if density is None:
        raise InputError(
            f"the number density is not stated in {options.rdf}; give it in {target.units.density} with --density, "
            "or --mass-density with --molar-mass"
        )
    return density


OptionalSystem = Annotated[
    Path | None,
    typer.Argument(metavar="[SYSTEM]", help="TOML file of a mixture or of several states, instead of --rdf."),
]


def guess_command(
    context: typer.Context,
    target: GuessOptions,
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[SYSTEM]",
            help="TOML file of a mixture or of several states, instead of --rdf; or more targets behind that of "
            "--rdf (as of --rdf *.dat), each a liquid of its own.",
        ),
    ] = None,
    out: Out = None,
    out_units: OutUnits = None,
    plot: Plot = None,
) -> None:
    """Guess the pair potential U(r) from a target g(r) and write its tables.

    Density, temperature and units come from the options or from the header of the target. Of a SYSTEM file, the
    potentials of all pairs are guessed; of several targets behind --rdf, that of each.
    """
    if not files:
        propose(target, out=out or [], out_units=out_units, plot=plot)
    elif target.rdf is not None and all(file.suffix != ".toml" for file in files):
        from cginit.cli.guess_many import propose_many

        propose_many([target.rdf, *files], target, out=out or [], out_units=out_units, plot=plot)
    elif len(files) > 1:
        raise InputError(
            f"{len(files)} files are given; give one SYSTEM file, or several targets behind --rdf"
        )
    else:
        _guess_file(context, files[0], target, out, out_units, plot)


propose_tables = with_groups(guess_command)


def propose(
    options: GuessOptions, *, out: list[Path], out_units: str | None, plot: Path | None = None
) -> None:
    """Read, guess, write the tables, and say what was done."""
    problem = read_problem(options)
    with waiting("guessing the potential"):
        potential = guess(problem.target, problem.state, options.method or DEFAULT_METHOD, problem.r_cut)
    describe(problem, potential)
    paths = write_tables(potential, out or default_tables(options.file), out_units)
    say_tables(paths)
    if plot is not None:
        from cginit.report.guess import guess_figure

        voice().file(guess_figure(problem.target, problem.state, potential, plot))


def _guess_file(
    context: typer.Context,
    file: Path,
    options: GuessOptions,
    out: list[Path] | None,
    out_units: str | None,
    plot: Path | None,
) -> None:
    """Guess the potentials of the file of a system and write their tables: ``cg-init guess SYSTEM``.

    Raises
    ------
    InputError
        If an option stands beside the file that it decides.
    """
    if options.rdf is not None:
        raise InputError(f"give one target: --rdf, or the file {file}")
    if plot is not None:
        raise InputError("--plot draws the guess for one --rdf; of a system, refine and use cg-init report")
    nothing_beside(context, file)
    _, targets, potentials = start_of_system(file, options.method, options.cutoff, out, None)
    write_potentials(potentials, out, Path(), kT=targets[0].kT, out_units=out_units)


def nothing_beside(context: typer.Context, system: Path) -> None:
    """Refuse options that say what the file of a system says.

    Raises
    ------
    InputError
        If the user wrote one.
    """
    from cginit.cli.system import refuse_curve

    refuse_curve(system)
    stated = [item.name for item in fields(GuessOptions) if item.name not in ("rdf", "method", "cutoff")]
    given = given_options(context)
    refuse_options([name for name in (*stated, "potential") if name in given], f"{system}, which states it")


def write_tables(potential: PairPotential, paths: list[Path], units: str | None) -> list[Path]:
    """Write one table a path and return the paths."""
    return [write_table(potential, path, units=units) for path in paths]


def default_tables(target: Path) -> list[Path]:
    """Return the tables that are written where none is named: one for VOTCA, one for LAMMPS."""
    stem = target.name.split(".")[0] or "potential"
    return [Path(f"{stem}.pot"), Path(f"{stem}.table")]
