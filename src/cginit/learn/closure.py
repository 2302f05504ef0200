r"""HNC for many potentials at once, in PyTorch on a CPU or a GPU.

The unknown of each row is :math:`r \gamma(r)`, :math:`\gamma = h - c`, as sine modes :math:`X_j`. With
:math:`C_j` the modes of :math:`r c` and :math:`\rho \hat c_j = a_j C_j`, the two equations are

.. math::
    c = e^{-U/kT + \gamma} - 1 - \gamma, \qquad
    X_j = \frac{\rho \hat c_j}{1 - \rho \hat c_j} C_j .

Newton's method with the exact Jacobian acts on the long waves, in which liquids are strongly coupled; the short ones
have :math:`S(k)` near 1 and follow by direct iteration. The product of two sines is a difference of cosines, so that
the Jacobian of the long waves,

.. math::
    J_{jl} = w_j \frac{D_{j-l} - D_{j+l}}{n + 1} - \delta_{jl}, \qquad
    D_m = \sum_i (g_i - 1) \cos\frac{\pi m i}{n + 1}, \qquad w_j = S(k_j)^2 - 1,

costs one transform. Every row has a line search of its own, that keeps S(k) positive, and where the ideal gas is too
far away a path of its own in density.

References
----------
S. Labik, A. Malijevsky and P. Vonka, Mol. Phys. 56, 709 (1985), doi:10.1080/00268978500102651.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from cginit.errors import InputError
from cginit.liquid.forward import MIN_STEP, TOLERANCE
from cginit.liquid.fourier import RadialGrid

__all__ = ["Fluids", "solve_many"]

#: Rows that are worked on together: on a CPU, as many as its cache holds; on a GPU, as many as fill it.
PORTION = {"cpu": 256, "cuda": 4096}
#: Newton steps of one attempt; a row that needs more is too far from its start. More, and shorter steps of the line
#: search, solve hardly another row and take twice the time.
MAX_NEWTON = 8
#: Steps with the same Jacobian after each Newton step. One costs a fifth of a new Jacobian.
CHORDS = 4
#: A chord step that does not at least halve the residual asks for a new Jacobian.
CHORD_GAIN = 0.5
#: Waves with |S^2 - 1| above this, and all longer ones, belong to Newton's method.
COUPLED = 0.1
MIN_MODES = 16
#: The largest part of all waves that does: as many of each grid with the same step reach the same wave number.
MAX_PART = 7 / 16
#: A path whose step falls below this part of what it has reached is at its end.
MIN_PROGRESS = 0.125
#: Shortest step of the line search.
MIN_SCALE = 0.125


@dataclass(frozen=True, eq=False)
class Fluids:
    """Structure of the fluids of many potentials, on the nodes of one grid; rows without a solution hold NaN.

    Attributes
    ----------
    grid : RadialGrid
        The grid, without r = 0.
    solved : Tensor of bool, shape (m,)
        Which rows have a solution.
    reached : Tensor, shape (m,)
        The part of its potential up to which a row was followed; 1 where it is solved.
    g, gamma : Tensor, shape (m, n)
        Radial distribution function and h - c.
    s_k : Tensor, shape (m, n)
        Structure factor at ``grid.k``.
    residual : Tensor, shape (m,)
        Bound of the residual of r gamma, in units of rho^(-1/3).
    """

    grid: RadialGrid
    solved: Tensor
    reached: Tensor
    g: Tensor
    gamma: Tensor
    s_k: Tensor
    residual: Tensor


@dataclass(frozen=True, eq=False)
class _Rows:
    """Some rows at some densities, on the device: what the equations need."""

    grid: RadialGrid
    r: Tensor
    potential: Tensor
    boltzmann: Tensor
    #: rho c^(k_j) of C_j = 1.
    a: Tensor
    #: rho^(1/3), which makes a residual a number.
    unit: Tensor

    def of(self, rows: Tensor, part: Tensor | None = None) -> _Rows:
        """Return some rows, with `part` ``(k,)`` of their potential."""
        potential = self.potential[rows]
        factor = self.boltzmann[rows] if part is None else torch.exp(-part[:, None] * potential)
        return _Rows(self.grid, self.r, potential, factor, self.a[rows], self.unit[rows])


@dataclass(eq=False)
class _State:
    """An iterate of some rows; its tensors are written into."""

    x: Tensor
    gap: Tensor
    weight: Tensor
    slope: Tensor
    size: Tensor

    def take(self, other: _State, rows: Tensor, of: Tensor) -> None:
        """Put the rows `of` of another state into the places `rows` of this one."""
        for name in ("x", "gap", "weight", "slope", "size"):
            getattr(self, name)[rows] = getattr(other, name)[of]

    def at(self, rows: Tensor) -> _State:
        return _State(self.x[rows], self.gap[rows], self.weight[rows], self.slope[rows], self.size[rows])


def solve_many(
    u: Tensor,
    density: Tensor,
    step: float,
    *,
    nodes: int = 511,
    max_peak: float = torch.inf,
    portion: int | None = None,
) -> Fluids:
    r"""Return g(r) of many potentials, each at its density, in the hypernetted-chain approximation.

    .. math:: g = e^{-U/kT + \gamma}

    The same equations on the same nodes as `cginit.liquid.forward.solve`, row by row. A row that the ideal gas does
    not lead to in one go is cooled at its density from infinite temperature, where every fluid is an ideal gas, in
    steps that halve on failure and grow on success: for a potential of any range :math:`\gamma` starts out
    proportional to U, which compression does not offer. Where the solution ends on this way (the fluid freezes, or
    separates into gas and liquid) the row is told as not solved.

    Parameters
    ----------
    u : Tensor, shape (m, k)
        Potentials in kT at the distances step, 2 step, ..., k step; inf is a hard core, and U = 0 beyond.
    density : Tensor, shape (m,)
        Number densities, in the inverse cube of the unit of `step`.
    step : float
        Step of the nodes.
    nodes : int
        Nodes of the transform; one less than a power of two is fast. h has to decay within them.
    max_peak : float
        Rows whose structure factor rises above this freeze or cluster: they are given up as soon as it does.
    portion : int, optional
        Rows that are worked on together.

    Returns
    -------
    Fluids
        Double precision, on the device of `u`.

    Raises
    ------
    InputError
        If shapes do not agree, or a value is not valid.

    Examples
    --------
    >>> r = 0.05 * torch.arange(1, 81, dtype=torch.float64)
    >>> fluids = solve_many(2 * torch.exp(-(r**2))[None], torch.tensor([0.5]), 0.05)
    >>> fluids.solved.tolist(), round(float(fluids.s_k[0, 0]), 3)
    ([True], 0.158)
    """
    grid = RadialGrid(nodes, step)
    if u.ndim != 2 or density.shape != u.shape[:1] or not 0 < u.shape[1] <= nodes:
        raise InputError(
            f"u must be (m, k) and density (m,) with k <= {nodes} nodes, not {tuple(u.shape)} and "
            f"{tuple(density.shape)}"
        )
    if bool(torch.isnan(u).any()) or bool((u == -torch.inf).any()):
        raise InputError("u must hold numbers; only +inf may be infinite")
    if not bool((torch.isfinite(density) & (density > 0.0)).all()):
        raise InputError("densities must be positive numbers")
    m, device = u.shape[0], u.device
    size = portion or PORTION.get(device.type, PORTION["cpu"])
    found = [torch.empty((m, nodes), dtype=torch.float64, device=device) for _ in range(3)]
    reached = torch.zeros(m, dtype=torch.float64, device=device)
    residual = torch.full_like(reached, torch.inf)
    # Rows of like density need like numbers of modes and steps.
    order = torch.argsort(density)
    for rows in torch.split(order, size):
        part = _prepare(grid, u[rows].double(), density[rows].double())
        reached[rows], x, residual[rows] = _cool(part, max_peak)
        state = _evaluate(part, x)
        gamma = _sine(x) / (2.0 * (nodes + 1)) / part.r
        curves = (part.boltzmann * torch.exp(gamma), gamma, torch.sqrt(1.0 + state.weight))
        for whole, curve in zip(found, curves, strict=True):
            whole[rows] = curve
    solved = reached >= 1.0
    solved &= found[2].amax(dim=1) < max_peak
    for whole in found:
        whole[~solved] = torch.nan
    g, gamma, s_k = found
    return Fluids(grid, solved, reached, g, gamma, s_k, residual)


def _prepare(grid: RadialGrid, u: Tensor, density: Tensor) -> _Rows:
    def nodes(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Tensor:
        return torch.from_numpy(values).to(u.device)

    potential = torch.zeros((u.shape[0], grid.n), dtype=torch.float64, device=u.device)
    potential[:, : u.shape[1]] = u
    a = density[:, None] * (2.0 * np.pi * grid.dr / nodes(grid.k))
    return _Rows(grid, nodes(grid.r), potential, torch.exp(-potential), a, density ** (1.0 / 3.0))


def _sine(x: Tensor) -> Tensor:
    """Return ``2 sum_i x_i sin(pi i j / (n + 1))`` along the last axis, as `RadialGrid.sine`."""
    n = x.shape[-1]
    waves: Tensor = torch.fft.rfft(torch.nn.functional.pad(x, (1, n + 1))).imag
    return -2.0 * waves[..., 1 : n + 1]


def _evaluate(rows: _Rows, x: Tensor) -> _State:
    """Return gap, S^2 - 1, g - 1 and size of the residual of the modes `x` ``(m, n)``."""
    n = rows.grid.n
    gamma = _sine(x).div_(2.0 * (n + 1)).div_(rows.r)
    slope = torch.exp(gamma).mul_(rows.boltzmann).sub_(1.0)
    modes = _sine(rows.r * (slope - gamma))
    correlation = rows.a * modes
    s = 1.0 / (1.0 - correlation)
    gap = modes * correlation * s - x
    # The sum of the modes bounds the residual at every node.
    size = rows.unit * gap.abs().sum(dim=1) / (n + 1)
    invalid = ~torch.isfinite(size) | (s.amin(dim=1) <= 0.0)
    return _State(x, gap, s.square().sub_(1.0), slope, torch.where(invalid, torch.inf, size))


class _Jacobian:
    """The exact Jacobian of the long waves of some rows, factorised; the identity on the short ones.

    Single precision halves the time and costs no accuracy: it is the residual, in double precision, that has to
    vanish.
    """

    def __init__(self, rows: _Rows, state: _State) -> None:
        n = rows.grid.n
        coupled = (state.weight.abs() > COUPLED).any(dim=0).nonzero()
        last = int(coupled[-1]) + 1 if coupled.numel() else 0
        self.modes = k = min(max(last, MIN_MODES), max(int(MAX_PART * (n + 1)), 1))
        cosines = torch.fft.rfft(torch.nn.functional.pad(state.slope.float(), (1, n + 1))).real / (n + 1)
        # D is even, and even about n + 1, the last wave of the transform; 2 k reaches it at most.
        around = torch.cat((cosines[:, 1:k].flip(1), cosines[:, :k]), dim=1)
        matrix = around.unfold(1, k, 1).flip(1) - cosines[:, 2 : 2 * k + 1].unfold(1, k, 1)
        matrix.mul_(-state.weight[:, :k, None].float())
        matrix.diagonal(dim1=1, dim2=2).add_(1.0)
        self.factors, self.pivots, _ = torch.linalg.lu_factor_ex(matrix)

    def step(self, gap: Tensor) -> Tensor:
        """Return the step of the modes that removes `gap` ``(m, n)`` to first order."""
        step = gap.clone()
        right = gap[:, : self.modes, None].float()
        step[:, : self.modes] = torch.linalg.lu_solve(self.factors, self.pivots, right)[..., 0].double()
        return step


def _newton(rows: _Rows, x: Tensor) -> _State:
    """Return the iterates to which Newton's method leads from `x`; some may not be solved."""
    state = _evaluate(rows, x)
    open_rows = torch.isfinite(state.size).nonzero()[:, 0]
    for _ in range(MAX_NEWTON):
        open_rows = open_rows[state.size[open_rows] > TOLERANCE]
        if open_rows.numel() == 0:
            break
        part, now = rows.of(open_rows), state.at(open_rows)
        jacobian = _Jacobian(part, now)
        moved = _search(part, now, jacobian)
        _chords(part, now, jacobian, moved)
        state.take(now, open_rows, torch.arange(open_rows.numel(), device=x.device))
        open_rows = open_rows[moved]
    return state


