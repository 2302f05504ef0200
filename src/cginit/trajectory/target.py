"""The targets: g(r) of a trajectory mapped to beads, one for each pair of bead types."""

from __future__ import annotations

from pathlib import Path
from typing import Unpack

from cginit.curves import RDF
from cginit.errors import InputError
from cginit.trajectory.sampled import MappedSystem, sampled
from cginit.trajectory.source import BeadSource, TargetOptions

__all__ = ["MappedSystem", "rdf_from_trajectory", "rdfs_from_trajectory"]


def rdf_from_trajectory(
    topology: str | Path, trajectory: str | Path | None = None, **options: Unpack[TargetOptions]
) -> tuple[RDF, MappedSystem]:
    """Map a trajectory to beads of one type and return their g(r) with block errors.

    The options are those of `rdfs_from_trajectory`, of which this returns the only curve; with more types
    of beads, `pairs` must name one pair.

    Returns
    -------
    rdf : RDF
    system : MappedSystem

    Raises
    ------
    InputError
        As `rdfs_from_trajectory`, and if there are several pairs of types.
    MissingDependencyError
        If MDAnalysis or Numba is not installed.

    Examples
    --------
    >>> target, water = rdf_from_trajectory(
    ...     "production.tpr", "production.xtc", mapping="residues:com", dr=0.01
    ... )  # doctest: +SKIP
    >>> cginit.write_rdf(target, "target.dat", state=water.state(kT=2.494))  # doctest: +SKIP
    """
    curves, system = rdfs_from_trajectory(topology, trajectory, **options)
    if len(curves) > 1:
        names = ", ".join("-".join(pair) for pair in curves)
        raise InputError(f"the mapping {system.mapping} gives {len(curves)} pairs ({names}); name one")
    return next(iter(curves.values())), system


def rdfs_from_trajectory(
    topology: str | Path, trajectory: str | Path | None = None, **options: Unpack[TargetOptions]
) -> tuple[dict[tuple[str, str], RDF], MappedSystem]:
    r"""Map a trajectory to beads and return g(r) of the pairs of bead types with block errors.

    .. math:: g_{ab}(r_i) = \Big\langle \frac{V}{N_{ab}\, v_i} \sum_{j \in a,\, k \in b}
              \mathbf 1\,[\,|r_{jk} - r_i| < dr/2\,] \Big\rangle, \qquad r_i = i\,dr

    with :math:`v_i` the volume of the shell, over the pairs that are not excluded, of which there are
    :math:`N_{ab}`: independent molecules have g = 1 exactly, whatever is excluded. One frame is in memory at a
    time; the trajectory is read twice, first for its boxes and times. A system of one type without exclusions also
    yields S(k) at the smallest wave vectors of its box (`cginit.curves.LongWave`).

    Parameters
    ----------
    topology : path
        Any topology that MDAnalysis reads (tpr, gro, pdb, data, gsd, ...). Masses come from here.
    trajectory : path, optional
        Any trajectory (xtc, trr, dcd, dump, ...); None if the topology file holds the frames.
    mapping : str, sequence of str, or MappingRules
        ``"residues:com"`` or ``"residues:cog"`` puts a bead at the centre of mass or of geometry of every
        residue, ``"residues:com SELECTION"`` of the residues' atoms in that MDAnalysis selection, and a plain
        selection such as ``"name OW"`` on every atom of it. Several of these are several bead types, named as in
        ``"W=name OW"``, else by their last word; ``"types"`` makes every atom a bead of its own type. Or the name
        of a mapping file, ``.yaml`` or VOTCA's ``.xml``, see `read_mapping`.
    dr : float
        Bin width and grid step, in `units`.
    r_max : float, optional
        Last grid point, in `units`; by default the last whose bin fits half the narrowest box.
    pairs : sequence of str, optional
        Pairs of types, ``"A-B"``; by default all.
    exclusions : {"none", "molecule", "1-2", "1-3", ...}, optional
        Pairs of beads of one molecule that do not count: all, or those up to so many bonds apart. By default
        what the mapping file says, ``none`` for other mappings, whose bonds are those of the topology.
    blocks : int
        Number of blocks, contiguous in time, for the standard error, by default 10; each should be much longer than
        the slowest relaxation of the liquid.
    begin, end : float, optional
        Use the frames at ``begin <= time <= end``, in the time unit of the trajectory (ps).
    step : int
        Use every `step`-th of these.
    units : str or UnitSystem, optional
        Units of the result, nm and kJ/mol by default. For a format without units of its own (LAMMPS, GSD)
        these are the units in which the file was written, and they are required.
    workers : int
        Number of processes, by default 1; each opens the files itself and counts chunks of consecutive frames. The
        result does not depend on it. A script that asks for more than one needs the guard
        ``if __name__ == "__main__"``.
    progress : callable, optional
        Called with the number of frames done and how many there are.

    Returns
    -------
    curves : dict of (str, str) to RDF
        Each on the grid ``0, dr, ..., r_max``.
    system : MappedSystem
        Number of beads and frames, and the mean density.

    Raises
    ------
    InputError
        If a file cannot be read, the mapping makes fewer than two beads, masses or the box are missing, or
        r_max exceeds half the box.
    MissingDependencyError
        If MDAnalysis or Numba is not installed.

    Notes
    -----
    Beads whose atoms are broken over a periodic boundary are made whole by the minimum image to their first atom,
    which needs no bonds but a bead smaller than half the box. Source of the readers: Michaud-Agrawal et al.,
    J. Comput. Chem. 32, 2319 (2011), doi:10.1002/jcc.21787.

    Examples
    --------
    >>> curves, decane = rdfs_from_trajectory(
    ...     "production.tpr", "production.xtc", mapping="decane.yaml", dr=0.01, workers=4
    ... )  # doctest: +SKIP
    >>> curves["E", "M"].r_max  # doctest: +SKIP
    """
    source, counted = BeadSource.split_off(topology, trajectory, options)
    found = sampled(source, **counted)
    return found.rdfs(), found.system
