r"""Pairs of g(r) and U(r) from integers: a potential, a density and g by integral equations, without a simulation.

(family, integer, state) names a pair for ever, so that none has to be stored; what is computed is kept in chunks all
the same, since networks see it more than once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from cginit.campaign.beads import bead_potential
from cginit.campaign.families import FAMILIES
from cginit.campaign.potentials import spline_potential, uniforms, wca
from cginit.campaign.screen import CORE_END, MAX_PEAK, MIN_B2, MIN_DIFFERENCE
from cginit.curves import Array, PairPotential
from cginit.errors import InputError
from cginit.forward.inference import load_forward
from cginit.learn.closure import solve_many
from cginit.learn.config import Auxiliary
from cginit.learn.data import CAP, FINE, S_K_ERROR, STRIDE, TrainingSet
from cginit.learn.identity import claim
from cginit.liquid import second_virial
from cginit.models.correlations import with_origin
from cginit.models.grid import RANGE, interpolate

__all__ = [
    "Structures",
    "cheap_pairs",
    "counting_error",
    "density_of",
    "is_bare_core",
    "pairs_of",
    "structure_of",
]

#: Grid of g, that of the simulated data, and nodes of the transform on it.
STEP, NODES = 0.05, 511
#: g has the error noise * sqrt(g) / r of counts in shells, with r not below this.
INNERMOST = 0.3
#: Beads of the simulation whose smallest wave number S(k) is given at, as in the data set.
BEADS = 1000
#: Part of the random stream of an integer that gives the densities of its pairs.
_DENSITY = 104
#: Integers a chunk.
CHUNK = 1000

_POTENTIALS: dict[str, Callable[[int, Auxiliary], PairPotential]] = {
    "a": lambda seed, how: spline_potential(seed, how.smoothing).potential,
    "b": lambda seed, how: bead_potential(seed).potential,
}


def density_of(family: str, seed: int, state: int, bounds: tuple[float, float]) -> float:
    """Return the density of a pair, log-uniform between `bounds`.

    Examples
    --------
    >>> 0.05 <= density_of("a", 1_000_000, 0, (0.05, 1.1)) <= 1.1
    True
    """
    low, high = bounds
    return float(low * (high / low) ** uniforms(seed, ord(family), _DENSITY, state)())


def pairs_of(
    family: str,
    seeds: range,
    how: Auxiliary,
    device: str = "cpu",
    densities: Sequence[float] | None = None,
) -> TrainingSet:
    r"""Return the pairs of some potentials of a family; states without a fluid are left out.

    Left out are potentials whose second virial coefficient lies deep in the gas-liquid region, and states without a
    solution of HNC or with a structure factor that peaks as in a crystal: what the screen of a campaign refuses
    (`cginit.campaign.screen`).

    With the closure ``bridge``, g is that of :math:`g = \exp(-U/kT + \gamma + B)` with the bridge function of the
    forward map (`cginit.forward`), which has learned it from simulations: HNC is solved for U, and again for
    :math:`U - kT B`.

    Parameters
    ----------
    family : {"a", "b"}
        Recipe of the potentials.
    seeds : range
        Integers that name them.
    how : Auxiliary
        States, densities, closure and noise.
    device : {"cpu", "cuda"}
        Where the equations are solved.
    densities : sequence of float, optional
        Densities of each potential in place of the random ones.

    Raises
    ------
    InputError
        If there is no such family.
    """
    if family not in _POTENTIALS:
        raise InputError(f"unknown family {family!r} of potentials; there are {', '.join(_POTENTIALS)}")
    u_r = np.linspace(0.0, RANGE, round(RANGE / FINE) + 1)
    curves, r_cut, density, names = [], [], [], []
    for seed in seeds:
        made = _POTENTIALS[family](seed, how)
        if second_virial(made.r, made.u) < MIN_B2:
            continue
        curve = interpolate(np.minimum(made.u, CAP)[None], 0.0, made.dr, u_r, 0.0)[0]
        for value in densities or [density_of(family, seed, i, how.density) for i in range(how.states)]:
            curves.append(curve)
            r_cut.append(made.r_cut)
            density.append(value)
            names.append(seed + STRIDE * FAMILIES.index(family))
    u, rho = np.array(curves).reshape(-1, u_r.size), np.array(density)
    r = np.linspace(0.0, RANGE, round(RANGE / STEP) + 1)
    found = structure_of(interpolate(u, 0.0, FINE, r, 0.0), rho, how.closure, device)
    solved = found.solved
    error = counting_error(r, found.g, how.noise)
    return TrainingSet(
        r, found.g, error, u_r, u[solved], rho[solved], np.array(r_cut)[solved],
        np.array(names, dtype=np.int64)[solved], test=np.zeros(len(found.g), dtype=np.bool_),
        long_wave=_long_wave(found, rho[solved]),
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Structures:
    """What integral equations make of some potentials.

    Attributes
    ----------
    solved : ndarray of bool, shape (m,)
        Which potentials have a solution, k of them.
    g, gamma : ndarray, shape (k, n)
        Radial distribution functions and h - c from r = 0.
    k : ndarray, shape (l,)
        Wave numbers.
    s_k : ndarray, shape (k, l)
        Structure factors.
    """

    solved: NDArray[np.bool_]
    g: Array
    gamma: Array
    k: Array
    s_k: Array


def structure_of(u: Array, density: Array, closure: str, device: str) -> Structures:
    """Return g and S(k) of potentials ``(m, n)`` in kT from r = 0 in steps of `STEP`, at densities ``(m,)``.

    Parameters
    ----------
    u, density : ndarray
        Potentials and densities, lengths in sigma.
    closure : {"hnc", "bridge"}
        See `pairs_of`.
    device : {"cpu", "cuda"}
        Where the equations are solved.
    """
    solve = partial(solve_many, step=STEP, nodes=NODES, max_peak=MAX_PEAK)

    def tensor(values: Array) -> torch.Tensor:
        return torch.tensor(values, device=device)

    fluids = solve(tensor(u[:, 1:]), tensor(density))
    solved = fluids.solved.cpu().numpy()
    effective = u[solved]
    if closure == "bridge" and solved.any():
        gamma = with_origin(fluids.gamma[fluids.solved].cpu().numpy())[:, : u.shape[1]]
        effective = effective - load_forward().model(effective, gamma, density[solved])[0]
        fluids = solve(tensor(effective[:, 1:]), tensor(density[solved]))
        again = fluids.solved.cpu().numpy()
        solved[solved] = again
        effective = effective[again]
    gamma = with_origin(fluids.gamma[fluids.solved].cpu().numpy())[:, : u.shape[1]]
    return Structures(
        solved, np.exp(gamma - effective), gamma, fluids.grid.k, fluids.s_k[fluids.solved].cpu().numpy()
    )


def _long_wave(found: Structures, density: Array) -> Array:
    """Return k, S(k) and its error ``(m, 3)`` as a simulation of `BEADS` beads has them at its smallest k."""
    k = 2.0 * np.pi * np.cbrt(density / BEADS)
    s = np.array([np.interp(x, found.k, curve) for x, curve in zip(k, found.s_k, strict=True)])
    return np.stack([k, s, S_K_ERROR * s], axis=1).reshape(-1, 3)


def is_bare_core(data: TrainingSet) -> NDArray[np.bool_]:
    """Return which rows ``(m,)`` are no different from a bare WCA core: their spline lies hidden in it.

    A campaign refuses them (`cginit.campaign.screen`), since all of them are the same fluid.
    """
    outside = data.u_r > CORE_END
    difference = np.abs(data.u - wca(data.u_r))[:, outside].max(axis=1)
    return np.asarray((difference < MIN_DIFFERENCE) & (data.u[:, 0] >= CAP))


def counting_error(r: Array, g: Array, noise: float) -> Array:
    """Return the standard error of g from counts in shells, `noise` at g = 1 and r = 1 sigma."""
    return np.asarray(noise * np.sqrt(g) / np.maximum(r, INNERMOST), dtype=np.float64)


def cheap_pairs(
    how: Auxiliary,
    folder: Path,
    report: Callable[[int, int], None] | None = None,
    device: str = "cpu",
    densities: Sequence[float] | None = None,
) -> TrainingSet:
    """Return the pairs of all families of `how`, in chunks from `folder` where it has them.

    Parameters
    ----------
    how : Auxiliary
        Families, integers, states, densities, closure and noise.
    folder : Path
        Keeps the chunks; an interrupted call goes on where it was.
    report : callable, optional
        Called with the number of chunks done and their total.
    device : {"cpu", "cuda"}
        Where the equations are solved.
    densities : sequence of float, optional
        Densities of each potential in place of the random ones.

    Raises
    ------
    InputError
        If no state has a solution, or `folder` holds pairs of another kind.
    """
    # Of family a one integer of three names a fluid, of family b nearly every one.
    counts = {family: how.potentials if family == "a" else -(-how.potentials // 3) for family in how.families}
    kind: dict[str, object] = {
        "states": how.states,
        "density": list(how.density),
        "closure": how.closure,
        "smoothing": how.smoothing,
        "long wave": BEADS,
    }
    if densities is not None:
        kind |= {"states": len(densities), "density": list(densities)}
    claim(folder / "pairs.json", kind)
    chunks = [
        (family, range(how.first + done, how.first + min(done + CHUNK, count)))
        for family, count in counts.items()
        for done in range(0, count, CHUNK)
    ]
    parts = []
    for i, (family, seeds) in enumerate(chunks):
        path = folder / f"{family}-{seeds.start}-{len(seeds)}.npz"
        if not path.exists():
            pairs_of(family, seeds, how, device, densities).write(path)
        parts.append(TrainingSet.read(path))
        if report is not None:
            report(i + 1, len(chunks))
    found = TrainingSet.joined(parts)
    if how.distinct:
        found = found.select(~is_bare_core(found))
    found = replace(found, g_error=counting_error(found.r, found.g, how.noise))
    if len(found) == 0:
        raise InputError("no state has a solution of the closure; choose other potentials or densities")
    return found
