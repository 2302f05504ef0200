"""How good the forward map is, and what it does to guesses, on potentials that it has not seen."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, fields
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from cginit.curves import Array, PairPotential
from cginit.errors import CGInitError, ConvergenceError
from cginit.forward.polish import step
from cginit.forward.theory import CAP, fine_grid, fine_potential, gamma_at_points, solve_corrected
from cginit.guess.assembly import VisibleTarget, potential_from, visible_target
from cginit.guess.integral_equation import IntegralEquation, indirect_correlation
from cginit.guess.network import NetworkGuess
from cginit.learn.evaluate import DENSITY_EDGES, VISIBLE_G
from cginit.learn.subjects.base import Run
from cginit.learn.subjects.bridge import BridgeEnsemble
from cginit.liquid.forward import ForwardSolution
from cginit.liquid.inverse_problem import closed
from cginit.models.correlations import WEIGHTS
from cginit.models.grid import U_CUT, boltzmann_potential
from cginit.state import StatePoint

__all__ = ["ForwardErrors", "assess", "bridge_members", "check_quality", "error_tables", "saved"]

#: Guesses that are judged before and after the step.
STARTS = ("hnc", "network")


@dataclass(frozen=True, eq=False)
class ForwardErrors:
    """Errors of some state points; NaN where a step has no solution.

    Attributes
    ----------
    density : ndarray, shape (k,)
    noise : ndarray, shape (k,)
        Mean squared standard error of the simulated g.
    closure, network : ndarray, shape (k,)
        Mean squared deviation of g from the simulated one, for the true potential by HNC and by the forward map.
    u : ndarray, shape (k, 2, 2)
        Mean absolute error of U in kT where U < 20 kT and g > 0.01, of each start before and after the step.
    first : ndarray, shape (k, 2, 2)
        Mean squared deviation of g in their first simulation, by the linear response of the simulated fluid.
    predicted : ndarray, shape (k, 2)
        That of the start as the forward map predicts it.
    """

    density: Array
    noise: Array
    closure: Array
    network: Array
    u: Array
    first: Array
    predicted: Array


def assess(
    run: Run,
    rows: NDArray[np.int64],
    members: BridgeEnsemble | None = None,
    report: Callable[[int, int], None] | None = None,
) -> ForwardErrors:
    """Return the errors of `rows` by networks that have not seen their potentials.

    Parameters
    ----------
    run : Run
        The trained forward map.
    rows : ndarray of int, shape (k,)
        State points of the validation folds or of the test set.
    members : BridgeEnsemble, optional
        The members behind the guess ``network``; for a state point of a fold only that of the fold gives it.
    report : callable, optional
        Called with the number of rows done and in all.
    """
    k, data = rows.size, run.data
    found = ForwardErrors(
        data.density[rows],
        np.mean(data.g_error[rows, 1:] ** 2, axis=1),
        *(np.full(shape, np.nan) for shape in ((k,), (k,), (k, 2, 2), (k, 2, 2), (k, 2))),
    )
    for i, row in enumerate(rows):
        if run.lesson.usable[row]:
            _assess_row(run, int(row), members, i, found)
        if report is not None:
            report(i + 1, k)
    return found


def _assess_row(run: Run, row: int, members: BridgeEnsemble | None, i: int, out: ForwardErrors) -> None:
    data, theory = run.data, run.lesson.features
    r, density, fold = data.r, float(data.density[row]), int(run.fold[row])
    truth = np.interp(r, data.u_r, data.u[row])
    fine = np.minimum(np.interp(fine_grid(), data.u_r, data.u[row]), CAP)
    state = StatePoint(density, 1.0)

    def lmse(u: Array, gamma: Array) -> float:
        with np.errstate(over="ignore"):
            return float(np.mean((np.exp(gamma - u) - data.g[row])[1:] ** 2))

    out.closure[i] = lmse(truth, theory.gamma[row])
    bridge = run.predictions[row]
    # The other fluids of this row are near to it.
    start_solution = solve_corrected(fine, density)
    with suppress(ConvergenceError):
        solution = solve_corrected(fine, density, bridge, start_solution)
        out.network[i] = lmse(truth - bridge, gamma_at_points(solution))
    bodies = list(run.ensemble.get_submodule("bodies").children())
    network = run.lesson.ensemble(bodies if fold < 0 else [bodies[fold]])

    known: dict[bytes, tuple[Array, ForwardSolution]] = {}

    def learned(u: Array, rho: float) -> Array:
        key = u.tobytes()
        if key not in known:
            solution = solve_corrected(u, rho, start=start_solution)
            given = (np.interp(r, fine_grid(), u)[None], gamma_at_points(solution)[None], np.array([rho]))
            with torch.no_grad():
                out = network(*(torch.from_numpy(x.astype(np.float32)) for x in given))[0][0]
            known[key] = out.numpy().astype(np.float64), solution
        return known[key][0]

    target, _ = data.target(row)
    visible = visible_target(target, bin_average=False)
    seen = (truth < U_CUT) & (data.g[row] > VISIBLE_G)
    shown = theory.g[row] > 0.0
    response = theory.response[row].astype(np.float64)
    for s, start in enumerate(STARTS):
        try:
            guess = _start(start, visible, state, members, fold)
        except CGInitError:
            continue
        try:
            after = step(guess, visible, state, learned)
            u = fine_potential(guess, 1.0, 1.0)
            b = learned(u, density)
            points = np.interp(r, fine_grid(), u)
            solution = solve_corrected(u, density, b, known[u.tobytes()][1])
            out.predicted[i, s] = lmse(points - b, gamma_at_points(solution))
        except ConvergenceError:
            after = guess
        for j, potential in enumerate((guess, after)):
            deviation = potential.u - truth
            out.u[i, s, j] = np.mean(np.abs(deviation[seen]))
            out.first[i, s, j] = np.mean((response @ np.where(shown, deviation, 0.0)[1:]) ** 2)


def _start(
    name: str, visible: VisibleTarget, state: StatePoint, members: BridgeEnsemble | None, fold: int
) -> PairPotential:
    """Return a guess for a target of the data; that of a fold by the network that has not seen the potential."""
    target = visible.target
    if name == "hnc" or (fold >= 0 and members is None):
        return IntegralEquation("hnc", bin_average=False)(target, state, target.r_max)
    if fold < 0 or members is None:
        return NetworkGuess("bridge", bin_average=False)(target, state, target.r_max)
    gamma = np.array([indirect_correlation(visible, state.density, "hnc", w)[0] for w in WEIGHTS])
    u0 = boltzmann_potential(target.g)
    given = (u0[None], gamma[None], np.array([state.density]))
    one = BridgeEnsemble([members.bodies[fold]])
    with torch.no_grad():
        u = one(*(torch.from_numpy(x.astype(np.float32)) for x in given))[0][0].double().numpy()
    return potential_from(visible, closed(target.g, u - u0), state, target.r_max, name)


def bridge_members(folds: int, name: str = "bridge") -> BridgeEnsemble | None:
    """Return the networks behind the guess ``network`` one by one; None if they are not one for each fold."""
    import json
    from importlib.resources import files

    from safetensors.torch import load_file

    from cginit.learn.bodies import Ports, build_body
    from cginit.learn.config import Config
    from cginit.learn.subjects.bridge import CURVES
    from cginit.models.grid import BRIDGE_POINTS

    place = Path(str(files("cginit.models") / "shipped"))
    description = json.loads((place / f"{name}.json").read_text(encoding="utf-8"))
    config = Config.from_dict(description["config"])
    if config.schedule.members != folds:
        return None
    ports = Ports(curves=CURVES, points=BRIDGE_POINTS, outputs=BRIDGE_POINTS)
    ensemble = BridgeEnsemble([build_body(config.architecture, ports, 0) for _ in range(folds)])
    ensemble.load_state_dict(load_file(place / f"{name}.safetensors"))
    return ensemble.eval()


def error_tables(found: ForwardErrors) -> tuple[str, str]:
    """Return two Markdown tables: g of the true potentials, and guesses before and after the step."""
    first = [
        "| density | state points | HNC: median LMSE | forward map: median LMSE | 90 % below | noise of g |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    second = [
        "| density | start | state points | U before: median, mean / kT | after | LMSE before: median, mean of log "
        "| after | lower |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    edges = (0.0, *DENSITY_EDGES, np.inf)
    groups = [*pairwise(edges), (0.0, np.inf)]
    for low, high in groups:
        inside = (found.density > low) & (found.density <= high)
        label = "all" if (low, high) == groups[-1] else f"{low:g} to {high:g}"
        label = label.replace("0.75 to inf", "above 0.75")
        use = inside & np.isfinite(found.network)
        if np.any(use):
            network = found.network[use]
            first.append(
                f"| {label} | {use.sum()} | {np.median(found.closure[use]):.1e} | {np.median(network):.1e} "
                f"| {np.quantile(network, 0.9):.1e} | {np.median(found.noise[use]):.1e} |"
            )
        for s, start in enumerate(STARTS):
            use = inside & np.all(np.isfinite(found.u[:, s]), axis=1)
            if not np.any(use):
                continue
            u, lmse = found.u[use, s], np.maximum(found.first[use, s], 1e-12)
            before, after = (
                f"{np.median(u[:, j]):.4f}, {np.mean(u[:, j]):.4f} | {np.median(lmse[:, j]):.1e}, "
                f"{np.exp(np.mean(np.log(lmse[:, j]))):.1e}".split(" | ")
                for j in (0, 1)
            )
            lower = np.mean(lmse[:, 1] < lmse[:, 0])
            second.append(
                f"| {label} | {start} | {use.sum()} | {before[0]} | {after[0]} | {before[1]} | {after[1]} "
                f"| {100 * lower:.0f} % |"
            )
    return "\n".join(first), "\n".join(second)


def check_quality(found: ForwardErrors) -> str:
    """Return in words how the LMSE that the forward map predicts for guesses agrees with that by linear response."""
    sentences = []
    for s, start in enumerate(STARTS):
        use = np.isfinite(found.predicted[:, s]) & np.isfinite(found.first[:, s, 0])
        if np.sum(use) < 3:
            sentences.append(f"{start}: {np.sum(use)} state points with both, too few to compare")
            continue
        a, b = np.log10(found.predicted[use, s]), np.log10(np.maximum(found.first[use, s, 0], 1e-12))
        within = np.mean(np.abs(a - b) < np.log10(3.0))
        sentences.append(
            f"{start}: correlation of the logarithms {np.corrcoef(a, b)[0, 1]:.2f}, within a factor of 3 on "
            f"{100 * within:.0f} % of {use.sum()} state points"
        )
    return "; ".join(sentences)


def saved(found: ForwardErrors, path: Path) -> None:
    """Write the arrays as ``.npz``."""
    np.savez(path, **{f.name: getattr(found, f.name) for f in fields(found)})
