"""An analytic engine: the limit of low density, for tests and as the exact answer for gases."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cginit._version import __version__
from cginit.configuration import Configuration
from cginit.curves import RDF, PairPotential
from cginit.engines.base import EngineRun, Potentials, Schedule, reduce_problem
from cginit.errors import InputError
from cginit.extrapolate import resampled
from cginit.liquid.virial import second_virial
from cginit.state import StatePoint

__all__ = ["DiluteEngine"]


@dataclass(frozen=True)
class DiluteEngine:
    r"""Answer with the low-density limit instead of simulating.

    .. math::

        g(r) = e^{-U(r)/kT}, \qquad P = \rho kT (1 + B_2 \rho), \qquad
        \frac{E}{N} = 2 \pi \rho \int_0^{r_c} U(r) g(r) r^2 dr

    The g(r) has no statistical error unless `noise` is given, and its values are those at the points, not
    averages over bins.

    Parameters
    ----------
    noise : float
        Standard deviation, relative to g, of independent noise on each point of g(r), energy and pressure, drawn
        from the seed of the run: what convergence criteria meet in a simulation.

    Source: J. P. Hansen and I. R. McDonald, Theory of Simple Liquids, 4th ed. (2013), ch. 2.6 and 3.9,
    doi:10.1016/C2010-0-66723-X.
    """

    noise: float = 0.0

    def __post_init__(self) -> None:
        if not (np.isfinite(self.noise) and self.noise >= 0.0):
            raise InputError(f"noise must be a number of at least 0, not {self.noise}")

    @property
    def name(self) -> str:
        """``dilute``."""
        return "dilute"

    @property
    def coordinates(self) -> frozenset[str]:
        """Pairs only."""
        return frozenset({"pair"})

    def run(
        self,
        potential: Potentials,
        state: StatePoint,
        start: Configuration,
        schedule: Schedule,
        *,
        seed: int,
        workdir: Path,
    ) -> EngineRun:
        """Evaluate the limit; `start` comes back as it is and nothing is written.

        `EngineRun.exact_rdf` lies on the grid of the potential, extended to r = 0 and to half the box.

        Raises
        ------
        InputError
            If the arguments do not fit each other, or the potential has a well from which no bead of a gas returns.
        """
        from scipy.integrate import trapezoid

        if not isinstance(potential, PairPotential):
            raise InputError(
                "the dilute engine knows one species of loose beads; simulate mixtures and molecules with lammps or "
                "hoomd"
            )
        if start.topology is not None and start.topology.is_molecular:
            raise InputError("the dilute engine knows no molecules; simulate them with lammps or hoomd")
        reduce_problem(potential, state, start, schedule)  # for its checks: this engine works in any units
        core = round(float(np.floor(potential.r[0] / potential.dr + 1e-6)))
        first = potential.r[0] - core * potential.dr
        tail = int((0.5 * float(np.min(start.box)) - potential.r_cut) / potential.dr * (1.0 + 1e-12))
        points = potential.r.size + core + tail
        grid = np.linspace(max(first, 0.0), potential.r_cut + tail * potential.dr, points)
        inside = resampled(potential, grid[: points - tail], state.kT) if core else potential
        u = np.concatenate([inside.u, np.zeros(tail)])
        b2 = second_virial(inside.r, inside.u, state.kT)
        g = np.exp(-u / state.kT)

        integrand = u * g * grid**2
        energy = 2.0 * np.pi * state.density * float(trapezoid(integrand, grid))
        pressure = state.density * state.kT * (1.0 + b2 * state.density)

        samples = schedule.production // schedule.every * schedule.every // schedule.sample_every
        error = None
        energies, pressures = np.full(samples, energy), np.full(samples, pressure)
        if self.noise > 0.0:
            rng = np.random.default_rng(seed)
            error = self.noise * g
            g = np.maximum(g + error * rng.standard_normal(g.size), 0.0)
            energies = energies * (1.0 + self.noise * rng.standard_normal(samples))
            pressures = pressures * (1.0 + self.noise * rng.standard_normal(samples))
        return EngineRun(
            trajectory=None,
            final=start,
            energy=energies,
            pressure=pressures,
            engine="dilute",
            version=__version__,
            seed=seed,
            steps=0,
            seconds=0.0,
            exact_rdf=RDF(grid, g, error, units=potential.units),
        )
