"""What every guess from g(r) shares: reading the target and putting the potential on its grid."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from cginit.curves import RDF, Array, PairPotential, Provenance
from cginit.errors import InputError
from cginit.extrapolate import OVERLAP_STEPS, VISIBLE, extend_core, first_visible
from cginit.liquid.boltzmann import bin_average_correction
from cginit.liquid.ornstein_zernike import OZInversion, estimate_noise
from cginit.state import StatePoint

__all__ = ["VisibleTarget", "potential_from", "visible_target"]


@dataclass(frozen=True, eq=False)
class VisibleTarget:
    """A target g(r) as a guess wants it.

    Attributes
    ----------
    target : RDF
        The target with its core, g being point values and 0 below `first`.
    error : ndarray, shape (n,)
        Standard error of g: that of the target, or estimated from its roughness.
    first : int
        Index of the first point that shows the potential.
    near : OZInversion, optional
        That of nearly the same g, with which the search for its own may begin.
    """

    target: RDF
    error: Array
    first: int
    near: OZInversion | None = None


def visible_target(target: RDF, *, bin_average: bool = True) -> VisibleTarget:
    """Return the target with its core, as point values, with an error and its first visible point.

    With `bin_average`, g counts as averages over bins of its step, as histograms give them.

    Raises
    ------
    InputError
        If g shows nothing.
    """
    whole = target.with_core()
    if whole.error is None:
        error = estimate_noise(whole.r, whole.g)
        # An estimated error stands for noise, not for the counts that would make a g below the threshold credible.
        first = first_visible(replace(whole, error=error), VISIBLE)
    else:
        error, first = whole.error, first_visible(whole)
    g = whole.g
    if bin_average:
        g = bin_average_correction(whole.r, g, first=first, error=error)
    # Counts below the first visible point are noise; as g they would be a potential of a few kT in the core.
    g = np.where(np.arange(g.size) < first, 0.0, g)
    return VisibleTarget(replace(whole, g=g), error, first)


def potential_from(
    visible: VisibleTarget,
    u: Array,
    state: StatePoint,
    r_cut: float,
    method: str,
    *,
    model: str | None = None,
    u_error: Array | None = None,
    notes: tuple[str, ...] = (),
) -> PairPotential:
    """Return `u` ``(n,)``, given on the grid of `visible`, as a potential cut at `r_cut`.

    Below the first visible point, the repulsive core of `extend_core`; for particles that overlap, a straight
    line. Points with g = 0 beyond the core, which a short simulation leaves, are interpolated. U(r_cut) is
    subtracted. Note that the values of `u` where g = 0 are not used.

    Raises
    ------
    InputError
        If g ends before `r_cut`, or shows nothing up to it.
    """
    n, first, units = visible.target.points_up_to(r_cut), visible.first, visible.target.units
    r, energies = visible.target.r[:n], np.array(u[:n])
    if first >= n - 1:
        start = f"{visible.target.r[first]:.4g} {units.length}"
        raise InputError(
            f"g(r) shows no particles up to the cut-off {r_cut:.4g}, only from r = {start} on; "
            "choose a larger cut-off"
        )
    sentences = list(notes)
    gaps = (np.arange(n) > first) & ~np.isfinite(energies)
    if np.any(gaps):
        known = np.isfinite(energies)
        energies[gaps] = np.interp(r[gaps], r[known], energies[known])
        sentences.append(
            f"g(r) = 0 at {np.count_nonzero(gaps)} points beyond the core; U is interpolated there"
        )
    unit = units.length
    if first > OVERLAP_STEPS:
        energies = extend_core(r, energies, first, state.kT)
        sentences.append(f"the core below r = {r[first]:.4g} {unit} is extrapolated, g(r) does not show it")
    elif first > 0:
        next_but_one = min(first + 2, n - 1)
        slope = (energies[next_but_one] - energies[first]) / (r[next_but_one] - r[first])
        energies[:first] = energies[first] + min(slope, 0.0) * (r[:first] - r[first])
        sentences.append(f"U below r = {r[first]:.4g} {unit} continues as a straight line")
    provenance = Provenance(method, model, density=state.density, kT=state.kT)
    return PairPotential.shifted(
        r,
        energies,
        units=units,
        u_error=None if u_error is None else u_error[:n],
        notes=tuple(sentences),
        r_core=float(r[first]),
        provenance=provenance,
    )
