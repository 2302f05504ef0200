"""What cginit states at the head of its files, as comment lines that every format skips.

A line reads ``# cginit: key = value``. Density and kT are in the units of the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from cginit._version import __version__
from cginit.curves import LongWave, PairPotential, Provenance
from cginit.errors import InputError
from cginit.units import UnitSystem, unit_system

__all__ = ["MAX_TITLE", "Header", "header_lines", "parse_header", "potential_header", "title_line"]

_LINE = re.compile(r"^[#@;%!\s]*cginit:\s*([A-Za-z_]+)\s*=\s*(.*?)\s*$")
#: LAMMPS reads lines of at most 1024 characters, comments included.
MAX_LINE = 900
#: DL_POLY keeps this much of a title.
MAX_TITLE = 100


@dataclass(frozen=True)
class Header:
    """The statements of a file about its curve; None where the file says nothing.

    Attributes
    ----------
    version : str or None
        The version of cginit that wrote the file.
    units : UnitSystem or None
        Units of the columns, of `density` and of `kT`.
    method, model, source : str or None
        See `cginit.curves.Provenance`.
    density, kT : float or None
        State point.
    beads : float or None
    long_wave : LongWave or None
        See `cginit.curves.RDF`.
    waves : tuple of (float, float, float)
        k, S(k) and its standard error, for many k.
    r_core, r_cut : float or None
        End of the extrapolated core, and the cut-off where the file's rows go beyond it.
    left_out : str or None
        Of g(r): it is divided by the pairs that it counts, all but these, in the words of `cginit.topology.Topology`.
    part_of : str or None
        Of g(r): what it is one pair of, ``mixture`` or ``molecules``.
    notes : tuple of str
        Sentences for the user.
    """

    version: str | None = None
    units: UnitSystem | None = None
    method: str | None = None
    model: str | None = None
    source: str | None = None
    density: float | None = None
    kT: float | None = None
    beads: float | None = None
    long_wave: LongWave | None = None
    waves: tuple[tuple[float, float, float], ...] = ()
    r_core: float | None = None
    r_cut: float | None = None
    left_out: str | None = None
    part_of: str | None = None
    notes: tuple[str, ...] = ()

    def provenance(self) -> Provenance | None:
        """Return what the header says about the origin of the curve, None if it says nothing."""
        stated = (self.method, self.model, self.source, self.density, self.kT)
        if all(value is None for value in stated):
            return None
        return Provenance(self.method or "unknown", self.model, self.density, self.kT, self.source)


_TEXT = ("version", "method", "model", "source", "left_out", "part_of")
_STATE = ("density", "kT")
#: Printed without the rounding error that a conversion leaves in a length.
_PLAIN = ("beads", "r_core", "r_cut")


def potential_header(potential: PairPotential, *, r_cut: bool = False) -> Header:
    """Return the header of a potential; `r_cut` states the cut-off, for tables that go beyond it."""
    origin = potential.provenance
    return Header(
        version=__version__,
        units=potential.units,
        method=None if origin is None else origin.method,
        model=None if origin is None else origin.model,
        source=None if origin is None else origin.source,
        density=None if origin is None else origin.density,
        kT=None if origin is None else origin.kT,
        r_core=potential.r_core or None,
        r_cut=potential.r_cut if r_cut else None,
        notes=potential.notes,
    )


def header_lines(header: Header, comment: str = "#") -> str:
    """Print a header as comment lines; characters outside ASCII become ``?``."""
    pairs: list[tuple[str, str]] = []
    if header.version is not None:
        pairs.append(("version", header.version))
    if header.units is not None:
        pairs.append(("units", header.units.name))
    pairs += [(key, str(getattr(header, key))) for key in _TEXT[1:] if getattr(header, key) is not None]
    # The state point reads back exactly.
    pairs += [(key, repr(float(getattr(header, key)))) for key in _STATE if getattr(header, key) is not None]
    pairs += [(key, f"{getattr(header, key):.15g}") for key in _PLAIN if getattr(header, key) is not None]
    if header.long_wave is not None:
        wave = header.long_wave
        pairs.append(("long_wave", f"{wave.k!r} {wave.s!r} {wave.error!r}"))
    pairs += [("structure_factor", f"{k!r} {s!r} {error!r}") for k, s, error in header.waves]
    pairs += [("note", note) for note in header.notes]
    lines = (f"{comment} cginit: {key} = {' '.join(value.split())}"[:MAX_LINE] for key, value in pairs)
    return "".join(f"{line}\n" for line in lines).encode("ascii", "replace").decode("ascii")


def title_line(header: Header) -> str:
    """Print what matters most, the units, on one line, for files that have a title but no comments."""
    return "" if header.units is None else f"cginit: units = {header.units.name}"


def parse_header(comments: Iterable[str], name: str) -> Header:
    """Read the header lines among the comments of a file.

    Raises
    ------
    InputError
        If a value that must be a number or a unit system is none.
    """
    stated: dict[str, str] = {}
    notes: list[str] = []
    waves: list[tuple[float, float, float]] = []
    for comment in comments:
        match = _LINE.match(comment)
        if match is None:
            continue
        key, value = match.groups()
        if key == "note":
            notes.append(value)
        elif key == "structure_factor":
            waves.append(_three(value, key, name))
        else:
            stated[key] = value
    numbers: dict[str, float] = {}
    for key in (*_STATE, *_PLAIN):
        if key in stated:
            try:
                numbers[key] = float(stated[key])
            except ValueError:
                raise InputError(
                    f"the header of {name} states {key} = {stated[key]!r}, which is no number; correct the line"
                ) from None
    try:
        units = unit_system(stated["units"]) if "units" in stated else None
    except InputError as error:
        raise InputError(f"the header of {name}: {error}") from None
    return Header(
        units=units,
        long_wave=_long_wave(stated["long_wave"], name) if "long_wave" in stated else None,
        waves=tuple(waves),
        notes=tuple(notes),
        **{key: stated.get(key) for key in _TEXT},  # type: ignore[arg-type]
        **numbers,  # type: ignore[arg-type]
    )


def _long_wave(text: str, name: str) -> LongWave:
    k, s, error = _three(text, "long_wave", name)
    try:
        return LongWave(k, s, error)
    except InputError as reason:
        raise InputError(
            f"the header of {name} states long_wave = {text!r}; it must be k, S(k) and its standard error ({reason})"
        ) from None


def _three(text: str, key: str, name: str) -> tuple[float, float, float]:
    try:
        k, s, error = (float(word) for word in text.split())
    except ValueError as reason:
        raise InputError(
            f"the header of {name} states {key} = {text!r}; it must be k, S(k) and its standard error ({reason})"
        ) from None
    return k, s, error
