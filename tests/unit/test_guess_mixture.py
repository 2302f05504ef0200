"""The correlations behind the guesses of mixtures against those of one species."""

from __future__ import annotations

import numpy as np
import pytest

from cginit import RDF
from cginit.guess.assembly import visible_target
from cginit.guess.integral_equation import indirect_correlation, indirect_correlations
from cginit.guess.mixture import guess_mixture
from cginit.interactions import Interaction
from cginit.liquid import solve
from cginit.target import Target

PAIRS = (("A", "A"), ("A", "B"), ("B", "B"))
RHO = {"A": 0.2, "B": 0.4}
#: The labels leave fewer pairs to each g of equal beads, whose errors are larger by so much.
PARTS = (1.0 / 3.0, 2.0 / 3.0, 2.0 / 3.0)


def curves(start: float) -> tuple[RDF, dict]:
    """Return g of a Lennard-Jones fluid, and of all pairs when each of its beads is one of two species."""
    fine = np.linspace(0.0, 8.0, 801)
    x = np.maximum(fine, 0.3) ** -6
    fluid = solve(fine, 4.0 * (x * x - x) / 1.7, 0.6)
    r = start + 0.05 * np.arange(100)
    g = np.interp(r, fluid.r, fluid.g)
    g, error = np.where(g > 1e-3, g, 0.0), np.full(r.size, 1e-4)
    pairs = {pair: RDF(r, g, error / part, units="lj") for pair, part in zip(PAIRS, PARTS, strict=True)}
    return RDF(r, g, error, units="lj"), pairs


@pytest.mark.parametrize("start", [0.05, 0.025, 0.03])
def test_equal_beads_have_the_correlations_of_one_species(start):
    """Also on a grid that no sine transform has, which 0.03, 0.08, ... is."""
    one, pairs = curves(start)
    alone, _ = indirect_correlation(visible_target(one, bin_average=False), 0.6, "hnc")
    visible = {
        Interaction.of(pair): visible_target(curve, bin_average=False) for pair, curve in pairs.items()
    }
    found, notes = indirect_correlations(visible, RHO, "hnc")
    assert notes == ()
    for pair in PAIRS:
        # Both solve the same equation to 1e-9 in r h.
        np.testing.assert_allclose(found[Interaction.of(pair)], alone, atol=1e-7)


def test_a_mixture_may_have_any_uniform_grid():
    on_nodes, off_nodes = (
        guess_mixture(Target(curves(start)[1], RHO, 1.0), "hnc", 2.5) for start in (0.05, 0.03)
    )
    for pair in PAIRS:
        a, b = on_nodes[pair], off_nodes[pair]
        seen = a.r > 1.1
        # Two samplings of one curve in steps of 0.05: what the straight lines between the points do to it.
        np.testing.assert_allclose(np.interp(a.r, b.r, b.u)[seen], a.u[seen], atol=0.05)
