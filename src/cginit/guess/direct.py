r"""All potentials of molecules at once from the positions of their beads, without simulation.

The derivatives of all potentials are splines (`cginit.guess.direct_basis`), for whose coefficients the averages over
configurations give linear equations (`cginit.guess.direct_equations`), solved as smoothly as the noise asks for
(`cginit.guess.direct_fit`). For beads that have such potentials the answer is exact as the trajectory grows; for
mapped atoms it is what force matching with the mean forces would give: the nearest potentials in their forces, whose
g(r) need not be nearer than that of another start.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from cginit.bonded import BondedPotential, Potential
from cginit.bonded_grids import period
from cginit.configuration import Trajectory
from cginit.coordinates import COORDINATES
from cginit.curves import Array, PairPotential, Provenance
from cginit.errors import InputError
from cginit.guess.assembly import VisibleTarget, potential_from, visible_target
from cginit.guess.direct_basis import Basis, bonded_basis, pair_basis
from cginit.guess.direct_equations import FrameEquations
from cginit.guess.direct_fit import DirectFit, fit
from cginit.guess.pair_cutoff import pair_cutoff
from cginit.interactions import Interaction, Interactions
from cginit.sampling import BLOCKS
from cginit.target import Target
from cginit.topology import Topology
from cginit.trajectory.bead_frames import bead_frames
from cginit.trajectory.molecule_target import MoleculeTargets
from cginit.trajectory.source import BeadSource, FrameOptions

__all__ = ["METHOD", "direct_inversion", "invert_directly", "invert_frames"]

#: What the potentials are said to be made by.
METHOD = "trajectory"
#: Beads in all frames of a file that are used, at most: 500 frames of 3000 beads, which take a minute.
MOST_BEADS = 1_500_000


def direct_inversion(
    topology: str | Path,
    trajectory: str | Path | None,
    found: MoleculeTargets,
    kT: float,
    *,
    r_cut: float | Interactions[float] | None = None,
    blocks: int = BLOCKS,
    **options: Unpack[FrameOptions],
) -> Interactions[Potential]:
    """Return the potentials of all bonds, angles, dihedrals and pairs from the frames of a mapped trajectory.

    No simulation is needed; see `invert_directly`. Of long trajectories so many frames are used, evenly spaced, that
    they hold `MOST_BEADS` together.

    Parameters
    ----------
    topology, trajectory, mapping, begin, end, step, units
        What `cginit.trajectory.molecules_from_trajectory` was called with.
    found : MoleculeTargets
        What it returned: the targets, on whose grids the potentials are, and the molecules.
    kT : float
        Thermal energy in the units of the targets.
    r_cut : float or Interactions of float, optional
        Cut-off of all pairs, or of each; by default each has that of a single species with its g(r).
    blocks : int
        Blocks in time, for the errors.

    Raises
    ------
    InputError
        If there are fewer frames than blocks, a g(r) shows nothing, or a cut-off is too long.
    ConvergenceError
        If the frames do not determine the potentials.
    MissingDependencyError
        If MDAnalysis or Numba is not installed.

    Examples
    --------
    >>> files = ("production.tpr", "production.xtc")
    >>> decane = molecules_from_trajectory(*files, mapping="decane.yaml", dr=0.01)  # doctest: +SKIP
    >>> first = direct_inversion(*files, decane, 2.494, mapping="decane.yaml")  # doctest: +SKIP
    >>> refine_system(decane.target(2.494), first, starts=[decane.start], workdir="work")  # doctest: +SKIP
    """
    most = max(blocks, MOST_BEADS // found.topology.n)
    with bead_frames(BeadSource(topology, trajectory, **options), most) as beads:
        return invert_frames(found.target(kT), found.topology, beads.frames, beads.n, r_cut, blocks=blocks)


def invert_directly(
    target: Target,
    trajectory: Trajectory,
    r_cut: float | Interactions[float] | None = None,
    *,
    blocks: int = BLOCKS,
) -> Interactions[Potential]:
    """Return the potentials of all pairs, bonds, angles and dihedrals of a target from configurations of its beads.

    Parameters
    ----------
    target : Target
        Of molecules or loose beads: kT, the grids, and what each coordinate may be.
    trajectory : Trajectory
        Configurations in the units of the target, whose topology says which pairs feel no potential; without one
        all beads are loose.
    r_cut : float or Interactions of float, optional
        Cut-off of all pairs, or of each; by default each has that of a single species with its g(r).
    blocks : int
        Blocks in time, for the errors.

    Returns
    -------
    Interactions of PairPotential or BondedPotential
        Pairs with their standard error (`u_error`).

    Raises
    ------
    InputError
        If there are fewer configurations than blocks, units or beads differ, or a cut-off is too long.
    MissingDependencyError
        If Numba is not installed.

    References
    ----------
    J. W. Mullinax and W. G. Noid, Phys. Rev. Lett. 103, 198104 (2009), doi:10.1103/PhysRevLett.103.198104.
    """
    if trajectory.units != target.units:
        raise InputError(
            f"the trajectory is in {trajectory.units.name}, the target in {target.units.name}; they must share units"
        )
    vectors = np.diag(trajectory.box)
    frames = ((one, vectors) for one in trajectory.positions)
    loose = Topology(trajectory.types, trajectory.species) if target.topology is None else target.topology
    return invert_frames(target, loose, frames, len(trajectory), r_cut, blocks=blocks)


def invert_frames(
    target: Target,
    topology: Topology,
    frames: Iterable[tuple[NDArray[np.floating[Any]], Array]],
    n_frames: int,
    r_cut: float | Interactions[float] | None = None,
    *,
    blocks: int = BLOCKS,
) -> Interactions[Potential]:
    """Return what `invert_directly` does, of a stream of positions ``(n, 3)`` and lattice vectors ``(3, 3)``."""
    visible = {name: visible_target(curve) for name, curve in target.rdfs.items()}
    cutoffs = {name: pair_cutoff(target, name, r_cut) for name in visible}
    bases = [pair_basis(name, one, cutoffs[name]) for name, one in visible.items()]
    bases += [
        bonded_basis(name, one, COORDINATES[name.coordinate].ideal(one.x))
        for name, one in target.distributions.items()
    ]
    equations = FrameEquations(topology, bases).of_blocks(frames, n_frames, blocks)
    solution = fit(equations, bases)
    found: dict[Interaction, Potential] = {}
    start = 0
    for one in bases:
        # The columns of this interaction, from all of them.
        own = np.zeros((one.size, equations.b.shape[1]))
        own[:, start : start + one.size] = np.eye(one.size)
        start += one.size
        energies = one.energies() @ own
        if one.name.is_pair:
            found[one.name] = _pair(target, visible[one.name], one, solution, energies, cutoffs[one.name])
        else:
            found[one.name] = _bonded(target, one, solution, energies)
    return Interactions(found)


def _pair(
    target: Target, visible: VisibleTarget, basis: Basis, solution: DirectFit, energies: Array, r_cut: float
) -> PairPotential:
    grid = visible.target.r
    u, error = np.full(grid.size, np.inf), np.zeros(grid.size)
    first = int(np.searchsorted(grid, basis.origin - 0.5 * basis.step))
    place = slice(first, first + len(energies))
    u[place] = target.kT * (energies @ solution.coefficients)
    error[place] = target.kT * solution.error(energies)
    error[:first] = error[first]
    return potential_from(visible, u, target.state, r_cut, METHOD, u_error=error)


def _bonded(target: Target, basis: Basis, solution: DirectFit, energies: Array) -> BondedPotential:
    distribution = target.distributions[basis.name]
    u = energies @ solution.coefficients
    if period(distribution.coordinate):
        u = u[:-1]
    x = basis.origin + basis.step * np.arange(u.size)
    potential = BondedPotential.shifted(
        x,
        target.kT * u,
        coordinate=distribution.coordinate,
        units=distribution.units,
        provenance=Provenance(METHOD, None, density=target.state.density, kT=target.kT),
    )
    return COORDINATES[basis.name.coordinate].settle(potential, distribution, target.kT)
