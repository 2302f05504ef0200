"""Files of simulation programs opened by MDAnalysis: their universe, unit of length and periodic box."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from cginit.curves import Array
from cginit.errors import InputError, MissingDependencyError
from cginit.sampling.counter import box_widths
from cginit.trajectory.gro import normalised_gro
from cginit.trajectory.gsd_boxes import with_true_boxes
from cginit.trajectory.votca_topology import is_votca_topology, votca_universe
from cginit.units import ANGSTROM_KCAL, NM_KJ, UnitSystem, conversion, unit_system

__all__ = ["box_vectors", "lammps_columns", "length_scale", "open_universe", "readers_words", "width"]

#: Formats of MDAnalysis whose numbers are in whatever unit the simulation used.
UNITLESS_FORMATS = frozenset({"GSD", "DATA", "LAMMPSDUMP", "DUMP"})
#: Usual names of LAMMPS files that MDAnalysis does not know by their suffix.
LAMMPS_DATA = frozenset({".data", ".lmp", ".lammps"})
LAMMPS_DUMP = frozenset({".dump", ".lammpstrj", ".lammpsdump"})
#: Columns of the ``Atoms`` section for the atom styles of LAMMPS, without image flags.
LAMMPS_COLUMNS = {
    "atomic": "id type x y z",
    "charge": "id type charge x y z",
    "bond": "id resid type x y z",
    "angle": "id resid type x y z",
    "molecular": "id resid type x y z",
    "full": "id resid type charge x y z",
}


@contextmanager
def open_universe(
    topology: str | Path, trajectory: str | Path | None, atom_style: str | None = None
) -> Iterator[Any]:
    """Open files with MDAnalysis and close them afterwards; every failure to read is an InputError."""
    try:
        import MDAnalysis  # noqa: F401  # that it is there
    except ImportError as error:
        raise MissingDependencyError(
            "reading simulation files needs MDAnalysis: pip install 'cginit[trajectory]'"
        ) from error
    files = [Path(topology)] + ([] if trajectory is None else [Path(trajectory)])
    for file in files:
        if not file.is_file():
            raise InputError(f"{file}: no such file")
    options: dict[str, str] = {}
    if files[0].suffix.lower() == ".top":
        options["topology_format"] = "ITP"
    elif files[0].suffix.lower() in LAMMPS_DATA:
        options = {"topology_format": "DATA", "atom_style": lammps_columns(files[0], atom_style)}
    elif files[0].suffix.lower() in LAMMPS_DUMP:
        options["topology_format"] = "LAMMPSDUMP"
    if files[-1].suffix.lower() in LAMMPS_DUMP:
        options["format"] = "LAMMPSDUMP"
    elif files[-1].suffix.lower() in LAMMPS_DATA:
        options["format"] = "DATA"
    names = " with ".join(str(file) for file in files)
    with ExitStack() as stack, warnings.catch_warnings():
        # The readers warn of offset files and guessed masses; what matters of it is checked by the mapping.
        warnings.filterwarnings("ignore", module=r"MDAnalysis")
        warnings.filterwarnings("ignore", message="Reader has no dt information")  # frames count as 1 ps
        try:
            universe = _universe(files, options, stack)
            if not hasattr(universe, "trajectory"):
                raise InputError(f"{names} has no positions; give a trajectory")
            if str(universe.trajectory.format) == "GSD":
                with_true_boxes(universe, stack)
        except InputError:
            raise
        except Exception as error:  # each reader raises what its parser meets, from OSError to IndexError
            raise InputError(f"MDAnalysis cannot read {names}: {readers_words(error)}") from error
        try:
            yield universe
        finally:
            universe.trajectory.close()


def readers_words(error: Exception) -> str:
    """Return what a reader of files says is wrong, where it says anything: a slip of its own code names no file."""
    if isinstance(error, LookupError | AttributeError | TypeError | ArithmeticError):
        return "a line or a field is missing, or another than it expects"
    return " ".join(str(error).split())


def _universe(files: list[Path], options: dict[str, str], stack: ExitStack) -> Any:
    """Open files with MDAnalysis; GRO files whose columns it does not understand as GROMACS reads them."""
    import MDAnalysis

    if is_votca_topology(files[0]):
        universe = votca_universe(files[0])
        if len(files) > 1:
            universe.load_new(str(files[1]))
        return universe
    try:
        return MDAnalysis.Universe(*map(str, files), **options)
    except Exception:  # each parser raises what it meets
        if all(file.suffix.lower() != ".gro" for file in files):
            raise
    opened = list(files)
    for number, file in enumerate(files):
        if file.suffix.lower() == ".gro":
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="cginit-")))
            opened[number] = folder / file.name
            opened[number].write_text(normalised_gro(file), encoding="utf-8")
    return MDAnalysis.Universe(*map(str, opened), **options)


def length_scale(universe: Any, units: str | UnitSystem | None) -> tuple[UnitSystem, float]:
    """Return the units of the result and the factor from MDAnalysis' lengths to them."""
    form = str(universe.trajectory.format)
    if form in UNITLESS_FORMATS:
        if units is None:
            raise InputError(
                f"{universe.trajectory.filename} ({form}) does not state its unit of length; give the units "
                "in which it was written: lj, nm-kJ/mol or angstrom-kcal/mol"
            )
        return unit_system(units), 1.0
    system = NM_KJ if units is None else unit_system(units)
    if system.is_reduced:
        raise InputError(
            f"{universe.trajectory.filename} ({form}) is in real units, not in lj; read it in nm-kJ/mol and "
            "scale the result with its method reduced or scaled"
        )
    return system, conversion(ANGSTROM_KCAL, system)[0]