def _search(rows: _Rows, now: _State, jacobian: _Jacobian) -> Tensor:
    """Move every row along its Newton step as far as that lowers its residual; return which rows moved ``(m,)``."""
    every = torch.arange(now.size.numel(), device=now.size.device)
    step = jacobian.step(now.gap)
    moved = torch.zeros_like(now.size, dtype=torch.bool)
    scale, left = 1.0, every
    while left.numel() and scale >= MIN_SCALE:
        trial = _evaluate(rows.of(left), now.x[left] + scale * step[left])
        better = trial.size <= torch.clamp((1.0 - 1e-3 * scale) * now.size[left], min=TOLERANCE)
        now.take(trial, left[better], better)
        moved[left[better]] = True
        left, scale = left[~better], 0.5 * scale
    return moved


def _chords(rows: _Rows, now: _State, jacobian: _Jacobian, moved: Tensor) -> None:
    """Take further steps with the same Jacobian in the rows where they help."""
    left = (moved & (now.size > TOLERANCE)).nonzero()[:, 0]
    for _ in range(CHORDS):
        if left.numel() == 0:
            return
        trial = _evaluate(rows.of(left), now.x[left] + jacobian.step(now.gap)[left])
        better = trial.size <= CHORD_GAIN * now.size[left]
        now.take(trial, left[better], better)
        left = left[better]
        left = left[now.size[left] > TOLERANCE]


