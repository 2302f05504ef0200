"""The published losses: point by point, and with curvature and forces."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import log

import torch
from torch import Tensor

from cginit.errors import InputError
from cginit.models.grid import U_CUT

__all__ = ["KINDS", "Loss"]


def _log_cosh(d: Tensor) -> Tensor:
    # ln cosh d = |d| + ln(1 + exp(-2|d|)) - ln 2 does not overflow.
    a = d.abs()
    return a + torch.nn.functional.softplus(-2.0 * a) - log(2.0)


#: SE (y - y')^2, AE |y - y'|, LE ln cosh(y - y').
KINDS: dict[str, Callable[[Tensor], Tensor]] = {"SE": torch.square, "AE": torch.abs, "LE": _log_cosh}


@dataclass(frozen=True)
class Loss:
    r"""Loss of a predicted potential.

    .. math::
        L_U = \langle l(y_i, y'_i) \rangle + a \langle l(\Delta^2 y_i, \Delta^2 y'_i) \rangle
              + \sum_{k=1}^4 \alpha^k \langle l(y_{i+k} - y_i, y'_{i+k} - y'_i) \rangle

    The second and third terms are the option f. A term counts where every point it joins has a true
    U of at most `u_cut`; means are taken over what counts.

    Parameters
    ----------
    kind : {"SE", "AE", "LE"}
        l: squared, absolute or ln cosh of the difference.
    force : bool
        Option f.
    a, alpha : float
        Weights of curvature and differences; 2 and 1 as published.
    u_cut : float
        In kT.

    References
    ----------
    F. Berressem and A. Nikoubashman, J. Chem. Phys. 154, 124123 (2021), doi:10.1063/5.0045441, Eqs. 5-7.

    Examples
    --------
    >>> loss = Loss("AE", force=False)
    >>> loss(torch.tensor([[1.0, 2.0]]), torch.tensor([[1.5, 2.0]]), torch.tensor([[1.5, 2.0]])).item()
    0.25
    """

    kind: str = "AE"
    force: bool = True
    a: float = 2.0
    alpha: float = 1.0
    u_cut: float = U_CUT

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InputError(f"unknown loss {self.kind!r}; known are {', '.join(KINDS)}")

    def __call__(self, y: Tensor, truth: Tensor, u: Tensor) -> Tensor:
        """Return the loss of output `y` against `truth` ``(..., batch, d)``, one number for each leading index.

        The potential `u` of the truth decides what counts.
        """
        points, forces = self.terms(y, truth, u)
        return points + forces if self.force else points

    def terms(self, y: Tensor, truth: Tensor, u: Tensor) -> tuple[Tensor, Tensor]:
        """Return the loss of the points, and that of curvature and differences, as `__call__` does."""
        measure = KINDS[self.kind]
        c = (u <= self.u_cut).to(y.dtype)
        # The steep part beyond the cut may be 1e4 kT; it must not enter even as a masked infinity.
        d = torch.where(c > 0, y - truth, torch.zeros_like(y))
        points = _mean(measure(d), c)
        # Differences of y minus those of y' are the differences of y - y'.
        curvature = d[..., 2:] - 2.0 * d[..., 1:-1] + d[..., :-2]
        forces = self.a * _mean(measure(curvature), c[..., 2:] * c[..., 1:-1] * c[..., :-2])
        for k in range(1, 5):
            both = c[..., k:] * c[..., :-k]
            forces = forces + self.alpha**k * _mean(measure(d[..., k:] - d[..., :-k]), both)
        return points, forces


def _mean(values: Tensor, counts: Tensor) -> Tensor:
    return (values * counts).sum(dim=(-2, -1)) / counts.sum(dim=(-2, -1)).clamp(min=1.0)
