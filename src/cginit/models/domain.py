"""What a network has been trained on, and a sentence for each respect in which an input lies outside of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from cginit.curves import Array, median
from cginit.models.grid import POINTS, RANGE, network_grid

__all__ = ["Domain", "fit_domain", "noise_level"]

#: Principal components of the training curves that span what the network knows.
COMPONENTS = 20
#: Part of the training inputs left out at each end of a range: one strange curve must not open it for all.
QUANTILE = 0.005
#: Part of an interval by which an input may exceed it before it counts as outside.
SLACK = 0.15


@dataclass(frozen=True, eq=False)
class Domain:
    r"""Limits of the training inputs g(r), density, in the network's sigma.

    Six measures, each compared with its range over the augmented, simulated training data (the outermost 0.5 % left
    out, but for the density):

    - density: :math:`\rho\sigma^3`;
    - peak: the largest g;
    - tail: :math:`|\langle g - 1\rangle|` over the last tenth of the range, above 0 in a box with two phases;
    - structure: the least S(k) = 1 + rho h(k) over 1.5 < k < 15, by a windowed transform of h up to 5; a density that
      does not belong to g makes it negative;
    - distance: root-mean-square of what the 20 leading principal components of the training g's leave of g, which a
      crystal's or a noisy g has much of;
    - noise: `noise_level` of the target.

    Attributes
    ----------
    density, peak, tail, structure, distance : tuple of float
        Least and greatest value in training.
    noise : float
        Greatest value in training; infinite for a model that has not recorded it.
    mean : ndarray, shape (50,)
        Mean training g.
    components : ndarray, shape (20, 50)
        Principal components.
    """

    density: tuple[float, float]
    peak: tuple[float, float]
    tail: tuple[float, float]
    structure: tuple[float, float]
    distance: tuple[float, float]
    mean: Array
    components: Array
    noise: float = float("inf")

    def outside(self, g: Array, density: float, noise: float = 0.0) -> tuple[str, ...]:
        """Return a sentence for each measure in which g ``(50,)`` at `density` is unlike the training data."""
        sentences = []
        if noise > self.noise * (1.0 + SLACK):
            sentences.append(
                f"g has {noise / self.noise:.2g} times as much noise as the noisiest g of the training data; "
                "sample it longer"
            )
        low, high = self.density
        if not low * (1.0 - SLACK) <= density <= high * (1.0 + SLACK):
            sentences.append(
                f"the density {density:.3g} per cubed network sigma lies outside the trained range, "
                f"{low:.3g} to {high:.3g}"
            )
        peak = float(_peak(g[None])[0])
        if peak > self.peak[1] * (1.0 + SLACK):
            sentences.append(
                f"the highest peak of g, {peak:.3g}, exceeds that of the training data, {self.peak[1]:.3g}"
            )
        tail = float(_tail(g[None])[0])
        if tail > self.tail[1] * (1.0 + SLACK) + 0.01:
            sentences.append(
                f"g differs from 1 by {tail:.2g} at the end of the network's range (training: up to "
                f"{self.tail[1]:.2g}), as in a box with two phases or with a wrong normalisation"
            )
        least = float(_structure(g[None], np.array([density]))[0])
        if least < self.structure[0] - SLACK:
            sentences.append(
                f"g and the density give a structure factor of {least:.2g} (training: {self.structure[0]:.2g} or "
                "more): one of the two is wrong"
            )
        distance = float(_distance(g[None], self.mean, self.components)[0])
        if distance > self.distance[1] * (1.0 + SLACK):
            sentences.append(
                f"g lies {distance:.2g} from the span of the training curves (those themselves: up to "
                f"{self.distance[1]:.2g}), as that of a crystal or a very noisy one does"
            )
        return tuple(sentences)

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers for a JSON file."""
        limits = {
            name: list(getattr(self, name)) for name in ("density", "peak", "tail", "structure", "distance")
        }
        return {
            **limits,
            # JSON knows no infinity.
            "noise": self.noise if np.isfinite(self.noise) else None,
            "mean": np.round(self.mean, 5).tolist(),
            "components": np.round(self.components, 5).tolist(),
        }

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> Domain:
        """Read what `to_dict` gave."""
        limits = {
            name: (float(content[name][0]), float(content[name][1]))
            for name in ("density", "peak", "tail", "structure", "distance")
        }
        mean, components = np.array(content["mean"]), np.array(content["components"])
        noise = content.get("noise")
        return cls(
            **limits, mean=mean, components=components, noise=float("inf") if noise is None else float(noise)
        )


