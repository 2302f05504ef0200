"""An engine without forces: molecules that keep their shapes, each at a place of its own in every frame."""

import dataclasses

import numpy as np

from cginit import EngineError
from cginit.configuration import Trajectory
from cginit.engines.base import EngineRun

__all__ = ["Gas"]


@dataclasses.dataclass(frozen=True)
class Gas:
    """A homogeneous gas that is not correlated, or a droplet of it; `error` is what it fails with."""

    error: str = ""
    clustered: bool = False
    name: str = "gas"

    def run(self, potentials, state, start, schedule, *, seed, workdir):
        if self.error:
            raise EngineError(self.error)
        rng = np.random.default_rng(seed)
        frames = schedule.production // schedule.every
        molecules = start.topology.molecules
        shifts = rng.uniform(-0.5, 0.5, (frames, start.topology.n_molecules, 3))
        # All molecules in a corner of the box are a droplet.
        shifts *= (0.4 if self.clustered else 1.0) * start.box
        whole = start.topology.whole(start.positions, start.box)
        heads = np.array([np.flatnonzero(molecules == m)[0] for m in range(start.topology.n_molecules)])
        positions = whole - whole[heads[molecules]] + shifts[:, molecules]
        series = rng.standard_normal(schedule.production // 10)
        trajectory = Trajectory(positions.astype(np.float32), start.box, units="lj", topology=start.topology)
        final = dataclasses.replace(start, positions=positions[-1])
        return EngineRun(trajectory, final, series, series, self.name, "1", seed, schedule.steps, 1.0)
