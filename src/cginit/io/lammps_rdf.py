r"""What LAMMPS writes with ``fix ave/time ... mode vector`` of a ``compute rdf``, in blocks, plain or as YAML.

A block is a line ``timestep rows`` and rows ``row r g coordination [g coordination ...]``; in YAML a key
``timestep:``
and rows ``- [r, g, coordination, ...]``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cginit.curves import Array
from cginit.errors import InputError
from cginit.io.rows import Rows

__all__ = ["Averaged", "averaged", "block_labels", "blocks_of", "yaml_blocks"]

#: A plain running average of K blocks changes by sigma/sqrt(k(k-1)) at its k-th: its first step is, squared,
#: K(K-1)/2 times its last. Independent blocks have 1; this much is taken for blocks that settle.
SETTLES = 2.5
#: From this many blocks on their scatter is known at each point; with fewer it is one number for all points.
POINTWISE = 10

_STEP = re.compile(r"^\s*(\d+):\s*$")
_ROW = re.compile(r"^\s*-\s*\[(.*?),?\s*\]\s*$")
_ELEMENT = re.compile(r"c_\w+\[(\d+)\]")
_KEYWORDS = re.compile(r"^\s*keywords:\s*\[(.*?),?\s*\]\s*$")


@dataclass(frozen=True, eq=False)
class Averaged:
    """One column of all blocks: its mean ``(n,)`` or last, the standard error if there is one, and what was done."""

    values: Array
    error: Array | None
    text: str


def blocks_of(rows: Rows) -> tuple[Rows, ...] | None:
    """Return the blocks of a plain file of ``fix ave/time``; None if the rows are not such blocks.

    Raises
    ------
    InputError
        If the file is one and its only block is not complete.
    """
    tokens = rows.tokens
    if len(tokens) < 4 or not _opens(tokens, 0):
        return None
    blocks: list[Rows] = []
    at = 0
    while at < len(tokens):
        if not _opens(tokens, at):
            return None
        size = int(tokens[at][1])
        block = rows.keep(range(at + 1, min(at + 1 + size, len(tokens))))
        whole = len(block) == size and all(len(row) == len(tokens[1]) for row in block.tokens)
        # The last block is cut short where a run was stopped: the others count.
        if whole:
            blocks.append(block)
        elif at + 1 + size < len(tokens) or not blocks:
            raise InputError(
                f"{rows.where(at)} announces a block of {size} rows, which is not complete; remove the block"
            )
        at += 1 + size
    return tuple(blocks)


def _opens(tokens: Sequence[Sequence[str]], at: int) -> bool:
    """Whether a row is ``timestep rows``, with the first row of a block after it."""
    head = tokens[at]
    follows = tokens[at + 1] if at + 1 < len(tokens) else ()
    return (
        len(head) == 2
        and head[0].isdigit()
        and head[1].isdigit()
        and int(head[1]) >= 2
        and len(follows) >= 3
        and follows[0] == "1"
    )


def yaml_blocks(text: str, name: str, comments: tuple[str, ...] = ()) -> tuple[Rows, ...] | None:
    """Return the blocks of the YAML form, None if the text is not it.

    The form is so narrow that its lines are taken one by one, each with its number for error messages.
    """
    labels: tuple[str, ...] | None = None
    blocks: list[tuple[list[int], list[tuple[str, ...]]]] = []
    for number, line in enumerate(text.splitlines(), 1):
        keys, row = _KEYWORDS.match(line), _ROW.match(line)
        if keys is not None:
            labels = tuple(part.strip().strip("'\"") for part in keys.group(1).split(","))
        elif labels is not None and _STEP.match(line):
            blocks.append(([], []))
        elif row is not None and blocks:
            blocks[-1][0].append(number)
            blocks[-1][1].append(tuple(part.strip() for part in row.group(1).split(",")))
    if labels is None or not blocks:
        return None
    size = max(len(fields) for _, fields in blocks)
    return tuple(
        Rows(name, tuple(lines), tuple(fields), comments, labels)
        for lines, fields in blocks
        if len(fields) == size
    )


def block_labels(rows: Rows, *, indexed: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what the columns ``[row] r g coordination ...`` hold, and the names that LAMMPS gives them ('' if none).

    The element of the compute's array says it, where the names show it: 1 is r, then g and the coordination number of
    each pair in turn.
    """
    width, first = rows.width(), int(indexed)
    names = rows.names
    for comment in rows.comments:
        words = tuple(comment.lstrip("#").split())
        if words[:1] == ("Row",) and len(words) == width:
            names = words
    if len(names) != width:
        names = ("",) * width
    found = [_ELEMENT.fullmatch(name) for name in names[first:]]
    elements = [int(match.group(1)) for match in found if match is not None]
    if len(elements) != width - first:
        elements = list(range(1, width - first + 1))
    labels = [
        "r" if element == 1 else f"{'coordination' if element % 2 else 'g'} of pair {element // 2}"
        for element in elements
    ]
    return (*["row"] * first, *labels), names


def averaged(blocks: Sequence[Rows], index: int, r: Array) -> Averaged:
    r"""Return one column as the mean of the blocks with the standard error of it, or of the last block alone.

    Blocks that settle, each nearer to the last than the one before, are those of ``ave running`` or of a run that
    was still equilibrating; their mean would weigh the beginning again, and the last one stands.

    With fewer than ten blocks the scatter at a point is hardly known. Then the error is that of counts in shells,
    :math:`\sigma = s \sqrt{g}/r`, with the one number s from the scatter at all points.

    Parameters
    ----------
    blocks : sequence of Rows
    index : int
        The column.
    r : ndarray, shape (n,)
        Distances.
    """
    values = np.array([block.numbers(index, "g") for block in blocks])
    count = len(blocks)
    if count == 1:
        return Averaged(values[0], None, "")
    steps = np.sum(np.diff(values, axis=0) ** 2, axis=1)
    if count > 2 and steps[0] > SETTLES * steps[-1]:
        return Averaged(
            values[-1],
            None,
            f"last of {count} blocks, which settle as a running average or an equilibration does",
        )
    mean = values.mean(axis=0)
    variance = values.var(axis=0, ddof=1) / count
    if not np.any(variance > 0.0):
        return Averaged(mean, None, f"mean of {count} blocks")
    if count < POINTWISE:
        shape = np.where(r > 0.0, np.maximum(mean, 0.0) / np.maximum(r, 1e-300) ** 2, 0.0)
        seen = shape > 0.0
        # Each point is one estimate of s^2; those of few counts are as good as the others.
        variance = shape * float(np.mean(variance[seen] / shape[seen])) if np.any(seen) else variance
    return Averaged(mean, np.sqrt(variance), f"mean of {count} blocks with the error of it")
