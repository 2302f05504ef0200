"""A few seconds that show whether a guess and a short simulation work on this machine."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cginit.errors import CGInitError

if TYPE_CHECKING:
    from cginit.curves import RDF, PairPotential
    from cginit.engines.base import Engine
    from cginit.state import StatePoint

__all__ = ["Check", "check_guess", "check_simulation"]

#: A dilute Lennard-Jones gas, whose g(r) = exp(-U/kT) is known: density, kT, cut-off and grid step in lj units.
DENSITY, KT, CUTOFF, STEP = 0.05, 1.5, 2.5, 0.05
#: Beads and steps of the simulation: a second or so.
BEADS, EQUILIBRATION, PRODUCTION, EVERY = 500, 200, 1000, 50
#: Largest difference between guess and truth in kT beyond the core, and root mean square difference of g: ten
#: times what is found. They tell a program that works from one that does not, no more.
WRONG_U, WRONG_G = 0.5, 0.5


@dataclass(frozen=True)
class Check:
    """The outcome of one part of the self-test.

    Attributes
    ----------
    name : str
        What was tried.
    works : bool
        Whether it gave what it should.
    words : str
        What it gave, or what went wrong.
    seconds : float
        How long it took.
    """

    name: str
    works: bool
    words: str
    seconds: float


def check_guess() -> Check:
    """Guess the potential of a gas whose potential is known."""

    def guessed() -> tuple[bool, str]:
        import numpy as np

        from cginit.guess import DEFAULT_METHOD, guess

        target, state, truth = _gas()
        found = guess(target, state, DEFAULT_METHOD, CUTOFF)
        outside = found.r >= 1.0
        error = float(np.abs(found.u - np.interp(found.r, truth.r, truth.u))[outside].max()) / KT
        name = DEFAULT_METHOD if found.provenance is None else found.provenance.method
        return error < WRONG_U, f"{name}, within {error:.2f} kT of the known potential of a gas"

    return _tried("guess", guessed)


def check_simulation(name: str, engine: Engine) -> Check:
    """Simulate the gas for a second and compare its g(r) with the known one."""

    def simulated() -> tuple[bool, str]:
        import numpy as np

        from cginit.engines.base import Schedule
        from cginit.refine import Limits, Settings, refine_system
        from cginit.refine.loop import start_configuration
        from cginit.target import Target

        curve, state, truth = _gas()
        target = Target.of(curve, state)
        settings = Settings(
            schedule=Schedule(equilibration=EQUILIBRATION, production=PRODUCTION, every=EVERY),
            limits=Limits(1),
            adaptive=False,
            reweighting=False,
        )
        start = start_configuration(target, 0.0, seed=1, beads=BEADS)
        potentials = {target.pairs[0]: truth}
        result = refine_system([target], potentials, engine, settings=settings, starts=[start])
        record = result.rounds[0][0]
        g = record.rdfs.only()
        shown = (g.r >= 0.9) & (g.r <= CUTOFF)
        error = float(np.sqrt(np.mean((g.g - np.interp(g.r, curve.r, curve.g))[shown] ** 2)))
        return error < WRONG_G, f"{BEADS} beads, {PRODUCTION} steps; g(r) within {error:.2f} of the known one"

    return _tried(name, simulated)


def _gas() -> tuple[RDF, StatePoint, PairPotential]:
    """Return g(r), state and potential of the gas, to first order in the density."""
    import numpy as np

    from cginit.curves import RDF, PairPotential
    from cginit.state import StatePoint
    from cginit.units import LJ

    r = np.arange(0.0, CUTOFF + 1.0 + 0.5 * STEP, STEP)
    inverse = (1.0 / np.maximum(r, 0.7)) ** 6
    inside = r <= CUTOFF + 0.5 * STEP
    shift = 4.0 * (inverse**2 - inverse)[inside][-1]
    u = np.where(inside, 4.0 * (inverse**2 - inverse) - shift, 0.0)
    truth = PairPotential(r[inside], u[inside], r_core=0.85, units=LJ)
    target = RDF(r, np.where(r < 0.8, 0.0, np.exp(-u / KT)), units=LJ)
    return target, StatePoint(DENSITY, KT, LJ), truth


def _tried(name: str, what: Callable[[], tuple[bool, str]]) -> Check:
    began = time.monotonic()
    try:
        works, words = what()
    except (CGInitError, OSError, ImportError, ValueError) as error:
        works, words = False, str(error)
    return Check(name, works, words, time.monotonic() - began)
