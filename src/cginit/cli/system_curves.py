"""The g(r) that the file of a system names, as one file each or as columns of one, on bins that suit all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cginit.cli.toml import check_keys
from cginit.errors import InputError

if TYPE_CHECKING:
    from cginit.curves import RDF
    from cginit.units import UnitSystem

__all__ = ["norms_stated", "read_curves"]

#: What a target may state that is more than the name of its file.
KEYS = ("file", "column", "structure_factor")


def read_curves(
    entries: Mapping[str, Any], folder: Path, units: UnitSystem, content: Mapping[str, Any], notes: list[str]
) -> dict[str, RDF]:
    """Read each g(r) as a guess of one species reads its own.

    Bins that are finer than simulation and noise support are averaged over wider ones, of the same width for all,
    and what was counted beyond half the box is cut off of all.

    Parameters
    ----------
    entries : mapping of str to str or mapping
        Of each interaction the name of a file, or ``{file = "all.dat", column = "A-B"}``; of one bead type also
        ``{file = "g.dat", structure_factor = "s.dat"}``.
    folder : Path
        What names are relative to.
    units : UnitSystem
    content : mapping
        What the file says of all: ``clean``, ``column``, ``dr``, ``normalise``, ``range``.
    notes : list of str
        Sentences on what was left out, averaged or is odd are added to it.

    Raises
    ------
    InputError
        If a file cannot be read, or an entry is none.
    """
    from cginit.io import prepare_target, question_curve, rdf_reading
    from cginit.io.preparation import supported_step
    from cginit.io.scattering import read_waves

    # It was called step before.
    dr = content.get("dr", content.get("step"))
    readings = {}
    for name, entry in entries.items():
        path, column = _file_and_column(name, entry, content)
        reading = rdf_reading(
            folder / path,
            units=units,
            clean=bool(content.get("clean", False)),
            column=column,
            dr=None if dr is None else float(dr),
        )
        if (waves := _waves(name, entry, len(entries) == 1)) is not None:
            known = replace(reading.rdf, structure_factor=read_waves(folder / waves, units))
            reading = replace(reading, rdf=known)
        readings[name] = reading
        left_out = any("left out" in text for text in readings[name].columns)
        notes += [f"{name} {readings[name].line}"] if left_out else []
        notes += [f"{name}: {text}" for text in (*readings[name].notes, *question_curve(readings[name].rdf))]
    own = {name: one.rdf.dr for name, one in readings.items()}
    wanted = [step for one in readings.values() if (step := supported_step(one.rdf)) is not None]
    width = float(dr) if dr is not None else max(wanted, default=None)
    if width is not None and dr is None and width < max(own.values()):
        # A pair in wider bins than that decides.
        width = max(own.values())
    level = content.get("normalise")
    cut, found = False, {}
    for name, one in readings.items():
        prepared = prepare_target(
            one.rdf,
            dr=own[name] if width is None else width,
            normalise=None if level is None else float(level),
        )
        cut = cut or bool(prepared.notes)
        averaged = [text for text in prepared.remarks if dr is None and "averaged over" in text]
        notes += [f"{name}: {text.partition(' (')[0]}" for text in averaged]
        notes += [f"{name}: {text}" for text in prepared.notes]
        found[name] = prepared.target
    ends = [float(content["range"])] if "range" in content else []
    if cut:
        ends.append(min(one.r_max for one in found.values()))
    return {name: one.truncated(min(ends)) if ends else one for name, one in found.items()}


def norms_stated(entries: Mapping[str, Any], folder: Path) -> list[str]:
    """Return the interactions whose files state that g(r) was divided by the pairs that it counts."""
    from cginit.io import read_rdf_header

    files = {name: _file_and_column(name, entry, {})[0] for name, entry in entries.items()}
    return [name for name, file in files.items() if read_rdf_header(folder / file).left_out is not None]


def _waves(name: str, entry: Any, alone: bool) -> str | None:
    """Return the file of S(k) that an entry names; InputError where none can be weighed with g(r)."""
    file = entry.get("structure_factor") if isinstance(entry, Mapping) else None
    if file is None:
        return None
    if not isinstance(file, str):
        raise InputError(f"the target {name}: structure_factor must be the name of a file, not {file!r}")
    if not alone:
        raise InputError(
            f"the target {name} names an S(k), which is weighed with g(r) of one bead type only; leave "
            f"structure_factor = {file!r} out"
        )
    return file


def _file_and_column(name: str, entry: Any, content: Mapping[str, Any]) -> tuple[str, str | int | None]:
    column = content.get("column")
    if isinstance(entry, Mapping):
        check_keys(dict(entry), KEYS, f"the target {name}")
        entry, column = entry.get("file"), entry.get("column", column)
    if (
        not isinstance(entry, str)
        or isinstance(column, bool)
        or not isinstance(column, (str, int, type(None)))
    ):
        raise InputError(
            f'the target {name} must be the name of a file, or {{ file = "NAME", column = "A-B" }} with the label or '
            "the number of a column"
        )
    return entry, column
