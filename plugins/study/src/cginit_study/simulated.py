"""Guesses for state points of the test set, simulated: how near the g(r) of a guess comes to its target."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from cginit import sampling
from cginit.atomic import write_arrays
from cginit.configuration import random_configuration
from cginit.curves import RDF, Array, PairPotential
from cginit.engines.base import Engine, Schedule
from cginit.errors import CGInitError, InputError
from cginit.guess import load_guess
from cginit.guess.assembly import potential_from, visible_target
from cginit.guess.integral_equation import at_infinite_size
from cginit.guess.network import NetworkGuess, View, on_target_grid
from cginit.learn.architectures import predict
from cginit.learn.data import TrainingSet
from cginit.models.grid import network_grid, on_network_grid
from cginit.refine.loop import load_engine
from cginit.state import StatePoint
from cginit.units import LJ
from cginit_study.potentials import load_network
from cginit_study.study import final_path, load_study

__all__ = ["Case", "choose_cases", "read_cases", "simulate_cases"]

#: The method that is no guess: the true potential, whose difference to the target is the noise of both simulations.
TRUE = "true"
#: Ending of a method that is told S(k) at a small k besides g.
LONG_WAVE = "+s_k"
#: Edge of the box in sigma, more than twice the range of g, and least number of beads.
EDGE, BEADS = 10.2, 500
#: Steps of the simulations of guesses: equilibration, production at this density and above, interval of
#: configurations. Below, the production is as much longer, since there are as many fewer pairs.
STEPS, FEWER_BELOW = (3_000, 12_000, 80), 0.5
#: Bounds of the classes of densities; each of the four published densities is in one of its own.
CLASSES = (0.2, 0.4, 0.75)


@dataclass(frozen=True, eq=False)
class Case:
    """A state point of the test set with the g(r) of its guesses.

    Attributes
    ----------
    potential : int
        The integer that names the true potential.
    density : float
        rho sigma^3.
    r, target : ndarray, shape (n,)
        The g(r) to reproduce, as point values.
    g : dict of str to ndarray, shape (n,)
        g(r) of the simulation of each method's guess; NaN where the simulation failed.
    """

    potential: int
    density: float
    r: Array
    target: Array
    g: dict[str, Array]

    @property
    def title(self) -> str:
        """A short name."""
        return f"potential {self.potential}, ρ = {self.density:g}"

    def lmse(self, method: str) -> float:
        """Return the mean over r of the squared difference to the target; NaN if the simulation failed."""
        return float(np.mean((self.g[method] - self.target) ** 2))


def choose_cases(data: TrainingSet, count: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return `count` rows of the test set ``(count,)`` by rule and not by result.

    As many of each class of densities as there are; within a class evenly spaced in the order of the potentials'
    names, with another start in each class, so that they are of many potentials.

    Raises
    ------
    InputError
        If the test set is smaller.
    """
    held = np.flatnonzero(data.test)
    if held.size < count:
        raise InputError(f"the test set holds {held.size} state points, {count} were asked for")
    held = held[np.lexsort((data.density[held], data.potential[held]))]
    group = np.digitize(data.density[held], CLASSES, right=True)
    present = np.unique(group)
    quota = -(-count // present.size)
    rank = np.full(held.size, np.inf)
    for k, name in enumerate(present):
        rows = np.flatnonzero(group == name)
        at = (np.arange(quota) + (k + 0.5) / present.size) * rows.size / quota
        chosen = rows[np.unique(at.astype(np.int64))]
        rank[chosen] = np.arange(chosen.size)
    order = np.lexsort((data.density[held], rank))
    return np.asarray(held[order][:count], dtype=np.int64)


def simulate_cases(
    data: TrainingSet,
    folder: Path,
    methods: tuple[str, ...],
    *,
    count: int = 20,
    engine: str = "lammps",
    model: Path | None = None,
    study: Path | None = None,
) -> Iterator[str]:
    """Simulate the guesses of `methods` for test state points; yield a line for each one that is done.

    A case is done when its file exists; a killed run loses the simulation under way and nothing else.

    Parameters
    ----------
    data : TrainingSet
        Test set included.
    folder : Path
        Receives one ``.npz`` for each case and method.
    methods : tuple of str
        Guesses by name, names of exported networks in `model`, final networks ``KIND/LABEL`` of `study`, or ``true``
        for the true potential. With ``+s_k`` at its end a guess is told S(k) at a small k too.
    count : int
        Number of state points.
    engine : str
        Name of the engine.
    model : Path, optional
        Folder of exported networks that are not shipped.
    study : Path, optional
        Folder of a study g -> U.
    """
    program = load_engine(engine)
    folder.mkdir(parents=True, exist_ok=True)
    for row in choose_cases(data, count):
        for method in methods:
            name = method.replace("/", "_")
            path = folder / f"{int(data.potential[row]):010d}-{data.density[row]:.4f}-{name}.npz"
            if not path.exists():
                g = _simulate(data, int(row), method, program, _Places(model, study))
                what = {
                    "potential": data.potential[row],
                    "density": data.density[row],
                    "method": np.array(method),
                }
                write_arrays(path, {**what, "r": data.r, "target": data.g[row], "g": g})
            with np.load(path, allow_pickle=False) as found:
                lmse = float(np.mean((found["g"] - found["target"]) ** 2))
            yield f"{path.stem}: LMSE {lmse:.2e}"


def read_cases(folder: Path) -> list[Case]:
    """Return the cases of a folder; InputError if there is none."""
    cases: dict[tuple[int, float], Case] = {}
    for path in sorted(folder.glob("*.npz")):
        with np.load(path, allow_pickle=False) as found:
            key = int(found["potential"]), float(found["density"])
            case = cases.setdefault(key, Case(*key, found["r"], found["target"], {}))
            case.g[str(found["method"])] = found["g"]
    if not cases:
        raise InputError(f"{folder} holds no simulated guess; run cginit-study simulate first")
    return list(cases.values())


@dataclass(frozen=True)
class _Places:
    """Where networks are that are not shipped."""

    model: Path | None
    study: Path | None


@dataclass(frozen=True)
class _StudyGuess:
    """The guess of a final network of a study: as published, with nothing before and after it but the grid."""

    name: str
    folder: Path

    def __call__(self, target: RDF, state: StatePoint, r_cut: float) -> PairPotential:
        kind, _, label = self.name.partition("/")
        path = final_path(self.folder, kind, label)
        network = load_network(load_study(self.folder)[0], kind, label, path)
        visible = visible_target(target, bin_average=False)
        g = on_network_grid(visible.target, 1.0)
        u = predict(network, g[None], np.array([state.density]))[0]
        curve, _ = on_target_grid(visible, 1.0, View(network_grid(), g, u, np.zeros_like(u)))
        return potential_from(visible, curve, state, r_cut, self.name)


def _guess(method: str, places: _Places) -> Any:
    model = places.model
    if "/" in method:
        if places.study is None:
            raise InputError(f"{method} is a network of a study; say which (--potential-study)")
        return _StudyGuess(method, places.study)
    if model is not None and (model / f"{method}.onnx").exists():
        return NetworkGuess(method, bin_average=False, folder=model)
    found: Any = load_guess(method)
    # The g of a training set are point values already.
    return replace(found, bin_average=False) if hasattr(found, "bin_average") else found


def _simulate(data: TrainingSet, row: int, method: str, engine: Engine, places: _Places) -> Array:
    density = float(data.density[row])
    target, state = data.target(row, long_wave=method.endswith(LONG_WAVE))
    method = method.removesuffix(LONG_WAVE)
    beads = max(BEADS, int(np.ceil(density * EDGE**3)))
    seed = int(data.potential[row]) % 100_000 + 1
    # A method that is not there is a mistake of the user, and no failed guess.
    guess = None if method == TRUE else _guess(method, places)
    try:
        if guess is None:
            potential = PairPotential(data.u_r, np.append(data.u[row, :-1], 0.0), units=LJ)
        else:
            # No method is told where the potential ends.
            potential = guess(target, state, float(data.r[-1]))
        start = random_configuration(beads, density, seed=seed, units="lj")
        equilibration, production, every = STEPS
        longer = every * round(production * max(1.0, FEWER_BELOW / density) / every)
        with tempfile.TemporaryDirectory() as place:
            run = engine.run(
                potential,
                state,
                start,
                Schedule(equilibration=equilibration, production=longer, every=every, length=1.0),
                seed=seed,
                workdir=Path(place),
            )
            if run.trajectory is None:
                raise InputError(f"the engine {engine.name} returns no configurations; choose another")
            g = sampling.rdf(run.trajectory, dr=float(data.r[1])).truncated(float(data.r[-1]))
    except CGInitError:
        # A guess that cannot be simulated is the worst outcome and has to count.
        return np.full(data.r.size, np.nan)
    # The targets of a training set are those of an infinite system.
    return at_infinite_size(visible_target(g), density).target.g
