"""The files of simulated state points: one small file each while they are made, one HDF5 file to ship."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cginit.atomic import write_arrays
from cginit.curves import Array
from cginit.errors import InputError, MissingDependencyError
from cginit.io import write_atomically

__all__ = [
    "FORMAT_VERSION",
    "GRID_END",
    "GRID_STEP",
    "Dataset",
    "Record",
    "aged_states",
    "join",
    "load",
    "merge",
    "read_record",
    "save",
    "write_record",
]

#: Version of both layouts; raised when a field changes its meaning.
FORMAT_VERSION = 2
#: End of the name of the list of state points that age, beside a data set.
AGED = ".aged.csv"
#: Common grid of g in sigma. A record ends at half its box, with NaN beyond, and reaches at least 5 sigma.
GRID_STEP, GRID_END = 0.05, 10.0


@dataclass(frozen=True, eq=False)
class Record:
    """One simulated state point, in sigma and kT.

    Attributes
    ----------
    family : str
        Generator of the potential; ``a`` is the published recipe, ``b`` potentials as beads have them.
    seed : int
        The integer that names the potential in its family.
    index : int
        Number of the state point of this potential, which decides its density.
    split : str
        ``train`` or ``test``; all state points of a potential are on one side.
    density : float
        rho sigma^3.
    r_cut : float
        Cut-off of the potential.
    u_r, u : ndarray, shape (201,)
        The potential as simulated.
    r, g, g_error : ndarray, shape (201,)
        g(r) on the common grid, with its standard error; NaN beyond half the box.
    peak_error : float
        Median relative standard error of g in bins of 0.1 around its first peak.
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
    screened : str
        Why the screen refused the state point (some are simulated all the same); empty if it did not.
    rejected : str
        Why the run is not used; empty if it is.
    """

    family: str
    seed: int
    index: int
    split: str
    density: float
    r_cut: float
    u_r: Array
    u: Array
    r: Array
    g: Array
    g_error: Array
    peak_error: float
    pressure: float
    pressure_error: float
    n: int
    steps: int
    run_seed: int
    engine: str
    seconds: float
    s_k_min: float
    screened: str
    rejected: str


@dataclass(frozen=True, eq=False)
class Dataset:
    """Many records as columns: every field of `Record` with one more leading axis, and one common ``r``.

    `family`, `split`, `engine`, `screened` and `rejected` are strings. Curves are float64 in memory and float32
    on disk.
    """

    family: NDArray[np.str_]
    seed: NDArray[np.int64]
    index: NDArray[np.int64]
    split: NDArray[np.str_]
    density: Array
    r_cut: Array
    u_r: Array
    u: Array
    r: Array
    g: Array
    g_error: Array
    peak_error: Array
    pressure: Array
    pressure_error: Array
    n: NDArray[np.int64]
    steps: NDArray[np.int64]
    run_seed: NDArray[np.int64]
    engine: NDArray[np.str_]
    seconds: Array
    s_k_min: Array
    screened: NDArray[np.str_]
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

    def records(self) -> Iterator[Record]:
        """Yield the rows one by one."""
        for row in range(len(self)):
            values: dict[str, Any] = {
                f.name: self.r if f.name == "r" else getattr(self, f.name)[row] for f in fields(self)
            }
            yield Record(**{k: v if np.ndim(v) else v.item() for k, v in values.items()})

    @property
    def accepted(self) -> NDArray[np.bool_]:
        """Which rows are homogeneous fluids in equilibrium."""
        return np.asarray(self.rejected == "")


_INTEGERS = ("seed", "index", "n", "steps", "run_seed")
_STRINGS = ("family", "split", "engine", "screened", "rejected")


def write_record(record: Record, path: Path) -> None:
    """Write one record as ``.npz``, whole or not at all."""
    columns = {f.name: getattr(record, f.name) for f in fields(record)}
    write_arrays(path, {"format_version": np.int64(FORMAT_VERSION), **columns})


def read_record(path: Path) -> Record:
    """Read one record; InputError if the file is of another version."""
    with np.load(path, allow_pickle=False) as data:
        version = int(data["format_version"])
        if version != FORMAT_VERSION:
            raise InputError(f"{path} has format {version}, this cginit reads {FORMAT_VERSION}")
        values = {f.name: data[f.name] for f in fields(Record)}
    return Record(**{k: v if v.ndim else v.item() for k, v in values.items()})


def merge(records: list[Record]) -> Dataset:
    """Join records into columns, sorted by family, seed and index.

    Raises
    ------
    InputError
        If there are none, or their grids of r differ.
    """
    if not records:
        raise InputError("there is no record to merge; simulate some state points first")
    ordered = sorted(records, key=lambda x: (x.family, x.seed, x.index))
    r = ordered[0].r
    if any(x.r.shape != r.shape or not np.allclose(x.r, r, atol=1e-9) for x in ordered):
        raise InputError("the records do not share one grid of r; they come from different campaigns")
    columns = {
        f.name: np.array([getattr(x, f.name) for x in ordered]) for f in fields(Record) if f.name != "r"
    }
    return Dataset(r=r, **columns)


def join(parts: list[Dataset]) -> Dataset:
    """Return the rows of all parts, sorted; of a state point that occurs twice the first.

    Raises
    ------
    InputError
        If there is no part, or their grids differ.
    """
    if not parts:
        raise InputError("there is nothing to join")
    r = parts[0].r
    if any(part.r.shape != r.shape or not np.allclose(part.r, r, atol=1e-6) for part in parts):
        raise InputError("the data sets do not share one grid of r")
    columns = {
        f.name: np.concatenate([getattr(part, f.name) for part in parts])
        for f in fields(Dataset)
        if f.name != "r"
    }
    names: dict[tuple[str, int, int], int] = {}
    for row, name in enumerate(zip(columns["family"], columns["seed"], columns["index"], strict=True)):
        names.setdefault((str(name[0]), int(name[1]), int(name[2])), row)
    rows = np.array([names[name] for name in sorted(names)])
    return Dataset(r=r, **{name: values[rows] for name, values in columns.items()})


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


def load(path: Path, *, aged: bool = False) -> Dataset:
    """Read a data set written by `save`.

    State points that are known to age (see `aged_states`) count as rejected.

    Parameters
    ----------
    path : Path
        The file. Beside it may lie the list of what ages, ``NAME.aged.csv``.
    aged : bool
        Accept what the file itself accepts, aged or not.

    Raises
    ------
    InputError
        If the file is not one, or is of another version, or the list beside it is none.
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
    dataset = Dataset(**columns)
    return dataset if aged else _without_aged(dataset, aged_states(path))


