"""Run one HOOMD-blue simulation from the files in this folder: ``python run_hoomd.py``.

A script of its own that needs only NumPy and HOOMD-blue 4.8 or newer, not cginit: `cginit.engines.hoomd` copies it
beside ``settings.json`` and ``start.npz`` and runs it in a process of its own, so that an abort in HOOMD ends
that process only, and so that HOOMD may live in another Python environment or under an MPI launcher.

It writes ``frames.npy``, ``result.npz``, and on failure a line that begins with ``ERROR:``.
Units throughout: kT = 1, m = 1, length a = 1.
"""

from __future__ import annotations

import json
import math
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

MISSING = 3  #: exit code: HOOMD-blue cannot be imported
FAILED = 4  #: exit code: HOOMD-blue raised an exception

# HOOMD's random numbers hang on 16 bits of seed and 40 bits of time step. The rest of the seed goes into
# the first time step, in multiples that leave room for the longest run.
SEEDS, EPOCHS, EPOCH = 2**16, 1_000, 10**9

# The push-off limits forces, in kT/a. A core of that slope must stay closed to beads that attract each other by
# several kT: a lower one lets a dense liquid collapse into itself, and then blow up. It does not use
# md.methods.DisplacementCapped, which in HOOMD 4.8 divides its cap by the time step once too often and so heats the
# beads instead.
PUSH_FORCE = 1e4
# In its first half a step is so short that this force moves no bead further than PUSH_DISTANCE, in a: beads creep, at
# PUSH_DAMPING / dt of friction. In the second they settle with the step of the run.
PUSH_DISTANCE, PUSH_DAMPING, SETTLING_FRICTION = 0.02, 0.5, 10.0


def main() -> int:
    """Simulate; return the exit code."""
    try:
        import hoomd
        import hoomd.md
    except ImportError as error:
        sys.stderr.write(f"ERROR: {error}\n")
        return MISSING
    try:
        simulate(hoomd, json.loads(Path("settings.json").read_text(encoding="utf-8")))
    except Exception as error:  # whatever HOOMD raises is the parent's to explain
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        sys.stderr.write(f"ERROR: {type(error).__name__}: {'; '.join(lines)}\n")
        # Without the other ranks' consent, leaving normally would wait for them for ever.
        sys.stderr.flush()
        os._exit(FAILED)
    return 0


def simulate(hoomd: Any, settings: dict[str, Any]) -> None:
    """Run push-off, equilibration and production of `settings`, and write the results."""
    with np.load("start.npz", allow_pickle=False) as file:
        start = dict(file)
    device = make_device(hoomd, settings["device"])
    check_launcher(hoomd)
    seed = int(settings["seed"])
    simulation = hoomd.Simulation(device=device, seed=seed % SEEDS)
    simulation.timestep = seed // SEEDS % EPOCHS * EPOCH
    root = device.communicator.rank == 0

    n = len(start["positions"])
    simulation.create_state_from_snapshot(make_snapshot(hoomd, device, start, settings))
    pair, pairs = pair_force(hoomd, device, settings)
    everything = hoomd.filter.All()
    bonded = bonded_forces(hoomd, start, settings)
    integrator = hoomd.md.Integrator(dt=settings["dt"], forces=[pair, *bonded.values()])
    simulation.operations.integrator = integrator
    thermo = hoomd.md.compute.ThermodynamicQuantities(filter=everything)
    simulation.operations.computes.append(thermo)

    # HOOMD sorts beads along a curve through 256^3 cells, whose set-up takes longer than a short run.
    cells = 2 ** math.ceil(math.log2(2.0 * n ** (1.0 / 3.0)))
    simulation.operations.tuners.clear()
    simulation.operations.tuners.append(hoomd.tune.ParticleSorter(grid=min(cells, 256)))

    simulation.state.thermalize_particle_momenta(everything, kT=1.0)
    for name, types in pairs.items():
        pair.params[types] = capped(start[f"u_{name}"], start[f"f_{name}"], settings["r_cut"][name])
    simulation.run(0)
    begin = time.perf_counter()
    for steps, dt, friction in push_off(settings["push_off"], settings["dt"]):
        integrator.dt = dt
        integrator.methods = [hoomd.md.methods.Langevin(everything, kT=1.0, default_gamma=friction)]
        simulation.run(steps)
    for name, types in pairs.items():
        pair.params[types] = {"r_min": 0.0, "U": start[f"u_{name}"], "F": start[f"f_{name}"]}
    if "bond" in bonded:
        hold_bonds(bonded["bond"], start, settings, "bond")
    integrator.methods = [hoomd.md.methods.Langevin(everything, kT=1.0, default_gamma=settings["friction"])]
    run(simulation, settings["equilibration"], start, settings)

    frames, sampler = sample(hoomd, simulation, thermo, start, settings, root=root)
    seconds = time.perf_counter() - begin

    final = simulation.state.get_snapshot()
    if root:
        if isinstance(frames, np.memmap):
            frames.flush()
        np.savez(
            "result.npz",
            final=np.array(final.particles.position, dtype=np.float64),
            thermo=np.array(sampler.samples, dtype=np.float64),
            seconds=seconds,
            version=hoomd.version.version,
            device=type(device).__name__,
        )


