"""Whether the potential that came out of a g(r) can be one, whatever the checks of g(r) itself did not see."""

from __future__ import annotations

import numpy as np

from cginit.curves import RDF, PairPotential

__all__ = ["question_well"]

#: A well that is deeper than -kT ln g by so many kT is asked about: of the data set 19 of 1290 potentials with a core
#: have one; of the 523 like beads of molecules none is deeper by more than 1.1 kT.
DEEPER = 3.0
#: Where g first exceeds this a bead has its neighbours; what U is in the core says nothing.
RISEN, LEAST_G = 0.5, 1e-2


def question_well(potential: PairPotential, target: RDF, kT: float) -> str | None:
    r"""Return a question on a well that g(r) does not show: :math:`-U/kT - \ln g` at its bottom is far above 0.

    Parameters
    ----------
    potential : PairPotential
        In the units of the target.
    target : RDF
    kT : float

    Examples
    --------
    >>> r = np.arange(1.0, 200) * 0.02
    >>> g = RDF(r, np.where(r < 1.0, 0.0, 1.0), units="lj")
    >>> u = PairPotential.shifted(r, -9.0 * np.exp(-20.0 * (r - 1.5) ** 2), units="lj")
    >>> question_well(u, g, 1.0)[:43]
    'U has a well of 9 kT at r = 1.5 sigma, wher'
    """
    whole = target.with_core()
    risen = np.flatnonzero(whole.g > RISEN)
    if not risen.size:
        return None
    outside = np.flatnonzero(potential.r >= whole.r[risen[0]])
    if not outside.size:
        return None
    bottom = int(outside[np.argmin(potential.u[outside])])
    r, depth = float(potential.r[bottom]), -float(potential.u[bottom]) / kT
    g = float(np.interp(r, whole.r, whole.g))
    if depth - np.log(max(g, LEAST_G)) <= DEEPER:
        return None
    return (
        f"U has a well of {depth:.2g} kT at r = {r:.3g} {target.units.length}, where g is {g:.2g}: hardly a liquid "
        "has this. It comes of a density that is not that of g(r), of r that is an edge of the bins and not their "
        "middle, or of bonded neighbours that g(r) counts"
    )
