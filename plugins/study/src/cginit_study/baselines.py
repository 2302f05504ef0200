"""Pressures without a network, to set beside those of the networks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from cginit.atomic import write_arrays
from cginit.curves import Array
from cginit.errors import CGInitError
from cginit.learn.data import TrainingSet
from cginit.liquid.forward import solve
from cginit.liquid.hard_sphere import barker_henderson, carnahan_starling
from cginit.liquid.virial import sampled_virial, second_virial, third_virial, virial_pressure
from cginit.models.grid import interpolate

__all__ = ["BASELINES", "baselines"]

#: What `baselines` computes, in this order.
BASELINES = ("P0", "B2+B3", "HNC virial", "HNC compressibility", "Carnahan-Starling", "virial of g")
#: Step of the integral equation in sigma, and densities of its compressibility route.
STEP, DENSITIES = 0.05, 6


def baselines(
    data: TrainingSet, path: Path | None = None, report: Callable[[int, int], None] | None = None
) -> dict[str, Array]:
    """Return beta P sigma^3 ``(m,)`` of every row of `data` by each of `BASELINES`; NaN where a method has no answer.

    Parameters
    ----------
    data : TrainingSet
        Potentials, densities, and the g that the virial formula takes.
    path : Path, optional
        An ``.npz`` that keeps the results; it is read if it belongs to the same potentials and densities.
    report : callable, optional
        Called with the number of rows done and in all.
    """
    if path is not None and path.exists():
        with np.load(path, allow_pickle=False) as content:
            if np.array_equal(content["potential"], data.potential) and np.array_equal(
                content["density"], data.density
            ):
                return {name: content[name] for name in BASELINES}
    found = np.full((len(data), len(BASELINES)), np.nan)
    for i in range(len(data)):
        found[i] = _row(data, i)
        if report is not None:
            report(i + 1, len(data))
    result = {name: found[:, k] for k, name in enumerate(BASELINES)}
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_arrays(path, {"potential": data.potential, "density": data.density, **result})
    return result


def _row(data: TrainingSet, i: int) -> list[float]:
    density = float(data.density[i])
    u_r, u = data.u_r, data.u[i]
    b2 = second_virial(u_r, u)
    b3 = third_virial(u_r, u)
    last = min(int(np.ceil(data.r_cut[i] / STEP)) + 1, data.r.size)
    r = data.r[: max(last, 3)]
    coarse = interpolate(u[None], 0.0, float(u_r[1]), r, 0.0)[0]

    def tried(route: Callable[[], float]) -> float:
        try:
            return route()
        except CGInitError:
            return float("nan")

    def virial() -> float:
        fluid = solve(r, coarse, density)
        y = np.interp(u_r, fluid.r, fluid.y)
        return virial_pressure(u_r, u, np.interp(u_r, fluid.r, fluid.g), density, y=y)

    def compressibility() -> float:
        points, weights = np.polynomial.legendre.leggauss(DENSITIES)
        states = 0.5 * density * (1.0 + points)
        return float(
            sum(
                0.5 * density * w / solve(r, coarse, float(x)).s_0
                for x, w in zip(states, weights, strict=True)
            )
        )

    diameter = barker_henderson(u_r, u)
    return [
        density + density**2 * b2,
        density + density**2 * b2 + density**3 * b3,
        tried(virial),
        tried(compressibility),
        carnahan_starling(density, diameter) if diameter > 0.0 else float("nan"),
        tried(lambda: sampled_virial(data.r, data.g[i], u_r, u, density)),
    ]
