"""A folder for OpenMM: the force of pairs as XML, arrays of the rest, a script that runs them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cginit.atomic import write_atomically
from cginit.errors import InputError
from cginit.export.arrays import bonded_arrays, saved
from cginit.export.model import Model
from cginit.io.pair_tables import write_pair_tables
from cginit.units import NM_KJ

__all__ = ["write_openmm"]

_SCRIPT = '''"""Run the model: python run.py [steps]. Lengths in nm, energies in kJ/mol, time in ps."""

import sys
from pathlib import Path

import numpy as np
import openmm

HERE = Path(__file__).parent
KT, DT, FRICTION = {kT!r}, {dt!r}, {friction!r}
# Bead types in the order of their numbers in pairs.xml.
SPECIES, MASSES = {species!r}, {masses!r}
STEPS = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
COORDINATES = {{
    "bond": "distance(p1,p2)",
    "angle": "angle(p1,p2,p3)",
    "dihedral": "dihedral(p1,p2,p3,p4)",
}}

data = np.load(HERE / "system.npz")
system = openmm.System()
system.setDefaultPeriodicBoxVectors(*np.diag(data["box"]))
pairs = openmm.XmlSerializer.deserialize((HERE / "pairs.xml").read_text())
for kind in data["types"].tolist():
    system.addParticle(MASSES[SPECIES[kind]])
    pairs.addParticle([kind] if len(SPECIES) > 1 else [])
for i, j in data["excluded"].tolist():
    pairs.addExclusion(i, j)
system.addForce(pairs)
for kind, coordinate in COORDINATES.items():
    for k in range(len(data[kind + "s"])):
        x, u, _ = data[f"{{kind}}_{{k}}_table"]
        members = data[f"{{kind}}_{{k}}_members"]
        force = openmm.CustomCompoundBondForce(members.shape[1], f"u({{coordinate}})")
        force.addTabulatedFunction("u", openmm.Continuous1DFunction(u, x[0], x[-1], kind == "dihedral"))
        force.setUsesPeriodicBoundaryConditions(True)
        for group in members.tolist():
            force.addBond(group, [])
        system.addForce(force)

integrator = openmm.LangevinMiddleIntegrator(KT / {boltzmann!r}, FRICTION, DT)
integrator.setRandomNumberSeed(4711)
context = openmm.Context(system, integrator)
context.setPositions(data["positions"])
energy = context.getState(getEnergy=True).getPotentialEnergy()._value
print(f"energy {{energy:.6f}} kJ/mol")
context.setVelocitiesToTemperature(KT / {boltzmann!r}, 4711)
frames = []
for _ in range(max(STEPS // 1000, 1)):
    integrator.step(min(STEPS, 1000))
    frames.append(context.getState(getPositions=True, enforcePeriodicBox=False).getPositions(asNumpy=True)._value)
np.save(HERE / "trajectory.npy", np.array(frames))
kinetic = context.getState(getEnergy=True).getKineticEnergy()._value
print(f"kT {{2 * kinetic / (3 * system.getNumParticles()):.4f}} kJ/mol")
'''


def write_openmm(model: Model, folder: Path) -> list[Path]:
    """Write ``run.py``, ``system.npz`` and ``pairs.xml`` in nm, kJ/mol, g/mol and ps; return the files.

    Raises
    ------
    InputError
        If the model is in reduced units.
    """
    own = model.to(NM_KJ)
    if own.units.is_reduced:
        raise InputError(
            "OpenMM has units of its own (nm, kJ/mol, ps), and this model is in reduced ones; write it for lammps "
            "or hoomd"
        )
    tables = write_pair_tables(
        {name.types: one for name, one in own.pairs.items()}, folder / "pairs.xml", kT=own.kT
    )
    # The numbers of bead types are those of the tables.
    numbers = np.array([tables.types.index(name) for name in own.start.species])
    topology = own.start.topology
    positions = (
        own.start.positions if topology is None else topology.whole(own.start.positions, own.start.box)
    )
    arrays = bonded_arrays(own) | {
        "types": numbers[own.start.types],
        "positions": positions,
        "box": own.start.box,
    }
    text = _SCRIPT.format(
        kT=own.kT,
        dt=own.dt,
        friction=1.0 / own.time,
        species=list(tables.types),
        masses=dict(own.masses),
        boltzmann=own.units.boltzmann(),
    )
    return [
        *tables.paths,
        write_atomically(folder / "system.npz", saved(arrays)),
        write_atomically(folder / "run.py", text),
    ]
