"""The configurations of one simulation as those of a slightly different potential."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cginit.curves import Array, PairPotential
from cginit.refine.measurement import Measurement
from cginit.sampling import PairCounts
from cginit.state import StatePoint

__all__ = [
    "SMALLEST_SHARE",
    "boltzmann_weights",
    "effective_share",
    "frame_weights",
    "reweighted",
    "virial_change",
]

#: Part of the configurations that must remain effective. Half of them doubles the variance, which chi^2 knows.
SMALLEST_SHARE = 0.5


def frame_weights(measured: Measurement, potential: PairPotential, state: StatePoint) -> Array | None:
    r"""Return the weight ``(frames,)`` of each configuration under another potential, or None without counts.

    .. math:: w_f \propto \exp\Big(-\frac{1}{kT} \sum_b n_{fb} (U'(r_b) - U(r_b))\Big)

    Source: R. W. Zwanzig, J. Chem. Phys. 22, 1420 (1954), doi:10.1063/1.1740409.
    """
    counts = measured.counts
    if counts is None:
        return None
    n = potential.r.size
    return boltzmann_weights(counts.counts[:, :n] @ ((potential.u - measured.potential.u) / state.kT))


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


def reweighted(measured: Measurement, potential: PairPotential, state: StatePoint) -> Measurement | None:
    """Return what a simulation of `potential` would have measured, from the configurations of another.

    None where fewer than half of the configurations would remain effective, or their counts were not kept. The
    errors are those of the weighted configurations.
    """
    weights = frame_weights(measured, potential, state)
    if weights is None or measured.counts is None or effective_share(weights) < SMALLEST_SHARE:
        return None
    counts = measured.counts
    pressure = measured.pressure + virial_change(counts, weights, measured.potential, potential)
    return replace(
        measured,
        potential=potential,
        rdf=counts.rdf(weights),
        pressure=pressure,
        pressure_error=measured.pressure_error / np.sqrt(effective_share(weights)),
        counts=None,
    )
