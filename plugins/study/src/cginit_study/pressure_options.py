"""The published networks U -> pressure by name: route and options."""

from __future__ import annotations

from dataclasses import dataclass

from cginit.errors import InputError

__all__ = ["LABELS", "ROUTES", "EosOptions"]

#: beta P itself; B2* with beta P = rho + rho^2 B2*; B2..B5 with the virial sum.
ROUTES = ("P", "B2", "Bn")
_PLAIN = ("x", "c", "e", "f", "cf", "ef")
_WITH_P0 = ("i", "ci", "ei", "fi", "cfi", "efi")
#: Names of the 30 networks of one architecture, ``ROUTE-OPTIONS``.
LABELS = tuple(
    f"{route}-{options}" for route in ROUTES for options in (_PLAIN if route == "Bn" else _PLAIN + _WITH_P0)
)


@dataclass(frozen=True)
class EosOptions:
    """Route and options of a network U -> pressure.

    Attributes
    ----------
    route : {"P", "B2", "Bn"}
        What the network gives.
    clip : bool
        c: the input is min(U, 20 kT).
    exponential : bool
        e: the input is exp(-U).
    force : bool
        f: a second input curve, -d/dr of the same input before clipping.
    ideal : bool
        i: the pressure P0 of the second virial coefficient is an input.

    References
    ----------
    F. Berressem and A. Nikoubashman, J. Chem. Phys. 154, 124123 (2021), doi:10.1063/5.0045441.
    """

    route: str
    clip: bool = False
    exponential: bool = False
    force: bool = False
    ideal: bool = False

    @classmethod
    def parse(cls, label: str) -> EosOptions:
        """Return the options of a label such as ``Bn-c`` or ``P-efi``.

        Raises
        ------
        InputError
            If there is no such network.

        Examples
        --------
        >>> EosOptions.parse("B2-cfi").force
        True
        """
        if label not in LABELS:
            raise InputError(f"unknown network {label!r} of the pressure; known are {', '.join(LABELS)}")
        route, letters = label.split("-")
        return cls(route, "c" in letters, "e" in letters, "f" in letters, "i" in letters)

    @property
    def form(self) -> str:
        """What networks have in common that can be trained side by side: route, number of curves and of scalars."""
        return f"{self.route}{'f' * self.force}{'i' * self.ideal}"

    @property
    def outputs(self) -> int:
        """How many numbers the network gives."""
        return 4 if self.route == "Bn" else 1

    @property
    def scalars(self) -> int:
        """How many numbers it reads: the density (which Bn meets in the sum only) and P0."""
        return (self.route != "Bn") + self.ideal
