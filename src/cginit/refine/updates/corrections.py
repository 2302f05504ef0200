"""Ramps added after an update, which g(r) hardly shows: pressure and Kirkwood-Buff integral."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal, Protocol

import numpy as np

from cginit.curves import Array
from cginit.errors import InputError
from cginit.interactions import Interaction
from cginit.refine.history import History, Step
from cginit.refine.record import Record, on_grid
from cginit.refine.thermodynamics import kirkwood_buff
from cginit.refine.updates.base import Update, mean_of_states
from cginit.target import Target

__all__ = ["Corrected", "Correction", "KirkwoodBuffRamp", "PressureRamp", "RampKind", "ramp_amplitude"]

#: Largest ramp at r = 0 in one update, in kT.
MAX_RAMP = 0.1

RampKind = Literal["wjk", "simple"]


class Correction(Protocol):
    """A change of the potentials that comes on top of that of an update."""

    @property
    def beyond_cutoff(self) -> bool:
        """Whether it wants g(r) as far as box and target allow."""
        ...

    def changes(
        self, record: Record, target: Target, pairs: Sequence[Interaction]
    ) -> dict[Interaction, Array]:
        """Return the change ``(n,)`` of each of `pairs` that one state asks for."""
        ...


@dataclass(frozen=True)
class PressureRamp:
    r"""Linear ramps :math:`\Delta U_{ab} = A (1 - r / r_{ab})` that bring the pressure to its target.

    All pairs share the amplitude. ``wjk`` takes the one that has the wanted effect at fixed g,

    .. math:: A \sum_{ab} \frac{2 \pi \rho_a \rho_b}{3 r_{ab}} \int_0^{r_{ab}} g_{ab}\, r^3 dr = P_{target} - P,

    at most 0.1 kT; ``simple`` takes 0.1 kT times the part min(1, \|P_{target} - P\| / (rho kT)) of it, in that
    direction.

    Source: of one species, H. Wang, C. Junghans and K. Kremer, Eur. Phys. J. E 28, 221 (2009),
    doi:10.1140/epje/i2008-10413-5.

    Parameters
    ----------
    kind : {"wjk", "simple"}
        How to find the amplitude.
    """

    kind: RampKind = "wjk"
    beyond_cutoff: bool = False

    def changes(
        self, record: Record, target: Target, pairs: Sequence[Interaction]
    ) -> dict[Interaction, Array]:
        """Return the ramps; none where no pressure is wanted or measured, or it agrees within its error."""
        amplitude = ramp_amplitude(record, target, pairs, self.kind)
        if amplitude == 0.0:
            return {}
        potentials = {name: record.pairs[name] for name in pairs if name in record.pairs}
        return {name: amplitude * (1.0 - p.r / p.r_cut) for name, p in potentials.items()}


def ramp_amplitude(record: Record, target: Target, pairs: Sequence[Interaction], kind: RampKind) -> float:
    """Return the amplitude of the ramps of `pairs` that bring the pressure of one state to its target; 0 for none.

    See `PressureRamp`.
    """
    missing = np.nan if target.pressure is None else target.pressure - record.pressure
    if not np.isfinite(missing) or abs(missing) <= record.pressure_error:
        return 0.0
    limit = MAX_RAMP * target.kT
    if kind == "simple":
        part = min(1.0, abs(missing) / (target.state.density * target.kT))
        return float(np.sign(missing)) * limit * part
    slope = 0.0
    for name in pairs:
        if name not in target.rdfs:
            continue
        p = record.pairs[name]
        third = float(np.trapezoid(on_grid(record.rdfs[name], p) * p.r**3, p.r))
        slope += target.density_product(name) * third / p.r_cut
    return float(np.clip(missing / (2.0 * np.pi / 3.0 * slope), -limit, limit))


@dataclass(frozen=True)
class KirkwoodBuffRamp:
    r"""A linear ramp of each pair that brings its Kirkwood-Buff integral to that of the target.

    .. math:: \Delta U_{ab} = kT\, A\, (G_{ab} - G_{ab,target}) (1 - r / r_{ab}), \qquad
              G(R) = 4 \pi \int_0^R (g - 1) r^2 dr,

    at most 0.1 kT. By default A is the density of all beads, G(R) is averaged over the outer third of the range that
    both curves share, and the ramp ends at the cut-off.

    Source: P. Ganguly, D. Mukherji, C. Junghans and N. F. A. van der Vegt, J. Chem. Theory Comput. 8, 1802 (2012),
    doi:10.1021/ct3000958.

    Parameters
    ----------
    factor : float, optional
        A, an inverse volume.
    window : tuple of float, optional
        First and last R of the average.
    reach : float, optional
        Where the ramp ends, :math:`r_{ab}`.

    Raises
    ------
    InputError
        If a number is not positive, or the window is empty.
    """

    factor: float | None = None
    window: tuple[float, float] | None = None
    reach: float | None = None
    beyond_cutoff: bool = True

    def __post_init__(self) -> None:
        for name, value in (("factor", self.factor), ("end of the ramp", self.reach)):
            if value is not None and not value > 0.0:
                raise InputError(f"the {name} of a Kirkwood-Buff ramp is {value:g}; it must be above 0")
        if self.window is not None and not 0.0 <= self.window[0] < self.window[1]:
            raise InputError(
                f"the Kirkwood-Buff integral is averaged from {self.window[0]:g} to {self.window[1]:g}; the first "
                "must be the smaller one, and not negative"
            )

    def __repr__(self) -> str:
        # A refinement knows itself by this text, which had no more than the last field once.
        stated = {"factor": self.factor, "window": self.window, "reach": self.reach}
        words = [f"{name}={value!r}" for name, value in stated.items() if value is not None]
        return f"KirkwoodBuffRamp({', '.join([*words, f'beyond_cutoff={self.beyond_cutoff}'])})"

    def changes(
        self, record: Record, target: Target, pairs: Sequence[Interaction]
    ) -> dict[Interaction, Array]:
        """Return the ramps."""
        found = {}
        for name in pairs:
            if name not in target.rdfs:
                continue
            p, sampled, wanted = record.pairs[name], record.rdfs[name], target.rdfs[name]
            shared = min(sampled.r_max, wanted.r_max)
            start, stop = (2.0 / 3.0 * shared, shared) if self.window is None else self.window
            if start > shared - sampled.dr:
                raise InputError(
                    f"the Kirkwood-Buff integral of {name} is averaged from {start:g} on, but g(r) ends at {shared:g}"
                )
            got = kirkwood_buff(sampled.truncated(min(stop, shared)), start)
            missing = got - kirkwood_buff(wanted.truncated(min(stop, shared)), start)
            excess = (target.state.density if self.factor is None else self.factor) * missing
            shape = np.maximum(1.0 - p.r / (p.r_cut if self.reach is None else self.reach), 0.0)
            found[name] = np.asarray(np.clip(excess, -MAX_RAMP, MAX_RAMP) * target.kT * shape)
        return found


@dataclass(frozen=True)
class Corrected:
    """An update followed by corrections, each judged by the last simulations; of several states by their mean.

    Parameters
    ----------
    update : Update
        What comes first.
    corrections : tuple of Correction
        What is added to the pairs that the update changes.
    """

    update: Update
    corrections: tuple[Correction, ...]

    def __post_init__(self) -> None:
        if not self.corrections:
            raise InputError("Corrected needs at least one correction")

    @property
    def name(self) -> str:
        """That of the update."""
        return self.update.name

    @property
    def beyond_cutoff(self) -> bool:
        """As the update or a correction wants it."""
        return self.update.beyond_cutoff or any(item.beyond_cutoff for item in self.corrections)

    def __call__(self, history: History) -> Step:
        """Return the step; see `Update`."""
        step = self.update(history)
        changes: dict[Interaction, Array] = dict(step.changes)
        pairs = tuple(changes)
        for item in self.corrections:
            for name, ramp in mean_of_states(history, partial(item.changes, pairs=pairs)).items():
                changes[name] = changes[name] + ramp
        return Step.from_last(history, changes, step.made_by)
