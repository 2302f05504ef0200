"""Pressure of a pair potential at a state point."""

from __future__ import annotations

from pathlib import Path

from cginit.curves import RDF, PairPotential
from cginit.eos.result import Pressure
from cginit.state import StatePoint

__all__ = ["Pressure", "pressure"]


def pressure(
    potential: PairPotential,
    state: StatePoint,
    method: str = "network",
    rdf: RDF | None = None,
    folder: Path | None = None,
) -> Pressure:
    r"""Return the pressure of a fluid of this pair potential.

    Parameters
    ----------
    potential : PairPotential
        U(r) up to its cut-off.
    state : StatePoint
        Density and kT; converted to the units of the potential.
    method : str
        ``network`` (default): a trained correction to HNC with an error fitted to simulations; where it is not
        shipped, or the fluid is unlike those of its training, ``hnc-mean`` takes its place; where HNC has no
        solution, as inside the gas-liquid region, ``perturbation`` does, or ``b2+b3`` if the fluid is dilute, with a
        wider error. `method` and `notes` of the result say so.
        ``hnc``: virial pressure of the hypernetted-chain solution; ``hnc-compressibility``:
        :math:`kT \int_0^\rho d\rho' / S(0; \rho')`; ``hnc-energy``: the same of the repulsive part of U, and what the
        attraction adds by the energy route; ``hnc-mean``: the mean of ``hnc`` and ``hnc-energy``; ``b2``, ``b2+b3``:
        virial coefficients; ``perturbation``: HNC of the repulsion, and the energy of the attraction with the
        structure it has where HNC ends; ``carnahan-starling``: hard spheres of the Barker-Henderson diameter;
        ``virial``: virial formula with `rdf`.
    rdf : RDF, optional
        A g(r) of this potential at this state.
    folder : Path, optional
        Where the files of the network are, if not in the package.

    Returns
    -------
    Pressure
        Value and error in the units of the potential, the route that gave it, and notes. `Pressure.in_bar` converts.

    Raises
    ------
    InputError
        If the method is unknown, or does not apply: no core, no `rdf`, or one that ends before the cut-off.
    ConvergenceError
        If another method than ``network`` is asked for and its integral equation has no solution, for example inside
        the gas-liquid region.

    References
    ----------
    J. P. Hansen and I. R. McDonald, Theory of Simple Liquids, 4th ed. (2013), doi:10.1016/C2010-0-66723-X.

    Examples
    --------
    >>> import numpy as np
    >>> r = np.linspace(0.0, 2.5, 126)
    >>> soft = PairPotential.shifted(r, 2 * np.exp(-(r**2)), units="lj")
    >>> round(pressure(soft, StatePoint(0.5, 1.0), "hnc").value, 2)
    1.76
    """
    # The integral equation and its solvers are not needed where only a guess is made.
    from cginit.eos.comparison import one_pressure

    return one_pressure(potential, state, method, rdf, folder)
