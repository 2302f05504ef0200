"""What a simulation shows of the pairs of beads in one molecule."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cginit.curves import Array
from cginit.interactions import Interactions, all_pairs
from cginit.refine.record import Record
from cginit.refine.shapes import MoleculeShapes
from cginit.target import Target

__all__ = ["InsideMolecules", "inside_molecules"]


@dataclass(frozen=True, eq=False)
class InsideMolecules:
    r"""g(r) of the pairs of beads of one molecule, all of them, whatever the targets count.

    .. math:: 4 \pi \rho_b \int g_{ab}\, r^2 dr

    over all r is the number of beads b in the molecule of a bead a, as in the files ``.intra.dat`` of
    ``cg-init target --system``.

    Attributes
    ----------
    r : ndarray, shape (m,)
        Middles of the bins, up to the longest distance.
    g, error : Interactions of ndarray
        The curves ``(m,)`` of the pairs that a molecule has, and their standard errors.
    """

    r: Array
    g: Interactions[Array]
    error: Interactions[Array]


def inside_molecules(record: Record, target: Target) -> InsideMolecules | None:
    """Return g(r) inside the molecules that a simulation kept; None where bonds alone are in them, or none was kept.

    The configurations are spread over the run; their scatter makes the error.
    """
    topology = target.topology
    shapes = MoleculeShapes.of(record, target)
    if topology is None or shapes is None or not target.rdfs or shapes.frames < 2:
        return None
    if np.array_equal(topology.excluded("molecule"), topology.excluded("1-2")):
        return None
    step = next(iter(target.rdfs.values())).dr
    longest = max((float(one.values.max()) for one in shapes.distances if one.values.size), default=0.0)
    r: Array = step * np.arange(int(np.ceil(longest / step)) + 2, dtype=np.float64)
    edges = np.append(0.0, r + 0.5 * step)
    shells = 4.0 / 3.0 * np.pi * np.diff(edges**3)
    number = np.bincount(topology.types, minlength=len(topology.species))
    of_type = dict(zip(topology.species, number.tolist(), strict=True))
    curves, errors = {}, {}
    for name, groups in zip(all_pairs(target.densities), shapes.distances, strict=True):
        if not groups.values.size:
            continue
        a, b = name.types
        pairs = of_type[a] * of_type[b] * (0.5 if a == b else 1.0)
        frame = groups.owner // topology.n_molecules
        bins = np.rint(groups.values / step).astype(np.intp)
        counts = np.bincount(frame * r.size + bins, minlength=shapes.frames * r.size)
        each = counts.reshape(shapes.frames, r.size) * shapes.volume / (pairs * shells)
        curves[name] = np.asarray(each.mean(axis=0))
        errors[name] = np.asarray(each.std(axis=0, ddof=1) / np.sqrt(shapes.frames))
    return InsideMolecules(r, Interactions(curves), Interactions(errors))
