"""What is asked about the g(r) of molecules: their norm, and whether they count bonded pairs."""

import numpy as np
import pytest

from cginit import RDF, InputError
from cginit.bonded import Distribution
from cginit.configuration import Trajectory
from cginit.interactions import Interaction
from cginit.io.molecule_questions import of_pairs_that_count, question_molecules
from cginit.sampling import count_partial_pairs
from cginit.target import Target
from cginit.topology import Topology

#: Chains of four beads in a box of this edge, placed at random, each bead 1 from the last: 100 frames.
EDGE, CHAINS, FRAMES = 6.0, 12, 100
CHAIN = Topology([0] * 4, ("A",), {"bond A-A": [[0, 1], [1, 2], [2, 3]]}).repeated(CHAINS)
B = 0.85 + 0.02 * np.arange(16)


def frames() -> np.ndarray:
    random = np.random.default_rng(7)
    steps = random.normal(size=(FRAMES, CHAINS, 3, 3))
    length = random.normal(1.0, 0.04, size=(FRAMES, CHAINS, 3, 1))
    steps *= length / np.linalg.norm(steps, axis=-1, keepdims=True)
    first = random.uniform(0.0, EDGE, size=(FRAMES, CHAINS, 1, 3))
    return np.concatenate([first, first + np.cumsum(steps, axis=2)], axis=2).reshape(FRAMES, -1, 3)


def bonds() -> Distribution:
    p = np.exp(-0.5 * ((B - 1.0) / 0.04) ** 2)
    return Distribution.normalised(B, p, coordinate="bond", units="lj")


def sampled(exclusions: str) -> RDF:
    run = Trajectory(frames(), [EDGE] * 3, units="lj", topology=CHAIN)
    counts = count_partial_pairs(run, dr=0.05, r_max=2.95, excluded=CHAIN.excluded(exclusions))
    return next(iter(counts.values())).rdf()


def target(curve: RDF, exclusions: str) -> Target:
    return Target(
        {"A-A": curve},
        CHAIN.n / EDGE**3,
        1.0,
        topology=CHAIN,
        target_exclusions=exclusions,
        distributions={"bond A-A": bonds()},
    )


@pytest.mark.parametrize("exclusions", ["molecule", "1-3", "1-2"])
def test_a_norm_of_all_pairs_is_told_and_converted(exclusions):
    right = sampled(exclusions)
    assert question_molecules(target(right, exclusions)) == ()
    name = Interaction.of("A-A")
    part = CHAIN.part_left(name, exclusions)
    by_all = RDF(right.r, part * right.g, part * right.error, units="lj")
    (note,) = question_molecules(target(by_all, exclusions))
    assert f"these are {part:.4f} of all pairs" in note
    assert 'target_normalisation = "all pairs"' in note
    back = of_pairs_that_count(by_all, CHAIN, name, exclusions)
    np.testing.assert_allclose(back.g, right.g, atol=1e-12)
    np.testing.assert_allclose(back.error, right.error, atol=1e-12)
    assert question_molecules(target(back, exclusions), "all pairs") == ()
    # What was divided by the pairs that count is converted once too often.
    (note,) = question_molecules(
        target(of_pairs_that_count(right, CHAIN, name, exclusions), exclusions), "all pairs"
    )
    assert "it was divided by these already" in note


@pytest.mark.parametrize("stated", ["molecule", "1-3", "1-2"])
def test_bonded_pairs_that_g_counts_and_is_said_to_leave_out_are_refused(stated):
    with pytest.raises(InputError, match=r"g\(r\) of A-A has the peak of bond A-A at 1.*State which pairs"):
        question_molecules(target(sampled("none"), stated))


def test_bonded_pairs_that_g_is_said_to_count_and_does_not_are_said():
    assert question_molecules(target(sampled("none"), "none")) == ()
    notes = question_molecules(target(sampled("1-2"), "none"))
    assert any("has no peak of bond A-A" in note for note in notes)


def test_loose_beads_are_not_asked_about():
    loose = Target({"A-A": sampled("none")}, {"A": CHAIN.n / EDGE**3}, 1.0)
    assert question_molecules(loose) == ()
