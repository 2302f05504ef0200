"""The files of simulated state points: one small file each while they are made, one HDF5 file to ship."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from cginit.atomic import write_arrays
from cginit.campaign.records import GRID_END, GRID_STEP, Dataset, MoleculeDataset, MoleculeRecord, Record
from cginit.errors import InputError, MissingDependencyError
from cginit.io import write_atomically

__all__ = [
    "GRID_END",
    "GRID_STEP",
    "AnyDataset",
    "AnyRecord",
    "Dataset",
    "MoleculeDataset",
    "MoleculeRecord",
    "Record",
    "aged_states",
    "join",
    "load",
    "load_any",
    "load_molecules",
    "merge",
    "read_record",
    "save",
    "write_record",
]

#: End of the name of the list of state points that age, beside a data set.
AGED = ".aged.csv"
#: The family of molecules.
MOLECULES = "m"
#: Of either kind.
AnyRecord = Record | MoleculeRecord
AnyDataset = Dataset | MoleculeDataset
Kind = TypeVar("Kind", Dataset, MoleculeDataset)

#: Kinds of data sets.
DATASETS: tuple[type[AnyDataset], ...] = (Dataset, MoleculeDataset)


def _kind_of(record: AnyRecord | str) -> type[AnyDataset]:
    """Return the data set of a record, or of a family."""
    family = record if isinstance(record, str) else record.family
    return MoleculeDataset if family == MOLECULES else Dataset


def write_record(record: AnyRecord, path: Path) -> None:
    """Write one record as ``.npz``, whole or not at all."""
    columns = {f.name: getattr(record, f.name) for f in fields(record)}
    write_arrays(path, {"format_version": np.int64(_kind_of(record).version), **columns})


def read_record(path: Path) -> AnyRecord:
    """Read one record; InputError if the file is of another version."""
    with np.load(path, allow_pickle=False) as data:
        version, kind = int(data["format_version"]), _kind_of(str(data["family"]))
        if version != kind.version:
            raise InputError(f"{path} has format {version}, this cginit reads {kind.version}")
        values = {f.name: data[f.name] for f in fields(kind.record)}
    found: AnyRecord = kind.record(**{k: v if v.ndim else v.item() for k, v in values.items()})
    return found


def merge(records: Sequence[AnyRecord]) -> AnyDataset:
    """Join records into columns, sorted by family, seed and index.

    Raises
    ------
    InputError
        If there are none, they are of beads and of molecules, or their grids of r differ.
    """
    if not records:
        raise InputError("there is no record to merge; simulate some state points first")
    kind = _kind_of(records[0])
    if any(_kind_of(x) is not kind for x in records):
        raise InputError("records of beads and of molecules have other columns; merge them into two files")
    ordered = sorted(records, key=lambda x: (x.family, x.seed, x.index))
    r = ordered[0].r
    if any(x.r.shape != r.shape or not np.allclose(x.r, r, atol=1e-9) for x in ordered):
        raise InputError("the records do not share one grid of r; they come from different campaigns")
    columns = {
        f.name: np.array([getattr(x, f.name) for x in ordered]) for f in fields(kind.record) if f.name != "r"
    }
    return kind(r=r, **columns)


def join(parts: Sequence[AnyDataset]) -> AnyDataset:
    """Return the rows of all parts, sorted; of a state point that occurs twice the first.

    Raises
    ------
    InputError
        If there is no part, they are of beads and of molecules, or their grids differ.
    """
    if not parts:
        raise InputError("there is nothing to join")
    kind = type(parts[0])
    if any(type(part) is not kind for part in parts):
        raise InputError("data sets of beads and of molecules have other columns; join them into two files")
    r = parts[0].r
    if any(part.r.shape != r.shape or not np.allclose(part.r, r, atol=1e-6) for part in parts):
        raise InputError("the data sets do not share one grid of r")
    columns = {
        f.name: np.concatenate([getattr(part, f.name) for part in parts])
        for f in fields(kind)
        if f.name != "r"
    }
    names: dict[tuple[str, int, int], int] = {}
    for row, name in enumerate(zip(columns["family"], columns["seed"], columns["index"], strict=True)):
        names.setdefault((str(name[0]), int(name[1]), int(name[2])), row)
    rows = np.array([names[name] for name in sorted(names)])
    return kind(r=r, **{name: values[rows] for name, values in columns.items()})


def save(dataset: AnyDataset, path: Path) -> None:
    """Write the columns as HDF5 (gzip, curves in float32), whole or not at all.

    Raises
    ------
    MissingDependencyError
        If h5py is not installed.
    """
    h5py = _h5py()
    content = BytesIO()
    with h5py.File(content, "w", track_order=True) as file:
        file.attrs["format"] = dataset.kind
        file.attrs["format_version"] = dataset.version
        file.attrs["units"] = "lengths in sigma, energies in kT"
        for name, values in dataset.arrays().items():
            if values.dtype.kind == "U":
                file.create_dataset(name, data=values.astype(object), dtype=h5py.string_dtype())
                continue
            if values.ndim > 1 and values.dtype.kind == "f":
                values = values.astype(np.float32)
            # Timestamps would make two equal data sets differ in their bytes.
            file.create_dataset(name, data=values, compression="gzip", shuffle=True, track_times=False)
    write_atomically(path, content.getvalue())


def load(path: Path, *, aged: bool = False) -> Dataset:
    """Read a data set of beads written by `save`.

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
    return _only(Dataset, load_any(path, aged=aged), path, "loose beads")


def load_molecules(path: Path, *, aged: bool = False) -> MoleculeDataset:
    """Read a data set of molecules written by `save`; see `load`.

    Raises
    ------
    InputError
        If the file is not one, or is of another version, or the list beside it is none.
    MissingDependencyError
        If h5py is not installed.
    """
    wanted = "molecules (cg-init dataset generate --family m)"
    return _only(MoleculeDataset, load_any(path, aged=aged), path, wanted)


def _only(kind: type[Kind], found: AnyDataset, path: Path, wanted: str) -> Kind:
    """Refuse a data set of the other kind."""
    if not isinstance(found, kind):
        raise InputError(f"{path} is a {found.kind}; give one of {wanted}")
    return found


def load_any(path: Path, *, aged: bool = False) -> AnyDataset:
    """Read a data set of either kind; see `load`."""
    h5py = _h5py()
    with h5py.File(path, "r") as file:
        version, name = file.attrs.get("format_version"), file.attrs.get("format")
        kind = next((one for one in DATASETS if one.kind == name), Dataset)
        if name != kind.kind or version != kind.version:
            raise InputError(f"{path} is not a {kind.kind} of format {kind.version} (found {version})")
        columns = {f.name: _column(file[f.name]) for f in fields(kind)}
    dataset = kind(**columns)
    return dataset if aged else _without_aged(dataset, aged_states(path))


def _column(values: Any) -> NDArray[Any]:
    """Return a column of a file: strings, integers, or real numbers."""
    if values.dtype.kind == "O":
        return np.asarray(values.asstr()[:].astype(str))
    return np.asarray(values[:].astype(np.int64 if values.dtype.kind in "iu" else np.float64))


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


def _without_aged(dataset: AnyDataset, aged: Mapping[tuple[str, int, int], str]) -> AnyDataset:
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
