"""From a settings file with several bead types to the refinement of a mixture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cginit.configuration import Configuration
from cginit.curves import PairPotential
from cginit.engines.base import Engine, Schedule
from cginit.errors import InputError
from cginit.guess.mixture import DEFAULT_MIXTURE_METHOD, MIXTURE_METHODS, guess_mixture
from cginit.mixture import MixtureTarget, Pair
from cginit.refine.mixture import MixtureRefinement, refine_mixture
from cginit.refine.mixture_store import MixtureIteration
from cginit.refine.mixture_updates import MixtureUpdate
from cginit.votca.bonds import refuse_bonds
from cginit.votca.components import by_pair, densities_of, typed_start
from cginit.votca.mixture_update import mixture_update_of
from cginit.votca.plan import (
    SAME,
    BelowLimit,
    convergence_of,
    iterations_of,
    norm_of,
    run_of,
    schedule_of,
    table_of,
)
from cginit.votca.settings import Interaction, Settings
from cginit.votca.target import cutoff_of, read_interaction

__all__ = ["MixturePlan", "make_mixture_plan", "run_mixture_plan"]

#: Differences in composition from which a start configuration is another mixture.
SAME_COMPOSITION = 1e-2


@dataclass(frozen=True)
class Check:
    """The convergence check of csg_inverse for one pair: factor and norm of its part of the sum."""

    weight: float
    norm: int


@dataclass(frozen=True)
class MixturePlan:
    """The refinement of a mixture as a settings file wants it; change a part with `dataclasses.replace`.

    Attributes
    ----------
    target : MixtureTarget
        g(r) of all pairs, densities and kT.
    potentials : dict of pair to PairPotential
        The start, each with its own cut-off.
    names : dict of pair to str
        Names of the interactions.
    update : MixtureUpdate
        The update rule.
    schedule : Schedule
        Length of each simulation.
    iterations : int
        Cap on simulations.
    start : Configuration or None
        Start configuration.
    limit : float or None
        ``convergence_check.limit``: the sum of the norms of g - g_target at which the run also stops.
    checks : dict of pair to Check
        The parts of that sum.
    notes : tuple of str
        What is done otherwise than csg_inverse would, a sentence each.
    """

    target: MixtureTarget
    potentials: dict[Pair, PairPotential]
    names: dict[Pair, str]
    update: MixtureUpdate
    schedule: Schedule
    iterations: int
    start: Configuration | None
    limit: float | None
    checks: dict[Pair, Check]
    notes: tuple[str, ...] = ()


def make_mixture_plan(
    settings: Settings,
    *,
    method: str | None = None,
    update: str | None = None,
    iterations: int | None = None,
    clean: bool = False,
) -> MixturePlan:
    """Turn a settings file of csg_inverse with several bead types into the refinement of a mixture.

    Parameters
    ----------
    settings : Settings
    method : str, optional
        Guess of the start: ``network``, ``hnc``, ``py`` or ``boltzmann``. By default ``NAME.pot.in`` of each
        interaction where it is there, and for the others what ``iie.initial_guess`` or ``cginit.method`` say, else
        ``network``.
    update : str, optional
        Rule instead of that of the settings; the steps of ``post_update`` stay.
    iterations : int, optional
        Largest number of simulations, instead of ``iterations_max``.
    clean : bool
        See `cginit.io.read_rdf`.

    Raises
    ------
    InputError
        If the settings ask for something that is not done here (named), or a file is absent or wrong.
    """
    if settings.refused:
        raise InputError(f"{settings.path} cannot be run here: {'; '.join(settings.refused)}")
    refuse_bonds(settings)
    interactions = by_pair(settings)
    rule, notes = mixture_update_of(settings, interactions, update)
    found, origin = typed_start(settings)
    densities, stated = densities_of(settings, found)
    target, step, read = _target(settings, interactions, densities, clean)
    potentials, starts = _potentials(settings, interactions, target, step, method)
    run, more = run_of(settings, target.state)
    schedule, also = schedule_of(run, potentials, target.state)
    start, last = _start(settings, target, found, origin)
    limit, checks, checked = _checks(settings, interactions)
    parts = ", ".join(f"{name} {value:.6g}" for name, value in densities.items())
    return MixturePlan(
        target=target,
        potentials=potentials,
        names={pair: item.name for pair, item in interactions.items()},
        update=rule,
        schedule=schedule,
        iterations=iterations_of(settings) if iterations is None else iterations,
        start=start,
        limit=limit,
        checks=checks,
        notes=(
            *starts,
            f"densities in nm^-3: {parts}, from {stated}",
            *read,
            *notes,
            *more,
            *also,
            *last,
            *checked,
            *settings.notes,
        ),
    )


def run_mixture_plan(
    plan: MixturePlan,
    engine: Engine,
    workdir: Path,
    *,
    seed: int = 1,
    wall_time: float | None = None,
    progress: Callable[[MixtureIteration], None] | None = None,
) -> MixtureRefinement:
    """Run the refinement; see `cginit.refine.mixture.refine_mixture` for arguments, continuing and errors."""
    history: list[MixtureIteration] = []

    def watch(iteration: MixtureIteration) -> None:
        history.append(iteration)
        if progress is not None:
            progress(iteration)
        if plan.limit is not None and _sum(plan, iteration) <= plan.limit:
            raise BelowLimit

    try:
        return refine_mixture(
            plan.target,
            plan.potentials,
            engine,
            workdir=workdir,
            update=plan.update,
            schedule=plan.schedule,
            iterations=plan.iterations,
            wall_time=wall_time,
            seed=seed,
            start=plan.start,
            progress=watch,
        )
    except BelowLimit:
        last = history[-1]
        reason = (
            f"converged: after {len(history)} simulations the sum of the norms of g - g_target is "
            f"{_sum(plan, last):.3g}, at most the {plan.limit:g} of convergence_check"
        )
        return MixtureRefinement(last.potentials, tuple(history), reason, True, last.index)


def _sum(plan: MixturePlan, iteration: MixtureIteration) -> float:
    """Return csg_inverse's measure: the sum over the pairs that have one."""
    total = 0.0
    for pair, check in plan.checks.items():
        r_cut = plan.potentials[pair].r_cut
        total += check.weight * norm_of(plan.target.rdfs[pair], iteration.rdfs[pair], r_cut, check.norm)
    return total


