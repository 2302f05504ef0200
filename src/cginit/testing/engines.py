"""Public checker of engines: run it on one of your own to see that it keeps the contract.

The contract is `cginit.engines.base.Engine`; the checker needs no pytest. It simulates some 10^7 bead steps, a
matter of ten seconds.
"""

from __future__ import annotations

from contextlib import chdir
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cginit import sampling
from cginit.configuration import Configuration, Trajectory, random_configuration
from cginit.curves import Array, PairPotential
from cginit.engines.base import Engine, EngineRun, Schedule
from cginit.errors import CGInitError, EngineError, InputError
from cginit.liquid.forward import solve
from cginit.liquid.virial import second_virial, virial_pressure
from cginit.state import StatePoint
from cginit.testing.molecules import check_molecules
from cginit.testing.rules import BLOCKS, agree, require
from cginit.units import ANGSTROM_KCAL, LJ, NM_KJ, UnitSystem

__all__ = ["check_engine"]

#: What HNC leaves out at the density of the dilute check, relative to g - 1 and the excess pressure: the bridge
#: function, of order (rho B2)^2.
THEORY = 3e-3


@dataclass(frozen=True)
class _Problem:
    """One simulation, described in reduced units and posed in those of `units`."""

    n: int
    density: float
    height: float
    schedule: Schedule
    units: UnitSystem = LJ
    length: float = 1.0
    energy: float = 1.0

    @property
    def state(self) -> StatePoint:
        return StatePoint(self.density / self.length**3, self.energy, self.units)

    @property
    def potential(self) -> PairPotential:
        """U = height kT (1 - r^2/2.25)^3, soft and smooth at its cut-off 1.5."""
        r = np.linspace(0.0, 1.5, 76)
        u = self.height * (1.0 - (r / 1.5) ** 2) ** 3
        u[-1] = 0.0
        return PairPotential(r, u, units=LJ).scaled(self.length, self.energy, self.units)

    @property
    def start(self) -> Configuration:
        return random_configuration(self.n, self.density, seed=2, units=LJ).scaled(self.length, self.units)


def check_engine(engine: Engine, workdir: Path, *, exact: bool = False) -> None:
    """Verify that `engine` keeps the contract; return nothing if it does.

    Checked are the shapes and finiteness of what a run returns, box, units and number of beads; that arguments are
    not modified, wrong ones refused, and nothing is written outside the folder of the run; that a seed gives the
    same run again and another seed another; that an ideal gas has g = 1 and P = rho kT, and a gas of soft
    particles the g, P and energy of liquid-state theory within their statistical errors, in three unit systems;
    that a run with an impossible time step ends with an `EngineError`; and molecules, as
    `cginit.testing.molecules.check_molecules` says, or that they are refused.

    Parameters
    ----------
    engine : Engine
        The engine under test.
    workdir : Path
        An empty folder.
    exact : bool
        Whether the engine is analytic: it returns the low-density limit of g(r) as `EngineRun.exact_rdf` instead
        of a trajectory.

    Raises
    ------
    InputError
        With the name of the engine and the rule that it breaks.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> from cginit.engines.dilute import DiluteEngine
    >>> check_engine(DiluteEngine(), Path(mkdtemp()), exact=True)
    """
    if not isinstance(engine, Engine):
        raise InputError(
            f"{engine!r} is no engine: it needs the properties 'name' and 'coordinates', and 'run'"
        )
    if not isinstance(engine.name, str) or not engine.name:
        raise InputError(f"{engine!r}: the name must be a non-empty string, not {engine.name!r}")
    workdir = workdir.resolve()
    _check_refusals(engine, workdir / "refusals")
    _check_reproducible(engine, workdir / "reproducible", exact)
    _check_ideal_gas(engine, workdir / "ideal", exact)
    _check_dilute(engine, workdir / "dilute", exact)
    if not exact:
        _check_failure(engine, workdir / "failure")
    check_molecules(engine, workdir / "molecules")


def _run(engine: Engine, problem: _Problem, seed: int, folder: Path, exact: bool) -> EngineRun:
    """Run `problem` below `folder` and check all that does not need statistics."""
    potential, state, start = problem.potential, problem.state, problem.start
    before = _fingerprint(potential, state, start, problem.schedule)
    inside, outside = folder / "run", folder / "elsewhere"
    inside.mkdir(parents=True)
    outside.mkdir()
    # A relative path in an engine would land in the current folder.
    with chdir(outside):
        run = engine.run(potential, state, start, problem.schedule, seed=seed, workdir=inside)
    require(
        engine,
        not any(outside.iterdir()) and {path.name for path in folder.iterdir()} == {"run", "elsewhere"},
        "must write only below workdir",
    )
    require(
        engine,
        _fingerprint(potential, state, start, problem.schedule) == before,
        "must not modify its arguments",
    )
    _check_record(engine, run, problem, start, seed, exact)
    return run


