"""The networks from (g, density) to U, in PyTorch; CN, the convolutional one, so far."""

from __future__ import annotations

from collections.abc import Callable
from math import exp

import torch
from torch import Tensor, nn

from cginit.errors import InputError
from cginit.network.config import Architecture
from cginit.network.features import POINTS, U_CUT, U_VISIBLE
from cginit.network.options import Options

__all__ = ["ARCHITECTURES", "ConvolutionalNetwork", "Ensemble", "Network", "boltzmann", "build"]

#: -ln g is read from here on; g(0) of an attraction of 5 kT without a core is e^5.
U_LOWEST = -5.0


def boltzmann(g: Tensor) -> Tensor:
    """Return U0 = -ln g between -5 and 7 kT; 7 kT is what no sample shows."""
    return -torch.log(torch.clamp(g, min=exp(-U_VISIBLE), max=exp(-U_LOWEST)))


class Network(nn.Module):
    """Frame common to all architectures: what goes in and out of a body of layers.

    Parameters
    ----------
    body : nn.Module
        Maps channels ``(batch, 3, 50)`` (curve, density, r/5) to ``(batch, 50)``.
    options : Options
        b and e act here; f acts in the loss.
    residual : bool
        Whether U0 is added to the output of the body.
    """

    def __init__(self, body: nn.Module, options: Options, residual: bool) -> None:
        super().__init__()
        if residual and options.exponential:
            raise InputError(
                "a residual to -ln g and exp(-U) as output exclude each other; drop e or residual"
            )
        self.body = body
        self.options = options
        self.residual = residual
        self.r: Tensor
        self.register_buffer("r", torch.linspace(0.0, 1.0, POINTS), persistent=False)

    def forward(self, g: Tensor, density: Tensor) -> Tensor:
        """Return the raw output ``(batch, 50)``, U or exp(-U), of g ``(batch, 50)`` and density ``(batch,)``."""
        u0 = boltzmann(g)
        # g(0) of an overlapping, attractive fluid may be e^5; the layers should not see such a number.
        curve = u0 if self.options.boltzmann else torch.clamp(g, max=exp(-0.4 * U_LOWEST))
        ones = torch.ones_like(g)
        channels = torch.stack((curve, ones * density[:, None], ones * self.r), dim=1)
        out: Tensor = self.body(channels)
        return out + u0 if self.residual else out

    def encode(self, u: Tensor) -> Tensor:
        """Return the raw output that belongs to the potential `u`."""
        return torch.exp(-u) if self.options.exponential else u

    def potential(self, g: Tensor, density: Tensor) -> Tensor:
        """Return U ``(batch, 50)`` in kT."""
        out: Tensor = self(g, density)
        return -torch.log(torch.clamp(out, min=exp(-U_CUT))) if self.options.exponential else out


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


class ConvolutionalNetwork(nn.Module):
    """CN: residual blocks of dilated one-dimensional convolutions along r, with the density as a channel."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        width, kernel = architecture.width, architecture.kernel
        self.read = nn.Conv1d(3, width, kernel, padding=kernel // 2)
        self.blocks = nn.ModuleList(_Block(width, kernel, d) for d in architecture.dilations)
        self.write = nn.Conv1d(width, 1, 1)

    def forward(self, channels: Tensor) -> Tensor:
        """Return ``(batch, 50)`` of channels ``(batch, 3, 50)``."""
        x: Tensor = self.read(channels)
        for block in self.blocks:
            x = block(x)
        out: Tensor = self.write(nn.functional.silu(x))
        return out.squeeze(1)


#: Bodies by the kind that a configuration names.
ARCHITECTURES: dict[str, Callable[[Architecture], nn.Module]] = {"CN": ConvolutionalNetwork}


def build(architecture: Architecture, seed: int) -> Network:
    """Return an untrained network with weights from `seed`; PyTorch's global generator is left as it was.

    Raises
    ------
    InputError
        If the kind is unknown.

    Examples
    --------
    >>> network = build(Architecture(width=8), seed=1)
    >>> network.potential(torch.ones(2, 50), torch.tensor([0.1, 0.5])).shape
    torch.Size([2, 50])
    """
    if architecture.kind not in ARCHITECTURES:
        known = ", ".join(ARCHITECTURES)
        raise InputError(f"unknown architecture {architecture.kind!r}; known are {known}")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        body = ARCHITECTURES[architecture.kind](architecture)
    return Network(body, Options.parse(architecture.options), architecture.residual)


class Ensemble(nn.Module):
    """Mean of some networks and their spread, which says how far they can be trusted."""

    def __init__(self, members: list[Network]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, g: Tensor, density: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and standard deviation of U ``(batch, 50)`` in kT."""
        potentials = [m.potential(g, density) for m in self.members if isinstance(m, Network)]
        stacked = torch.stack(potentials)
        mean = stacked.mean(dim=0)
        # torch.std has no counterpart in ONNX; a lone member has no spread.
        spread = torch.sqrt(((stacked - mean) ** 2).sum(dim=0) / max(len(potentials) - 1, 1))
        return mean, spread
