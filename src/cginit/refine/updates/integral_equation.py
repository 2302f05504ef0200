"""Updates by the hypernetted-chain closure as they were published: IHNC and HNC-Newton."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cginit.curves import Array
from cginit.interactions import Interaction, Interactions
from cginit.liquid.response import measured_liquid
from cginit.refine.difference import Layout
from cginit.refine.history import History, Step
from cginit.refine.molecules import molecule_structure, parts_of
from cginit.refine.record import Record
from cginit.refine.settle import first_shown
from cginit.refine.state_response import StateResponse
from cginit.refine.updates.base import MAX_CHANGE, check_damping, mean_of_states
from cginit.target import Target

__all__ = ["HNCN", "IHNC"]

#: Singular values of the Jacobian below this part of the largest are noise.
SMALLEST = 1e-3


@dataclass(frozen=True)
class IHNC:
    r"""The difference of the HNC inversions of target and simulated g.

    .. math:: \Delta U_{ab} = \alpha (U^{HNC}_{ab}[g_{target}] - U^{HNC}_{ab}[g_n]), \qquad
              U^{HNC}[g] = kT (-\ln g + h - c)

    All g are inverted in the same way over the same range, so that what the inversion does wrong cancels; what it
    makes of the noise does not. Of several states the mean is taken, by their weights.

    Source: F. Delbary, M. Hanke and D. Ivanizki, Inverse Probl. Sci. Eng. 28, 1166 (2020), arXiv:1806.11135.

    Parameters
    ----------
    damping : float
        The factor alpha in (0, 1].
    """

    damping: float = 1.0
    beyond_cutoff: bool = True

    def __post_init__(self) -> None:
        check_damping(self.damping)

    @property
    def name(self) -> str:
        """``ihnc``."""
        return "ihnc"

    def __call__(self, history: History) -> Step:
        """Return the step; see `Update`.

        Raises
        ------
        ConvergenceError
            If a g(r) has no inversion.
        """
        step = Step.from_last(history, mean_of_states(history, self._changes), self.name)
        return step.scaled(self.damping).clipped(MAX_CHANGE * history.coldest)

    def _changes(self, record: Record, target: Target) -> dict[Interaction, Array]:
        reach = min(curve.r_max for curve in (*target.rdfs.values(), *record.rdfs.values()))
        # The molecules of the target are taken to be those of the simulation.
        own, parts = molecule_structure(record, target), parts_of(record, target)
        curves, sampled = target.rdfs, record.rdfs
        if parts:
            curves = Interactions({name: one.target_between(curves[name]) for name, one in parts.items()})
            sampled = parts.map(lambda one: one.between)
        curves, sampled = (ones.map(lambda curve: curve.truncated(reach)) for ones in (curves, sampled))
        wanted = measured_liquid(curves, target.densities, intramolecular=own)
        got = measured_liquid(sampled, target.densities, record.beads, intramolecular=own)
        found = {}
        for number, (name, curve) in enumerate(target.rdfs.items()):
            p = record.pairs[name]
            seen = np.isfinite(wanted.u[number]) & np.isfinite(got.u[number])
            change = np.interp(p.r, wanted.r[seen], wanted.u[number][seen] - got.u[number][seen])
            start = first_shown(p, curve)
            change[:start] = change[start]
            found[name] = target.kT * (change - change[-1])
        return found


@dataclass(frozen=True)
class HNCN:
    r"""Newton's method with the HNC Jacobian between core and cut-off, :math:`J \Delta U = g_{target} - g_n`.

    Of all pairs and all states at once, linear in the difference and regularised only by leaving out singular values
    below 1e-3 of the largest.

    Source: M. P. Bernhardt, M. Hanke and N. F. A. van der Vegt, J. Chem. Phys. 154, 084118 (2021),
    doi:10.1063/5.0038633.

    Parameters
    ----------
    damping : float
        Factor of the change, in (0, 1].
    """

    damping: float = 1.0
    beyond_cutoff: bool = True

    def __post_init__(self) -> None:
        check_damping(self.damping)

    @property
    def name(self) -> str:
        """``hncn``."""
        return "hncn"

    def __call__(self, history: History) -> Step:
        """Return the step; see `Update`.

        Raises
        ------
        ConvergenceError
            If the simulated g(r) have no inversion.
        """
        states = [
            StateResponse.of(record, target, history, calibrated=False)
            for record, target in zip(history.last, history.targets, strict=True)
        ]
        layout = Layout.of([one.difference for one in states], history.free_pairs)
        matrices, wanted = [], []
        used = np.zeros(layout.width, dtype=bool)
        for state in states:
            one = state.difference
            got = np.concatenate([part.got for part in one.parts.values()])
            shown = got[one.rows] > 0.0
            # Divided by g each row is of order 1, in the core as well.
            scale = 1.0 / got[one.rows][shown]
            matrices.append(-scale[:, None] * one.matrix(state.jacobian(), layout)[shown])
            wanted.append(-scale * one.whole_change[one.rows][shown])
            used[one.columns(layout)[np.isin(one.local, one.rows[shown])]] = True
        solved, *_ = np.linalg.lstsq(np.vstack(matrices)[:, used], np.concatenate(wanted), rcond=SMALLEST)
        found = np.zeros(layout.width)
        found[used] = solved
        changes = {}
        for name, part in layout.split(found).items():
            seen = used[layout.columns(name)]
            potential, r = history.pairs()[name], layout.nodes[name]
            changes[name] = (
                self.damping * history.kT * np.interp(potential.r, r[seen], part[seen] - part[seen][-1])
            )
        return Step.from_last(history, changes, self.name).clipped(MAX_CHANGE * history.coldest)
