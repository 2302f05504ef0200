"""Exact relations that a learned equation of state should keep: compressibility, and virial coefficients."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cginit.curves import Array
from cginit.eos.features import fluid_features
from cginit.eos.inference import EosModel
from cginit.eos.textbook import TEXTBOOK, textbook_potentials
from cginit.errors import CGInitError
from cginit.learn.data import TrainingSet
from cginit.learn.subjects.pressure_features import fluid_of
from cginit.liquid.hard_sphere import barker_henderson, carnahan_starling
from cginit.liquid.ornstein_zernike import invert
from cginit.liquid.virial import second_virial, third_virial
from cginit.models.grid import interpolate, network_grid
from cginit_study.pressures import network_coefficients, network_pressure
from cginit_study.study import StudyConfig

__all__ = [
    "inverse_s_0",
    "model_slopes",
    "network_slopes",
    "series_slopes",
    "theory_slopes",
    "virial_table",
]

#: Part of the density by which it is varied for derivatives.
VARIED = 0.02
#: Largest relative error of a sampled S(0) that counts as known.
TELLING = 0.1


def virial_table(
    networks: dict[str, tuple[StudyConfig, Path]],
) -> tuple[str, dict[str, dict[str, list[float]]]]:
    """Return a Markdown table of learned and exact B2 and B3 of the textbook potentials, and the numbers.

    Parameters
    ----------
    networks : dict of str to (StudyConfig, Path)
        Study and weights of networks ``KIND/Bn-OPTIONS``.
    """
    r, curves = textbook_potentials()
    u = interpolate(curves, 0.0, float(r[1]), network_grid(), 0.0)
    exact = [[second_virial(r, x) for x in curves], [third_virial(r, x) for x in curves]]
    found = {name: network_coefficients(config, name, path, u) for name, (config, path) in networks.items()}
    heads = [f"{b}, {name}" for b in ("B2", "B3") for name in ("exact", *found)]
    lines = [f"| potential | {' | '.join(heads)} |", f"| --- |{' ---: |' * len(heads)}"]
    for i, label in enumerate(TEXTBOOK):
        cells = [f"{x:.3f}" for k in (0, 1) for x in (exact[k][i], *(y[i, k] for y in found.values()))]
        lines.append(f"| {label} | {' | '.join(cells)} |")
    numbers = {"exact": {"B2": exact[0], "B3": exact[1]}}
    numbers |= {name: {"B2": y[:, 0].tolist(), "B3": y[:, 1].tolist()} for name, y in found.items()}
    return "\n".join(lines) + "\n", numbers


def inverse_s_0(data: TrainingSet, rows: NDArray[np.int64]) -> Array:
    """Return 1 / S(0) of the sampled g of `rows` ``(m,)``; NaN where the g does not tell it.

    It is that of the Ornstein-Zernike inversion, whose direct correlation ends with the potential, where the integral
    of h up to the end of g agrees with it: within three standard errors and a tenth. S(0) of a dense fluid is a small
    difference of large numbers, and its error exceeds itself.
    """
    found = np.full(len(rows), np.nan)
    for k, i in enumerate(rows):
        density, step = float(data.density[i]), float(data.r[1])
        shell = 4.0 * np.pi * density * data.r**2 * step
        direct = 1.0 + float(shell @ (data.g[i] - 1.0))
        error = float(np.sqrt(np.sum((shell * data.g_error[i]) ** 2)))
        if error > TELLING * direct:
            continue
        try:
            inverted = float(invert(data.r, data.g[i], density, error=data.g_error[i]).s_k[0])
        except CGInitError:
            continue
        if abs(inverted - direct) <= 3.0 * error + TELLING * direct:
            found[k] = 1.0 / inverted
    return found


def theory_slopes(data: TrainingSet, rows: NDArray[np.int64]) -> tuple[Array, Array]:
    """Return d(beta P)/d rho by the virial route of HNC and 1/S(0) of HNC ``(m,)``; NaN where it has no solution."""
    found = np.full((2, len(rows)), np.nan)
    for k, i in enumerate(rows):
        try:
            fluid = fluid_of(data, int(i))
            found[:, k] = fluid.virial_slope, 1.0 / fluid.hnc.s_0
        except CGInitError:
            continue
    return found[0], found[1]


def network_slopes(config: StudyConfig, name: str, path: Path, u: Array, density: Array, b2: Array) -> Array:
    """Return d(beta P)/d rho ``(m,)`` by a network of the study.

    Parameters
    ----------
    config, name, path, u, density
        As `cginit_study.pressures.network_pressure` takes them.
    b2 : ndarray, shape (m,)
        Second virial coefficients.
    """
    ends = [
        network_pressure(config, name, path, u, rho, rho + rho**2 * b2)
        for rho in (density * (1.0 - VARIED), density * (1.0 + VARIED))
    ]
    return np.asarray((ends[1] - ends[0]) / (2.0 * VARIED * density))


def series_slopes(data: TrainingSet, b2: Array) -> dict[str, Array]:
    """Return d(beta P)/d rho ``(m,)`` of two and three virial coefficients, and of hard spheres (for cores only).

    Parameters
    ----------
    data : TrainingSet
    b2 : ndarray, shape (m,)
        Second virial coefficients.
    """
    rho = data.density
    b3 = np.array([third_virial(data.u_r, u) for u in data.u])
    cores = np.full(len(data), np.nan)
    for i, u in enumerate(data.u):
        diameter = barker_henderson(data.u_r, u)
        if diameter > 0.0:
            ends = [carnahan_starling(float(rho[i]) * x, diameter) for x in (1.0 - VARIED, 1.0 + VARIED)]
            cores[i] = (ends[1] - ends[0]) / (2.0 * VARIED * float(rho[i]))
    two = 1.0 + 2.0 * rho * b2
    return {"P0": two, "B2+B3": two + 3.0 * rho**2 * b3, "Carnahan-Starling": cores}


def model_slopes(model: EosModel, data: TrainingSet, rows: NDArray[np.int64]) -> Array:
    """Return d(beta P)/d rho ``(m,)`` by the default network; NaN where HNC has no solution."""
    found = np.full(len(rows), np.nan)
    for k, i in enumerate(rows):
        ends = []
        try:
            for part in (1.0 - VARIED, 1.0 + VARIED):
                features = fluid_features(fluid_of(data, int(i), float(data.density[i]) * part))
                ends.append(part * float(model(features)[0][0]))
        except CGInitError:
            continue
        found[k] = (ends[1] - ends[0]) / (2.0 * VARIED)
    return found
