"""From a settings file to a refinement: start, update, schedule, limits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cginit.configuration import Configuration
from cginit.curves import RDF, PairPotential
from cginit.engines.base import Engine, Potentials, Schedule, length_scale
from cginit.errors import InputError
from cginit.extrapolate import resampled
from cginit.guess import REFINEMENT_METHOD, guess
from cginit.io import read_table
from cginit.refine import DEFAULT_SCHEDULE, Iteration, Limits, Refinement, refine
from cginit.refine.replicas import ONE, Replicas
from cginit.refine.updates import Update
from cginit.state import StatePoint
from cginit.units import NM_KJ
from cginit.votca.bonds import refuse_bonds
from cginit.votca.components import mass_rows
from cginit.votca.script import RunPlan, read_lammps_script, read_mdp
from cginit.votca.settings import Interaction, Settings
from cginit.votca.target import VotcaTarget, read_target, topology
from cginit.votca.update import update_of

__all__ = ["Plan", "make_plan", "run_plan"]

#: Relative difference from which two temperatures or densities are worth a note.
SAME = 2e-3


@dataclass(frozen=True)
class Plan:
    """A refinement as a settings file wants it; change a part with `dataclasses.replace`.

    Attributes
    ----------
    problem : VotcaTarget
        Target, state and cut-off.
    potential : PairPotential
        The start.
    update : Update
        The update rule.
    schedule : Schedule
        Length of each simulation.
    limits : Limits
        Caps.
    start : Configuration or None
        Start configuration.
    limit : float or None
        ``convergence_check.limit``: the norm of g - g_target at which the run also stops.
    weight : float
        Its factor.
    norm : int
        1: sum over the grid of the absolute difference, 2: of its square.
    notes : tuple of str
        What is done otherwise than csg_inverse would, a sentence each.
    """

    problem: VotcaTarget
    potential: PairPotential
    update: Update
    schedule: Schedule
    limits: Limits
    start: Configuration | None
    limit: float | None = None
    weight: float = 1.0
    norm: int = 1
    notes: tuple[str, ...] = ()

    @property
    def target(self) -> RDF:
        """The g(r) to reproduce."""
        return self.problem.target

    @property
    def state(self) -> StatePoint:
        """Its state."""
        return self.problem.state


def make_plan(
    settings: Settings,
    *,
    method: str | None = None,
    density: float | None = None,
    iterations: int | None = None,
    clean: bool = False,
) -> Plan:
    """Turn a settings file of csg_inverse into a refinement here.

    Parameters
    ----------
    settings : Settings
    method : str, optional
        Guess of the start. By default ``NAME.pot.in`` beside the settings where it is there, else what
        ``iie.initial_guess`` or ``cginit.method`` say, else cginit's own.
    density : float, optional
        In nm^-3, where no file states it.
    iterations : int, optional
        Largest number of simulations, instead of ``iterations_max``.
    clean : bool
        See `cginit.io.read_rdf`.

    Raises
    ------
    InputError
        If the settings ask for something that is not done here (named), or a file is absent or wrong.
    """
    problems = list(settings.refused)
    if problems:
        raise InputError(f"{settings.path} cannot be run here: {'; '.join(problems)}")
    refuse_bonds(settings)
    problem = read_target(settings, density=density, clean=clean)
    update, notes = update_of(settings)
    potential, origin = _first(settings, problem, method)
    run, more = run_of(settings, problem.state)
    schedule, also = schedule_of(run, potential, problem.state)
    start, last = _start(settings, problem.state)
    limit, weight, norm, check = convergence_of(settings, settings.interaction)
    return Plan(
        problem=problem,
        potential=potential,
        update=update,
        schedule=schedule,
        limits=Limits(iterations_of(settings) if iterations is None else iterations),
        start=start,
        limit=limit,
        weight=weight,
        norm=norm,
        notes=(origin, *problem.notes, *notes, *more, *also, *last, *check, *settings.notes),
    )


def run_plan(
    plan: Plan,
    engine: Engine,
    workdir: Path,
    *,
    seed: int = 1,
    adaptive: bool = True,
    reweighting: bool = True,
    replicas: Replicas = ONE,
    longest: int | None = None,
    progress: Callable[[Iteration], None] | None = None,
) -> Refinement:
    """Run the refinement of a settings file; see `cginit.refine.refine` for arguments, continuing and errors."""
    history: list[Iteration] = []

    def watch(iteration: Iteration) -> None:
        history.append(iteration)
        if progress is not None:
            progress(iteration)
        if plan.limit is not None and _norm(plan, iteration.rdf) <= plan.limit:
            raise BelowLimit

    try:
        return refine(
            plan.target,
            plan.state,
            plan.potential,
            engine,
            plan.update,
            workdir=workdir,
            schedule=plan.schedule,
            limits=plan.limits,
            seed=seed,
            start=plan.start,
            adaptive=adaptive,
            reweighting=reweighting,
            replicas=replicas,
            longest=longest,
            progress=watch,
        )
    except BelowLimit:
        last = history[-1]
        reason = (
            f"converged: after {len(history)} simulations the norm of g - g_target is {_norm(plan, last.rdf):.3g}, "
            f"at most the {plan.limit:g} of convergence_check (chi^2 per point {last.distance.chi2:.2f})"
        )
        return Refinement(last.potential, last.rdf, tuple(history), reason, True, last.index)


class BelowLimit(Exception):  # noqa: N818 - no error: the way out of the loop
    """The limit of convergence_check is reached."""


def _norm(plan: Plan, rdf: RDF) -> float:
    return plan.weight * norm_of(plan.target.with_core(), rdf, plan.problem.r_cut, plan.norm)


def norm_of(target: RDF, rdf: RDF, r_cut: float, norm: int) -> float:
    """Return csg_inverse's measure of g - g_target: the sum over the points of the grid up to the cut-off."""
    r = target.r[target.r <= r_cut + 1e-6 * target.dr]
    sampled = rdf.with_core()
    difference = np.abs(np.interp(r, sampled.r, sampled.g) - target.g[: r.size])
    return float(np.sum(difference**norm))


