"""The training set as tensors on the device, and its variations drawn there."""

from __future__ import annotations

from math import exp, log

import numpy as np
import torch
from torch import Generator, Tensor

from cginit.curves import Array
from cginit.errors import InputError
from cginit.learn.augmentation import Augmentation
from cginit.learn.data import TrainingSet
from cginit.models.grid import RANGE, U_VISIBLE, network_grid

__all__ = ["Pool", "choose_device", "hermite"]


def choose_device(name: str = "auto") -> torch.device:
    """Return the device of a name: ``auto`` is CUDA where there is one.

    Raises
    ------
    InputError
        If the name is unknown, or CUDA is asked for and absent.

    Examples
    --------
    >>> choose_device("cpu")
    device(type='cpu')
    """
    if name not in ("auto", "cpu", "cuda"):
        raise InputError(f"unknown device {name!r}; choose auto, cpu or cuda")
    if name == "cuda" and not torch.cuda.is_available():
        raise InputError(
            "PyTorch finds no CUDA device; choose --device cpu, or install a CUDA build of torch"
        )
    return torch.device("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")


def hermite(y: Tensor, position: Tensor, beyond: float) -> Tensor:
    """Return curves `y` ``(..., n)`` at the fractional index `position` ``(..., p)``, `beyond` after the end.

    The same pieces as `cginit.models.grid.interpolate`.
    """
    last = y.shape[-1] - 1
    inside = position <= last + 1e-4
    position = position.clamp(0.0, float(last))
    left = position.to(torch.int64).clamp(max=last - 1)
    t = position - left
    middle = 0.5 * (y[..., 2:] - y[..., :-2])
    slopes = torch.cat((y[..., 1:2] - y[..., :1], middle, y[..., -1:] - y[..., -2:-1]), dim=-1)
    y0, y1 = torch.gather(y, -1, left), torch.gather(y, -1, left + 1)
    m0, m1 = torch.gather(slopes, -1, left), torch.gather(slopes, -1, left + 1)
    d = y1 - y0
    values = y0 + t * (m0 + t * (3.0 * d - 2.0 * m0 - m1 + t * (m0 + m1 - 2.0 * d)))
    return torch.where(inside, values, torch.full_like(values, beyond))


class Pool:
    """Single-precision tensors of a training set, and of auxiliary pairs after it, on one device.

    Parameters
    ----------
    data : TrainingSet
        Simulated pairs.
    device : torch.device
        Where the tensors live.
    auxiliary : TrainingSet, optional
        Pairs on the same grids; they are the rows from ``len(data)`` on.
    """

    def __init__(self, data: TrainingSet, device: torch.device, auxiliary: TrainingSet | None = None) -> None:
        sets = [data] if auxiliary is None else [data, auxiliary]
        if any(s.g.shape[1] != data.r.size or s.u.shape[1] != data.u_r.size for s in sets):
            raise InputError("auxiliary pairs must share the grids of the simulated ones")

        def tensor(values: Array) -> Tensor:
            return torch.from_numpy(np.asarray(values, dtype=np.float32)).to(device)

        self.device = device
        self.step, self.u_step = float(data.r[1]), float(data.u_r[1])
        self.g = tensor(np.vstack([s.g for s in sets]))
        self.g_error = tensor(np.vstack([s.g_error for s in sets]))
        self.u = tensor(np.vstack([s.u for s in sets]))
        self.density = tensor(np.concatenate([s.density for s in sets]))
        self.r_cut = tensor(np.concatenate([s.r_cut for s in sets]))
        self.pressure = tensor(np.concatenate([s.pressure for s in sets]))
        self.grid = tensor(network_grid())
        #: Numbers of all rows.
        self.every = torch.arange(self.density.numel(), device=device)

    def curves_g(self, g: Tensor, scale: Tensor) -> Tensor:
        """Return g ``(..., n)`` on the 50 points with the length unit times `scale` ``(...)``.

        As `cginit.models.grid.resample_g`.
        """
        u0 = -torch.log(g.clamp(min=exp(-U_VISIBLE)))
        visible = u0 < U_VISIBLE - 1e-4
        first = visible.to(torch.int8).argmax(dim=-1, keepdim=True)
        n = u0.shape[-1]
        i = first.clamp(1, n - 3)
        ahead = [torch.gather(u0, -1, i + k) for k in range(3)]
        steep = (3.0 * ahead[0] - 3.0 * ahead[1] + ahead[2]).clamp(min=U_VISIBLE)
        use = (first > 0) & (first < n - 2)
        u0 = u0.scatter(-1, i - 1, torch.where(use, steep, torch.gather(u0, -1, i - 1)))
        found = hermite(u0, self.grid * scale[..., None] / self.step, 0.0)
        return torch.where(found < U_VISIBLE - 1e-4, torch.exp(-found), torch.zeros_like(found))

    def curves_u(self, rows: Tensor, scale: Tensor, grid: Tensor | None = None) -> Tensor:
        """Return U of `rows` ``(...)`` on the 50 points, or another grid, as `curves_g` does."""
        at = (self.grid if grid is None else grid) * scale[..., None] / self.u_step
        return hermite(self.u[rows], at, 0.0)

    def scales(self, rows: Tensor, how: Augmentation, generators: list[Generator]) -> Tensor:
        """Return random factors of the length unit ``(streams, batch)`` for `rows` of the same shape."""
        low = torch.full_like(self.density[rows], log(how.scale[0]))
        high = torch.minimum(
            torch.full_like(low, log(how.scale[1])), torch.log(how.max_density / self.density[rows]) / 3.0
        )
        part = self.random(rows.shape[1:], generators)
        return torch.exp(low + (torch.maximum(high, low) - low) * part)

    def vary_g(self, rows: Tensor, scale: Tensor, how: Augmentation, generators: list[Generator]) -> Tensor:
        """Return g of `rows` on the 50 points, with noise and a random end."""
        g = self.g[rows]
        if how.noise > 0.0:
            g = g + how.noise * self.g_error[rows] * self.random(g.shape[1:], generators, normal=True)
        g = self.curves_g(g, scale)
        if how.shortest_range >= RANGE:
            return g
        shortest = torch.clamp(self.r_cut[rows] / scale, how.shortest_range, RANGE)
        end = shortest + (RANGE - shortest) * (2.0 * self.random(rows.shape[1:], generators) - 1.0).clamp(0.0)
        cut = self.random(rows.shape[1:], generators) < 0.5
        hidden = cut[..., None] & (self.grid > end[..., None])
        return torch.where(hidden, torch.ones_like(g), g)

    def random(
        self, shape: torch.Size | tuple[int, ...], generators: list[Generator], *, normal: bool = False
    ) -> Tensor:
        """Return one random tensor of `shape` for each generator, stacked."""
        draw = torch.randn if normal else torch.rand
        return torch.stack([draw(tuple(shape), generator=x, device=self.device) for x in generators])
