"""The start potentials of a settings file: tables beside it, or guesses."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from cginit.curves import PairPotential
from cginit.errors import InputError
from cginit.extrapolate import resampled
from cginit.guess import REFINEMENT_METHOD, guess
from cginit.guess.mixture import DEFAULT_MIXTURE_METHOD, MIXTURE_METHODS, guess_mixture
from cginit.guess.molecules import MOLECULE_METHODS, default_method, guess_molecules
from cginit.interactions import Interaction, Interactions
from cginit.io import read_table
from cginit.target import Target
from cginit.units import NM_KJ
from cginit.votca.molecules import Molecules
from cginit.votca.settings import PairSection, Settings
from cginit.votca.target import cutoff_of

__all__ = ["start_potentials", "table_of"]


def start_potentials(
    settings: Settings,
    interactions: Interactions[PairSection],
    target: Target,
    method: str | None,
    molecules: Molecules | None = None,
) -> tuple[Interactions[PairPotential], list[str]]:
    """Return the start of each interaction: its table where there is one, else a guess; and notes."""
    step = next(iter(target.rdfs.values())).dr
    cutoffs = interactions.map(lambda item: cutoff_of(settings, item, step))
    tables = interactions.map(lambda item: settings.folder / f"{item.name}.pot.in")
    stated, wanted = settings.option("cginit.method"), _initial_guess(settings)
    from_tables = method is None and not stated and wanted == "table"
    present = {name for name, table in tables.items() if from_tables and table.is_file()}
    if from_tables and settings.method == "iie" and len(present) < len(tables):
        absent = next(table for name, table in tables.items() if name not in present)
        raise InputError(f"{settings.path}: iie.initial_guess.method is table, but {absent} is absent")
    notes = [f"start: {tables[name].name}" for name in present]
    guessed: Mapping[Interaction, PairPotential] = {}
    if len(present) < len(tables):
        chosen = method or stated or _own_guess(settings, target, wanted, molecules)
        guessed, more = (
            _guessed(settings, target, chosen, cutoffs)
            if molecules is None
            else _guessed_molecules(settings, target, chosen, cutoffs, molecules)
        )
        notes += more
    return (
        Interactions(
            {
                name: table_of(tables[name], cutoffs[name], step, target.kT)
                if name in present
                else guessed[name]
                for name in target.pairs
            }
        ),
        notes,
    )


def _initial_guess(settings: Settings) -> str:
    stated = settings.option("iie.initial_guess.method") or settings.option("initial_guess.method")
    wanted = stated or "ie" if settings.method == "iie" else "table"
    if wanted not in ("table", "bi", "ie"):
        raise InputError(f"{settings.path}: iie.initial_guess.method is {wanted}; table, bi and ie exist")
    return wanted


def _own_guess(settings: Settings, target: Target, wanted: str, molecules: Molecules | None) -> str:
    """Return the guess that the settings mean without naming one of cginit's."""
    if settings.method == "iie" and wanted == "bi":
        return "boltzmann"
    if molecules is not None:
        return "hnc" if settings.method == "iie" else default_method(target, molecules.start)
    if settings.method == "iie":
        return settings.option("iie.initial_guess.closure", "hnc")
    return DEFAULT_MIXTURE_METHOD if settings.is_mixture else REFINEMENT_METHOD


def _guessed(
    settings: Settings, target: Target, chosen: str, cutoffs: Interactions[float]
) -> tuple[Mapping[Interaction, PairPotential], list[str]]:
    notes = [_said(settings, chosen)]
    if not settings.is_mixture:
        one = guess(target.rdfs.only(), target.state, chosen, cutoffs.only())
        return Interactions({target.pairs[0]: one}), notes
    if chosen not in MIXTURE_METHODS:
        raise InputError(
            f"{settings.path}: the guess {chosen} is that of a single component; {', '.join(MIXTURE_METHODS)} exist "
            "for mixtures (--method)"
        )
    found = guess_mixture(target, chosen, cutoffs)
    return found, [*notes, *_stand_ins(found)]


def _guessed_molecules(
    settings: Settings, target: Target, chosen: str, cutoffs: Interactions[float], molecules: Molecules
) -> tuple[Mapping[Interaction, PairPotential], list[str]]:
    """Return the guess of all pairs of molecules, and notes."""
    if chosen not in MOLECULE_METHODS:
        raise InputError(
            f"{settings.path}: the guess {chosen} is one of loose beads; {', '.join(MOLECULE_METHODS)} exist for "
            "molecules (--method)"
        )
    found = guess_molecules(target, chosen, cutoffs, molecules.start)
    pairs = {name: one for name, one in found.items() if isinstance(one, PairPotential)}
    return pairs, [_said(settings, chosen), *_stand_ins(pairs)]


def _stand_ins(found: Mapping[Interaction, PairPotential]) -> list[str]:
    """Return what stands in for the guess of each pair; the same sentence of several pairs once."""
    owners: dict[str, list[str]] = {}
    for name, one in found.items():
        for note in one.notes:
            if "stands in" in note:
                owners.setdefault(note, []).append(str(name))
    return [f"{', '.join(names)}: {note}" for note, names in owners.items()]


def _said(settings: Settings, chosen: str) -> str:
    """Return the note on a guess, and what csg_inverse would have started from, where that is another."""
    same = settings.method == "iie" or chosen == "boltzmann"
    return f"start: guess {chosen}" + ("" if same else " (csg_inverse: Boltzmann inversion)")


def table_of(path: Path, r_cut: float, step: float, kT: float) -> PairPotential:
    """Return a start table on multiples of `step` up to the cut-off."""
    table = read_table(path, units=NM_KJ, format="votca")
    if table.r_cut < r_cut - 1e-3 * step:
        # U is 0 beyond the end of a table.
        grid = np.arange(table.r[0], r_cut + 0.5 * step, step)
        table = PairPotential.shifted(grid, np.interp(grid, table.r, table.u, right=0.0), units=NM_KJ)
    elif table.r_cut > r_cut + 1e-3 * step:
        keep = table.r <= r_cut + 1e-3 * step
        table = PairPotential.shifted(table.r[keep], table.u[keep], units=NM_KJ, r_core=table.r_core)
    return resampled(table, np.linspace(0.0, r_cut, round(r_cut / step) + 1), kT)
