"""Columns of a text file, each row with its line number, so that an error can say where it is."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cginit.curves import Array
from cginit.errors import InputError

__all__ = ["Rows", "column_text", "csv_text", "grid_text", "read_bytes", "read_rows", "rows_of", "text_of"]

#: First characters of a line that is no data, over all formats: VOTCA and LAMMPS (#), xvg (#, @, &), others.
COMMENTS = ("#", "@", "&", "%", "!", "//")
#: No quantity in any unit is larger; products of a few of them must still be numbers.
LARGEST = 1e100
_FORTRAN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)[dD][+-]?\d+")
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+([eE][+-]?\d+)?")
_COMMA_OR_WHOLE = re.compile(_DECIMAL_COMMA.pattern + r"|[+-]?\d+")


@dataclass(frozen=True)
class Rows:
    """The data rows of a file.

    Attributes
    ----------
    name : str
        The file's name, for error messages.
    lines : tuple of int
        Line number of each row, from 1.
    tokens : tuple of tuple of str
        The fields of each row.
    comments : tuple of str
        The comment lines.
    names : tuple of str
        Column names in lower case, if the first row holds no number.
    remark : str
        What was done to the fields, in words.
    """

    name: str
    lines: tuple[int, ...]
    tokens: tuple[tuple[str, ...], ...]
    comments: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    remark: str = ""

    def __len__(self) -> int:
        return len(self.lines)

    def where(self, row: int) -> str:
        """Return the place of a row in words."""
        return f"{self.name}, line {self.lines[row]}"

    def width(self) -> int:
        """Return the number of columns; InputError if rows differ or there are none."""
        if not self.tokens:
            raise InputError(f"{self.name} holds no rows of numbers; give a file with columns of numbers")
        width = len(self.tokens[0])
        for row, tokens in enumerate(self.tokens):
            if len(tokens) != width:
                raise InputError(
                    f"{self.where(row)} has {len(tokens)} columns ({' '.join(tokens)!r}) where the rows above "
                    f"have {width}; complete the row or remove it"
                )
        return width

    def keep(self, rows: Iterable[int]) -> Rows:
        """Return some of the rows."""
        chosen = list(rows)
        return replace(
            self,
            lines=tuple(self.lines[row] for row in chosen),
            tokens=tuple(self.tokens[row] for row in chosen),
        )

    def column(self, index: int) -> tuple[str, ...]:
        """Return the fields of one column."""
        return tuple(tokens[index] for tokens in self.tokens)

    def values(self, index: int) -> Array | None:
        """Return one column ``(n,)`` as numbers, finite or not; None where a field is no number."""
        fields = self.column(index)
        if not all(is_number(field) for field in fields):
            return None
        return np.array([number(field) for field in fields])

    def numbers(self, index: int, quantity: str) -> Array:
        """Return one column ``(n,)`` as finite numbers.

        Raises
        ------
        InputError
            Naming the file, the line and the field that is not a finite number.
        """
        fields = self.column(index)
        try:
            values = np.array(fields, dtype=np.float64)
        except ValueError:
            row = next((row for row, field in enumerate(fields) if not is_number(field)), None)
            if row is not None:
                shown = repr(fields[row]) if fields[row] else "empty"
                raise InputError(
                    f"{self.where(row)}: {quantity} is {shown}, not a number; {_remedy(fields[row])}"
                ) from None
            values = np.array([number(field) for field in fields])
        bad = np.flatnonzero(~np.isfinite(values))
        if bad.size:
            row = int(bad[0])
            raise InputError(
                f"{self.where(row)}: {quantity} is {fields[row]}; every value must be finite, so remove the row "
                "if it lies at an end of the range, or sample the curve again"
            )
        large = np.flatnonzero(np.abs(values) > LARGEST)
        if large.size:
            row = int(large[0])
            raise InputError(
                f"{self.where(row)}: {quantity} is {fields[row]}, which no such quantity is; correct the field"
            )
        return values


def is_number(field: str) -> bool:
    """Whether a field reads as a number (nan and inf do)."""
    try:
        float(field)
    except ValueError:
        return _FORTRAN.fullmatch(field) is not None
    return True


def number(field: str) -> float:
    """Return the number that a field reads as; ValueError where `is_number` is false."""
    return float(_of_fortran(field))


def _of_fortran(field: str) -> str:
    """Return a number of double precision as Fortran prints it, 1.5D-03, as others do."""
    return field.replace("D", "e").replace("d", "e") if _FORTRAN.fullmatch(field) else field


def _remedy(field: str) -> str:
    if not field:
        return "complete the row, or remove it if it lies at an end of the range"
    if _DECIMAL_COMMA.fullmatch(field):
        return "it has a decimal comma; write decimal points"
    return "correct the field, or start the line with # if it is a comment"


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """Return the content of a file; InputError if it cannot be read."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {os.fspath(path)}: {error.strerror}; check the path") from error


