"""Start potentials of molecules: bonded terms by Boltzmann inversion, pairs with the structure of the molecules."""

from __future__ import annotations

import numpy as np

from cginit.bonded import Potential
from cginit.configuration import Configuration
from cginit.coordinates import COORDINATES
from cginit.curves import Array
from cginit.errors import ConvergenceError, InputError
from cginit.guess import default_cutoff
from cginit.guess.assembly import VisibleTarget, potential_from, visible_target
from cginit.interactions import Interaction, Interactions, all_pairs
from cginit.liquid.fourier import sine_nodes
from cginit.liquid.ornstein_zernike import invert_pairs
from cginit.sampling import MoleculeStructure
from cginit.target import Target

__all__ = ["DEFAULT_MOLECULE_METHOD", "MOLECULE_METHODS", "guess_molecules"]

MOLECULE_METHODS = ("boltzmann", "hnc")
#: The one taken when none is named: the other is not better for every pair, and needs a start configuration.
DEFAULT_MOLECULE_METHOD = "boltzmann"


def guess_molecules(
    target: Target,
    method: str = DEFAULT_MOLECULE_METHOD,
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
    method : {"boltzmann", "hnc"}
        Of the pairs: :math:`-kT \ln g`, or the hypernetted-chain inversion of the Ornstein-Zernike equation with the
        structure :math:`\Omega(k)` of the molecules of `start`. Where that has no solution, -kT ln g stands in, and
        the notes of the potentials say so.
    r_cut : float or Interactions of float, optional
        Cut-off of all pairs, or of each; by default each has that of a single species with its g(r).
    start : Configuration, optional
        Molecules of the shapes that they have in the liquid, at the density of the target; for ``hnc``.

    Raises
    ------
    InputError
        If the method is unknown, a cut-off lies beyond the target, or ``hnc`` has no start.
    """
    if method not in MOLECULE_METHODS:
        raise InputError(f"unknown method {method!r} for molecules; known are {', '.join(MOLECULE_METHODS)}")
    visible = {pair: visible_target(curve) for pair, curve in target.rdfs.items()}
    gamma: dict[Interaction, Array] = {}
    notes: tuple[str, ...] = ()
    used = "boltzmann"
    if method == "hnc" and visible:
        if start is None:
            raise InputError("the method hnc needs a start configuration, for the shapes of the molecules")
        try:
            gamma = _indirect_correlations(target, visible, start)
            used = "hnc"
        except ConvergenceError as error:
            notes = (f"-kT ln g stands in for hnc: {error}",)
    found: dict[Interaction, Potential] = {}
    for pair, one in visible.items():
        with np.errstate(divide="ignore"):
            u = -np.log(one.target.g) + gamma.get(pair, 0.0)
        cutoff = r_cut[pair] if isinstance(r_cut, Interactions) else r_cut
        if cutoff is None:
            cutoff = default_cutoff(target.rdfs[pair], target.state)
        if cutoff > one.target.r_max * (1.0 + 1e-9):
            raise InputError(
                f"the cut-off {cutoff:g} lies beyond g(r) of {pair}, which ends at {one.target.r_max:g}"
            )
        found[pair] = potential_from(one, target.kT * u, target.state, cutoff, used, notes=notes)
    for name, curve in target.distributions.items():
        found[name] = COORDINATES[name.coordinate].invert(curve, target.kT)
    return Interactions(found)


def _indirect_correlations(
    target: Target, visible: dict[Interaction, VisibleTarget], start: Configuration
) -> dict[Interaction, Array]:
    """Return h - c ``(n,)`` of each pair on the grid of its target, from the equation with the molecules."""
    if len(visible) < len(all_pairs(target.densities)):
        raise ConvergenceError("some pairs have no g(r)")
    if not target.counts_between_molecules:
        raise ConvergenceError("the g(r) are not those between different molecules")
    placed = [sine_nodes(one.target.r, one.target.g, one.error) for one in visible.values()]
    nodes = placed[0][0]
    g = [
        np.where(nodes < one.target.r[one.first], 0.0, values)
        for one, (_, values, _) in zip(visible.values(), placed, strict=True)
    ]
    found = invert_pairs(
        nodes,
        np.array(g),
        np.array(list(target.densities.values())),
        error=np.array([error for _, _, error in placed]),
        intramolecular=MoleculeStructure([start]),
        names=[str(pair) for pair in visible],
    )
    return {
        pair: np.interp(one.target.r, found.r, gamma)
        for (pair, one), gamma in zip(visible.items(), found.gamma, strict=True)
    }