def _cool(rows: _Rows, max_peak: float) -> tuple[Tensor, Tensor, Tensor]:
    """Follow each row from infinite temperature to its own; return the part reached, the modes and the residual."""
    m = rows.unit.numel()
    x = torch.zeros_like(rows.boltzmann)
    before = torch.zeros_like(x)
    reached, behind = torch.zeros_like(rows.unit), torch.zeros_like(rows.unit)
    residual, step = torch.full_like(reached, torch.inf), torch.ones_like(reached)
    left = torch.arange(m, device=x.device)
    while left.numel():
        part = torch.clamp(reached[left] + step[left], max=1.0)
        warm = rows.of(left, part)
        known = reached[left] > behind[left]
        # Along the branch by the secant, where two of its points are known.
        ahead = torch.where(
            known, (part - reached[left]) / (reached[left] - behind[left]).clamp(min=1e-9), 0.0
        )
        state = _newton(warm, x[left] + ahead[:, None] * (x[left] - before[left]))
        missed = (known & ~(state.size <= TOLERANCE)).nonzero()[:, 0]
        if missed.numel():
            again = _newton(warm.of(missed), x[left[missed]])
            state.take(again, missed, torch.arange(missed.numel(), device=x.device))
        done = state.size <= TOLERANCE
        good = left[done]
        before[good], behind[good] = x[good], reached[good]
        x[good], reached[good], residual[good] = state.x[done], part[done], state.size[done]
        step[left] = torch.where(done, 2.0 * step[left], 0.5 * step[left])
        going = (reached[left] < 1.0) & (
            step[left] >= torch.clamp(MIN_PROGRESS * reached[left], min=MIN_STEP)
        )
        # On this way S(k) only grows, and a fluid beyond the limit stays there.
        going &= (1.0 + state.weight.amax(dim=1) < max_peak**2) | ~done
        left = left[going]
    return reached, x, residual
