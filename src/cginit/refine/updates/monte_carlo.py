"""Inverse Monte Carlo: Newton's method with the response that the simulation itself shows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cginit.curves import Array
from cginit.errors import ConvergenceError
from cginit.refine.difference import Layout, StateDifference, smooth_changes
from cginit.refine.history import History, Step
from cginit.refine.regularisation import Rule, fit_change
from cginit.refine.start_data import StartData
from cginit.refine.updates.base import MAX_CHANGE, check_damping
from cginit.sampling import PairCounts

__all__ = ["IMC", "response_of", "sampled_response"]


@dataclass(frozen=True)
class IMC:
    r"""Inverse Monte Carlo, with the cross-correlations of the numbers of pairs :math:`S_i` in each bin.

    .. math:: \frac{\partial \langle S_i \rangle}{\partial U_j}
              = -\frac{1}{kT} (\langle S_i S_j \rangle - \langle S_i \rangle \langle S_j \rangle)

    is exact, and noisy: a covariance of n bins from fewer than n independent configurations is singular. It is
    shrunk towards that of independent pairs as far as its own noise tells, and the change is the smoothest one
    that the noise of g allows (`cginit.refine.regularisation`). The bins are those of all pairs of bead types;
    several states are one problem.

    Source: A. P. Lyubartsev and A. Laaksonen, Phys. Rev. E 52, 3730 (1995), doi:10.1103/PhysRevE.52.3730;
    shrinkage: J. Schaefer and K. Strimmer, Stat. Appl. Genet. Mol. Biol. 4, 32 (2005),
    doi:10.2202/1544-6115.1175.

    Parameters
    ----------
    damping : float
        Factor of the change, in (0, 1].
    rule : {"tikhonov", "truncated"}
        How to regularise.
    """

    damping: float = 1.0
    rule: Rule = "tikhonov"
    beyond_cutoff: bool = False

    def __post_init__(self) -> None:
        check_damping(self.damping)

    @property
    def name(self) -> str:
        """``imc``."""
        return "imc"

    def __call__(self, history: History) -> Step:
        """Return the step; see `Update`.

        Raises
        ------
        ConvergenceError
            If the pair counts of the configurations were not kept.
        """
        from scipy.linalg import block_diag

        states, responses = [], []
        for record, target in zip(history.last, history.targets, strict=True):
            if not record.counts:
                raise ConvergenceError(
                    "inverse Monte Carlo needs the pair counts of every configuration, which this engine does not "
                    "give; use another update"
                )
            state = StateDifference.of(record, target, history)
            parts = [(record.counts[name], size) for name, size in zip(state.parts, state.sizes, strict=True)]
            states.append(state)
            responses.append(
                response_of(
                    np.concatenate([one.counts[:, :size] for one, size in parts], axis=1),
                    np.concatenate([one.ideal()[:size] for one, size in parts]),
                )
            )
        layout = Layout.of(states, history.free_pairs)
        system = (
            np.vstack([one.matrix(own, layout) for one, own in zip(states, responses, strict=True)]),
            np.concatenate([one.whole_change[one.rows] for one in states]),
            np.asarray(block_diag(*(one.covariance for one in states))),
        )
        bases = smooth_changes(states, layout)
        start = StartData.of(states, layout, history).believed(system, bases[0])
        fit = fit_change(*start.beside(*system), bases, self.rule)
        changes = layout.split(self.damping * history.kT * fit.change)
        return Step.from_last(history, changes, self.name).clipped(MAX_CHANGE * history.coldest)


def sampled_response(counts: PairCounts, n: int) -> Array:
    r"""Return :math:`-\partial g_i / \partial (U_j/kT)` ``(n, n)`` at the first `n` points, as sampled.

    The covariance of the counts in units of the square roots of their means has ones on its diagonal where
    pairs are independent; the rest is multiplied by :math:`1 - a` with the intensity a that makes the
    expected squared error least.
    """
    return response_of(counts.counts[:, :n], counts.ideal()[:n])


def response_of(numbers: NDArray[np.int32], ideal: Array) -> Array:
    """Return the response of `sampled_response` from numbers of pairs ``(frames, n)`` and those of an ideal gas.

    The bins may belong to different pairs of types.
    """
    n = ideal.size
    samples = numbers.astype(np.float64)
    mean = samples.mean(axis=0)
    scale = np.sqrt(np.maximum(mean, 1e-300))
    y = np.where(mean > 0.0, (samples - mean) / scale, 0.0)
    frames = y.shape[0]
    covariance = y.T @ y / (frames - 1)
    spread = ((y**2).T @ y**2 / frames - covariance**2) / (frames - 1)
    off = ~np.eye(n, dtype=bool)
    power = float(np.sum(covariance[off] ** 2))
    shrinkage = float(np.clip(np.sum(spread[off]) / power, 0.0, 1.0)) if power > 0.0 else 1.0
    shrunk = (1.0 - shrinkage) * covariance + shrinkage * np.diag((mean > 0.0).astype(np.float64))
    return np.asarray(shrunk * scale[None, :] * (scale / ideal)[:, None])
