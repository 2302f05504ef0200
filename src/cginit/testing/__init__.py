"""Public checkers of the contracts of guesses and engines, for implementations elsewhere."""

from __future__ import annotations

from cginit.testing.engines import check_engine
from cginit.testing.guesses import check_guess

__all__ = ["check_engine", "check_guess"]
