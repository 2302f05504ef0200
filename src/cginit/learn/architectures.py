"""The networks from (g, density) to U, in PyTorch: published inputs and outputs around a body of layers."""

from __future__ import annotations

from math import exp

import numpy as np
import torch
from torch import Tensor, nn

from cginit.curves import Array
from cginit.learn.bodies import Ports, build_body
from cginit.learn.config import Architecture
from cginit.learn.options import Options
from cginit.models.grid import U_CUT, U_VISIBLE

__all__ = [
    "CorrectedEnsemble",
    "Ensemble",
    "Network",
    "boltzmann",
    "build",
    "exponential_of",
    "input_curve",
    "mean_and_spread",
    "network_of",
    "odd_asinh",
    "output_potential",
    "predict",
]

#: -ln g is read from here on; g(0) of an attraction of 5 kT without a core is e^5.
U_LOWEST = -5.0


def boltzmann(g: Tensor) -> Tensor:
    """Return U0 = -ln g between -5 and 7 kT; 7 kT is what no sample shows."""
    return -torch.log(torch.clamp(g, min=exp(-U_VISIBLE), max=exp(-U_LOWEST)))


def input_curve(g: Tensor) -> Tensor:
    """Return g as the layers see it without option b."""
    # g(0) of an overlapping, attractive fluid may be e^5; the layers should not see such a number.
    return torch.clamp(g, max=exp(-0.4 * U_LOWEST))


def exponential_of(u: Tensor) -> Tensor:
    """Return exp(-U) as option e has it, at most e^5.

    A spline may fall to -30 kT next to r = 0, behind a barrier that no particle crosses. One such number would be the
    whole loss.
    """
    return torch.exp(-u.clamp(min=U_LOWEST))


def output_potential(out: Tensor) -> Tensor:
    """Return U in kT, at most 20, of the raw output exp(-U) of option e."""
    return -torch.log(torch.clamp(out, min=exp(-U_CUT)))


class Network(nn.Module):
    """Frame common to all architectures: what goes in and out of a body of layers.

    Parameters
    ----------
    body : nn.Module
        Maps a curve ``(batch, 1, 50)`` and the density ``(batch, 1)`` to ``(batch, 50)``.
    options : Options
        b and e act here; f acts in the loss.
    residual : bool
        Whether U0, or with option e exp(-U0), is added to the output of the body.
    """

    def __init__(self, body: nn.Module, options: Options, residual: bool) -> None:
        super().__init__()
        self.body = body
        self.options = options
        self.residual = residual

    def forward(self, g: Tensor, density: Tensor) -> Tensor:
        """Return the raw output ``(batch, 50)``, U or exp(-U), of g ``(batch, 50)`` and density ``(batch,)``."""
        u0 = boltzmann(g)
        curve = u0 if self.options.boltzmann else input_curve(g)
        out: Tensor = self.body(curve[:, None], density[:, None])
        if not self.residual:
            return out
        return out + (torch.exp(-u0) if self.options.exponential else u0)

    def encode(self, u: Tensor) -> Tensor:
        """Return the raw output that belongs to the potential `u`."""
        return exponential_of(u) if self.options.exponential else u

    def potential(self, g: Tensor, density: Tensor) -> Tensor:
        """Return U ``(batch, 50)`` in kT."""
        out: Tensor = self(g, density)
        return output_potential(out) if self.options.exponential else out


def build(architecture: Architecture, seed: int) -> Network:
    """Return an untrained network with weights from `seed`; PyTorch's global generator is left as it was.

    Raises
    ------
    InputError
        If the kind or an option is unknown.

    Examples
    --------
    >>> network = build(Architecture(width=8), seed=1)
    >>> network.potential(torch.ones(2, 50), torch.tensor([0.1, 0.5])).shape
    torch.Size([2, 50])
    """
    options = Options.parse(architecture.options)
    return Network(build_body(architecture, Ports(), seed), options, architecture.residual)


def network_of(weights: dict[str, Tensor], architecture: Architecture) -> Network:
    """Return a network with trained weights of its layers."""
    network = build(architecture, seed=0)
    network.body.load_state_dict(weights)
    return network.eval()


def predict(network: Network, g: Array, density: Array) -> Array:
    """Return U ``(m, 50)`` in kT of g ``(m, 50)`` and density ``(m,)``."""
    with torch.no_grad():
        found = network.potential(*(torch.from_numpy(x.astype(np.float32)) for x in (g, density))).numpy()
    return np.asarray(found, dtype=np.float64)


class Ensemble(nn.Module):
    """Mean of some networks and their spread, which says how far they can be trusted."""

    def __init__(self, members: list[Network]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, g: Tensor, density: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and standard deviation of U ``(batch, 50)`` in kT."""
        potentials = [m.potential(g, density) for m in self.members if isinstance(m, Network)]
        return mean_and_spread(torch.stack(potentials))


def odd_asinh(x: Tensor) -> Tensor:
    """Return asinh as an odd function to the last digit.

    ONNX Runtime computes it of large negative numbers from their small difference to a root.
    """
    return torch.sign(x) * torch.asinh(x.abs())


class CorrectedEnsemble(nn.Module):
    """Trained networks, each of which corrects the same theory.

    Parameters
    ----------
    bodies : list of nn.Module
        The layers of each member.
    """

    def __init__(self, bodies: list[nn.Module]) -> None:
        super().__init__()
        self.bodies = nn.ModuleList(bodies)

    def corrected(self, base: Tensor, unit: float, curves: Tensor, density: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and spread ``(m, n)`` of the theory `base` with each correction in `unit`."""
        stacked = torch.stack([base + unit * body(curves, density[:, None]) for body in self.bodies])
        return mean_and_spread(stacked)


def mean_and_spread(stacked: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and standard deviation over the first axis; torch.std has no counterpart in ONNX."""
    mean = stacked.mean(dim=0)
    # A lone member has no spread.
    return mean, torch.sqrt(((stacked - mean) ** 2).sum(dim=0) / max(stacked.shape[0] - 1, 1))
