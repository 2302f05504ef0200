"""``cg-init guess``: the guess and its tables."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Annotated

import typer

from cginit.cli.groups import given_options, refuse_options, with_groups
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
from cginit.cli.voice import quantity, voice
from cginit.curves import RDF, PairPotential
from cginit.errors import CGInitError, InputError
from cginit.guess import DEFAULT_METHOD, default_cutoff, guess
from cginit.io import check_target, prepare_target, question_curve, rdf_reading, read_rdf_header, write_table
from cginit.io.answer_questions import question_well
from cginit.io.scattering import read_waves
from cginit.state import StatePoint, number_density

__all__ = [
    "GuessOptions",
    "OptionalSystem",
    "Problem",
    "implied_pressure",
    "in_error",
    "nothing_beside",
    "propose",
    "propose_tables",
    "read_problem",
    "write_tables",
]

#: Pressure in bar that a user expects, and how far from it one is worth a warning.
AMBIENT, FAR = 1.0, 100.0
#: A pressure whose error is this part of it, and this many times the pressure of an ideal gas, is none.
LEAST_KNOWN, MOST_IDEAL = 0.9, 100.0
#: Pressure in bar beyond which a slip of units is more likely than the pair potential's own: water as one bead has
#: 1e4.
BEYOND_ALL = 1e5


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


@dataclass(frozen=True)
class Problem:
    """A target with its state, the cut-off wanted, what the file was read as, and what was odd about it."""

    target: RDF
    state: StatePoint
    r_cut: float
    notes: tuple[str, ...]
    read_as: str = ""


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
    system: OptionalSystem = None,
    out: Out = None,
    out_units: OutUnits = None,
    plot: Plot = None,
) -> None:
    """Guess the pair potential U(r) from a target g(r) and write its tables.

    Density, temperature and units come from the options or from the header of the target. Of a SYSTEM file, the
    potentials of all pairs are guessed.
    """
    if system is None:
        propose(target, out=out or [], out_units=out_units, plot=plot)
        return
    _guess_file(context, system, target, out, out_units, plot)


propose_tables = with_groups(guess_command)


def propose(
    options: GuessOptions, *, out: list[Path], out_units: str | None, plot: Path | None = None
) -> None:
    """Read, guess, write the tables, and say what was done."""
    problem = read_problem(options)
    with waiting("guessing the potential"):
        potential = guess(problem.target, problem.state, options.method or DEFAULT_METHOD, problem.r_cut)
    describe(problem, potential)
    paths = write_tables(potential, out or _default_tables(options.file), out_units)
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


def describe(problem: Problem, potential: PairPotential) -> None:
    """Print the state and the potential in a few lines, notes last."""
    units, state, spoken = potential.units, problem.state, voice()
    origin = potential.provenance
    name = "" if origin is None else origin.method + (f" ({origin.model})" if origin.model else "")
    well = int(potential.u.argmin())
    spoken.result |= {
        "read_as": problem.read_as or None,
        "method": None if origin is None else origin.method,
        "model": None if origin is None else origin.model,
        "density": quantity(state.density, units.density),
        "kT": quantity(state.kT, units.energy),
        "cutoff": quantity(potential.r_cut, units.length),
        "core": quantity(potential.r_core, units.length),
        "minimum": {
            "r": quantity(float(potential.r[well]), units.length),
            "u": quantity(float(potential.u[well]), units.energy),
        },
    }
    if not (spoken.for_people or spoken.as_json):
        return
    if problem.read_as:
        spoken.line(problem.read_as)
    spoken.line(f"method    {name}")
    spoken.line(f"state     density {state.density:g} {units.density}, kT {state.kT:g} {units.energy}")
    spoken.line(f"g(r)      {problem.target.r[0]:g} to {problem.target.r_max:g} {units.length}")
    spoken.line(
        f"U(r)      cut-off {potential.r_cut:g} {units.length}, core extrapolated below {potential.r_core:g} "
        f"{units.length}, minimum {potential.u[well] / state.kT:.2f} kT at {potential.r[well]:g} {units.length}"
    )
    line, warning = implied_pressure(problem, potential)
    spoken.line(f"pressure  {line}")
    deep = question_well(potential, problem.target, state.kT)
    for note in (*problem.notes, *potential.notes, *([deep] if deep else []), *warning):
        spoken.note(note)


def implied_pressure(problem: Problem, potential: PairPotential) -> tuple[str, tuple[str, ...]]:
    """Return what a simulation of the potential will have as its pressure, and a warning if it is far from 1 bar."""
    # Solving the integral equation is not needed for tables alone.
    from cginit.eos import pressure

    try:
        found = pressure(potential, problem.state)
    except CGInitError as failure:
        return f"not known: {failure}", ()
    ideal = problem.state.density * problem.state.kT
    if found.error > max(LEAST_KNOWN * abs(found.value), MOST_IDEAL * ideal):
        worst = f"{found.method} gives {found.value:.1g} ± {found.error:.1g} {found.units.pressure}"
        return f"not known: no route of theory has an answer for this potential ({worst})", ()
    voice().result["pressure"] = {
        **quantity(found.value, found.units.pressure, found.error),
        "method": found.method,
    }
    text = f"{in_error(found.value, found.error)} {found.units.pressure} by {found.method}"
    if found.units.is_reduced:
        return text, ()
    value, error = found.in_bar()
    text = f"{in_error(value, error)} bar ({text})"
    if abs(value - AMBIENT) < max(FAR, 2.0 * error):
        return text, ()
    if abs(value) > BEYOND_ALL:
        return text, (
            f"this potential has a pressure of {_figures(value)} bar at this density: no molecule has. Are the "
            "length of g(r), the density and kT in the units stated, and g(r) and the density of the same box?",
        )
    warning = (
        f"a simulation of this potential at this density has a pressure of about {_figures(value)} bar, not "
        f"{AMBIENT:g} bar: a pair potential that gives g(r) need not give the pressure. At constant pressure its "
        f"box would {'expand' if value > 0.0 else 'shrink'}; simulate at constant volume, or refine with --pressure"
    )
    return text, (warning,)


def _figures(value: float) -> str:
    """Return a number of bar with three figures, written out."""
    return f"{float(f'{value:.3g}'):.0f}"


def in_error(value: float, error: float) -> str:
    """Return a value with its error to two figures, or to five figures without one.

    Examples
    --------
    >>> in_error(12034.2, 831.7), in_error(0.123456, 0.0123), in_error(2.5, float("nan"))
    ('12034 ± 832', '0.123 ± 0.012', '2.5')
    """
    if not math.isfinite(error) or error <= 1e-6 * abs(value):
        return f"{value:.5g}"
    places = max(0, 1 - math.floor(math.log10(error)))
    return f"{value:.{places}f} ± {error:.{places}f}"


def write_tables(potential: PairPotential, paths: list[Path], units: str | None) -> list[Path]:
    """Write one table a path and return the paths."""
    return [write_table(potential, path, units=units) for path in paths]


def _default_tables(target: Path) -> list[Path]:
    stem = target.name.split(".")[0] or "potential"
    return [Path(f"{stem}.pot"), Path(f"{stem}.table")]
