"""A refinement on disk: one folder an iteration, complete or absent."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cginit.configuration import Configuration
from cginit.curves import RDF, PairPotential, Provenance
from cginit.errors import InputError
from cginit.io import write_atomically
from cginit.refine.convergence import Distance
from cginit.refine.measurement import Measurement
from cginit.sampling import PairCounts
from cginit.units import unit_system

__all__ = ["FORMAT_VERSION", "Iteration", "Store", "fingerprint"]

#: Version of the layout of a work directory; raised when a file changes its meaning.
FORMAT_VERSION = 2


@dataclass(frozen=True, eq=False)
class Iteration:
    """One simulation of a refinement and what it showed.

    Attributes
    ----------
    index : int
        0 for the simulation of the start potential.
    potential : PairPotential
        The potential that was simulated.
    rdf : RDF
        Its g(r) with errors, on the grid of the target.
    final : Configuration
        Its last configuration.
    distance : Distance
        g(r) against the target up to the cut-off.
    pressure, pressure_error : float
        In the units of the potential.
    warnings : tuple of str
        What `cginit.sampling.examine` found.
    engine : str
        Engine and version.
    seed, steps : int
        Seed of the run and the steps it took.
    seconds, engine_seconds : float
        Wall time of the iteration, and of the engine's integration in it.
    counts : PairCounts or None
        Pairs of every configuration, for fluctuations and reweighting.
    complete : bool
        Whether the simulation had its full length; one far from the target is ended early.
    skipped : int
        Updates judged by reweighting since the simulation before: simulations that were not needed.
    remarks : tuple of str
        What was done to make it run.
    """

    index: int
    potential: PairPotential
    rdf: RDF
    final: Configuration
    distance: Distance
    pressure: float
    pressure_error: float
    warnings: tuple[str, ...]
    engine: str
    seed: int
    steps: int
    seconds: float
    engine_seconds: float
    counts: PairCounts | None = None
    complete: bool = True
    skipped: int = 0
    remarks: tuple[str, ...] = ()

    @property
    def homogeneous(self) -> bool:
        """Whether it was one homogeneous fluid; one that still drifts is."""
        return not any(text.startswith(("inhomogeneous", "crystal")) for text in self.warnings)

    @property
    def is_noise(self) -> bool:
        """Whether it had its full length and differs from the target by noise only."""
        return self.complete and self.distance.is_noise

    @property
    def measurement(self) -> Measurement:
        """What an update may use of it."""
        return Measurement(
            self.potential,
            self.rdf,
            self.final.n,
            self.pressure,
            self.pressure_error,
            self.counts,
            healthy=self.homogeneous,
        )


_SCALARS = ("index", "pressure", "pressure_error", "engine", "seed", "steps", "seconds", "engine_seconds")


def fingerprint(**parts: object) -> dict[str, str]:
    """Return a printable identity of each part; arrays and curves by the hash of their bytes."""
    return {name: _identity(value) for name, value in sorted(parts.items())}


def _identity(value: object) -> str:
    if isinstance(value, RDF):
        return _digest(value.r, value.g, value.error) + f" ({value.units.name})"
    if isinstance(value, PairPotential):
        return _digest(value.r, value.u) + f" ({value.units.name})"
    if isinstance(value, Configuration):
        return _digest(value.positions, value.box) + f" ({value.units.name})"
    return repr(value)


def _digest(*arrays: object) -> str:
    whole = hashlib.sha256()
    for array in arrays:
        if array is not None:
            whole.update(np.ascontiguousarray(np.asarray(array, dtype=np.float64)).tobytes())
    return "sha256:" + whole.hexdigest()[:16]


class Store:
    """The work directory of one refinement.

    Nothing is written by the constructor. ``iteration_003`` exists only when all of its files do: an iteration
    is made in ``iteration_003.partial``, which a resumed run removes, and renamed when it is complete.

    Parameters
    ----------
    folder : Path
        The work directory.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def open(self, identity: dict[str, str], target: RDF) -> list[Iteration]:
        """Create the folder or continue in it; return the complete iterations that it holds.

        A copy of the target is kept, so that the folder tells the whole story.

        Raises
        ------
        InputError
            If the folder belongs to a refinement of another target, state, start, engine or seed.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        settings = self.folder / "refinement.json"
        if settings.exists():
            found = json.loads(settings.read_text())
            if found.get("format_version") != FORMAT_VERSION:
                raise InputError(
                    f"{self.folder} has format {found.get('format_version')}, this cginit writes {FORMAT_VERSION}; "
                    "use a new --workdir"
                )
            differing = sorted(k for k in identity if found["identity"].get(k) != identity[k])
            if differing:
                details = "; ".join(
                    f"{k}: {found['identity'].get(k)} there, {identity[k]} here" for k in differing
                )
                raise InputError(
                    f"{self.folder} holds another refinement ({details}); use the same settings to go on with it, "
                    "or a new --workdir"
                )
        else:
            arrays = {"r": target.r, "g": target.g}
            if target.error is not None:
                arrays["error"] = target.error
            _save_arrays(self.folder / "target.npz", units=np.array(target.units.name), **arrays)
            # Written last: a folder with settings is one that can be continued.
            _write_json({"format_version": FORMAT_VERSION, "identity": identity}, settings)
        for leftover in self.folder.glob("*.partial"):
            shutil.rmtree(leftover)
        return self.read()

    def read(self) -> list[Iteration]:
        """Return the complete iterations without changing anything on disk.

        Raises
        ------
        InputError
            If the folder holds no refinement.
        """
        if not (self.folder / "refinement.json").exists():
            raise InputError(f"{self.folder} holds no refinement; give the --workdir of cg-init refine")
        done: list[Iteration] = []
        while (path := self._path(len(done))).is_dir():
            done.append(_read_iteration(path))
        return done

    def target(self) -> RDF:
        """Return the target that the refinement was started with."""
        with np.load(self.folder / "target.npz", allow_pickle=False) as data:
            return RDF(data["r"], data["g"], data.get("error"), units=unit_system(str(data["units"])))

    def prepare(self, index: int) -> Path:
        """Return the empty folder in which iteration `index` is to be made."""
        partial = self._path(index).with_suffix(".partial")
        if partial.exists():
            shutil.rmtree(partial)
        partial.mkdir()
        return partial

    def commit(self, iteration: Iteration) -> Iteration:
        """Write the results of an iteration beside the engine's files and make the folder complete.

        The trajectory is removed: pair counts and the last configuration are what remains of it. What is
        returned was read back from disk, so that a resumed refinement goes on from the very same bits.
        """
        partial = self._path(iteration.index).with_suffix(".partial")
        for name in ("trajectory.*", "frames.npy"):
            for trajectory in partial.glob(f"engine*/{name}"):
                trajectory.unlink()
        _write_iteration(iteration, partial)
        _sync(partial)
        partial.rename(self._path(iteration.index))
        _sync(self.folder)
        return _read_iteration(self._path(iteration.index))

    def _path(self, index: int) -> Path:
        return self.folder / f"iteration_{index:03d}"


def _write_iteration(iteration: Iteration, folder: Path) -> None:
    p, g = iteration.potential, iteration.rdf
    arrays = {
        "potential_r": p.r,
        "potential_u": p.u,
        "potential_f": p.f,
        "rdf_r": g.r,
        "rdf_g": g.g,
        "final_positions": iteration.final.positions,
        "final_box": iteration.final.box,
    }
    if p.u_error is not None:
        arrays["potential_u_error"] = p.u_error
    if g.error is not None:
        arrays["rdf_error"] = g.error
    _save_arrays(folder / "curves.npz", **arrays)
    if iteration.counts is not None:
        c = iteration.counts
        _save_arrays(
            folder / "counts.npz", r=c.r, counts=c.counts, beads=np.array(c.beads), volume=np.array(c.volume)
        )
    summary = {name: getattr(iteration, name) for name in _SCALARS}
    summary |= {
        "format_version": FORMAT_VERSION,
        "units": p.units.name,
        "distance": asdict(iteration.distance),
        "warnings": list(iteration.warnings),
        "complete": iteration.complete,
        "skipped": iteration.skipped,
        "remarks": list(iteration.remarks),
        "notes": list(p.notes),
        "r_core": p.r_core,
        "provenance": None if p.provenance is None else asdict(p.provenance),
    }
    _write_json(summary, folder / "iteration.json")


def _read_iteration(folder: Path) -> Iteration:
    summary = json.loads((folder / "iteration.json").read_text())
    units = summary["units"]
    with np.load(folder / "curves.npz", allow_pickle=False) as curves:
        potential = PairPotential(
            curves["potential_r"],
            curves["potential_u"],
            curves["potential_f"],
            curves.get("potential_u_error"),
            tuple(summary["notes"]),
            r_core=summary["r_core"],
            provenance=None if summary["provenance"] is None else Provenance(**summary["provenance"]),
            units=units,
        )
        rdf = RDF(curves["rdf_r"], curves["rdf_g"], curves.get("rdf_error"), units=units)
        final = Configuration(curves["final_positions"], curves["final_box"], units=units)
    counts: PairCounts | None = None
    if (folder / "counts.npz").exists():
        with np.load(folder / "counts.npz", allow_pickle=False) as data:
            counts = PairCounts(
                data["r"], data["counts"], int(data["beads"]), float(data["volume"]), potential.units
            )
    # What format 1 did not have keeps its default.
    later = {name: summary[name] for name in ("complete", "skipped") if name in summary}
    return Iteration(
        **later,
        remarks=tuple(summary.get("remarks", ())),
        counts=counts,
        potential=potential,
        rdf=rdf,
        final=final,
        distance=Distance(**summary["distance"]),
        warnings=tuple(summary["warnings"]),
        **{name: summary[name] for name in _SCALARS},
    )


def _save_arrays(path: Path, **arrays: Any) -> None:
    with path.open("wb") as stream:
        np.savez_compressed(stream, **arrays)
        stream.flush()
        os.fsync(stream.fileno())


def _write_json(content: object, path: Path) -> None:
    write_atomically(path, json.dumps(content, indent=1) + "\n")


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
