"""A pair potential as the knots of relentless' Akima spline."""

from __future__ import annotations

import numpy as np
import relentless
from numpy.typing import NDArray

from cginit import InputError, PairPotential
from cginit.extrapolate import resampled

__all__ = ["pair_spline", "spline_knots", "tabulated"]

Array = NDArray[np.float64]

#: The knots are even from where U falls below this many kT; what lies further in is never visited.
CORE = 20.0
#: Knots at r = 0 and half way to the even ones keep the core repulsive all the way in.
INNER = (0.0, 0.5)
#: Points between two grid points of the potential on which the spline is compared with it.
FINE = 5


def spline_knots(
    potential: PairPotential,
    num_knots: int | None = None,
    *,
    kT: float | None = None,
    tolerance: float = 0.02,
) -> tuple[Array, Array]:
    """Return positions and energies ``(n,)`` of knots whose Akima spline is the potential.

    Two knots lie in the core, at r = 0 and below the others, which are even up to the cut-off. There U = 0.

    Parameters
    ----------
    potential : PairPotential
    num_knots : int, optional
        All knots. By default the smallest number that stays within `tolerance`, since each is a variable of
        relentless' optimisation.
    kT : float, optional
        Thermal energy; by default the one that the potential was made for.
    tolerance : float
        Largest difference in kT up to U = kT, and in multiples of U above.

    Raises
    ------
    cginit.InputError
        If kT is not known, or no number of knots up to that of the potential's points is enough.
    """
    origin = potential.provenance
    energy = kT if kT is not None else (origin.kT if origin is not None else None)
    if energy is None:
        raise InputError("the potential does not say for which kT it was made; give kT")
    core = np.flatnonzero(potential.u > CORE * energy)
    first = int(core[-1]) + 1 if core.size else 0
    start = float(potential.r[first])
    inner = [part * start for part in INNER] if start > 0.0 else []
    points = round((potential.r_cut - start) / potential.dr)
    grid = np.linspace(0.0, potential.r_cut, FINE * round(potential.r_cut / potential.dr) + 1)
    fine = resampled(potential, grid, energy)
    seen = grid >= start
    numbers = range(8, points + 2) if num_knots is None else [num_knots - len(inner)]
    for number in numbers:
        if number < 3:
            raise InputError(f"{num_knots} knots are too few; give at least {len(inner) + 3}")
        r = np.concatenate([inner, np.linspace(start, potential.r_cut, number)])
        u = np.interp(r, grid, fine.u)
        u[-1] = 0.0
        spline = relentless.math.AkimaSpline(r, u)(grid[seen])
        scale = np.maximum(np.abs(fine.u[seen]), energy)
        if num_knots is not None or np.max(np.abs(spline - fine.u[seen]) / scale) <= tolerance:
            return r, u
    raise InputError(
        f"{points + 1} knots are not within {tolerance:g} kT of the potential; choose a larger tolerance or num_knots"
    )


def pair_spline(
    potential: PairPotential,
    types: tuple[str, str] = ("A", "A"),
    num_knots: int | None = None,
    *,
    kT: float | None = None,
    tolerance: float = 0.02,
    mode: str = "diff",
    name: str | None = None,
) -> relentless.model.potential.PairSpline:
    """Return the potential as relentless' ``PairSpline``, cut at its cut-off.

    Parameters
    ----------
    potential : PairPotential
        Its units become those of relentless.
    types : tuple of str
        The pair of bead types.
    num_knots, kT, tolerance
        See `spline_knots`.
    mode : {"diff", "value"}
        relentless' choice of variables.
    name : str, optional
        Name of the potential in relentless.

    Raises
    ------
    cginit.InputError
        See `spline_knots`.
    """
    r, u = spline_knots(potential, num_knots, kT=kT, tolerance=tolerance)
    unique = tuple(dict.fromkeys(types))
    spline = relentless.model.potential.PairSpline(unique, num_knots=r.size, mode=mode, name=name)
    spline.from_array(types, r, u)
    spline.coeff[types]["rmax"] = potential.r_cut
    return spline


def tabulated(
    spline: relentless.model.potential.PairSpline,
    r_cut: float,
    *,
    num: int = 2000,
    buffer: float | None = None,
) -> relentless.simulate.Potentials:
    """Return relentless' ``Potentials`` with kB = 1: temperatures are kT in the potential's unit of energy.

    The table begins one step above r = 0, where LAMMPS allows none, and ends at the cut-off.
    """
    potentials = relentless.simulate.Potentials(kB=1.0)
    potentials.pair = relentless.simulate.PairPotentialTabulator(
        spline,
        start=r_cut / num,
        stop=r_cut,
        num=num,
        neighbor_buffer=0.1 * r_cut if buffer is None else buffer,
    )
    return potentials
