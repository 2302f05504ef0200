"""The update of a mixture's settings: its method, and what each interaction wants done to its change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from cginit.curves import Array
from cginit.errors import InputError
from cginit.mixture import MixtureTarget, Pair
from cginit.refine.mixture_store import MixtureIteration
from cginit.refine.mixture_updates import MixtureUpdate, make_mixture_update
from cginit.refine.updates.base import MAX_CHANGE, first_shown
from cginit.refine.updates.corrections import MAX_RAMP
from cginit.votca.settings import Interaction, Settings
from cginit.votca.update import (
    damping_of,
    passes_of,
    pressure_of,
    ramp_of,
    rule_of,
    steps_of,
    triangular,
)

__all__ = ["AdjustedUpdate", "Adjustment", "mixture_update_of"]


@dataclass(frozen=True)
class Adjustment:
    """What the steps of ``post_update`` do to the change of one pair.

    Attributes
    ----------
    damping : float
        Factor of ``scale``.
    smoothing : int
        Passes of ``smooth``.
    cycle : tuple of bool
        ``do_potential``: whether the change after simulation k is made, at k modulo its length.
    ramp : {"simple", "wjk"} or None
        How ``pressure`` corrects the pressure.
    """

    damping: float = 1.0
    smoothing: int = 0
    cycle: tuple[bool, ...] = (True,)
    ramp: Literal["simple", "wjk"] | None = None


@dataclass(frozen=True)
class AdjustedUpdate:
    r"""An update whose changes are damped, smoothed and left out pair by pair, and get ramps for the pressure.

    The ramps :math:`A (1 - r / r_{ab})` of all pairs that have one share an amplitude, so that together they have the
    wanted effect at fixed g,

    .. math:: A \sum_{ab} \frac{2 \pi \rho_a \rho_b}{3 r_{ab}} \int_0^{r_{ab}} g_{ab}\, r^3 dr = P_{target} - P,

    at most 0.1 kT; ``simple`` takes 0.1 kT times min(1, \|P_{target} - P\| / (rho kT)).

    Source: H. Wang, C. Junghans and K. Kremer, Eur. Phys. J. E 28, 221 (2009),
    doi:10.1140/epje/i2008-10413-5.

    Parameters
    ----------
    update : MixtureUpdate
        What comes first.
    adjustments : tuple of (pair, Adjustment)
        One for each pair.
    pressure : float or None
        To reach, in the units of the potentials.
    """

    update: MixtureUpdate
    adjustments: tuple[tuple[Pair, Adjustment], ...]
    pressure: float | None = None

    @property
    def name(self) -> str:
        """That of the update."""
        return self.update.name

    @property
    def held(self) -> frozenset[Pair]:
        """Pairs whose ``do_potential`` is 0."""
        return frozenset(pair for pair, one in self.adjustments if not any(one.cycle))

    def __call__(
        self, history: Sequence[MixtureIteration], target: MixtureTarget
    ) -> tuple[dict[Pair, Array], str]:
        """Return the changes; see `cginit.refine.mixture_updates.MixtureUpdate`."""
        last = history[-1]
        number = len(history) - 1
        changes, rule = self.update(history, target)
        ramps = self._ramps(last, target)
        made = {}
        for pair, one in self.adjustments:
            if not one.cycle[number % len(one.cycle)]:
                continue
            limit = MAX_CHANGE * target.kT
            change = one.damping * np.clip(changes[pair], -limit, limit)
            first = first_shown(last.potentials[pair], target.rdfs[pair])
            if one.smoothing:
                change[first:] = triangular(change[first:], one.smoothing)
            made[pair] = change + ramps.get(pair, 0.0)
        return made, rule

    def _ramps(self, last: MixtureIteration, target: MixtureTarget) -> dict[Pair, Array]:
        wanted = {pair: one.ramp for pair, one in self.adjustments if one.ramp is not None}
        missing = np.nan if self.pressure is None else self.pressure - last.pressure
        if not wanted or not np.isfinite(missing) or abs(missing) <= last.pressure_error:
            return {}
        limit = MAX_RAMP * target.kT
        if "simple" in wanted.values():
            part = min(1.0, abs(missing) / (target.state.density * target.kT))
            amplitude = float(np.sign(missing)) * limit * part
        else:
            amplitude = float(np.clip(missing / _slope(last, target, wanted), -limit, limit))
        return {
            pair: amplitude * (1.0 - last.potentials[pair].r / last.potentials[pair].r_cut) for pair in wanted
        }


def _slope(last: MixtureIteration, target: MixtureTarget, pairs: Mapping[Pair, object]) -> float:
    """Change of the pressure with the amplitude of the ramps at fixed g."""
    slope = 0.0
    for a, b in pairs:
        p = last.potentials[a, b]
        g = last.rdfs[a, b].with_core().g[: p.r.size]
        # Of unlike beads both orders count.
        both = 1.0 if a == b else 2.0
        slope += both * target.densities[a] * target.densities[b] * float(np.sum(g * p.r**3)) * p.dr / p.r_cut
    return 2.0 * np.pi / 3.0 * slope


def mixture_update_of(
    settings: Settings, interactions: Mapping[Pair, Interaction], name: str | None = None
) -> tuple[AdjustedUpdate, tuple[str, ...]]:
    """Return the update rule of a mixture's settings, and sentences on what it does otherwise.

    `name` is a rule that counts more than that of the settings.

    Raises
    ------
    InputError
        If the method or a step of ``post_update`` does not exist here, an option is wrong, or nothing would change.
    """
    notes: list[str] = []
    adjustments = []
    pressures = set()
    for pair, item in interactions.items():
        steps, cycle, more = steps_of(settings, item)
        group = item.words("imc.group")
        if settings.method == "imc" and group == ("none",):
            cycle = ("0",)
        pressure, also = pressure_of(settings, item, "pressure" in steps)
        notes += [f"{item.name}: {text}" for text in (*more, *also)]
        if pressure is not None:
            pressures.add(pressure)
        ramp = ramp_of(settings, item) if pressure is not None and settings.method != "iie" else None
        adjustments.append(
            (
                pair,
                Adjustment(
                    damping=damping_of(settings, item) if "scale" in steps else 1.0,
                    smoothing=passes_of(settings, item) if "smooth" in steps else 0,
                    cycle=tuple(word == "1" for word in cycle),
                    ramp=ramp,
                ),
            )
        )
        if not any(word == "1" for word in cycle):
            notes.append(f"{item.name} keeps its potential, and its g(r) does not count for convergence")
    _check(settings, interactions, adjustments)
    if len(pressures) > 1:
        raise InputError(f"{settings.path}: the interactions have different p_target; a box has one pressure")
    if settings.method == "iie" and pressures:
        raise InputError(
            f"{settings.path}: iie.pressure_constraint is no part of the refinement of mixtures; remove it, or "
            "take the method ibi with post_update pressure"
        )
    rule = make_mixture_update(name or rule_of(settings, notes))
    wanted = next(iter(pressures), None)
    return AdjustedUpdate(rule, tuple(adjustments), wanted), tuple(dict.fromkeys(notes))


def _check(
    settings: Settings,
    interactions: Mapping[Pair, Interaction],
    adjustments: Sequence[tuple[Pair, Adjustment]],
) -> None:
    if not any(any(one.cycle) for _, one in adjustments):
        raise InputError(
            f"{settings.path}: do_potential of all interactions is 0, so that nothing would be refined"
        )
    groups = {item.words("imc.group") for item in interactions.values()} - {("none",)}
    if settings.method == "imc" and len(groups) > 1:
        names = ", ".join(" ".join(group) or "(none given)" for group in groups)
        raise InputError(
            f"{settings.path} has several imc.group ({names}); all pairs of a mixture are one group here: give all "
            "the same name"
        )