def noise_level(r: Array, error: Array) -> float:
    r"""Return the median of :math:`r \sigma_g \sqrt{\Delta r}`, in units of length to the power 3/2.

    The error of a histogram of pairs is :math:`\sigma_g \propto \sqrt{g / (r^2 \Delta r)}`, so that this does not
    depend on its bins, and little on r.

    Parameters
    ----------
    r, error : ndarray, shape (n,)
        Distances and standard errors of g.

    Examples
    --------
    >>> r = np.linspace(1, 2, 11)
    >>> round(noise_level(r, 0.01 / r), 6)
    0.003162
    """
    return median(r * error) * float(np.sqrt(r[1] - r[0]))


def fit_domain(g: Array, density: Array, basis: Array, noise: Array | None = None) -> Domain:
    """Return the limits of training inputs g ``(m, 50)`` and density ``(m,)``.

    The components are those of `basis` ``(k, 50)``. It should lack some potentials that are in `g`, so that the
    distance of a fluid that is unknown but similar counts as inside. `noise` ``(k,)`` are the levels of their noise.
    """
    mean = np.mean(basis, axis=0)
    _, _, rows = np.linalg.svd(_bounded(basis) - _bounded(mean[None]), full_matrices=False)
    components = rows[:COMPONENTS]

    def limits(values: Array) -> tuple[float, float]:
        low, high = np.quantile(values, (QUANTILE, 1.0 - QUANTILE))
        return float(low), float(high)

    return Domain(
        (float(np.min(density)), float(np.max(density))),
        limits(_peak(g)),
        limits(_tail(g)),
        limits(_structure(g, density)),
        limits(_distance(g, mean, components)),
        mean,
        components,
        float(np.quantile(noise, 1.0 - QUANTILE)) if noise is not None else float("inf"),
    )


def _bounded(g: Array) -> Array:
    # An attractive particle without a core has g(0) of e^5, which would be all that the components describe.
    return np.minimum(g, 5.0)


def _peak(g: Array) -> Array:
    # The first two points are the inside of overlapping particles, where few pairs make g noisy.
    return np.asarray(np.max(g[:, 2:], axis=1), dtype=np.float64)


def _tail(g: Array) -> Array:
    return np.asarray(np.abs(np.mean(g[:, -POINTS // 10 :] - 1.0, axis=1)), dtype=np.float64)


@cache
def _kernel() -> Array:
    r = network_grid()
    k = np.linspace(1.5, 15.0, 28)
    kernel = 4.0 * np.pi * (r[1] - r[0]) * r**2 * np.sinc(k[:, None] * r / np.pi)
    # A window that ends smoothly keeps the cut at 5, and the noise before it, from ringing through S(k).
    return np.asarray(kernel * np.sinc(r / RANGE) ** 2, dtype=np.float64)


def _structure(g: Array, density: Array) -> Array:
    return np.asarray(np.min(1.0 + density[:, None] * ((g - 1.0) @ _kernel().T), axis=1), dtype=np.float64)


def _distance(g: Array, mean: Array, components: Array) -> Array:
    rest = _bounded(g) - _bounded(mean[None])
    rest = rest - (rest @ components.T) @ components
    return np.asarray(np.sqrt(np.mean(rest**2, axis=1)), dtype=np.float64)
