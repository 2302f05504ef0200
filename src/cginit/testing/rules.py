"""Rules of a contract: what is required, and when a sampled value agrees with an exact one."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from cginit.engines.base import Engine
from cginit.errors import InputError

__all__ = ["BLOCKS", "FALSE_ALARM", "agree", "require"]

#: Blocks of the statistical checks: errors with 19 degrees of freedom.
BLOCKS = 20
#: Chance that one statistical check rejects a correct engine. An engine is deterministic for a seed, so that on one
#: machine it either always passes or never.
FALSE_ALARM = 1e-4


def require(engine: Engine, condition: bool, rule: str) -> None:
    """Raise InputError with the name of the engine and the rule that it breaks, unless the condition holds."""
    if not condition:
        raise InputError(f"engine {engine.name!r} {rule}")


def agree(
    engine: Engine, what: str, value: ArrayLike, error: ArrayLike, expected: ArrayLike, slack: float
) -> None:
    """Require that values ``(k,)`` agree with theory: k two-sided t tests with FALSE_ALARM in total."""
    from scipy.special import stdtrit

    got, wanted = np.atleast_1d(value), np.atleast_1d(expected)
    limit = float(stdtrit(BLOCKS - 1, 1.0 - 0.5 * FALSE_ALARM / got.size))
    allowed = limit * np.atleast_1d(error) + slack * np.abs(wanted)
    off = np.abs(got - wanted)
    worst = int(np.argmax(off - allowed))
    require(
        engine,
        bool(off[worst] <= allowed[worst]),
        f"{what}: {got[worst]:.5g} where theory gives {wanted[worst]:.5g}, off by {off[worst]:.2g} with "
        f"{allowed[worst]:.2g} allowed for statistics",
    )
