"""What the numbers of a study amount to: aims that are met or missed, and why numbers differ from the published."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from cginit.learn.data import TrainingSet
from cginit.models.grid import U_CUT, interpolate, network_grid
from cginit_study.study import StudyConfig
from cginit_study.table import MODERATE

__all__ = ["aims", "remarks"]

#: Aims: the best published number or better.
DELTA, PRESSURE_ERROR, PRESSURE_R2, FROM_G_R2, LMSE, TRANSFER = 0.03, 0.08, 0.99, 0.9, 5e-5, 0.02
#: Below this part of the ideal pressure a relative deviation of P says little.
SMALL = 0.05
#: State points that are held to make up most of a mean relative error.
FEW = 5


def aims(numbers: Mapping[str, Any]) -> list[str]:
    """Return the lines of a Markdown table of aims on the test set, from the content of ``numbers.json``."""
    found: list[tuple[str, str, float, float, str]] = []
    for key, text in (("delta", "all points with U < 20 kT"), ("delta, visible part", "points that g shows")):
        for name, entry in numbers.get(key, {}).items():
            if name.endswith(" test"):
                found.append((f"delta, {text}, fit / kT", name, entry["fit"], DELTA, "<="))
                found.append((f"delta, {text}, median / ln 2 / kT", name, entry["median"], DELTA, "<="))
    if "transferability" in numbers:
        spread = numbers["transferability"]["median_kT"]
        found.append(("spread of U from several densities / kT", "final network", spread, TRANSFER, "<="))
    for name, entry in numbers.get("pressure", {}).items():
        if "test" in entry and ("/" in name or "network" in name):
            part = entry["test"]
            found.append(("mean relative error of P", name, part["mean"], PRESSURE_ERROR, "<="))
            found.append(("R² of P", name, part["R2"], PRESSURE_R2, ">="))
    routes = {n: x["test"] for n, x in numbers.get("pressure from g", {}).items() if "test" in x}
    pairs: dict[str, list[str]] = {}
    for name in routes:
        first = name.partition(", then ")[0].partition(" and ")[0]
        if not name.startswith("P0"):
            pairs.setdefault(first, []).append(name)
    for names in pairs.values():
        for key, text in (("R2", ""), ("R2 without the largest", ", without the largest deviation")):
            best = max(names, key=lambda n: routes[n][key])
            found.append(
                (f"R² of P from g, better of two routes{text}", best, routes[best][key], FROM_G_R2, ">=")
            )
    noise = numbers.get("simulated", {}).get("true", {"lmse": None})["lmse"]
    for method, entry in numbers.get("simulated", {}).items():
        moderate = np.array(entry["density"]) <= MODERATE
        values = np.array(entry["lmse"], dtype=np.float64)[moderate]
        if values.size:
            middle = float(np.median(np.where(np.isfinite(values), values, np.inf)))
            found.append((f"median LMSE at ρ ≤ {MODERATE:g}", method, middle, LMSE, "<="))
            if noise is not None and method != "true":
                # The cases are the same; what is left is not noise of the simulations.
                rest = values - np.array(noise, dtype=np.float64)[moderate]
                middle = float(np.median(np.where(np.isfinite(rest), rest, np.inf)))
                text = f"median LMSE at ρ ≤ {MODERATE:g}, less that of the true potential"
                found.append((text, method, middle, LMSE, "<="))
    lines = [
        "| aim on the test set | method | this project | aim | met |",
        "| --- | --- | ---: | ---: | --- |",
    ]
    for text, name, value, aim, relation in found:
        met = value <= aim if relation == "<=" else value >= aim
        sign = "≤" if relation == "<=" else "≥"
        lines.append(f"| {text} | {name} | {value:.3g} | {sign} {aim:g} | {'yes' if met else 'no'} |")
    return lines


def remarks(data: TrainingSet, configs: Mapping[str, StudyConfig], numbers: Mapping[str, Any]) -> list[str]:
    """Return sentences that say where the conditions differ from the published ones, with numbers of these data."""
    lines = []
    train = int(np.sum(~data.test))
    for subject, config in configs.items():
        plan = config.schedule
        epochs = plan.steps * plan.batch / max(train * (config.folds - 1) / config.folds, 1.0)
        last = config.final_steps or plan.steps
        lines.append(
            f"- Training, {subject}: {plan.steps} steps of {plan.batch} state points, about {epochs:.0f} epochs, and "
            f"{last} steps for the final networks; published are 2e5 and 5e5 epochs. The learning rate starts at "
            f"{plan.learning_rate:g} and falls as a cosine (published: 1e-3 throughout)."
        )
    u = interpolate(data.u, 0.0, float(data.u_r[1]), network_grid(), 0.0)
    g = interpolate(data.g, 0.0, float(data.r[1]), network_grid(), 1.0)
    counts = u < U_CUT
    hidden = float(np.sum(counts & (g < 1e-2))) / max(int(np.sum(counts)), 1)
    lines.append(
        f"- Of the points with U < 20 kT, {100 * hidden:.1f} % have g < 0.01: no network can know U there, and the "
        "mean absolute error counts them as published. The visible part leaves them out."
    )
    small = data.pressure < SMALL * data.density
    lines.append(
        f"- {int(np.sum(small & ~data.test))} training and {int(np.sum(small & data.test))} test state points have "
        f"P below {SMALL:g} of the ideal pressure or below 0. Relative errors of such points decide means; medians, "
        "and means without the largest, stand beside them."
    )
    if "simulated" in numbers and "true" in numbers["simulated"]:
        values = np.array(numbers["simulated"]["true"]["lmse"], dtype=np.float64)
        lines.append(
            f"- The true potentials, simulated for as long as the guesses, reach a median LMSE of "
            f"{float(np.nanmedian(values)):.2g}: the noise of both simulations, below which no guess can come. "
            "Published cases were simulated with 8000 to 64000 beads for 5e6 steps."
        )
    return lines
