"""Arrays for HOOMD-blue's ``md.pair.Table`` in an npz file, and a script that loads those of several pairs."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

import numpy as np

from cginit.curves import Array, PairPotential
from cginit.errors import InputError
from cginit.io.grid import runnable, runnable_grid
from cginit.io.header import header_lines, parse_header, potential_header
from cginit.io.table import PairName, RawTable, WriteOptions, array_table
from cginit.untrusted import read_arrays

__all__ = ["hoomd_arrays", "hoomd_script", "read_npz", "write_npz"]

#: HOOMD interpolates linearly in r.
INTERVALS = 2000

_SCRIPT = '''"""Pair potentials for HOOMD-blue, in {units} units; the arrays are in the npz of the same name."""

from pathlib import Path

import hoomd
import numpy as np

PAIRS = {pairs}


def pair_force(nlist):
    """Return the force of all pairs, for ``hoomd.md.Integrator.forces``; other pairs of types need their own."""
    force = hoomd.md.pair.Table(nlist=nlist)
    with np.load(Path(__file__).with_suffix(".npz")) as data:
        for a, b in PAIRS:
            force.params[a, b] = dict(
                r_min=data[f"{{a}}-{{b}}.r_min"].item(), U=data[f"{{a}}-{{b}}.U"], F=data[f"{{a}}-{{b}}.F"]
            )
            force.r_cut[a, b] = data[f"{{a}}-{{b}}.r_cut"].item()
    return force
'''


def read_npz(data: bytes, name: str, keyword: str | None = None) -> RawTable:
    """Read ``r_min, r_cut, U, F``; the grid leaves out the cut-off, where U = 0."""
    try:
        arrays = read_arrays(data, name)
        u, f = np.array(arrays["U"], dtype=np.float64), np.array(arrays["F"], dtype=np.float64)
        r_min, r_cut = float(arrays["r_min"]), float(arrays["r_cut"])
        comments = str(arrays["header"]).splitlines() if "header" in arrays else []
    except (KeyError, ValueError, TypeError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(
            f"{name} is not a table for HOOMD-blue ({error}); it must hold numbers r_min, r_cut and arrays U, F"
        ) from error
    if u.ndim != 1 or u.shape != f.shape or u.size < 2:
        raise InputError(f"{name} holds U of shape {u.shape} and F of shape {f.shape}; both must be (n,)")
    grid: Array = np.linspace(r_min, r_cut, u.size + 1)
    # F at the cut-off is not in the file: HOOMD's own interpolation takes it as 0, the potential as its last secant.
    last = u[-1] / (grid[-1] - grid[-2])
    return array_table(name, grid, np.append(u, 0.0), np.append(f, last), parse_header(comments, name))


def write_npz(potential: PairPotential, options: WriteOptions) -> bytes:
    """Return ``r_min, r_cut, U, F`` on ``linspace(r_min, r_cut, n, endpoint=False)`` with r_min = 0."""
    stream = BytesIO()
    # numpy dates the members of the archive 1980, so that equal potentials give equal files.
    np.savez(stream, **_arrays(potential, options.kT))
    return stream.getvalue()


def hoomd_arrays(potentials: Mapping[PairName, PairPotential], kT: float | None) -> dict[str, Any]:
    """Return the arrays of `write_npz` for several pairs, their names preceded by ``A-B.``."""
    return {
        f"{a}-{b}.{key}": value
        for (a, b), potential in potentials.items()
        for key, value in _arrays(potential, kT).items()
    }


def hoomd_script(pairs: Sequence[PairName], units: str) -> str:
    """Print a Python module whose ``pair_force(nlist)`` loads the arrays of `hoomd_arrays`."""
    return _SCRIPT.format(units=units, pairs=[tuple(pair) for pair in pairs])


def _arrays(potential: PairPotential, kT: float | None) -> dict[str, Any]:
    fine = runnable(potential, runnable_grid(potential, INTERVALS), kT)
    return {
        "r_min": np.float64(fine.r[0]),
        "r_cut": np.float64(fine.r_cut),
        "U": fine.u[:-1],
        "F": fine.f[:-1],
        "header": np.array(header_lines(potential_header(potential))),
    }
