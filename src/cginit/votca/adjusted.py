"""An update whose changes of each interaction csg_inverse would smooth, scale and add ramps to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from cginit.curves import Array
from cginit.interactions import Interaction
from cginit.refine import History, Step, Update
from cginit.refine.settle import first_shown
from cginit.refine.updates.base import mean_of_states
from cginit.refine.updates.corrections import KirkwoodBuffRamp, PressureRamp, RampKind

__all__ = ["AdjustedUpdate", "Adjustment", "triangular"]


@dataclass(frozen=True)
class Adjustment:
    """What the steps of ``post_update`` do to the change of one interaction.

    Attributes
    ----------
    damping : float
        Factor of ``scale``.
    smoothing : int
        Passes of ``smooth``.
    cycle : tuple of bool
        ``do_potential``: whether the change after simulation k is made, at k modulo its length.
    ramp : {"simple", "wjk"} or None
        How ``pressure`` corrects the pressure.
    kirkwood_buff : KirkwoodBuffRamp or None
        What ``kbibi`` adds.
    """

    damping: float = 1.0
    smoothing: int = 0
    cycle: tuple[bool, ...] = (True,)
    ramp: RampKind | None = None
    kirkwood_buff: KirkwoodBuffRamp | None = None

    def __repr__(self) -> str:
        # A refinement knows itself by this text, in which the last field was not once.
        words = [f"{name}={getattr(self, name)!r}" for name in ("damping", "smoothing", "cycle", "ramp")]
        words += [] if self.kirkwood_buff is None else [f"kirkwood_buff={self.kirkwood_buff!r}"]
        return f"Adjustment({', '.join(words)})"


@dataclass(frozen=True)
class AdjustedUpdate:
    r"""An update whose changes are damped, smoothed and left out one by one, and get ramps for the pressure.

    ``smooth`` averages over neighbouring points,

    .. math:: \Delta U_i \leftarrow \tfrac14 \Delta U_{i-1} + \tfrac12 \Delta U_i + \tfrac14 \Delta U_{i+1}

    between the first point that the target shows and the cut-off; the two ends become
    :math:`(2 \Delta U_i + \Delta U_{i \pm 1}) / 3`. The ramps for the pressure come after it; all interactions that
    have one share its amplitude (`cginit.refine.updates.PressureRamp`). Those of ``kbibi`` are one for each pair.

    Parameters
    ----------
    update : Update
        What comes first.
    adjustments : tuple of (interaction, Adjustment)
        One for each interaction.
    """

    update: Update
    adjustments: tuple[tuple[Interaction, Adjustment], ...]

    @property
    def name(self) -> str:
        """That of the update."""
        return self.update.name

    @property
    def beyond_cutoff(self) -> bool:
        """As the update wants it, or where a Kirkwood-Buff integral is compared."""
        return self.update.beyond_cutoff or any(one.kirkwood_buff for _, one in self.adjustments)

    @property
    def held(self) -> tuple[Interaction, ...]:
        """Interactions whose ``do_potential`` is 0."""
        return tuple(name for name, one in self.adjustments if not any(one.cycle))

    def __call__(self, history: History) -> Step:
        """Return the step; see `cginit.refine.updates.Update`."""
        now = self._turn(len(history) - 1)
        resting = frozenset(name for name, _ in self.adjustments if name not in now)
        step = self.update(replace(history, held=history.held | resting))
        ramps = self._ramps(history, now)
        changes: dict[Interaction, Array] = {}
        for name, one in self.adjustments:
            if name not in step.changes:
                continue
            change = one.damping * step.changes[name]
            curve = next(target.rdfs[name] for target in history.targets if name in target.rdfs)
            first = first_shown(history.pairs()[name], curve)
            if one.smoothing:
                change[first:] = triangular(change[first:], one.smoothing)
            changes[name] = change + ramps.get(name, 0.0)
        return Step.from_last(history, changes, step.made_by)

    def _turn(self, number: int) -> list[Interaction]:
        """Return whose turn it is after simulation `number`: a turn of nobody is left out."""
        longest = max(len(one.cycle) for _, one in self.adjustments)
        for later in range(number, number + longest**2):
            now = [name for name, one in self.adjustments if one.cycle[later % len(one.cycle)]]
            if now:
                return now
        return []

    def _ramps(self, history: History, now: Iterable[Interaction]) -> Mapping[Interaction, Array]:
        """Return what is added to the change of each pair whose turn it is: ramps for pressure and integral."""
        turn = {name: one for name, one in self.adjustments if name in set(now)}
        found: dict[Interaction, Array] = {}
        for name, one in turn.items():
            if one.kirkwood_buff is not None:
                found |= mean_of_states(history, partial(one.kirkwood_buff.changes, pairs=(name,)))
        wanted = {name: one.ramp for name, one in turn.items() if one.ramp is not None}
        if wanted:
            kind: RampKind = "simple" if "simple" in wanted.values() else "wjk"
            ramps = mean_of_states(history, partial(PressureRamp(kind).changes, pairs=tuple(wanted)))
            found |= {name: found.get(name, 0.0) + ramp for name, ramp in ramps.items()}
        return found


def triangular(values: Array, iterations: int) -> Array:
    """Return `values` ``(n,)`` after so many passes of the filter (1, 2, 1)/4, ends (2, 1)/3.

    Examples
    --------
    >>> triangular(np.array([0.0, 0.0, 4.0, 0.0, 0.0]), 1).tolist()
    [0.0, 1.0, 2.0, 1.0, 0.0]
    """
    smooth: Array = np.array(values, dtype=np.float64)
    for _ in range(iterations):
        inner = 0.25 * smooth[:-2] + 0.5 * smooth[1:-1] + 0.25 * smooth[2:]
        ends = (2.0 * smooth[0] + smooth[1]) / 3.0, (2.0 * smooth[-1] + smooth[-2]) / 3.0
        smooth = np.concatenate([ends[:1], inner, ends[1:]])
    return smooth
