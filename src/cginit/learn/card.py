"""The model card, filled in from the description of a model so that its numbers are those of the evaluation."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from cginit.models.grid import BRIDGE_POINTS

__all__ = ["bridge_card", "model_card"]

RESIDUAL = (
    "U/kT as -ln g (read between -5 and 7 kT) plus the output of the layers. The published CN/f gives U as the\n"
    "  plain output of its layers; this form needs fewer data"
)
PLAIN = "U/kT as the plain output of the layers, as published"


#: What an auxiliary g comes from, by the name of its closure.
CLOSURES = {
    "hnc": "from the HNC closure",
    "bridge": "from HNC with the bridge function of the forward map (`cginit.forward`, which has not seen the\n"
    "  test set)",
}


def _auxiliary(pairs: int, potentials: int, config: dict[str, Any]) -> str:
    if pairs == 0:
        return "No other data were used."
    auxiliary = config["auxiliary"]
    low, high = auxiliary["density"]
    steps = config.get("pretraining", {}).get("steps", 0)
    taught = (
        f"\n  First they alone teach a network for {steps} steps, from whose weights every member goes on."
        if steps
        else ""
    )
    return (
        f"Auxiliary: {pairs} pairs of {potentials} further potentials of the same families\n"
        f"  whose g comes {CLOSURES[auxiliary['closure']]} instead of a simulation\n"
        f"  (`cginit.learn.pairs`), at densities from {low:g} to {high:g}.{taught}\n"
        f"  {100 * auxiliary['share']:.0f} % of each batch are drawn from them. They serve in training alone, not in "
        "validation or test."
    )


def model_card(description: dict[str, Any]) -> str:
    """Return the card in Markdown for the content of a model's JSON file."""
    config = description["config"]
    architecture, augmentation = config["architecture"], config["augmentation"]
    best = (f"{m['step']} ({m['validation_error_kT']:.3f} kT)" for m in description["members"])
    return _template("potential.md").format(
        **_common(description),
        options=architecture["options"],
        output=RESIDUAL if architecture["residual"] else PLAIN,
        auxiliary=_auxiliary(**description["auxiliary"], config=config),
        noise=augmentation["noise"],
        shortest_range=augmentation["shortest_range"],
        best=", ".join(best),
    )


def bridge_card(description: dict[str, Any]) -> str:
    """Return the card in Markdown for the content of the JSON file of a model of kind BN."""
    coverage = description["coverage of the 90 % band"]
    return _template("bridge.md").format(
        **_common(description),
        points=BRIDGE_POINTS,
        unsolved=description["without solution"],
        auxiliary=_auxiliary(**description["auxiliary"], config=description["config"]),
        on_validation=100.0 * coverage["validation"],
        on_test=100.0 * coverage["test"],
        best=", ".join(f"{m['validation_error_kT']:.3f} kT" for m in description["members"]),
    )


def _template(name: str) -> str:
    return (files("cginit.learn") / "cards" / name).read_text(encoding="utf-8")


def _common(description: dict[str, Any]) -> dict[str, Any]:
    config = description["config"]
    architecture, augmentation = config["architecture"], config["augmentation"]
    points, potentials = description["state_points"], description["potentials"]
    domain, errors = description["domain"], description["errors"]
    return {
        "name": description["name"],
        "version": description["version"],
        "dilations": ", ".join(map(str, architecture["dilations"])),
        "parameters": description["parameters"],
        "error_scale": description["error_scale"],
        "loss": config["loss"]["kind"],
        "data": description["data"]["text"],
        "digest": description["data"]["digest"],
        "split": description["split"],
        "training_points": points["training"],
        "training_potentials": potentials["training"],
        "test_points": points["test"],
        "test_potentials": potentials["test"],
        "low": augmentation["scale"][0],
        "high": augmentation["scale"][1],
        "max_density": augmentation["max_density"],
        "test_table": errors["test"],
        "deltas": errors["deltas"],
        "validation_table": errors["validation"],
        "lowest": domain["density"][0],
        "highest": domain["density"][1],
        **{k: architecture[k] for k in ("kind", "width", "kernel")},
        **{k: config["loss"][k] for k in ("a", "alpha", "u_cut")},
        **{k: config["schedule"][k] for k in ("members", "steps", "batch", "learning_rate", "seed")},
    }
