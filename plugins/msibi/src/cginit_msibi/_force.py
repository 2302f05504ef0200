"""What MSIBI's forces of all kinds need: the package itself, and a table as it reads them."""

from __future__ import annotations

import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cginit import MissingDependencyError


def load_msibi() -> ModuleType:
    """Return MSIBI.

    Raises
    ------
    cginit.MissingDependencyError
        If MSIBI or HOOMD-blue is not installed.
    """
    try:
        import msibi
    except ImportError as error:
        raise MissingDependencyError(
            f"MSIBI cannot be imported ({error}); install it: conda install -c conda-forge msibi"
        ) from error
    found: ModuleType = msibi
    return found


def set_table(force: Any, x: NDArray[np.float64], energies: NDArray[np.float64]) -> None:
    """Give a force the table ``(n,)`` by a file, the way MSIBI has for it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        # repr of a float reads back as the same number.
        rows = "".join(f"{at!r},{u!r}\n" for at, u in zip(x.tolist(), energies.tolist(), strict=True))
        path.write_text("x,potential\n" + rows)
        force.set_from_file(str(path))
    # pandas 3 lends MSIBI read-only arrays, which its first update could not change.
    force.x_range, force.potential = np.array(force.x_range), np.array(force.potential)
