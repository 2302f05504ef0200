"""Public checkers of the contracts of guesses, engines and updates, for implementations elsewhere."""

from __future__ import annotations

from cginit.testing.engines import check_engine
from cginit.testing.guesses import check_guess
from cginit.testing.updates import check_update

__all__ = ["check_engine", "check_guess", "check_update"]
