"""Which column of a file is r, which is g, and what the others are: by their labels, and by what they can be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from cginit.curves import median
from cginit.errors import InputError
from cginit.io.companion import LEAST_ROWS, Companion, companion
from cginit.io.labels import Kind, is_wave, kind_of, other_curve
from cginit.io.rows import Rows, is_number
from cginit.io.sheet import Sheet

__all__ = ["Columns", "choose_columns"]

#: Each column is compared with the others; a file of more of them is no table of curves.
MOST_COLUMNS = 10_000
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
    upper : int or None
        Where `r` holds the lower edges of bins, the column of their upper ones.
    others : tuple of str
        Other g(r) of the same file, in words.
    """

    r: int
    g: int
    error: int | None = None
    flag: int | None = None
    words: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    upper: int | None = None
    others: tuple[str, ...] = ()


@dataclass
class _Search:
    """The columns as they are sorted out."""

    sheet: Sheet
    kinds: list[Kind]
    flag: int | None = None
    upper: int | None = None
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
    search.upper = _upper_edges(search, r)
    taken = (r, search.upper, search.flag)
    others = [index for index in range(width) if index not in taken and kinds[index] != "index"]
    if wanted is not None:
        g = _wanted(search, wanted, r)
    elif sheet.labels and any(kinds[index] != "unknown" for index in range(width)):
        g = _labelled(search, others)
    else:
        g = _unlabelled(search, others, r)
    if wanted is None:
        _refuse_other_curve(search, r, g)
    error, left_out = _beside(
        search, r, g, [index for index in others if index != g], chosen=wanted is not None
    )
    words = _words(search, r, g, error, left_out)
    curves = tuple(search.call(index) for index, _ in left_out if search.kinds[index] == "g")
    return Columns(r, g, error, search.flag, tuple(words), tuple(search.notes), search.upper, curves)


def _upper_edges(search: _Search, r: int) -> int | None:
    """Return the column after the distances, if each of its rows is where the next bin begins."""
    rows, upper = search.sheet.rows, r + 1
    if rows.width() < r + 3 or len(rows) < LEAST_ROWS or search.kinds[upper] not in ("unknown", "distance"):
        return None
    lower, ends = rows.values(r), rows.values(upper)
    if lower is None or ends is None:
        return None
    # Printed digits may differ by a rounding error.
    steps = np.diff(lower)
    follow = np.abs(ends[:-1] - lower[1:]) <= 1e-3 * np.abs(steps)
    return upper if np.all(follow) and np.all(steps > 0.0) and ends[-1] > lower[-1] else None


def _refuse_other_curve(search: _Search, r: int, g: int) -> None:
    """Refuse a curve that its label, or that of its first column, calls something else than g."""
    if search.sheet.labels and (found := other_curve(search.sheet.labels[g])) is not None:
        what, remedy = found
        raise InputError(
            f"{search.call(g)} of {search.sheet.rows.name} is {what} by its name, and not g(r); {remedy}. If it is g "
            "all the same, choose it with --column"
        )
    if search.sheet.labels and is_wave(search.sheet.labels[r]):
        raise InputError(
            f"{search.call(r)} of {search.sheet.rows.name} is a wave number by its name, and no distance: this is a "
            "structure factor S(k), and not g(r); cg-init scattering --sk makes g(r) of it. If it is g all the same, "
            "choose its column with --column"
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
    if len(named) == 2 and named[1] == named[0] + 1 and _upper_edges(search, named[0]) is not None:
        return named[0]
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
    if chosen and any(search.kinds[index] in ("g", "unknown") for index in others):
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
    if search.upper is not None:
        words = [f"r between the edges of bins in columns {r + 1} and {search.upper + 1}"]
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
