"""A refinement on disk: one folder a simulation, complete or absent. It goes on with folders of format 2."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np

from cginit._version import __version__
from cginit.bonded import BondedPotential, Distribution
from cginit.configuration import Configuration
from cginit.curves import RDF, PairPotential
from cginit.errors import InputError
from cginit.refine.record import Record, Round
from cginit.refine.stored_curves import (
    read_estimate,
    read_record,
    read_target,
    write_estimate,
    write_record,
    write_target,
)
from cginit.refine.stored_molecules import read_topology
from cginit.refine.whole_files import write_json
from cginit.refine.workdir import WorkDir
from cginit.target import BEAD, Target
from cginit.topology import Topology

__all__ = ["FORMAT_VERSION", "End", "Store", "fingerprint"]

#: Version of the layout of a work directory; raised when a file changes its meaning.
FORMAT_VERSION = 3
#: The one before, whose folders can be continued.
OLD_VERSION = 2
SETTINGS, TARGET = "refinement.json", "target.npz"
#: What says so in folders of format 2: of one species, of a mixture.
OLD_SETTINGS = (SETTINGS, "mixture.json")
#: How folders of format 2 name the curves of one species, and what they put in other words.
OLD_NAMES = {"target": f"target of {BEAD}-{BEAD}", "potential": f"potential of {BEAD}-{BEAD}"}
OTHER_WORDS = ("state", "update", "kT", "densities", "weights", "index", "start")
#: The last potentials, where reweighting has judged them.
REWEIGHTED = "reweighted.npz"
#: How the last run ended; gone while another goes on.
END = "end.json"


@dataclass(frozen=True)
class End:
    """How a refinement ended.

    Attributes
    ----------
    why : str
        Name of the `cginit.refine.stop.Reason`.
    converged : bool
        Whether what was wanted is reached.
    sentence : str
        Why it stopped and what would help, in words.
    best : int
        Index of the round whose potentials are the result; of the one that was reweighted where they were.
    version : str
        Version of cginit that ran it.
    """

    why: str
    converged: bool
    sentence: str
    best: int
    version: str = __version__


def fingerprint(parts: Mapping[str, object]) -> dict[str, str]:
    """Return a printable identity of each part; arrays and curves by the hash of their bytes."""
    return {name: _identity(value) for name, value in sorted(parts.items())}


def _identity(value: object) -> str:
    if isinstance(value, RDF):
        return _digest(value.r, value.g, value.error) + f" ({value.units.name})"
    if isinstance(value, PairPotential):
        return _digest(value.r, value.u) + f" ({value.units.name})"
    if isinstance(value, Distribution):
        return _digest(value.x, value.p, value.error) + f" ({value.units.name})"
    if isinstance(value, BondedPotential):
        return _digest(value.x, value.u) + f" ({value.units.name})"
    if isinstance(value, Topology):
        names = ", ".join((*value.species, *map(str, value.terms), value.exclusions))
        return _digest(value.types, value.molecules, value.listed, *value.terms.values()) + f" ({names})"
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

    With one state it holds ``iteration_000``, ``iteration_001``, ...; with several each state has a folder
    ``state_0``, ``state_1``, ... of such. Nothing is written by the constructor.

    Parameters
    ----------
    folder : Path
        The work directory.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._places = [_place(folder)]
        while (place := folder / f"state_{len(self._places) - 1}").is_dir():
            self._places.append(_place(place))
        if len(self._places) > 1:
            del self._places[0]

    @property
    def exists(self) -> bool:
        """Whether the folder holds a refinement, of this format or of the one before."""
        return all(place.exists for place in self._places)

    def open(self, identities: Sequence[dict[str, str]], targets: Sequence[Target]) -> list[Round]:
        """Create the folder or continue in it; return the complete rounds that it holds.

        A copy of each target is kept, so that the folder tells the whole story. The records of a round that was not
        completed in all states are found by `kept`. From here to `close` no other run can use the folder.

        Parameters
        ----------
        identities : sequence of dict
            What the refinement is, as each state sees it; see `fingerprint`.
        targets : sequence of Target
            One a state.

        Raises
        ------
        InputError
            If the folder belongs to another refinement, or another run uses it.
        """
        folders = [self.folder]
        if len(targets) > 1:
            folders = [self.folder / f"state_{number}" for number in range(len(targets))]
        self._places = []
        for folder, identity, target in zip(folders, identities, targets, strict=True):
            _adopt(folder, identity, target)
            self._places.append(_place(folder))
            self._places[-1].claim(identity, partial(write_target, target, folder / TARGET))
        (self.folder / END).unlink(missing_ok=True)
        return self.rounds()

    def close(self) -> None:
        """Let other runs use the folder."""
        for place in self._places:
            place.close()

    def rounds(self) -> list[Round]:
        """Return the rounds that are complete in all states, without changing anything on disk.

        Raises
        ------
        InputError
            If the folder holds no refinement.
        """
        self._check()
        states = [
            [read_record(path, topology) for path in place.complete()]
            for place, topology in zip(self._places, self._topologies(), strict=True)
        ]
        return list(zip(*states, strict=False))

    def folder_of(self, state: int) -> Path:
        """Return the folder of a state."""
        return self._places[state].folder

    def kept(self, state: int, index: int) -> Record | None:
        """Return the record of one state in a round that was not completed, where it is there."""
        path = self._places[state].path(index)
        return read_record(path, self._topologies()[state]) if path.is_dir() else None

    def targets(self) -> tuple[Target, ...]:
        """Return the targets that the refinement was started with.

        Raises
        ------
        InputError
            If the folder holds no refinement.
        """
        self._check()
        return tuple(read_target(place.folder / TARGET) for place in self._places)

    def prepare(self, state: int, index: int) -> Path:
        """Return the empty folder in which a simulation is to be made."""
        return self._places[state].prepare(index)

    def commit(self, state: int, record: Record) -> Record:
        """Keep a record, without its trajectory, and return it.

        What is returned was read back from disk, so that a resumed refinement goes on from the very same bits.
        """
        # A simulation counts more than what reweighting said before it.
        (self.folder / REWEIGHTED).unlink(missing_ok=True)
        done = self._places[state].finish(record.index, lambda folder: write_record(record, folder))
        return read_record(done, record.final.topology)

    def keep(self, estimate: Round, skipped: int) -> None:
        """Keep the last potentials where reweighting has judged them; the loop itself finds them again without."""
        write_estimate(self.folder / REWEIGHTED, estimate, skipped)

    def estimate(self) -> Round | None:
        """Return what `keep` has kept, with the number of updates as `skipped`."""
        path = self.folder / REWEIGHTED
        return read_estimate(path, self.rounds()[-1]) if path.exists() else None

    def end(self, end: End) -> None:
        """Keep how the run ended, for those who look at the folder later."""
        write_json(asdict(end), self.folder / END)

    def ended(self) -> End | None:
        """Return what `end` has kept; None where no run came to an end, or another goes on."""
        try:
            kept = json.loads((self.folder / END).read_text(encoding="utf-8"))
            return End(
                str(kept["why"]),
                kept["converged"] is True,
                str(kept["sentence"]),
                int(kept["best"]),
                str(kept["version"]),
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def identities(self) -> tuple[dict[str, str], ...]:
        """Return what the refinement is, as each state sees it; see `fingerprint`."""
        return tuple(place.identity() for place in self._places)

    def _topologies(self) -> list[Topology | None]:
        """Return how the beads of each state are bonded, which its records do not repeat."""
        return [read_topology(place.folder / TARGET) for place in self._places]

    def _check(self) -> None:
        if not self.exists:
            raise InputError(f"{self.folder} holds no refinement; give the --workdir of cg-init refine")
        for place in self._places:
            place.check_whole()


def _place(folder: Path) -> WorkDir:
    old = _old_settings(folder)
    return WorkDir(folder, SETTINGS if old is None else old.name, FORMAT_VERSION)


def _old_settings(folder: Path) -> Path | None:
    """Return the settings of a folder of format 2; None where it has been adopted, or is no such."""
    found = [path for name in OLD_SETTINGS if (path := folder / name).exists()]
    versions = [_version(path) for path in found]
    if FORMAT_VERSION in versions or OLD_VERSION not in versions:
        return None
    return found[versions.index(OLD_VERSION)]


def _version(settings: Path) -> int:
    """Return the format that settings state; 0 where they are not whole, which `WorkDir` mends."""
    try:
        return int(json.loads(settings.read_text(encoding="utf-8"))["format_version"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0


def _adopt(folder: Path, identity: Mapping[str, str], target: Target) -> None:
    """Make a folder of format 2 one of this format, if it is of the same refinement as far as it can be told.

    Raises
    ------
    InputError
        If it is of another one.
    """
    settings = _old_settings(folder)
    if settings is None:
        return
    there = json.loads(settings.read_text())["identity"]
    renamed = {OLD_NAMES.get(name, name): value for name, value in there.items() if name not in OTHER_WORDS}
    for name, value in renamed.items():
        if name in identity and identity[name] != value:
            raise InputError(
                f"{folder} holds another refinement ({name}: {value} there, {identity[name]} here); use the same "
                "settings to go on with it, or a new --workdir"
            )
    write_target(target, folder / TARGET)
    write_json({"format_version": FORMAT_VERSION, "identity": dict(identity)}, folder / SETTINGS)
