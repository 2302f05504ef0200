"""Start potentials of all pairs of a mixture from their g(r)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from cginit.curves import Array, PairPotential
from cginit.errors import ConvergenceError, InputError
from cginit.guess import default_cutoff
from cginit.guess.assembly import potential_from, visible_target
from cginit.liquid.mixture import invert_mixture
from cginit.mixture import MixtureTarget, Pair
from cginit.state import StatePoint

__all__ = ["MIXTURE_METHODS", "guess_mixture"]

#: Part of the range of g(r) beyond which its mean is told.
TAIL = 0.67

MIXTURE_METHODS = ("hnc", "py", "boltzmann")


def guess_mixture(
    target: MixtureTarget, method: str = "hnc", r_cut: float | Mapping[Pair, float] | None = None
) -> dict[Pair, PairPotential]:
    """Propose the potentials of all pairs of a mixture.

    Parameters
    ----------
    target : MixtureTarget
        g(r) of all pairs, densities and kT.
    method : {"hnc", "py", "boltzmann"}
        Matrix Ornstein-Zernike inversion with a closure, or -kT ln g. An inversion that has no solution gives way
        to -kT ln g, which the notes of the potentials say.
    r_cut : float or mapping of pair to float, optional
        Cut-off of all pairs, or of each; by default each has that of a single species with its g(r).

    Raises
    ------
    InputError
        If the method is unknown or a cut-off lies beyond the target.
    """
    if method not in MIXTURE_METHODS:
        raise InputError(f"unknown method {method!r} for mixtures; known are {', '.join(MIXTURE_METHODS)}")
    visible = {pair: visible_target(curve) for pair, curve in target.rdfs.items()}
    end = min(curve.r_max for curve in target.rdfs.values())
    cutoffs = {pair: _cutoff(target, pair, r_cut) for pair in target.pairs}
    largest = max(cutoffs.values())
    if largest > end * (1.0 + 1e-9):
        raise InputError(f"the cut-off {largest:g} lies beyond the target g(r), which end at {end:g}")
    correction: dict[Pair, Array] = {}
    notes: tuple[str, ...] = ()
    used = method
    if method != "boltzmann":
        try:
            found = invert_mixture(
                next(iter(visible.values())).target.r,
                {pair: one.target.g for pair, one in visible.items()},
                target.densities,
                "py" if method == "py" else "hnc",
                error={pair: one.error for pair, one in visible.items()},
            )
        except ConvergenceError as error:
            used, notes = "boltzmann", (f"-kT ln g stands in for {method}: {error}", _tails(target, end))
        else:
            for pair, one in visible.items():
                gamma = found.h[pair] - found.c[pair]
                whole = np.interp(one.target.r, found.r, gamma)
                correction[pair] = whole if method == "hnc" else np.log1p(np.maximum(whole, -0.999))
    potentials = {}
    for pair, one in visible.items():
        with np.errstate(divide="ignore"):
            u = -np.log(one.target.g)
        if pair in correction:
            u = u + correction[pair]
        state = StatePoint(target.state.density, target.kT, target.units)
        potentials[pair] = potential_from(one, target.kT * u, state, cutoffs[pair], used, notes=notes)
    return potentials


def _tails(target: MixtureTarget, end: float) -> str:
    """Say what the g(r) tend to, the usual reason why they have no inversion."""
    beyond = TAIL * end
    means = ", ".join(
        f"{curve.mean_beyond(beyond):.4f} ({'-'.join(pair)})" for pair, curve in target.rdfs.items()
    )
    return (
        f"-kT ln g: beyond r = {beyond:.3g} the g(r) are {means} on average; where their correlations have ended, "
        "divide each by its mean there (normalise)"
    )


def _cutoff(target: MixtureTarget, pair: Pair, wanted: float | Mapping[Pair, float] | None) -> float:
    if wanted is None:
        return default_cutoff(target.rdfs[pair], target.state)
    return wanted[pair] if isinstance(wanted, Mapping) else wanted
