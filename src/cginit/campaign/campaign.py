"""A campaign on disk: which potentials, how precisely; its records lie beside it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cginit.campaign.dataset import AnyDataset
from cginit.campaign.families import FAMILIES, NamedTask, plan
from cginit.campaign.molecules import FAMILY as MOLECULES
from cginit.campaign.molecules import molecule_plan
from cginit.campaign.records import Dataset
from cginit.errors import InputError
from cginit.io import write_atomically

__all__ = ["Batch", "Campaign", "ScreenReport", "counts", "screen_report"]

FILE = "campaign.json"
_FORMAT, _VERSION = "cginit campaign", 1


@dataclass(frozen=True)
class Batch:
    """Consecutive potentials of one family: the integers ``first`` to ``first + count - 1``."""

    family: str
    first: int
    count: int

    @property
    def tasks(self) -> Sequence[NamedTask]:
        """The state points of these potentials, or molecules."""
        seeds = range(self.first, self.first + self.count)
        return molecule_plan(seeds) if self.family == MOLECULES else plan(self.family, seeds)


@dataclass(frozen=True)
class Campaign:
    """What a folder of records is to hold.

    Attributes
    ----------
    batches : tuple of Batch
        Potentials, in any number of parts.
    precision : float or None
        Aim for the relative standard error of g near its first peak; None for that of `simulate_state` or
        `simulate_molecules`.
    """

    batches: tuple[Batch, ...] = ()
    precision: float | None = None

    def with_batch(self, batch: Batch) -> Campaign:
        """Return the campaign with more potentials; those that it has already count once.

        Raises
        ------
        InputError
            If molecules are to join loose beads, whose records have other columns.
        """
        if any((batch.family == MOLECULES) != (one.family == MOLECULES) for one in self.batches):
            raise InputError(
                f"a campaign holds molecules (family {MOLECULES}) or loose beads "
                f"({', '.join(FAMILIES)}), not both; choose a new folder"
            )
        return self if batch in self.batches else replace(self, batches=(*self.batches, batch))

    def tasks(self) -> list[NamedTask]:
        """Return all state points once, the batches side by side in proportion to their size.

        A campaign that is stopped half-way has then half of each.
        """
        placed: dict[NamedTask, float] = {}
        for batch in self.batches:
            tasks = batch.tasks
            for index, task in enumerate(tasks):
                placed.setdefault(task, (index + 0.5) / len(tasks))
        return sorted(placed, key=lambda task: placed[task])

    def write(self, folder: Path) -> Path:
        """Write ``campaign.json`` into `folder`, which is made if need be."""
        folder.mkdir(parents=True, exist_ok=True)
        content = {
            "format": _FORMAT,
            "version": _VERSION,
            "precision": self.precision,
            "batches": [asdict(batch) for batch in self.batches],
        }
        path = folder / FILE
        write_atomically(path, (json.dumps(content, indent=2) + "\n").encode(), backup=False)
        return path

    @classmethod
    def read(cls, folder: Path) -> Campaign:
        """Read what `write` wrote.

        Raises
        ------
        InputError
            If there is no campaign in `folder`, or it is of another version.
        """
        path = folder / FILE
        if not path.exists():
            raise InputError(f"{folder} holds no campaign; begin one with: cg-init dataset generate {folder}")
        content = json.loads(path.read_text())
        if content.get("format") != _FORMAT or content.get("version") != _VERSION:
            raise InputError(f"{path} is not a campaign of version {_VERSION}")
        batches = tuple(Batch(**batch) for batch in content["batches"])
        return cls(batches, content["precision"])


@dataclass(frozen=True)
class ScreenReport:
    """How the screen did.

    Attributes
    ----------
    refused : int
        State points that it refused and that were not simulated.
    audited : int
        State points that it refused and that were simulated all the same.
    wrong : int
        Those of them that were accepted.
    simulated, rejected : int
        State points that it let pass, and those of them that were rejected after simulation.
    """

    refused: int
    audited: int
    wrong: int
    simulated: int
    rejected: int


def screen_report(data: Dataset) -> ScreenReport:
    """Count what the screen saved and what it refused wrongly, without the fluids that are known already."""
    refused = (data.screened != "") & ~_known(data)
    simulated = data.n > 0
    return ScreenReport(
        refused=int((refused & ~simulated).sum()),
        audited=int((refused & simulated).sum()),
        wrong=int((refused & data.accepted).sum()),
        simulated=int((simulated & ~refused).sum()),
        rejected=int((simulated & ~refused & ~data.accepted).sum()),
    )


def _known(data: Dataset) -> NDArray[np.bool_]:
    return np.array(["bare WCA" in str(reason) for reason in data.screened])


def counts(data: AnyDataset) -> dict[str, dict[str, int]]:
    """Return accepted state points and accepted test state points by family, and the rejected ones by reason."""
    good = data.select(data.accepted)
    families = FAMILIES if isinstance(data, Dataset) else (MOLECULES,)
    return {
        "accepted": {family: int((good.family == family).sum()) for family in families},
        "test": {
            family: int(((good.family == family) & (good.split == "test")).sum()) for family in families
        },
        "rejected": dict(Counter(str(x).split(":")[0] for x in data.rejected if x).most_common()),
    }
