"""Public checkers of the contracts of guesses, engines, updates and responses, for implementations elsewhere."""

from __future__ import annotations

from cginit.testing.engines import check_engine
from cginit.testing.guesses import check_guess
from cginit.testing.responses import check_response
from cginit.testing.updates import check_update

__all__ = ["check_engine", "check_guess", "check_response", "check_update"]
