"""A refinement on disk: one folder an iteration, complete or absent."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from cginit.configuration import Configuration
from cginit.curves import RDF, PairPotential, Provenance
from cginit.refine.convergence import Distance
from cginit.refine.measurement import Measurement, is_homogeneous
from cginit.refine.workdir import WorkDir, save_arrays, write_json
from cginit.sampling import PairCounts
from cginit.units import unit_system

__all__ = ["FORMAT_VERSION", "Iteration", "Reweighted", "Store", "fingerprint"]

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
    others : tuple of Configuration
        The last configurations of the other replicas.
    relaxed : int
        Steps that had to count as equilibration because g(r) still moved; see `cginit.refine.relaxation`.
    longer : float
        Steps of sampling in multiples of those of the schedule.
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
    others: tuple[Configuration, ...] = ()
    relaxed: int = 0
    longer: float = 1.0

    @property
    def homogeneous(self) -> bool:
        """Whether it was one homogeneous fluid; one that still drifts is."""
        return is_homogeneous(self.warnings)

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
            relaxed=self.relaxed,
            longer=self.longer,
        )


@dataclass(frozen=True, eq=False)
class Reweighted:
    """A last potential that reweighting has judged instead of a simulation.

    Attributes
    ----------
    potential : PairPotential
        The potential.
    rdf : RDF
        g(r) of the configurations of the last iteration, weighted for it.
    distance : Distance
        g(r) against the target up to the cut-off.
    skipped : int
        Updates that were judged so since the last simulation.
    """

    potential: PairPotential
    rdf: RDF
    distance: Distance
    skipped: int


_REWEIGHTED = "reweighted.npz"
_DISTANCE = ("chi2", "lmse", "integral", "largest")
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


class Store(WorkDir):
    """The work directory of one refinement.

    Parameters
    ----------
    folder : Path
        The work directory.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "refinement.json", FORMAT_VERSION)

    def open(self, identity: dict[str, str], target: RDF) -> list[Iteration]:
        """Create the folder or continue in it; return the complete iterations that it holds.

        A copy of the target is kept, so that the folder tells the whole story.

        Raises
        ------
        InputError
            If the folder belongs to a refinement of another target, state, start, engine or seed.
        """
        arrays = {"r": target.r, "g": target.g}
        if target.error is not None:
            arrays["error"] = target.error
        units = np.array(target.units.name)
        self.claim(identity, lambda: save_arrays(self.folder / "target.npz", units=units, **arrays))
        return self.read()

    def read(self) -> list[Iteration]:
        """Return the complete iterations without changing anything on disk.

        Raises
        ------
        InputError
            If the folder holds no refinement.
        """
        return [_read_iteration(path) for path in self.complete()]

    def keep(self, last: Reweighted) -> None:
        """Keep the last potential where reweighting has judged it; the loop itself finds it again without."""
        p, g = last.potential, last.rdf
        arrays = {"r": p.r, "u": p.u, "f": p.f, "g_r": g.r, "g": g.g, "r_core": np.array(p.r_core)}
        if g.error is not None:
            arrays["g_error"] = g.error
        distance = np.array([asdict(last.distance)[name] for name in _DISTANCE])
        units, skipped = np.array(p.units.name), np.array(last.skipped)
        save_arrays(self.folder / _REWEIGHTED, units=units, skipped=skipped, distance=distance, **arrays)

    def reweighted(self) -> Reweighted | None:
        """Return what `keep` has kept."""
        if not (self.folder / _REWEIGHTED).exists():
            return None
        with np.load(self.folder / _REWEIGHTED, allow_pickle=False) as data:
            units = unit_system(str(data["units"]))
            return Reweighted(
                PairPotential(data["r"], data["u"], data["f"], r_core=float(data["r_core"]), units=units),
                RDF(data["g_r"], data["g"], data.get("g_error"), units=units),
                Distance(**dict(zip(_DISTANCE, data["distance"].tolist(), strict=True))),
                int(data["skipped"]),
            )

    def target(self) -> RDF:
        """Return the target that the refinement was started with."""
        with np.load(self.folder / "target.npz", allow_pickle=False) as data:
            return RDF(data["r"], data["g"], data.get("error"), units=unit_system(str(data["units"])))

    def commit(self, iteration: Iteration) -> Iteration:
        """Keep an iteration, without its trajectory, and return it.

        What is returned was read back from disk, so that a resumed refinement goes on from the very same bits.
        """
        # A simulation counts more than what reweighting said before it.
        (self.folder / _REWEIGHTED).unlink(missing_ok=True)
        return _read_iteration(
            self.finish(iteration.index, lambda folder: _write_iteration(iteration, folder))
        )


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
    if iteration.others:
        arrays["other_positions"] = np.array([one.positions for one in iteration.others])
    save_arrays(folder / "curves.npz", **arrays)
    if iteration.counts is not None:
        c = iteration.counts
        save_arrays(
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
        "relaxed": iteration.relaxed,
        "longer": iteration.longer,
        "remarks": list(iteration.remarks),
        "notes": list(p.notes),
        "r_core": p.r_core,
        "provenance": None if p.provenance is None else asdict(p.provenance),
    }
    write_json(summary, folder / "iteration.json")


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
        box = curves["final_box"]
        final = Configuration(curves["final_positions"], box, units=units)
        others = tuple(Configuration(one, box, units=units) for one in curves.get("other_positions", ()))
    counts: PairCounts | None = None
    if (folder / "counts.npz").exists():
        with np.load(folder / "counts.npz", allow_pickle=False) as data:
            counts = PairCounts(
                data["r"], data["counts"], int(data["beads"]), float(data["volume"]), potential.units
            )
    # What earlier versions did not write keeps its default.
    later = {name: summary[name] for name in ("complete", "skipped", "relaxed", "longer") if name in summary}
    return Iteration(
        **later,
        others=others,
        remarks=tuple(summary.get("remarks", ())),
        counts=counts,
        potential=potential,
        rdf=rdf,
        final=final,
        distance=Distance(**summary["distance"]),
        warnings=tuple(summary["warnings"]),
        **{name: summary[name] for name in _SCALARS},
    )
