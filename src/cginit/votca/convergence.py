"""When a refinement ends: the cap on simulations, and csg_inverse's own check of convergence."""

from __future__ import annotations

from cginit.errors import InputError
from cginit.interactions import Interaction, Interactions
from cginit.refine.stop import BelowNorm, Norm
from cginit.votca.settings import PairSection, Settings

__all__ = ["convergence_of", "iterations_of", "stop_of"]


def stop_of(
    settings: Settings, interactions: Interactions[PairSection]
) -> tuple[BelowNorm | None, list[str]]:
    """Return the limit of ``convergence_check`` with the norm of each interaction, and notes."""
    limit: float | None = None
    norms: dict[Interaction, Norm] = {}
    notes: list[str] = []
    for name, item in interactions.items():
        one, weight, power, more = convergence_of(settings, item)
        notes += [f"{item.name}: {text}" for text in more]
        if one is not None:
            limit, norms[name] = one, Norm(weight, power)
    return None if limit is None else BelowNorm(limit, norms), notes


def iterations_of(settings: Settings) -> int:
    """Return the cap on simulations."""
    text = settings.option("iterations_max")
    try:
        number = int(text)
    except ValueError:
        raise InputError(f"{settings.path}: iterations_max is {text!r}, not a whole number") from None
    if number < 1:
        raise InputError(
            f"{settings.path}: iterations_max is {number}, which means no end in some releases of csg_inverse and "
            "none at all in others; give --iterations"
        )
    return number


def convergence_of(
    settings: Settings, interaction: PairSection
) -> tuple[float | None, float, int, tuple[str, ...]]:
    """Return limit, weight and norm of the convergence check, and notes."""
    kind = settings.option("convergence_check.type", "none")
    if kind == "none":
        return None, 1.0, 1, ()
    if kind != "default":
        raise InputError(f"{settings.path}: convergence_check.type is {kind}; none and default exist")
    adds = interaction.words("post_add")
    if not {"convergence", "acc_convergence"} & set(adds):
        return None, 1.0, 1, ("convergence_check has no effect: post_add does not contain convergence",)
    options = {
        name: interaction.words(f"post_add_options.convergence.{name}")
        for name in ("what", "base", "weight", "norm")
    }
    if (options["what"] or ("dist",)) != ("dist",) or (options["base"] or ("tgt",)) != ("tgt",):
        return None, 1.0, 1, ("convergence_check has no effect: only g(r) against its target is looked at",)
    try:
        limit = float(settings.option("convergence_check.limit", "0"))
        weight = float(" ".join(options["weight"]) or 1.0)
        norm = int(" ".join(options["norm"]) or 1)
    except ValueError as error:
        raise InputError(
            f"{settings.path}: an option of the convergence check is not a number: {error}"
        ) from None
    if norm not in (1, 2):
        raise InputError(f"{settings.path}: convergence.norm is {norm}; 1 and 2 exist")
    return (limit if limit > 0.0 else None), weight, norm, ()
