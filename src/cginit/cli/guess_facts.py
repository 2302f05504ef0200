"""What is said of a guess: the state, the potential, its pressure, and what is odd about them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from cginit.cli.voice import quantity, voice
from cginit.curves import RDF, PairPotential
from cginit.errors import CGInitError
from cginit.io.answer_questions import question_well
from cginit.state import StatePoint

__all__ = ["Facts", "Problem", "describe", "facts", "implied_pressure", "in_error"]

#: Pressure in bar that a user expects, and how far from it one is worth a warning.
AMBIENT, FAR = 1.0, 100.0
#: A pressure whose error is this part of it, and this many times the pressure of an ideal gas, is none.
LEAST_KNOWN, MOST_IDEAL = 0.9, 100.0
#: Pressure in bar beyond which a slip of units is more likely than the pair potential's own: water as one bead has
#: 1e4.
BEYOND_ALL = 1e5


@dataclass(frozen=True)
class Problem:
    """A target with its state, the cut-off wanted, what the file was read as, and what was odd about it."""

    target: RDF
    state: StatePoint
    r_cut: float
    notes: tuple[str, ...]
    read_as: str = ""


@dataclass(frozen=True)
class Facts:
    """What is said of a guess: for the JSON document, and in words.

    Attributes
    ----------
    result : dict
        Keys of the document.
    method, minimum, pressure : str
        The method with its model, the well, and the pressure, in words.
    notes : tuple of str
        What is odd about target or potential.
    """

    result: dict[str, Any]
    method: str
    minimum: str
    pressure: str
    notes: tuple[str, ...]


def facts(problem: Problem, potential: PairPotential) -> Facts:
    """Return what is to be said of a guess."""
    units, state = potential.units, problem.state
    origin = potential.provenance
    well = int(potential.u.argmin())
    result: dict[str, Any] = {
        "read_as": problem.read_as or None,
        "method": None if origin is None else origin.method,
        "model": None if origin is None else origin.model,
        "density": quantity(state.density, units.density),
        "kT": quantity(state.kT, units.energy),
        "cutoff": quantity(potential.r_cut, units.length),
        "core": quantity(potential.r_core, units.length),
        "minimum": {
            "r": quantity(float(potential.r[well]), units.length),
            "u": quantity(float(potential.u[well]), units.energy),
        },
    }
    pressure, found, warning = implied_pressure(problem, potential)
    if found is not None:
        result["pressure"] = found
    deep = question_well(potential, problem.target, state.kT)
    return Facts(
        result,
        "" if origin is None else origin.method + (f" ({origin.model})" if origin.model else ""),
        f"minimum {potential.u[well] / state.kT:.2f} kT at {potential.r[well]:g} {units.length}",
        pressure,
        (*problem.notes, *potential.notes, *([deep] if deep else []), *warning),
    )


def describe(problem: Problem, potential: PairPotential) -> None:
    """Print the state and the potential in a few lines, notes last."""
    units, state, spoken = potential.units, problem.state, voice()
    if not (spoken.for_people or spoken.as_json):
        return
    own = facts(problem, potential)
    spoken.result |= own.result
    if problem.read_as:
        spoken.line(problem.read_as)
    spoken.line(f"method    {own.method}")
    spoken.line(f"state     density {state.density:g} {units.density}, kT {state.kT:g} {units.energy}")
    spoken.line(f"g(r)      {problem.target.r[0]:g} to {problem.target.r_max:g} {units.length}")
    spoken.line(
        f"U(r)      cut-off {potential.r_cut:g} {units.length}, core extrapolated below {potential.r_core:g} "
        f"{units.length}, {own.minimum}"
    )
    spoken.line(f"pressure  {own.pressure}")
    for note in own.notes:
        spoken.note(note)


def implied_pressure(
    problem: Problem, potential: PairPotential
) -> tuple[str, dict[str, Any] | None, tuple[str, ...]]:
    """Return what a simulation of the potential will have as its pressure: in words, as a number, and a warning."""
    # Solving the integral equation is not needed for tables alone.
    from cginit.eos import pressure

    try:
        found = pressure(potential, problem.state)
    except CGInitError as failure:
        return f"not known: {failure}", None, ()
    ideal = problem.state.density * problem.state.kT
    if found.error > max(LEAST_KNOWN * abs(found.value), MOST_IDEAL * ideal):
        worst = f"{found.method} gives {found.value:.1g} ± {found.error:.1g} {found.units.pressure}"
        return f"not known: no route of theory has an answer for this potential ({worst})", None, ()
    number = {**quantity(found.value, found.units.pressure, found.error), "method": found.method}
    text = f"{in_error(found.value, found.error)} {found.units.pressure} by {found.method}"
    if found.units.is_reduced:
        return text, number, ()
    value, error = found.in_bar()
    text = f"{in_error(value, error)} bar ({text})"
    if abs(value - AMBIENT) < max(FAR, 2.0 * error):
        return text, number, ()
    if abs(value) > BEYOND_ALL:
        return (
            text,
            number,
            (
                f"this potential has a pressure of {_figures(value)} bar at this density: no molecule has. Are the "
                "length of g(r), the density and kT in the units stated, and g(r) and the density of the same box?",
            ),
        )
    warning = (
        f"a simulation of this potential at this density has a pressure of about {_figures(value)} bar, not "
        f"{AMBIENT:g} bar: a pair potential that gives g(r) need not give the pressure. At constant pressure its "
        f"box would {'expand' if value > 0.0 else 'shrink'}; simulate at constant volume, or refine with --pressure"
    )
    return text, number, (warning,)


def _figures(value: float) -> str:
    """Return a number of bar with three figures, written out."""
    return f"{float(f'{value:.3g}'):.0f}"


def in_error(value: float, error: float) -> str:
    """Return a value with its error to two figures, or to five figures without one.

    Examples
    --------
    >>> in_error(12034.2, 831.7), in_error(0.123456, 0.0123), in_error(2.5, float("nan"))
    ('12034 ± 832', '0.123 ± 0.012', '2.5')
    """
    if not math.isfinite(error) or error <= 1e-6 * abs(value):
        return f"{value:.5g}"
    places = max(0, 1 - math.floor(math.log10(error)))
    return f"{value:.{places}f} ± {error:.{places}f}"
