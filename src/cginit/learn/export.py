"""What the exports of all subjects share: ONNX for inference, safetensors, a JSON description, the domain."""

from __future__ import annotations

import hashlib
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cginit.atomic import write_atomically
from cginit.curves import Array
from cginit.errors import InputError
from cginit.learn.augmentation import Augmentation, vary
from cginit.learn.columns import in_columns
from cginit.learn.config import Config
from cginit.learn.data import SPLIT_RULE, TrainingSet
from cginit.models.domain import Domain, fit_domain, noise_level
from cginit.models.model import MODEL_FORMAT

__all__ = [
    "AGREEMENT",
    "auxiliary_counts",
    "describe",
    "export_module",
    "training_domain",
    "write_description",
    "write_weights",
]

#: Largest difference between ONNX Runtime and PyTorch, relative to 1 kT + |U|.
AGREEMENT = 1e-5
#: Variations of each training curve that the domain is fitted to.
VARIATIONS = 8


def training_domain(
    data: TrainingSet, augmentation: Augmentation, members: int, auxiliary: TrainingSet | None = None
) -> Domain:
    """Return the limits of the training inputs, without the test set; the components lack the last fold."""
    fold = data.folds(members)
    rng = np.random.default_rng(0)
    g: list[Array] = []
    density: list[Array] = []
    for use in ((fold >= 0) & (fold != members - 1), fold == members - 1):
        part = data.select(use)
        varied = vary(part, np.tile(np.arange(len(part)), VARIATIONS), augmentation, rng)
        g.append(varied[0])
        density.append(varied[1])
    basis = [g[0]]
    if auxiliary is not None:
        basis.append(vary(auxiliary, np.arange(len(auxiliary)), augmentation, rng)[0])
    # What is added in training comes on top of what the records have.
    more = np.sqrt(1.0 + augmentation.noise**2)
    noise = [more * noise_level(data.r, error) for error in data.g_error[fold >= 0]]
    return fit_domain(np.vstack(g), np.concatenate(density), np.vstack(basis), np.array(noise))


def auxiliary_counts(auxiliary: TrainingSet | None) -> dict[str, int]:
    """Return how many auxiliary pairs of how many potentials there were, as a description says it."""
    if auxiliary is None:
        return {"pairs": 0, "potentials": 0}
    return {"pairs": len(auxiliary), "potentials": int(np.unique(auxiliary.potential).size)}


def write_weights(config: Config, ensemble: nn.Module, data: TrainingSet, folder: Path) -> dict[str, Any]:
    """Write ``NAME.safetensors`` beside the exported ``NAME.onnx``; return what every description begins with."""
    from safetensors.torch import save

    weights = {name: value.contiguous() for name, value in ensemble.state_dict().items()}
    write_atomically(folder / f"{config.name}.safetensors", save(weights))
    fold = data.folds(config.schedule.members)
    return {
        "format_version": MODEL_FORMAT,
        "name": config.name,
        "version": config.version,
        "onnx_sha256": hashlib.sha256((folder / f"{config.name}.onnx").read_bytes()).hexdigest(),
        "parameters": int(sum(p.numel() for p in ensemble.parameters())),
        "split": SPLIT_RULE,
        "state_points": {"training": int(np.sum(fold >= 0)), "test": int(np.sum(fold < 0))},
        "potentials": {
            "training": int(np.unique(data.potential[fold >= 0]).size),
            "test": int(np.unique(data.potential[fold < 0]).size),
        },
        "config": config.to_dict(),
    }


def write_description(description: dict[str, Any], folder: Path) -> None:
    """Write ``NAME.json``."""
    (folder / f"{description['name']}.json").write_text(_dump(description), encoding="utf-8")


def describe(folder: Path, name: str, facts: dict[str, Any]) -> dict[str, Any]:
    """Add `facts` to the description of the model `name` in `folder`; return all of it."""
    description = {**json.loads((folder / f"{name}.json").read_text(encoding="utf-8")), **facts}
    write_description(description, folder)
    return description


def export_module(
    module: nn.Module, example: dict[str, Tensor], outputs: tuple[str, ...], path: Path
) -> None:
    """Write a module as ONNX, its convolutions `in_columns`; the first axis of all inputs is the number of cases.

    Parameters
    ----------
    module : nn.Module
    example : dict of str to Tensor
        Arguments by name, in their order.
    outputs : tuple of str
        Names of what it returns.
    path : Path

    Raises
    ------
    InputError
        If this version of PyTorch exports nothing.
    """
    batch = torch.export.Dim("m")
    with warnings.catch_warnings():
        # The exporter warns about its own deprecated calls and about the common name of the batch axes.
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            in_columns(module).eval(),
            tuple(example.values()),
            input_names=list(example),
            output_names=list(outputs),
            dynamic_shapes=tuple({0: batch} for _ in example),
            dynamo=True,
            verbose=False,
        )
    if program is None:
        raise InputError("PyTorch exported nothing; this version of torch lacks the dynamo exporter")
    temporary = path.with_suffix(".tmp")
    # One file: the weights inside.
    program.save(str(temporary), external_data=False)
    _forget_origin(temporary)
    temporary.replace(path)


def _forget_origin(path: Path) -> None:
    """Remove from an ONNX file where in which source each node came from: paths of the machine that exported it."""
    import onnx

    model = onnx.load(str(path))
    for part in (*model.graph.node, *model.graph.value_info, *model.graph.input, *model.graph.output):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    for function in model.functions:
        for node in function.node:
            node.ClearField("metadata_props")
            node.ClearField("doc_string")
    onnx.save(model, str(path))


def check_agreement(module: nn.Module, path: Path, *inputs: Array) -> float:
    """Return the largest difference of the file from PyTorch relative to 1 kT + |U|, for some inputs of the module.

    U is the first output. The spread of the members is a difference of two U, each with a rounding of its own:
    relative to twice that.

    Raises
    ------
    InputError
        If it exceeds 1e-5.
    """
    from cginit.models.model import open_session

    session = open_session(path.read_bytes())
    given = [x.astype(np.float32) for x in inputs]
    found = session.run(None, {x.name: v for x, v in zip(session.get_inputs(), given, strict=True)})
    with torch.no_grad():
        expected = [x.numpy() for x in module(*map(torch.from_numpy, given))]
    off = [np.abs(a - b) / (1.0 + np.abs(expected[0])) for a, b in zip(found, expected, strict=True)]
    worst = float(max(np.max(off[0]), *(0.5 * np.max(x) for x in off[1:])))
    if worst > AGREEMENT:
        raise InputError(f"{path} differs from PyTorch by {worst:.2g} of 1 kT + |U|, more than {AGREEMENT:g}")
    return worst


def _dump(description: dict[str, Any]) -> str:
    # One line a component keeps the file readable and its differences small.
    domain = description["domain"]
    head = json.dumps({k: v for k, v in description.items() if k != "domain"}, indent=2, ensure_ascii=False)
    lines = ",\n".join(
        f"    {json.dumps(k)}: {json.dumps(v)}" for k, v in domain.items() if k != "components"
    )
    rows = ",\n".join(f"      {json.dumps(row)}" for row in domain["components"])
    return head[:-2] + f',\n  "domain": {{\n{lines},\n    "components": [\n{rows}\n    ]\n  }}\n}}\n'
