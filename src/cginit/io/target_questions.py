"""All that is asked about a target before it is refined, whatever files describe it: one state of any kind."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

import numpy as np

from cginit.configuration import Configuration
from cginit.curves import RDF
from cginit.errors import InputError
from cginit.interactions import Interaction, all_pairs
from cginit.io.checks import check_target, refuse_two_phases
from cginit.io.molecule_questions import PAIRS_THAT_COUNT, question_molecules
from cginit.io.start_questions import question_start
from cginit.io.state_questions import question_state, question_temperature
from cginit.target import Target

__all__ = ["question_target"]


def question_target(
    target: Target,
    *,
    start: Configuration | None = None,
    given: Collection[Interaction] = (),
    norm: str = PAIRS_THAT_COUNT,
    certain: Collection[Interaction] = (),
    r_cuts: Mapping[Interaction, float] | None = None,
) -> tuple[str, ...]:
    """Return what is odd about a target, its state, its molecules and the configuration of their topology.

    What can be asked about the file of a g(r) alone, `cginit.io.question_curve` has asked where it was read.

    Parameters
    ----------
    target : Target
        One bead type, a mixture or molecules.
    start : Configuration, optional
        That of the topology, in the units of the target.
    given : collection of Interaction
        Bonds, angles and dihedrals whose table stays.
    norm : str
        What the g(r) of molecules were divided by, before they were converted; see `question_molecules`.
    certain : collection of Interaction
        Pairs whose files state that they were divided by the pairs that count.
    r_cuts : mapping of Interaction to float, optional
        Cut-offs that are wanted.

    Raises
    ------
    InputError
        If a g(r) cannot be that of a homogeneous liquid, or does not fit the molecules.
    """
    alone = target.topology is None and len(target.species) == 1
    notes = []
    for name, curve in target.rdfs.items():
        try:
            if alone:
                refuse_two_phases(curve, target.state)
            found = check_target(
                curve, None if r_cuts is None else r_cuts.get(name), target.state if alone else None
            )
        except InputError as error:
            raise error if alone else InputError(f"{name}: {error}") from None
        notes += [text if alone else f"{name}: {text}" for text in found]
    if not alone:
        notes += _of_all_beads(target)
    notes += question_molecules(target, norm, certain)
    if target.distributions:
        # Distributions of loose beads there are none, and a guess does not load what counts them.
        from cginit.coordinates import straight_chains

        notes += [
            f"{name}: {one}. Where runs blow up, leave its target out"
            for name, one in straight_chains(target.distributions).items()
        ]
    if start is not None:
        notes += question_start(target, start, given)
    return tuple(dict.fromkeys(notes))


def _of_all_beads(target: Target) -> tuple[str, ...]:
    r"""Question bead, temperature and density by the g of all beads, :math:`\sum_{ab} x_a x_b g_{ab}`.

    What S(0) means for one bead type of a mixture or of a molecule is another question.
    """
    pairs = all_pairs(target.densities)
    if any(pair not in target.rdfs for pair in pairs):
        return question_temperature(target.kT, target.units)
    parts = np.array([target.density_product(pair) for pair in pairs])
    curves = np.array([target.rdfs[pair].g for pair in pairs])
    first: RDF = target.rdfs[pairs[0]]
    mean = replace(first, g=parts @ curves / parts.sum(), error=None, beads=None, long_wave=None)
    mean = replace(mean, structure_factor=None)
    return question_state(mean, target.state, loose=target.topology is None)
