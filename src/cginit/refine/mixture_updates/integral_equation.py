"""The difference of the matrix HNC inversions of target and simulated g(r)."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from cginit.curves import RDF, Array
from cginit.errors import ConvergenceError
from cginit.liquid.mixture import MixtureInversion, invert_mixture
from cginit.mixture import MixtureTarget, Pair
from cginit.refine.mixture_store import MixtureIteration
from cginit.refine.mixture_updates.base import FreeRule

__all__ = ["MixtureIHNC"]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class MixtureIHNC(FreeRule):
    r"""Difference of the matrix HNC inversions of target and simulated g(r).

    .. math:: \Delta U_{ab} = U^{HNC}_{ab}[g_{target}] - U^{HNC}_{ab}[g_n]

    It knows that a change of one pair moves all g(r), and writes the noise of both g(r) into the potentials.
    """

    name: str = field(default="ihnc", init=False, repr=False)
    # The inversion of the target is the same after every simulation.
    _wanted: dict[float, MixtureInversion | None] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __call__(
        self, history: Sequence[MixtureIteration], target: MixtureTarget
    ) -> tuple[dict[Pair, Array], str]:
        """Return the changes; see `MixtureUpdate`.

        Raises
        ------
        ConvergenceError
            If an inversion has no solution.
        """
        last = history[-1]
        end = min(curve.r_max for curve in (*target.rdfs.values(), *last.rdfs.values()))
        if end not in self._wanted:
            self._wanted[end] = _inverted(target, target.rdfs, end)
        wanted = self._wanted[end]
        got = None if wanted is None else _inverted(target, last.rdfs, end)
        if wanted is None or got is None:
            raise ConvergenceError(
                "the matrix HNC inversion has no solution for these g(r); use the update auto or ibi"
            )
        changes = {}
        for pair in target.pairs:
            both = np.isfinite(wanted.u[pair]) & np.isfinite(got.u[pair])
            difference = wanted.u[pair][both] - got.u[pair][both]
            change = target.kT * np.interp(last.potentials[pair].r, wanted.r[both], difference)
            changes[pair] = change - change[-1]
        return changes, self.name


def _inverted(target: MixtureTarget, curves: Mapping[Pair, RDF], end: float) -> MixtureInversion | None:
    """HNC inversion of `curves` up to `end`; None where there is none."""
    cut = {pair: curve.truncated(end) for pair, curve in curves.items()}
    errors = {pair: one.error for pair, one in cut.items() if one.error is not None}
    try:
        return invert_mixture(
            next(iter(cut.values())).r,
            {pair: one.g for pair, one in cut.items()},
            target.densities,
            error=errors if len(errors) == len(cut) else None,
        )
    except ConvergenceError as error:
        log.warning("no HNC inversion: %s", error)
        return None
