"""The tables of a refinement's result, packed to travel within a page."""

from __future__ import annotations

import base64
import gzip
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from cginit.bonded import BondedPotential, Potential
from cginit.errors import CGInitError
from cginit.interactions import Interaction, Interactions
from cginit.io import write_pair_tables, write_table
from cginit.io.bonded_tables import write_bonded_pot, write_lammps_bonded
from cginit.refine.record import pair_potentials

__all__ = ["Download", "packed", "tables"]


@dataclass(frozen=True)
class Download:
    """One file.

    Attributes
    ----------
    name : str
        Its name.
    what : str
        What it holds and for which program.
    content : bytes
    """

    name: str
    what: str
    content: bytes


def packed(content: bytes) -> str:
    """Return bytes compressed and in letters that no document takes for its own.

    Equal bytes are equal text: no time is written.

    Examples
    --------
    >>> gzip.decompress(base64.b64decode(packed(b"</script>")))
    b'</script>'
    """
    return base64.b64encode(gzip.compress(content, 9, mtime=0)).decode()


def tables(potentials: Interactions[Potential], kT: float) -> tuple[Download, ...]:
    """Return the tables of potentials for VOTCA, one each, and for LAMMPS, all pairs and all bonds in one.

    What cannot be written, such as a LAMMPS table of beads whose names no script can hold, is left out.
    """
    found: list[Download] = []
    pairs = pair_potentials(potentials)
    bonded = {name: one for name, one in potentials.items() if isinstance(one, BondedPotential)}
    with TemporaryDirectory(prefix="cginit-") as folder:

        def add(name: str, what: str, write: Callable[[Path], object]) -> None:
            path = Path(folder) / name
            try:
                write(path)
            except CGInitError:
                return
            found.append(Download(name, what, path.read_bytes()))

        for name, one in pairs.items():
            add(f"{_stem(name)}.pot", f"{name}, VOTCA", partial(write_table, one, kT=kT))
        for name, other in bonded.items():
            add(f"{_stem(name)}.pot", f"{name}, VOTCA", partial(write_bonded_pot, other))
        if len(pairs) == 1:
            (name,) = pairs
            add(
                f"{_stem(name)}.table", f"{name}, LAMMPS", lambda path: write_table(pairs.only(), path, kT=kT)
            )
        elif pairs:
            by_types = {name.types: one for name, one in pairs.items()}
            add("pairs.table", "all pairs, LAMMPS", partial(write_pair_tables, by_types, kT=kT))
        if bonded:
            add("bonded.table", "all bonded terms, LAMMPS", partial(write_lammps_bonded, bonded))
    return tuple(found)


def _stem(name: Interaction) -> str:
    """Return the name as part of a file name, whatever characters it has: a folder may come from anyone."""
    return re.sub(r"[^A-Za-z0-9_+-]+", "_", name.file_stem)
