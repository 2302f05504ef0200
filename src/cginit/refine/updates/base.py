"""What all update rules share: the contract, and the part of a difference that is not noise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol, runtime_checkable

from cginit.curves import Array
from cginit.errors import InputError
from cginit.interactions import Interaction
from cginit.refine.history import History, Step
from cginit.refine.record import Record
from cginit.target import Target

__all__ = ["MAX_CHANGE", "Update", "check_damping", "mean_of_states"]


#: No point of a potential moves further than this in one update, in kT: a bin that saw no pair has an
#: infinite logarithm, which says only that the change has to go one way.
MAX_CHANGE = 2.0


@runtime_checkable
class Update(Protocol):
    """A rule that proposes how the potentials change: which way. How far is the business of `cginit.refine.search`.

    It sees every round of simulations so far, of which most rules use only the last. All curves share one unit
    system, and each interaction one grid up to its cut-off. An update is a pure function of the history, so that a
    refinement can be continued from its files. It raises `cginit.errors.ConvergenceError` where its theory has no
    answer. `cginit.testing.check_update` verifies this on a given implementation.
    """

    @property
    def name(self) -> str:
        """The name by which users choose the rule."""
        ...

    @property
    def beyond_cutoff(self) -> bool:
        """Whether the rule wants g(r) as far as box and target allow rather than to the cut-off."""
        ...

    def __call__(self, history: History) -> Step:
        """Return the step from the last round, with changes of interactions that are not held."""
        ...


def check_damping(damping: float) -> None:
    """Refuse a factor of the change outside (0, 1]."""
    if not 0.0 < damping <= 1.0:
        raise InputError(f"damping must lie in (0, 1], not {damping}")


def mean_of_states(
    history: History, change: Callable[[Record, Target], Mapping[Interaction, Array]]
) -> dict[Interaction, Array]:
    """Return of each refined interaction the mean of what each state of the last round would change, by weights."""
    total: dict[Interaction, Array] = {}
    weight: dict[Interaction, float] = {}
    for record, target in zip(history.last, history.targets, strict=True):
        for name, one in change(record, target).items():
            if name in history.held:
                continue
            total[name] = total.get(name, 0.0) + target.weight * one
            weight[name] = weight.get(name, 0.0) + target.weight
    return {name: total[name] / weight[name] for name in total}
