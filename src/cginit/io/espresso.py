"""Arrays for ESPResSo's tabulated non-bonded interaction in an npz file."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from io import BytesIO

import numpy as np

from cginit.curves import PairPotential
from cginit.errors import InputError
from cginit.io.grid import runnable, runnable_grid
from cginit.io.header import header_lines, parse_header, potential_header
from cginit.io.table import PairName, RawTable, WriteOptions, array_table, pair_of, section_of
from cginit.untrusted import read_arrays

__all__ = ["espresso_arrays", "read_espresso", "write_espresso"]

#: ESPResSo interpolates linearly in r.
INTERVALS = 2000


def read_espresso(data: bytes, name: str, keyword: str | None = None) -> RawTable:
    """Read ``PAIR.min, PAIR.max, PAIR.energy, PAIR.force``; `keyword` names the pair where there are several."""
    sections: dict[str, RawTable] = {}
    try:
        arrays = read_arrays(data, name)
        for label in [key.removesuffix(".energy") for key in arrays if key.endswith(".energy")]:
            u, f = (np.array(arrays[f"{label}.{key}"], dtype=np.float64) for key in ("energy", "force"))
            low, high = float(arrays[f"{label}.min"]), float(arrays[f"{label}.max"])
            header = parse_header(str(arrays[f"{label}.header"]).splitlines(), name)
            if u.ndim != 1 or u.shape != f.shape or u.size < 3 or not low < high:
                raise InputError(
                    f"{name}: {label} has energies {u.shape} and forces {f.shape} from {low} to {high}"
                )
            sections[label] = array_table(name, np.linspace(low, high, u.size), u, f, header)
    except (KeyError, ValueError, TypeError, OSError, EOFError, zipfile.BadZipFile) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{name} does not hold arrays for ESPResSo ({error}); see docs/tables.md") from error
    return section_of(sections, name, keyword)


def write_espresso(potential: PairPotential, options: WriteOptions) -> bytes:
    """Return the arrays of one pair of bead types."""
    return espresso_arrays({pair_of(options.keyword): potential}, options.kT)


def espresso_arrays(potentials: Mapping[PairName, PairPotential], kT: float | None) -> bytes:
    """Return min, max, energy and force of each pair; the grid includes 0 and the cut-off, as ESPResSo expects."""
    arrays: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.generic]]] = {}
    for (a, b), potential in potentials.items():
        fine = runnable(potential, runnable_grid(potential, INTERVALS), kT)
        arrays |= {
            f"{a}-{b}.min": np.array(float(fine.r[0])),
            f"{a}-{b}.max": np.array(fine.r_cut),
            f"{a}-{b}.energy": fine.u,
            f"{a}-{b}.force": fine.f,
            f"{a}-{b}.header": np.array(header_lines(potential_header(potential))),
        }
    stream = BytesIO()
    np.savez(stream, **arrays)  # type: ignore[arg-type]
    return stream.getvalue()
