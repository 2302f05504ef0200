"""The next potentials of a mixture to simulate, or the last ones, where reweighting shows that nothing need be."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from cginit.curves import Array, PairPotential
from cginit.errors import ConvergenceError
from cginit.mixture import MixtureTarget, Pair
from cginit.refine.convergence import distance
from cginit.refine.mixture_store import MixtureIteration
from cginit.refine.mixture_updates import MixtureUpdate
from cginit.refine.proposal import CHI2_REWEIGHTED, MAX_UPDATES, PROGRESS
from cginit.refine.reweighting import SMALLEST_SHARE, boltzmann_weights, effective_share, virial_change
from cginit.refine.updates import apply_change

__all__ = ["MixtureProposal", "propose_mixture", "reweighted_mixture"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class MixtureProposal:
    """What is to be simulated next; see `cginit.refine.proposal.Proposal`.

    Attributes
    ----------
    potentials : dict of pair to PairPotential
        The next potentials.
    made_by : str
        The rule that made them.
    estimate : MixtureIteration or None
        What the last simulation says of them by reweighting, where that is possible.
    skipped : int
        Updates judged by reweighting: simulations that were not needed.
    at_noise : bool
        Whether the estimate is at the noise, so that nothing need be simulated.
    """

    potentials: dict[Pair, PairPotential]
    made_by: str
    estimate: MixtureIteration | None = None
    skipped: int = 0
    at_noise: bool = False


def propose_mixture(
    history: Sequence[MixtureIteration],
    target: MixtureTarget,
    rule: MixtureUpdate,
    *,
    reweighting: bool = True,
) -> MixtureProposal:
    """Update the potentials, and again with the reweighted configurations while they stand for them.

    Raises
    ------
    ConvergenceError
        If the rule has no answer.
    """
    last = history[-1]
    potentials, made_by = _updated(history, target, rule)
    accepted: MixtureProposal | None = None
    before = last.lmse
    for count in range(1, MAX_UPDATES + 1):
        usable = reweighting and last.homogeneous
        estimate = reweighted_mixture(last, potentials, target) if usable else None
        if estimate is None:
            break
        if estimate.lmse > PROGRESS * before:
            # Better than an update that does not help.
            return accepted or MixtureProposal(potentials, made_by)
        before = estimate.lmse
        chi2 = estimate.distance(rule.held).chi2
        log.info("reweighting: largest chi^2 %.2f, mean squared difference %.2g", chi2, before)
        at_noise = last.complete and chi2 <= CHI2_REWEIGHTED
        accepted = MixtureProposal(potentials, made_by, replace(estimate, update=made_by), count, at_noise)
        if at_noise:
            return accepted
        try:
            potentials, made_by = _updated([*history, estimate], target, rule)
        except ConvergenceError as error:
            # Inverse Monte Carlo needs configurations of their own weight.
            log.info("no update of what was reweighted: %s", error)
            return accepted
    return MixtureProposal(potentials, made_by, None, 0 if accepted is None else accepted.skipped)


def reweighted_mixture(
    measured: MixtureIteration, potentials: Mapping[Pair, PairPotential], target: MixtureTarget
) -> MixtureIteration | None:
    """Return what a simulation of `potentials` would have shown, from the configurations of another.

    None where fewer than half of the configurations would remain effective, or their counts were not kept; see
    `cginit.refine.reweighting.reweighted`.
    """
    if not measured.counts:
        return None
    energy: Array = np.zeros(len(next(iter(measured.counts.values()))))
    for pair, new in potentials.items():
        change = (new.u - measured.potentials[pair].u) / target.kT
        energy = energy + measured.counts[pair].counts[:, : new.r.size] @ change
    weights = boltzmann_weights(energy)
    share = effective_share(weights)
    if share < SMALLEST_SHARE:
        return None
    rdfs = {pair: one.rdf(weights) for pair, one in measured.counts.items()}
    moved = sum(
        virial_change(measured.counts[pair], weights, measured.potentials[pair], new)
        for pair, new in potentials.items()
    )
    return replace(
        measured,
        potentials=dict(potentials),
        rdfs=rdfs,
        distances={
            pair: distance(rdfs[pair], curve, potentials[pair].r_cut, measured.longer)
            for pair, curve in target.rdfs.items()
        },
        pressure=measured.pressure + moved,
        pressure_error=float(measured.pressure_error / np.sqrt(share)),
        counts={},
    )


def _updated(
    history: Sequence[MixtureIteration], target: MixtureTarget, rule: MixtureUpdate
) -> tuple[dict[Pair, PairPotential], str]:
    """Return the potentials that the rule makes, and its name."""
    last = history[-1]
    changes, made_by = rule(history, target)
    changed = {
        pair: apply_change(last.potentials[pair], change, target.rdfs[pair], target.kT)
        for pair, change in changes.items()
    }
    return last.potentials | changed, made_by
