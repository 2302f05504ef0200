"""Files of simulation programs, read by MDAnalysis: trajectories to a target g(r), start configurations.

MDAnalysis converts the lengths of every format that states its unit to angstrom, so converting them on is safe.
LAMMPS and GSD files state none: their `units` must be given.
"""

from __future__ import annotations

import logging
import math
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cginit.configuration import Configuration
from cginit.curves import RDF, Array
from cginit.errors import InputError, MissingDependencyError
from cginit.sampling import BLOCKS, accumulate_rdf
from cginit.state import StatePoint
from cginit.units import ANGSTROM_KCAL, NM_KJ, UnitSystem, conversion, unit_system

__all__ = ["MappedSystem", "bead_positions", "rdf_from_trajectory", "read_configuration"]

log = logging.getLogger(__name__)

#: Formats of MDAnalysis whose numbers are in whatever unit the simulation used.
UNITLESS_FORMATS = frozenset({"GSD", "DATA", "LAMMPSDUMP", "DUMP"})
#: Columns of the ``Atoms`` section for the atom styles of LAMMPS, without image flags.
LAMMPS_COLUMNS = {
    "atomic": "id type x y z",
    "charge": "id type charge x y z",
    "bond": "id resid type x y z",
    "angle": "id resid type x y z",
    "molecular": "id resid type x y z",
    "full": "id resid type charge x y z",
}
#: An atom this far from the first of its residue, in box widths, may belong to another periodic image.
LARGEST_RESIDUE = 0.4

Floats32 = NDArray[np.float32]


@dataclass(frozen=True)
class MappedSystem:
    """What was sampled: the beads that a mapping made of a trajectory, and the frames used.

    Attributes
    ----------
    mapping : str
        How atoms became beads.
    n_beads, n_frames : int
        Beads per frame, frames used.
    density : float
        Beads per mean volume, in `units`.
    times : tuple of float
        Time of the first and the last frame, as the trajectory states it (ps where it has a unit).
    units : UnitSystem
        Units of the density, those of the g(r).
    """

    mapping: str
    n_beads: int
    n_frames: int
    density: float
    times: tuple[float, float]
    units: UnitSystem

    def state(self, kT: float) -> StatePoint:
        """Return the state point at this density and `kT`, in the units of the system."""
        return StatePoint(self.density, kT, self.units)


