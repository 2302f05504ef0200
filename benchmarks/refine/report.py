"""RESULTS.md of the refinement benchmark, computed from the rows in its folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from cases import MIXTURES
from machine import table

from cginit.io import write_atomically
from cginit.refine.convergence import CHI2_AT_NOISE

Row = dict[str, Any]
#: The aims: share of the cases at the noise in so many simulations, ratios of MD steps, share outside the engine.
FEW, SHARE_FEW, MANY, FEWER_STEPS, OUTSIDE = 2, 0.8, 4, 10.0, 0.05
#: Updates that stand first in a table.
FIRST = ("auto", "plain")


def write_results(done: dict[str, Row], planned: Mapping[str, str], path: Path) -> Path:
    """Write the tables of the finished rows, with how many there are of those planned, and return the path."""
    rows = list(done.values())
    columns = sorted({_column(row) for row in rows} - {"none"}, key=lambda name: (name not in FIRST, name))
    machines = sorted({row["machine"].split("; load")[0] for row in rows})
    parts = [
        "# Refinement to the noise floor",
        "Written by `python benchmarks/refine/run.py OUT`, which says what a row is. A simulation of full length has "
        f"{' or '.join(sorted({format(row['steps_each'], ',') for row in rows})) or 'no'} steps. At the noise: chi^2 "
        f"per point of g up to the cut-off is {CHI2_AT_NOISE:g} or less (of the worst pair of a mixture).",
        _completeness(done, planned),
        *machines,
        _load(rows),
        "## Aims",
        "For the default start, `polished` (`network` of a mixture), and for the HNC start, which needs no network. "
        "`plain` is iterative Boltzmann inversion as other programs have it. Some targets are no g(r) in "
        "equilibrium: the potential that made them does not show them again.",
        table(("aim", "start", "found", ""), aims(rows, partial=len(done) < len(planned))),
        "## The update `auto` and iterative Boltzmann inversion",
        "Simulations and MD steps to the noise from the default and from the HNC start; `plain` from the Boltzmann "
        "(B) and the HNC start. > : not at the noise at the cap. Ratios are those of the default start where it was "
        "run, else of the HNC start. True potential: which of up to four simulations of the potential that made the "
        "target is the first at the noise, and the smallest chi^2 of them.",
        table(
            (
                "case",
                "true potential",
                "chi^2",
                "simulations",
                "MD steps",
                "HNC start: simulations",
                "MD steps",
                "plain B: steps",
                "ratio",
                "plain HNC: steps",
                "ratio",
            ),
            _against_plain(rows),
        ),
        "## The updates",
        "Simulations to the noise, where other updates than the default were run; programs by name.",
        table(("case", "start", *columns), _by_update(rows, columns)),
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
                "in processor time",
                "mean squared difference of g after each simulation",
            ),
            [_cells(row) for row in rows],
        ),
    ]
    return write_atomically(path, "\n\n".join(part for part in parts if part) + "\n")


def _completeness(done: dict[str, Row], planned: Mapping[str, str]) -> str:
    """Say how much of the benchmark the tables stand for."""
    there = [name for name in planned if name in done]
    codes = {row["code"] for row in done.values() if "code" in row and row["start"] in ("boltzmann", "hnc")}
    text = f"**{len(there)} of {len(planned)} rows have been run"
    versions = f" The rows were made by {len(codes)} versions of the code." if len(codes) > 1 else ""
    if len(there) == len(planned):
        return f"{text}.**{versions}"
    groups: dict[str, list[int]] = {}
    for name, group in planned.items():
        count = groups.setdefault(group, [0, 0])
        count[0] += name in done
        count[1] += 1
    listed = ", ".join(f"{group} {some} of {of}" for group, (some, of) in groups.items())
    return f"{text}; what is missing is in no table below.** By update or program: {listed}.{versions}"


def _load(rows: list[Row]) -> str:
    """Say how busy the machine was."""
    loads = [float(row["machine"].rsplit(" ", 1)[1]) for row in rows]
    if not loads:
        return ""
    return (
        f"Load average where a row began: {min(loads):.1f} to {max(loads):.1f}. Above the number of cores other work "
        "disturbs the wall times; simulations, steps and errors do not depend on it, processor times little."
    )


def aims(rows: list[Row], *, partial: bool) -> list[list[str]]:
    """Return the aims with what was found, from the default and the HNC start: met, or missed by how much.

    Of a `partial` run no aim is called met, only missed, or met so far.
    """
    own = [row for row in rows if row["program"] == "cginit"]
    found = []
    for name, chosen in (("default", is_default), ("hnc", is_classical)):
        found += [[aim, name, *rest] for aim, *rest in _of_start(own, [row for row in own if chosen(row)])]
    failed = [row for row in own if "failed" in row and row["update"] == "auto"]
    tried = sum(row["update"] == "auto" for row in own)
    found.append(
        [
            "no case that fails to start (update auto)",
            "every",
            f"{len(failed)} of {tried}",
            ""
            if not tried
            else "met"
            if not failed
            else "missed: " + ", ".join(f"{row['case']} {row['start']}" for row in failed),
        ]
    )
    for where, share in (("wall time", _outside), ("processor time", _outside_processor)):
        known = [(part, total) for row in own if (pair := share(row)) is not None for part, total in [pair]]
        if not known:
            continue
        each = [part / total for part, total in known]
        whole = sum(part for part, _ in known) / sum(total for _, total in known)
        found.append(
            [
                f"{where} outside the engine <= {OUTSIDE:.0%}",
                "every",
                f"{whole:.1%} of all, median {median(each):.1%}, largest {max(each):.1%} of a refinement",
                "met" if whole <= OUTSIDE else f"missed by {whole - OUTSIDE:.1%}",
            ]
        )
    return [[*cells, "met so far" if partial and verdict == "met" else verdict] for *cells, verdict in found]


def _of_start(own: list[Row], chosen: list[Row]) -> list[list[str]]:
    """Return the aims for the rows of one start."""
    true = [row for row in own if row["start"] == "true"]
    found = [
        _aim(
            f"at the noise in <= {FEW} simulations: {SHARE_FEW:.0%} of the cases",
            FEW,
            SHARE_FEW,
            chosen,
            true,
        ),
        _aim(f"at the noise in <= {MANY} simulations: all cases", MANY, 1.0, chosen, true),
    ]
    for row in chosen:
        if row["case"] == "spce":
            found.append(
                [
                    f"SPC/E at the noise in <= {FEW}",
                    f"{_count(row):g} simulations" if _converged(row) else "not at the noise",
                    "met" if _count(row) <= FEW else "missed",
                ]
            )
    for start, wanted in (("boltzmann", FEWER_STEPS), ("hnc", 1.0)):
        name = f"MD steps of plain IBI from {start} / those of auto: > {wanted:g} on every case"
        found.append([name, *_ratios(own, chosen, start, wanted)])
    return found


def _ratios(own: list[Row], chosen: list[Row], start: str, wanted: float) -> list[str]:
    """Return the ratios of MD steps to those of plain iterative Boltzmann inversion from a start, and the verdict."""
    ratios, unknown, below = [], [], []
    for row in chosen:
        reference = _plain(own, row["case"], start)
        if reference is None:
            continue
        if "failed" in row or not _converged(row):
            below.append(row["case"])
            continue
        ratio = reference["steps"] / row["steps"]
        ratios.append(ratio)
        if ratio <= wanted:
            # Where the reference ended at its cap it needs more steps, one does not know how many.
            (below if _converged(reference) else unknown).append(row["case"])
    if not ratios and not below:
        return ["no rows", ""]
    text = f"{len(ratios)} cases"
    if ratios:
        text += f": {min(ratios):.1f} to {max(ratios):.1f}, median {median(ratios):.1f}"
    verdict = []
    if below:
        # Fewer than one simulation there cannot be.
        one = sum(row["case"] in below and _count(row) == 1 for row in chosen)
        verdict.append(f"missed on {len(below)}, of which {one} took one simulation: {', '.join(below)}")
    if unknown:
        verdict.append(f"open on {len(unknown)}, where plain IBI ended at its cap: {', '.join(unknown)}")
    return [text, "; ".join(verdict) or "met"]


def is_default(row: Row) -> bool:
    """Whether a row is what a user gets who chooses nothing."""
    return row["update"] == "auto" and row["start"] == ("network" if row["case"] in MIXTURES else "polished")


def is_reference(row: Mapping[str, Any]) -> bool:
    """Whether a row is iterative Boltzmann inversion as other programs have it."""
    # Of mixtures there is no variant without weights.
    return bool(row["update"] == ("ibi" if row["case"] in MIXTURES else "plain"))


def is_classical(row: Row) -> bool:
    """Whether a row is the default update from the HNC start."""
    return row["update"] == "auto" and row["start"] == "hnc"


def _aim(name: str, count: int, wanted: float, rows: list[Row], true: list[Row]) -> list[str]:
    """Return an aim on the number of simulations, also for the cases in which the `true` potential reaches it."""

    def share(chosen: list[Row]) -> float:
        return _share(chosen, lambda row: _count(row) <= count)

    if not rows:
        return [name, "no rows", ""]
    found = share(rows)
    text = f"{found:.0%} of {len(rows)}"
    hidden = {row["case"] for row in true if _count(row) > count}
    shown = [row for row in rows if row["case"] not in hidden]
    if len(shown) < len(rows):
        text += f"; {share(shown):.0%} of the {len(shown)} in which the true potential is there in as many"
    missing = round((wanted - found) * len(rows) + 0.499)
    return [name, text, "met" if found >= wanted else f"missed, by cases: {missing:d}"]


def _share(rows: list[Row], holds: Callable[[Row], bool]) -> float:
    return sum(holds(row) for row in rows) / len(rows) if rows else 0.0


def _converged(row: Row) -> bool:
    return bool(row.get("converged", False))


def _count(row: Row) -> float:
    """Simulations to the noise; infinite where it was not reached."""
    return float(row["simulations"]) if _converged(row) else float("inf")


def _plain(rows: Iterable[Row], case: str, start: str) -> Row | None:
    return next(
        (
            row
            for row in rows
            if row["case"] == case and row["start"] == start and is_reference(row) and "failed" not in row
        ),
        None,
    )


def _against_plain(rows: list[Row]) -> list[list[str]]:
    own = [row for row in rows if row["program"] == "cginit"]
    cells = []
    for case in dict.fromkeys(row["case"] for row in own):
        there = {
            name: next(
                (row for row in own if row["case"] == case and chosen(row) and "failed" not in row), None
            )
            for name, chosen in (("default", is_default), ("hnc", is_classical))
        }
        true = next((row for row in rows if row["case"] == case and row["start"] == "true"), None)
        line = [case, *(["", ""] if true is None else [_number(true), f"{min(true['chi2']):.2f}"])]
        for row in there.values():
            line += ["", ""] if row is None else [_number(row), _steps(row)]
        judged = there["default"] or there["hnc"]
        if judged is None:
            continue
        for start in ("boltzmann", "hnc"):
            reference = _plain(own, case, start)
            if reference is None:
                line += ["", ""]
                continue
            ratio = reference["steps"] / judged["steps"]
            sign = "" if _converged(reference) else "> "
            line += [_steps(reference), f"{sign}{ratio:.1f}" if _converged(judged) else ""]
        cells.append(line)
    return cells


def _column(row: Row) -> str:
    """Update or program of a row; of mixtures the reference is `ibi`."""
    return str(row["update"] if row["program"] == "cginit" else row["program"])


def _by_update(rows: list[Row], columns: Sequence[str]) -> list[list[str]]:
    """Return the simulations of each update, of the cases and starts for which several were run."""
    cells = []
    for case, start in sorted({(row["case"], row["start"]) for row in rows}):
        found = {
            _column(row): "failed" if "failed" in row else _number(row)
            for row in rows
            if (row["case"], row["start"]) == (case, start)
        }
        if len(found.keys() - {"auto", "plain"}) > 1:
            cells.append([case, start, *(found.get(name, "") for name in columns)])
    return cells


def _number(row: Row) -> str:
    return str(row["simulations"]) if _converged(row) else f"> {row['simulations']}"


def _steps(row: Row) -> str:
    return f"{'' if _converged(row) else '> '}{row['steps']:,}"


def _outside(row: Row) -> tuple[float, float] | None:
    """Wall time outside the engine's integration, and all of it, where they are known."""
    engine = row.get("engine")
    return None if "failed" in row or not engine else (row["wall"] - engine, row["wall"])


def _outside_processor(row: Row) -> tuple[float, float] | None:
    """Processor time outside the engine's processes, whose start-up is theirs, and all of it."""
    times = row.get("processor")
    return None if "failed" in row or not times else (times[0], times[0] + times[1])


def _percent(pair: tuple[float, float] | None) -> str:
    return "" if pair is None else f"{pair[0] / pair[1]:.1%}"


def _cells(row: Row) -> list[str]:
    head = [row["case"], row["start"], row["update"], row["program"]]
    if "failed" in row:
        return [
            *head,
            "-",
            "-",
            "-",
            "-",
            f"{row['wall']:.0f}",
            "",
            "",
            row["failed"].replace("|", "/")[:100],
        ]
    return [
        *head,
        _number(row),
        _steps(row),
        str(row.get("skipped", 0)),
        f"{row['chi2'][-1]:.2f}" if row["chi2"] else "",
        f"{row['wall']:.0f}",
        _percent(_outside(row)),
        _percent(_outside_processor(row)),
        " ".join(f"{x:.1e}" for x in row["lmse"][:6]) + (" ..." if len(row["lmse"]) > 6 else ""),
    ]
