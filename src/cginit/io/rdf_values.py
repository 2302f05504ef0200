"""Values of g as files hold them: what is mended, and what is refused with line, value and remedy."""

from __future__ import annotations

import re

import numpy as np

from cginit.curves import Array
from cginit.errors import InputError
from cginit.io.columns import Columns
from cginit.io.companion import growth
from cginit.io.grid import step_spread
from cginit.io.rows import Rows
from cginit.splines import monotone_cubic
from cginit.units import UnitSystem

__all__ = [
    "SLIGHTLY_UNEVEN",
    "not_counts",
    "not_cut_below",
    "not_empty_at_the_end",
    "not_exchanged",
    "not_in_a_plane",
    "not_negative",
    "resampled",
    "without_itself",
]

#: Steps may differ by this part of the median step; beyond it rows are missing, or the file is no curve.
SLIGHTLY_UNEVEN = 0.2
#: Histograms of counts grow like r^2, running numbers like r^3.
COUNTS_BELOW = 2.5
#: So many empty bins after the first make it one of beads that were counted with themselves.
EMPTY = 3
#: A smoothed or subtracted g(r) may dip below 0 by a few per cent; more is not noise.
MAX_NEGATIVE = 0.05
#: A curve whose end is below this, or below this part of its largest value, tends to 0.
TENDS_TO_0 = 0.1
#: The command line that GROMACS writes into its files.
_IN_A_PLANE = re.compile(r"\bg(mx(_mpi|_d)*\s+|_)rdf\b.*\s-xy\b")
#: A curve that begins beyond so many steps, above this g, has lost rows; one that falls from its first row has lost
#: the rise of g. The g of an ideal gas may begin anywhere, at 1.
CUT_STEPS, CUT_G, FALLS_FROM = 3.0, 0.5, 1.2
#: Fewer steps are no curve.
LEAST_STEPS = 8


def without_itself(rows: Rows, r: Array, g: Array) -> tuple[Array, tuple[str, ...]]:
    """Take out beads counted with themselves: a value in the first bin and an empty core after it."""
    alone = r.size > EMPTY and g[0] > 0.0 and not np.any(g[1 : EMPTY + 1])
    if not alone or r[0] > 1.01 * (r[1] - r[0]):
        return g, ()
    note = (
        f"The first row of {rows.name} (g = {g[0]:.3g} at r = {r[0]:g}) stands alone before an empty core: each "
        "bead was counted with itself. It is left out; g then lacks these pairs, and tends to 1 - 1/N."
    )
    cleaned = g.copy()
    cleaned[0] = 0.0
    return cleaned, (note,)


def not_in_a_plane(rows: Rows) -> None:
    """Refuse distances in a plane, which ``gmx rdf -xy`` counts: beads above each other have none."""
    if any(_IN_A_PLANE.search(line) for line in rows.comments):
        raise InputError(
            f"{rows.name} was made by gmx rdf -xy, of distances in the plane x, y alone; a potential U(r) belongs to "
            "distances in space, so run gmx rdf without -xy"
        )


def not_exchanged(rows: Rows, r: Array, columns: Columns) -> None:
    """Refuse distances that rise and fall beside a g that rises in even steps."""
    if columns.r > columns.g or np.all(np.diff(r) >= 0.0):
        return
    steps = np.diff(rows.numbers(columns.g, "g"))
    if np.all(steps > 0.0) and np.ptp(steps) < SLIGHTLY_UNEVEN * np.median(steps):
        raise InputError(
            f"{rows.name} has g in column {columns.r + 1} and r in column {columns.g + 1}, as the even steps of that "
            "column tell; exchange the two"
        )


def not_counts(rows: Rows, r: Array, g: Array, columns: Columns) -> None:
    """Refuse a column that grows like a number of neighbours or a histogram, which no g does."""
    power = growth(r, g)
    if power is None:
        return
    kind = "a running coordination number" if power > COUNTS_BELOW else "a histogram of counts, or 4 pi r^2 g"
    raise InputError(
        f"column {columns.g + 1} of {rows.name} grows like r^{power:.1f} up to its end, at which it is {g[-1]:.3g}; "
        f"that is {kind} and not g(r), which tends to 1. Choose another column with --column"
    )


