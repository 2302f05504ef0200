"""What the TOML files of several commands have in common."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from cginit.errors import InputError
from cginit.state import thermal_energy
from cginit.units import UnitSystem

__all__ = ["check_keys", "stated_energy", "stated_number"]


def check_keys(table: Mapping[str, Any], known: Collection[str], where: str) -> None:
    """Refuse keys that have no meaning.

    Raises
    ------
    InputError
        If there are any.
    """
    unknown = sorted(set(table) - set(known))
    if unknown:
        raise InputError(
            f"{where} has unknown keys {', '.join(unknown)}; known are {', '.join(sorted(known))}"
        )


def stated_number(table: Mapping[str, Any], key: str, where: str) -> float:
    """Return a positive number of a table.

    Raises
    ------
    InputError
        If it is none.

    Examples
    --------
    >>> stated_number({"density": 1}, "density", "water.toml")
    1.0
    """
    value = table[key]
    # TOML's true is an integer to Python, and its integers have any number of digits.
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0.0 < value < 1e300:
        raise InputError(
            f"{where} states {key} = {repr(value)[:40]}; it must be a positive number, below 1e300"
        )
    return float(value)


def stated_energy(table: Mapping[str, Any], units: UnitSystem, where: str) -> float:
    """Return kT of a table that states either ``kT`` or ``temperature`` in kelvin.

    Raises
    ------
    InputError
        If it states both or none, or no positive number.

    Examples
    --------
    >>> from cginit.units import NM_KJ
    >>> round(stated_energy({"temperature": 300}, NM_KJ, "water.toml"), 4)
    2.4943
    """
    if ("temperature" in table) == ("kT" in table):
        raise InputError(f"{where} must state either temperature (kelvin) or kT")
    key = "kT" if "kT" in table else "temperature"
    value = stated_number(table, key, where)
    return thermal_energy(value, units) if key == "temperature" else value
