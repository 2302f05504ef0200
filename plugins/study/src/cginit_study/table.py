"""The table that sets this project's numbers beside the published ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cginit.curves import Array
from cginit.learn.data import TrainingSet
from cginit.learn.statistics import fitted_delta, median_delta, r_squared, relative_errors
from cginit_study.pressure_figures import Agreement

__all__ = ["PUBLISHED", "Row", "delta_row", "pressure_rows", "simulated_rows", "table", "validation_rows"]

#: Published numbers by quantity, group and method (F. Berressem and A. Nikoubashman, J. Chem. Phys. 154, 124123,
#: 2021, doi:10.1063/5.0045441).
PUBLISHED: dict[tuple[str, str, str], str] = {
    ("delta of p(MAE) / kT", "train", "CN/f"): "0.02",
    ("delta of p(MAE) / kT", "test", "CN/f"): "0.03",
    ("delta of p(MAE) / kT", "all", "-ln g"): "0.5",
    ("mean relative error of P", "train", "UN/Bn-c"): "0.06",
    ("mean relative error of P", "test", "UN/Bn-c"): "0.11",
    ("mean relative error of P", "test", "P0"): "1.4",
    ("R² of P", "test", "UN/Bn-c"): "1.00",
    ("R² of P", "test", "P0"): "0.172",
    ("R² of P", "train", "from g: CN/f, then UN/Bn-c"): "0.971",
    ("R² of P", "test", "from g: CN/f, then UN/Bn-c"): "0.461 (0.802 without one outlier)",
    ("R² of P", "test", "from g: P0 of -ln g"): "0.0192",
    ("LMSE of simulated g, median", "test", "CN/f"): "2.9e-5, 5.0e-4 (two cases)",
    ("LMSE of simulated g, median", "test", "cn-f"): "2.9e-5, 5.0e-4 (two cases)",
    ("LMSE of simulated g, median", "test", "boltzmann"): "2.3e-3, 2.4e-3 (two cases)",
}

#: Densities up to here are the moderate ones.
MODERATE = 0.512


@dataclass(frozen=True)
class Row:
    """One number of this project: what, of which cases, by which method, and how many cases."""

    quantity: str
    group: str
    method: str
    value: str
    cases: int


def delta_row(name: str, errors: Array, rows: list[Row], what: str = "") -> tuple[float, float]:
    """Add delta of a group ``METHOD train``, ``METHOD test`` or a method; return it by fit and by median."""
    method, _, group = name.partition(" ") if name.endswith((" train", " test")) else (name, "", "all")
    fitted, median = fitted_delta(errors), median_delta(errors)
    value = f"{fitted:.3f} (fit), {median:.3f} (median / ln 2)"
    rows.append(Row(f"delta of p(MAE) / kT{what}", group, method, value, int(errors.size)))
    return fitted, median


def pressure_rows(panel: Agreement, rows: list[Row], prefix: str) -> dict[str, dict[str, float]]:
    """Add mean relative error and R² of a route on training and test rows; return them.

    R² is also given without the one state point that is farthest off, as published.
    """
    numbers: dict[str, dict[str, float]] = {}
    name = prefix + panel.title
    for group, chosen in (("train", ~panel.test), ("test", panel.test)):
        use = chosen & np.isfinite(panel.found)
        if not np.any(use):
            continue
        found, truth = panel.found[use], panel.truth[use]
        errors = relative_errors(found, truth)
        rest = np.arange(truth.size) != int(np.argmax(np.abs(found - truth)))
        entry = {
            "mean": float(np.mean(errors)),
            "median": float(np.median(errors)),
            "mean without the largest": float(np.mean(np.delete(errors, np.argmax(errors))))
            if errors.size > 1
            else float("nan"),
            "R2": r_squared(found, truth),
            "R2 without the largest": r_squared(found[rest], truth[rest]),
            "cases": truth.size,
        }
        numbers[group] = entry
        value = (
            f"{entry['mean']:.3g} (median {entry['median']:.2g}, without the largest "
            f"{entry['mean without the largest']:.3g})"
        )
        rows.append(Row("mean relative error of P", group, name, value, truth.size))
        value = f"{entry['R2']:.3f} (without the largest deviation {entry['R2 without the largest']:.3f})"
        rows.append(Row("R² of P", group, name, value, truth.size))
    return numbers


def validation_rows(
    errors: Mapping[str, Array],
    medians: Mapping[str, Array],
    references: Mapping[str, Array],
    rows: list[Row],
) -> None:
    """Add the best networks of a study of the pressure on the validation folds, and what stands beside them.

    Parameters
    ----------
    errors, medians : mapping of str to ndarray, shape (folds,)
        Mean and median relative errors by network.
    references : mapping of str to ndarray, shape (m,)
        Relative errors of each state point by other methods, NaN where there is no answer.
    """
    quantity = "mean relative error of P, validation"
    best = sorted(errors, key=lambda name: float(np.mean(errors[name])))
    # The five best, and the best of each kind and route, so that the comparison is not of one family alone.
    forms = {name.partition("-")[0]: name for name in reversed(best)}
    for name in dict.fromkeys([*best[:5], *sorted(forms.values(), key=best.index)]):
        values = errors[name]
        spread = float(np.std(values, ddof=1) / np.sqrt(values.size)) if values.size > 1 else 0.0
        text = f"{float(np.mean(values)):.3g} ± {spread:.2g} (median {float(np.mean(medians[name])):.2g}), "
        text += f"rank {best.index(name) + 1} of {len(best)}"
        rows.append(Row(quantity, "folds", name, text, values.size))
    for name, values in references.items():
        known = values[np.isfinite(values)]
        if known.size:
            text = f"{float(np.mean(known)):.3g} (median {float(np.median(known)):.2g})"
            rows.append(Row(quantity, "train", name, text, known.size))


def simulated_rows(
    lmse: Mapping[str, Array], density: Array, rows: list[Row]
) -> dict[str, dict[str, list[float]]]:
    """Add the median mean squared difference of the simulated g of each method, failures as the worst; return all.

    Parameters
    ----------
    lmse : mapping of str to ndarray, shape (m,)
        By method, NaN for a simulation that failed.
    density : ndarray, shape (m,)
        Of the cases; those up to `MODERATE` also count by themselves.
    rows : list of Row
    """
    moderate = density <= MODERATE
    parts = {"": np.ones(density.size, dtype=bool), f" at ρ ≤ {MODERATE:g}": moderate, " above": ~moderate}
    for text, part in parts.items():
        if not np.any(part):
            continue
        for method, values in lmse.items():
            worst = np.where(np.isfinite(values[part]), values[part], np.inf)
            failed = int(np.sum(np.isinf(worst)))
            low, high = (float(np.quantile(worst, x, method="nearest")) for x in (0.25, 0.75))
            value = f"{float(np.median(worst)):.2g} (quartiles {low:.2g}, {high:.2g})"
            note = f", {failed} failed" if failed else ""
            quantity = f"LMSE of simulated g, median{text}"
            rows.append(Row(quantity, "test", method, value + note, int(worst.size)))
    return {m: {"density": density.tolist(), "lmse": np.asarray(x).tolist()} for m, x in lmse.items()}


def table(rows: list[Row], data: TrainingSet) -> str:
    """Return the table in Markdown, with what the numbers are of."""
    train, test = int(np.sum(~data.test)), int(np.sum(data.test))
    lines = [
        "# This project's numbers beside the published ones",
        "",
        "Published: F. Berressem and A. Nikoubashman, J. Chem. Phys. 154, 124123 (2021), doi:10.1063/5.0045441.",
        f"This data set: {train} state points of {np.unique(data.potential[~data.test]).size} potentials for "
        f"training and validation (published: 790), {test} of {np.unique(data.potential[data.test]).size} for the "
        "test (published: 101).",
        "",
        "| quantity | cases | method | this project | state points | published |",
        "| --- | --- | --- | --- | ---: | --- |",
    ]
    for row in rows:
        published = PUBLISHED.get((row.quantity, row.group, row.method), "")
        lines.append(
            f"| {row.quantity} | {row.group} | {row.method} | {row.value} | {row.cases} | {published} |"
        )
    return "\n".join(lines) + "\n"
