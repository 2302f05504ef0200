"""The layers of the networks: dense, convolutional, U-Net, residual; the last three with a dense end or without."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from cginit.errors import InputError
from cginit.learn.config import Architecture

__all__ = ["BODIES", "Ports", "build_body"]

#: Channels and hidden units of the end that turns curves into a few numbers.
SUMMARY_CHANNELS, SUMMARY_UNITS = 4, 64
#: Hidden units of the dense block after convolutions.
DENSE_UNITS = 256


@dataclass(frozen=True)
class Ports:
    """What goes in and out of a body.

    Attributes
    ----------
    curves : int
        Input curves.
    scalars : int
        Input numbers that hold for the whole curve, such as the density.
    points : int
        Points of a curve.
    outputs : int
        Output numbers: `points` of them are a curve again, fewer a summary.
    """

    curves: int = 1
    scalars: int = 1
    points: int = 50
    outputs: int = 50


class DenseBody(nn.Module):
    """DN: all points of all curves, and the scalars, through fully connected layers."""

    def __init__(self, architecture: Architecture, ports: Ports) -> None:
        super().__init__()
        sizes = [ports.curves * ports.points + ports.scalars, *[architecture.width] * architecture.layers]
        self.hidden = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes))
        self.write = nn.Linear(sizes[-1], ports.outputs)

    def forward(self, curves: Tensor, scalars: Tensor) -> Tensor:
        """Return ``(batch, outputs)`` of curves ``(batch, c, points)`` and scalars ``(batch, s)``."""
        x = torch.cat((curves.flatten(1), scalars), dim=1)
        for layer in self.hidden:
            x = nn.functional.silu(layer(x))
        out: Tensor = self.write(x)
        return out


class _Along(nn.Module):
    """Frame of the bodies that convolve along r.

    Scalars and r become channels, and a convolution writes a curve or what a summary is made of. With a dense end,
    as in the published Fig. 5 (doi:10.1063/5.0045441), the convolutions see the curves alone, and a dense block joins
    what they find with the scalars.
    """

    def __init__(self, architecture: Architecture, ports: Ports) -> None:
        super().__init__()
        self.r: Tensor
        self.register_buffer("r", torch.linspace(0.0, 1.0, ports.points), persistent=False)
        self.dense = architecture.dense
        self.inputs = ports.curves + (0 if self.dense else ports.scalars + 1)
        self.curve = ports.outputs == ports.points and not self.dense
        flat = SUMMARY_CHANNELS * ports.points
        if self.dense:
            self.narrow = nn.Conv1d(architecture.width, SUMMARY_CHANNELS, 1)
            self.block = nn.Linear(flat + ports.scalars, DENSE_UNITS)
            self.write: nn.Module = nn.Linear(DENSE_UNITS, ports.outputs)
        elif self.curve:
            self.write = nn.Conv1d(architecture.width, 1, 1)
        else:
            self.write = nn.Sequential(
                nn.Conv1d(architecture.width, SUMMARY_CHANNELS, 1),
                nn.SiLU(),
                nn.Flatten(),
                nn.Linear(flat, SUMMARY_UNITS),
                nn.SiLU(),
                nn.Linear(SUMMARY_UNITS, ports.outputs),
            )

    def channels(self, curves: Tensor, scalars: Tensor) -> Tensor:
        """Return what the convolutions see, ``(batch, inputs, points)``."""
        if self.dense:
            return curves
        ones = torch.ones_like(curves[:, :1])
        return torch.cat((curves, scalars[:, :, None] * ones, self.r * ones), dim=1)

    def end(self, x: Tensor, scalars: Tensor) -> Tensor:
        """Return the outputs of the last hidden layer ``(batch, width, points)``, not yet activated."""
        x = nn.functional.silu(x)
        out: Tensor
        if self.dense:
            found = nn.functional.silu(self.narrow(x)).flatten(1)
            out = self.write(nn.functional.silu(self.block(torch.cat((found, scalars), dim=1))))
            return out
        out = self.write(x)
        return out.squeeze(1) if self.curve else out


class ConvolutionalBody(_Along):
    """CN: convolutions one after the other, every hidden layer of the same width."""

    def __init__(self, architecture: Architecture, ports: Ports) -> None:
        super().__init__(architecture, ports)
        width, kernel = architecture.width, architecture.kernel
        inputs = [self.inputs, *[width] * (architecture.layers - 1)]
        self.hidden = nn.ModuleList(nn.Conv1d(n, width, kernel, padding=kernel // 2) for n in inputs)

    def forward(self, curves: Tensor, scalars: Tensor) -> Tensor:
        """Return ``(batch, outputs)`` of curves ``(batch, c, points)`` and scalars ``(batch, s)``."""
        x = self.channels(curves, scalars)
        for i, layer in enumerate(self.hidden):
            x = layer(x if i == 0 else nn.functional.silu(x))
        return self.end(x, scalars)


class UBody(_Along):
    """UN: each level halves the points and doubles the channels; the way back joins what each level has seen."""

    def __init__(self, architecture: Architecture, ports: Ports) -> None:
        super().__init__(architecture, ports)
        width, kernel, levels = architecture.width, architecture.kernel, architecture.layers
        self.padding = -ports.points % 2**levels

        def convolution(a: int, b: int) -> nn.Conv1d:
            return nn.Conv1d(a, b, kernel, padding=kernel // 2)

        sizes = [width * 2**i for i in range(levels + 1)]
        self.down = nn.ModuleList(
            convolution(a, b) for a, b in zip([self.inputs, *sizes], sizes, strict=False)
        )
        self.up = nn.ModuleList(nn.ConvTranspose1d(b, a, 2, stride=2) for a, b in pairwise(sizes))
        self.join = nn.ModuleList(convolution(2 * a, a) for a in sizes[:-1])

    def forward(self, curves: Tensor, scalars: Tensor) -> Tensor:
        """Return ``(batch, outputs)`` of curves ``(batch, c, points)`` and scalars ``(batch, s)``."""
        x = self.channels(curves, scalars)
        points = x.shape[-1]
        # The last point, where U = 0, is repeated until the points can be halved at each level.
        x = torch.cat((x, x[..., -1:].expand(-1, -1, self.padding)), dim=-1)
        seen: list[Tensor] = []
        for i, layer in enumerate(self.down):
            if i > 0:
                # The mean of neighbours; on a CPU the pooling layer takes several times as long.
                x = 0.5 * (x[..., 0::2] + x[..., 1::2])
            x = nn.functional.silu(layer(x))
            seen.append(x)
        for i in reversed(range(len(self.up))):
            x = torch.cat((self.up[i](x), seen[i]), dim=1)
            x = self.join[i](x)
            if i > 0:
                x = nn.functional.silu(x)
        return self.end(x[..., :points], scalars)


class _Block(nn.Module):
    """Two convolutions around which the input is added; the first is dilated."""

    def __init__(self, width: int, kernel: int, dilation: int) -> None:
        super().__init__()
        reach = dilation * (kernel // 2)
        self.first = nn.Conv1d(width, width, kernel, padding=reach, dilation=dilation)
        self.second = nn.Conv1d(width, width, 1, bias=False)
        # A block starts as the identity, so that depth costs nothing at the start.
        nn.init.zeros_(self.second.weight)

    def forward(self, x: Tensor) -> Tensor:
        inner: Tensor = self.second(nn.functional.silu(self.first(nn.functional.silu(x))))
        return x + inner


class ResidualBody(_Along):
    """RN: residual blocks of dilated convolutions, through which every output sees every input."""

    def __init__(self, architecture: Architecture, ports: Ports) -> None:
        super().__init__(architecture, ports)
        width, kernel = architecture.width, architecture.kernel
        self.read = nn.Conv1d(self.inputs, width, kernel, padding=kernel // 2)
        self.blocks = nn.ModuleList(_Block(width, kernel, d) for d in architecture.dilations)

    def forward(self, curves: Tensor, scalars: Tensor) -> Tensor:
        """Return ``(batch, outputs)`` of curves ``(batch, c, points)`` and scalars ``(batch, s)``."""
        x: Tensor = self.read(self.channels(curves, scalars))
        for block in self.blocks:
            x = block(x)
        return self.end(x, scalars)


#: Bodies by the kind that a configuration names.
BODIES: dict[str, Callable[[Architecture, Ports], nn.Module]] = {
    "DN": DenseBody,
    "CN": ConvolutionalBody,
    "UN": UBody,
    "RN": ResidualBody,
}


def build_body(architecture: Architecture, ports: Ports, seed: int) -> nn.Module:
    """Return an untrained body with weights from `seed`; PyTorch's global generator is left as it was.

    Raises
    ------
    InputError
        If the kind is unknown.

    Examples
    --------
    >>> body = build_body(Architecture(kind="UN", width=4, layers=2), Ports(outputs=4), seed=1)
    >>> body(torch.ones(3, 1, 50), torch.ones(3, 1)).shape
    torch.Size([3, 4])
    """
    if architecture.kind not in BODIES:
        raise InputError(f"unknown architecture {architecture.kind!r}; known are {', '.join(BODIES)}")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return BODIES[architecture.kind](architecture, ports)