def not_empty_at_the_end(rows: Rows, r: Array, g: Array) -> None:
    """Refuse rows of zeros after those of a liquid: written, and not counted."""
    last = int(np.max(np.flatnonzero(g), initial=0))
    if g.size - 1 - last < EMPTY or g[max(last - EMPTY, 0) : last + 1].min() <= 0.5:
        return
    raise InputError(
        f"{rows.where(last + 1)}: g is 0 from here on (r > {r[last]:g}), where nothing was counted; remove these rows"
    )


def not_negative(
    rows: Rows, r: Array, g: Array, units: UnitSystem, clean: bool
) -> tuple[Array, tuple[str, ...]]:
    """Refuse negative g, or set what is small to 0 where `clean` asks for it; and a note on it."""
    if not np.any(g < 0.0):
        return g, ()
    row = int(np.argmin(g))
    what = f"g(r) of {rows.name} is negative at r = {r[row]:g} {units.length} ({g[row]:.3g}, line {rows.lines[row]})"
    if g[row] < -MAX_NEGATIVE:
        raise InputError(f"{what}; {_what_is_negative(g)}")
    if not clean:
        raise InputError(f"{what}; pass --clean to set it to 0")
    return np.maximum(g, 0.0), (f"{what}; such values count as 0",)


def _what_is_negative(g: Array) -> str:
    """Say what a curve that is negative far beyond its noise may be, and what to do."""
    if g[0] == -1.0:
        return "this looks like h(r) = g(r) - 1; add 1"
    end = g[-max(g.size // 4, 1) :]
    if np.max(np.abs(end)) < TENDS_TO_0 * np.max(np.abs(g)) or abs(float(np.mean(end))) < TENDS_TO_0:
        return "this tends to 0, as a potential, -kT ln g or G(r) = 4 pi rho r (g - 1) does, and not to 1; give g(r)"
    return "this is no noise; sample g(r) again"


def not_cut_below(rows: Rows, r: Array, g: Array) -> tuple[str, ...]:
    """Refuse a curve whose first row is no rise from 0 and yet far from r = 0; note one that begins high."""
    step = float(np.median(np.diff(r)))
    if r[0] <= CUT_STEPS * step or g[0] <= CUT_G:
        return ()
    begins = f"g(r) begins at r = {r[0]:g} with g = {g[0]:.3g}"
    if g[0] > g[1] and g[0] > FALLS_FROM:
        raise InputError(
            f"{rows.where(0)}: {begins} and falls from there; the rows below, in which it rises from 0, are missing, "
            "and would count as an empty core. Add them. If this is a potential of mean force W, give g = exp(-W/kT)"
        )
    return (f"{begins}; the rows below are missing and count as an empty core. Add them if there are any.",)


def resampled(
    rows: Rows, r: Array, g: Array, error: Array | None, dr: float | None = None
) -> tuple[Array, Array, Array | None]:
    """Interpolate an uneven curve on an even grid; refuse one whose steps differ much, unless `dr` is given."""
    spread, row = step_spread(r)
    if spread <= SLIGHTLY_UNEVEN:
        grid = np.linspace(r[0], r[-1], r.size)
    elif dr is None:
        raise InputError(
            f"{rows.where(row)}: the step from r = {r[row - 1]:g} to {r[row]:g} differs by {100 * spread:.0f} % "
            f"from the median step {np.median(np.diff(r)):g}; add the missing rows, or give --dr to interpolate a "
            "curve that has uneven steps by nature, as one taken from a figure"
        )
    else:
        # Multiples of the step, which bins of any simulation are centred on.
        grid = dr * np.arange(np.ceil(r[0] / dr - 1e-9), np.floor(r[-1] / dr + 1e-9) + 1.0)
        if grid.size < LEAST_STEPS:
            raise InputError(
                f"{rows.name} from r = {r[0]:g} to {r[-1]:g} has no {LEAST_STEPS} steps of {dr:g}; give a smaller "
                "--dr"
            )
    # PCHIP stays within its data, but a rounding error below 0 would still be refused.
    smooth = np.maximum(monotone_cubic(r, g, grid), 0.0)
    return grid, smooth, None if error is None else np.interp(grid, r, error)
