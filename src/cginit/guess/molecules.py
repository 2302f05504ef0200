"""Start potentials of molecules: bonded terms by Boltzmann inversion, pairs with the structure of the molecules."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from cginit.bonded import Potential
from cginit.configuration import Configuration
from cginit.coordinates import COORDINATES
from cginit.curves import Array, PairPotential
from cginit.errors import ConvergenceError, InputError
from cginit.guess.assembly import VisibleTarget, potential_from, visible_target
from cginit.guess.far_pairs import between_molecules
from cginit.guess.integral_equation import on_sine_nodes
from cginit.guess.likeness import fits_its_box, has_wanted_shapes
from cginit.guess.mixture import OUTSIDE
from cginit.guess.network import NetworkGuess
from cginit.guess.pair_cutoff import pair_cutoff
from cginit.interactions import Interaction, Interactions, all_pairs
from cginit.liquid.bridge import modified_verlet
from cginit.liquid.inverse_problem import NOISE_WEIGHT, closed
from cginit.liquid.pair_inversion import invert_pairs
from cginit.models.correlations import WEIGHTS
from cginit.sampling import MoleculeStructure
from cginit.target import Target

__all__ = ["DEFAULT_MOLECULE_METHOD", "MOLECULE_METHODS", "default_method", "guess_molecules"]

MOLECULE_METHODS = ("boltzmann", "hnc", "verlet", "network")
#: The network that has learned from molecules.
NETWORK = "molecules"
#: The one that needs no molecules; see `default_method`. `cginit.guess.direct` makes a better one where a trajectory
#: is at hand.
DEFAULT_MOLECULE_METHOD = "boltzmann"


def default_method(target: Target, start: Configuration | None) -> str:
    """Return the method that is taken when none is named.

    The network, if a start shows molecules of the shapes that the target wants, none longer than the box;
    -kT ln g otherwise. Of the fourteen liquids of ``benchmarks/molecules/starts.md`` thirteen are such ones,
    and the network starts nearer to g on twelve of them and as near on the other; the fourteenth, of chains longer
    than their box, it starts farther from.

    Parameters
    ----------
    target : Target
        Of molecules.
    start : Configuration or None
        What `guess_molecules` is given.
    """
    if start is None or not target.rdfs:
        return DEFAULT_MOLECULE_METHOD
    return "network" if has_wanted_shapes(target, start) and fits_its_box(start) else DEFAULT_MOLECULE_METHOD


def guess_molecules(
    target: Target,
    method: str | None = None,
    r_cut: float | Interactions[float] | None = None,
    start: Configuration | None = None,
) -> Interactions[Potential]:
    r"""Propose the potentials of all pairs, bonds, angles and dihedrals of a state that have a target.

    Bonded terms are the Boltzmann inversions of their distributions, with the measure of each and walls where nothing
    was seen.

    Parameters
    ----------
    target : Target
        Of molecules.
    method : {"boltzmann", "hnc", "verlet", "network"}, optional
        Of the pairs, by default that of `default_method`: :math:`-kT \ln g`, or the inversion of the Ornstein-Zernike
        equation with the structure :math:`\Omega(k)` of the molecules of `start`, closed by the hypernetted chain, by
        the bridge function of Verlet (`cginit.liquid.bridge`), or by that of the network of connected beads, which
        sees g and h - c of each pair and the density of all beads. A pair that is unlike the training of the network
        has that of Verlet. Where the equation has no solution, -kT ln g stands in. The notes of the potentials say
        both.
    r_cut : float or Interactions of float, optional
        Cut-off of all pairs, or of each; by default each has that of a single species with its g(r).
    start : Configuration, optional
        Molecules of the shapes that they have in the liquid, at the density of the target; for all but ``boltzmann``.
        Of a target that counts pairs inside molecules, too, they tell how many (`cginit.guess.far_pairs`).

    Raises
    ------
    InputError
        If the method is unknown, a cut-off lies beyond the target, or a method that needs a start has none.
    """
    method = default_method(target, start) if method is None else method
    if method not in MOLECULE_METHODS:
        raise InputError(f"unknown method {method!r} for molecules; known are {', '.join(MOLECULE_METHODS)}")
    found: dict[Interaction, Potential] = {}
    structure: _Structure | None = None
    notes: tuple[str, ...] = ()
    visible = _visible(target)
    if method != "boltzmann" and target.rdfs:
        if start is None:
            raise InputError(
                f"the method {method} needs a start configuration, for the shapes of the molecules; give one, or "
                "take boltzmann"
            )
        between = _between(target, start)
        seen = visible if between is target else _visible(between)
        try:
            structure = _structure_of(between, seen, start, twice=method == "network")
            target, visible = between, seen
        except ConvergenceError as error:
            notes = (f"-kT ln g stands in for {method}: {error}",)
    for pair, one in visible.items():
        cutoff = pair_cutoff(target, pair, r_cut)
        if structure is None:
            found[pair] = _closed(target, one, np.zeros(one.target.r.size), cutoff, "boltzmann", notes)
        else:
            found[pair] = structure.potential(target, pair, one, cutoff, method)
    for name, curve in target.distributions.items():
        found[name] = COORDINATES[name.coordinate].invert(curve, target.kT)
    return Interactions(found)


def _visible(target: Target) -> dict[Interaction, VisibleTarget]:
    return {pair: visible_target(curve) for pair, curve in target.rdfs.items()}


def _between(target: Target, start: Configuration) -> Target:
    """Return the target with the g(r) of pairs of different molecules, where only pairs inside them are left out."""
    if target.counts_between_molecules or not target.leaves_out_inside_only:
        return target
    curves = {pair: between_molecules(target, pair, start) for pair in target.rdfs}
    return replace(target, rdfs=Interactions(curves), target_exclusions="molecule")


def _closed(
    target: Target, one: VisibleTarget, added: Array, r_cut: float, method: str, notes: tuple[str, ...]
) -> PairPotential:
    """Return -kT ln g and what is added to it, in kT ``(n,)`` on the grid of the target."""
    u = closed(one.target.g, added)
    return potential_from(one, target.kT * u, target.state, r_cut, method, notes=notes)


@dataclass(frozen=True, eq=False)
class _Structure:
    """h - c ``(n,)`` of each pair on the grid of its target; `freer` follows the noise of g less."""

    gamma: dict[Interaction, Array]
    freer: dict[Interaction, Array]

    def potential(
        self, target: Target, pair: Interaction, one: VisibleTarget, r_cut: float, method: str
    ) -> PairPotential:
        gamma = self.gamma[pair]
        bridged = gamma + modified_verlet(gamma)
        if method != "network":
            return _closed(target, one, gamma if method == "hnc" else bridged, r_cut, method, ())
        learned = NetworkGuess(NETWORK, fallback=False).of_correlations(
            target.rdfs[pair], target.state, r_cut, np.array([gamma, self.freer[pair]])
        )
        outside = [note for note in learned.notes if note.startswith(OUTSIDE)]
        if not outside:
            return learned
        notes = tuple(f"the bridge function of Verlet stands in for the network: {note}" for note in outside)
        return _closed(target, one, bridged, r_cut, "verlet", notes)


def _structure_of(
    target: Target, visible: dict[Interaction, VisibleTarget], start: Configuration, *, twice: bool
) -> _Structure:
    """Solve the equation with the molecules, `twice` with both weights of the noise that the network has seen.

    Raises
    ------
    ConvergenceError
        If a pair has no g(r), the g(r) are not those between molecules, or there is no solution.
    """
    if len(visible) < len(all_pairs(target.densities)):
        raise ConvergenceError("some pairs have no g(r)")
    if not target.counts_between_molecules:
        raise ConvergenceError("the g(r) are not those between different molecules")
    molecules = MoleculeStructure([start])
    gamma = _indirect_correlations(target, visible, molecules, NOISE_WEIGHT)
    freer = _indirect_correlations(target, visible, molecules, WEIGHTS[1]) if twice else {}
    return _Structure(gamma, freer)


def _indirect_correlations(
    target: Target,
    visible: dict[Interaction, VisibleTarget],
    molecules: MoleculeStructure,
    noise_weight: float,
) -> dict[Interaction, Array]:
    """Return h - c ``(n,)`` of each pair on the grid of its target, from the equation with the molecules."""
    nodes, g, error = (np.array(one) for one in zip(*map(on_sine_nodes, visible.values()), strict=True))
    found = invert_pairs(
        nodes[0],
        g,
        np.array(list(target.densities.values())),
        error=error,
        noise_weight=noise_weight,
        intramolecular=molecules,
        names=[str(pair) for pair in visible],
    )
    return {
        pair: np.interp(one.target.r, found.r, gamma)
        for (pair, one), gamma in zip(visible.items(), found.gamma, strict=True)
    }
