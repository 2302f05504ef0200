"""Start potentials of all pairs of a mixture from their g(r)."""

from __future__ import annotations

import numpy as np

from cginit.curves import Array, PairPotential
from cginit.errors import ConvergenceError, InputError
from cginit.guess.assembly import potential_from, visible_target
from cginit.guess.integral_equation import indirect_correlations
from cginit.guess.network import NetworkGuess
from cginit.guess.pair_cutoff import pair_cutoff
from cginit.interactions import Interaction, Interactions
from cginit.liquid.inverse_problem import Closure, closed
from cginit.models.correlations import WEIGHTS
from cginit.target import Target

__all__ = ["DEFAULT_MIXTURE_METHOD", "MIXTURE_METHODS", "guess_mixture"]

#: Part of the range of g(r) beyond which its mean is told.
TAIL = 0.67

MIXTURE_METHODS = ("network", "hnc", "py", "boltzmann")
#: The one taken when none is named.
DEFAULT_MIXTURE_METHOD = "network"
#: The network that sees correlations, and what a note begins with where it has not been trained.
NETWORK, OUTSIDE = "bridge", "outside the trained range"


def guess_mixture(
    target: Target,
    method: str = DEFAULT_MIXTURE_METHOD,
    r_cut: float | Interactions[float] | None = None,
) -> Interactions[PairPotential]:
    """Propose the potentials of all pairs of a mixture.

    Parameters
    ----------
    target : Target
        g(r) of all pairs, densities and kT.
    method : {"network", "hnc", "py", "boltzmann"}
        Matrix Ornstein-Zernike inversion with a closure, or -kT ln g. ``network`` adds to the HNC inversion what the
        network of one species, ``bridge``, makes of g and h - c of each pair and the density of all beads; where that
        is unlike its training, a pair keeps HNC. An inversion that has no solution gives way to -kT ln g. The notes
        of the potentials say both.
    r_cut : float or Interactions of float, optional
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
    cutoffs = {pair: pair_cutoff(target, pair, r_cut) for pair in target.pairs}
    largest = max(cutoffs.values())
    if largest > end * (1.0 + 1e-9):
        raise InputError(
            f"the cut-off {largest:g} lies beyond the target g(r), which end at {end:g}; sample them further or "
            "choose a smaller cut-off"
        )
    gamma: dict[Interaction, Array] = {}
    freer: dict[Interaction, Array] = {}
    closure: Closure = "py" if method == "py" else "hnc"
    notes: tuple[str, ...] = ()
    used = method
    if method != "boltzmann":
        try:
            gamma, notes = indirect_correlations(visible, target.densities, closure)
            if method == "network":
                freer, _ = indirect_correlations(visible, target.densities, "hnc", WEIGHTS[1])
        except ConvergenceError as error:
            gamma, used = {}, "boltzmann"
            notes = (f"-kT ln g stands in for {method}: {error}", _tails(target, end))
    potentials: dict[Interaction, PairPotential] = {}
    for pair, one in visible.items():
        kept: tuple[str, ...] = ()
        if pair in freer:
            learned = NetworkGuess(NETWORK, fallback=False).of_correlations(
                target.rdfs[pair],
                target.state,
                cutoffs[pair],
                np.array([gamma[pair], freer[pair]]),
            )
            kept = tuple(note for note in learned.notes if note.startswith(OUTSIDE))
            if not kept:
                potentials[pair] = learned
                continue
        g = one.target.g
        u = closed(g, gamma[pair] if pair in gamma else np.zeros(g.size), closure)
        made_by = "hnc" if kept else used
        kept = tuple(f"HNC stands in for the network: {note}" for note in kept)
        potentials[pair] = potential_from(
            one, target.kT * u, target.state, cutoffs[pair], made_by, notes=(*notes, *kept)
        )
    return Interactions(potentials)


def _tails(target: Target, end: float) -> str:
    """Say what the g(r) tend to, the usual reason why they have no inversion."""
    beyond = TAIL * end
    means = ", ".join(f"{curve.mean_beyond(beyond):.4f} ({pair})" for pair, curve in target.rdfs.items())
    return (
        f"-kT ln g: beyond r = {beyond:.3g} the g(r) are {means} on average; where their correlations have ended, "
        "divide each by its mean there (normalise)"
    )
