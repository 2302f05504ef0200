"""Beads that overlap: potentials under which they pile up, and a refinement that keeps away from those."""

import dataclasses

import numpy as np
import pytest
from one_species import AA, history_of, record_of

from cginit import RDF, PairPotential, StatePoint
from cginit.configuration import Configuration
from cginit.interactions import Interactions, pair
from cginit.liquid import solve
from cginit.refine import make_update
from cginit.refine.history import Step, apply_step
from cginit.refine.search import CLOSURE, HALF, Search
from cginit.refine.stability import collapses, overlapping
from cginit.target import Target

DR, R_CUT, DENSITY = 0.05, 3.0, 0.5
R = np.arange(61) * DR
STATE = StatePoint(DENSITY, 1.0, "lj")
SOME = Configuration(np.zeros((2, 3)), np.full(3, 12.0), units="lj")


def potential(height):
    return PairPotential.shifted(R, height * np.exp(-(R**2)), units="lj")


def measured(height):
    fluid = solve(R, potential(height).u, DENSITY)
    g = np.concatenate([fluid.g[:1], fluid.g[:120]])
    return RDF(np.arange(121) * DR, g, np.full(g.size, 1e-3), units="lj")


TARGET = measured(2.0)


def history(*heights, warnings=()):
    records = [record_of(potential(one), TARGET, TARGET, SOME, warnings=warnings) for one in heights]
    return history_of(TARGET, STATE, *records)


@pytest.mark.parametrize("share", [0.9, 1.1])
def test_beads_pile_up_where_the_mean_field_diverges(share):
    # 1 + rho U(0) = 0 for a height of -1 / (rho pi^1.5).
    height = -share / (DENSITY * np.pi**1.5)
    target = Target.of(TARGET, STATE)
    assert collapses({pair("A", "A"): potential(height)}, [target]) == (share > 1.0)


def test_a_core_stops_beads():
    core = RDF(TARGET.r, np.where(TARGET.r < 0.9, 0.0, TARGET.g), units="lj")
    target = Target.of(core, STATE)
    assert overlapping({pair("A", "A"): potential(-3.0)}, target) == []
    assert not collapses({pair("A", "A"): potential(-3.0)}, [target])


@dataclasses.dataclass(frozen=True)
class Attraction:
    """Asks for so much less repulsion that the beads would pile up."""

    name: str = "attraction"
    beyond_cutoff: bool = False

    def __call__(self, history):
        change = -3.0 * np.exp(-(R**2))
        return Step.from_last(history, Interactions({AA: change}), self.name)


def test_no_step_goes_to_where_they_pile_up():
    now = history(2.0)
    free = apply_step(now, Search(Attraction(), back=False)(now))
    assert collapses(free, now.targets)
    kept = Search(Attraction())(now)
    assert not collapses(apply_step(now, kept), now.targets)
    # The largest part that does not: half of the change leaves 0.5.
    np.testing.assert_allclose(kept.changes[AA], -1.5 * np.exp(-(R**2)))


def test_a_start_that_piles_up_is_replaced_by_what_the_closure_makes_of_the_target():
    # It looks like a fluid in a short simulation, but is none.
    now = history(-2.0)
    step = Search(make_update("auto"))(now)
    assert step.made_by == CLOSURE
    found = apply_step(now, step).only()
    # The target is one of this closure; its end at twice the cut-off and its errors are all that is in the way.
    np.testing.assert_allclose(found.u, potential(2.0).u, atol=0.02)


def test_it_is_tried_once():
    clusters = history(2.0, 2.0, warnings=("inhomogeneous: the beads cluster",))
    first = Search(make_update("auto"))(clusters)
    assert first.made_by == CLOSURE
    tried = dataclasses.replace(clusters.rounds[1][0], made_by=CLOSURE)
    after = dataclasses.replace(clusters, rounds=(clusters.rounds[0], (tried,)))
    assert Search(make_update("auto"))(after).made_by == HALF
