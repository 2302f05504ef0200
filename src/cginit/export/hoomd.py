"""A folder for HOOMD-blue: GSD file, arrays of all tables, a script that runs them."""

from __future__ import annotations

from pathlib import Path

from cginit.atomic import write_atomically
from cginit.export.arrays import bonded_arrays, saved
from cginit.export.model import Model
from cginit.io.pair_tables import write_pair_tables
from cginit.trajectory.start_file import write_start
from cginit.units import NM_KJ

__all__ = ["write_hoomd"]

_SCRIPT = '''"""Run the model: python run.py [steps]. Lengths in {length}, energies in {energy}, time in {time}."""

import sys
from pathlib import Path

import gsd.hoomd
import hoomd
import numpy as np

from pairs import pair_force

HERE = Path(__file__).parent
KT, DT, FRICTION = {kT!r}, {dt!r}, {friction!r}
MASSES = {masses!r}
STEPS = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000

with gsd.hoomd.open(HERE / "start.gsd") as file:
    frame = file[0]
tables = np.load(HERE / "bonded.npz")
frame.particles.mass = [MASSES[frame.particles.types[k]] for k in frame.particles.typeid]
for kind in ("bond", "angle", "dihedral"):
    part, names = getattr(frame, kind + "s"), tables[kind + "s"].tolist()
    groups = [tables[f"{{kind}}_{{k}}_members"] for k in range(len(names))]
    part.types, part.N = names, sum(map(len, groups))
    part.group = np.concatenate(groups) if groups else None
    part.typeid = np.repeat(np.arange(len(groups)), list(map(len, groups))) if groups else None
# Pairs that feel no pair potential, whatever bonds join them.
excluded = tables["excluded"]
if len(excluded):
    frame.pairs.types, frame.pairs.N = ["excluded"], len(excluded)
    frame.pairs.group, frame.pairs.typeid = excluded, np.zeros(len(excluded), dtype=int)

simulation = hoomd.Simulation(device=hoomd.device.auto_select(), seed=4711)
simulation.create_state_from_snapshot(frame)
simulation.always_compute_pressure = True
forces = [pair_force(hoomd.md.nlist.Tree(buffer={buffer!r}, exclusions=("special_pair",)))]
makers = {{"bond": hoomd.md.bond.Table, "angle": hoomd.md.angle.Table, "dihedral": hoomd.md.dihedral.Table}}
for kind, make in makers.items():
    for k, name in enumerate(tables[kind + "s"].tolist()):
        x, u, f = tables[f"{{kind}}_{{k}}_table"]
        if k == 0:
            forces.append(make(width=x.size))
        forces[-1].params[name] = (
            dict(r_min=x[0], r_max=x[-1], U=u, F=f) if kind == "bond" else dict(U=u, tau=f)
        )
bath = hoomd.md.methods.Langevin(hoomd.filter.All(), kT=KT)
for name, mass in MASSES.items():
    bath.gamma[name] = mass * FRICTION
simulation.operations.integrator = hoomd.md.Integrator(dt=DT, methods=[bath], forces=forces)
simulation.state.thermalize_particle_momenta(filter=hoomd.filter.All(), kT=KT)
thermo = hoomd.md.compute.ThermodynamicQuantities(filter=hoomd.filter.All())
simulation.operations.computes.append(thermo)
simulation.operations.writers.append(
    hoomd.write.GSD(filename=str(HERE / "trajectory.gsd"), trigger=hoomd.trigger.Periodic(1000), mode="wb")
)
simulation.run(0)
print(f"energy {{thermo.potential_energy:.6f}} {energy}")
simulation.run(STEPS)
print(f"kT {{thermo.kinetic_temperature:.4f}} {energy}, pressure {{thermo.pressure:.4f}}")
'''


def write_hoomd(model: Model, folder: Path) -> list[Path]:
    """Write ``run.py``, ``start.gsd`` and tables in nm, kJ/mol, g/mol and ps, or reduced units; return the files."""
    own = model.to(NM_KJ)
    units = own.units
    tables = write_pair_tables(
        {name.types: one for name, one in own.pairs.items()}, folder / "pairs.py", kT=own.kT, units=units
    )
    text = _SCRIPT.format(
        length=units.length,
        energy=units.energy,
        time="reduced units" if units.is_reduced else "ps",
        kT=own.kT,
        dt=own.dt,
        friction=1.0 / own.time,
        masses=dict(own.masses),
        buffer=0.3 * own.problem.length,
    )
    return [
        *tables.paths,
        write_atomically(folder / "bonded.npz", saved(bonded_arrays(own))),
        write_start(own.start, folder / "start.gsd"),
        write_atomically(folder / "run.py", text),
    ]
