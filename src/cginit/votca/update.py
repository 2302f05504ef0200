"""The update that a settings file asks for: its method, and the steps of ``post_update`` of each interaction."""

from __future__ import annotations

from cginit.errors import InputError
from cginit.interactions import Interaction, Interactions
from cginit.refine import make_update
from cginit.refine.updates.corrections import KirkwoodBuffRamp, RampKind
from cginit.units import NM_KJ
from cginit.votca.adjusted import AdjustedUpdate, Adjustment
from cginit.votca.settings import PairSection, Settings

__all__ = ["check_method", "update_of"]

#: The rule for each method of csg_inverse (``ibm`` is that of ``ibi`` in early releases); for ``iie`` by the
#: method in its section.
METHODS = {"ibi": "ibi", "ibm": "ibi", "imc": "imc"}
#: What the other methods of csg_inverse do.
OTHER_METHODS = {
    "re": "relative entropy",
    "optimizer": "a search for parameters by simplex or CMA",
    "simplex": "a search for parameters",
    "tf": "the thermodynamic force of AdResS",
}
IIE_METHODS = {"gauss-newton": "gauss-newton", "newton": "hncn", "newton-mod": "ihnc"}
#: Steps of post_update that are done here; steps of it and of post_add that change nothing.
STEPS = ("smooth", "scale", "pressure", "kbibi")
IDLE_UPDATES = ("shift", "dummy", "tag", "extrapolate")
IDLE_ADDS = ("convergence", "acc_convergence", "shift", "dummy", "tag", "copyback", "compress", "plot")


def update_of(
    settings: Settings,
    interactions: Interactions[PairSection],
    name: str | None = None,
    *,
    beside: bool = False,
) -> tuple[AdjustedUpdate, float | None, tuple[str, ...]]:
    """Return the update rule of a settings file, the pressure to reach, and sentences on what it does otherwise.

    `name` is a rule that counts more than that of the settings; with `beside` bonds are refined, whatever pairs are.

    Raises
    ------
    InputError
        If the method or a step of ``post_update`` does not exist here, an option is wrong, or nothing would change.
    """
    notes: list[str] = []
    adjustments, pressures = [], set()
    single = len(interactions) == 1
    for pair, item in interactions.items():
        adjustment, pressure, more = _adjustment(settings, item)
        adjustments.append((pair, adjustment))
        if single and any(adjustment.cycle) and not all(adjustment.cycle):
            words = " ".join("1" if turn else "0" for turn in adjustment.cycle)
            more.append(
                f"do_potential {words}: every simulation is followed by an update, those without are left out"
            )
        notes += more if single else [f"{item.name}: {text}" for text in more]
        if pressure is not None:
            pressures.add(pressure)
        if not single and not any(adjustment.cycle):
            notes.append(f"{item.name} keeps its potential, and its g(r) does not count for convergence")
    if not beside:
        _check_something(settings, adjustments, interactions)
    _check_groups(settings, interactions)
    if len(pressures) > 1:
        raise InputError(f"{settings.path}: the interactions have different p_target; a box has one pressure")
    rule = name or rule_of(settings, notes)
    wanted = next(iter(pressures), None)
    # The ramp of the other methods comes after the smoothing; of iie, the pressure is a datum.
    update = make_update(rule, pressure=settings.method == "iie" and wanted is not None)
    return AdjustedUpdate(update, tuple(adjustments)), wanted, tuple(dict.fromkeys(notes))


def _adjustment(settings: Settings, item: PairSection) -> tuple[Adjustment, float | None, list[str]]:
    """Return what one interaction wants, the pressure that it names, and notes."""
    steps, cycle, notes = steps_of(settings, item)
    if settings.method == "imc" and item.words("imc.group") == ("none",):
        cycle = ("0",)
    pressure, more = pressure_of(settings, item, "pressure" in steps)
    ramp = ramp_of(settings, item) if pressure is not None and settings.method != "iie" else None
    adjustment = Adjustment(
        damping=damping_of(settings, item) if "scale" in steps else 1.0,
        smoothing=passes_of(settings, item) if "smooth" in steps else 0,
        cycle=tuple(word == "1" for word in cycle),
        ramp=ramp,
        kirkwood_buff=kirkwood_buff_of(settings, item, cycle) if "kbibi" in steps else None,
    )
    return adjustment, pressure, [*notes, *more]


def _check_something(
    settings: Settings,
    adjustments: list[tuple[Interaction, Adjustment]],
    interactions: Interactions[PairSection],
) -> None:
    if not any(any(one.cycle) for _, one in adjustments):
        groups = {item.words("imc.group") for item in interactions.values()}
        why = "imc.group" if settings.method == "imc" and groups == {("none",)} else "do_potential"
        names = ", ".join(item.name for item in interactions.values())
        value = "none" if why == "imc.group" else "0"
        raise InputError(f"{settings.path}: {why} of {names} is {value}, so that nothing would be refined")


