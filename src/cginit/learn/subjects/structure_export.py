"""From a trained forward map to the shipped files: ONNX, safetensors, description, model card."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import torch

from cginit.learn.config import Config
from cginit.learn.data import TrainingSet
from cginit.learn.export import (
    check_agreement,
    export_module,
    training_domain,
    write_description,
    write_weights,
)
from cginit.learn.subjects.structure_training import ForwardRun

__all__ = ["forward_card", "write_forward"]


def write_forward(
    config: Config, run: ForwardRun, data: TrainingSet, folder: Path, facts: dict[str, Any]
) -> dict[str, Any]:
    """Write ``NAME.onnx``, ``NAME.safetensors``, ``NAME.json`` and the card ``NAME.md``; return the description.

    Parameters
    ----------
    config : Config
        Gives the name and version.
    run : ForwardRun
        The finished training.
    data : TrainingSet
        What it was trained on, test set included.
    folder : Path
        Where to write.
    facts : dict
        What the description should say besides: ``data`` (text and digest), ``errors``.

    Raises
    ------
    InputError
        If the exported file does not give what PyTorch gives.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{config.name}.onnx"
    n = data.r.size
    example = {
        "energy": torch.zeros(2, n),
        "gamma": torch.zeros(2, n),
        "density": torch.tensor([0.2, 0.5]),
    }
    export_module(run.ensemble, example, ("u", "spread"), path)
    valid = run.rows.valid
    u = np.array([np.interp(data.r, data.u_r, x) for x in data.u[valid]])
    check_agreement(run.ensemble, path, u, run.rows.gamma[valid], data.density[valid])
    description = {
        **write_weights(config, run.ensemble, data, folder),
        "members": [{"step": m.step, "validation_error_g": round(m.error, 5)} for m in run.members],
        # The spread is not used as an error.
        "error_scale": 1.0,
        "without solution": int(np.sum(~valid)),
        **facts,
        "domain": training_domain(data, config.augmentation, config.schedule.members).to_dict(),
    }
    write_description(description, folder)
    (folder / f"{config.name}.md").write_text(forward_card(description), encoding="utf-8")
    return description


def forward_card(description: dict[str, Any]) -> str:
    """Return the model card in Markdown for the content of a model's JSON file."""
    config, points, potentials = (description[k] for k in ("config", "state_points", "potentials"))
    template = (files("cginit.learn") / "cards" / "structure.md").read_text(encoding="utf-8")
    return template.format(
        name=description["name"],
        version=description["version"],
        width=config["architecture"]["width"],
        kernel=config["architecture"]["kernel"],
        dilations=", ".join(map(str, config["architecture"]["dilations"])),
        parameters=description["parameters"],
        scale=" to ".join(f"{x:g}" for x in config["augmentation"]["scale"]),
        data=description["data"]["text"],
        digest=description["data"]["digest"],
        split=description["split"],
        training_points=points["training"],
        training_potentials=potentials["training"],
        test_points=points["test"],
        test_potentials=potentials["test"],
        unsolved=description["without solution"],
        errors=", ".join(f"{m['validation_error_g']:.4f}" for m in description["members"]),
        **{k: config["schedule"][k] for k in ("members", "steps", "batch", "learning_rate", "seed")},
        **description["errors"],
    )
