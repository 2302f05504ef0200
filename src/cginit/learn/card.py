"""Words and numbers of the model cards, from the description of a model: its numbers are those of the evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["PLAIN", "RESIDUAL", "auxiliary_words", "common_values", "tables"]

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


def auxiliary_words(pairs: int, potentials: int, config: dict[str, Any]) -> str:
    """Return what a card says of the auxiliary pairs: how many, and where their g comes from."""
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


def common_values(description: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of the templates in ``cards/`` that cards of several subjects have."""
    config = description["config"]
    architecture, augmentation, loss = config["architecture"], config["augmentation"], config["loss"]
    points, potentials = description["state_points"], description["potentials"]
    values = {
        "dilations": ", ".join(map(str, architecture["dilations"])),
        "loss": loss["kind"],
        "data": description["data"]["text"],
        "digest": description["data"]["digest"],
        "training_points": points["training"],
        "training_potentials": potentials["training"],
        "test_points": points["test"],
        "test_potentials": potentials["test"],
        "low": augmentation["scale"][0],
        "high": augmentation["scale"][1],
        "max_density": augmentation["max_density"],
        **{k: description[k] for k in ("name", "version", "parameters", "error_scale", "split")},
        **{k: architecture[k] for k in ("kind", "width", "kernel", "layers")},
        **{k: loss[k] for k in ("a", "alpha", "u_cut")},
        **{k: config["schedule"][k] for k in ("members", "steps", "batch", "learning_rate", "seed")},
    }
    if "density" in description["domain"]:
        values["lowest"], values["highest"] = description["domain"]["density"]
    return values


def tables(description: Mapping[str, Any]) -> dict[str, str]:
    """Return the tables of errors as the templates name them."""
    names = {"test": "test_table", "validation": "validation_table", "deltas": "deltas"}
    return {names[k]: table for k, table in description["errors"].items() if k in names}
