"""How far to go along what an update proposes, and when to go back: the same for every update."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

import numpy as np

from cginit.bonded import BondedPotential, Potential
from cginit.curves import Array
from cginit.errors import ConvergenceError
from cginit.interactions import Interactions
from cginit.refine.convergence import has_pressure
from cginit.refine.history import History, Step, apply_step
from cginit.refine.record import on_grid, round_chi2
from cginit.refine.settle import on_bonded_grid
from cginit.refine.shapes import MoleculeShapes
from cginit.refine.stability import closure_potentials, collapses, overlapping
from cginit.refine.updates.automatic import careful
from cginit.refine.updates.base import Update
from cginit.refine.updates.bonded import bonded_changes, coupled_changes
from cginit.refine.updates.ibi import IBI

__all__ = ["CLOSURE", "HALF", "PART", "Search"]

log = logging.getLogger(__name__)

#: A round is worse than the best one if its mean squared difference is this many times larger, and its chi^2
#: per point above the second number: below that the two differ by chance.
WORSE, CLEARLY = 2.0, 6.0
#: Standard errors by which a pressure is clearly another than the one that is wanted.
CLEARLY_OFF = 10.0
#: Smallest and largest part of a step that went wrong that is tried next.
SHORTEST, LONGEST = 0.15, 0.6
#: Failed attempts from one round after which the direction itself is given up.
PATIENCE = 2
#: Least part of a step after some that went too far.
SMALLEST_DAMPING = 0.25
#: What the moves of the search are called in the records.
PART, HALF, CLOSURE = "part", "half", "closure"
#: Parts of a step that are tried where the whole of it makes beads pile up.
PARTS = (1.0, 0.5, 0.25, 0.125)


@dataclass(frozen=True)
class Search:
    """An update with a way back.

    From the best round so far (`cginit.refine.relaxation.best_simulation`):

    - if it is the last, or the last is worse by chance only, the step of the update. Each step that went too far
      halves those that follow, down to a quarter: near a phase boundary g answers more than any theory tells. Of
      molecules the m-th step in a row from near the noise is taken by 1/m, down to a quarter;
    - if the last is clearly worse, part of the step that led there: the part that the two rounds, taken as linear in
      between, find best, between 0.15 and 0.6;
    - after two such attempts, damped iterative Boltzmann inversion from the best;
    - as long as no round was a homogeneous fluid in all states, half the last potentials, which is the fluid at twice
      the temperature: what g of a cluster or a crystal says of the potential is nothing. Of beads that overlap,
      first what the hypernetted chain makes of the target: halving does not make an attraction a repulsion.

    Of beads that overlap no step goes to where they would pile up (`cginit.refine.stability`); part of it is taken.

    Parameters
    ----------
    update : Update
        What proposes where to go.
    back : bool
        Whether to go back; without, every step is that of the update, as other programs do it.
    """

    update: Update
    back: bool = True

    def __call__(self, history: History) -> Step:
        """Return the next step, a pure function of the history.

        Raises
        ------
        ConvergenceError
            If the update has no answer.
        """
        if not self.back:
            return self._updated(self.update, history)
        if not history.homogeneous(history.best):
            return _towards_a_fluid(history)
        return _kept_a_fluid(history, self._stepped(history))

    def _stepped(self, history: History) -> Step:
        """Return where to go from a sound best round."""
        last, best = len(history) - 1, history.best
        if last == best or not _worse(history):
            damping = max(SMALLEST_DAMPING, 0.5 ** _failures(history))
            return self._updated(self.update, history).scaled(damping * _gain(history))
        failed = last - best
        log.info("round %d is worse than %d; going back", last, best)
        if failed <= PATIENCE:
            return _part_of_step(history)
        return self._updated(careful(0.5 ** (failed - PATIENCE - 1), history), history.until(best))

    def _updated(self, rule: Update, history: History) -> Step:
        """Return the step of a rule, with that of the bonds, angles and dihedrals that it leaves alone."""
        bonded = bonded_changes(history)
        if not bonded:
            return rule(history)
        if not history.free_pairs:
            if not isinstance(rule, IBI):
                shapes = [MoleculeShapes.of(*one) for one in zip(history.last, history.targets, strict=True)]
                bonded = coupled_changes(history, shapes, [None] * len(shapes)).changes
            return Step.from_last(history, bonded, rule.name)
        step = rule(history)
        return replace(step, changes=Interactions({**bonded, **step.changes}))


def _towards_a_fluid(history: History) -> Step:
    """Return what is tried where no round was a homogeneous fluid yet."""
    last = len(history) - 1
    target, potentials = history.targets[0], history.potentials()
    if overlapping(potentials, target) and all(done[0].made_by != CLOSURE for done in history.rounds):
        try:
            energies = closure_potentials(potentials, target)
        except ConvergenceError as error:
            log.info("the target has no inversion: %s", error)
        else:
            log.info("no homogeneous fluid yet; what the closure makes of the target is next")
            pairs = history.pairs()
            changes = {name: u - pairs[name].u for name, u in energies.items() if name not in history.held}
            return Step(last, Interactions(changes), 1.0, CLOSURE)
    log.info("no homogeneous fluid yet; half the potentials are next")
    return Step(last, factor=0.5, made_by=HALF)


def _kept_a_fluid(history: History, step: Step) -> Step:
    """Return the largest part of a step after which beads that overlap do not pile up."""
    if not any(overlapping(history.potentials(), target) for target in history.targets):
        return step
    for part in PARTS:
        tried = step.scaled(part)
        if not collapses(apply_step(history, tried), history.targets):
            return tried
    return step.scaled(PARTS[-1])


def _gain(history: History) -> float:
    r"""Return the part of a step of molecules that is taken: 1/m after m rounds in a row near the noise.

    .. math:: U_{n+1} = U_n + \frac1m \Delta_n

    is the mean of what all m rounds propose, if g answers in a straight line (Robbins and Monro, Ann. Math. Stat. 22,
    400 (1951), doi:10.1214/aoms/1177729586). Each proposal alone has the noise of one simulation: too little of it to
    show in g, but an attraction that hardly shows there moves every bond, and no round has all distributions at
    their targets. A round whose pressure is clearly another is not near, however near its distributions: parts of
    steps would never get there.
    """
    if not any(target.distributions for target in history.targets):
        return 1.0
    near = 0
    for done in reversed(history.rounds):
        if not round_chi2(done) <= CLEARLY or not all(
            has_pressure(record.pressure, record.pressure_error, target.pressure, CLEARLY_OFF)
            for record, target in zip(done, history.targets, strict=True)
        ):
            break
        near += 1
    return max(SMALLEST_DAMPING, 1.0 / max(near, 1))


def _failures(history: History) -> int:
    """Count the steps that went too far: those that a part of the step followed, one or several times."""
    parts = [done[0].made_by == PART for done in history.rounds]
    return sum(now and not before for before, now in zip([False, *parts], parts, strict=False))


def _worse(history: History) -> bool:
    """Whether the last round is worse than the best by more than chance."""
    last, best = len(history) - 1, history.best
    if not history.homogeneous(last):
        return True
    noisy = round_chi2(history.last) <= CLEARLY
    return history.lmse(last) > WORSE * history.lmse(best) and not noisy


def _part_of_step(history: History) -> Step:
    """Return the step to where, on the way from the best round to the last, all g are nearest to their targets."""
    best, last = history.rounds[history.best], history.last
    part = SHORTEST
    if history.homogeneous(len(history) - 1):
        along, away = [], []
        for here, there, target in zip(best, last, history.targets, strict=True):
            root = np.sqrt(target.weight)
            for name, curve in target.rdfs.items():
                potential = here.pairs[name]
                start = on_grid(here.rdfs[name], potential)
                along.append(root * (on_grid(there.rdfs[name], potential) - start))
                away.append(root * (on_grid(curve, potential) - start))
            for name, wanted in target.distributions.items():
                scale, begin = root / float(wanted.p.max()), here.distributions[name].p
                along.append(scale * (there.distributions[name].p - begin))
                away.append(scale * (wanted.p - begin))
        slope, gap = np.concatenate(along), np.concatenate(away)
        power = float(slope @ slope)
        part = float(np.clip(float(slope @ gap) / power if power > 0.0 else 0.0, SHORTEST, LONGEST))
    origin, reached = history.potentials(history.best), history.potentials()
    changes = {name: part * _difference(origin[name], reached[name]) for name in history.free}
    return Step(history.best, Interactions(changes), 1.0, PART)


def _difference(origin: Potential, reached: Potential) -> Array:
    """Return by how much one potential differs from another, on the grid of that."""
    if isinstance(origin, BondedPotential) and isinstance(reached, BondedPotential):
        # The walls of bonds end where they are high, in each round elsewhere.
        reached = on_bonded_grid(reached, origin.x)
    return reached.u - origin.u
