"""Pressures without a network, to set beside those of the networks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from cginit.curves import Array
from cginit.errors import CGInitError
from cginit.liquid.forward import solve
from cginit.liquid.fourier import RadialGrid
from cginit.liquid.virial import second_virial, virial_pressure
from cginit.network.data import TrainingSet
from cginit.network.features import interpolate

__all__ = ["BASELINES", "barker_henderson", "baselines", "carnahan_starling", "third_virial"]

#: What `baselines` computes, in this order.
BASELINES = ("P0", "B2+B3", "HNC virial", "HNC compressibility", "Carnahan-Starling", "virial of g")
#: Step of the integral equation in sigma, and densities of its compressibility route.
STEP, DENSITIES = 0.05, 6
#: U(r) at r = 0 in kT from which a particle counts as having a hard core.
HARD = 50.0


def third_virial(r: Array, u: Array) -> float:
    r"""Return the third virial coefficient in the sixth power of the unit of r.

    .. math:: B_3 = -\frac{1}{3} \int f(r)\, (f * f)(r)\, d^3r, \qquad f = e^{-U/kT} - 1

    Parameters
    ----------
    r : ndarray, shape (n,)
        Uniform distances from 0 to the cut-off; the step should be a hundredth of it or less.
    u : ndarray, shape (n,)
        Potential in kT.

    References
    ----------
    J. P. Hansen and I. R. McDonald, Theory of Simple Liquids, 4th ed. (2013), eq. 3.9.8,
    doi:10.1016/C2010-0-66723-X.

    Examples
    --------
    >>> r = np.linspace(0.0, 8.0, 801)
    >>> mayer = -np.exp(-(r**2)) * (1 - 1e-12)  # f = -exp(-r^2) has B3 = pi^3 / 3^(5/2)
    >>> round(third_virial(r, -np.log1p(mayer)) / (np.pi**3 / 3**2.5), 3)
    1.0
    """
    # f * f reaches to twice the cut-off and must not meet its periodic image.
    grid = RadialGrid.covering(r, 3 * r.size)
    mayer = np.zeros(grid.n)
    mayer[: r.size - 1] = np.expm1(-u[1:])
    return float(-grid.integral(mayer * grid.inverse(grid.forward(mayer) ** 2)) / 3.0)


def barker_henderson(r: Array, u: Array) -> float:
    r"""Return the Barker-Henderson diameter :math:`d = \int_0^{r_0} (1 - e^{-U/kT}) dr` of a core.

    r0 is the first zero of U, or the end of the table. 0 where U(0) is below 50 kT: particles that overlap have none.

    References
    ----------
    J. A. Barker and D. Henderson, J. Chem. Phys. 47, 4714 (1967), doi:10.1063/1.1701689.

    Examples
    --------
    >>> r = np.linspace(0.0, 3.0, 3001)
    >>> round(barker_henderson(r, np.where(r < 1.0, 1e3, 0.0)), 2)
    1.0
    """
    if u[0] < HARD:
        return 0.0
    below = np.flatnonzero(u <= 0.0)
    end = int(below[0]) + 1 if below.size else r.size
    return float(np.trapezoid(-np.expm1(-u[:end]), r[:end]))


def carnahan_starling(density: float, diameter: float) -> float:
    r"""Return :math:`\beta P` of hard spheres.

    .. math:: \beta P = \rho \frac{1 + \eta + \eta^2 - \eta^3}{(1 - \eta)^3}, \qquad \eta = \frac{\pi}{6} \rho d^3

    NaN from :math:`\eta = 0.74` on, beyond close packing.

    References
    ----------
    N. F. Carnahan and K. E. Starling, J. Chem. Phys. 51, 635 (1969), doi:10.1063/1.1672048.

    Examples
    --------
    >>> carnahan_starling(0.3, 0.0), round(carnahan_starling(0.9, 1.0), 2)
    (0.3, 9.67)
    """
    eta = np.pi / 6.0 * density * diameter**3
    if eta >= 0.74:
        return float("nan")
    return float(density * (1.0 + eta + eta**2 - eta**3) / (1.0 - eta) ** 3)


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
        with path.open("wb") as stream:
            keys = {"potential": data.potential, "density": data.density}
            columns: dict[str, Any] = {**keys, **result}
            np.savez_compressed(stream, **columns)
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


def sampled_virial(r: Array, g: Array, u_r: Array, u: Array, density: float) -> float:
    """Return the virial pressure of U ``(k,)`` on its fine grid with g ``(n,)`` on the coarser grid of a simulation.

    The cavity function is interpolated, which is smooth where g and U are steep.
    """
    on_coarse = np.interp(r, u_r, u)
    shown = np.flatnonzero(g > 1e-3)
    log_y = np.log(g[shown]) + on_coarse[shown]
    first = int(shown[0])
    slope = (log_y[1] - log_y[0]) / (r[shown[1]] - r[first]) if shown.size > 1 else 0.0
    inner = np.arange(first)
    distances = np.concatenate([r[inner], r[shown]])
    values = np.concatenate([log_y[0] + slope * (r[inner] - r[first]), log_y])
    y = np.exp(np.interp(u_r, distances, values))
    return virial_pressure(u_r, u, y * np.exp(-np.minimum(u, 700.0)), density, y=y)
