"""The update of a settings file: its method, followed by the steps of ``post_update``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from cginit.curves import RDF, Array, PairPotential
from cginit.errors import InputError
from cginit.refine.measurement import Measurement
from cginit.refine.updates import Corrected, PressureRamp, Update, apply_change, make_update
from cginit.refine.updates.base import first_shown
from cginit.state import StatePoint
from cginit.units import NM_KJ
from cginit.votca.settings import Interaction, Settings

__all__ = ["Smoothed", "update_of"]

#: The rule for each method of csg_inverse; for ``iie`` by the method in its section.
METHODS = {"ibi": "ibi", "imc": "imc"}
IIE_METHODS = {"gauss-newton": "gauss-newton", "newton": "hncn", "newton-mod": "ihnc"}
#: Steps of post_update and post_add that change nothing here.
IDLE_UPDATES = ("shift", "dummy", "tag", "extrapolate")
IDLE_ADDS = ("convergence", "acc_convergence", "shift", "dummy", "tag", "copyback", "compress", "plot")


@dataclass(frozen=True)
class Smoothed:
    r"""An update whose change is smoothed over neighbouring points, as csg_inverse's ``smooth`` does.

    .. math:: \Delta U_i \leftarrow \tfrac14 \Delta U_{i-1} + \tfrac12 \Delta U_i + \tfrac14 \Delta U_{i+1}

    between the first point that the target shows and the cut-off; the two ends become
    :math:`(2 \Delta U_i + \Delta U_{i \pm 1}) / 3`.

    Parameters
    ----------
    update : Update
        What is smoothed.
    iterations : int
        How many times.
    """

    update: Update
    iterations: int = 1

    def __post_init__(self) -> None:
        if self.iterations < 1:
            raise InputError(f"smooth.iterations must be at least 1, not {self.iterations}")

    @property
    def name(self) -> str:
        """That of the update."""
        return self.update.name

    @property
    def beyond_cutoff(self) -> bool:
        """As the update wants it."""
        return self.update.beyond_cutoff

    @property
    def pressure(self) -> float | None:
        """The pressure that the update aims at, if it does."""
        return getattr(self.update, "pressure", None)

    def __call__(self, history: Sequence[Measurement], target: RDF, state: StatePoint) -> PairPotential:
        """Return the next potential; see `cginit.refine.updates.Update`."""
        last = history[-1].potential
        following = self.update(history, target, state)
        first = first_shown(last, target)
        change: Array = np.array(following.u - last.u)
        change[first:] = triangular(change[first:], self.iterations)
        return apply_change(replace(last, u=last.u), change, target, state.kT)


def triangular(values: Array, iterations: int) -> Array:
    """Return `values` ``(n,)`` after so many passes of the filter (1, 2, 1)/4, ends (2, 1)/3.

    Examples
    --------
    >>> triangular(np.array([0.0, 0.0, 4.0, 0.0, 0.0]), 1).tolist()
    [0.0, 1.0, 2.0, 1.0, 0.0]
    """
    smooth: Array = np.array(values, dtype=np.float64)
    for _ in range(iterations):
        inner = 0.25 * smooth[:-2] + 0.5 * smooth[1:-1] + 0.25 * smooth[2:]
        ends = (2.0 * smooth[0] + smooth[1]) / 3.0, (2.0 * smooth[-1] + smooth[-2]) / 3.0
        smooth = np.concatenate([ends[:1], inner, ends[1:]])
    return smooth


def update_of(settings: Settings) -> tuple[Update, tuple[str, ...]]:
    """Return the update rule of a settings file, and sentences on what it does otherwise.

    Raises
    ------
    InputError
        If the method or a step of ``post_update`` does not exist here, or an option is wrong.
    """
    interaction = settings.interaction
    steps, cycle, notes = steps_of(settings, interaction)
    if "1" not in cycle:
        raise InputError(
            f"{settings.path}: do_potential of {interaction.name} is 0, so that nothing would be refined"
        )
    if "0" in cycle:
        notes.append(
            f"do_potential {' '.join(cycle)}: every simulation is followed by an update, those without are left out"
        )
    if settings.method == "imc" and interaction.words("imc.group") == ("none",):
        raise InputError(
            f"{settings.path}: imc.group of {interaction.name} is none, so that nothing would be refined"
        )
    damping = damping_of(settings, interaction) if "scale" in steps else 1.0
    pressure, more = pressure_of(settings, interaction, "pressure" in steps)
    notes += more
    name = rule_of(settings, notes)
    # The ramp of the other methods comes after the smoothing.
    update = make_update(name, damping, pressure=pressure if settings.method == "iie" else None)
    if "smooth" in steps:
        update = Smoothed(update, passes_of(settings, interaction))
    if settings.method != "iie" and pressure is not None:
        update = Corrected(update, (PressureRamp(pressure, ramp_of(settings, interaction)),))
    return update, tuple(notes)


def steps_of(
    settings: Settings, interaction: Interaction
) -> tuple[tuple[str, ...], tuple[str, ...], list[str]]:
    """Return the steps of ``post_update``, the cycle of ``do_potential`` and notes on ``post_add``.

    Raises
    ------
    InputError
        If a step does not exist here.
    """
    notes: list[str] = []
    steps = interaction.words("post_update")
    unknown = [step for step in steps if step not in (*IDLE_UPDATES, "smooth", "scale", "pressure")]
    if unknown:
        raise InputError(
            f"{settings.path}: post_update {' '.join(unknown)} does not exist here (smooth, scale and pressure do); "
            "remove it"
        )
    other = [step for step in interaction.words("post_add") if step not in IDLE_ADDS]
    if other:
        notes.append(f"post_add {' '.join(other)} has no effect")
    return steps, interaction.words("do_potential", "1"), notes


def ramp_of(settings: Settings, interaction: Interaction) -> Literal["simple", "wjk"]:
    """Return the kind of the ramp for the pressure."""
    kind = interaction.words("post_update_options.pressure.type", "simple")[0]
    if kind not in ("simple", "wjk"):
        raise InputError(f"{settings.path}: pressure.type is {kind}; simple and wjk exist")
    return "wjk" if kind == "wjk" else "simple"


def rule_of(settings: Settings, notes: list[str]) -> str:
    """Return the name of the rule for the method of the settings; what it does otherwise is added to `notes`.

    Raises
    ------
    InputError
        If the method does not exist here, or beads of a molecule belong together.
    """
    if settings.method in METHODS:
        return METHODS[settings.method]
    if settings.method != "iie":
        known = ", ".join([*METHODS, "iie"])
        what = f"the method {settings.method}" if settings.method else "no method"
        raise InputError(f"{settings.path} asks for {what}; {known} are run here")
    method = settings.option("iie.method", "gauss-newton").replace("_", "-")
    if method not in IIE_METHODS:
        raise InputError(f"{settings.path}: iie.method is {method}; {', '.join(IIE_METHODS)} exist")
    if set(settings.option("iie.n_intra", "1").split()) != {"1"}:
        raise InputError(
            f"{settings.path}: iie.n_intra is {settings.option('iie.n_intra')}; only one bead a molecule "
            "is refined here"
        )
    if settings.option("iie.closure", "hnc") != "hnc":
        notes.append(
            f"iie.closure {settings.option('iie.closure')} has no effect: the updates are those of HNC"
        )
    return IIE_METHODS[method]


def damping_of(settings: Settings, interaction: Interaction) -> float:
    """Return the factor of ``scale``."""
    text = " ".join(interaction.words("post_update_options.scale", "1.0"))
    try:
        damping = float(text)
    except ValueError:
        raise InputError(f"{settings.path}: post_update_options.scale is {text!r}, not a number") from None
    if not 0.0 < damping <= 1.0:
        raise InputError(
            f"{settings.path}: post_update_options.scale is {damping:g}; it must lie in (0, 1] here"
        )
    return damping


def passes_of(settings: Settings, interaction: Interaction) -> int:
    """Return how often ``smooth`` smooths."""
    text = " ".join(interaction.words("post_update_options.smooth.iterations", "1"))
    try:
        return int(text)
    except ValueError:
        raise InputError(f"{settings.path}: smooth.iterations is {text!r}, not a whole number") from None


def pressure_of(settings: Settings, interaction: Interaction, asked: bool) -> tuple[float | None, list[str]]:
    """Return the pressure to reach in kJ/(mol nm^3), where the settings ask for one."""
    if settings.method == "iie":
        text = settings.option("iie.pressure_constraint", "none")
        if asked:
            raise InputError(f"{settings.path}: with iie, give the pressure as iie.pressure_constraint")
        if text == "none":
            return None, []
        try:
            return float(text) / NM_KJ.bar(), []
        except ValueError:
            raise InputError(
                f"{settings.path}: iie.pressure_constraint is {text!r}, neither none nor a number"
            ) from None
    if not asked:
        if interaction.pressure is not None:
            return None, ["p_target has no effect: post_update does not contain pressure"]
        return None, []
    if interaction.pressure is None:
        raise InputError(
            f"{settings.path}: post_update contains pressure, but {interaction.name} has no p_target"
        )
    return interaction.pressure / NM_KJ.bar(), [
        f"p_target is read as {interaction.pressure:g} bar, whatever the units of the simulation program"
    ]
