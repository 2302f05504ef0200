"""Inversions of one g(r) that follow its noise more and less, with whatever else is known of S(k)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cginit.curves import Array, LongWave, StructureFactor
from cginit.errors import ConvergenceError
from cginit.liquid.ornstein_zernike import Closure, MeasuredLiquid, OZInversion, invert_together

__all__ = ["invert_by_weights", "invert_together_by_weights"]


def invert_by_weights(
    r: Array,
    g: Array,
    density: float,
    error: Array,
    weights: Sequence[float],
    *,
    closure: Closure = "hnc",
    wave: LongWave | None = None,
    waves: StructureFactor | None = None,
    start: OZInversion | None = None,
) -> list[OZInversion]:
    """Return the Ornstein-Zernike inversion for each weight of the noise.

    Without S(k) each begins where the last one ended, which saves steps and changes nothing else.

    Parameters
    ----------
    r, g, error : ndarray, shape (n,)
        Nodes of a sine transform (`cginit.liquid.fourier.sine_nodes`), g and its standard error there.
    density : float
        In the inverse cube of the unit of r.
    weights : sequence of float
        See `cginit.liquid.invert`.
    closure : {"hnc", "py"}
        Of the end of g.
    wave : LongWave, optional
        S at one small k, which all agree with.
    waves : StructureFactor, optional
        S(k) at many k, weighed with g; it counts before `wave`.
    start : OZInversion, optional
        Of nearly the same g.

    Raises
    ------
    ConvergenceError
        If one has no solution at this density.
    """
    if waves is None and wave is None:
        liquid = MeasuredLiquid(r, g, density, error, start=start)
        (together,) = invert_together_by_weights([liquid], weights, closure)
        if isinstance(together, ConvergenceError):
            raise together
        return together
    found: list[OZInversion] = []
    for weight in weights:
        # The usual target has no S(k), and does not load what weighs it.
        if waves is not None:
            from cginit.liquid.joint_inversion import invert_with_structure_factor

            one = invert_with_structure_factor(
                r, g, density, waves, closure, error=error, noise_weight=weight
            )
        elif wave is not None:
            from cginit.liquid.long_wave import invert_with_long_wave

            one = invert_with_long_wave(r, g, density, wave, closure, error=error, noise_weight=weight)
        found.append(one)
    return found


def invert_together_by_weights(
    liquids: Sequence[MeasuredLiquid], weights: Sequence[float], closure: Closure = "hnc"
) -> list[list[OZInversion] | ConvergenceError]:
    """Return for each liquid its inversion for each weight of the noise, or the first ConvergenceError.

    Each begins where the last one ended; the first at `MeasuredLiquid.start`.
    """
    found: list[list[OZInversion] | ConvergenceError] = [[] for _ in liquids]
    for weight in weights:
        left, now = [], []
        for i, (liquid, before) in enumerate(zip(liquids, found, strict=True)):
            if isinstance(before, list):
                left.append(i)
                now.append(replace(liquid, noise_weight=weight, start=before[-1] if before else liquid.start))
        for i, one in zip(left, invert_together(now, closure), strict=True):
            before = found[i]
            if isinstance(one, OZInversion) and isinstance(before, list):
                before.append(one)
            elif isinstance(one, ConvergenceError):
                found[i] = one
    return found
