"""Which column of a file is r, which is g, and what the others are: by their labels, and by what they can be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from cginit.curves import Array, median
from cginit.errors import InputError
from cginit.io.labels import Kind, kind_of
from cginit.io.rows import Rows, is_number
from cginit.io.sheet import Sheet

__all__ = ["Columns", "Companion", "choose_columns", "companion", "growth"]

Companion = Literal["error", "nothing", "number", "curve"]

#: Each column is compared with the others; a file of more of them is no table of curves.
MOST_COLUMNS = 10_000
#: A column is a running number if it follows the integral of r^2 g to this part of its largest value.
FOLLOWS = 0.05
#: It is one, too, if it never falls and ends at so many times its value where g first passes 1/2: errors of counts
#: fall as 1/r or stay as they are.
GROWS = 3.0
#: Fewer rows show no law.
LEAST_ROWS = 8
#: Over the last half of its range a histogram of counts grows like r^2 and a running number like r^3; in powers of
#: r, the g of a liquid changes by less than this, and never to a value as large.
LEAST_POWER, LEAST_LAST = 1.2, 1.5
#: The error of g where g > 1/2 is, in the middle, below this part of g; more would be no measurement.
LARGEST_ERROR = 0.3

_FLAGS = {"i", "o", "u"}


@dataclass(frozen=True)
class Columns:
    """The columns that a curve is read from, by their index.

    Attributes
    ----------
    r, g : int
    error, flag : int or None
    words : tuple of str
        What was taken as what, and what was left out.
    notes : tuple of str
        Sentences on what is odd.
    """

    r: int
    g: int
    error: int | None = None
    flag: int | None = None
    words: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass
class _Search:
    """The columns as they are sorted out."""

    sheet: Sheet
    kinds: list[Kind]
    flag: int | None = None
    notes: list[str] = field(default_factory=list)

    def call(self, index: int) -> str:
        """Return a column in words."""
        labels, aliases = self.sheet.labels, self.sheet.aliases
        if labels and labels[index]:
            alias = f", {aliases[index]}" if aliases and aliases[index] else ""
            return f"column {index + 1} ({labels[index]}{alias})"
        return f"column {index + 1}"

    def curves(self, columns: Sequence[int]) -> str:
        return ", ".join(self.call(index) for index in columns)


def companion(r: Array, g: Array, values: Array) -> Companion:
    r"""Return what a third column can be: the error of g, nothing (zeros), a running number, or another curve.

    A running coordination number is :math:`4\pi\rho\int_0^r g\, r^2 dr`: it follows that integral, whatever the
    density, or at least never falls and grows many times over. A column as large as g is no error of it.

    Examples
    --------
    >>> r = np.linspace(0.1, 4, 40)
    >>> g = np.where(r < 1, 0.0, 1.0)
    >>> companion(r, g, np.cumsum(r**2 * g)), companion(r, g, 0.01 / r), companion(r, g, g)
    ('number', 'error', 'curve')
    """
    if not np.any(values):
        return "nothing"
    if np.any(values < 0.0):
        # Whoever reads it as an error will say so.
        return "error"
    top = float(values.max())
    seen = g > 0.5
    if r.size >= LEAST_ROWS and np.any(seen):
        integral = np.cumsum(r**2 * g)
        slope = float(values @ integral) / float(integral @ integral)
        if np.max(np.abs(values - slope * integral)) < FOLLOWS * top:
            return "number"
        # Printed digits may fall by a rounding error.
        start = float(values[int(np.argmax(seen))])
        if np.all(np.diff(values) >= -1e-6 * top) and top > GROWS * max(start, 1e-12 * top):
            return "number"
    ratio = median(values[seen] / g[seen]) if np.any(seen) else median(values) / max(float(g.max()), 1e-300)
    return "error" if ratio < LARGEST_ERROR else "curve"


def growth(r: Array, g: Array) -> float | None:
    """Return the power of r by which a column grows over the last half of its range; None if it is no such law.

    Examples
    --------
    >>> r = np.linspace(0.1, 4, 40)
    >>> round(growth(r, 3 * r**2), 3), growth(r, np.ones(40))
    (2.0, None)
    """
    half = (r >= 0.5 * r[-1]) & (r > 0.0)
    if r.size < LEAST_ROWS or np.count_nonzero(half) < 4 or np.any(g[half] <= 0.0) or g[-1] < LEAST_LAST:
        return None
    x, y = np.log(r[half]), np.log(g[half])
    power, offset = np.polyfit(x, y, 1)
    off = float(np.std(y - offset - power * x))
    # The law explains the column: what is left is a small part of the rise.
    return float(power) if power > LEAST_POWER and off < 0.1 * power * float(np.ptp(x)) else None


def choose_columns(sheet: Sheet, wanted: str | int | None = None) -> Columns:
    """Return what the columns of a sheet are.

    Parameters
    ----------
    sheet : Sheet
    wanted : str or int, optional
        The column of g, by its number in the file (from 1) or its label.

    Raises
    ------
    InputError
        If no column of distances or of g is found, or there are several g and none is asked for.
    """
    width = sheet.rows.width()
    if width < 2:
        raise InputError(f"{sheet.rows.where(0)} has 1 column; a g(r) has at least two, r and g")
    if width > MOST_COLUMNS:
        raise InputError(
            f"{sheet.rows.where(0)} has {width} columns, more than {MOST_COLUMNS}; a g(r) stands in two of them, "
            "one row a distance"
        )
    kinds: list[Kind] = [_kind(sheet, index) for index in range(width)]
    search = _Search(sheet, kinds)
    search.flag = _flag(search)
    r = _distances(search)
    others = [index for index in range(width) if index not in (r, search.flag) and kinds[index] != "index"]
    if wanted is not None:
        g = _wanted(search, wanted, r)
    elif sheet.labels and any(kinds[index] != "unknown" for index in range(width)):
        g = _labelled(search, others)
    else:
        g = _unlabelled(search, others, r)
    error, left_out = _beside(
        search, r, g, [index for index in others if index != g], chosen=wanted is not None
    )
    return Columns(
        r, g, error, search.flag, tuple(_words(search, r, g, error, left_out)), tuple(search.notes)
    )


def _kind(sheet: Sheet, index: int) -> Kind:
    if not sheet.labels:
        return "unknown"
    if index == 0 and sheet.curves:
        return "distance"
    kind = kind_of(sheet.labels[index])
    if sheet.curves and kind in ("index", "distance", "flag"):
        # A legend may be a letter; it names a curve.
        return "unknown"
    if kind == "index" and not _counts(sheet.rows, index):
        return "distance" if "bin" in sheet.labels[index] else "unknown"
    return kind


def _counts(rows: Rows, index: int) -> bool:
    """Whether a column counts the rows, from 0 or 1."""
    values = rows.values(index)
    if values is None:
        return False
    return bool(values[0] in (0.0, 1.0) and np.all(np.diff(values) == 1.0))


def _flag(search: _Search) -> int | None:
    """Return the column of flags: the last one, if it is not numeric or is called so."""
    rows, last = search.sheet.rows, search.sheet.rows.width() - 1
    if last < 2:
        return None
    if search.kinds[last] != "flag":
        fields = rows.column(last)
        named = bool(search.sheet.labels and search.sheet.labels[last])
        if all(is_number(text) for text in fields) or (named and not set(fields) <= _FLAGS):
            return None
    for row, text in enumerate(rows.column(last)):
        if text not in _FLAGS:
            raise InputError(
                f"{rows.where(row)}: the flag is {text!r}, not i (in range), o (out of range) or u "
                "(undefined); correct it, or leave a column of errors all numeric"
            )
    return last


def _distances(search: _Search) -> int:
    rows, kinds = search.sheet.rows, search.kinds
    named = [index for index, kind in enumerate(kinds) if kind == "distance"]
    if len(named) > 1:
        raise InputError(
            f"{rows.name} has several columns of distances, {search.curves(named)}; leave one of them"
        )
    if named:
        return named[0]
    if rows.width() > 2 and kinds[0] in ("index", "unknown") and _counts(rows, 0) and _even(rows, 1):
        kinds[0] = "index"
        return 1
    if kinds[0] in ("index", "unknown"):
        return 0
    raise InputError(
        f"{rows.name} has no column of distances among {search.curves(range(len(kinds)))}; call one of them r"
    )


def _even(rows: Rows, index: int) -> bool:
    """Whether a column increases in even steps, as distances do and g does not."""
    values = rows.values(index)
    if values is None or values.size < 3:
        return False
    steps = np.diff(values)
    return bool(np.all(steps > 0.0) and np.ptp(steps) < 0.2 * median(steps))


def _wanted(search: _Search, wanted: str | int, r: int) -> int:
    sheet, text = search.sheet, str(wanted).strip()
    width = sheet.rows.width()
    if text.isdigit():
        if not 1 <= int(text) <= width:
            raise InputError(
                f"{sheet.rows.name} has no column {text}; it has {width} columns, counted from 1"
            )
        index = int(text) - 1
    else:
        names = [
            [name.strip().lower() for name in (*sheet.labels[k : k + 1], *sheet.aliases[k : k + 1]) if name]
            for k in range(width)
        ]
        found = [k for k in range(width) if text.lower() in names[k]] or [
            k
            for k in range(width)
            if search.kinds[k] in ("g", "unknown") and any(text.lower() in n for n in names[k])
        ]
        if len(found) != 1:
            raise InputError(
                f"{'several columns' if found else 'no column'} of {sheet.rows.name} {'are' if found else 'is'} "
                f"called {text!r}; there are {search.curves(found or range(width))}"
            )
        index = found[0]
    if index in (r, search.flag):
        raise InputError(
            f"{search.call(index)} of {sheet.rows.name} holds distances or flags, not g; choose another column"
        )
    return index


def _labelled(search: _Search, others: Sequence[int]) -> int:
    # What the legends of an xvg file name are curves, whatever they are called.
    curves = [
        k for k in others if search.kinds[k] == "g" or (search.sheet.curves and search.kinds[k] == "unknown")
    ]
    curves = curves or [index for index in others if search.kinds[index] == "unknown"]
    if not curves:
        raise InputError(
            f"{search.sheet.rows.name} has no column of g among {search.curves(others) or 'its columns'}; if one "
            "is g all the same, choose it with --column"
        )
    if len(curves) > 1:
        raise _several(search, curves)
    return curves[0]


def _unlabelled(search: _Search, others: Sequence[int], r: int) -> int:
    """Return the first column after r, if what follows cannot be g as well."""
    if not others:
        raise InputError(f"{search.sheet.rows.name} has no column of g beside r; a g(r) has columns r and g")
    g = others[0]
    curves = [g]
    for index in others[1:]:
        if _companion(search, r, g, index) == "curve" and search.flag is None:
            curves.append(index)
    if len(curves) > 1:
        raise _several(search, curves)
    return g


def _companion(search: _Search, r: int, g: int, index: int) -> Companion:
    rows, flag = search.sheet.rows, search.flag
    if flag is not None:
        # Undefined rows may hold nan.
        rows = rows.keep(row for row, text in enumerate(rows.column(flag)) if text != "u")
    return companion(rows.numbers(r, "r"), rows.numbers(g, "g"), rows.numbers(index, f"column {index + 1}"))


def _several(search: _Search, curves: Sequence[int]) -> InputError:
    return InputError(
        f"{search.sheet.rows.name} ({search.sheet.rows.width()} columns) holds {len(curves)} curves: "
        f"{search.curves(curves)}; choose one of them with --column {curves[0] + 1} (from Python "
        f"column={curves[0] + 1}), or write it to a file of its own with columns r and g. A column as large as g "
        "is not taken for its error"
    )


def _beside(
    search: _Search, r: int, g: int, others: Sequence[int], *, chosen: bool
) -> tuple[int | None, list[tuple[int, str]]]:
    """Return the column of errors, and the others with what they are."""
    labelled = [index for index in others if search.kinds[index] == "error"]
    error: int | None = None
    left_out: list[tuple[int, str]] = []
    if chosen and len([k for k in search.kinds if k == "g"]) > 1:
        # Of several curves the errors belong to one, and which is not said.
        labelled = [index for index in labelled if index == g + 1]
    for index in others:
        kind = search.kinds[index]
        if index in labelled[:1] or (kind == "unknown" and not search.sheet.labels and not chosen):
            what = _companion(search, r, g, index)
            if what == "nothing":
                left_out.append((index, "zeros"))
            elif what == "number":
                left_out.append(
                    (index, "a running number, which grows with the volume as no error of g does")
                )
            elif error is None and (what == "error" or index in labelled or search.flag is not None):
                error = index
                if what == "curve":
                    search.notes.append(
                        f"{search.call(index)}, the error of g, is as large as g itself; check that it is one."
                    )
            else:
                left_out.append((index, "as large as g, which no error of it is"))
        else:
            left_out.append((index, {"number": "a running number", "g": "another curve"}.get(kind, "")))
    return error, left_out


def _words(
    search: _Search, r: int, g: int, error: int | None, left_out: Sequence[tuple[int, str]]
) -> list[str]:
    sheet = search.sheet

    def plain(index: int) -> str:
        return sheet.labels[index] if sheet.labels else ""

    counted = r != 0 or g != 1 or (error is not None and error != 2)
    words = [f"r in column {r + 1}" if counted and not sheet.is_lammps else "r"]
    label = plain(g)
    name = label if label.startswith("g") or not label else f"g ({label})"
    name = name or "g"
    words.append(f"{name} in column {g + 1}" if counted and not sheet.is_lammps else name)
    if error is not None:
        words.append(f"its standard error in column {error + 1}")
    words += [
        f"{plain(index) or f'column {index + 1}'}{f' ({what})' if what and not sheet.labels else ''} left out"
        for index, what in left_out
    ]
    return words
