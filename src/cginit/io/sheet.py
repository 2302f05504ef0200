"""From a file to columns with labels: what the layout of each program adds to the numbers is taken off here."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cginit.errors import InputError
from cginit.io.labels import comment_labels, kind_of, labels_of_width
from cginit.io.lammps_rdf import block_labels, blocks_of, yaml_blocks
from cginit.io.rows import Rows, is_number, read_bytes, rows_of, text_of
from cginit.untrusted import read_arrays

__all__ = ["Sheet", "comments_of", "read_sheet"]

_LEGEND = re.compile(r'^@\s*s(\d+)\s+legend\s+"?(.*?)"?\s*$', re.IGNORECASE)
_AXIS = re.compile(r'^@\s*([xy])axis\s+label\s+"?(.*?)"?\s*$', re.IGNORECASE)
_ERROR_TYPE = re.compile(r"^@\s*TYPE\s+xydy\s*$", re.IGNORECASE)
#: At most so many rows of more columns than rows are curves saved side by side as rows.
LONG_ROWS, LEAST_LENGTH = 4, 8
_NPY, _ZIP = b"\x93NUMPY", b"PK\x03\x04"
#: A part of every workbook, whose name stands in the list of contents of the archive.
_OF_EXCEL = b"xl/workbook"


@dataclass(frozen=True)
class Sheet:
    """The columns of a file.

    Attributes
    ----------
    rows : Rows
        The rows, of the last block where there are several.
    program : str
        Whose layout it is, in words.
    labels : tuple of str
        What the file says that each column holds; empty if it says nothing.
    aliases : tuple of str
        Other names of the columns, as the program has them; empty if there are none.
    blocks : tuple of Rows
        All blocks of a file that repeats its rows, else the rows alone.
    curves : bool
        Whether labels that mean nothing else are names of curves, as the legends of an xvg file are.
    """

    rows: Rows
    program: str
    labels: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    blocks: tuple[Rows, ...] = ()
    curves: bool = False

    @property
    def is_lammps(self) -> bool:
        """Whether LAMMPS wrote it, in units of its own."""
        return self.program.startswith("LAMMPS")


def read_sheet(path: str | os.PathLike[str]) -> Sheet:
    """Read a file of columns: text, CSV, xvg, LAMMPS ``fix ave/time`` (plain or YAML), VMD's lists, .npy, .npz.

    Raises
    ------
    InputError
        If the file cannot be read or is none of these.
    """
    name, data = os.fspath(path), read_bytes(path)
    if data.startswith((_NPY, _ZIP)):
        return _arrays(data, name)
    text = text_of(data, name)
    blocks = yaml_blocks(text, name, _comments(text))
    if blocks is not None:
        return _lammps(blocks, indexed=False)
    lists = _tcl_lists(text, name)
    if lists is not None:
        return lists
    if text.lstrip().startswith(("{", "[", "array(", "(array(")):
        raise InputError(
            f"{name} is JSON, or arrays as Python prints them, and says nowhere what is r and what is g; save r and "
            'g as columns, with numpy.savetxt("rdf.dat", numpy.c_[r, g])'
        )
    sets = _grace_sets(text, name)
    if sets is not None:
        return sets
    rows = rows_of(text, name)
    blocks = blocks_of(rows)
    if blocks is not None:
        return _lammps(blocks, indexed=True)
    rows = _upright(_without_numbered_names(rows))
    return _labelled(rows, rows.width(), CSV if _is_csv(text) else PLAIN)


def _grace_sets(text: str, name: str) -> Sheet | None:
    """Return the sets of a Grace file, each of which ends with a line ``&``, side by side; None if there is one.

    Raises
    ------
    InputError
        If the sets have distances of their own.
    """
    lines = text.splitlines()
    ends = [number for number, line in enumerate(lines) if line.strip() == "&"]
    pieces = zip([0, *(end + 1 for end in ends)], [*ends, len(lines)], strict=True)
    # Empty lines stand for those of other sets, so that a row knows its line.
    found = [rows_of("\n" * first + "\n".join(lines[first:end]), name) for first, end in pieces]
    sets = [rows for rows in found if len(rows)]
    if len(sets) < 2:
        return None
    comments = tuple(line for rows in found for line in rows.comments)
    legends = _legends(comments)
    names = [legends.get(number) or f"set {number}" for number in range(len(sets))]
    if any(rows.width() < 2 or rows.column(0) != sets[0].column(0) for rows in sets):
        raise InputError(
            f"{name} holds {len(sets)} sets of points ({', '.join(names)}) with distances of their own; save the one "
            "that is the target to a file of its own"
        )
    for rows in sets:
        for index in range(1, rows.width()):
            if rows.values(index) is None:
                # Beside each other the rows no longer know their lines.
                rows.numbers(index, "g")
    tokens = tuple(
        (parts[0][0], *(field for part in parts for field in part[1:]))
        for parts in zip(*(rows.tokens for rows in sets), strict=True)
    )
    # A set of three columns is r, g and its error.
    labels = [
        label
        for name_of_set, rows in zip(names, sets, strict=True)
        for label in (name_of_set, *("error" for _ in range(rows.width() - 2)))
    ]
    merged = replace(sets[0], tokens=tokens, comments=comments)
    return Sheet(merged, XVG, (_axes(comments).get("x", "r"), *labels), curves=True)


def _legends(comments: Sequence[str]) -> dict[int, str]:
    """Return the legends of the sets of an xvg file."""
    found = (_LEGEND.match(line) for line in comments)
    return {int(match.group(1)): match.group(2) for match in found if match}


def _axes(comments: Sequence[str]) -> dict[str, str]:
    """Return the labels of the axes of an xvg file."""
    found = (_AXIS.match(line) for line in comments)
    return {match.group(1).lower(): match.group(2) for match in found if match}


def _tcl_lists(text: str, name: str) -> Sheet | None:
    """Return what ``puts [measure gofr ...]`` of VMD writes, None if it is something else.

    Lists in braces: r, g(r), its integral, the histogram, and how many frames there were.
    """
    lists = [words.split() for words in re.findall(r"\{([^{}]*)\}", text)]
    if re.sub(r"\{[^{}]*\}", "", text).strip() or len(lists) < 2 or len(lists[0]) < LEAST_LENGTH:
        return None
    alike = [words for words in lists if len(words) == len(lists[0])][: len(GOFR)]
    if len(alike) < 2 or not all(is_number(word) for words in alike for word in words):
        return None
    rows = rows_of("\n".join(map(" ".join, zip(*alike, strict=True))), name)
    return Sheet(rows, VMD, GOFR[: len(alike)])


def comments_of(data: bytes, name: str) -> tuple[str, ...]:
    """Return the comment lines of a file; an array of NumPy has none."""
    return () if data.startswith((_NPY, _ZIP)) else _comments(text_of(data, name))


PLAIN, CSV, XVG, LAMMPS, ARRAY = "columns", "CSV", "xvg", "LAMMPS compute rdf", "NumPy array"
#: VMD's lists, and what they hold.
VMD, GOFR = "VMD measure gofr", ("r", "g(r)", "integral", "histogram")


def _comments(text: str) -> tuple[str, ...]:
    return tuple(
        line.strip() for line in text.splitlines() if line.strip().startswith(("#", "@", ";", "%", "!"))
    )


def _is_csv(text: str) -> bool:
    lines = (line for line in text.splitlines() if line.strip() and not line.lstrip().startswith(("#", "@")))
    return any(mark in next(lines, "") for mark in ",;")


def _lammps(blocks: tuple[Rows, ...], *, indexed: bool) -> Sheet:
    labels, aliases = block_labels(blocks[0], indexed=indexed)
    return Sheet(replace(blocks[-1], names=()), LAMMPS, labels, aliases, blocks)


def _labelled(rows: Rows, width: int, program: str) -> Sheet:
    """Find the labels: a row of names, the legends of an xvg file, or a comment above the numbers."""
    axes, legends = _axes(rows.comments), _legends(rows.comments)
    if axes or legends or any(line.startswith("@") for line in rows.comments):
        labels = [axes.get("x", "r"), *(legends.get(k, "") for k in range(width - 1))]
        if any(_ERROR_TYPE.match(line) for line in rows.comments) and width == 3:
            labels[2] = "error"
        elif width == 2 and not labels[1]:
            labels[1] = axes.get("y", "")
        known = bool(legends) or "error" in labels or bool(axes)
        return Sheet(rows, XVG, tuple(labels) if known else (), curves=True)
    if rows.names:
        return Sheet(rows, program, _names(rows, width))
    return Sheet(rows, program, comment_labels(rows.comments, width))


def _names(rows: Rows, width: int) -> tuple[str, ...]:
    if len(rows.names) == width:
        return rows.names
    if len(rows.names) == width - 1 and kind_of(rows.names[0]) != "index":
        # pandas leaves the name of its index empty, which white space does not show.
        return ("", *rows.names)
    return labels_of_width(" ".join(rows.names), width) or ()


def _without_numbered_names(rows: Rows) -> Rows:
    """Take off a first row ``0,1,2`` or ``,0,1``, which is how pandas names columns without names."""
    if len(rows) < 4:
        return rows
    first = [field for field in rows.tokens[0] if field]
    counted = first == [str(k) for k in range(len(first))]
    decimal = all("." in field or "e" in field.lower() for field in rows.tokens[2][-len(first) :])
    if first and counted and decimal and (len(first) < len(rows.tokens[0]) or "." not in rows.tokens[0][-1]):
        return rows.keep(range(1, len(rows)))
    return rows


def _upright(rows: Rows) -> Rows:
    """Turn two to four long rows (r, then g) into columns."""
    if not 2 <= len(rows) <= LONG_ROWS:
        return rows
    width = len(rows.tokens[0])
    if width < LEAST_LENGTH or any(len(row) != width for row in rows.tokens):
        return rows
    if not all(is_number(field) for field in rows.tokens[0]):
        return rows
    r = np.array(rows.tokens[0], dtype=np.float64)
    if not np.all(np.diff(r) > 0.0):
        raise InputError(
            f"{rows.name} holds {len(rows)} rows of {width} numbers; this looks like curves saved side by side, "
            "but the first row does not increase as r does. Save r and g as columns"
        )
    return Rows(
        rows.name, (rows.lines[0],) * width, tuple(zip(*rows.tokens, strict=True)), rows.comments, rows.names
    )


def _arrays(data: bytes, name: str) -> Sheet:
    """Columns of a ``.npy`` or ``.npz`` file, whose arrays are curves as rows or as columns."""
    if data.startswith(_ZIP) and _OF_EXCEL in data:
        raise InputError(f"{name} is a workbook of Excel or the like; save its sheet as CSV")
    arrays = read_arrays(data, name)
    labels: tuple[str, ...] = ()
    remark = ""
    plain = {key: array for key, array in arrays.items() if array.dtype.kind in "fiu"}
    if len(plain) == 1 and next(iter(plain.values())).ndim == 2:
        table = next(iter(plain.values()))
        table = table.T if table.shape[0] <= LONG_ROWS < table.shape[1] else table
    else:
        # Edges of bins are one more than the bins; scalars and matrices are no curves.
        sizes = [array.size for array in plain.values() if array.ndim == 1 and array.size > 1]
        size = min(sizes, default=0)
        chosen = {key: array for key, array in plain.items() if array.ndim == 1 and array.size == size}
        chosen, remark = _between_edges(plain, chosen)
        if size < 3 or len(chosen) < 2:
            shapes = ", ".join(
                f"{key or 'one array'} of shape {array.shape}" for key, array in arrays.items()
            )
            raise InputError(
                f"{name} holds {shapes}; a g(r) needs arrays r and g of the same length, or one array of two rows or "
                "columns"
            )
        labels, table = tuple(chosen), np.stack(list(chosen.values()), axis=1)
    numbers = np.asarray(table, dtype=np.float64)
    rows = Rows(
        name,
        tuple(range(1, numbers.shape[0] + 1)),
        tuple(tuple(repr(value) for value in row) for row in numbers.tolist()),
        remark=remark,
    )
    return Sheet(rows, ARRAY, labels)


def _between_edges(
    arrays: dict[str, NDArray[Any]], curves: dict[str, NDArray[Any]]
) -> tuple[dict[str, NDArray[Any]], str]:
    """Add the middles of bins where only their edges are there, as `numpy.histogram` returns them, and say so."""
    size = next((array.size for array in curves.values()), 0)
    edges = {
        key: array
        for key, array in arrays.items()
        if array.ndim == 1 and array.size == size + 1 and size > 2 and np.all(np.diff(array) > 0.0)
    }
    if len(edges) != 1 or any(kind_of(key) == "distance" for key in curves):
        return curves, ""
    ((name, array),) = edges.items()
    return {"r": 0.5 * (array[1:] + array[:-1]), **curves}, f"r between the edges of bins, {name}"
