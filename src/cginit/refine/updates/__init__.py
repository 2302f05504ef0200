"""Update rules: the next potential from the simulations so far. One file a rule, chosen by name."""

from __future__ import annotations

from collections.abc import Callable

from cginit.refine.updates.base import Update, apply_change
from cginit.refine.updates.ibi import IBI

__all__ = ["IBI", "UPDATES", "Update", "apply_change"]

#: The update rules by name, with their default settings.
UPDATES: dict[str, Callable[[], Update]] = {"ibi": IBI}