def _first(settings: Settings, problem: VotcaTarget, method: str | None) -> tuple[PairPotential, str]:
    name = settings.interaction.name
    table = settings.folder / f"{name}.pot.in"
    stated = settings.option("cginit.method")
    wanted = settings.option("iie.initial_guess.method", "ie") if settings.method == "iie" else "table"
    if method is None and not stated and wanted == "table" and table.is_file():
        return table_of(table, problem.r_cut, problem.target.dr, problem.state.kT), f"start: {table.name}"
    if method is None and settings.method == "iie" and wanted == "table":
        raise InputError(f"{settings.path}: iie.initial_guess.method is table, but {table} is absent")
    if method is None and settings.method == "iie":
        if wanted not in ("bi", "ie"):
            raise InputError(f"{settings.path}: iie.initial_guess.method is {wanted}; table, bi and ie exist")
        method = "boltzmann" if wanted == "bi" else settings.option("iie.initial_guess.closure", "hnc")
    chosen = method or stated or REFINEMENT_METHOD
    potential = guess(problem.target, problem.state, chosen, problem.r_cut)
    instead = (
        "" if settings.method == "iie" or chosen == "boltzmann" else " (csg_inverse: Boltzmann inversion)"
    )
    return potential, f"start: guess {chosen}{instead}"


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


def run_of(settings: Settings, state: StatePoint) -> tuple[RunPlan, tuple[str, ...]]:
    """Return what the files of the simulation program say of the run."""
    equi_time = 0.0
    script = settings.program_option("script")
    if settings.program == "lammps" and script:
        run = read_lammps_script(settings.file(script, "the LAMMPS script"), settings.program_option("traj"))
        if run.mass is None:
            run = replace(run, mass=min(masses_of(settings), default=None))
    elif settings.program == "gromacs":
        run = read_mdp(settings.file(settings.program_option("mdp", "grompp.mdp"), "the parameter file"))
        equi_time = _float(settings, "equi_time")
    else:
        return RunPlan(), (
            f"nothing of the run is read for the program {settings.program}: steps and time step are the defaults; "
            "give --equilibration, --production, --every and --dt",
        )
    notes = list(run.notes)
    if run.temperature is not None:
        kT = run.temperature * NM_KJ.boltzmann()
        if abs(kT / state.kT - 1.0) > SAME:
            notes.append(
                f"the run is at {run.temperature:g} K (kT {kT:.5g}), the settings say kBT {state.kT:g}: kBT counts"
            )
    return run.shifted(int(_float(settings, "first_frame")), equi_time), tuple(notes)


def _float(settings: Settings, name: str) -> float:
    text = settings.program_option(name, "0")
    try:
        return float(text)
    except ValueError:
        raise InputError(f"{settings.path}: {settings.program}.{name} is {text!r}, not a number") from None