def text_of(data: bytes, name: str) -> str:
    """Decode a text file, whatever editor wrote it: UTF-8 or Latin-1, with or without a byte order mark."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", errors="replace")
    if b"\0" in data:
        raise InputError(f"{name} is a binary file, not a text table; name its format if it holds a table")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def read_rows(path: str | os.PathLike[str]) -> Rows:
    """Return the rows of a text file (see `rows_of`); InputError if it cannot be read."""
    name = os.fspath(path)
    return rows_of(text_of(read_bytes(path), name), name)


def rows_of(text: str, name: str) -> Rows:
    """Split a text into rows: white space or, if the first row holds commas or semicolons, CSV.

    Lines that start with one of ``# @ & % ! //`` are comments, as is what follows a ``#`` in a row. A comma is the
    decimal sign, as spreadsheets write it in much of Europe, where something else separates the columns and no number
    has a decimal point.
    """
    comments: list[str] = []
    content: list[str] = []
    for line in text.splitlines():
        stripped = line.strip()
        if stripped.startswith(COMMENTS):
            comments.append(stripped)
            stripped = ""
        content.append(stripped.partition("#")[0].rstrip())
    first = next((line for line in content if line), "")
    separator = next((mark for mark in (";", ",") if mark in first), None)
    words = first.split()
    if separator == "," and len(words) > 1 and all(_COMMA_OR_WHOLE.fullmatch(word) for word in words):
        separator = None
    if separator is None:
        numbered = [(number, tuple(line.split())) for number, line in enumerate(content, 1) if line]
    else:
        numbered = _csv(content, separator, name)
    numbered, remark = _with_points(numbered)
    names: tuple[str, ...] = ()
    if numbered and not any(is_number(field) for field in numbered[0][1]):
        names = tuple(field.lower() for field in numbered[0][1])
        numbered = numbered[1:]
    return Rows(
        name,
        tuple(number for number, _ in numbered),
        tuple(fields for _, fields in numbered),
        tuple(comments),
        names,
        remark,
    )


def _with_points(
    numbered: list[tuple[int, tuple[str, ...]]],
) -> tuple[list[tuple[int, tuple[str, ...]]], str]:
    """Write decimal commas as points, where they can be nothing else, and say so."""
    fields = [field for _, row in numbered for field in row]
    # Most files have none.
    if not any("," in field and _DECIMAL_COMMA.fullmatch(field) for field in fields):
        return numbered, ""
    if any("." in field and is_number(field) for field in fields):
        return numbered, ""
    commas = [
        (line, tuple(field.replace(",", ".") if _DECIMAL_COMMA.fullmatch(field) else field for field in row))
        for line, row in numbered
    ]
    return commas, "decimal commas"


def _csv(content: Sequence[str], separator: str, name: str) -> list[tuple[int, tuple[str, ...]]]:
    """Fields of each line that holds any, with the quoting rules of CSV."""
    import csv

    filled = [(number, line) for number, line in enumerate(content, 1) if line]
    reader = csv.reader((line for _, line in filled), delimiter=separator, skipinitialspace=True, strict=True)
    try:
        records = [tuple(field.strip() for field in record) for record in reader]
    except csv.Error as error:
        raise InputError(f"{name} is not a regular CSV file: {error}; mend or remove its quotes") from None
    if len(records) != len(filled):
        raise InputError(f"{name} holds a quoted field that runs over several lines; remove the quotes")
    # Spreadsheets end each row of a column that is empty with a separator.
    records = _without_empty_columns(records)
    width = len(records[0]) if records else 0
    for (number, _), record in zip(filled, records, strict=True):
        if len(record) > width:
            raise InputError(
                f"{name} is not a regular CSV file: line {number} has {len(record)} fields, the first row has "
                f"{width}; give every row the same number of columns"
            )
    # What a short row lacks is empty, and named where a number is expected there.
    return [
        (number, record + ("",) * (width - len(record)))
        for (number, _), record in zip(filled, records, strict=True)
    ]


def _without_empty_columns(records: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Take off the last columns in which no row holds anything."""
    filled = max(
        (max((k + 1 for k, field in enumerate(row) if field), default=0) for row in records), default=0
    )
    return [row[:filled] for row in records]


def grid_text(r: Array) -> list[str]:
    """Print a uniform grid: the end points exactly, the others without the rounding errors of their making.

    ``np.linspace`` between the end points, which the readers use, gives the same grid again.
    """
    values = r.tolist()
    return [repr(values[0]), *(f"{value:.15g}" for value in values[1:-1]), repr(values[-1])]


def column_text(*columns: Array | Sequence[str]) -> str:
    """Print columns side by side; floats with the fewest digits that read back as the same number."""
    printed = [
        [repr(value) for value in column.tolist()] if isinstance(column, np.ndarray) else column
        for column in columns
    ]
    return "".join(" ".join(fields) + "\n" for fields in zip(*printed, strict=True))


def csv_text(names: Sequence[str], *columns: Array | Sequence[str]) -> str:
    """Print columns under their names, separated by commas; the digits are those of `column_text`."""
    return ",".join(names) + "\n" + column_text(*columns).replace(" ", ",")
