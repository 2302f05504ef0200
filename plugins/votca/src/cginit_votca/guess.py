"""The guess for the interaction of a settings file."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from cginit import PairPotential, guess
from cginit.guess import DEFAULT_METHOD
from cginit.votca import Settings, read_target

__all__ = ["METHOD_VARIABLE", "guess_for", "script_path"]

#: Environment variable that chooses the method; it counts more than ``cginit.method`` of the settings file.
METHOD_VARIABLE = "CGINIT_METHOD"


def script_path() -> Path:
    """Return the folder for ``<inverse><scriptpath>``."""
    return Path(__file__).resolve().parent / "scripts"


def guess_for(
    settings: Settings, *, method: str | None = None, density: float | None = None
) -> tuple[PairPotential, tuple[str, ...]]:
    """Return the guess for the only interaction of a settings file of csg_inverse, and what is worth knowing of it.

    The potential lies on ``0:step:max``, in nm and kJ/mol. It is made from the whole target, also beyond ``max``,
    which the table that csg_inverse inverts has lost. No point counts as extrapolated (flag o): csg_inverse would
    replace the core by an exponential of its own.

    Parameters
    ----------
    settings : Settings
    method : str, optional
        By default that of the environment variable ``CGINIT_METHOD``, of ``cginit.method`` below ``cg.inverse`` in
        the settings file, or cginit's default.
    density : float, optional
        In nm^-3; see `cginit.votca.read_target` for where it is looked for.

    Raises
    ------
    cginit.InputError
        If a file is absent or wrong, the density is stated nowhere, or there are several interactions.
    cginit.ConvergenceError
        If the method has no solution.
    """
    chosen = method or os.environ.get(METHOD_VARIABLE) or settings.option("cginit.method") or DEFAULT_METHOD
    problem = read_target(settings, density=density)
    potential = guess(problem.target, problem.state, chosen, problem.r_cut)
    notes = (f"method {chosen}", *problem.notes, *potential.notes)
    return replace(potential, r_core=0.0), notes
