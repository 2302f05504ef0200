"""The file of the pair counts of a simulation: those that the g(r) count, and of molecules others that matter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cginit.configuration import Configuration
from cginit.interactions import Interaction, Interactions
from cginit.refine.inside import Inside
from cginit.refine.record import Record
from cginit.sampling import PairCounts

__all__ = ["count_arrays", "read_counts", "read_inside"]


def count_arrays(record: Record) -> dict[str, Any]:
    """Return what is kept of the counts of pairs of a record that has some."""
    first = next(iter(record.counts.values()))
    arrays: dict[str, Any] = {"r": first.r, "volume": np.array(first.volume)}
    sets = {"": record.counts} | {f"|{word}": getattr(record.inside, word) for word in Inside.names()}
    for word, counts in sets.items():
        for name, one in counts.items():
            arrays[f"{name}{word}|counts"] = one.counts
            if one.pairs is not None:
                arrays[f"{name}{word}|pairs"] = np.array(one.pairs)
    return arrays


def read_counts(
    path: Path, keys: Mapping[Interaction, str], final: Configuration
) -> Interactions[PairCounts]:
    """Return the counts whose arrays have these keys; none where there is no file."""
    if not path.exists():
        return Interactions({})
    with np.load(path, allow_pickle=False) as data:
        return Interactions({name: _counts(data, key, final) for name, key in keys.items()})


def read_inside(path: Path, names: Sequence[Interaction], final: Configuration) -> Inside:
    """Return the other sets of pairs of molecules, as far as they were kept."""
    if not path.exists():
        return Inside()
    with np.load(path, allow_pickle=False) as data:
        found: dict[str, Any] = {
            word: Interactions(
                {
                    name: _counts(data, f"{name}|{word}|counts", final)
                    for name in names
                    if f"{name}|{word}|counts" in data
                }
            )
            for word in Inside.names()
        }
    return Inside(**found)


def _counts(data: Any, key: str, final: Configuration) -> PairCounts:
    pairs = data.get(key.replace("|counts", "") + "|pairs")
    return PairCounts(
        data["r"],
        data[key],
        final.n,
        float(data["volume"]),
        final.units,
        None if pairs is None else float(pairs),
    )
