"""The refinement of a mixture on disk: one folder an iteration, complete or absent."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cginit.configuration import Configuration
from cginit.curves import RDF, PairPotential
from cginit.errors import InputError
from cginit.io import write_atomically
from cginit.mixture import Pair
from cginit.refine.convergence import Distance

__all__ = ["MixtureIteration", "MixtureStore"]

_FORMAT, _VERSION = "cginit mixture refinement", 1


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

    @property
    def lmse(self) -> float:
        """Mean squared difference of all pairs."""
        return float(np.mean([one.lmse for one in self.distances.values()]))

    @property
    def is_noise(self) -> bool:
        """Whether every pair differs from its target by noise only."""
        return all(one.is_noise for one in self.distances.values())


class MixtureStore:
    """The work directory of the refinement of a mixture.

    ``iteration_003`` exists only when all of its files do: it is made in ``iteration_003.partial`` and renamed.

    Parameters
    ----------
    folder : Path
        The work directory.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def open(self, identity: dict[str, str]) -> list[MixtureIteration]:
        """Create the folder or continue in it; return the complete iterations that it holds.

        Raises
        ------
        InputError
            If the folder belongs to another refinement.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / "mixture.json"
        content = {"format": _FORMAT, "version": _VERSION, "identity": identity}
        if file.exists():
            found = json.loads(file.read_text())
            known = found.get("identity", {})
            if found != content:
                differing = [name for name in identity if known.get(name) != identity[name]] or ["version"]
                raise InputError(
                    f"{self.folder} holds another refinement (other {', '.join(differing)}); use the same settings "
                    "to go on with it, or a new --workdir"
                )
        else:
            write_atomically(file, json.dumps(content, indent=1) + "\n")
        for leftover in self.folder.glob("*.partial"):
            shutil.rmtree(leftover)
        history: list[MixtureIteration] = []
        while (path := self._path(len(history))).is_dir():
            history.append(_read(path))
        return history

    def prepare(self, index: int) -> Path:
        """Return the empty folder in which iteration `index` is to be made."""
        partial = self._path(index).with_suffix(".partial")
        if partial.exists():
            shutil.rmtree(partial)
        partial.mkdir()
        return partial

    def commit(self, iteration: MixtureIteration) -> MixtureIteration:
        """Write an iteration without its trajectory, and return it as read back from disk."""
        partial = self._path(iteration.index).with_suffix(".partial")
        for name in ("trajectory.*", "frames.npy"):
            for trajectory in partial.glob(f"engine*/{name}"):
                trajectory.unlink()
        _write(iteration, partial)
        partial.rename(self._path(iteration.index))
        return _read(self._path(iteration.index))

    def _path(self, index: int) -> Path:
        return self.folder / f"iteration_{index:03d}"


def _write(iteration: MixtureIteration, folder: Path) -> None:
    final = iteration.final
    arrays: dict[str, Any] = {"types": final.types, "positions": final.positions, "box": final.box}
    for pair, potential in iteration.potentials.items():
        name, g = "|".join(pair), iteration.rdfs[pair]
        arrays |= {f"{name}|r": potential.r, f"{name}|u": potential.u, f"{name}|f": potential.f}
        arrays |= {f"{name}|g_r": g.r, f"{name}|g": g.g}
        if g.error is not None:
            arrays[f"{name}|g_error"] = g.error
    with (folder / "curves.npz").open("wb") as stream:
        np.savez_compressed(stream, **arrays)
    summary = {
        "units": iteration.final.units.name,
        "species": list(iteration.final.species),
        "distances": {"|".join(pair): asdict(one) for pair, one in iteration.distances.items()},
        "notes": {"|".join(pair): list(one.notes) for pair, one in iteration.potentials.items()},
        "r_core": {"|".join(pair): one.r_core for pair, one in iteration.potentials.items()},
    }
    for name in ("index", "pressure", "pressure_error", "warnings", "update", "steps", "seconds"):
        summary[name] = getattr(iteration, name)
    write_atomically(folder / "iteration.json", json.dumps(summary, indent=1) + "\n")


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
        final = Configuration(
            data["positions"],
            data["box"],
            units=units,
            types=data["types"],
            species=tuple(summary["species"]),
        )
    return MixtureIteration(
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
    )