def sample(
    hoomd: Any, simulation: Any, thermo: Any, start: dict[str, Any], settings: dict[str, Any], *, root: bool
) -> tuple[np.ndarray, Any]:
    """Run the production; return positions ``(m, n, 3)``, none where not `root`, and what sampled energies."""
    n = len(start["positions"])
    every, steps = settings["every"], settings["production"]
    frames = (
        np.lib.format.open_memmap("frames.npy", "w+", dtype=np.float32, shape=(steps // every, n, 3))
        if root
        else np.empty((0, n, 3), np.float32)
    )
    writers = simulation.operations.writers
    first = simulation.timestep
    sampler = make_sampler(hoomd, thermo, volume=float(np.prod(start["box"])))
    writers.append(
        hoomd.write.CustomWriter(action=sampler, trigger=after(hoomd, first, settings["sample_every"]))
    )
    recorder = make_recorder(hoomd, frames, first, every, root)
    writers.append(hoomd.write.CustomWriter(action=recorder, trigger=after(hoomd, first, every)))
    run(simulation, steps, start, settings)
    return frames, sampler


def make_snapshot(hoomd: Any, device: Any, start: dict[str, Any], settings: dict[str, Any]) -> Any:
    """Return the start: beads, bonds, and the pairs that are left out."""
    snapshot = hoomd.Snapshot(device.communicator)
    if device.communicator.rank == 0:
        snapshot.configuration.box = [*start["box"], 0, 0, 0]
        snapshot.particles.types = [f"T{k}" for k in range(settings["species"])]
        snapshot.particles.N = len(start["positions"])
        snapshot.particles.typeid[:] = start["types"]
        snapshot.particles.position[:] = start["positions"]
        connect(snapshot, start, settings)
    return snapshot


def pair_force(hoomd: Any, device: Any, settings: dict[str, Any]) -> tuple[Any, dict[str, tuple[str, str]]]:
    """Return the tabulated force of all pairs without its tables, and the types that each of these is for."""
    # On a CPU the tree is as fast as cells where these divide the box well, and twice as fast where not.
    on_gpu = isinstance(device, hoomd.device.GPU)
    neighbours = hoomd.md.nlist.Cell if on_gpu else hoomd.md.nlist.Tree
    pair = hoomd.md.pair.Table(nlist=neighbours(buffer=settings["buffer"], exclusions=("special_pair",)))
    pairs = {}
    for name, r_cut in settings["r_cut"].items():
        i, j = name.split("_")
        pairs[name] = (f"T{i}", f"T{j}")
        pair.r_cut[pairs[name]] = r_cut
    return pair, pairs


def connect(snapshot: Any, start: dict[str, Any], settings: dict[str, Any]) -> None:
    """Write bonds, angles, dihedrals and the pairs that are left out into a snapshot."""
    for kind, count in settings.get("terms", {}).items():
        groups = [start[f"members_{kind}_{k}"] for k in range(count)]
        if groups:
            place = getattr(snapshot, f"{kind}s")
            place.types = [f"{kind}{k}" for k in range(count)]
            place.N = sum(len(one) for one in groups)
            place.group[:] = np.concatenate(groups)
            place.typeid[:] = np.repeat(np.arange(count), [len(one) for one in groups])
    excluded = start.get("excluded", np.empty((0, 2), dtype=np.int64))
    if len(excluded):
        snapshot.pairs.types = ["excluded"]
        snapshot.pairs.N = len(excluded)
        snapshot.pairs.group[:] = excluded
        snapshot.pairs.typeid[:] = 0


def bonded_forces(hoomd: Any, start: dict[str, Any], settings: dict[str, Any]) -> dict[str, Any]:
    """Return the tabulated forces by kind; bonds may have any length until `hold_bonds`."""
    found = {}
    makers = {
        "bond": hoomd.md.bond.Table,
        "angle": hoomd.md.angle.Table,
        "dihedral": hoomd.md.dihedral.Table,
    }
    for kind, count in settings.get("terms", {}).items():
        if not count:
            continue
        found[kind] = force = makers[kind](width=start[f"{kind}_0"].shape[1])
        if kind == "bond":
            hold_bonds(force, start, settings, "wide")
            continue
        for k in range(count):
            _, u, f = start[f"{kind}_{k}"]
            force.params[f"{kind}{k}"] = {"U": u, "tau": f}
    return found


def hold_bonds(force: Any, start: dict[str, Any], settings: dict[str, Any], table: str) -> None:
    """Give all bonds the tables of that name."""
    for k in range(settings["terms"]["bond"]):
        r, u, f = start[f"{table}_{k}"]
        force.params[f"bond{k}"] = {"r_min": float(r[0]), "r_max": float(r[-1]), "U": u, "F": f}


def run(simulation: Any, steps: int, start: dict[str, Any], settings: dict[str, Any]) -> None:
    """Run, and say which bond it was where one leaves its table."""
    try:
        simulation.run(steps)
    except Exception as error:
        words = longest_bond(simulation, start, settings) if "bond out of bounds" in str(error) else ""
        raise RuntimeError(f"{error}{words}") from error


def longest_bond(simulation: Any, start: dict[str, Any], settings: dict[str, Any]) -> str:
    """Return the bond that is furthest outside its table, in words."""
    snapshot = simulation.state.get_snapshot()
    if snapshot.communicator.rank != 0:
        return ""
    worst, words = -np.inf, ""
    for k, (low, high) in enumerate(settings["bonds"]):
        members = start[f"members_bond_{k}"]
        apart = snapshot.particles.position[members[:, 1]] - snapshot.particles.position[members[:, 0]]
        apart -= np.round(apart / start["box"]) * start["box"]
        length = np.linalg.norm(apart, axis=1)
        outside = np.maximum(length - high, low - length)
        place = int(np.argmax(outside))
        if outside[place] > worst:
            worst, words = outside[place], f" bond type {k} of length {length[place]:.6g}"
    return words


def make_device(hoomd: Any, name: str) -> Any:
    """Return the device of that name, quiet but for its warnings."""
    quiet = {"notice_level": 1}
    if name == "cpu":
        return hoomd.device.CPU(**quiet)
    if name == "gpu":
        return hoomd.device.GPU(**quiet)
    return hoomd.device.auto_select(**quiet)


def capped(u: Any, f: Any, r_cut: float) -> dict[str, Any]:
    """Return the table with its force limited to PUSH_FORCE, and the energy that belongs to that force."""
    force = np.clip(f, -PUSH_FORCE, PUSH_FORCE)
    steps = 0.5 * (force + np.append(force[1:], 0.0)) * (r_cut / len(f))
    return {"r_min": 0.0, "U": np.cumsum(steps[::-1])[::-1], "F": force}


def push_off(steps: int, dt: float) -> list[tuple[int, float, float]]:
    """Return steps, time step and friction of the parts of the push-off; the last ends with the step of the run."""
    short = min(dt, math.sqrt(PUSH_DISTANCE * PUSH_DAMPING / PUSH_FORCE))
    creeping = steps - steps // 2
    return [
        (creeping, short, PUSH_DAMPING / short),
        (steps // 2, dt, min(SETTLING_FRICTION, PUSH_DAMPING / dt)),
    ]


def check_launcher(hoomd: Any) -> None:
    """Refuse to run as many equal simulations as an MPI launcher starts ranks."""
    ranks = max(int(os.environ.get(name, "1")) for name in ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE"))
    if ranks > 1 and not hoomd.version.mpi_enabled:
        raise RuntimeError(
            f"this HOOMD-blue was built without MPI and cannot share a run among {ranks} ranks"
        )


def after(hoomd: Any, first: int, every: int) -> Any:
    """Return the trigger of the steps first + every, first + 2 every, ..."""
    return hoomd.trigger.And([hoomd.trigger.After(first), hoomd.trigger.Periodic(every, phase=first % every)])


def make_sampler(hoomd: Any, thermo: Any, volume: float) -> Any:
    """Return the action that collects energy per bead and configurational pressure."""

    class Sampler(hoomd.custom.Action):  # type: ignore[misc]
        flags = (hoomd.custom.Action.Flags.PRESSURE_TENSOR,)

        def __init__(self) -> None:
            self.samples: list[tuple[float, float]] = []

        def act(self, timestep: int) -> None:
            # The momentary kinetic part goes; its average, rho kT, is exact and comes in without noise.
            virial = thermo.pressure - 2.0 * thermo.translational_kinetic_energy / (3.0 * volume)
            self.samples.append((thermo.potential_energy / thermo.num_particles, virial))

    return Sampler()


def make_recorder(hoomd: Any, frames: Any, first: int, every: int, root: bool) -> Any:
    """Return the action that stores wrapped positions in the order of the beads' numbers."""

    class Recorder(hoomd.custom.Action):  # type: ignore[misc]
        def act(self, timestep: int) -> None:
            snapshot = self._state.get_snapshot()
            if root:
                frames[(timestep - first) // every - 1] = snapshot.particles.position

    return Recorder()


if __name__ == "__main__":
    sys.exit(main())