def rdf_from_trajectory(
    topology: str | Path,
    trajectory: str | Path | None = None,
    *,
    mapping: str,
    dr: float,
    r_max: float | None = None,
    blocks: int = BLOCKS,
    begin: float | None = None,
    end: float | None = None,
    step: int = 1,
    units: str | UnitSystem | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[RDF, MappedSystem]:
    r"""Map a trajectory to one bead per molecule and return g(r) of the beads with block errors.

    .. math:: g(r_i) = \frac{V}{N (N - 1)\, v_i} \Big\langle \sum_{j \ne k}
              \mathbf 1\,[\,|r_{jk} - r_i| < dr/2\,] \Big\rangle, \qquad r_i = i\,dr

    with :math:`v_i` the volume of the shell. One frame is in memory at a time; the trajectory is read twice,
    first for its boxes and times.

    Parameters
    ----------
    topology : path
        Any topology that MDAnalysis reads (tpr, gro, pdb, data, gsd, ...). Masses come from here.
    trajectory : path, optional
        Any trajectory (xtc, trr, dcd, dump, ...); None if the topology file holds the frames.
    mapping : str
        ``"residues:com"`` or ``"residues:cog"`` puts a bead at the centre of mass or of geometry of every
        residue, ``"residues:com SELECTION"`` of the residues' atoms in that MDAnalysis selection, and a plain
        selection such as ``"name OW"`` on every atom of it.
    dr : float
        Bin width and grid step, in `units`.
    r_max : float, optional
        Last grid point, in `units`; by default the last whose bin fits half the narrowest box.
    blocks : int
        Number of blocks, contiguous in time, for the standard error; each should be much longer than the
        slowest relaxation of the liquid.
    begin, end : float, optional
        Use the frames at ``begin <= time <= end``, in the time unit of the trajectory (ps).
    step : int
        Use every `step`-th of these.
    units : str or UnitSystem, optional
        Units of the result, nm and kJ/mol by default. For a format without units of its own (LAMMPS, GSD) these
        are the units in which the file was written, and they are required.
    progress : callable, optional
        Called with the number of frames done and in all.

    Returns
    -------
    rdf : RDF
        On the grid ``0, dr, ..., r_max``.
    system : MappedSystem
        Number of beads and frames, and the mean density.

    Raises
    ------
    InputError
        If a file cannot be read, the mapping makes fewer than two beads, masses or the box are missing, or
        r_max exceeds half the box.
    MissingDependencyError
        If MDAnalysis or freud is not installed.

    Notes
    -----
    Molecules broken over a periodic boundary are made whole by the minimum image to their first atom, which
    needs no bonds but a molecule smaller than half the box. Source of the readers: Michaud-Agrawal et al.,
    J. Comput. Chem. 32, 2319 (2011), doi:10.1002/jcc.21787; of the histogram: Ramasubramani et al., Comput.
    Phys. Commun. 254, 107275 (2020), doi:10.1016/j.cpc.2020.107275.

    Examples
    --------
    >>> target, water = rdf_from_trajectory(
    ...     "production.tpr", "production.xtc", mapping="residues:com", dr=0.01
    ... )  # doctest: +SKIP
    >>> cginit.write_rdf(target, "target.dat", state=water.state(kT=2.494))  # doctest: +SKIP
    """
    for name, number, least in (("blocks", blocks, 2), ("step", step, 1)):
        if number < least:
            raise InputError(f"{name} must be at least {least}, not {number}")
    if not (math.isfinite(dr) and dr > 0.0):
        raise InputError(f"dr must be a positive number, not {dr}")
    with _universe(topology, trajectory) as universe:
        system_units, length = _length_scale(universe, units)
        groups = _mapped_atoms(universe, mapping)
        scan = _scan(universe, begin, end, step)
        limit = scan.narrowest * length
        last = math.floor(0.5 * limit / dr * (1.0 + 1e-9) - 0.5) * dr
        if r_max is not None:
            if r_max > last * (1.0 + 1e-9):
                raise InputError(
                    f"r_max = {r_max:g} {system_units.length} is too large: with bins of {dr:g} g(r) ends at "
                    f"{last:g}, half the narrowest box; choose a smaller r_max or simulate a larger box"
                )
            last = r_max
        if last < 3 * dr:
            raise InputError(
                f"dr = {dr:g} {system_units.length} leaves no g(r) up to {last:g}; choose a smaller dr"
            )

        def frames() -> Iterator[tuple[Floats32, Array]]:
            for done, index in enumerate(scan.frames, start=1):
                vectors = _box_vectors(universe.trajectory[index])
                yield bead_positions(groups) * np.float32(length), vectors.T * length
                if progress is not None:
                    progress(done, len(scan.frames))

        rdf = accumulate_rdf(frames(), len(scan.frames), dr=dr, r_max=last, units=system_units, blocks=blocks)
    system = MappedSystem(
        mapping,
        groups.n_beads,
        len(scan.frames),
        float(groups.n_beads / (scan.volume * length**3)),
        scan.times,
        system_units,
    )
    return rdf, system


def read_configuration(
    path: str | Path,
    *,
    units: str | UnitSystem | None = None,
    mapping: str = "all",
    frame: int = -1,
    atom_style: str | None = None,
) -> Configuration:
    """Read bead positions and box from a GRO, LAMMPS data, GSD or any other file that MDAnalysis reads.

    Parameters
    ----------
    path : path
        The file.
    units : str or UnitSystem, optional
        Units of the result, nm and kJ/mol by default. For a format without units of its own (LAMMPS, GSD) these
        are the units in which the file was written, and they are required.
    mapping : str
        How atoms become beads, see `rdf_from_trajectory`; by default each atom of the file is one.
    frame : int
        Which frame of a file with several; by default the last.
    atom_style : str, optional
        Atom style of a LAMMPS data file (``atomic``, ``full``, ...) or its columns (``"id type x y z"``). By
        default taken from the hint after ``Atoms #``, or from the number and kind of the columns.

    Raises
    ------
    InputError
        If the file cannot be read, has no box or a skewed one, or `units` are missing.
    MissingDependencyError
        If MDAnalysis is not installed.

    Examples
    --------
    >>> start = read_configuration("spce.data", units="angstrom-kcal/mol")  # doctest: +SKIP
    """
    with _universe(path, None, atom_style) as universe:
        system_units, length = _length_scale(universe, units)
        try:
            timestep = universe.trajectory[frame]
        except IndexError:
            raise InputError(f"{path} has {len(universe.trajectory)} frames, no frame {frame}") from None
        vectors = _box_vectors(timestep)
        edges = np.diagonal(vectors)
        if np.any(np.abs(vectors - np.diag(edges)) > 1e-5 * edges.max()):
            raise InputError(
                f"the box of {path} is not orthorhombic; a simulation starts from an orthorhombic one"
            )
        return Configuration(
            bead_positions(_mapped_atoms(universe, mapping)).astype(np.float64) * length,
            edges * length,
            units=system_units,
        )


@dataclass(frozen=True, eq=False)
class MappedAtoms:
    """Atoms of a universe sorted by bead: bead k owns the atoms ``starts[k]`` to ``starts[k + 1]``.

    Attributes
    ----------
    atoms : MDAnalysis.AtomGroup
        The mapped atoms.
    starts : ndarray, shape (n_beads,)
        Where each bead's atoms begin.
    weights : ndarray, shape (n_atoms,)
        The part of each atom in its bead's centre; they add up to 1 in each bead.
    """

    atoms: Any
    starts: NDArray[np.intp]
    weights: Array

    @property
    def n_beads(self) -> int:
        """Number of beads."""
        return int(self.starts.size)


def bead_positions(groups: MappedAtoms) -> Floats32:
    """Return the bead centres ``(n_beads, 3)`` of the universe's present frame, in the units of MDAnalysis.

    Atoms are taken at their minimum image to the first atom of their bead; the centres are wrapped into the
    box that is centred on the origin.

    Raises
    ------
    InputError
        If a bead is so large that the minimum image is not certain.
    """
    from MDAnalysis.lib.distances import minimize_vectors

    positions = np.asarray(groups.atoms.positions, dtype=np.float64)
    dimensions = groups.atoms.dimensions
    first = positions[groups.starts]
    if groups.n_beads < positions.shape[0]:
        sizes = np.diff(np.append(groups.starts, positions.shape[0]))
        offsets = np.asarray(minimize_vectors(positions - np.repeat(first, sizes, axis=0), dimensions))
        reach = float(np.sqrt(np.max(np.einsum("ij,ij->i", offsets, offsets))))
        narrowest = _narrowest(_box_vectors(groups.atoms.universe.trajectory.ts))
        if reach > LARGEST_RESIDUE * narrowest:
            raise InputError(
                f"a residue reaches {reach:.3g} from its first atom (file units of MDAnalysis), the box is "
                f"{narrowest:.3g} wide: the mapping must give small molecules a residue each; check the residue "
                "or molecule numbers of the topology"
            )
        first = first + np.add.reduceat(groups.weights[:, None] * offsets, groups.starts, axis=0)
    vectors = _box_vectors(groups.atoms.universe.trajectory.ts)
    fractional = first @ np.linalg.inv(vectors)
    return ((fractional - np.floor(fractional + 0.5)) @ vectors).astype(np.float32)


def _mapped_atoms(universe: Any, mapping: str) -> MappedAtoms:
    """Resolve the mapping of `rdf_from_trajectory` once; which atoms are in it does not change later."""
    head, _, rest = mapping.strip().partition(" ")
    kind, _, centre = head.partition(":")
    per_residue = kind == "residues"
    if per_residue and centre not in ("com", "cog"):
        raise InputError(f"mapping {mapping!r} must begin with residues:com or residues:cog")
    selection = (rest.strip() or "all") if per_residue else mapping
    try:
        atoms = universe.select_atoms(selection)
    except Exception as error:  # the selection parser raises whatever the words make it do
        raise InputError(
            f"mapping {mapping!r}: MDAnalysis does not understand the selection {selection!r} ({error}); "
            "a mapping is residues:com, residues:cog or a selection such as 'name OW'"
        ) from None
    if per_residue:
        order = np.argsort(atoms.resindices, kind="stable")
        atoms = atoms[order]
        _, starts = np.unique(atoms.resindices, return_index=True)
    else:
        starts = np.arange(atoms.n_atoms)
    if starts.size < 2:
        raise InputError(
            f"mapping {mapping!r} gives {starts.size} bead{'s' * (starts.size != 1)}; a g(r) needs two or more "
            f"(the file has {universe.atoms.n_atoms} atoms in {universe.residues.n_residues} residues)"
        )
    masses = _masses(atoms, starts, mapping) if per_residue and centre == "com" else np.ones(atoms.n_atoms)
    sizes = np.diff(np.append(starts, atoms.n_atoms))
    weights = masses / np.repeat(np.add.reduceat(masses, starts), sizes)
    return MappedAtoms(atoms, np.asarray(starts, dtype=np.intp), weights)


def _masses(atoms: Any, starts: NDArray[np.intp], mapping: str) -> Array:
    remedy = "take a topology that states masses (tpr, psf, LAMMPS data) or map with residues:cog"
    if not hasattr(atoms, "masses"):
        raise InputError(f"mapping {mapping!r} needs masses and the topology has none; {remedy}")
    masses = np.nan_to_num(np.asarray(atoms.masses, dtype=np.float64))
    if np.any(np.add.reduceat(masses, starts) <= 0.0):
        raise InputError(f"mapping {mapping!r} needs masses, and a residue has none; {remedy}")
    if np.any(masses <= 0.0):
        names = sorted(
            {str(atom.name) if hasattr(atom, "name") else "?" for atom in atoms[masses <= 0.0][:1000]}
        )
        log.warning("atoms without mass do not count in the centre of mass: %s", ", ".join(names))
    return masses


@dataclass(frozen=True)
class _Scan:
    """The frames to use, their time span, the mean volume and the narrowest box, in MDAnalysis' lengths."""

    frames: tuple[int, ...]
    times: tuple[float, float]
    volume: float
    narrowest: float


def _scan(universe: Any, begin: float | None, end: float | None, step: int) -> _Scan:
    frames: list[int] = []
    times: list[float] = []
    volumes: list[float] = []
    narrowest = math.inf
    seen = 0
    span = [math.inf, -math.inf]
    for index, timestep in enumerate(universe.trajectory):
        time = float(timestep.time)
        span = [min(span[0], time), max(span[1], time)]
        # Times are stored in single precision: 0.25 ps steps must not lose the frame at `begin` to rounding.
        slack = 1e-6 * max(abs(time), 1.0)
        if (begin is not None and time < begin - slack) or (end is not None and time > end + slack):
            continue
        seen += 1
        if (seen - 1) % step:
            continue
        vectors = _box_vectors(timestep)
        frames.append(index)
        times.append(time)
        volumes.append(abs(float(np.linalg.det(vectors))))
        narrowest = min(narrowest, _narrowest(vectors))
    if not frames:
        raise InputError(
            f"no frame lies between begin = {begin} and end = {end}; the trajectory goes from time {span[0]:g} "
            f"to {span[1]:g}"
        )
    return _Scan(tuple(frames), (times[0], times[-1]), float(np.mean(volumes)), narrowest)


def _box_vectors(timestep: Any) -> Array:
    """Return the lattice vectors as rows ``(3, 3)``, lower triangular."""
    from MDAnalysis.lib.mdamath import triclinic_vectors

    dimensions = timestep.dimensions
    if dimensions is None or not np.all(np.asarray(dimensions[:3]) > 0.0):
        raise InputError(
            f"frame {timestep.frame} has no periodic box; g(r) needs one with three positive edges"
        )
    vectors = np.asarray(triclinic_vectors(dimensions, dtype=np.float64), dtype=np.float64)
    if not np.all(np.isfinite(vectors)) or abs(float(np.linalg.det(vectors))) <= 0.0:
        raise InputError(f"frame {timestep.frame} has an impossible box {list(dimensions)}")
    return vectors


def _narrowest(vectors: Array) -> float:
    """Return the smallest distance between opposite faces of the box."""
    return float(1.0 / np.max(np.linalg.norm(np.linalg.inv(vectors), axis=0)))


def _length_scale(universe: Any, units: str | UnitSystem | None) -> tuple[UnitSystem, float]:
    """Return the units of the result and the factor from MDAnalysis' lengths to them."""
    form = str(universe.trajectory.format if isinstance(universe.trajectory.format, str) else "")
    if form in UNITLESS_FORMATS:
        if units is None:
            raise InputError(
                f"{universe.trajectory.filename} ({form}) does not state its unit of length; give the units in "
                "which it was written: lj, nm-kJ/mol or angstrom-kcal/mol"
            )
        return unit_system(units), 1.0
    system = NM_KJ if units is None else unit_system(units)
    if system.is_reduced:
        raise InputError(
            f"{universe.trajectory.filename} ({form or 'several files'}) is in real units, not in lj; read it in "
            "nm-kJ/mol and scale with RDF.reduced(length)"
        )
    return system, conversion(ANGSTROM_KCAL, system)[0]


@contextmanager
def _universe(
    topology: str | Path, trajectory: str | Path | None, atom_style: str | None = None
) -> Iterator[Any]:
    """Open files with MDAnalysis and close them afterwards; every failure to read is an InputError."""
    try:
        import MDAnalysis
    except ImportError as error:
        raise MissingDependencyError(
            "reading simulation files needs MDAnalysis: pip install 'cginit[trajectory]'"
        ) from error
    files = [Path(topology)] + ([] if trajectory is None else [Path(trajectory)])
    for file in files:
        if not file.is_file():
            raise InputError(f"{file}: no such file")
    options: dict[str, str] = {}
    if files[0].suffix.lower() in {".data", ".lmp", ".lammps"}:
        options = {"topology_format": "DATA", "atom_style": _lammps_columns(files[0], atom_style)}
    names = " with ".join(str(file) for file in files)
    with warnings.catch_warnings():
        # Warnings of the readers are about offsets files and guessed masses; what matters of them is checked here.
        warnings.filterwarnings("ignore", module=r"MDAnalysis")
        try:
            universe = MDAnalysis.Universe(*map(str, files), **options)
            if not hasattr(universe, "trajectory"):
                raise InputError(f"{names} has no positions; give a trajectory")
        except InputError:
            raise
        except Exception as error:  # each reader raises what its parser meets, from OSError to IndexError
            raise InputError(f"MDAnalysis cannot read {names}: {error}") from error
        try:
            yield universe
        finally:
            universe.trajectory.close()


def _lammps_columns(path: Path, atom_style: str | None) -> str:
    """Return the columns of the ``Atoms`` section: as asked, as its hint says, or by their number and kind."""
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