def box_vectors(timestep: Any) -> Array:
    """Return the lattice vectors as rows ``(3, 3)``, lower triangular."""
    from MDAnalysis.lib.mdamath import triclinic_vectors

    dimensions = timestep.dimensions
    if dimensions is None or not np.all(np.asarray(dimensions[:3]) > 0.0):
        raise InputError(
            f"frame {timestep.frame} has no periodic box; g(r) needs one with three positive edges: take a "
            "trajectory that keeps it, as xtc, trr, dcd and dump do (PDB in its line CRYST1)"
        )
    vectors = np.asarray(triclinic_vectors(dimensions, dtype=np.float64), dtype=np.float64)
    if not np.all(np.isfinite(vectors)) or abs(float(np.linalg.det(vectors))) <= 0.0:
        raise InputError(f"frame {timestep.frame} has an impossible box {list(dimensions)}")
    return vectors


def width(vectors: Array) -> float:
    """Return the smallest distance between opposite faces of the box."""
    return float(np.min(box_widths(vectors)))


def lammps_columns(path: Path, atom_style: str | None) -> str:
    """Return the columns of the ``Atoms`` section: as asked, as its hint says, or by number and kind."""
    if atom_style is not None:
        if atom_style in LAMMPS_COLUMNS:
            return LAMMPS_COLUMNS[atom_style]
        if {"id", "x", "y", "z"} <= set(atom_style.split()):
            return atom_style
        raise InputError(
            f"atom_style {atom_style!r} is unknown; give one of {', '.join(LAMMPS_COLUMNS)} or the columns, "
            "such as 'id type x y z'"
        )
    with path.open(errors="replace") as file:
        lines = (line.strip() for line in file)
        for line in lines:
            if line.split("#")[0].strip() == "Atoms":
                break
        else:
            raise InputError(f"{path} has no section Atoms; a LAMMPS data file is expected")
        hint = line.partition("#")[2].strip()
        row = next((text.split("#")[0].split() for text in lines if text and not text.startswith("#")), [])
    if hint in LAMMPS_COLUMNS:
        return LAMMPS_COLUMNS[hint]
    integer_third = len(row) > 2 and row[2].lstrip("+-").isdigit()
    # With or without the three image flags.
    style = {5: "atomic", 8: "atomic", 6: "molecular", 9: "molecular", 7: "full", 10: "full"}.get(len(row))
    if len(row) in (6, 9) and not integer_third:
        style = "charge"
    if style is None or hint or (style == "full" and not integer_third):
        raise InputError(
            f"{path}: the atom style {hint or 'of the row ' + ' '.join(row)!r} is not one of "
            f"{', '.join(LAMMPS_COLUMNS)}; give atom_style with the columns, such as 'id type x y z'"
        )
    return LAMMPS_COLUMNS[style]