def _target(
    settings: Settings, interactions: dict[Pair, Interaction], densities: dict[str, float], clean: bool
) -> tuple[MixtureTarget, float, list[str]]:
    """Return the target on the smallest step of the interactions, that step, and notes."""
    step = min(item.step for item in interactions.values())
    notes = [
        f"{item.name} has step {item.step:g} nm; all pairs of a mixture share the smallest, {step:g} nm"
        for item in interactions.values()
        if abs(item.step / step - 1.0) > 1e-6
    ]
    curves = {}
    for pair, item in interactions.items():
        curves[pair], more = read_interaction(settings, item, step, clean=clean)
        notes += more
    return MixtureTarget(curves, densities, settings.kT), step, notes


def _potentials(
    settings: Settings,
    interactions: dict[Pair, Interaction],
    target: MixtureTarget,
    step: float,
    method: str | None,
) -> tuple[dict[Pair, PairPotential], list[str]]:
    cutoffs = {pair: cutoff_of(settings, item, step) for pair, item in interactions.items()}
    tables = {pair: settings.folder / f"{item.name}.pot.in" for pair, item in interactions.items()}
    stated = settings.option("cginit.method")
    wanted = settings.option("iie.initial_guess.method", "ie") if settings.method == "iie" else "table"
    if wanted not in ("table", "bi", "ie"):
        raise InputError(f"{settings.path}: iie.initial_guess.method is {wanted}; table, bi and ie exist")
    from_tables = method is None and not stated and wanted == "table"
    present = {pair for pair, table in tables.items() if from_tables and table.is_file()}
    chosen = method or stated
    if not chosen and settings.method == "iie" and wanted == "bi":
        chosen = "boltzmann"
    if not chosen and settings.method == "iie":
        chosen = settings.option("iie.initial_guess.closure", "hnc")
    chosen = chosen or DEFAULT_MIXTURE_METHOD
    notes = [f"start: {tables[pair].name}" for pair in present]
    if len(present) == len(tables):
        guessed: dict[Pair, PairPotential] = {}
    elif chosen not in MIXTURE_METHODS:
        raise InputError(
            f"{settings.path}: the guess {chosen} is that of a single component; {', '.join(MIXTURE_METHODS)} exist "
            "for mixtures (--method)"
        )
    else:
        guessed = guess_mixture(target, chosen, cutoffs)
        instead = (
            "" if settings.method == "iie" or chosen == "boltzmann" else " (csg_inverse: Boltzmann inversion)"
        )
        notes.append(f"start: guess {chosen}{instead}")
        notes += [note for one in guessed.values() for note in one.notes if "stands in" in note]
    potentials = {
        pair: table_of(tables[pair], cutoffs[pair], step, target.kT) if pair in present else guessed[pair]
        for pair in target.pairs
    }
    return potentials, list(dict.fromkeys(notes))


def _start(
    settings: Settings, target: MixtureTarget, found: Configuration | None, origin: str
) -> tuple[Configuration | None, list[str]]:
    wanted = settings.option("initial_configuration", "maindir")
    if wanted not in ("maindir", "laststep", "nowhere"):
        raise InputError(
            f"{settings.path}: initial_configuration is {wanted}; maindir, laststep and nowhere exist"
        )
    notes = []
    if wanted == "maindir":
        notes.append(
            "each simulation starts from the last configuration of the one before, not from the main folder"
        )
    if wanted == "nowhere":
        return None, ["the first simulation starts from a random configuration made here"]
    if found is None:
        return None, [*notes, origin]
    counts = np.bincount(found.types, minlength=len(target.species)) / found.n
    parts = np.array(list(target.densities.values())) / target.state.density
    if np.max(np.abs(counts - parts)) > SAME_COMPOSITION:
        return None, [
            *notes,
            "the start configuration has another composition than the densities say; the first simulation starts "
            "from a random one",
        ]
    if abs(found.density / target.state.density - 1.0) > SAME:
        notes.append(
            f"the start configuration has density {found.density:.5g} nm^-3; it is scaled to that of the target"
        )
    return found.at_density(target.state.density), [*notes, origin]


def _checks(
    settings: Settings, interactions: dict[Pair, Interaction]
) -> tuple[float | None, dict[Pair, Check], list[str]]:
    limit, checks = None, {}
    notes: list[str] = []
    for pair, item in interactions.items():
        one, weight, norm, more = convergence_of(settings, item)
        notes += [f"{item.name}: {text}" for text in more]
        if one is not None:
            limit, checks[pair] = one, Check(weight, norm)
    return limit, checks, notes
