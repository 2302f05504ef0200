"""The modified Verlet bridge function, the simplest that dense fluids of hard cores follow."""

from __future__ import annotations

from typing import Any, TypeVar

__all__ = ["modified_verlet", "modified_verlet_slope"]

#: An array of NumPy or of PyTorch: what is trained and what is solved share one formula.
Values = TypeVar("Values")


def modified_verlet(gamma: Values) -> Values:
    r"""Return the bridge function of the indirect correlation gamma = h - c, in kT, of the shape of `gamma`.

    .. math:: B = -\frac{\gamma^2}{2 (1 + 0.8 \gamma)} \; (\gamma \ge 0), \qquad -\frac{\gamma^2}{2} \; (\gamma < 0)

    Parameters
    ----------
    gamma : ndarray or Tensor
        Any shape.

    References
    ----------
    L. Verlet, Mol. Phys. 41, 183 (1980), doi:10.1080/00268978000102671, with the 0.8 of hard spheres; for negative
    gamma its leading term, N. Choudhury and S. K. Ghosh, J. Chem. Phys. 116, 8517 (2002), doi:10.1063/1.1467894.

    Examples
    --------
    >>> import numpy as np
    >>> modified_verlet(np.array([-1.0, 0.0, 1.0])).round(3).tolist()
    [-0.5, -0.0, -0.278]
    """
    x: Any = gamma
    return -0.5 * x**2 / (1.0 + 0.8 * _positive(x))  # type: ignore[no-any-return]


def modified_verlet_slope(gamma: Values) -> Values:
    r"""Return the derivative :math:`dB/d\gamma` of `modified_verlet`, of the shape of `gamma`.

    Examples
    --------
    >>> import numpy as np
    >>> modified_verlet_slope(np.array([-1.0, 0.5, 1.0])).round(3).tolist()
    [1.0, -0.306, -0.432]
    """
    x: Any = gamma
    up = _positive(x)
    # Of the two terms one is 0: x - up is the negative part.
    return -up * (1.0 + 0.4 * up) / (1.0 + 0.8 * up) ** 2 - (x - up)  # type: ignore[no-any-return]


def _positive(x: Any) -> Any:
    """Return max(x, 0), exactly, by what arrays of NumPy and PyTorch have in common."""
    return 0.5 * (x + abs(x))
