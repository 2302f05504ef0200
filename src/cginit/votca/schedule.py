"""The schedule of a simulation: what the files of the simulation program say of steps, time step and friction."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import numpy as np

from cginit.engines.base import Potentials, Schedule, length_scale
from cginit.errors import InputError
from cginit.refine import DEFAULT_SCHEDULE
from cginit.state import StatePoint
from cginit.trajectory.files import open_universe
from cginit.trajectory.gromacs_topology import gromacs_molecules
from cginit.units import NM_KJ
from cginit.votca.components import mass_rows
from cginit.votca.script import RunPlan, read_lammps_script, read_mdp
from cginit.votca.settings import Settings
from cginit.votca.target import topology

__all__ = ["MOST_FRAMES", "SAME", "charges_note", "masses_of", "run_of", "schedule_of"]

#: Relative difference from which two temperatures or densities are worth a note.
SAME = 2e-3
#: Configurations of a simulation that are kept in memory, at most. More of them, a few steps apart, say little more.
MOST_FRAMES = 2000


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
        run = replace(run, mass=min(masses_of(settings), default=None))
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
    """Return the masses of the bead types of a LAMMPS data file, or of the beads of a GROMACS topology."""
    if settings.program == "gromacs":
        top = settings.folder / settings.program_option("topol_in", "topol.top")
        stated = [
            (kind, mass)
            for molecule in gromacs_molecules(top).values()
            for kind, mass in zip(molecule.types, molecule.masses, strict=True)
            if mass
        ]
        # Force fields that are included have molecules of other types.
        own = [mass for kind, mass in stated if kind in settings.components]
        return own or [mass for _, mass in stated]
    found = topology(settings)
    if found is None:
        return []
    return [float(words[1]) for words, _ in mass_rows(found[0]) if len(words) > 1]


def charges_note(settings: Settings) -> list[str]:
    """Return a sentence on the charges of the beads, if the files of the program have any: they do not act here."""
    if settings.program == "gromacs":
        path = settings.folder / settings.program_option("topol_in", "topol.top")
        charges = [
            charge
            for molecule in gromacs_molecules(path).values()
            for kind, charge in zip(molecule.types, molecule.charges, strict=True)
            if kind in settings.components
        ]
    else:
        found = topology(settings)
        if settings.program != "lammps" or found is None:
            return []
        path, charges = found[0], []
        # A file that cannot be read is said to be so where the start is read.
        with suppress(InputError), open_universe(path, None) as universe:
            charges = np.nan_to_num(np.atleast_1d(getattr(universe.atoms, "charges", 0.0))).tolist()
    largest = max(map(abs, charges), default=0.0)
    if largest == 0.0:
        return []
    return [
        f"{path.name} has charges (up to {largest:g} e), which do not act here: what they do becomes part of the "
        "tables, as far as these reach"
    ]


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
            every=max(min(run.every, run.production), run.production // MOST_FRAMES),
        )
        if schedule.every > run.every:
            notes.append(
                f"a configuration every {schedule.every} steps is counted, not every {run.every}, which would be "
                f"{run.production // run.every} of them"
            )
    if run.mass is None or run.timestep is None:
        what = "mass" if run.mass is None else "time step"
        notes.append(f"no {what} is stated; the time step is {schedule.dt:g} a sqrt(m/kT) (--dt)")
        return schedule, tuple(notes)
    # In nm, g/mol and kJ/mol, a sqrt(m / kT) is in ps.
    tau = length_scale(potential, state) * float(np.sqrt(run.mass / state.kT))
    friction = schedule.friction if run.relaxation is None else tau / run.relaxation
    return replace(schedule, dt=run.timestep / tau, friction=friction), tuple(notes)
