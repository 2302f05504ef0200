"""Convolutions along r of many curves at once, laid side by side as columns: the form of exported networks."""

from __future__ import annotations

from copy import deepcopy

from torch import Tensor, nn

from cginit.learn.bodies import ConvolutionalBody, ResidualBody

__all__ = ["in_columns"]


class _Together(nn.Module):
    """From channels of curves ``(m, c, n)`` to one picture of columns ``(1, c, n, m)``."""

    def forward(self, x: Tensor) -> Tensor:
        return x.permute(1, 2, 0)[None]


class _Apart(nn.Module):
    """From columns ``(1, c, n, m)`` back to curves ``(m, c, n)``."""

    def forward(self, x: Tensor) -> Tensor:
        return x[0].permute(2, 0, 1)


def in_columns(module: nn.Module) -> nn.Module:
    """Return a copy that gives the same, in which every convolution runs over all curves of a batch at once.

    A convolution of 50 points of one curve is too small for a processor; with the curves of a batch as the columns of
    one picture the same weights make a convolution in two dimensions (of width 1 across curves), for which ONNX
    Runtime has its fastest kernels. The U-Net, which pools along r, and networks that end in a few numbers stay as
    they are.

    Examples
    --------
    >>> import torch
    >>> from cginit.learn.bodies import Ports, build_body
    >>> from cginit.learn.config import Architecture
    >>> body = build_body(Architecture(kind="CN", width=8), Ports(), seed=1)
    >>> curves, density = torch.ones(2, 1, 50), torch.ones(2, 1)
    >>> torch.allclose(in_columns(body)(curves, density), body(curves, density), atol=1e-6)
    True
    """
    copy = deepcopy(module)
    for part in list(copy.modules()):
        if isinstance(part, ConvolutionalBody | ResidualBody) and part.curve:
            _lay(part)
    return copy


def _lay(body: ConvolutionalBody | ResidualBody) -> None:
    for parent in list(body.modules()):
        for name, layer in list(parent.named_children()):
            if isinstance(layer, nn.Conv1d):
                setattr(parent, name, _across(layer))
    body.write = nn.Sequential(body.write, _Apart())
    # Between the first convolution and the last, the bodies add and activate, whatever the axes are.
    first = "read" if isinstance(body, ResidualBody) else "hidden.0"
    body.set_submodule(first, nn.Sequential(_Together(), body.get_submodule(first)))


def _across(layer: nn.Conv1d) -> nn.Conv2d:
    """Return the convolution of columns with the weights of one of curves."""
    wide = nn.Conv2d(
        layer.in_channels,
        layer.out_channels,
        (layer.kernel_size[0], 1),
        padding=(int(layer.padding[0]), 0),
        dilation=(layer.dilation[0], 1),
        bias=layer.bias is not None,
    )
    wide.weight = nn.Parameter(layer.weight.detach()[..., None])
    if layer.bias is not None:
        wide.bias = nn.Parameter(layer.bias.detach())
    return wide