def _check_groups(settings: Settings, interactions: Interactions[PairSection]) -> None:
    groups = {item.words("imc.group") for item in interactions.values()} - {("none",)}
    if settings.method == "imc" and len(groups) > 1:
        names = ", ".join(" ".join(group) or "(none given)" for group in groups)
        raise InputError(
            f"{settings.path} has several imc.group ({names}); all pairs of a mixture are one group here: give all "
            "the same name"
        )


def steps_of(
    settings: Settings, interaction: PairSection
) -> tuple[tuple[str, ...], tuple[str, ...], list[str]]:
    """Return the steps of ``post_update``, the cycle of ``do_potential`` and notes on ``post_add``.

    Raises
    ------
    InputError
        If a step does not exist here.
    """
    notes: list[str] = []
    steps = interaction.words("post_update")
    unknown = [step for step in steps if step not in (*IDLE_UPDATES, *STEPS)]
    if unknown:
        raise InputError(
            f"{settings.path}: post_update {' '.join(unknown)} does not exist here ({', '.join(STEPS)} do); "
            "remove it"
        )
    other = [step for step in interaction.words("post_add") if step not in IDLE_ADDS]
    if other:
        notes.append(f"post_add {' '.join(other)} has no effect")
    return steps, interaction.words("do_potential", "1"), notes


def ramp_of(settings: Settings, interaction: PairSection) -> RampKind:
    """Return the kind of the ramp for the pressure."""
    kind = interaction.words("post_update_options.pressure.type", "simple")[0]
    if kind not in ("simple", "wjk"):
        raise InputError(f"{settings.path}: pressure.type is {kind}; simple and wjk exist")
    return "wjk" if kind == "wjk" else "simple"


def check_method(settings: Settings) -> None:
    """Refuse a method of csg_inverse that is not run here.

    Raises
    ------
    InputError
        If the method does not exist here.
    """
    if settings.method in (*METHODS, "iie"):
        return
    about = OTHER_METHODS.get(settings.method)
    what = f"the method {settings.method}" if settings.method else "no method"
    what += f" ({about})" if about else ""
    raise InputError(
        f"{settings.path} asks for {what}; ibi, imc and iie are run here. Give one of them as <method>, or --update"
    )


def rule_of(settings: Settings, notes: list[str]) -> str:
    """Return the name of the rule for the method of the settings; what it does otherwise is added to `notes`.

    Raises
    ------
    InputError
        If the method does not exist here.
    """
    check_method(settings)
    if settings.method in METHODS:
        return METHODS[settings.method]
    stated = settings.option("iie.method") or settings.option("iie.algorithm") or "gauss-newton"
    method = stated.replace("_", "-")
    if method not in IIE_METHODS:
        raise InputError(f"{settings.path}: iie.method is {method}; {', '.join(IIE_METHODS)} exist")
    if settings.option("iie.closure", "hnc") != "hnc":
        notes.append(
            f"iie.closure {settings.option('iie.closure')} has no effect: the updates are those of HNC"
        )
    return IIE_METHODS[method]


def kirkwood_buff_of(
    settings: Settings, interaction: PairSection, cycle: tuple[str, ...]
) -> KirkwoodBuffRamp:
    """Return the ramp of ``kbibi``.

    Raises
    ------
    InputError
        If an option of it is absent or wrong, or the pair is to have this ramp alone.
    """
    where = f"{settings.path}: kbibi of {interaction.name}"
    if "1" not in cycle:
        raise InputError(
            f"{where} with do_potential {' '.join(cycle)} would add ramps alone, which is not done here; give "
            "do_potential 1"
        )
    values = {}
    for name in ("factor", "start", "stop", "r_ramp"):
        text = " ".join(interaction.words(f"post_update_options.kbibi.{name}"))
        if not text and name == "r_ramp":
            text = f"{interaction.r_max}"
        try:
            values[name] = float(text)
        except ValueError:
            raise InputError(f"{where} has {name} {text or 'nowhere'}, and needs it as a number") from None
    try:
        return KirkwoodBuffRamp(values["factor"], (values["start"], values["stop"]), values["r_ramp"])
    except InputError as error:
        raise InputError(f"{where}: {error}") from None


def damping_of(settings: Settings, interaction: PairSection) -> float:
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


def passes_of(settings: Settings, interaction: PairSection) -> int:
    """Return how often ``smooth`` smooths."""
    text = " ".join(interaction.words("post_update_options.smooth.iterations", "1"))
    try:
        return int(text)
    except ValueError:
        raise InputError(f"{settings.path}: smooth.iterations is {text!r}, not a whole number") from None


def pressure_of(settings: Settings, interaction: PairSection, asked: bool) -> tuple[float | None, list[str]]:
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
