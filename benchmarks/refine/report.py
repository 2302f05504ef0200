"""RESULTS.md of the refinement benchmark, computed from the rows in its folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from cases import MIXTURES, load
from machine import table

from cginit import RDF
from cginit.io import write_atomically
from cginit.refine.checkpoint import Store
from cginit.refine.convergence import CHI2_AT_NOISE, distance

Row = dict[str, Any]
#: The aims: share of the cases at the noise in so many simulations, ratios of MD steps, share outside the engine.
FEW, SHARE_FEW, MANY, FEWER_STEPS, OUTSIDE = 2, 0.8, 4, 10.0, 0.05


def write_results(out: Path, path: Path) -> Path:
    """Write the tables of all finished rows in `out` and return the path."""
    rows = [json.loads(file.read_text()) for file in sorted(out.glob("*-*.json"))]
    for row in rows:
        if "curves" in row:
            row |= _distances(row, out)
        if row["program"] != "cginit" and "failed" not in row:
            row |= _to_the_noise(row)
    machines = sorted({row["machine"].split("; load")[0] for row in rows})
    parts = [
        "# Refinement to the noise floor",
        "Written by `python benchmarks/refine/run.py OUT`, which says what a row is. A simulation of full length has "
        f"{' or '.join(sorted({format(row['steps_each'], ',') for row in rows}))} steps. At the noise: chi^2 per "
        f"point of g up to the cut-off is {CHI2_AT_NOISE:g} or less (of the worst pair of a mixture).",
        *machines,
        "## Aims",
        table(("aim", "found", ""), aims(rows)),
        "## The default (start `network`, or `hnc` of a mixture; update `auto`) and iterative Boltzmann inversion",
        "Simulations and MD steps to the noise; `plain` is iterative Boltzmann inversion as other programs have it, "
        "from the Boltzmann (B) and the HNC start. > : not at the noise at the cap.",
        table(
            ("case", "simulations", "MD steps", "plain B: steps", "ratio", "plain HNC: steps", "ratio"),
            _against_plain(rows),
        ),
        "## All rows",
        table(
            (
                "case",
                "start",
                "update",
                "program",
                "simulations",
                "MD steps",
                "reweighted",
                "last chi^2",
                "wall (s)",
                "outside the engine",
                "mean squared difference of g after each simulation",
            ),
            [_cells(row) for row in rows],
        ),
    ]
    return write_atomically(path, "\n\n".join(part for part in parts if part) + "\n")


def aims(rows: list[Row]) -> list[list[str]]:
    """Return the aims with what was found: met, or missed by how much."""
    own = [row for row in rows if row["program"] == "cginit"]
    default = [row for row in own if is_default(row)]
    few, many = (_share(default, lambda row, n=n: _count(row) <= n) for n in (FEW, MANY))
    found = [
        _aim(f"at the noise in <= {FEW} simulations: {SHARE_FEW:.0%} of the cases", few, SHARE_FEW, default),
        _aim(f"at the noise in <= {MANY} simulations: all cases", many, 1.0, default),
    ]
    water = [row for row in default if row["case"] == "spce"]
    for row in water:
        found.append(
            [
                f"SPC/E at the noise in <= {FEW}",
                f"{_count(row):g} simulations" if _converged(row) else "not at the noise",
                "met" if _count(row) <= FEW else "missed",
            ]
        )
    for start, wanted in (("boltzmann", FEWER_STEPS), ("hnc", 1.0)):
        ratios, open_ends = {}, []
        for row in default:
            reference = _plain(own, row["case"], start)
            if reference is None or "failed" in row:
                continue
            if _converged(row):
                ratios[row["case"]] = reference["steps"] / row["steps"]
            else:
                open_ends.append(row["case"])
        name = f"MD steps of plain IBI from {start} / those of the default: > {wanted:g} on every case"
        if not ratios:
            found.append([name, "no rows", ""])
            continue
        below = [case for case, ratio in ratios.items() if ratio <= wanted] + open_ends
        found.append(
            [
                name,
                f"{min(ratios.values()):.1f} to {max(ratios.values()):.1f}, median {median(ratios.values()):.1f} "
                f"({len(ratios)} cases; plain IBI that reached its cap counts with the steps until then)",
                "met" if not below else f"missed on {len(below)}: {', '.join(below)}",
            ]
        )
    failed = [row for row in own if "failed" in row and row["update"] == "auto"]
    found.append(
        [
            "no case that fails to start (update auto, every start)",
            f"{len(failed)} of {sum(row['update'] == 'auto' for row in own)}",
            "met"
            if not failed
            else "missed: " + ", ".join(f"{row['case']} {row['start']}" for row in failed),
        ]
    )
    outside = [share for row in own if (share := _outside(row)) is not None]
    if outside:
        total = 1.0 - sum(row["engine"] for row in own if _outside(row) is not None) / sum(
            row["wall"] for row in own if _outside(row) is not None
        )
        found.append(
            [
                f"wall time outside the engine <= {OUTSIDE:.0%}",
                f"{total:.1%} of all, median {median(outside):.1%}, largest {max(outside):.1%} of a refinement",
                "met" if total <= OUTSIDE else f"missed by {total - OUTSIDE:.1%}",
            ]
        )
    return found


def is_default(row: Row) -> bool:
    """Whether a row is what a user gets who chooses nothing."""
    return row["update"] == "auto" and row["start"] == ("hnc" if row["case"] in MIXTURES else "network")


def _aim(name: str, share: float, wanted: float, rows: list[Row]) -> list[str]:
    if not rows:
        return [name, "no rows", ""]
    met = share >= wanted
    return [
        name,
        f"{share:.0%} of {len(rows)}",
        "met" if met else f"missed by {round((wanted - share) * len(rows) + 0.499):d} cases",
    ]


def _share(rows: list[Row], holds: Callable[[Row], bool]) -> float:
    return sum(holds(row) for row in rows) / len(rows) if rows else 0.0


def _converged(row: Row) -> bool:
    return bool(row.get("converged", False))


def _count(row: Row) -> float:
    """Simulations to the noise; infinite where it was not reached."""
    return float(row["simulations"]) if _converged(row) else float("inf")


def _plain(rows: Iterable[Row], case: str, start: str) -> Row | None:
    # Of mixtures there is no variant without weights.
    name = "ibi" if case in MIXTURES else "plain"
    return next(
        (
            row
            for row in rows
            if row["case"] == case and row["start"] == start and row["update"] == name and "failed" not in row
        ),
        None,
    )


def _against_plain(rows: list[Row]) -> list[list[str]]:
    own = [row for row in rows if row["program"] == "cginit"]
    cells = []
    for row in own:
        if not is_default(row) or "failed" in row:
            continue
        line = [row["case"], _number(row), _steps(row)]
        for start in ("boltzmann", "hnc"):
            reference = _plain(own, row["case"], start)
            if reference is None:
                line += ["", ""]
                continue
            ratio = reference["steps"] / row["steps"]
            sign = "" if _converged(reference) else "> "
            line += [_steps(reference), f"{sign}{ratio:.1f}" if _converged(row) else ""]
        cells.append(line)
    return cells


def _number(row: Row) -> str:
    return str(row["simulations"]) if _converged(row) else f"> {row['simulations']}"


def _steps(row: Row) -> str:
    return f"{'' if _converged(row) else '> '}{row['steps']:,}"


def _outside(row: Row) -> float | None:
    """Share of the wall time outside the engine, where it is known."""
    engine = row.get("engine")
    return None if "failed" in row or not engine else 1.0 - engine / row["wall"]


def _cells(row: Row) -> list[str]:
    head = [row["case"], row["start"], row["update"], row["program"]]
    if "failed" in row:
        return [*head, "-", "-", "-", "-", f"{row['wall']:.0f}", "", row["failed"].replace("|", "/")[:100]]
    outside = _outside(row)
    return [
        *head,
        _number(row),
        _steps(row),
        str(row.get("skipped", 0)),
        f"{row['chi2'][-1]:.2f}" if row["chi2"] else "",
        f"{row['wall']:.0f}",
        "" if outside is None else f"{outside:.1%}",
        " ".join(f"{x:.1e}" for x in row["lmse"][:6]) + (" ..." if len(row["lmse"]) > 6 else ""),
    ]


def _distances(row: Row, out: Path) -> Row:
    """chi^2 and mean squared difference of curves whose program gives no errors: with those of cginit's runs."""
    case = load(row["case"], out / "targets", 1000)
    target = case.target.with_core()
    error = _error(row["case"], out, target.r.size)
    found: Row = {"chi2": [], "lmse": []}
    for values in row.pop("curves"):
        g = np.maximum(np.array(values), 0.0)
        measured = distance(RDF(target.r, g, error, units=target.units), target, case.r_cut)
        found["chi2"].append(measured.chi2)
        found["lmse"].append(measured.lmse)
    return found


def _error(case: str, out: Path, n: int) -> np.ndarray | None:
    """Standard error of g in a simulation of full length, from cginit's refinements of the same case."""
    for folder in sorted(out.glob(f"{case}-*-plain")):
        history = Store(folder).read()
        if history and history[-1].rdf.error is not None:
            error = np.asarray(history[-1].rdf.with_core().error)
            return np.pad(error[:n], (0, max(0, n - error.size)), mode="edge")
    return None


def _to_the_noise(row: Row) -> Row:
    """Number of simulations and steps until chi^2 is at the noise, of a program that does not stop there."""
    at = [k for k, value in enumerate(row["chi2"]) if value <= CHI2_AT_NOISE]
    count = at[0] + 1 if at else len(row["lmse"])
    return {"converged": bool(at), "simulations": count, "steps": count * row["steps_each"]}
