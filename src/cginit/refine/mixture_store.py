"""The refinement of a mixture on disk: one folder an iteration, complete or absent."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from itertools import combinations_with_replacement
from pathlib import Path
from typing import Any

import numpy as np

from cginit.configuration import Configuration
from cginit.curves import RDF, PairPotential
from cginit.mixture import MixtureTarget, Pair
from cginit.refine.convergence import Distance
from cginit.refine.measurement import is_homogeneous
from cginit.refine.relaxation import best_simulation
from cginit.refine.workdir import WorkDir, save_arrays, write_json
from cginit.sampling import PairCounts
from cginit.units import unit_system

__all__ = ["MixtureIteration", "MixtureStore"]

#: Version of the layout; raised when a file changes its meaning.
FORMAT_VERSION = 2


@dataclass(frozen=True, eq=False)
class MixtureIteration:
    """One simulation of a mixture and what it showed.

    Attributes
    ----------
    index : int
        0 for the simulation of the start potentials.
    potentials : dict of pair to PairPotential
        As simulated.
    rdfs : dict of pair to RDF
        Their g(r) with errors, on the grid of the target.
    final : Configuration
        The last configuration.
    distances : dict of pair to Distance
        g(r) against the target up to each cut-off.
    pressure, pressure_error : float
        In the units of the potentials.
    warnings : tuple of str
        What `cginit.sampling.examine` found.
    update : str
        The rule that made the potentials; ``start`` for the first.
    steps : int
        Steps of the run.
    seconds : float
        Wall time.
    counts : dict of pair to PairCounts
        Pairs of every configuration, for their fluctuations and for reweighting.
    complete : bool
        Whether the simulation had its full length; one that is far from the target is ended early.
    skipped : int
        Updates before it that reweighting judged, without a simulation.
    others : tuple of Configuration
        The last configurations of the other replicas.
    remarks : tuple of str
        What went wrong on the way, and was mended.
    relaxed : int
        Steps that had to count as equilibration because g(r) still moved; see `cginit.refine.relaxation`.
    longer : float
        Steps of sampling in multiples of those of the schedule.
    """

    index: int
    potentials: dict[Pair, PairPotential]
    rdfs: dict[Pair, RDF]
    final: Configuration
    distances: dict[Pair, Distance]
    pressure: float
    pressure_error: float
    warnings: tuple[str, ...]
    update: str
    steps: int
    seconds: float
    counts: dict[Pair, PairCounts] = field(default_factory=dict)
    complete: bool = True
    skipped: int = 0
    others: tuple[Configuration, ...] = ()
    remarks: tuple[str, ...] = ()
    relaxed: int = 0
    longer: float = 1.0

    def distance(self, held: frozenset[Pair] = frozenset()) -> Distance:
        """Return the differences of all pairs as one: of `chi2` that of the worst pair that is not `held`."""
        free = [one for pair, one in self.distances.items() if pair not in held]
        return Distance(
            chi2=max(one.chi2 for one in free),
            lmse=self.lmse,
            integral=max(one.integral for one in free),
            largest=max(one.largest for one in free),
        )

    @property
    def homogeneous(self) -> bool:
        """Whether it was one homogeneous fluid; one that still drifts is."""
        return is_homogeneous(self.warnings)

    @property
    def lmse(self) -> float:
        """Mean squared difference of all pairs."""
        return float(np.mean([one.lmse for one in self.distances.values()]))


def best_of(history: Sequence[MixtureIteration]) -> int:
    """Return the index of the best simulation; see `cginit.refine.relaxation.best_simulation`."""
    return best_simulation(
        [item.relaxed for item in history],
        [item.homogeneous for item in history],
        [item.lmse for item in history],
    )


_SCALARS = (
    *("index", "pressure", "pressure_error", "warnings", "update", "steps", "seconds"),
    *("complete", "skipped", "remarks", "relaxed", "longer"),
)


class MixtureStore(WorkDir):
    """The work directory of the refinement of a mixture.

    Parameters
    ----------
    folder : Path
        The work directory.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "mixture.json", FORMAT_VERSION)

    def open(self, identity: dict[str, str], target: MixtureTarget) -> list[MixtureIteration]:
        """Create the folder or continue in it; return the complete iterations that it holds.

        A copy of the target is kept, so that the folder tells the whole story.

        Raises
        ------
        InputError
            If the folder belongs to another refinement.
        """
        self.claim(identity, lambda: _write_target(target, self.folder / "target.npz"))
        return self.read()

    def read(self) -> list[MixtureIteration]:
        """Return the complete iterations without changing anything on disk.

        Raises
        ------
        InputError
            If the folder holds no refinement of a mixture.
        """
        return [_read(path) for path in self.complete()]

    def target(self) -> MixtureTarget:
        """Return the target that the refinement was started with."""
        with np.load(self.folder / "target.npz", allow_pickle=False) as data:
            units = unit_system(str(data["units"]))
            species = [str(name) for name in data["species"]]
            rdfs = {
                (a, b): RDF(data[f"{a}|{b}|r"], data[f"{a}|{b}|g"], data.get(f"{a}|{b}|error"), units=units)
                for a, b in combinations_with_replacement(species, 2)
            }
            densities = dict(zip(species, data["densities"].tolist(), strict=True))
            return MixtureTarget(rdfs, densities, float(data["kT"]))

    def commit(self, iteration: MixtureIteration) -> MixtureIteration:
        """Keep an iteration, without its trajectory, and return it as read back from disk."""
        return _read(self.finish(iteration.index, lambda folder: _write(iteration, folder)))


