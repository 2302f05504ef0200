r"""How well the refined potentials are known: what g(r) and its noise leave open.

Potentials that differ along a direction to which g hardly answers show the same g. With the response X of g to the
potentials around the last simulation, the covariance :math:`\Sigma` of the noise of target and simulation, and the
covariance K of smooth curves that vanish at the cut-off, the potential that made the target differs from the
refined one by a change with

.. math:: \langle \Delta U \rangle = K X^T (X K X^T + \Sigma)^{-1} \Delta g, \qquad
          \mathrm{cov} = K - K X^T (X K X^T + \Sigma)^{-1} X K,

and the error of any number that is linear in U follows. K is not the stated error of the start, but that of curves
of some tenths of kT (`cginit.refine.priors.open_root`): a guess made from g cannot know what g does not show.

Source: C. E. Rasmussen and C. K. I. Williams, Gaussian Processes for Machine Learning (MIT Press, 2006), equations
2.25 and 2.26.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from cginit.bonded import BondedPotential, Potential
from cginit.curves import Array, PairPotential
from cginit.errors import ConvergenceError
from cginit.interactions import Interaction, Interactions
from cginit.liquid.virial import second_virial
from cginit.refine.bonded_certainty import with_bonded_error
from cginit.refine.convergence import root_mean_square
from cginit.refine.difference import Layout, most_seen
from cginit.refine.history import History
from cginit.refine.priors import Posterior, open_root, posterior
from cginit.refine.record import pair_potentials
from cginit.refine.state_response import StateResponse
from cginit.refine.thermodynamics import energy_row, pressure_row
from cginit.refine.updates.gauss_newton import linear_system
from cginit.units import UnitSystem

__all__ = ["Certainty", "Pin", "WithError", "certainty_of"]

#: Part of a pressure that stands for the error of a measured one.
PRESSURE_PART = 0.01
#: Part of a structure factor that stands for the error of a measured one.
LONG_WAVE_PART = 0.02
#: A further datum is named if it brings the errors below this part of what they are.
WORTH = 0.8


@dataclass(frozen=True)
class WithError:
    """A number and its standard error, in the units of the potentials."""

    value: float
    error: float

    def text(self, unit: str) -> str:
        """Return both with the unit, the error with two digits."""
        digits = (
            1 - int(np.floor(np.log10(self.error))) if self.error > 0.0 and np.isfinite(self.error) else 3
        )
        shown = f"{self.value:.{max(digits, 0)}f} +- {self.error:.{max(digits, 0)}f}"
        return f"{shown} {unit}"


@dataclass(frozen=True)
class Pin:
    """A datum that would tell more.

    Attributes
    ----------
    name : str
        What it is.
    part : float
        Root mean square of the band with it, as a part of what it is without.
    """

    name: str
    part: float


@dataclass(frozen=True, eq=False)
class Certainty:
    """How well the potentials of a round are known.

    Attributes
    ----------
    potentials : Interactions of PairPotential or BondedPotential
        Those of the round, with `u_error`.
    kT : float
        That of the first state.
    pressures : tuple of WithError
        Sampled pressure of each state; its error is that of the sampling and of the potentials.
    minima : Interactions of WithError
        Depth of the well of each pair that has one.
    virials : Interactions of WithError
        Second virial coefficient of each pair, in the cube of the unit of length.
    pins : tuple of Pin
        What would tell more, the best first.
    """

    potentials: Interactions[Potential]
    kT: float = 1.0
    pressures: tuple[WithError, ...] = ()
    minima: Interactions[WithError] = field(default_factory=lambda: Interactions({}))
    virials: Interactions[WithError] = field(default_factory=lambda: Interactions({}))
    pins: tuple[Pin, ...] = ()

    def __repr__(self) -> str:
        """Say in one line how well the pairs and the pressure are known."""
        errors = [
            f"{name} ± {root_mean_square(_seen_errors(one)) / self.kT:.2g} kT"
            for name, one in self.potentials.items()
            if isinstance(one, PairPotential) and one.u_error is not None
        ]
        units = next(iter(self.potentials.values())).units if self.potentials else None
        known = [f"U of {', '.join(errors)}"] if errors else ["U not known"]
        known += [
            f"P {one.value:.5g} ± {one.error:.2g}{'' if units is None else ' ' + units.pressure}"
            for one in self.pressures
            if np.isfinite(one.value)
        ]
        return f"<Certainty: {', '.join(known)}>"

    def sentences(self) -> list[str]:
        """Say how well all is known, with one standard error, and what would tell more."""
        pairs = {
            name: one
            for name, one in self.potentials.items()
            if isinstance(one, PairPotential) and one.u_error is not None
        }
        if not pairs:
            return []
        found = [
            self._sentence(name, one, f"{name} " if len(self.potentials) > 1 else "")
            for name, one in pairs.items()
        ]
        units = next(iter(pairs.values())).units
        states = [one for one in self.pressures if np.isfinite(one.value)]
        if states:
            numbers = _with_bar([one.value for one in states], units, 3)
            open_by = _with_bar([one.error for one in states], units, 2)
            found.append(
                f"P = {numbers} in the simulation; potentials that give the same g(r) within its noise have another, "
                f"by +- {open_by}"
            )
        worth = [f"{one.name} ({one.part:.2f})" for one in self.pins if one.part <= WORTH]
        if worth:
            found.append(f"what would make the errors of U smaller, and by which factor: {', '.join(worth)}")
        return found

    def _sentence(self, name: Interaction, one: PairPotential, label: str) -> str:
        """Say how well one pair is known; only for one that has errors."""
        seen, error = one.r >= one.r_core, _seen_errors(one) / self.kT
        worst = int(np.argmax(error))
        text = (
            f"{label}U +- {root_mean_square(error):.2g} kT (at most {error[worst]:.2g} kT, at r = "
            f"{one.r[seen][worst]:.3g} {one.units.length})"
        )
        if name in self.minima:
            text += f", minimum {self.minima[name].text(one.units.energy)}"
        if name in self.virials:
            text += f", B2 {self.virials[name].text(one.units.length + '^3')}"
        return text


def _seen_errors(one: PairPotential) -> Array:
    """Return the errors of a potential from the end of its core on; 0 where it has none."""
    error = np.zeros(one.r.size) if one.u_error is None else one.u_error
    return error[one.r >= one.r_core]


def _with_bar(values: Sequence[float], units: UnitSystem, digits: int) -> str:
    """Return pressures with so many digits and their unit, and in bar where the unit has a size."""

    def numbers(factor: float) -> str:
        return ", ".join(f"{float(f'{factor * value:.{digits}g}'):g}" for value in values)

    own = f"{numbers(1.0)} {units.pressure}"
    return own if units.is_reduced else f"{own} ({numbers(units.bar())} bar)"


def certainty_of(history: History) -> Certainty:
    """Return how well the potentials of the last round are known.

    Where the simulated g(r) have no inversion, nothing is said of pairs.
    """
    potentials = dict(history.potentials())
    shown = {name for target in history.targets for name in target.distributions}
    for name, potential in potentials.items():
        if isinstance(potential, BondedPotential) and name in shown - history.held:
            potentials[name] = with_bonded_error(potential, history, name)
    with suppress(ConvergenceError):
        if history.free_pairs:
            return _ChangeToTruth.of(history).certainty(Interactions(potentials))
    return Certainty(Interactions(potentials), history.kT)


@dataclass(frozen=True, eq=False)
class _ChangeToTruth:
    """The change that would lead to the potentials that made the targets, with its covariance."""

    history: History
    states: Sequence[StateResponse]
    layout: Layout
    system: tuple[Array, Array, Array]
    posterior: Posterior

    @classmethod
    def of(cls, history: History) -> _ChangeToTruth:
        from scipy.linalg import block_diag

        states = [
            StateResponse.of(record, target, history)
            for record, target in zip(history.last, history.targets, strict=True)
        ]
        differences = [one.difference for one in states]
        layout = Layout.of(differences, history.free_pairs)
        system = linear_system(states, layout, pressure=True)
        shown = most_seen(differences)
        root = block_diag(*(open_root(nodes, shown[name][0].first) for name, nodes in layout.nodes.items()))
        return cls(history, states, layout, system, posterior(*system, np.asarray(root)))

    def certainty(self, potentials: Interactions[Potential]) -> Certainty:
        """Return what follows for potentials and numbers."""
        found, pairs = dict(potentials), pair_potentials(potentials)
        minima: dict[Interaction, WithError] = {}
        virials: dict[Interaction, WithError] = {}
        variances = self.layout.split(np.sum(self.posterior.spread**2, axis=1) + self.posterior.mean**2)
        for name, variance in variances.items():
            potential = pairs[name]
            error = self.history.kT * np.sqrt(np.interp(potential.r, self.layout.nodes[name], variance))
            found[name] = replace(potential, u_error=error)
            lowest = int(np.argmin(potential.u))
            if potential.u[lowest] < 0.0:
                minima[name] = WithError(float(potential.u[lowest]), float(error[lowest]))
            virials[name] = self._virial(name, potential)
        pressures = tuple(self._pressure(number) for number in range(len(self.states)))
        pins = tuple(sorted(self._pins(), key=lambda pin: pin.part))
        return Certainty(
            Interactions(found), self.history.kT, pressures, Interactions(minima), Interactions(virials), pins
        )

    def _error_of(self, row: Array) -> float:
        """Return the standard error of a number that changes by `row` ``(n,)`` with the unknowns."""
        return float(np.hypot(np.linalg.norm(row @ self.posterior.spread), row @ self.posterior.mean))

    def _virial(self, name: Interaction, potential: PairPotential) -> WithError:
        """Return B2, whose derivative by U / kT is 2 pi r^2 exp(-U / kT)."""
        kT, nodes = self.history.kT, self.layout.nodes[name]
        boltzmann = np.exp(-np.interp(nodes, potential.r, potential.u) / kT)
        row = np.zeros(self.layout.width)
        row[self.layout.columns(name)] = 2.0 * np.pi * nodes**2 * boltzmann * (nodes[1] - nodes[0])
        return WithError(second_virial(potential.r, potential.u, kT), self._error_of(row))

    def _pressure(self, number: int) -> WithError:
        record, target = self.history.last[number], self.history.targets[number]
        own = target.kT * self._error_of(self._pressure_rows[number])
        sampled = record.pressure_error if np.isfinite(record.pressure_error) else 0.0
        return WithError(record.pressure, float(np.hypot(own, sampled)))

    @cached_property
    def _pressure_rows(self) -> list[Array]:
        """Change of P / kT of each state with the unknowns: at fixed g, and by the change of g."""
        return [self._pressure_row(number) for number in range(len(self.states))]

    def _pressure_row(self, number: int) -> Array:
        state, target = self.states[number], self.history.targets[number]
        difference = state.difference
        rows, forces = [], []
        for name, one in difference.parts.items():
            both = target.density_product(name)
            rows.append(both * pressure_row(one.r, one.got, 1.0))
            forces.append(both * energy_row(one.r, one.u, one.first))
        whole = np.concatenate(rows) - np.concatenate(forces) @ state.jacobian()
        return difference.datum(whole, 0.0, 1.0, self.layout).row

    def _pins(self) -> Iterator[Pin]:
        """Yield what may tell more of the potentials."""
        matrix, _, noise = self.system
        for number, target in enumerate(self.history.targets):
            if target.pressure is None and np.isfinite(self.history.last[number].pressure):
                row = self._pressure_rows[number]
                size = max(abs(self.history.last[number].pressure), target.state.density * target.kT)
                yield self._pin("the pressure of the target", row, PRESSURE_PART * size / target.kT)
        for state in self.states:
            difference = state.difference
            if state.alone and difference.target.rdfs.only().smallest_wave is None:
                now, row = state.model.long_wave(0.0, state.size)
                datum = difference.datum(row, 0.0, LONG_WAVE_PART * abs(now), self.layout)
                yield self._pin("S(k) at a small k", datum.row, datum.error)
        yield self._pin(
            "g(r) with half the error", matrix, np.asarray(np.linalg.cholesky(noise / 3.0), dtype=np.float64)
        )

    def _pin(self, name: str, rows: Array, error: float | Array) -> Pin:
        """Return by how much data shrink the band: their change ``(m, n)``, and a root of their covariance."""
        spread = self.posterior.spread
        whitened = np.linalg.solve(np.atleast_2d(error), np.atleast_2d(rows) @ spread)
        inner = np.linalg.inv(np.eye(spread.shape[1]) + whitened.T @ whitened)
        # The trace of spread inner spread^T; an einsum of the three is no matrix product, and slow for ten pairs.
        left = np.sum((spread @ inner) * spread)
        return Pin(name, float(np.sqrt(left / np.sum(spread**2))))
