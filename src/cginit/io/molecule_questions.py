"""What is asked about the g(r) of molecules: what they were divided by, and which pairs of a molecule they count."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cginit.curves import RDF, Array
from cginit.errors import InputError
from cginit.interactions import Interaction
from cginit.target import Target
from cginit.topology import Topology

__all__ = [
    "ALL_PAIRS",
    "NORMALISATIONS",
    "PAIRS_THAT_COUNT",
    "of_pairs_that_count",
    "question_molecules",
    "tells_another_norm",
]

#: What a g(r) is divided by: the number of all pairs in the box, or of those that it counts.
ALL_PAIRS, PAIRS_THAT_COUNT = "all pairs", "pairs that count"
NORMALISATIONS = (PAIRS_THAT_COUNT, ALL_PAIRS)
#: Part of all pairs left out from which it matters which of the two it is; so many errors of the sum must tell them
#: apart, and the sum must be this much nearer to one than to the other.
LEAST_PART, ERRORS, NEARER = 0.004, 3.0, 0.5
#: Parts of the range of g, from its end, over which its level is taken.
TAILS = (0.15, 0.2, 0.25, 0.3, 0.35, 0.4)
#: The neighbours along a bond are counted where the fit finds this part of them, if they raise g by so much.
PART_OF_BOND, LEAST_PEAK = 0.5, 0.3
#: A density of bond lengths below this part of its largest is not looked at.
SHOWN = 0.01


def of_pairs_that_count(curve: RDF, topology: Topology, name: Interaction, exclusions: str) -> RDF:
    r"""Return a g(r) that was divided by all pairs as one that is divided by the pairs that it counts.

    .. math:: g \frac{N_a N_b}{M}, \qquad \text{or } g \frac{N_a^2}{2 M} \text{ of like beads}

    for the M pairs of beads in the box that the rule of exclusion leaves.

    Parameters
    ----------
    curve : RDF
    topology : Topology
        All beads of the box that was sampled.
    name : Interaction
        The pair of bead types.
    exclusions : str
        The pairs that the curve leaves out, in the words of `Topology`.
    """
    part = topology.part_left(name, exclusions)
    if not part > 0.0:
        raise InputError(
            f"no pair {name} counts where {exclusions} is left out; there is nothing to divide by"
        )
    error = None if curve.error is None else curve.error / part
    return replace(curve, g=curve.g / part, error=error)


def question_molecules(
    target: Target, stated: str = PAIRS_THAT_COUNT, certain: Collection[Interaction] = ()
) -> tuple[str, ...]:
    """Return what is odd about the g(r) of molecules: their norm, as it was `stated`, and the pairs that they count.

    Whose norm is `certain`, since the program that counted states it, is not asked about it.

    Raises
    ------
    InputError
        If no pair is left that a g(r) could count, or it shows the neighbours along bonds, which it is said to leave
        out.
    """
    topology = target.topology
    if topology is None or not topology.is_molecular:
        return ()
    for name in target.rdfs:
        if topology.pairs_left(name, target.target_exclusions) == 0:
            raise InputError(
                f'g(r) of {name} counts no pair: target_exclusions = "{target.target_exclusions}" leaves all of them '
                f"out of a topology of {topology.n_molecules} molecule{'s' * (topology.n_molecules > 1)}"
            )
    found = [_norm(target, topology, name, stated) for name in target.rdfs if name not in certain]
    found += [_bonds(target, topology, name) for name in target.rdfs]
    return tuple(text for text in found if text)


def _norm(target: Target, topology: Topology, name: Interaction, stated: str) -> str:
    """Return a sentence if the sum of g over the box is that of another norm than the stated one."""
    part = topology.part_left(name, target.target_exclusions)
    total = tells_another_norm(target, name, stated)
    if total is None:
        return ""
    if stated == ALL_PAIRS:
        return (
            f"{name}: over the box g(r) adds up to {total:.4f} of the pairs that count; it was divided by these "
            f'already, and {1.0 / part:.4f} is what target_normalisation = "{ALL_PAIRS}" makes of that: leave it out'
        )
    return (
        f"{name}: over the box g(r) adds up to {total:.4f} of the pairs that count, not to 1, and these are "
        f"{part:.4f} of all pairs: it was divided by all of them, as VOTCA and GROMACS do. "
        f'target_normalisation = "{ALL_PAIRS}" in the file of the system takes it for that (times {1.0 / part:.4f})'
    )


def tells_another_norm(target: Target, name: Interaction, stated: str) -> float | None:
    r"""Return the sum of g over the box where it is that of another norm than the stated one; None where it is not.

    In a closed box each pair that counts has one distance, so that, with the level c of g beyond its end,

    .. math:: \frac1V \Big[ \int_0^R g\, 4\pi r^2 dr + c \Big(V - \frac{4\pi}{3} R^3\Big) \Big]

    is 1 where g is divided by the pairs that count, and their part of all pairs where it is divided by all.

    Parameters
    ----------
    target : Target
        With the topology of the box that was sampled.
    name : Interaction
        The pair of bead types.
    stated : {"pairs that count", "all pairs"}
        What g(r) was divided by, before it was converted.
    """
    topology = target.topology
    if topology is None:
        return None
    part = topology.part_left(name, target.target_exclusions)
    # A g(r) that was converted, and should not have been, adds up to more than 1.
    other = part if stated == PAIRS_THAT_COUNT else 1.0 / part
    found = _sum_over_box(target.rdfs[name], topology.n / target.state.density)
    if found is None or abs(1.0 - part) < LEAST_PART:
        return None
    total, error = found
    if abs(total - other) > NEARER * abs(other - 1.0) or abs(other - 1.0) < ERRORS * error:
        return None
    return total


def _sum_over_box(curve: RDF, volume: float) -> tuple[float, float] | None:
    """Return the mean of g over the box, and how far the tail leaves it open; None beyond the box.

    The level of the tail is the mean over the last part of g. Means over parts of several lengths, which end an
    oscillation at different phases, scatter by what it does to them. Few beads that hardly move are off in all bins
    of the tail alike, so that its mean is taken to be known no better than one bin is.
    """
    full = curve.with_core()
    lower, upper = np.maximum(full.r - 0.5 * full.dr, 0.0), full.r + 0.5 * full.dr
    shells = 4.0 / 3.0 * np.pi * (upper**3 - lower**3)
    outside = volume - float(shells.sum())
    if outside < 0.0:
        return None
    tails = [full.r >= (1.0 - part) * full.r_max for part in TAILS]
    levels = np.array([full.g[tail] @ shells[tail] / shells[tail].sum() for tail in tails])
    total = (float(full.g @ shells) + float(levels.mean()) * outside) / volume
    noise = 0.0 if full.error is None else float(full.error[tails[0]].mean())
    return total, float(np.hypot(levels.std(ddof=1), noise)) * outside / volume


def _bonds(target: Target, topology: Topology, name: Interaction) -> str:
    """Return a sentence if g(r) counts no bonded pairs but is said to; InputError for the other way round."""
    curve = target.rdfs[name].with_core()
    for one, shown in target.distributions.items():
        if one.coordinate != "bond" or Interaction("pair", one.beads) != name:
            continue
        neighbours = (2.0 if name.like else 1.0) * len(topology.terms[one]) / _beads(topology, name.types[0])
        chosen, peak = _peak_of_bond(curve, shown.x, shown.p, neighbours * _inverse(target, name))
        if chosen.size < 4 or peak.max() < LEAST_PEAK:
            continue
        part = _part_of(curve.r[chosen], curve.g[chosen], peak)
        left_out = topology.pairs_left(name, target.target_exclusions) < topology.pairs_left(name, "none")
        at = curve.r[chosen][int(np.argmax(peak))]
        length = curve.units.length
        # Beads that begin to touch where bonds are longest make a rise, not a peak of the same height and width.
        if left_out and abs(part - 1.0) < PART_OF_BOND and curve.g[chosen].max() > PART_OF_BOND * peak.max():
            raise InputError(
                f"g(r) of {name} has the peak of {one} at {at:.3g} {length}: it counts bonded pairs, and "
                f'target_exclusions = "{target.target_exclusions}" says that it leaves them out. No pair potential '
                'makes that peak. State which pairs it leaves out ("none"), or count it without'
            )
        if not left_out and part < PART_OF_BOND:
            return (
                f"{name}: g(r) has no peak of {one} at {at:.3g} {length}, where bonded beads would make one of "
                f'{peak.max():.2g}; target_exclusions = "{target.target_exclusions}" says that it counts them'
            )
    return ""


def _beads(topology: Topology, name: str) -> int:
    return int(np.count_nonzero(topology.types == topology.species.index(name)))


def _inverse(target: Target, name: Interaction) -> float:
    """Return 1 / (4 pi rho) for the density of the neighbours."""
    return 1.0 / (4.0 * np.pi * target.densities[name.types[1]])


def _peak_of_bond(curve: RDF, x: Array, p: Array, factor: float) -> tuple[NDArray[np.intp], Array]:
    """Return the points of g(r) around the bonds, and what these add to it: means of ``factor p / r^2``."""
    shown = np.flatnonzero(p > SHOWN * p.max())
    low, high = x[shown[0]], x[shown[-1]]
    pad = max(2.0 * curve.dr, 0.25 * (high - low))
    chosen = np.flatnonzero((curve.r > low - pad) & (curve.r < high + pad) & (curve.r > 0.5 * curve.dr))
    # A bin of g(r) may hold the whole of a stiff bond.
    fine = np.linspace(-0.5, 0.5, 21) * curve.dr
    at = curve.r[chosen][:, None] + fine
    mean = np.interp(at, x, p, left=0.0, right=0.0).mean(axis=1)
    return chosen, np.asarray(factor * mean / curve.r[chosen] ** 2, dtype=np.float64)


def _part_of(r: Array, g: Array, peak: Array) -> float:
    """Return which part of the peak is in g, by least squares beside a smooth curve of the other pairs."""
    place = (r - r.mean()) / max(float(np.ptp(r)), 1e-300)
    smooth = min(3, r.size - 3)
    basis = np.column_stack([peak, *(place**power for power in range(smooth))])
    return float(np.linalg.lstsq(basis, g, rcond=None)[0][0])
