"""From a potential to MSIBI's ``Pair``, around the traps of its reader."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cginit import InputError, PairPotential, write_table
from cginit_msibi._force import load_msibi, set_table

if TYPE_CHECKING:
    import msibi

__all__ = ["msibi_grid", "msibi_pair"]


def msibi_grid(
    potential: PairPotential, *, kT: float | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the distances and energies ``(n,)`` that MSIBI and HOOMD-blue see, without the cut-off.

    MSIBI rounds the spacing to three decimals and hands the energies to HOOMD-blue, whose grid is
    ``linspace(r_min, r_cut, n, endpoint=False)``. The spacing is therefore a multiple of 0.001 that divides the
    cut-off.

    Raises
    ------
    cginit.InputError
        If there is no such spacing near that of the potential.
    """
    with tempfile.TemporaryDirectory() as folder:
        table = np.loadtxt(
            write_table(potential, Path(folder) / "pair.csv", format="msibi", units=potential.units, kT=kT),
            delimiter=",",
            skiprows=1,
        )
    return table[:, 0], table[:, 1]


def msibi_pair(
    potential: PairPotential,
    type1: str = "A",
    type2: str | None = None,
    *,
    optimize: bool = True,
    kT: float | None = None,
    **options: Any,
) -> msibi.Pair:
    """Return MSIBI's ``Pair`` that starts from the potential, with a grid and a cut-off that are right in HOOMD-blue.

    Parameters
    ----------
    potential : PairPotential
        In the units of the GSD file and the kT of MSIBI's states; see ``PairPotential.reduced`` and ``to``.
    type1, type2 : str
        Bead types; one is enough for beads of one type.
    optimize : bool
        Whether MSIBI changes the potential.
    kT : float, optional
        Thermal energy, if the potential has a core that must be extended and does not say for which kT it was made.
    options
        Further arguments of ``msibi.Pair``: ``smoothing_window``, ``exclude_bond_depth``, ``r_switch`` ...

    Raises
    ------
    cginit.InputError
        If no spacing suits MSIBI, or `options` hold what the potential itself decides (``nbins``, ``r_cut``).
    cginit.MissingDependencyError
        If MSIBI or HOOMD-blue is not installed.
    """
    for name in ("nbins", "r_cut"):
        if name in options:
            raise InputError(f"{name} is decided by the potential; leave it out")
    package = load_msibi()
    x, energies = msibi_grid(potential, kT=kT)
    pair = package.Pair(
        type1,
        type2 or type1,
        optimize=optimize,
        nbins=x.size - 1 if optimize else None,
        r_cut=potential.r_cut,
        **options,
    )
    set_table(pair, x, energies)
    _verify(pair, x, potential.r_cut)
    return pair


def _verify(pair: msibi.Pair, x: NDArray[np.float64], r_cut: float) -> None:
    """Refuse a release of MSIBI that reads the grid otherwise."""
    expected = {"dx": x[1] - x[0], "x_min": x[0], "x_max": r_cut, "r_cut": r_cut}
    for name, value in expected.items():
        found = getattr(pair, name)
        if abs(found - value) > 1e-9 * r_cut:
            raise InputError(
                f"this release of MSIBI takes {name} = {found:g} where the potential has {value:g}; the plugin "
                "knows 0.3"
            )
