"""The files of simulated state points: one small file each while they are made, one HDF5 file to ship."""

from __future__ import annotations

from dataclasses import dataclass, fields
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cginit.curves import Array
from cginit.errors import InputError, MissingDependencyError
from cginit.io import write_atomically

__all__ = ["FORMAT_VERSION", "Dataset", "Record", "load", "merge", "read_record", "save", "write_record"]

#: Version of both layouts; raised when a field changes its meaning.
FORMAT_VERSION = 1


@dataclass(frozen=True, eq=False)
class Record:
    """One simulated state point, in sigma and kT.

    Attributes
    ----------
    family : str
        Generator of the potential; ``a`` is the published recipe.
    seed : int
        The integer that names the potential in its family.
    density : float
        rho sigma^3.
    u_r, u : ndarray, shape (201,)
        The potential as simulated.
    r, g, g_error : ndarray, shape (n,)
        g(r) on the common grid, with its standard error.
    pressure, pressure_error : float
        beta P sigma^3.
    n, steps : int
        Beads, and production steps.
    run_seed : int
        Seed of start configuration and dynamics.
    engine : str
        Engine and version.
    seconds : float
        Engine time on one core.
    s_k_min : float
        Structure factor at the smallest wave vectors of the box.
    rejected : str
        Why the run is not used; empty if it is.
    """

    family: str
    seed: int
    density: float
    u_r: Array
    u: Array
    r: Array
    g: Array
    g_error: Array
    pressure: float
    pressure_error: float
    n: int
    steps: int
    run_seed: int
    engine: str
    seconds: float
    s_k_min: float
    rejected: str


@dataclass(frozen=True, eq=False)
class Dataset:
    """Many records as columns: every field of `Record` with one more leading axis, and one common ``r``.

    Only `family`, `engine` and `rejected` are strings; curves are float64 in memory and float32 on disk.
    """

    family: NDArray[np.str_]
    seed: NDArray[np.int64]
    density: Array
    u_r: Array
    u: Array
    r: Array
    g: Array
    g_error: Array
    pressure: Array
    pressure_error: Array
    n: NDArray[np.int64]
    steps: NDArray[np.int64]
    run_seed: NDArray[np.int64]
    engine: NDArray[np.str_]
    seconds: Array
    s_k_min: Array
    rejected: NDArray[np.str_]

    def __len__(self) -> int:
        return int(self.seed.size)

    def select(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> Dataset:
        """Return the chosen rows."""
        return Dataset(
            **{
                f.name: getattr(self, f.name) if f.name == "r" else getattr(self, f.name)[rows]
                for f in fields(self)
            }
        )

    @property
    def accepted(self) -> NDArray[np.bool_]:
        """Which rows are homogeneous fluids in equilibrium."""
        return np.asarray(self.rejected == "")


_INTEGERS = ("seed", "n", "steps", "run_seed")
_STRINGS = ("family", "engine", "rejected")


def write_record(record: Record, path: Path) -> None:
    """Write one record as ``.npz``, whole or not at all."""
    columns: dict[str, Any] = {f.name: np.asarray(getattr(record, f.name)) for f in fields(record)}
    content = BytesIO()
    np.savez_compressed(content, format_version=np.int64(FORMAT_VERSION), **columns)
    write_atomically(path, content.getvalue())


def read_record(path: Path) -> Record:
    """Read one record; InputError if the file is of another version."""
    with np.load(path, allow_pickle=False) as data:
        version = int(data["format_version"])
        if version != FORMAT_VERSION:
            raise InputError(f"{path} has format {version}, this cginit reads {FORMAT_VERSION}")
        values = {f.name: data[f.name] for f in fields(Record)}
    return Record(**{k: v if v.ndim else v.item() for k, v in values.items()})


def merge(records: list[Record]) -> Dataset:
    """Join records into columns, sorted by family, seed and density.

    Raises
    ------
    InputError
        If there are none, or their grids of r differ.
    """
    if not records:
        raise InputError("there is no record to merge; simulate some state points first")
    ordered = sorted(records, key=lambda x: (x.family, x.seed, x.density))
    r = ordered[0].r
    if any(x.r.shape != r.shape or not np.allclose(x.r, r, atol=1e-9) for x in ordered):
        raise InputError("the records do not share one grid of r; they come from different campaigns")
    columns = {
        f.name: np.array([getattr(x, f.name) for x in ordered]) for f in fields(Record) if f.name != "r"
    }
    return Dataset(r=r, **columns)


def save(dataset: Dataset, path: Path) -> None:
    """Write the columns as HDF5 (gzip, curves in float32), whole or not at all.

    Raises
    ------
    MissingDependencyError
        If h5py is not installed.
    """
    h5py = _h5py()
    content = BytesIO()
    with h5py.File(content, "w", track_order=True) as file:
        file.attrs["format"] = "cginit dataset"
        file.attrs["format_version"] = FORMAT_VERSION
        file.attrs["units"] = "lengths in sigma, energies in kT"
        for f in fields(dataset):
            values = getattr(dataset, f.name)
            if f.name in _STRINGS:
                file.create_dataset(f.name, data=values.astype(object), dtype=h5py.string_dtype())
                continue
            if values.ndim == 2:
                values = values.astype(np.float32)
            # Timestamps would make two equal data sets differ in their bytes.
            file.create_dataset(f.name, data=values, compression="gzip", shuffle=True, track_times=False)
    write_atomically(path, content.getvalue())


def load(path: Path) -> Dataset:
    """Read a data set written by `save`.

    Raises
    ------
    InputError
        If the file is not one, or is of another version.
    MissingDependencyError
        If h5py is not installed.
    """
    h5py = _h5py()
    with h5py.File(path, "r") as file:
        version = file.attrs.get("format_version")
        if file.attrs.get("format") != "cginit dataset" or version != FORMAT_VERSION:
            raise InputError(f"{path} is not a cginit data set of format {FORMAT_VERSION} (found {version})")
        columns = {}
        for f in fields(Dataset):
            values = file[f.name]
            if f.name in _STRINGS:
                columns[f.name] = values.asstr()[:].astype(str)
            else:
                columns[f.name] = values[:].astype(np.int64 if f.name in _INTEGERS else np.float64)
    return Dataset(**columns)


def _h5py() -> Any:
    try:
        import h5py
    except ImportError as error:
        raise MissingDependencyError("data sets need h5py: pip install 'cginit[campaign]'") from error
    return h5py
