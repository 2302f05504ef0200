"""The thermal energy that the options ``--temperature`` and ``--kT`` of a command state."""

from __future__ import annotations

from cginit.errors import InputError
from cginit.state import thermal_energy
from cginit.units import UnitSystem

__all__ = ["energy_of_options"]


def energy_of_options(
    temperature: float | None, kT: float | None, units: UnitSystem, where: str, stated: float | None = None
) -> float:
    """Return kT from one of the two options, or as a file states it where neither is given.

    Parameters
    ----------
    temperature : float or None
        In kelvin.
    kT, stated : float or None
        In the energy unit of `units`; `stated` is that of the file.
    units : UnitSystem
        Those of the command.
    where : str
        What else could state it, for the message.

    Raises
    ------
    InputError
        If both options are given, or nothing states it.

    Examples
    --------
    >>> from cginit.units import NM_KJ
    >>> energy_of_options(None, None, NM_KJ, "target.dat", stated=2.5)
    2.5
    """
    if kT is not None and temperature is not None:
        raise InputError("give either --temperature or --kT, not both")
    if temperature is not None:
        return thermal_energy(temperature, units)
    found = stated if kT is None else kT
    if found is None:
        raise InputError(
            f"the temperature is not stated in {where}; give it in kelvin with --temperature, or as energy "
            f"({units.energy}) with --kT"
        )
    return found
