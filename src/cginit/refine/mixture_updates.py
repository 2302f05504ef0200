"""How the potentials of all pairs of a mixture change after a simulation."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from cginit.curves import RDF, Array
from cginit.errors import ConvergenceError, InputError
from cginit.liquid.mixture import MixtureInversion, invert_mixture
from cginit.mixture import MixtureTarget, Pair
from cginit.refine.measurement import Measurement
from cginit.refine.mixture_store import MixtureIteration
from cginit.refine.regularisation import ROUGHNESS, curvature_basis, fit_change
from cginit.refine.updates import IBI
from cginit.refine.updates.gauss_newton import Problem
from cginit.refine.updates.monte_carlo import response_of

__all__ = [
    "MIXTURE_UPDATES",
    "MixtureIBI",
    "MixtureIHNC",
    "MixtureIMC",
    "MixtureUpdate",
    "make_mixture_update",
]

log = logging.getLogger(__name__)

MIXTURE_UPDATES = ("auto", "ihnc", "imc", "ibi")


class MixtureUpdate(Protocol):
    """A rule that proposes the next potentials of a mixture; its result depends on its arguments only."""

    @property
    def name(self) -> str:
        """The name by which users choose the rule."""
        ...

    @property
    def held(self) -> frozenset[Pair]:
        """Pairs whose potential never changes; their g(r) does not count for convergence."""
        ...

    @property
    def pressure(self) -> float | None:
        """The pressure that it aims at, if it does."""
        ...

    def __call__(
        self, history: Sequence[MixtureIteration], target: MixtureTarget
    ) -> tuple[dict[Pair, Array], str]:
        """Return the change ``(n,)`` of each potential that is to change, and the name of the rule that made it."""
        ...


def make_mixture_update(name: str) -> MixtureUpdate:
    """Return the rule of that name.

    Raises
    ------
    InputError
        If there is none.

    Examples
    --------
    >>> make_mixture_update("auto")
    MixtureIHNC(fallback=True)
    """
    rules: dict[str, MixtureUpdate] = {
        "auto": MixtureIHNC(fallback=True),
        "ihnc": MixtureIHNC(),
        "imc": MixtureIMC(),
        "ibi": MixtureIBI(),
    }
    if name not in rules:
        raise InputError(f"unknown update {name!r} for mixtures; known are {', '.join(MIXTURE_UPDATES)}")
    return rules[name]


def measurement_of(iteration: MixtureIteration, pair: Pair) -> Measurement:
    """Return what a simulation of a mixture says about one pair."""
    return Measurement(
        iteration.potentials[pair],
        iteration.rdfs[pair],
        iteration.final.n,
        iteration.pressure,
        iteration.pressure_error,
        iteration.counts.get(pair),
    )


@dataclass(frozen=True)
class MixtureIBI:
    """Iterative Boltzmann inversion of each pair by its own g(r); see `cginit.refine.updates.IBI`."""

    name: str = field(default="ibi", init=False, repr=False)
    held: frozenset[Pair] = field(default=frozenset(), init=False, repr=False)
    pressure: float | None = field(default=None, init=False, repr=False)

    def __call__(
        self, history: Sequence[MixtureIteration], target: MixtureTarget
    ) -> tuple[dict[Pair, Array], str]:
        """Return the changes; see `MixtureUpdate`."""
        last = history[-1]
        changes = {
            pair: IBI().change(measurement_of(last, pair), curve, target.state)
            for pair, curve in target.rdfs.items()
        }
        return changes, self.name


@dataclass(frozen=True)
class MixtureIHNC:
    r"""Difference of the matrix HNC inversions of target and simulated g(r).

    .. math:: \Delta U_{ab} = U^{HNC}_{ab}[g_{target}] - U^{HNC}_{ab}[g_n]

    It knows that a change of one pair moves all g(r).

    Parameters
    ----------
    fallback : bool
        Whether to take `MixtureIBI` where an inversion has no solution, rather than to stop.
    """

    fallback: bool = False
    held: frozenset[Pair] = field(default=frozenset(), init=False, repr=False)
    pressure: float | None = field(default=None, init=False, repr=False)
    # The inversion of the target is the same after every simulation.
    _wanted: dict[float, MixtureInversion | None] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @property
    def name(self) -> str:
        """``auto`` with the way out, ``ihnc`` without."""
        return "auto" if self.fallback else "ihnc"

    def __call__(
        self, history: Sequence[MixtureIteration], target: MixtureTarget
    ) -> tuple[dict[Pair, Array], str]:
        """Return the changes; see `MixtureUpdate`.

        Raises
        ------
        ConvergenceError
            If an inversion has no solution and there is no way out.
        """
        last = history[-1]
        end = min(curve.r_max for curve in (*target.rdfs.values(), *last.rdfs.values()))
        if end not in self._wanted:
            self._wanted[end] = _inverted(target, target.rdfs, end)
        wanted = self._wanted[end]
        got = None if wanted is None else _inverted(target, last.rdfs, end)
        if wanted is None or got is None:
            if not self.fallback:
                raise ConvergenceError(
                    "the matrix HNC inversion has no solution for these g(r); use the update auto or ibi"
                )
            return MixtureIBI()(history, target)
        changes = {}
        for pair in target.pairs:
            both = np.isfinite(wanted.u[pair]) & np.isfinite(got.u[pair])
            difference = wanted.u[pair][both] - got.u[pair][both]
            change = target.kT * np.interp(last.potentials[pair].r, wanted.r[both], difference)
            changes[pair] = change - change[-1]
        return changes, "ihnc"


@dataclass(frozen=True)
class MixtureIMC:
    r"""Inverse Monte Carlo of all pairs at once, with the cross-correlations of their numbers of pairs.

    The response of the numbers :math:`S_\alpha` of pairs of any two types in any bin to the potential in another,

    .. math:: \frac{\partial \langle S_\alpha \rangle}{\partial U_\gamma} = -\frac{1}{kT}
              (\langle S_\alpha S_\gamma \rangle - \langle S_\alpha \rangle \langle S_\gamma \rangle),

    shrunk and regularised by its noise as for one species; see `cginit.refine.updates.IMC`.

    Source: A. P. Lyubartsev and A. Laaksonen, Phys. Rev. E 52, 3730 (1995), doi:10.1103/PhysRevE.52.3730.
    """

    name: str = field(default="imc", init=False, repr=False)
    held: frozenset[Pair] = field(default=frozenset(), init=False, repr=False)
    pressure: float | None = field(default=None, init=False, repr=False)

    def __call__(
        self, history: Sequence[MixtureIteration], target: MixtureTarget
    ) -> tuple[dict[Pair, Array], str]:
        """Return the changes; see `MixtureUpdate`.

        Raises
        ------
        ConvergenceError
            If the pair counts of the configurations were not kept.
        """
        from scipy.linalg import block_diag

        last = history[-1]
        if not last.counts:
            raise ConvergenceError("inverse Monte Carlo needs the pair counts of every configuration")
        problems = {
            pair: Problem.of(measurement_of(last, pair), curve, target.state, last.potentials[pair].r)
            for pair, curve in target.rdfs.items()
        }
        sizes = [one.r.size for one in problems.values()]
        starts = np.concatenate([[0], np.cumsum(sizes)])
        # Of each pair the points that show its potential.
        rows = np.concatenate(
            [
                start + np.arange(one.first, size)
                for start, size, one in zip(starts, sizes, problems.values(), strict=False)
            ]
        )
        response = response_of(
            np.concatenate(
                [last.counts[pair].counts[:, :n] for pair, n in zip(problems, sizes, strict=True)], 1
            ),
            np.concatenate([last.counts[pair].ideal()[:n] for pair, n in zip(problems, sizes, strict=True)]),
        )
        difference = np.concatenate([one.difference for one in problems.values()])
        noise = block_diag(*(one.covariance for one in problems.values()))
        bases = [
            block_diag(*(curvature_basis(one.u, one.first, rough) for one in problems.values()))
            for rough in ROUGHNESS
        ]
        fit = fit_change(-response[rows], difference[rows], noise[np.ix_(rows, rows)], bases)
        parts = np.split(target.kT * fit.change, starts[1:-1])
        return dict(zip(problems, parts, strict=True)), self.name


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
