"""How all g(r) of one state answer to changes of its potentials and of the shapes of its molecules."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cginit.curves import Array
from cginit.errors import ConvergenceError
from cginit.interactions import Interactions
from cginit.liquid.matrices import PairMatrices
from cginit.liquid.response import Liquid, Response, measured_liquid, responding_factor
from cginit.refine.convergence import combined_variance, neighbour_means
from cginit.refine.difference import Datum, Layout, StateDifference
from cginit.refine.history import History
from cginit.refine.molecules import InsideResponse, doubt, molecule_structure, parts_of
from cginit.refine.record import Record
from cginit.refine.secant import KnownChange, secant
from cginit.refine.shapes import InsideEnergy, MoleculeShapes
from cginit.target import Target

__all__ = ["StateResponse"]

log = logging.getLogger(__name__)

#: Part of S(k) at a small k by which the inversion of a sampled g(r) may miss it.
LONG_WAVE_PART = 0.05
#: Part of what other shapes of the molecules make of g by which that is not known.
DOUBT = 0.3
#: Of molecules, the answer to a change is that of the closure to one so many times as large; see `StateResponse`.
CONNECTED = 1.3


@dataclass(frozen=True, eq=False)
class StateResponse:
    r"""One state of a round: its differences, and the closure that tells how they answer.

    Of molecules the closure says too little: where two beads of two molecules attract each other, their neighbours
    meet, too, and draw each other near, which site-site equations know in part only. Their answer is taken as
    :math:`G(s\, \Delta U)` with the closure's G and s = 1.3. From one simulation to the next the s that foresaw the
    change of g best was 1.1 to 1.6 of 50 chains of six beads, 1.3 and 1.4 of hexane and polystyrene, 1.2 of chains of
    ten, 1.1 of dimers and trimers, where noise is at most a third of the change
    (``benchmarks/molecules/answers.py``). With s = 1 first steps of the chains of six led to where these condense.

    Attributes
    ----------
    difference : StateDifference
        On the nodes of the inversion.
    liquid : Liquid
        The inversion of the simulated g(r).
    base, model : Response
        The closure at the simulated potentials, and at changed ones.
    learned : ndarray, shape (n, n), or 0
        What is added to the derivative of g because it predicted an earlier answer wrongly.
    inside : InsideResponse or None
        Of molecules whose g count pairs inside them, what these do.
    shapes : MoleculeShapes or None
        The molecules that the simulation kept.
    shifted : ndarray, shape (pairs, n), or None
        What other shapes of the molecules add to g by the pairs inside them; None where it is not known, and what
        `inside` makes of the pairs between molecules stands in.
    measured : StateDifference
        The difference without the doubt that other shapes of the molecules add.
    stretch : float
        s above; 1 for loose beads.
    """

    difference: StateDifference
    liquid: Liquid
    base: Response
    model: Response
    measured: StateDifference
    learned: Array | float = 0.0
    inside: InsideResponse | None = None
    shapes: MoleculeShapes | None = None
    shifted: Array | None = None
    stretch: float = 1.0

    @classmethod
    def of(
        cls, record: Record, target: Target, history: History, *, calibrated: bool = True
    ) -> StateResponse:
        """Invert the simulated g(r) of a state.

        Raises
        ------
        ConvergenceError
            If they have no inversion.
        """
        own, parts = molecule_structure(record, target), parts_of(record, target)
        curves = parts.map(lambda one: one.between) if parts else record.rdfs
        liquid = measured_liquid(curves, target.densities, record.beads, intramolecular=own)
        measured = difference = StateDifference.of(record, target, history, liquid.r)
        if parts:
            # Until it is known what the shapes that are wanted make of g.
            difference = difference.doubted(doubt(record, parts, liquid.r))
        factors = np.zeros(len(difference.parts))
        if calibrated:
            fitted = liquid.bridge_factors([one.u for one in difference.parts.values()])
            factors = responding_factor(fitted, difference.whole_change)
        log.debug("factors of the bridge functions %s", np.round(factors, 2))
        base = liquid.response(factors)
        n = max(difference.sizes)
        inside = InsideResponse.of(parts, liquid.r[:n], base.g[:, :n]) if parts else None
        shapes = MoleculeShapes.of(record, target) if target.distributions else None
        stretch = 1.0 if own is None else CONNECTED
        return cls(difference, liquid, base, base, measured, inside=inside, shapes=shapes, stretch=stretch)

    @property
    def size(self) -> int:
        """Points up to the largest cut-off."""
        return max(self.difference.sizes)

    @property
    def used(self) -> NDArray[np.intp]:
        """Places of the points up to each cut-off among those up to the largest."""
        return np.concatenate(
            [p * self.size + np.arange(own, dtype=np.intp) for p, own in enumerate(self.difference.sizes)]
        )

    def jacobian(self) -> Array:
        """Return minus the derivative ``(n, n)`` of all g by all potentials in kT, up to each cut-off."""
        whole = self.model.jacobian(self.size)
        if self.inside is not None:
            whole = self.inside.jacobian(self.model.g[:, : self.size], whole)
        return np.asarray(self.stretch * whole[np.ix_(self.used, self.used)])

    def moved(self, model: Response) -> Array:
        """Return by how much all g of a model differ from the simulated ones ``(n,)``."""
        moved = (model.g - self.base.g)[:, : self.size]
        if self.inside is not None and self.shifted is not None:
            moved = self.inside.share[:, None] * moved + self.shifted
        elif self.inside is not None:
            moved = self.inside.moved(model.g[:, : self.size])
        return np.asarray(moved.ravel()[self.used])

    def model_at(self, change: Array) -> Response:
        """Return the model at potentials changed by ``(n,)``; ConvergenceError if there is none."""
        return self.model.at(self._by_pair(change), self._core())

    def alike(self, change: Array) -> Response | None:
        """Return the model at potentials changed by ``(n,)`` with molecules as simulated; None if there is none."""
        try:
            return None if self.shapes is None else self.base.at(self._by_pair(change), self._core())
        except ConvergenceError:
            return None

    def inside_energy(self, alike: Response | None) -> InsideEnergy | None:
        """Return what the changes of a model (`alike`) are to the beads of one molecule; None if it is unknown.

        The medium is that of molecules of the simulated shapes: with changed ones it predicted the distributions of
        polystyrene's angles from one simulation to the next worse (integrals of the difference of 0.054 and 0.161
        instead of 0.032 and 0.132; 0.101 and 0.141 without any medium). It is that of the changes themselves: what
        the closure says too little of the answer of g is not missing in it. Of polystyrene the next bonds, angles and
        dihedrals are foreseen to 0.015, 0.018 and 0.036 so, and to 0.04, 0.09 and 0.08 with the medium of changes
        1.3 times as large (``benchmarks/molecules/answers.py``).
        """
        if alike is None or alike.change is None:
            return None
        medium = (alike.medium() - self.base.medium()) / self.stretch
        direct = np.zeros_like(medium)
        direct[:, : self.size] = alike.change / self.stretch
        return InsideEnergy(self.liquid.grid.r, medium, direct)

    def reshaped(self, energies: Array | None, alike: Response | None) -> StateResponse:
        """Return the state with molecules whose energies have changed ``(molecules,)``, in kT; see `alike`.

        What that makes of g is known to a third of it (`DOUBT`), which counts as noise. The state is as it was where
        the closure has no solution.
        """
        if self.shapes is None or energies is None or alike is None:
            return self
        liquid = self.liquid
        weights, _ = self.shapes.weights(energies)
        matrices = PairMatrices.of_densities(liquid.grid, liquid.densities)
        moved = self.shapes.moved_structure(weights, matrices, liquid.densities)
        try:
            model = self.model.with_molecules(liquid.intramolecular.changed(moved), self._core())
        except ConvergenceError:
            return self
        shifted = None if self.inside is None else self.shapes.moved_g(weights, liquid.r[: self.size])
        found = replace(self, model=model, shifted=shifted)
        share = 1.0 if self.inside is None else self.inside.share[:, None]
        between = share * (model.g - alike.g)[:, : self.size]
        made = between if shifted is None else between + shifted
        doubts = {
            # Means, so that no point between two of a wave is believed exactly.
            name: DOUBT**2 * (np.outer(row, row) + np.diag(neighbour_means(row**2)))
            for name, row in zip(self.difference.parts, made, strict=True)
        }
        return replace(found, difference=self.measured.doubted(Interactions(doubts)))

    def answer(self, change: Array) -> Array:
        """Return the change ``(n,)`` of all g that the closure predicts for a change of the simulated potentials."""
        return self.moved(self.base.at(self._by_pair(change), self._core()))

    def _by_pair(self, row: Array) -> Array:
        """Return what a change ``(n,)`` is to the closure ``(pairs, size)``."""
        found = np.zeros((len(self.difference.parts), self.size))
        for place, one in zip(found, np.split(self.stretch * row, self.difference.starts[1:-1]), strict=True):
            place[: one.size] = one
        return found

    def _core(self) -> Array:
        """Energies in kT that stand where g = 0: the simulated potentials, shifted to meet the reference."""
        core = np.zeros((len(self.difference.parts), self.size))
        for row, g, reference, one in zip(
            core, self.liquid.g, self.liquid.u, self.difference.parts.values(), strict=True
        ):
            seen = np.flatnonzero(g[: one.r.size] > 0.0)
            shift = float(reference[seen[0]] - one.u[seen[0]]) if seen.size else 0.0
            row[: one.r.size] = one.u + shift
        return core

    def long_wave(self, change: Array, layout: Layout) -> list[Datum]:
        """Return S(k) at a small k as a datum around a `change` ``(n,)``, where the target knows it."""
        curve = self.difference.target.rdfs.only() if self.alone else None
        wave = None if curve is None else curve.smallest_wave
        if wave is None:
            return []
        now, row = self.model.long_wave(wave.k, self.size)
        error = float(np.hypot(wave.error, LONG_WAVE_PART * wave.s))
        return [self.difference.datum(row, wave.s - now + float(row @ change), error, layout)]

    @property
    def alone(self) -> bool:
        """Whether it is a liquid of loose beads of one type."""
        return len(self.difference.parts) == 1 and self.difference.target.topology is None

    def known_change(self, before: Record) -> KnownChange:
        """Return the change from the simulated potentials back to those of another simulation, and its answer."""
        changes, answers, variances, weights = [], [], [], []
        target, last = self.difference.target, self.difference.record
        for name, one in self.difference.parts.items():
            p, sampled = last.pairs[name], before.rdfs[name].with_core()
            change = np.interp(one.r, p.r, before.pairs[name].u - p.u) / target.kT
            change[: one.first] = change[one.first]
            shown = np.arange(one.r.size) >= one.first
            spread = combined_variance(sampled, last.rdfs[name].with_core(), p.r.size)
            changes.append(change)
            answers.append(np.interp(one.r, sampled.r, sampled.g) - one.got)
            variances.append(np.interp(one.r, p.r, spread))
            weights.append(target.density_product(name) * one.r**2 * one.wanted * shown)
        return KnownChange(*(np.concatenate(rows) for rows in (changes, answers, variances, weights)))

    def taught(self, before: list[Record]) -> Array:
        """Return the correction of the derivative by what the closure predicts wrongly of simulations before."""

        def simulations() -> Iterator[tuple[KnownChange, Array]]:
            for record in reversed(before):
                known = self.known_change(record)
                with suppress(ConvergenceError):
                    yield known, self.answer(known.change)

        return secant(simulations(), self.jacobian())
