"""The target: g(r) of a trajectory mapped to one bead per molecule."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cginit.curves import RDF, Array
from cginit.errors import InputError
from cginit.sampling import BLOCKS, accumulate_rdf
from cginit.state import StatePoint
from cginit.trajectory.files import box_vectors, length_scale, open_universe, width
from cginit.trajectory.mapping import FloatArray, bead_positions, map_atoms
from cginit.units import UnitSystem

__all__ = ["MappedSystem", "rdf_from_trajectory"]


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
        Units of the result, nm and kJ/mol by default. For a format without units of its own (LAMMPS, GSD)
        these are the units in which the file was written, and they are required.
    progress : callable, optional
        Called with the number of the frame and how many there are, as each is read.

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
    with open_universe(topology, trajectory) as universe:
        system_units, length = length_scale(universe, units)
        groups = map_atoms(universe, mapping)
        scan = _scan(universe, begin, end, step)
        limit = scan.narrowest * length
        # Boxes are single precision: a bin that ends at half the box but for their rounding counts as inside.
        last = math.floor(0.5 * limit / dr * (1.0 + 5e-7) - 0.5) * dr
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

        def frames() -> Iterator[tuple[FloatArray, Array]]:
            for done, index in enumerate(scan.frames, start=1):
                vectors = box_vectors(universe.trajectory[index])
                if progress is not None:
                    progress(done, len(scan.frames))
                yield bead_positions(groups) * np.float32(length), vectors.T * length

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
        vectors = box_vectors(timestep)
        frames.append(index)
        times.append(time)
        volumes.append(abs(float(np.linalg.det(vectors))))
        narrowest = min(narrowest, width(vectors))
    if not frames:
        raise InputError(
            f"no frame lies between begin = {begin} and end = {end}; the trajectory goes from time "
            f"{span[0]:g} to {span[1]:g}"
        )
    return _Scan(tuple(frames), (times[0], times[-1]), float(np.mean(volumes)), narrowest)
