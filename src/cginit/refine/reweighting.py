"""The configurations of a round as those of slightly different potentials: what need not be simulated."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from cginit.bonded import BondedPotential, Potential
from cginit.bonded_grids import period
from cginit.coordinates import BondedCounts
from cginit.curves import Array, PairPotential
from cginit.errors import ConvergenceError
from cginit.interactions import Interaction, Interactions
from cginit.refine.history import History, Step, apply_step
from cginit.refine.record import Record, Round, distances_of, pair_potentials, round_chi2, round_lmse
from cginit.sampling import PairCounts
from cginit.target import Target

__all__ = [
    "Proposal",
    "boltzmann_weights",
    "effective_share",
    "propose",
    "reweighted",
    "reweighted_round",
    "virial_change",
]

log = logging.getLogger(__name__)

#: Part of the configurations that must remain effective. Half of them doubles the variance, which chi^2 knows.
SMALLEST_SHARE = 0.5
#: Updates by reweighting between two rounds.
MAX_UPDATES = 4
#: chi^2 per point at which a reweighted g counts as at the noise. The configurations that judge the potential have
#: also made it: where an update fitted p of n independent points, new configurations give 2 p / n more (Mallows,
#: doi:10.1080/00401706.1973.10489103). The smooth changes of a regularised update have p / n below a quarter.
CHI2_REWEIGHTED = 1.5
#: A further update must reduce the mean squared difference to this part.
PROGRESS = 0.9


@dataclass(frozen=True, eq=False)
class Proposal:
    """What is to be simulated next.

    Attributes
    ----------
    potentials : Interactions of PairPotential or BondedPotential
        The next potentials.
    made_by : str
        The update, or the move of the search, that made them.
    estimate : Round or None
        What the last round says of them by reweighting, where that is possible.
    skipped : int
        Updates judged by reweighting: simulations that were not needed.
    at_noise : bool
        Whether the estimate is at the noise, so that nothing need be simulated.
    """

    potentials: Interactions[Potential]
    made_by: str = "start"
    estimate: Round | None = None
    skipped: int = 0
    at_noise: bool = False


def propose(history: History, search: Callable[[History], Step], *, reweighting: bool = True) -> Proposal:
    """Take a step, and further ones with the reweighted configurations while they stand for its potentials.

    Raises
    ------
    ConvergenceError
        If the update has no answer.
    """
    last = history.last
    step = search(history)
    potentials = apply_step(history, step)
    usable = reweighting and all(record.homogeneous for record in last)
    final = all(record.complete for record in last)
    before = round_lmse(last, history.targets)
    accepted: Proposal | None = None
    for count in range(1, MAX_UPDATES + 1):
        estimate = reweighted_round(last, potentials, history.targets, step.made_by) if usable else None
        if estimate is None:
            break
        lmse, chi2 = round_lmse(estimate, history.targets), round_chi2(estimate)
        if lmse > PROGRESS * before:
            # Better than an update that does not help.
            return accepted or Proposal(potentials, step.made_by)
        log.info("reweighting: largest chi^2 %.2f, mean squared difference %.2g", chi2, lmse)
        before = lmse
        at_noise = final and chi2 <= CHI2_REWEIGHTED
        accepted = Proposal(potentials, step.made_by, estimate, count, at_noise)
        if at_noise:
            return accepted
        further = history.followed_by(estimate)
        try:
            step = search(further)
        except ConvergenceError as error:
            # Inverse Monte Carlo needs configurations of their own weight.
            log.info("no update of what was reweighted: %s", error)
            return accepted
        potentials = apply_step(further, step)
    return Proposal(potentials, step.made_by, None, 0 if accepted is None else accepted.skipped)


def reweighted_round(
    last: Round, potentials: Interactions[Potential], targets: tuple[Target, ...], made_by: str = ""
) -> Round | None:
    """Return what simulations of `potentials` would have shown in every state; None where one cannot tell."""
    found = []
    for record, target in zip(last, targets, strict=True):
        one = reweighted(record, potentials, target)
        if one is None:
            return None
        found.append(replace(one, made_by=made_by))
    return tuple(found)


def reweighted(record: Record, potentials: Interactions[Potential], target: Target) -> Record | None:
    r"""Return what a simulation of `potentials` would have shown, from the configurations of another.

    .. math:: w_f \propto \exp\Big(-\frac{1}{kT} \sum_{ib} n_{fib} (U_i'(x_b) - U_i(x_b))\Big)

    over all interactions i. None where fewer than half of the configurations would remain effective, or their counts
    were not kept. The errors are those of the weighted configurations.

    Source: R. W. Zwanzig, J. Chem. Phys. 22, 1420 (1954), doi:10.1063/1.1740409.
    """
    if not (record.counts or record.bonded_counts):
        return None
    # Where molecules feel pairs that their g(r) leave out, the counts do not tell the whole energy.
    if not (target.counts_what_acts or record.inside.acting):
        return None
    weights = boltzmann_weights(_energy_change(record, potentials, target.kT))
    share = effective_share(weights)
    if share < SMALLEST_SHARE:
        return None
    rdfs = record.counts.map(lambda one: one.rdf(weights))
    distributions = record.bonded_counts.map(lambda one: one.distribution(weights))
    own = Interactions({name: potentials[name] for name in record.potentials})
    distances = distances_of(target, rdfs, distributions, pair_potentials(own), record.longer)
    return replace(
        record,
        potentials=own,
        rdfs=rdfs,
        distributions=distributions,
        distances=distances,
        pressure=record.pressure + _pressure_change(record, weights, potentials),
        pressure_error=float(record.pressure_error / np.sqrt(share)),
        counts=Interactions({}),
        bonded_counts=Interactions({}),
        inside=replace(record.inside, weights=weights),
    )


def _acting(record: Record) -> Interactions[PairCounts]:
    """Return the counts of the pairs that feel pair potentials."""
    return record.inside.acting or record.counts


def _energy_change(record: Record, potentials: Interactions[Potential], kT: float) -> Array:
    """Return by how much the energy of each configuration changes ``(frames,)``, in kT."""
    acting = _acting(record)
    every: list[PairCounts | BondedCounts] = [*acting.values(), *record.bonded_counts.values()]
    energy: Array = np.zeros(len(every[0]))
    for name, pairs in acting.items():
        old, new = record.potentials[name], potentials[name]
        energy = energy + pairs.counts[:, : new.u.size] @ ((new.u - old.u) / kT)
    for name, bonds in record.bonded_counts.items():
        energy = energy + bonds.counts @ (_bonded_change(record, potentials, bonds, name, "u") / kT)
    return energy


def _bonded_change(
    record: Record, potentials: Interactions[Potential], counts: BondedCounts, name: Interaction, what: str
) -> Array:
    """Return the change of energy (``u``) or force (``f``) at each bin ``(n,)`` of the counts."""
    old, new = record.potentials[name], potentials[name]
    after, before = (
        np.interp(counts.x, one.x, getattr(one, what), period=period(name.coordinate))
        for one in (new, old)
        if isinstance(one, BondedPotential)
    )
    return np.asarray(after - before, dtype=np.float64)


def _pressure_change(record: Record, weights: Array, potentials: Interactions[Potential]) -> float:
    moved, after = 0.0, pair_potentials(potentials)
    for name, counts in _acting(record).items():
        moved += virial_change(counts, weights, record.pairs[name], after[name])
    volume = float(np.prod(record.final.box))
    for name, bonds in record.bonded_counts.items():
        # Angles and dihedrals have no virial.
        if name.coordinate == "bond":
            change = _bonded_change(record, potentials, bonds, name, "f")
            moved += float(weights @ (bonds.counts @ (change * bonds.x))) / (3.0 * volume)
            old = np.interp(bonds.x, record.bonded[name].x, record.bonded[name].f)
            moved += float((weights - 1.0 / weights.size) @ (bonds.counts @ (old * bonds.x))) / (3.0 * volume)
    return moved


def boltzmann_weights(energy: Array) -> Array:
    """Return the weights ``(frames,)``, 1 in sum, of configurations whose energies change by `energy` kT each.

    Examples
    --------
    >>> boltzmann_weights(np.array([1e6, 1e6])).tolist()
    [0.5, 0.5]
    """
    weights = np.exp(-(energy - energy.min()))
    return np.asarray(weights / weights.sum())


def effective_share(weights: Array) -> float:
    r"""Return the part of the configurations that weigh, :math:`1 / (n \sum w^2)`.

    Source: L. Kish, Survey Sampling (1965).

    Examples
    --------
    >>> effective_share(np.full(8, 0.125)), effective_share(np.array([1.0, 0.0]))
    (1.0, 0.5)
    """
    return float(1.0 / (weights.size * np.sum(weights**2)))


def virial_change(counts: PairCounts, weights: Array, old: PairPotential, new: PairPotential) -> float:
    """Return by how much the virial part of the pressure changes with the potential, with `weights` ``(frames,)``.

    Only the difference of two virials comes from the bins, whose width a steep core does not forgive.
    """
    n = new.r.size
    factor = new.r / (3.0 * counts.volume)
    before = counts.counts[:, :n] @ (old.f * factor)
    after = counts.counts[:, :n] @ (new.f * factor)
    return float(weights @ after - before.mean())
