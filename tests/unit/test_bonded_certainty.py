"""How well bonded potentials are known, of bonds that are drawn at random."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cginit import RDF, PairPotential
from cginit.bonded import BondedPotential, Distribution
from cginit.configuration import Configuration
from cginit.coordinates import COORDINATES, BondedCounts
from cginit.interactions import Interaction, Interactions
from cginit.refine.bonded import common_noise
from cginit.refine.certainty import certainty_of
from cginit.refine.history import History, Step, apply_step
from cginit.refine.record import Record
from cginit.refine.updates.bonded import bonded_changes
from cginit.target import Target
from cginit.topology import Topology
from cginit.units import unit_system

B = np.arange(0.6, 1.4001, 0.01)
R = np.arange(0.0, 3.0001, 0.1)
BOND, PAIR = Interaction.of("bond A-A"), Interaction.of("A-A")
DIMERS = Topology([0, 0], ("A",), {"bond A-A": [[0, 1]]}, exclusions="molecule").repeated(4)
PLACE = Configuration(np.zeros((8, 3)), [20.0] * 3, units="lj", topology=DIMERS)
FLAT = PairPotential(R, np.zeros(R.size), units="lj")
ONES = RDF(R, np.ones(R.size), units="lj")
IDEAL = COORDINATES["bond"].ideal(B)
TRUTHS = {
    "spring": 300.0 * (B - 1.0) ** 2,
    "anharmonic": 5.0 * (1.0 - np.exp(-6.0 * (B - 0.95))) ** 2,
}
COUNTS = 20_000


def drawn(u: np.ndarray, count: int, rng: np.random.Generator) -> Distribution:
    """Return what so many independent bonds show, with the error of their numbers."""
    p = np.exp(-u) * IDEAL
    counts = rng.multinomial(count, p / p.sum()).astype(float)
    scale = 1.0 / (count * 0.01)
    return Distribution(B, counts * scale, np.sqrt(counts) * scale, coordinate="bond", units="lj")


def record_of(potential: BondedPotential, rng: np.random.Generator) -> Record:
    u = np.interp(B, potential.x, potential.u, left=50.0, right=50.0)
    return Record(
        index=0,
        potentials=Interactions({PAIR: FLAT, BOND: potential}),
        rdfs=Interactions({PAIR: ONES}),
        distances=Interactions({}),
        final=PLACE,
        distributions=Interactions({BOND: drawn(u, COUNTS, rng)}),
    )


def refined(truth: np.ndarray, seed: int, *, off: float) -> History:
    """Return two rounds from a target of known truth, the first of an inversion that is off by a part of itself."""
    rng = np.random.default_rng(seed)
    distribution = drawn(truth, 3 * COUNTS, rng)
    target = Target({PAIR: ONES}, 0.1, 1.0, topology=DIMERS, distributions={BOND: distribution})
    first = COORDINATES["bond"].invert(distribution, kT=1.0)
    first = BondedPotential.shifted(first.x, (1.0 + off) * first.u, coordinate="bond", units="lj")
    history = History((target,), ((record_of(first, rng),),), frozenset([PAIR]))
    changes = {BOND: bonded_changes(history)[BOND]}
    second = apply_step(history, Step.from_last(history, changes, "bonds"))[BOND]
    return history.followed_by((record_of(second, rng),))


def missed(history: History, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return by how much the last potential is off in its well, but for a constant, and the stated error."""
    found = certainty_of(history).potentials[BOND]
    exact = np.interp(found.x, B, truth)
    well = exact < exact.min() + 4.0
    off = found.u - exact
    off -= np.average(off[well], weights=np.exp(exact.min() - exact[well]))
    return off[well], found.u_error[well]


@pytest.mark.parametrize("name", TRUTHS)
def test_the_band_of_a_bond_holds_the_truth_and_is_not_wide(name):
    """After a step that took a whole simulation at its word, whose noise is that of the bins smoothed."""
    held, off, stated = [], [], []
    for seed in range(25):
        wrong, error = missed(refined(TRUTHS[name], seed, off=-0.2), TRUTHS[name])
        held.append(np.mean(np.abs(wrong) <= 1.645 * error))
        off.append(np.mean(wrong**2))
        stated.append(np.mean(error**2))
    # A smooth potential has some three to six numbers: 0.9 +- 0.03 over 25 of them.
    assert 0.82 <= np.mean(held) <= 0.97
    # Single bins have 2.5 to 4 times the error.
    assert 0.8 < np.sqrt(np.mean(stated) / np.mean(off)) < 1.4


