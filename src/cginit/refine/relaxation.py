"""Whether a simulation still relaxes, and what follows from it for others of the refinement."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cginit.curves import RDF, Array
from cginit.refine.convergence import SMOOTHING_BINS, combined_variance
from cginit.sampling import PairCounts
from cginit.sampling.trend import BLOCKS, is_by_chance, time_orders, trend

__all__ = ["best_simulation", "comparable", "longer_equilibration", "relaxes", "slowness"]

#: Change over the run, in standard errors, that counts: this part of the difference to the target. Less hardly
#: changes what an update makes of it.
PART = 0.3
#: Part of the longest equilibration so far that makes a simulation comparable.
ALIKE = 0.5


def relaxes(curves: Sequence[tuple[PairCounts, RDF, float]]) -> bool:
    r"""Return whether g(r) still moves while it is sampled.

    The trend of all curves together (`cginit.sampling.trend`) is compared with that of other orders of the blocks. If
    nothing moves they may stand in any order: the run relaxes where at most 4 of 1000 orders show as strong a
    trend, and where the line changes g by at least 0.3 of what separates it from the target (root of the sums of
    squares in units of the error of g). An update would then answer a g that the potential does not have. In 15 500
    steps that leaves liquids alone, and finds those that form pairs over barriers of some kT.

    Source of the test: E. J. G. Pitman, Suppl. J. R. Stat. Soc. 4, 119 (1937), doi:10.2307/2984124.

    Parameters
    ----------
    curves : sequence of (PairCounts, RDF, float)
        Pairs of all configurations in the order of time, target and cut-off; several for a mixture.
    """
    if not curves or any(len(counts) < 2 * BLOCKS for counts, _, _ in curves):
        return False
    orders = time_orders()
    trends, moved, apart = np.zeros(len(orders)), 0.0, 0.0
    for counts, target, r_cut in curves:
        strengths, change, difference = _trends(counts, target, r_cut, orders)
        trends += strengths
        moved += change
        apart += difference
    return not is_by_chance(trends) and moved > PART**2 * apart


def longer_equilibration(relaxed: Sequence[int], equilibration: int, longest: int) -> int:
    """Return the steps of equilibration of the next simulation: longer by what one of those before needed in all.

    Parameters
    ----------
    relaxed : sequence of int
        Of each simulation so far the steps of sampling that had to count as equilibration, because it still moved.
        Those of the first do not matter: it began as no liquid of any potential does.
    equilibration : int
        That of the schedule.
    longest : int
        Most that is added.

    Examples
    --------
    >>> longer_equilibration([], 3000, 48_000), longer_equilibration([6500], 3000, 48_000)
    (3000, 3000)
    >>> longer_equilibration([0, 15500, 0], 3000, 48_000), longer_equilibration([0, 36_000, 36_000], 3000, 48_000)
    (18500, 51000)
    """
    return equilibration + min(max(_whole(relaxed)[1:], default=0), longest)


def comparable(relaxed: Sequence[int]) -> list[bool]:
    """Return of each simulation whether it can be compared with the others.

    Once one has shown how slowly the liquid relaxes, the shorter ones before it say little of their potentials.

    Examples
    --------
    >>> comparable([0, 0, 0]), comparable([0, 15500, 0]), comparable([6500, 0])
    ([True, True, True], [False, True, True], [True, True])
    """
    whole = _whole(relaxed)
    most = max(whole[1:], default=0)
    return [own >= ALIKE * most for own in whole]


def _whole(relaxed: Sequence[int]) -> list[int]:
    """Return how much longer than the schedule each simulation equilibrated, on what those before it had needed."""
    found: list[int] = []
    for own in relaxed:
        found.append(max(found[1:], default=0) + own)
    return found


def slowness(relaxed: Sequence[int]) -> str:
    """Return the end of a sentence that says how many of the simulations still moved; empty if none did.

    Examples
    --------
    >>> slowness([0, 0]), slowness([0, 15500])
    ('', '; g(r) still moved within 1 of them: this liquid relaxes slowly, equilibrate longer')
    """
    slow = sum(own > 0 for own in relaxed)
    if not slow:
        return ""
    return f"; g(r) still moved within {slow} of them: this liquid relaxes slowly, equilibrate longer"


def best_simulation(relaxed: Sequence[int], healthy: Sequence[bool], lmse: Sequence[float]) -> int:
    """Return the index of the simulation that is nearest to the target, the last of several.

    Those come first that are `comparable`, and of them those that were one homogeneous fluid.

    Parameters
    ----------
    relaxed, healthy, lmse : sequence
        Of each simulation the steps that had to count as equilibration, whether it was a homogeneous fluid, and the
        mean squared difference of its g(r).

    Examples
    --------
    >>> best_simulation([0, 0, 0], [True, True, True], [0.2, 0.1, 0.3])
    1
    >>> best_simulation([0, 0, 9000], [True, True, True], [0.2, 0.1, 0.3])
    2
    """
    known = comparable(relaxed)
    return min(range(len(lmse)), key=lambda k: (not known[k], not healthy[k], lmse[k], -k))


def _trends(counts: PairCounts, target: RDF, r_cut: float, orders: Array) -> tuple[Array, float, float]:
    """Return n T for each order, and the squares of change and difference in units of the error of g, summed."""
    sampled, wanted = counts.rdf(), target.with_core()
    n = min(int(np.searchsorted(wanted.r, r_cut + 0.5 * wanted.dr)), sampled.g.size)
    # The bin at the origin is cut and holds almost no volume.
    bins = slice(int(wanted.r[0] < 0.499 * wanted.dr), n)
    error = combined_variance(sampled, wanted, n)[bins]
    found, away = trend(counts, bins, orders, SMOOTHING_BINS), sampled.g[bins] - wanted.g[bins]
    shown = error > 0.0
    return (
        found.strengths,
        float(np.sum(found.change[shown] ** 2 / error[shown])),
        float(np.sum(away[shown] ** 2 / error[shown])),
    )
