"""One simulated state point, and many of them as columns: of beads, and of molecules."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Self, cast

import numpy as np
from numpy.typing import NDArray

from cginit.curves import Array

__all__ = ["GRID_END", "GRID_STEP", "Columns", "Dataset", "MoleculeDataset", "MoleculeRecord", "Record"]

#: Common grid of g in sigma. A record ends at half its box, with NaN beyond, and reaches at least 5 sigma.
GRID_STEP, GRID_END = 0.05, 10.0


@dataclass(frozen=True, eq=False)
class Record:
    """One simulated state point, in sigma and kT.

    Attributes
    ----------
    family : str
        Generator of the potential; ``a`` is the published recipe, ``b`` potentials as beads have
        them, ``c`` dense liquids.
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
class MoleculeRecord:
    """One simulated state point of molecules, in sigma, kT and rad. Rows of pairs stand in the order A-A, A-B, ...

    Attributes
    ----------
    family, seed, index, split, pressure, pressure_error, n, steps, run_seed, engine, seconds, s_k_min, rejected
        As of `Record`; `seed` names the molecule.
    density : float
        Of all beads, rho sigma^3.
    molecules, solvent : int
        Molecules, and single beads of the last type.
    species : int
        Bead types.
    types : ndarray of int, shape (10,)
        Type of each bead of a molecule; -1 after the last.
    bonds : ndarray of int, shape (10, 2)
        Bonds of a molecule; -1 after the last.
    exclusions : str
        Pairs without a pair potential, as of `cginit.topology.Topology`.
    bond_length, bond_stiffness : ndarray, shape (6,)
        Of the bonds of each pair of types; NaN where there is none.
    angle, angle_stiffness, torsion : float
        As of `cginit.campaign.molecules.Bonded`.
    r_cut : ndarray, shape (6,)
        Cut-off of each pair; NaN where there is no such pair.
    u : ndarray, shape (6, 201)
        The pair potentials as simulated, on [0, r_cut].
    r : ndarray, shape (k,)
        Common grid.
    g, g_error : ndarray, shape (6, k)
        g(r) between different molecules with standard errors; NaN beyond half the box, and without such a pair.
    peak_error : ndarray, shape (6,)
        As of `Record`.
    positions : ndarray, shape (b, 3)
        Beads at the end of the run, broken over the box or not: the shapes of the molecules. NaN after the last.
    """

    family: str
    seed: int
    index: int
    split: str
    density: float
    molecules: int
    solvent: int
    species: int
    types: NDArray[np.int64]
    bonds: NDArray[np.int64]
    exclusions: str
    bond_length: Array
    bond_stiffness: Array
    angle: float
    angle_stiffness: float
    torsion: float
    r_cut: Array
    u: Array
    r: Array
    g: Array
    g_error: Array
    peak_error: Array
    positions: Array
    pressure: float
    pressure_error: float
    n: int
    steps: int
    run_seed: int
    engine: str
    seconds: float
    s_k_min: float
    rejected: str


class Columns:
    """What data sets share, whose every field is that of a record with one more leading axis, but for a common r.

    Attributes
    ----------
    record : type
        Of one row.
    kind, version : str, int
        Of the file.
    """

    record: ClassVar[type]
    kind: ClassVar[str]
    version: ClassVar[int]

    family: NDArray[np.str_]
    seed: NDArray[np.int64]
    index: NDArray[np.int64]
    split: NDArray[np.str_]
    density: Array
    r: Array
    seconds: Array
    rejected: NDArray[np.str_]

    def __len__(self) -> int:
        return int(self.seed.size)

    def arrays(self) -> dict[str, Any]:
        """Return all columns by name, in the order of the file."""
        return {f.name: getattr(self, f.name) for f in fields(cast(Any, self))}

    def select(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> Self:
        """Return the chosen rows."""
        kept = {name: x if name == "r" else x[rows] for name, x in self.arrays().items()}
        return type(self)(**kept)

    def records(self) -> Iterator[Any]:
        """Yield the rows one by one."""
        for row in range(len(self)):
            values = {name: x if name == "r" else x[row] for name, x in self.arrays().items()}
            yield self.record(**{k: v if np.ndim(v) else v.item() for k, v in values.items()})

    @property
    def accepted(self) -> NDArray[np.bool_]:
        """Which rows are homogeneous fluids in equilibrium."""
        return np.asarray(self.rejected == "")


@dataclass(frozen=True, eq=False)
class Dataset(Columns):
    """Many records as columns: every field of `Record` with one more leading axis, and one common ``r``.

    `family`, `split`, `engine`, `screened` and `rejected` are strings. Curves are float64 in memory and float32
    on disk.
    """

    record, kind, version = Record, "cginit dataset", 2

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


@dataclass(frozen=True, eq=False)
class MoleculeDataset(Columns):
    """Many records of molecules as columns, as `Dataset` holds those of loose beads."""

    record, kind, version = MoleculeRecord, "cginit dataset of molecules", 1

    family: NDArray[np.str_]
    seed: NDArray[np.int64]
    index: NDArray[np.int64]
    split: NDArray[np.str_]
    density: Array
    molecules: NDArray[np.int64]
    solvent: NDArray[np.int64]
    species: NDArray[np.int64]
    types: NDArray[np.int64]
    bonds: NDArray[np.int64]
    exclusions: NDArray[np.str_]
    bond_length: Array
    bond_stiffness: Array
    angle: Array
    angle_stiffness: Array
    torsion: Array
    r_cut: Array
    u: Array
    r: Array
    g: Array
    g_error: Array
    peak_error: Array
    positions: Array
    pressure: Array
    pressure_error: Array
    n: NDArray[np.int64]
    steps: NDArray[np.int64]
    run_seed: NDArray[np.int64]
    engine: NDArray[np.str_]
    seconds: Array
    s_k_min: Array
    rejected: NDArray[np.str_]