def test_an_inversion_that_no_simulation_changed_has_the_noise_of_the_target_alone():
    truth = TRUTHS["spring"]
    history = refined(truth, 1, off=0.0)
    one = History(history.targets, history.rounds[:1], history.held)
    band = np.sqrt(np.mean(missed(one, truth)[1] ** 2))
    taken = np.sqrt(np.mean(missed(refined(truth, 1, off=-0.2), truth)[1] ** 2))
    # Half the error of target and simulation together, where the simulation is a third as long.
    assert band < 0.75 * taken


def test_a_difference_that_is_no_noise_is_part_of_the_band():
    truth = TRUTHS["spring"]
    history = refined(truth, 2, off=-0.2)
    first = History(history.targets, history.rounds[:1], history.held)
    wrong, error = missed(first, truth)
    assert np.mean(np.abs(wrong) <= 1.645 * error) > 0.9
    assert np.sqrt(np.mean(error**2)) > 3.0 * np.sqrt(np.mean(missed(history, truth)[1] ** 2))


def test_where_no_target_shows_a_bond_its_error_is_the_largest():
    history = refined(TRUTHS["spring"], 3, off=-0.2)
    found = certainty_of(history).potentials[BOND]
    unseen = found.u > 20.0
    assert np.all(found.u_error[unseen] == found.u_error.max())
    assert np.all(found.u_error > 0.0)


def test_what_many_bins_agree_on_is_taken_nearly_whole():
    """A potential that is too stiff by a tenth, which differs from the target by little more than noise in a bin."""
    truth, parts = TRUTHS["spring"], []
    for seed in range(8):
        history = refined(truth, seed, off=0.1)
        first = history.until(0)
        change = bonded_changes(first)[BOND]
        potential = first.last[0].bonded[BOND]
        well = potential.u < 4.0
        weights = np.exp(-potential.u[well]) / np.exp(-potential.u[well]).sum()
        wanted, found = -potential.u[well] / 11.0, change[well]
        wanted -= weights @ wanted
        parts.append((weights * wanted) @ (found - weights @ found) / ((weights * wanted) @ wanted))
    # The stiffness of 20 000 bonds is known to 1 %, here a tenth of the change. A weight for each bin by its
    # neighbours left a third of it.
    assert np.mean(parts) == pytest.approx(1.0, abs=0.12)


def counted(shift: float, seed: int, frames: int = 200) -> BondedCounts:
    """Return counts of 200 bonds in each configuration, longer or shorter in each tenth of the run."""
    rng = np.random.default_rng(seed)
    centres = 1.0 + np.repeat(shift * rng.normal(size=10), frames // 10)
    p = np.exp(-300.0 * (B - centres[:, None]) ** 2)
    found = rng.multinomial(200, p / p.sum(axis=1, keepdims=True)).astype(np.int32)
    return BondedCounts(BOND, B, found, 200, unit_system("lj"))


def test_noise_that_bins_share_is_told_from_that_of_their_counts():
    # Two sums of nine squares each: 1 +- 0.33, of which what is below 1 counts as 1.
    alone = [common_noise(counted(0.0, seed)) for seed in range(12)]
    assert min(alone) == 1.0
    assert np.mean(alone) < 1.4
    # 4000 bonds of a block know its mean to 0.041 / sqrt(4000) = 0.00065; with another 0.002 the variance of the
    # mean is (0.0021 / 0.00065)^2 = 10 times that, of the width once.
    shared = [common_noise(counted(0.002, seed)) for seed in range(12)]
    assert np.mean(shared) == pytest.approx(5.5, rel=0.35)
    assert common_noise(counted(0.002, 1, frames=10)) >= 1.0


def test_the_errors_are_larger_by_noise_that_bins_share():
    truth = TRUTHS["spring"]
    history = refined(truth, 4, off=-0.2)
    counts = Interactions({BOND: counted(0.002, 4)})
    slow = [(replace(one, bonded_counts=counts),) for (one,) in history.rounds]
    found = History(history.targets, tuple(slow), history.held)
    ratio = missed(found, truth)[1] / missed(history, truth)[1]
    # The part that is left to make is not larger; here it is small.
    assert np.median(ratio) == pytest.approx(np.sqrt(common_noise(counts[BOND])), rel=0.1)
