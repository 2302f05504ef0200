"""A target as it stands in its file: g(r), and the state that the header states."""

from __future__ import annotations

from pathlib import Path

from cginit.curves import RDF
from cginit.errors import InputError
from cginit.io.rdf import rdf_reading, read_rdf_header
from cginit.state import StatePoint
from cginit.units import UnitSystem

__all__ = ["read_target"]


def read_target(
    path: str | Path,
    *,
    units: str | UnitSystem | None = None,
    density: float | None = None,
    kT: float | None = None,
    temperature: float | None = None,
    clean: bool = False,
    column: str | None = None,
) -> tuple[RDF, StatePoint]:
    """Return the g(r) of a file and its state, of which the header states what is not given.

    Parameters
    ----------
    path : str or Path
        As for `cginit.read_rdf`; ``cg-init target`` writes such files.
    units : str or UnitSystem, optional
        Not needed where the header states them.
    density : float, optional
        In the inverse cube of the length unit, instead of that of the header.
    kT, temperature : float, optional
        Thermal energy in the energy unit, or temperature in kelvin, instead of that of the header.
    clean, column
        See `cginit.read_rdf`.

    Returns
    -------
    RDF, StatePoint
        In the same units.

    Raises
    ------
    InputError
        If the file cannot be read, or something is neither given nor stated in its header.

    Examples
    --------
    >>> g, state = read_target("examples/water/target.dat")  # doctest: +SKIP
    >>> cginit.guess(g, state)  # doctest: +SKIP
    """
    target = rdf_reading(path, units=units, clean=clean, column=column).rdf
    header = read_rdf_header(path)
    if kT is None and temperature is None:
        kT = header.kT
    density = header.density if density is None else density
    if density is None:
        raise InputError(
            f"{path} does not state the number density; give density=... in {target.units.density}"
        )
    if kT is None and temperature is None:
        raise InputError(
            f"{path} does not state kT; give kT=... in {target.units.energy}, or temperature=..."
        )
    return target, StatePoint(density, kT, target.units, temperature=temperature)
