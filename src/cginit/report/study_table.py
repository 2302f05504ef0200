"""The table that sets this project's numbers beside the published ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cginit.curves import Array
from cginit.errors import InputError
from cginit.network.data import TrainingSet
from cginit.network.statistics import exponential_delta, median_delta, r_squared, relative_errors
from cginit.report.study import Agreement

__all__ = ["PUBLISHED", "Row", "delta_row", "pressure_rows", "simulated_rows", "table"]

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
    ("LMSE of simulated g, median", "test", "cn-f"): "2.9e-5, 5.0e-4 (two cases)",
    ("LMSE of simulated g, median", "test", "boltzmann"): "2.3e-3, 2.4e-3 (two cases)",
}


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
    median = median_delta(errors)
    try:
        fitted = exponential_delta(errors)
    except InputError:
        fitted = float("nan")
    value = f"{fitted:.3f} (fit), {median:.3f} (median / ln 2)"
    rows.append(Row(f"delta of p(MAE) / kT{what}", group, method, value, int(errors.size)))
    return fitted, median


def pressure_rows(panel: Agreement, rows: list[Row], prefix: str) -> dict[str, dict[str, float]]:
    """Add mean relative error and R² of a route on training and test rows; return them."""
    numbers: dict[str, dict[str, float]] = {}
    for group, chosen in (("train", ~panel.test), ("test", panel.test)):
        found, truth = panel.found[chosen], panel.truth[chosen]
        use = np.isfinite(found)
        if not np.any(use):
            continue
        error = float(np.mean(relative_errors(found[use], truth[use])))
        middle = float(np.median(relative_errors(found[use], truth[use])))
        r2 = r_squared(found, truth)
        numbers[group] = {"mean": error, "median": middle, "R2": r2, "cases": int(use.sum())}
        name = prefix + panel.title
        value = f"{error:.3g} (median {middle:.2g})"
        rows.append(Row("mean relative error of P", group, name, value, int(use.sum())))
        rows.append(Row("R² of P", group, name, f"{r2:.3f}", int(use.sum())))
    return numbers


def simulated_rows(lmse: Mapping[str, Array], rows: list[Row]) -> None:
    """Add the median mean squared difference of the simulated g of each method, failures as the worst."""
    for method, values in lmse.items():
        worst = np.where(np.isfinite(values), values, np.inf)
        failed = int(np.sum(~np.isfinite(values)))
        note = f", {failed} failed" if failed else ""
        value = f"{float(np.median(worst)):.2g}{note}"
        rows.append(Row("LMSE of simulated g, median", "test", method, value, int(values.size)))


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
