"""The published options of a network g -> U: b (Boltzmann input), e (exponential output), f (force in the loss)."""

from __future__ import annotations

from dataclasses import dataclass

from cginit.errors import InputError

__all__ = ["Options"]


@dataclass(frozen=True)
class Options:
    """Which of the three options a network has; none of them is the variant x.

    Attributes
    ----------
    boltzmann : bool
        b: the input is U0 = -ln g instead of g.
    exponential : bool
        e: the output is exp(-U) instead of U.
    force : bool
        f: the loss compares curvature and differences (forces) too.

    References
    ----------
    F. Berressem and A. Nikoubashman, J. Chem. Phys. 154, 124123 (2021), doi:10.1063/5.0045441.

    Examples
    --------
    >>> Options.parse("bf").label
    'bf'
    >>> Options().label
    'x'
    """

    boltzmann: bool = False
    exponential: bool = False
    force: bool = False

    @classmethod
    def parse(cls, label: str) -> Options:
        """Return the options of a label such as ``x``, ``f`` or ``bef``.

        Raises
        ------
        InputError
            If a letter is unknown, twice there, or x stands beside another.
        """
        letters = "" if label == "x" else label
        if not set(letters) <= set("bef") or len(set(letters)) != len(letters) or label == "":
            raise InputError(f"unknown options {label!r} of a network; choose x or letters of b, e, f")
        return cls("b" in letters, "e" in letters, "f" in letters)

    @property
    def label(self) -> str:
        """The letters in alphabetical order; x for none."""
        letters = "b" * self.boltzmann + "e" * self.exponential + "f" * self.force
        return letters or "x"
