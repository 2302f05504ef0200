"""Errors of the guesses on textbook fluids: ``python benchmarks/textbook.py [MODELS ...]``.

The potentials of `cginit.eos.textbook.TEXTBOOK` at gas and liquid densities, with g of the forward map (HNC with
the bridge function of simulations) and noise 0.002 sqrt(g) sigma/r: mean absolute error of U/kT where g > 0.01 and
U < 20 kT. Each of MODELS is a folder with another cn-f, to set beside the one that ships.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from cginit.curves import RDF, PairPotential
from cginit.eos.textbook import TEXTBOOK, textbook_potentials
from cginit.errors import CGInitError, ConvergenceError
from cginit.forward.inference import predict_rdf
from cginit.guess.base import Guess
from cginit.guess.boltzmann import Boltzmann
from cginit.guess.integral_equation import IntegralEquation
from cginit.guess.network import NetworkGuess
from cginit.state import StatePoint
from cginit.units import LJ

#: Of particles with a core, and of those that overlap.
DENSITIES = {"core": (0.1, 0.3, 0.6, 0.8), "soft": (0.3, 0.6, 1.0)}
CORES = ("WCA", "r^-12", "LJ")
CUT_OFF, NOISE, INNERMOST = 3.5, 2e-3, 0.3


def target(name: str, r: np.ndarray, u: np.ndarray, density: float, seed: int) -> RDF:
    """Return g on the grid of a histogram with noise, as a sampled one has it."""
    inside = r <= CUT_OFF + 1e-9
    made = PairPotential.shifted(r[inside], u[inside], units="lj")
    found = predict_rdf(made, StatePoint(density, 1.0, "lj"), length=1.0)
    at = np.linspace(0.0, 5.0, 101)
    g = np.interp(at, found.r, found.g)
    error = NOISE * np.sqrt(g) / np.maximum(at, INNERMOST)
    noisy = np.maximum(g + error * np.random.default_rng(seed).standard_normal(g.size), 0.0)
    return RDF(at, noisy, np.maximum(error, 1e-6), units=LJ)


def visible_error(
    guess: Guess, g: RDF, state: StatePoint, r: np.ndarray, u: np.ndarray
) -> tuple[float, bool]:
    """Return the error of a guess, and whether it fell back to another method."""
    potential = guess(g, state, 5.0)
    truth = np.interp(g.r, r, u)
    seen = (g.g > 0.01) & (truth < 20.0)
    return (
        float(np.mean(np.abs(np.interp(g.r, potential.r, potential.u) - truth)[seen])),
        any("was not used" in note for note in potential.notes),
    )


def main(folders: list[Path]) -> None:
    r, curves = textbook_potentials()
    r_cut = r <= CUT_OFF + 1e-9
    guesses: dict[str, Guess] = {
        "network": NetworkGuess("bridge", bin_average=False),
        "cn-f": NetworkGuess("cn-f", bin_average=False),
        **{f"cn-f of {f}": NetworkGuess("cn-f", bin_average=False, folder=f) for f in folders},
        "hnc": IntegralEquation("hnc", bin_average=False),
        "boltzmann": Boltzmann(bin_average=False),
    }
    print("| fluid | density | " + " | ".join(guesses) + " |")
    print("| --- | ---: |" + " ---: |" * len(guesses))
    rows: list[list[float]] = []
    for number, (name, u) in enumerate(zip(TEXTBOOK, curves, strict=True)):
        shifted = np.where(r_cut, u - u[np.flatnonzero(r_cut)[-1]], 0.0)
        for density in DENSITIES["core" if name.startswith(CORES) else "soft"]:
            try:
                g = target(name, r, u, density, 100 * number + int(10 * density))
            except ConvergenceError:
                print(f"| {name} | {density} | no g: HNC has no solution |")
                continue
            state, cells, errors = StatePoint(density, 1.0, LJ), [], []
            for guess in guesses.values():
                try:
                    error, fallback = visible_error(guess, g, state, r, shifted)
                except CGInitError:
                    error, fallback = float("nan"), False
                errors.append(error)
                cells.append(f"{error:.3f}{' *' if fallback else ''}")
            rows.append(errors)
            print(f"| {name} | {density} | {' | '.join(cells)} |")
    table = np.array(rows)
    for label, figure in (
        ("median / ln 2", np.nanmedian(table, axis=0) / np.log(2)),
        ("mean", np.nanmean(table, axis=0)),
    ):
        print(f"| **{label}** | | " + " | ".join(f"{x:.3f}" for x in figure) + " |")
    print("\n\\*: the guess fell back to another method.")


if __name__ == "__main__":
    main([Path(x) for x in sys.argv[1:]])
