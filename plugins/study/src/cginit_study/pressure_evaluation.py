"""Figures and numbers of the pressure: of true potentials, and from g."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from cginit.atomic import write_arrays
from cginit.cli.learning import counter
from cginit.curves import Array
from cginit.eos import pressure
from cginit.errors import CGInitError
from cginit.guess import Guess
from cginit.guess.network import NetworkGuess
from cginit.learn.data import CAP, TrainingSet
from cginit.learn.identity import array_digest, data_digest
from cginit.learn.statistics import relative_errors
from cginit.liquid.virial import sampled_virial
from cginit.models.grid import boltzmann_potential, interpolate, network_grid
from cginit.models.model import load_model
from cginit_study.baselines import BASELINES, baselines
from cginit_study.consistency import consistency_figures, default_pressures
from cginit_study.potentials import PotentialStudy
from cginit_study.pressure_figures import Agreement, pressure_figure, route_figure
from cginit_study.pressures import PressureStudy, assess_pressures, network_pressure
from cginit_study.study import final_path
from cginit_study.table import Row, pressure_rows, validation_rows

__all__ = ["DEFAULT_GUESS", "pressure_figures"]

#: Titles of the routes of this project's own networks.
DEFAULT_GUESS = "network"
WITH_WAVE = "network, S(k) known"
DEFAULT_EOS = "default network"


def pressure_figures(
    folder: Path,
    data: TrainingSet,
    guessed: PotentialStudy | None,
    network: str,
    eos: str,
    model: Path | None,
    out: Path,
    rows: list[Row],
    numbers: dict[str, Any],
) -> list[Path]:
    """Draw figures 3, 4 and 11 and what the exact relations say, and add their numbers; return the paths.

    Parameters
    ----------
    folder : Path
        The study U -> P.
    data : TrainingSet
        Test set included.
    guessed : PotentialStudy, optional
        The study g -> U; without it there is no figure 11.
    network, eos : str
        Final networks g -> U and U -> P.
    model : Path, optional
        Folder of the default network U -> P; the shipped one otherwise, where there is one.
    out : Path
        Where to write; what takes long is kept there.
    rows, numbers
        Of the table and of ``numbers.json``.
    """
    base = baselines(data, out / "baselines.npz", counter("baselines"))
    found = assess_pressures(folder, data, base["P0"])
    held = found.fold < 0
    by_default = default_pressures(model, data, out)
    paths = []
    if found.errors:
        errors = {name: relative_errors(base[name], data.pressure)[~held] for name in BASELINES}
        paths.append(route_figure(found.errors, found.medians, errors, out / "figure-03.png"))
        validation_rows(found.errors, found.medians, errors, rows)
        numbers["pressure validation"] = {n: x.round(5).tolist() for n, x in found.errors.items()}
        numbers["pressure validation, median"] = {n: x.round(5).tolist() for n, x in found.medians.items()}
        numbers["pressure test"] = {n: x.round(5).tolist() for n, x in found.test_errors.items()}
    theory = [Agreement(name, base[name], data.pressure, held) for name in BASELINES]
    panels = [Agreement(DEFAULT_EOS, by_default, data.pressure, held)]
    panels += [
        Agreement(name, found.final[name], data.pressure, held) for name in (eos,) if name in found.final
    ]
    panels += theory
    paths.append(pressure_figure(panels, out / "figure-04.png"))
    others = [Agreement(n, x, data.pressure, held) for n, x in found.final.items() if n != eos]
    numbers["pressure"] = {p.title: pressure_rows(p, rows, "") for p in [*panels, *others]}
    if guessed is not None and network in guessed.final and eos in found.final:
        panels = _from_g(folder, data, guessed, network, eos, found, model, out)
        numbers["pressure from g"] = {p.title: pressure_rows(p, rows, "from g: ") for p in panels}
        true = [Agreement(f"true U: {x.title}", x.found, x.truth, x.test) for x in theory]
        paths.append(pressure_figure([*panels, *true], out / "figure-11.png"))
    return paths + consistency_figures(folder, data, found, model, out, rows, numbers)


def _from_g(
    folder: Path,
    data: TrainingSet,
    guessed: PotentialStudy,
    network: str,
    eos: str,
    found: PressureStudy,
    model: Path | None,
    out: Path,
) -> list[Agreement]:
    """Return the routes from g to the pressure.

    As published: network after network, the virial formula with the guessed U and the target g, and P0 of -ln g;
    and the same two with what `cg-init` takes by default.
    """
    u = guessed.final[network]
    step = float(network_grid()[1])
    fine = interpolate(u, 0.0, step, data.u_r, 0.0)
    zero = interpolate(boltzmann_potential(guessed.g), 0.0, step, data.u_r, 0.0)

    def p0(curves: Array) -> Array:
        b2 = -2.0 * np.pi * np.trapezoid(np.expm1(-curves) * data.u_r**2, data.u_r, axis=1)
        return np.asarray(data.density + data.density**2 * b2)

    kind, _, label = eos.partition("/")
    path = final_path(folder, kind, label)
    after = network_pressure(found.config, eos, path, u, data.density, p0(fine))
    found_pressures = {
        f"{network}, then {eos}": after,
        f"{network} and the virial of g": _virial(data, fine),
    }
    for name, (default, by_default) in _default_guesses(data, model, out / "guesses.npz").items():
        found_pressures[f"{name}, then {DEFAULT_EOS}"] = by_default
        found_pressures[f"{name} and the virial of g"] = _virial(data, default)
    found_pressures["P0 of -ln g"] = p0(zero)
    held = found.fold < 0
    return [Agreement(name, x, data.pressure, held) for name, x in found_pressures.items()]


def _virial(data: TrainingSet, fine: Array) -> Array:
    """Return the virial pressures of potentials ``(m, k)`` on the fine grid with the sampled g."""
    pressures = np.full(len(data), np.nan)
    for i in range(len(data)):
        try:
            pressures[i] = sampled_virial(data.r, data.g[i], data.u_r, fine[i], float(data.density[i]))
        except CGInitError:
            continue
    return pressures


def _default_guesses(data: TrainingSet, model: Path | None, path: Path) -> dict[str, tuple[Array, Array]]:
    """Return the default guess of each g on the fine grid ``(m, k)``, and the pressure that it implies ``(m,)``.

    As a user gets them: with the cut-off at the end of g, and with the ways out of guess and pressure where the
    networks do not know the fluid; from g alone, and from g and S(k) at a small k. NaN where there is no answer.
    """
    # The g of a training set are point values already.
    guess = NetworkGuess("bridge", bin_average=False)
    used = load_model(guess.name)
    key = f"{used.name} {used.version} {model} {data_digest(data)} {array_digest(data.long_wave)}"
    if path.exists():
        with np.load(path, allow_pickle=False) as content:
            if "key" in content and str(content["key"]) == key:
                return {n: (content[f"{n} u"], content[f"{n} pressure"]) for n in (DEFAULT_GUESS, WITH_WAVE)}
    found = {
        DEFAULT_GUESS: _guessed(data, guess, model, long_wave=False),
        WITH_WAVE: _guessed(data, guess, model, long_wave=True),
    }
    arrays = {
        f"{n} {k}": x for n, pair in found.items() for k, x in zip(("u", "pressure"), pair, strict=True)
    }
    write_arrays(path, {**arrays, "key": np.array(key)})
    return found


def _guessed(data: TrainingSet, guess: Guess, model: Path | None, *, long_wave: bool) -> tuple[Array, Array]:
    report = counter("guesses from g and S(k)" if long_wave else "guesses")
    u, found = np.full((len(data), data.u_r.size), np.nan), np.full(len(data), np.nan)
    for i in range(len(data)):
        report(i + 1, len(data))
        target, state = data.target(i, long_wave=long_wave)
        try:
            potential = guess(target, state, float(data.r[-1]))
        except CGInitError:
            continue
        curve = np.minimum(potential.u, CAP)[None]
        u[i] = interpolate(curve, float(potential.r[0]), potential.dr, data.u_r, 0.0)[0]
        try:
            found[i] = pressure(potential, state, folder=model).value
        except CGInitError:
            continue
    return u, found