def _fingerprint(
    potential: PairPotential, state: StatePoint, start: Configuration, schedule: Schedule
) -> tuple[object, ...]:
    arrays = (potential.r, potential.u, potential.f, start.positions, start.box)
    return (*(array.tobytes() for array in arrays), potential.units, start.units, state, schedule)


def _check_record(
    engine: Engine, run: EngineRun, problem: _Problem, start: Configuration, seed: int, exact: bool
) -> None:
    final = run.final
    require(engine, run.seed == seed, f"must record its seed {seed}, not {run.seed}")
    require(
        engine,
        all(isinstance(text, str) and bool(text) for text in (run.engine, run.version)),
        "must name itself and its version",
    )
    require(
        engine, np.isfinite(run.seconds) and run.seconds >= 0.0, f"took {run.seconds} s, which is no time"
    )
    require(
        engine,
        final.n == start.n
        and final.units == start.units
        and np.allclose(final.box, start.box, rtol=1e-9, atol=0.0),
        "must keep the number of beads, the box and the units of the start",
    )
    require(
        engine,
        run.energy.ndim == 1 and run.energy.shape == run.pressure.shape and run.energy.size >= BLOCKS,
        f"must sample energy and pressure together, at least {BLOCKS} times; their shapes are "
        f"{run.energy.shape} and {run.pressure.shape}",
    )
    require(
        engine,
        bool(np.all(np.isfinite(run.energy)) and np.all(np.isfinite(run.pressure))),
        "returned an energy or a pressure that is not finite",
    )
    if exact:
        require(
            engine,
            run.trajectory is None and run.exact_rdf is not None,
            "must return exact_rdf, no trajectory",
        )
        return
    if run.trajectory is None:
        raise InputError(f"engine {engine.name!r} must return a trajectory (exact=True if it is analytic)")
    _check_trajectory(engine, run.trajectory, final, problem, start)


