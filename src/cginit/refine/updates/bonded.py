"""Bonds, angles and dihedrals: iterative Boltzmann inversion of each, beside whatever the pairs take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from cginit.bonded import BondedPotential
from cginit.curves import Array
from cginit.interactions import Interaction
from cginit.refine.history import History
from cginit.refine.record import Record
from cginit.refine.shapes import InsideEnergy, MoleculeShapes, bonded_curve_at
from cginit.refine.updates.asked import Asked
from cginit.refine.updates.base import MAX_CHANGE, mean_of_states
from cginit.target import Target

__all__ = ["BondedStep", "bonded_changes", "coupled_changes"]

#: Turns in which the changes of all terms are found, the part of each that is taken, and when they are (in kT).
SWEEPS, TAKEN, SETTLED = 12, 0.7, 0.02


def bonded_changes(history: History) -> dict[Interaction, Array]:
    r"""Return the change ``(n,)`` of each refined bonded potential on its grid.

    .. math:: \Delta U = w\, kT \ln (p_n / p_{target})

    with a weight w that leaves noise alone (`cginit.refine.updates.asked.Asked.real`), and without the noise of
    single bins (`_smooth`). Each changes as if no other did. Of several states the mean is taken, by their weights.
    """
    return _smooth(mean_of_states(history, _wishes), history)


def _wishes(record: Record, target: Target) -> dict[Interaction, Array]:
    return {
        name: _on_grid(record.bonded[name], target, name, _wish(record, target, name))
        for name in target.distributions
    }


def _smooth(changes: dict[Interaction, Array], history: History) -> dict[Interaction, Array]:
    """Return the smooth changes behind such as have the noise of their bins, clipped.

    Rare values have few counts. From bin to bin the changes differ there by tenths of kT, and potentials that had
    taken them up were rough: hexane's bonds cross a bin of 0.001 nm within two time steps, which heated its
    simulations by up to 11 %, and some bonds left the range of their table.
    """
    found = {}
    for name, change in changes.items():
        asked, x = Asked.of(history.last, history.targets, name), history.last[0].bonded[name].x
        own = bonded_curve_at(name, x, change, asked.x)
        # Walls take the place of what no target shows: there the change is that of the nearest point.
        own = bonded_curve_at(name, asked.x[asked.known], own[asked.known], asked.x)
        found[name] = bonded_curve_at(name, asked.x, asked.smoothing(own), x)
    return _clipped(found, history)


def _clipped(changes: dict[Interaction, Array], history: History) -> dict[Interaction, Array]:
    limit = MAX_CHANGE * history.coldest
    return {name: np.clip(one, -limit, limit) for name, one in changes.items()}


@dataclass(frozen=True, eq=False)
class BondedStep:
    """Changes of all bonded potentials that know of each other.

    Attributes
    ----------
    changes : mapping of Interaction to ndarray, shape (n,)
        On the grids of the potentials, in their unit.
    energies : tuple of ndarray, shape (molecules,), or None
        By how much the energies of the kept molecules of each state change, in kT.
    """

    changes: dict[Interaction, Array]
    energies: tuple[Array | None, ...]


def coupled_changes(
    history: History,
    shapes: Sequence[MoleculeShapes | None],
    inside: Sequence[InsideEnergy | None],
    begin: Mapping[Interaction, Array] | None = None,
) -> BondedStep:
    r"""Return the changes of all refined bonded potentials that together bring all distributions to their targets.

    .. math:: \Delta U = w\, kT \ln (p_n / p_{target}) + kT \ln (p' / p)

    The second ratio is what all else does to the distribution: the other terms of the molecule, its pairs, and the
    liquid around it, which a change of the pair potentials changes (`cginit.refine.shapes`). It depends on the
    changes themselves, so that both are found in turns. What is found then loses the noise of single bins.

    Parameters
    ----------
    history : History
        The rounds so far, of which the last counts.
    shapes : sequence of MoleculeShapes or None
        Of each state; None where none were kept, so that nothing is known of the second ratio.
    inside : sequence of InsideEnergy or None
        What changes between the beads of a molecule, of each state.
    begin : mapping of Interaction to ndarray, optional
        Changes from which the search for them begins; by default none.
    """
    states = [_State(*one) for one in zip(history.last, history.targets, shapes, inside, strict=True)]
    nothing = {name: np.zeros_like(one) for name, one in mean_of_states(history, _wishes).items()}
    changes = {name: (begin or nothing)[name] for name in nothing}
    for _ in range(SWEEPS if any(one is not None for one in shapes) else 1):
        largest = 0.0
        for name in changes:
            found = {name: np.zeros_like(changes[name])}
            own = [one for one in states if name in one.target.distributions]
            for one in own:
                found[name] += one.target.weight * one.wanted(name, changes)
            found[name] /= sum(one.target.weight for one in own)
            moved = TAKEN * (_clipped(found, history)[name] - changes[name])
            changes[name] = changes[name] + moved
            largest = max(largest, float(np.max(np.abs(moved))))
        if largest < SETTLED * history.coldest:
            break
    changes = _smooth(changes, history)
    return BondedStep(changes, tuple(one.energies(changes) for one in states))


@dataclass(frozen=True, eq=False)
class _State:
    """What one state of the last round asks of bonded potentials."""

    record: Record
    target: Target
    shapes: MoleculeShapes | None
    inside: InsideEnergy | None
    _known: dict[Interaction, tuple[Array, Array]] = field(default_factory=dict, init=False, repr=False)

    @cached_property
    def _wishes(self) -> dict[Interaction, Array]:
        """What the differences of the distributions alone ask for."""
        return {name: _wish(self.record, self.target, name) for name in self.target.distributions}

    @cached_property
    def _begin(self) -> Array | None:
        """Energies by what changes between the beads of a molecule."""
        if self.shapes is None:
            return None
        return (
            np.zeros(self.shapes.kinds.size)
            if self.inside is None
            else self.shapes.inside_energy(self.inside)
        )

    def energies(self, changes: Mapping[Interaction, Array]) -> Array | None:
        """Return by how much the energies of the kept molecules change, in kT."""
        if self.shapes is None or self._begin is None:
            return None
        total = self._begin.copy()
        for name in self.shapes.terms:
            if name in changes:
                total += self._of_term(name, changes[name])
        return total

    def _of_term(self, name: Interaction, change: Array) -> Array:
        """Return the energies by one potential, which are kept until it changes again."""
        kept = self._known.get(name)
        if kept is None or kept[0] is not change:
            shapes, x = self.shapes, self.record.bonded[name].x
            found = np.zeros(0) if shapes is None else shapes.bonded_energy(name, x, change / self.target.kT)
            kept = self._known[name] = (change, found)
        return kept[1]

    def wanted(self, name: Interaction, changes: Mapping[Interaction, Array]) -> Array:
        """Return the change of one potential if all others change as they do now."""
        found, potential = self._wishes[name], self.record.bonded[name]
        energies = self.energies(changes)
        if self.shapes is not None and energies is not None:
            curve, kT = self.target.distributions[name], self.target.kT
            own = bonded_curve_at(name, potential.x, changes[name] / kT, curve.x)
            answer = kT * self.shapes.answer(name, curve.x, own, energies)
            found = np.where(curve.p > 0.0, found + answer - np.average(answer, weights=curve.p), 0.0)
        return _on_grid(potential, self.target, name, found)


def _wish(record: Record, target: Target, name: Interaction) -> Array:
    """Return what one distribution asks for ``(n,)`` and is not noise, on the grid of the target."""
    asked = Asked.of((record,), (target,), name)
    return asked.real * asked.change


def _on_grid(potential: BondedPotential, target: Target, name: Interaction, change: Array) -> Array:
    """Put a change on the grid of the potential."""
    return bonded_curve_at(name, target.distributions[name].x, change, potential.x)
