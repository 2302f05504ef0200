"""What the command line says about a target, read: the same for one guess, for many and for a refinement."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from cginit.cli.guess_facts import Problem
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
    Sk,
    TargetBeads,
    Temperature,
    Units,
)
from cginit.cli.temperature import energy_of_options
from cginit.curves import RDF, PairPotential
from cginit.errors import InputError
from cginit.guess import default_cutoff
from cginit.io import check_target, prepare_target, question_curve, rdf_reading, read_rdf_header, write_table
from cginit.io.scattering import read_waves
from cginit.state import StatePoint, number_density

__all__ = ["GuessOptions", "default_tables", "read_problem", "write_tables"]


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


def write_tables(potential: PairPotential, paths: list[Path], units: str | None) -> list[Path]:
    """Write one table a path and return the paths."""
    return [write_table(potential, path, units=units) for path in paths]


def default_tables(target: Path) -> list[Path]:
    """Return the tables that are written where none is named: one for VOTCA, one for LAMMPS."""
    stem = target.name.split(".")[0] or "potential"
    return [Path(f"{stem}.pot"), Path(f"{stem}.table")]