def masses_of(settings: Settings) -> list[float]:
    """Return the masses of the bead types of a LAMMPS data file."""
    found = topology(settings)
    if found is None:
        return []
    return [float(words[1]) for words, _ in mass_rows(found[0]) if len(words) > 1]


def schedule_of(run: RunPlan, potential: Potentials, state: StatePoint) -> tuple[Schedule, tuple[str, ...]]:
    """Return the schedule: steps as they are, times in multiples of a sqrt(m / kT)."""
    schedule = DEFAULT_SCHEDULE
    notes: list[str] = []
    if run.production is None or run.every is None:
        notes.append(
            "the number of steps is not stated; the defaults are taken (--equilibration, --production, --every)"
        )
    else:
        # The steps in which displacements are limited belong to the equilibration.
        equilibration = max(0, (run.equilibration or 0) - schedule.push_off)
        schedule = replace(
            schedule,
            equilibration=equilibration,
            production=run.production,
            every=min(run.every, run.production),
        )
    if run.mass is None or run.timestep is None:
        what = "mass" if run.mass is None else "time step"
        notes.append(f"no {what} is stated; the time step is {schedule.dt:g} a sqrt(m/kT) (--dt)")
        return schedule, tuple(notes)
    # In nm, g/mol and kJ/mol, a sqrt(m / kT) is in ps.
    tau = length_scale(potential, state) * float(np.sqrt(run.mass / state.kT))
    friction = schedule.friction if run.relaxation is None else tau / run.relaxation
    return replace(schedule, dt=run.timestep / tau, friction=friction), tuple(notes)


def _start(settings: Settings, state: StatePoint) -> tuple[Configuration | None, tuple[str, ...]]:
    wanted = settings.option("initial_configuration", "maindir")
    if wanted not in ("maindir", "laststep", "nowhere"):
        raise InputError(
            f"{settings.path}: initial_configuration is {wanted}; maindir, laststep and nowhere exist"
        )
    notes = []
    found = None if wanted == "nowhere" else topology(settings)
    if wanted == "maindir":
        notes.append(
            "each simulation starts from the last configuration of the one before, not from the main folder"
        )
    if found is None:
        return None, (*notes, "the first one starts from a random configuration made here")
    from cginit.trajectory import read_configuration

    path, units = found
    try:
        start = read_configuration(path, units=units).to(NM_KJ)
    except InputError as error:
        return None, (*notes, f"{error}; the first one starts from a random configuration made here")
    if abs(start.density / state.density - 1.0) > SAME:
        notes.append(f"{path.name} has density {start.density:.5g} nm^-3; it is scaled to that of the target")
    return start, tuple(notes)


def iterations_of(settings: Settings) -> int:
    """Return the cap on simulations."""
    text = settings.option("iterations_max")
    try:
        number = int(text)
    except ValueError:
        raise InputError(f"{settings.path}: iterations_max is {text!r}, not a whole number") from None
    if number < 1:
        raise InputError(
            f"{settings.path}: iterations_max is {number}, which means no end in some releases of csg_inverse and "
            "none at all in others; give --iterations"
        )
    return number


def convergence_of(
    settings: Settings, interaction: Interaction
) -> tuple[float | None, float, int, tuple[str, ...]]:
    """Return limit, weight and norm of the convergence check, and notes."""
    kind = settings.option("convergence_check.type", "none")
    if kind == "none":
        return None, 1.0, 1, ()
    if kind != "default":
        raise InputError(f"{settings.path}: convergence_check.type is {kind}; none and default exist")
    adds = interaction.words("post_add")
    if not {"convergence", "acc_convergence"} & set(adds):
        return None, 1.0, 1, ("convergence_check has no effect: post_add does not contain convergence",)
    options = {
        name: interaction.words(f"post_add_options.convergence.{name}")
        for name in ("what", "base", "weight", "norm")
    }
    if (options["what"] or ("dist",)) != ("dist",) or (options["base"] or ("tgt",)) != ("tgt",):
        return None, 1.0, 1, ("convergence_check has no effect: only g(r) against its target is looked at",)
    try:
        limit = float(settings.option("convergence_check.limit", "0"))
        weight = float(" ".join(options["weight"]) or 1.0)
        norm = int(" ".join(options["norm"]) or 1)
    except ValueError as error:
        raise InputError(
            f"{settings.path}: an option of the convergence check is not a number: {error}"
        ) from None
    if norm not in (1, 2):
        raise InputError(f"{settings.path}: convergence.norm is {norm}; 1 and 2 exist")
    return (limit if limit > 0.0 else None), weight, norm, ()
