"""From a settings file of csg_inverse to a refinement: targets, start, update, schedule, limits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cginit.bonded import Potential
from cginit.configuration import Configuration
from cginit.curves import RDF
from cginit.engines.base import Engine, Schedule
from cginit.errors import InputError
from cginit.interactions import Interaction, Interactions
from cginit.io import question_target, read_rdf_header, refuse_two_phases
from cginit.io.molecule_questions import ALL_PAIRS, of_pairs_that_count, tells_another_norm
from cginit.refine import Limits, Refinement, Round, refine_system
from cginit.refine import Settings as RefinementSettings
from cginit.refine.stop import BelowNorm
from cginit.target import Target
from cginit.topology import Topology
from cginit.units import NM_KJ
from cginit.votca.adjusted import AdjustedUpdate
from cginit.votca.components import by_pair, densities_of, typed_start
from cginit.votca.convergence import iterations_of, stop_of
from cginit.votca.idle import idle_options
from cginit.votca.molecules import Molecules, molecules_of
from cginit.votca.schedule import SAME, charges_note, run_of, schedule_of
from cginit.votca.settings import PairSection, Settings
from cginit.votca.start import start_potentials
from cginit.votca.target import cutoff_of, read_interaction, read_target, topology
from cginit.votca.update import check_method, update_of

__all__ = ["Plan", "make_plan", "run_plan"]

#: Differences in composition from which a start configuration is another mixture.
SAME_COMPOSITION = 1e-2


@dataclass(frozen=True)
class Plan:
    """A refinement as a settings file wants it; change a part with `dataclasses.replace`.

    Attributes
    ----------
    target : Target
        g(r) of all pairs, densities, kT, and the pressure to reach; of molecules also their topology and the
        distributions of bonds, angles and dihedrals.
    potentials : Interactions of PairPotential or BondedPotential
        The start, each with its own cut-off.
    names : Interactions of str
        Names of the interactions in the settings.
    update : AdjustedUpdate
        The update rule, with what each interaction wants done to its change.
    schedule : Schedule
        Length of each simulation.
    limits : Limits
        Caps.
    start : Configuration or None
        Start configuration.
    below : BelowNorm or None
        ``convergence_check``: the sum of the norms of g - g_target at which the run also stops.
    notes : tuple of str
        What is done otherwise than csg_inverse would, a sentence each.
    held : tuple of interaction
        Bonds, angles and dihedrals that keep their potential.
    """

    target: Target
    potentials: Interactions[Potential]
    names: Interactions[str]
    update: AdjustedUpdate
    schedule: Schedule
    limits: Limits
    start: Configuration | None
    below: BelowNorm | None = None
    notes: tuple[str, ...] = ()
    held: tuple[Interaction, ...] = ()


def make_plan(
    settings: Settings,
    *,
    method: str | None = None,
    update: str | None = None,
    density: float | None = None,
    iterations: int | None = None,
    clean: bool = True,
) -> Plan:
    """Turn a settings file of csg_inverse into a refinement here.

    Parameters
    ----------
    settings : Settings
        With one interaction, or those of all pairs of a mixture.
    method : str, optional
        Guess of the start. By default ``NAME.pot.in`` beside the settings for each interaction where it is there,
        else what ``iie.initial_guess`` or ``cginit.method`` say, else cginit's own.
    update : str, optional
        Rule instead of that of the settings; the steps of ``post_update`` stay.
    density : float, optional
        In nm^-3, where no file states it; of a single component.
    iterations : int, optional
        Largest number of simulations, instead of ``iterations_max``.
    clean : bool
        Whether small negative values of g(r) count as 0, as for csg_inverse; see `cginit.io.read_rdf`.

    Raises
    ------
    InputError
        If the settings ask for something that is not done here (named), or a file is absent or wrong.
    """
    if update is None:
        check_method(settings)
    molecules = molecules_of(settings)
    interactions, target, start, read = _read(settings, molecules, density, clean)
    refined = molecules is not None and set(molecules.distributions) - set(molecules.held)
    rule, pressure, notes = update_of(settings, interactions, update, beside=bool(refined))
    target = replace(target, pressure=pressure)
    pairs, starts = start_potentials(settings, interactions, target, method, molecules)
    run, more = run_of(settings, target.state)
    schedule, also = schedule_of(run, {name.types: one for name, one in pairs.items()}, target.state)
    # Of molecules it is said where their topology is read.
    charged = charges_note(settings) if molecules is None else []
    below, checked = stop_of(settings, interactions)
    potentials: dict[Interaction, Potential] = dict(pairs.items())
    potentials |= {} if molecules is None else dict(molecules.potentials.items())
    names = {name: item.name for name, item in interactions.items()}
    names |= {} if molecules is None else dict(molecules.names.items())
    return Plan(
        target=target,
        potentials=Interactions(potentials),
        names=Interactions(names),
        update=rule,
        schedule=schedule,
        limits=Limits(iterations_of(settings) if iterations is None else iterations),
        start=start,
        below=below,
        notes=tuple(
            dict.fromkeys(
                (
                    *starts,
                    *read,
                    *notes,
                    *more,
                    *also,
                    *charged,
                    *checked,
                    *idle_options(settings),
                    *settings.refused,
                    *settings.notes,
                )
            )
        ),
        held=() if molecules is None else molecules.held,
    )


def run_plan(
    plan: Plan,
    engine: Engine,
    workdir: Path,
    *,
    settings: RefinementSettings | None = None,
    progress: Callable[[Round], None] | None = None,
) -> Refinement:
    """Run the refinement of a settings file; see `cginit.refine.refine_system` for continuing and errors.

    Of `settings`, schedule and limits are those of the plan.
    """
    return refine_system(
        plan.target,
        plan.potentials,
        engine,
        plan.update,
        workdir=workdir,
        settings=replace(settings or RefinementSettings(), schedule=plan.schedule, limits=plan.limits),
        held=(*plan.update.held, *plan.held),
        starts=[plan.start],
        stop=() if plan.below is None else (plan.below,),
        progress=progress,
    )


Read = tuple[Interactions[PairSection], Target, Configuration | None, list[str]]


def _read(settings: Settings, molecules: Molecules | None, density: float | None, clean: bool) -> Read:
    """Return the interactions of all pairs, their targets, the start configuration and notes.

    Raises
    ------
    InputError
        If molecules have several beads, and nothing says how they are bonded.
    """
    if molecules is not None:
        return _of_molecules(settings, molecules, density, clean)
    read = (_mixture if settings.is_mixture else _one_component)(settings, density, clean)
    if set(settings.option("iie.n_intra", "1").split()) != {"1"}:
        raise InputError(
            f"{settings.path}: iie.n_intra is {settings.option('iie.n_intra')}, so that molecules have several "
            "beads, but neither a map nor the topology says how they are bonded"
        )
    return read


def _one_component(settings: Settings, density: float | None, clean: bool) -> Read:
    """Return the only interaction, its target, the start configuration and notes."""
    problem = read_target(settings, density=density, clean=clean)
    refuse_two_phases(problem.target, problem.state)
    item = settings.interaction
    # A type may be a pattern, which is no name of a bead.
    species = item.type1 if item.type1 == item.type2 and item.type1.isalnum() else item.name
    target = Target.of(problem.target, problem.state, species=species)
    found, notes = _plain_start(settings)
    start, more = _start(settings, target, found, notes)
    return Interactions({(species, species): item}), target, start, [*problem.notes, *more]


def _mixture(settings: Settings, density: float | None, clean: bool) -> Read:
    """Return the interactions of all pairs, their targets, the start configuration and notes."""
    if density is not None:
        raise InputError(
            f"{settings.path} has {len(settings.interactions)} pairs, and --density is that of a single component; "
            "give the densities as cginit.density or particle_dens"
        )
    interactions: Interactions[PairSection] = Interactions(by_pair(settings))
    found, origin = typed_start(settings)
    densities, stated = densities_of(settings, found)
    parts = ", ".join(f"{name} {value:.6g}" for name, value in densities.items())
    curves, notes = _curves(settings, interactions, clean)
    notes = [f"densities in nm^-3: {parts}, from {stated}", *notes]
    target = Target(curves, densities, settings.kT)
    asked = question_target(target, r_cuts=_cutoffs(settings, interactions))
    start, more = _start(settings, target, found, [origin])
    return interactions, target, start, [*notes, *asked, *more]


def _cutoffs(settings: Settings, interactions: Interactions[PairSection]) -> dict[Interaction, float]:
    step = min(item.step for item in interactions.values())
    return {name: cutoff_of(settings, item, step) for name, item in interactions.items()}


def _curves(
    settings: Settings, interactions: Interactions[PairSection], clean: bool
) -> tuple[dict[Interaction, RDF], list[str]]:
    """Return the g(r) of all pairs on the smallest of their steps, and notes."""
    step = min(item.step for item in interactions.values())
    notes = [
        f"{item.name} has step {item.step:g} nm; all pairs of a mixture share the smallest, {step:g} nm"
        for item in interactions.values()
        if abs(item.step / step - 1.0) > 1e-6
    ]
    curves: dict[Interaction, RDF] = {}
    for name, item in interactions.items():
        curves[name], more = read_interaction(settings, item, step, clean=clean)
        notes += more
    return curves, notes


def _of_molecules(settings: Settings, molecules: Molecules, density: float | None, clean: bool) -> Read:
    """Return the interactions of all pairs of the beads of molecules, their targets, the start and notes."""
    interactions: Interactions[PairSection] = Interactions(by_pair(settings))
    curves, notes = _curves(settings, interactions, clean)
    whole = molecules.start.density if density is None else density
    topology = molecules.topology
    target = Target(
        curves,
        whole,
        settings.kT,
        topology=topology,
        target_exclusions=molecules.target_exclusions,
        distributions=molecules.distributions,
    )
    target, converted = _of_pairs_that_count(target, topology, interactions)
    asked = question_target(
        target,
        start=molecules.start,
        given=list(molecules.potentials),
        r_cuts=_cutoffs(settings, interactions),
    )
    origin = "the start configuration" if density is None else "--density"
    notes = [
        f"density of all beads {whole:.6g} nm^-3, from {origin}",
        *notes,
        *molecules.notes,
        *converted,
        *asked,
    ]
    start, more = _start(settings, target, molecules.start, [])
    return interactions, target, start, [*notes, *more]


def _of_pairs_that_count(
    target: Target, topology: Topology, interactions: Interactions[PairSection]
) -> tuple[Target, list[str]]:
    """Return the target with the norm of here: csg_stat divides by all pairs, whichever it leaves out.

    A g(r) whose file or whose sum over the box says so was divided by those that count already.
    """
    found, notes = target, []
    factors: list[str] = []
    for name, curve in target.rdfs.items():
        part = topology.part_left(name, target.target_exclusions)
        if not 0.0 < part < 1.0 or read_rdf_header(interactions[name].target).left_out:
            continue
        converted = of_pairs_that_count(curve, topology, name, target.target_exclusions)
        tried = replace(found, rdfs=Interactions({**found.rdfs, name: converted}))
        total = tells_another_norm(tried, name, ALL_PAIRS)
        if total is None:
            found = tried
            factors.append(f"{name} {1.0 / part:.5g}")
        else:
            notes.append(
                f"{name}: over the box g(r) adds up to {total * part:.4f} of the pairs that count: it was divided by "
                "these, and not by all pairs as csg_stat does"
            )
    if factors:
        notes.append(
            "csg_stat divides g(r) by all pairs, also by those that it leaves out; it is divided by the pairs that "
            f"count once it is taken times {', '.join(factors)}"
        )
    return found, notes


def _plain_start(settings: Settings) -> tuple[Configuration | None, list[str]]:
    """Return the beads of the topology of a single component, and notes."""
    from cginit.trajectory import read_configuration

    found = topology(settings)
    if found is None:
        return None, ["the first one starts from a random configuration made here"]
    path, units = found
    try:
        return read_configuration(path, units=units).to(NM_KJ), []
    except InputError as error:
        return None, [f"{error}; the first one starts from a random configuration made here"]


def _start(
    settings: Settings, target: Target, found: Configuration | None, origin: list[str]
) -> tuple[Configuration | None, list[str]]:
    """Return the start configuration at the density of the target, and notes."""
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
        return None, [*notes, *origin]
    if len(target.species) > 1:
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
    return found.at_density(target.state.density), [*notes, *origin]