def aged_states(path: Path) -> dict[tuple[str, int, int], str]:
    """Return the state points of a data set that are known to be no equilibrium, with how that was seen.

    The list, ``NAME.aged.csv`` beside ``NAME.h5``, has the columns family, seed, index, evidence; that of a file
    without one is empty. It is kept apart, so that the records and what was trained on them stay what they were.

    Raises
    ------
    InputError
        If a row is not of these columns.
    """
    beside = Path(path).with_suffix(AGED)
    if not beside.exists():
        return {}
    found = {}
    with beside.open(newline="", encoding="utf-8") as stream:
        for number, row in enumerate(csv.reader(stream), start=1):
            if number == 1 or not row:
                continue
            try:
                family, seed, index, evidence = row
                found[family, int(seed), int(index)] = evidence
            except ValueError:
                raise InputError(
                    f"{beside}, line {number}: a row is family, seed, index, evidence, not {','.join(row)!r}"
                ) from None
    return found


def _without_aged(dataset: Dataset, aged: Mapping[tuple[str, int, int], str]) -> Dataset:
    """Return the data set with what ages as rejected, unless it is already."""
    rejected = dataset.rejected.astype(object)
    names = zip(dataset.family.tolist(), dataset.seed.tolist(), dataset.index.tolist(), strict=True)
    for row, name in enumerate(names):
        if name in aged and not rejected[row]:
            rejected[row] = f"aged: {aged[name]}"
    return replace(dataset, rejected=rejected.astype(str))


def _h5py() -> Any:
    try:
        import h5py
    except ImportError as error:
        raise MissingDependencyError("data sets need h5py: pip install 'cginit[campaign]'") from error
    return h5py
