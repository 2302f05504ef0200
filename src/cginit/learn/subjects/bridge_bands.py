r"""How large the stated errors of a bridge ensemble are to be: four factors, found on fluids that it has not seen.

An error of such a guess has three parts: the bridge function, of which the members say by how much they differ; what
the noise of g makes of the Ornstein-Zernike inversion; and the noise of -ln g at the point itself,

.. math:: \sigma^2 = [a\, (1 + c\, G)\, s]^2 + (b\, [\gamma_2 - \gamma_1])^2 + (d\, \sigma_\gamma)^2
          + (\sigma_g / g)^2,

with the standard deviation s of the members, the size G of the structure of the liquid
(`cginit.models.correlations.structure_size`) and the two inversions :math:`\gamma_1, \gamma_2` that they see
(`cginit.models.correlations.WEIGHTS`). The second counts the noise of g ten times less than the first, and both agree
where g is precise: their difference is the part of :math:`\gamma` that noise decides. By how much :math:`\gamma`
itself is uncertain, less at the cut-off, :math:`\sigma_\gamma`, follows from the errors of g
(`cginit.liquid.carried_noise`). What all members have wrong in common grows with the structure.

The factors are those of the likelihood of Laplace, since errors have heavy tails, with a, b and d scaled alike, so
that the band of 90 % holds 90 % of the points. The fluids come from integers that no training draws
(`cginit.learn.pairs`), with noise from none that counts to somewhat more than that of the simulations. The simulated
fluids set nothing: those of the validation have been seen by all members but one, whose error is then in the spread.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cginit.curves import Array
from cginit.errors import ConvergenceError, InputError
from cginit.learn.config import Auxiliary
from cginit.learn.data import TrainingSet
from cginit.learn.evaluate import VISIBLE_G
from cginit.learn.pairs import cheap_pairs, counting_error
from cginit.learn.subjects.bridge_features import LiquidFeatures, liquid_features
from cginit.liquid.carried_noise import carried_noise
from cginit.liquid.ornstein_zernike import invert
from cginit.models.correlations import U_LOWEST, WEIGHTS, structure_size
from cginit.models.grid import U_CUT, U_VISIBLE, interpolate

__all__ = [
    "NINETY",
    "SCALES",
    "BandPoints",
    "band_points",
    "carried_errors",
    "fitted_factors",
    "minus_logarithm",
    "points_of_unseen",
    "stated_errors",
    "unseen_fluids",
]

#: Standard deviations on both sides within which 90 % of a normal distribution lie.
NINETY = 1.645
#: Integers from here on name no fluid of a training. So many are drawn at most, of one in two to three a fluid.
FIRST, POTENTIALS = 3_000_000, 1200
#: Smallest and largest error of g at g = 1 and r = 1 sigma; that of the data set is 0.008 in the median.
NOISE = (1e-5, 1e-2)
#: Names of the factors in a description, and where their search begins.
SCALES, START = ("error_scale", "structure_scale", "noise_scale", "carried_scale"), (2.0, 0.3, 0.5, 0.3)
#: Errors of more than so many standard errors count as these.
FAR = 20.0
#: Largest logarithm of a factor.
LARGEST = 10.0

#: Steps of the search.
MOST_STEPS = 4000

#: a, c, b and d.
Factors = tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class BandPoints:
    """Visible points of fluids up to their cut-offs, ``(n,)`` each.

    Attributes
    ----------
    off : ndarray
        Error of U in kT.
    spread : ndarray
        Standard deviation of the members in kT.
    structure : ndarray
        Size of the structure of the fluid.
    freedom : ndarray
        Difference of the two inversions.
    noise : ndarray
        Standard error of -ln g.
    carried : ndarray
        Standard error of gamma less that at the cut-off; 0 where it is not known.
    """

    off: Array
    spread: Array
    structure: Array
    freedom: Array
    noise: Array
    carried: Array

    def band(self, factors: Factors) -> Array:
        """Return the standard errors ``(n,)`` in kT."""
        a, c, b, d = factors
        bridge = a * (1.0 + c * self.structure) * self.spread
        return np.asarray(
            np.sqrt(bridge**2 + (b * self.freedom) ** 2 + (d * self.carried) ** 2 + self.noise**2)
        )

    def held(self, factors: Factors) -> float:
        """Return the part of the points that the band of 90 % holds."""
        return float(np.mean(np.abs(self.off) <= NINETY * self.band(factors)))


def unseen_fluids(how: Auxiliary, folder: Path, device: str = "cpu", seed: int = 1) -> TrainingSet:
    """Return fluids of other integers than a training draws, each with an error of g of its own from `NOISE`.

    Parameters
    ----------
    how : Auxiliary
        Families, densities and number of the pairs of the training.
    folder : Path
        Keeps the pairs.
    device : {"cpu", "cuda"}
        Where the equations are solved.
    seed : int
        Of the errors.

    Raises
    ------
    InputError
        If the training draws some of these integers.
    """
    count = min(how.potentials, POTENTIALS)
    if how.first < FIRST + count and how.first + how.potentials > FIRST:
        raise InputError(
            f"the integers {how.first} to {how.first + how.potentials - 1} of the auxiliary pairs meet those on "
            f"which errors are judged, from {FIRST} on; choose another `first` or fewer `potentials`"
        )
    wanted = replace(how, first=FIRST, potentials=count, closure="bridge")
    found = cheap_pairs(wanted, folder, device=device)
    low, high = np.log(NOISE)
    sizes = np.exp(np.random.default_rng(seed).uniform(low, high, len(found)))
    error = sizes[:, None] * counting_error(found.r, found.g, 1.0)
    # A simulation shows nothing below its first count.
    return replace(found, g=np.where(found.g >= np.exp(-U_VISIBLE), found.g, 0.0), g_error=error)


def band_points(
    data: TrainingSet,
    features: LiquidFeatures,
    u: Array,
    spread: Array,
    rows: NDArray[np.bool_],
    carried: Array | None = None,
) -> BandPoints:
    """Return what networks that have not seen the fluids are off by, and the parts of their stated errors.

    Parameters
    ----------
    data : TrainingSet
        Fluids, m of them.
    features : LiquidFeatures
        Those of `data`, of which the first variation counts, g without S(k).
    u, spread : ndarray, shape (m, n)
        Potentials in kT on the points of g, and the standard deviation of the members.
    rows : ndarray of bool, shape (m,)
        Which fluids to take; those without a solution are left out.
    carried : ndarray, shape (m, n), optional
        `carried_errors` of the fluids.
    """
    taken = np.flatnonzero(features.valid[:, 0] & rows)
    g, gamma, density = features.g[taken, 0], features.gamma[taken, 0], data.density[taken]
    truth = interpolate(data.u[taken], 0.0, float(data.u_r[1]), data.r, 0.0)
    off = u[taken] - truth
    # The potential of a guess is 0 at the cut-off.
    last = np.searchsorted(data.r, data.r_cut[taken] - 1e-9)
    off = off - np.take_along_axis(off, last[:, None], axis=1)
    seen = (np.arange(data.r.size) < last[:, None]) & (g > VISIBLE_G) & (truth < U_CUT)
    size = structure_size(minus_logarithm(g), density, float(data.r[1]))[:, None] + np.zeros_like(g)
    noise = data.g_error[taken] / np.maximum(g, VISIBLE_G)
    freedom = np.abs(gamma[:, 1] - gamma[:, 0])
    own = np.zeros_like(g) if carried is None else carried[taken]
    return BandPoints(off[seen], spread[taken][seen], size[seen], freedom[seen], noise[seen], own[seen])


def carried_errors(data: TrainingSet, features: LiquidFeatures) -> Array:
    """Return the errors of gamma ``(m, n)`` less that at the cut-off; 0 of fluids whose inversion has no solution.

    Parameters
    ----------
    data : TrainingSet
        Fluids of one species.
    features : LiquidFeatures
        Those of `data`, of which the g of the first variation counts.
    """
    found = np.zeros(data.g.shape)
    for row in np.flatnonzero(features.valid[:, 0]):
        density, error = float(data.density[row]), data.g_error[row]
        try:
            one = invert(data.r, features.g[row, 0], density, error=error, noise_weight=WEIGHTS[0])
        except ConvergenceError:
            continue
        sigma = error[-one.r.size :]
        found[row] = carried_noise(one, density, sigma, WEIGHTS[0], data.r, float(data.r_cut[row]))
    return found


def minus_logarithm(g: Array) -> Array:
    """Return -ln g as the networks are given it."""
    return np.asarray(-np.log(np.clip(g, np.exp(-U_VISIBLE), np.exp(-U_LOWEST))))


def points_of_unseen(predict: Callable[..., tuple[Array, Array]], fluids: TrainingSet) -> BandPoints:
    """Return the points of `unseen_fluids`, with noise of one standard error and an end of g at random.

    Parameters
    ----------
    predict : callable
        Returns U ``(m, n)`` in kT and the standard deviation of the members of -ln g, gamma and densities, as
        `cginit.models.model.Model.mean_and_spread`.
    fluids : TrainingSet
        The fluids.
    """
    features = liquid_features(fluids, 2, as_it_is=0)
    u, spread = predict(minus_logarithm(features.g[:, 0]), features.gamma[:, 0], fluids.density)
    every = np.ones(len(fluids), dtype=bool)
    return band_points(fluids, features, u, spread, every, carried_errors(fluids, features))


def stated_errors(calibration: BandPoints, test: BandPoints) -> dict[str, Any]:
    """Return the factors for the description of a model, and what its band of 90 % holds.

    Parameters
    ----------
    calibration : BandPoints
        Of fluids that set the factors.
    test : BandPoints
        Of the test set, which sets nothing.
    """
    factors = fitted_factors(calibration)
    return {
        **dict(zip(SCALES, np.round(factors, 4).tolist(), strict=True)),
        "coverage of the 90 % band": {
            "calibration": round(calibration.held(factors), 4),
            "test": round(test.held(factors), 4) if test.off.size else None,
        },
    }


def fitted_factors(points: BandPoints) -> Factors:
    """Return the factors a, c, b and d; d is 0 where no noise of gamma is known.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> spread, freedom, size = rng.uniform((0.01, 0.01, 0.0), (0.1, 0.1, 3.0), (20000, 3)).T
    >>> off = np.hypot(2.0 * (1.0 + size) * spread, 3.0 * freedom) * rng.standard_normal(20000)
    >>> found = fitted_factors(BandPoints(off, spread, size, freedom, np.zeros(20000), np.zeros(20000)))
    >>> bool(np.allclose(found, (2.0, 1.0, 3.0, 0.0), rtol=0.15))
    True
    """
    from scipy.optimize import minimize

    off = np.abs(points.off)
    known = np.log(START)[: len(START) if np.any(points.carried) else -1]

    def loss(logarithms: Array) -> float:
        band = points.band(_factors(logarithms))
        return float(np.mean(np.log(band) + np.minimum(off / band, FAR)))

    best = minimize(loss, known, method="Nelder-Mead", options={"maxiter": MOST_STEPS})
    a, c, b, d = _factors(best.x)
    # Noise is not scaled: its size is known.
    low, high = 0.1, 10.0
    for _ in range(40):
        scale = float(np.sqrt(low * high))
        low, high = (
            (low, scale) if points.held((a * scale, c, b * scale, d * scale)) >= 0.9 else (scale, high)
        )
    return a * high, c, b * high, d * high


def _factors(logarithms: Array) -> Factors:
    """Return factors from their logarithms; of one that points do not show, the logarithm may run away."""
    a, c, b, *d = np.exp(np.clip(logarithms, -LARGEST, LARGEST))
    return float(a), float(c), float(b), float(d[0]) if d else 0.0