def _write_target(target: MixtureTarget, path: Path) -> None:
    arrays: dict[str, Any] = {
        "units": np.array(target.units.name),
        "species": np.array(target.species),
        "densities": np.array(list(target.densities.values())),
        "kT": np.array(target.kT),
    }
    for (a, b), curve in target.rdfs.items():
        arrays |= {f"{a}|{b}|r": curve.r, f"{a}|{b}|g": curve.g}
        if curve.error is not None:
            arrays[f"{a}|{b}|error"] = curve.error
    save_arrays(path, **arrays)


def _write(iteration: MixtureIteration, folder: Path) -> None:
    final = iteration.final
    arrays: dict[str, Any] = {"types": final.types, "positions": final.positions, "box": final.box}
    for pair, potential in iteration.potentials.items():
        name, g = "|".join(pair), iteration.rdfs[pair]
        arrays |= {f"{name}|r": potential.r, f"{name}|u": potential.u, f"{name}|f": potential.f}
        arrays |= {f"{name}|g_r": g.r, f"{name}|g": g.g}
        if g.error is not None:
            arrays[f"{name}|g_error"] = g.error
    if iteration.others:
        arrays["other_positions"] = np.array([one.positions for one in iteration.others])
    save_arrays(folder / "curves.npz", **arrays)
    counts = iteration.counts
    if counts:
        kept = {"|".join(pair): one.counts for pair, one in counts.items()}
        first = next(iter(counts.values()))
        numbers = {f"{'|'.join(pair)}|pairs": np.array(one.pairs) for pair, one in counts.items()}
        save_arrays(folder / "counts.npz", r=first.r, volume=np.array(first.volume), **kept, **numbers)
    summary = {
        "units": iteration.final.units.name,
        "species": list(iteration.final.species),
        "distances": {"|".join(pair): asdict(one) for pair, one in iteration.distances.items()},
        "notes": {"|".join(pair): list(one.notes) for pair, one in iteration.potentials.items()},
        "r_core": {"|".join(pair): one.r_core for pair, one in iteration.potentials.items()},
    }
    for name in _SCALARS:
        summary[name] = getattr(iteration, name)
    write_json(summary, folder / "iteration.json")


def _read(folder: Path) -> MixtureIteration:
    summary = json.loads((folder / "iteration.json").read_text())
    units = summary["units"]
    potentials, rdfs, distances = {}, {}, {}
    with np.load(folder / "curves.npz", allow_pickle=False) as data:
        for name, values in summary["distances"].items():
            a, b = name.split("|")
            potentials[a, b] = PairPotential(
                data[f"{name}|r"],
                data[f"{name}|u"],
                data[f"{name}|f"],
                notes=tuple(summary["notes"][name]),
                r_core=summary["r_core"][name],
                units=units,
            )
            rdfs[a, b] = RDF(data[f"{name}|g_r"], data[f"{name}|g"], data.get(f"{name}|g_error"), units=units)
            distances[a, b] = Distance(**values)
        box, types, species = data["box"], data["types"], tuple(summary["species"])
        final, *others = (
            Configuration(positions, box, units=units, types=types, species=species)
            for positions in (data["positions"], *data.get("other_positions", ()))
        )
    counts = {}
    if (folder / "counts.npz").exists():
        with np.load(folder / "counts.npz", allow_pickle=False) as data:
            for a, b in potentials:
                numbers = data[f"{a}|{b}"], final.n, float(data["volume"]), final.units
                counts[a, b] = PairCounts(data["r"], *numbers, float(data[f"{a}|{b}|pairs"]))
    return MixtureIteration(
        counts=counts,
        index=summary["index"],
        potentials=potentials,
        rdfs=rdfs,
        final=final,
        distances=distances,
        pressure=summary["pressure"],
        pressure_error=summary["pressure_error"],
        warnings=tuple(summary["warnings"]),
        update=summary["update"],
        steps=summary["steps"],
        seconds=summary["seconds"],
        # What the first folders of this format did not have.
        complete=summary.get("complete", True),
        skipped=summary.get("skipped", 0),
        remarks=tuple(summary.get("remarks", ())),
        relaxed=summary.get("relaxed", 0),
        longer=summary.get("longer", 1.0),
        others=tuple(others),
    )