def _check_trajectory(
    engine: Engine, trajectory: Trajectory, final: Configuration, problem: _Problem, start: Configuration
) -> None:
    """Check the configurations of a run; the last is `final`."""
    expected = (problem.schedule.production // problem.schedule.every, start.n, 3)
    require(
        engine,
        trajectory.positions.shape == expected and trajectory.positions.dtype == np.float32,
        f"must return float32 positions of shape {expected} for its schedule, not "
        f"{trajectory.positions.dtype} of {trajectory.positions.shape}",
    )
    require(engine, bool(np.all(np.isfinite(trajectory.positions))), "returned positions that are not finite")
    require(
        engine,
        trajectory.units == start.units and np.allclose(trajectory.box, start.box, rtol=1e-9, atol=0.0),
        "must keep the box and the units of the start in its trajectory",
    )
    apart = final.positions - trajectory.positions[-1]
    apart -= start.box * np.round(apart / start.box)
    require(
        engine,
        bool(np.max(np.abs(apart)) < 1e-5 * float(np.max(start.box))),
        "must return the last frame as its final configuration, in the same order of beads",
    )


_SHORT = Schedule(equilibration=0, production=200, every=10, dt=0.01, push_off=50)


def _check_refusals(engine: Engine, folder: Path) -> None:
    problem = _Problem(n=100, density=0.5, height=3.0, schedule=_SHORT)
    potential, state, start = problem.potential, problem.state, problem.start
    wrong = {
        "a cut-off beyond half the box": (potential.scaled(2.1, 1.0, LJ), state, start),
        "a start at another density": (potential, replace(state, density=0.4), start),
        "a start in other units": (potential, state, start.scaled(1.0, NM_KJ)),
    }
    folder.mkdir()
    for what, arguments in wrong.items():
        rule = f"engine {engine.name!r} must refuse {what} with an InputError"
        try:
            engine.run(*arguments, problem.schedule, seed=1, workdir=folder)
        except InputError:
            continue
        except CGInitError as error:
            raise InputError(f"{rule}, not {error!r}") from error
        raise InputError(rule)


def _check_reproducible(engine: Engine, folder: Path, exact: bool) -> None:
    problem = _Problem(n=100, density=0.5, height=3.0, schedule=_SHORT)
    first, second, other = (
        _run(engine, problem, seed, folder / name, exact)
        for name, seed in (("first", 5), ("second", 5), ("other", 6))
    )
    require(
        engine,
        _outcome(first) == _outcome(second),
        "must be deterministic: the same arguments and seed gave another run",
    )
    if not exact:
        require(engine, _outcome(first) != _outcome(other), "must give another run for another seed")


def _outcome(run: EngineRun) -> tuple[bytes, ...]:
    curve = run.exact_rdf.g.tobytes() if run.exact_rdf is not None else b""
    frames = run.trajectory.positions.tobytes() if run.trajectory is not None else b""
    return (frames, curve, run.final.positions.tobytes(), run.energy.tobytes(), run.pressure.tobytes())


def _check_ideal_gas(engine: Engine, folder: Path, exact: bool) -> None:
    # Steps are long: without forces only friction limits them.
    schedule = Schedule(equilibration=500, production=4_000, every=50, dt=0.05, push_off=0, length=3.8)
    problem = _Problem(200, 0.5, 0.0, schedule, ANGSTROM_KCAL, length=3.8, energy=0.6)
    run = _run(engine, problem, 7, folder, exact)
    state = problem.state
    require(
        engine,
        bool(np.allclose(run.pressure, state.density * state.kT, rtol=1e-9))
        and bool(np.allclose(run.energy, 0.0, atol=1e-9 * state.kT)),
        "must give an ideal gas the pressure rho kT at every moment, and no energy",
    )
    if run.trajectory is None:
        g = np.array([]) if run.exact_rdf is None else run.exact_rdf.g
        require(engine, bool(np.allclose(g, 1.0, rtol=1e-12)), "must give an ideal gas g = 1")
        return
    rdf = sampling.rdf(run.trajectory, dr=0.3 * problem.length, blocks=BLOCKS)
    # The point at r = 0 is a copy of its neighbour.
    error = np.zeros(rdf.r.size) if rdf.error is None else rdf.error
    agree(engine, "g(r) of an ideal gas", rdf.g[1:], error[1:], np.ones(rdf.r.size - 1), 0.0)


def _check_dilute(engine: Engine, folder: Path, exact: bool) -> None:
    schedule = Schedule(equilibration=1_500, production=16_000, every=40, dt=0.02, push_off=100)
    problem = _Problem(400, 0.1, 3.0, schedule, NM_KJ, length=0.47, energy=2.7)
    run = _run(engine, problem, 11, folder, exact)
    state, length, kT = problem.state, problem.length, problem.energy
    potential = problem.potential.reduced(length, kT)
    density = problem.density

    if exact:
        curve = run.exact_rdf
        require(engine, curve is not None and curve.units == NM_KJ, "must keep the units in exact_rdf")
        if curve is not None:
            u = np.interp(curve.r / length, potential.r, potential.u, right=0.0)
            require(
                engine,
                bool(np.allclose(curve.g, np.exp(-u), rtol=1e-6)),
                "must return g = exp(-U/kT) at low density",
            )
        pressure = state.density * kT * (1.0 + second_virial(potential.r, potential.u) * density)
        require(
            engine,
            bool(np.allclose(run.pressure, pressure, rtol=1e-6)),
            f"must return P = rho kT (1 + B2 rho) = {pressure:.6g}, not {run.pressure[0]:.6g}",
        )
        return
    if run.trajectory is None:
        return
    fluid = solve(potential.r, potential.u, density)
    dr = 0.1
    rdf = sampling.rdf(run.trajectory, dr=dr * length, r_max=2.0 * length, blocks=BLOCKS)
    theory = _bin_average(fluid.r, fluid.g, rdf.r / length, dr)
    error = np.zeros(rdf.r.size) if rdf.error is None else rdf.error
    # The first point is a copy of the second, and the second has few pairs, whose blocks are not normal yet.
    agree(engine, "g(r) of a gas of soft particles", rdf.g[2:], error[2:], theory[2:], THEORY)

    inside = fluid.r <= potential.r_cut
    r, g = fluid.r[inside], fluid.g[inside]
    excess = virial_pressure(r, np.interp(r, potential.r, potential.u), g, density) - density
    # A bead has n - 1 neighbours, not n.
    pairs = (problem.n - 1.0) / problem.n
    sampled = sampling.block_mean(run.pressure - state.density * kT, BLOCKS)
    agree(
        engine,
        "excess pressure of a gas of soft particles",
        sampled.value,
        sampled.error,
        pairs * excess * kT / length**3,
        THEORY,
    )
    sampled = sampling.block_mean(run.energy, BLOCKS)
    integrand = np.interp(r, potential.r, potential.u) * g * r**2
    expected = 2.0 * np.pi * density * float(np.sum(integrand)) * float(r[1] - r[0]) * kT
    agree(engine, "energy of a gas of soft particles", sampled.value, sampled.error, pairs * expected, THEORY)


def _bin_average(r: Array, g: Array, centres: Array, dr: float) -> Array:
    """Average of g over bins of width `dr`, weighted with the volume of the shells."""
    points = np.abs(centres[:, None] + dr * (np.arange(100) - 49.5) / 100)
    shells = points**2
    return np.asarray(np.sum(np.interp(points, r, g) * shells, axis=1) / np.sum(shells, axis=1))


def _check_failure(engine: Engine, folder: Path) -> None:
    schedule = Schedule(equilibration=200, production=200, every=10, dt=1.0, push_off=0)
    problem = _Problem(200, 1.0, 1e4, schedule)
    folder.mkdir()
    try:
        engine.run(problem.potential, problem.state, problem.start, problem.schedule, seed=1, workdir=folder)
    except EngineError:
        return
    except CGInitError as error:
        raise InputError(
            f"engine {engine.name!r} must report a run that blows up as EngineError, not {error!r}"
        ) from error
    raise InputError(
        f"engine {engine.name!r} must end a run that blows up (time step tau, U(0) = 1e4 kT) with an EngineError"
    )
