r"""Whether a network was trained on such a g(r): a sentence for each respect in which it lies outside.

Six measures, each compared with its range over the augmented, simulated training data (the outermost 0.5 % left
out, but for the density), lengths in the network's sigma:

- density: :math:`\rho\sigma^3`;
- peak: the largest g;
- tail: :math:`|\langle g - 1\rangle|` over the last tenth of the range, above 0 in a box with two phases;
- structure: the least S(k) = 1 + rho h(k) over 1.5 < k < 15, by a windowed transform of h up to 5; a density that
  does not belong to g makes it negative;
- distance: root-mean-square of what the leading principal components of the training g's leave of g, which a
  crystal's or a noisy g has much of;
- noise: `noise_level` of the target.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from cginit.curves import Array, median
from cginit.models.domain import Domain
from cginit.models.grid import POINTS, RANGE, network_grid

__all__ = ["LARGEST", "measures", "noise_level", "outside"]

#: Part of a limit by which an input may exceed it before it counts as outside.
SLACK = 0.15
#: An attractive particle without a core has g(0) of e^5, which would be all that the components describe.
LARGEST = 5.0


def outside(domain: Domain, g: Array, density: float, noise: float = 0.0) -> tuple[str, ...]:
    """Return a sentence for each measure in which g ``(50,)`` at `density` is unlike the training data."""
    sentences = []
    found = {name: float(x[0]) for name, x in measures(g[None], np.array([density])).items()}
    limits = domain.limits
    noisiest = limits.get("noise", (0.0, np.inf))[1]
    if noise > noisiest * (1.0 + SLACK):
        sentences.append(
            f"g has {noise / noisiest:.2g} times as much noise as the noisiest g of the training data; "
            "sample it longer"
        )
    low, high = limits["density"]
    if not low * (1.0 - SLACK) <= density <= high * (1.0 + SLACK):
        sentences.append(
            f"the density {density:.3g} per cubed network sigma lies outside the trained range, "
            f"{low:.3g} to {high:.3g}"
        )
    if found["peak"] > limits["peak"][1] * (1.0 + SLACK):
        sentences.append(
            f"the highest peak of g, {found['peak']:.3g}, exceeds that of the training data, "
            f"{limits['peak'][1]:.3g}"
        )
    if found["tail"] > limits["tail"][1] * (1.0 + SLACK) + 0.01:
        sentences.append(
            f"g differs from 1 by {found['tail']:.2g} at the end of the network's range (training: up to "
            f"{limits['tail'][1]:.2g}), as in a box with two phases or with a wrong normalisation"
        )
    if found["structure"] < limits["structure"][0] - SLACK:
        sentences.append(
            f"g and the density give a structure factor of {found['structure']:.2g} (training: "
            f"{limits['structure'][0]:.2g} or more): one of the two is wrong"
        )
    distance = float(domain.distance(g[None], LARGEST)[0])
    if distance > limits["distance"][1] * (1.0 + SLACK):
        sentences.append(
            f"g lies {distance:.2g} from the span of the training curves (those themselves: up to "
            f"{limits['distance'][1]:.2g}), as that of a crystal or a very noisy one does"
        )
    return tuple(sentences)


def measures(g: Array, density: Array) -> dict[str, Array]:
    """Return density, peak, tail and structure ``(m,)`` of g ``(m, 50)`` at densities ``(m,)``."""
    return {
        "density": density,
        # The first two points are the inside of overlapping particles, where few pairs make g noisy.
        "peak": np.asarray(np.max(g[:, 2:], axis=1)),
        "tail": np.asarray(np.abs(np.mean(g[:, -POINTS // 10 :] - 1.0, axis=1))),
        "structure": np.asarray(np.min(1.0 + density[:, None] * ((g - 1.0) @ _kernel().T), axis=1)),
    }


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


@cache
def _kernel() -> Array:
    r = network_grid()
    k = np.linspace(1.5, 15.0, 28)
    kernel = 4.0 * np.pi * (r[1] - r[0]) * r**2 * np.sinc(k[:, None] * r / np.pi)
    # A window that ends smoothly keeps the cut at 5, and the noise before it, from ringing through S(k).
    return np.asarray(kernel * np.sinc(r / RANGE) ** 2, dtype=np.float64)
