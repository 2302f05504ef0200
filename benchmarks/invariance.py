"""How much a guess hangs on what should not matter: units, the network's unit of length, the density of the target.

    python benchmarks/invariance.py [DATA] [--states 20] [--potentials 12] [--out FILE]

DATA is the data set (data/state-points.h5); only its test set is used, none of which a network has seen. All
differences are in kT, over the points that g shows (g > 0.01, U < 20 kT).

1. Units: the same target in lj, in nm and kJ/mol, in angstrom and kcal/mol.
2. Length: the network's sigma times 0.75 to 1.25, without falling back to another method.
3. Density: U from g at each density of one potential, of the potentials that have three or more.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from machine import describe, table

from cginit import RDF, PairPotential, StatePoint, guess
from cginit.campaign.dataset import Record, load
from cginit.curves import Array
from cginit.errors import CGInitError
from cginit.guess.network import NetworkGuess
from cginit.liquid.finite_size import infinite_system
from cginit.units import LJ, NM_KJ

ROOT = Path(__file__).resolve().parents[1]
METHODS = ("boltzmann", "hnc", "cn-f", "bridge")
NETWORKS = ("cn-f", "bridge")
FACTORS = (0.75, 0.85, 0.95, 1.05, 1.15, 1.25)
UNITS = ("nm-kJ/mol", "angstrom-kcal/mol")
#: A bead's size in nm and kT at 300 K in kJ/mol, so that no number is near 1 by accident.
LENGTH, ENERGY = 0.34, 2.494338785445972
VISIBLE_G, U_CUT = 1e-2, 20.0
#: Cut-off in sigma; no method is told where the potential ends.
R_CUT = 3.0


def target(record: Record) -> tuple[RDF, StatePoint]:
    """Return g of an infinite system, as far as it was sampled, and the state."""
    known = np.isfinite(record.g)
    g = infinite_system(record.g[known], record.s_k_min, float(record.n))
    error = None if not np.all(np.isfinite(record.g_error[known])) else record.g_error[known]
    return RDF(record.r[known], g, error, units=LJ), StatePoint(record.density, 1.0, LJ)


def true_potential(record: Record, r: Array) -> Array:
    return np.interp(r, record.u_r, record.u)


def seen(record: Record, rdf: RDF, potential: PairPotential) -> Array:
    """Return where g shows the potential."""
    g = np.interp(potential.r, rdf.r, rdf.g)
    return (g > VISIBLE_G) & (true_potential(record, potential.r) < U_CUT) & (potential.r >= potential.r_core)


def same_potential(a: Record, b: Record) -> bool:
    return (a.family, a.seed) == (b.family, b.seed)


def numbers(parts: list[Array], lost: int = 0) -> list[str]:
    """Return median, 90 % quantile and maximum of all points, the part within 0.01 kT, and failures."""
    if not parts:
        return ["-"] * 4 + [str(lost)]
    points = np.concatenate(parts)
    within = 100.0 * np.mean(points <= 0.01)
    quantiles = np.quantile(points, (0.5, 0.9, 1.0))
    return [*(f"{x:.2g}" for x in quantiles), f"{within:.0f} %", str(lost)]


def by_units(records: list[Record]) -> list[list[str]]:
    rows = []
    for method in METHODS:
        for units in UNITS:
            found, lost = [], 0
            for record in records:
                rdf, state = target(record)
                real = RDF(rdf.r * LENGTH, rdf.g, rdf.error, units=NM_KJ).to(units)
                there = StatePoint(state.density / LENGTH**3, ENERGY, NM_KJ).to(units)
                try:
                    here = guess(rdf, state, method, R_CUT)
                    scale = real.r_max / rdf.r_max
                    other = guess(real, there, method, R_CUT * scale)
                except CGInitError:
                    lost += 1
                    continue
                difference = np.abs(other.u / there.kT - here.u)
                found.append(difference[seen(record, rdf, here)])
            rows.append([method, units, *numbers(found, lost)])
    return rows


def by_length(records: list[Record]) -> list[list[str]]:
    rows = []
    for name in NETWORKS:
        kept: dict[float, tuple[list[Array], int]] = {factor: ([], 0) for factor in FACTORS}
        inside: list[Array] = []
        for record in records:
            rdf, state = target(record)
            try:
                here = guess(rdf, state, NetworkGuess(name, fallback=False), R_CUT)
            except CGInitError:
                kept = {factor: (parts, lost + 1) for factor, (parts, lost) in kept.items()}
                continue
            for factor in FACTORS:
                parts, lost = kept[factor]
                try:
                    there = guess(rdf, state, NetworkGuess(name, fallback=False, stretch=factor), R_CUT)
                except CGInitError:
                    kept[factor] = (parts, lost + 1)
                    continue
                difference = np.abs(there.u - here.u)[seen(record, rdf, here)]
                parts.append(difference)
                if not any("outside" in note for note in (*here.notes, *there.notes)):
                    inside.append(difference)
        rows += [[name, f"{factor:g}", *numbers(*kept[factor])] for factor in FACTORS]
        everything = [part for parts, _ in kept.values() for part in parts]
        rows.append([name, "all", *numbers(everything, sum(lost for _, lost in kept.values()))])
        rows.append([name, "all, within the trained range", *numbers(inside)])
    return rows


def by_density(groups: list[list[Record]]) -> list[list[str]]:
    rows = []
    for method in METHODS:
        deviations, spans, middles, lost = [], [], [], 0
        for group in groups:
            curves, visible = [], []
            for record in group:
                rdf, state = target(record)
                try:
                    potential = guess(rdf, state, method, R_CUT)
                except CGInitError:
                    lost += 1
                    continue
                curves.append(potential.u)
                visible.append(seen(record, rdf, potential))
            if len(curves) < 2:
                continue
            # All guesses lie on one grid and have one cut-off.
            use = np.all(visible, axis=0)
            u = np.array(curves)[:, use]
            deviations.append(np.std(u, axis=0, ddof=1))
            spans.append(np.ptp(u, axis=0))
            middles.append(float(np.median(deviations[-1])))
        met = 100.0 * np.mean(np.array(middles) <= 0.02)
        rows.append(
            [
                method,
                *(f"{np.median(np.concatenate(x)):.2g}" for x in (deviations, spans)),
                f"{np.quantile(np.concatenate(deviations), 0.9):.2g}",
                f"{max(middles):.2g}",
                f"{met:.0f} %",
                str(lost),
            ]
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="?", type=Path, default=ROOT / "data/state-points.h5")
    parser.add_argument("--states", type=int, default=20, help="state points of 1 and 2")
    parser.add_argument("--potentials", type=int, default=12, help="potentials of 3")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()

    data = load(options.data)
    test = data.select(data.accepted & (data.split == "test"))
    records = sorted(test.records(), key=lambda x: (x.family, x.seed, x.density))
    few = np.linspace(0, len(records) - 1, min(options.states, len(records))).round().astype(int)
    chosen = [records[i] for i in few]
    groups: list[list[Record]] = []
    for record in records:
        if groups and same_potential(groups[-1][0], record):
            groups[-1].append(record)
        else:
            groups.append([record])
    groups = [group for group in groups if len(group) >= 3]
    some = np.linspace(0, len(groups) - 1, min(options.potentials, len(groups))).round().astype(int)

    head = ("median", "90 % of points below", "largest", "points within 0.01 kT", "no guess")
    families = ", ".join(f"{sum(x.family == f for x in chosen)} of family {f}" for f in ("a", "b"))
    text = "\n".join(
        [
            "# What a guess should not hang on",
            "",
            describe(["cginit", "onnxruntime"]),
            "",
            f"{len(chosen)} of {len(records)} test state points ({families}); differences of U in kT where g > 0.01 "
            "and U < 20 kT.",
            "",
            "## Units: against the guess in lj",
            "",
            table(("method", "units", *head), by_units(chosen)),
            "",
            "## Length: the network's sigma times a factor, against factor 1",
            "",
            table(("method", "factor", *head), by_length(chosen)),
            "",
            "## Density: the guesses from the densities of one potential",
            "",
            f"{len(some)} of {len(groups)} test potentials with three or more accepted densities, where all of them "
            "show U.",
            "",
            table(
                (
                    "method",
                    "standard deviation, median",
                    "largest difference, median",
                    "standard deviation, 90 % of points below",
                    "worst potential (median over its points)",
                    "potentials within 0.02 kT",
                    "no guess",
                ),
                by_density([groups[i] for i in some]),
            ),
            "",
        ]
    )
    print(text)
    if options.out:
        options.out.write_text(text)


if __name__ == "__main__":
    main()
