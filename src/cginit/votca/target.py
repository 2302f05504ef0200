"""Target and state of a settings file, as a guess needs them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cginit.curves import RDF, Array
from cginit.errors import InputError
from cginit.extrapolate import VISIBLE
from cginit.io import check_target, prepare_target, question_curve, rdf_reading, read_rdf_header
from cginit.state import StatePoint
from cginit.trajectory.votca_topology import is_votca_topology
from cginit.units import NM_KJ
from cginit.untrusted import parse_xml
from cginit.votca.settings import PairSection, Settings

__all__ = ["VotcaTarget", "cutoff_of", "on_step", "read_interaction", "read_target", "topology"]

#: Part of a step by which distances may miss a multiple of it; printed files round them.
GRID_TOLERANCE = 1e-3


@dataclass(frozen=True)
class VotcaTarget:
    """What csg_inverse is to reproduce.

    Attributes
    ----------
    target : RDF
        g(r) on multiples of ``step``, in nm.
    state : StatePoint
        In nm^-3 and kJ/mol.
    r_cut : float
        Cut-off of the potential, ``max`` (or ``iie.cut_off``).
    notes : tuple of str
        What was odd about the target, and where the density comes from if not from the settings.
    """

    target: RDF
    state: StatePoint
    r_cut: float
    notes: tuple[str, ...] = ()


def read_target(settings: Settings, *, density: float | None = None, clean: bool = True) -> VotcaTarget:
    """Read target and state of the only interaction of a settings file.

    The density is, in this order, `density`, ``cginit.density``, ``particle_dens``, ``iie.densities``, what the
    header of the target states, or the number of beads over the volume of the topology or configuration. Small
    negative values of g(r) count as 0, as for csg_inverse, unless `clean` is false.

    Raises
    ------
    InputError
        If a file is absent or wrong, nothing states the density, or there are several interactions.
    """
    interaction = settings.interaction
    target, notes = read_interaction(settings, interaction, interaction.step, clean=clean)
    if density is None:
        density, origin = _density(settings, interaction.target)
        notes.append(f"density {density:.6g} nm^-3, from {origin}")
    r_cut = cutoff_of(settings, interaction)
    state = StatePoint(density, settings.kT, NM_KJ)
    notes += check_target(target, r_cut, state)
    return VotcaTarget(target, state, r_cut, tuple(notes))


def read_interaction(
    settings: Settings, interaction: PairSection, step: float, *, clean: bool = True
) -> tuple[RDF, list[str]]:
    """Return the target of an interaction from ``min`` on multiples of `step`, and what was odd about it."""
    if not interaction.target.is_file():
        raise InputError(f"{settings.path}: the target {interaction.target} of {interaction.name} is absent")
    reading = rdf_reading(interaction.target, units=NM_KJ, clean=clean)
    # Its own bins: those of the refinement are the settings'. What was counted beyond half the box is cut off.
    prepared = prepare_target(reading.rdf, dr=reading.rdf.dr)
    whole, notes = _from_min(prepared.target, interaction)
    left_out = any("left out" in text for text in reading.columns)
    notes = [
        *([f"{interaction.target.name} {reading.line}"] if left_out else []),
        *(f"{interaction.name}: {text}" for text in (*reading.notes, *prepared.notes)),
        *(f"{interaction.name}: {text}" for text in question_curve(reading.rdf)),
        *notes,
    ]
    target = on_step(whole, step)
    if target is not whole:
        notes.append(
            f"{interaction.target.name} (step {whole.dr:g} nm) is interpolated to a step of {step:g} nm"
        )
    return target, notes


def _from_min(target: RDF, interaction: PairSection) -> tuple[RDF, list[str]]:
    """Return g(r) from ``min`` on, as csg_inverse takes it, unless that would cut into what shows the potential."""
    first = int(np.searchsorted(target.r, interaction.r_min - GRID_TOLERANCE * target.dr))
    below = float(np.max(target.g[:first], initial=0.0))
    if below == 0.0:
        return target, []
    where = f"min of {interaction.name} ({interaction.r_min:g} nm)"
    if first >= target.r.size:
        raise InputError(f"{where} lies beyond the end of {interaction.target}; give a smaller min")
    # What is missing from a target counts as a core, g = 0. After a visible g that would be a step.
    if target.g[first] > VISIBLE:
        return target, [
            f"{where} has no effect: g(r) is still {target.g[first]:.3g} there, and counts from its beginning"
        ]
    error = None if target.error is None else target.error[first:]
    kept = replace(target, r=target.r[first:], g=target.g[first:], error=error)
    return kept, [f"g(r) below {where}, up to {below:.3g}, is left out"]


def cutoff_of(settings: Settings, interaction: PairSection, step: float | None = None) -> float:
    """Return the cut-off of an interaction, rounded down to a multiple of `step`, by default its own."""
    dr = interaction.step if step is None else step
    wanted = interaction.r_max
    for option in ("iie.cut_off", "newton.cut_off", "gauss_newton.cut_off"):
        if settings.method == "iie" and settings.option(option):
            wanted = min(wanted, _positive(settings, option))
    # Rounded to the grid; the tolerance forgives 0.9 / 0.01 = 89.99999999999999.
    return float(np.floor(wanted / dr + GRID_TOLERANCE) * dr)


def _density(settings: Settings, target: Path) -> tuple[float, str]:
    if settings.option("cginit.density"):
        return _positive(settings, "cginit.density"), f"cginit.density of {settings.path.name}"
    if settings.interaction.density is not None:
        return settings.interaction.density, f"particle_dens of {settings.path.name}"
    if settings.option("iie.densities"):
        return _positive(settings, "iie.densities"), f"iie.densities of {settings.path.name}"
    header = read_rdf_header(target)
    if header.density is not None and header.units in (None, NM_KJ):
        return header.density, f"the header of {target.name}"
    found = topology(settings)
    if found is None:
        raise InputError(
            f"the number density is stated neither in {settings.path} nor by a data file or a configuration; "
            "give it in nm^-3: <particle_dens> below <non-bonded><inverse>, or --density"
        )
    from cginit.trajectory import read_configuration

    path, units = found
    try:
        density = read_configuration(path, units=units).to(NM_KJ).density
    except InputError as error:
        raise InputError(
            f"{error}; nothing else states the number density of {settings.path}: give it in nm^-3, "
            "<particle_dens> below <non-bonded><inverse>, or --density"
        ) from error
    return density, f"the beads and the box of {path.name}"


def _positive(settings: Settings, path: str) -> float:
    text = settings.option(path)
    try:
        value = float(text)
    except ValueError:
        raise InputError(f"{settings.path}: cg.inverse.{path} is {text!r}, not one number") from None
    if value <= 0.0:
        raise InputError(f"{settings.path}: cg.inverse.{path} is {value:g}; it must be positive")
    return value


def topology(settings: Settings) -> tuple[Path, str | None] | None:
    """Return the file with the beads and the box, and its units where the format has none; None without one."""
    names = [settings.program_option("conf"), settings.program_option("topol")]
    if settings.program == "gromacs":
        names = [settings.program_option("conf", "conf.gro")]
    for name in names:
        path = settings.folder / name
        if not name or not path.is_file():
            continue
        path = _base(path)
        if path.suffix in (".gro", ".pdb"):
            return path, None
        # csg reads data files of LAMMPS in angstrom, whatever the units of the script.
        if settings.program == "lammps":
            return path, "angstrom-kcal/mol"
    return None


def _base(path: Path) -> Path:
    """Return the configuration that a topology in VOTCA's XML takes its beads from, as ``base``; else the file."""
    if not is_votca_topology(path):
        return path
    base = parse_xml(path.read_bytes(), str(path)).get("base", "")
    return path.parent / base if base and (path.parent / base).is_file() else path


def on_step(target: RDF, step: float) -> RDF:
    """Return g(r) on multiples of `step`, as csg_inverse resamples it; the same object if it is there already.

    Interpolated monotonically (PCHIP), which adds no negative values; errors linearly.
    """
    offset = target.r[0] / step
    if abs(target.dr / step - 1.0) < GRID_TOLERANCE and abs(offset - round(offset)) < GRID_TOLERANCE:
        return target
    from scipy.interpolate import PchipInterpolator

    first, last = np.ceil(offset - GRID_TOLERANCE), np.floor(target.r_max / step + GRID_TOLERANCE)
    if last - first < 2:
        raise InputError(
            f"g(r) from {target.r[0]:g} to {target.r_max:g} nm has no three points {step:g} nm apart"
        )
    r: Array = step * np.arange(int(first), int(last) + 1, dtype=np.float64)
    inside = np.clip(r, target.r[0], target.r_max)
    g = np.maximum(PchipInterpolator(target.r, target.g)(inside), 0.0)
    error = None if target.error is None else np.interp(inside, target.r, target.error)
    return replace(target, r=r, g=g, error=error)
