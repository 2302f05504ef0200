"""The one export of all subjects: ONNX for inference, safetensors, a JSON description, the model card."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Callable, Mapping
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cginit.atomic import write_atomically
from cginit.errors import InputError
from cginit.learn.card import common_values
from cginit.learn.columns import in_columns
from cginit.learn.config import Config
from cginit.learn.data import SPLIT_RULE, TrainingSet
from cginit.learn.identity import data_digest
from cginit.learn.subjects import Run, subject_of
from cginit.models.model import MODEL_FORMAT, open_session

__all__ = [
    "AGREEMENT",
    "check_agreement",
    "describe",
    "export_module",
    "export_run",
    "model_card",
    "write_model",
]

#: Largest difference between ONNX Runtime and PyTorch, relative to 1 kT + |U|.
AGREEMENT = 1e-5


def _write_weights(config: Config, ensemble: nn.Module, data: TrainingSet, folder: Path) -> dict[str, Any]:
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


def write_model(run: Run, folder: Path, origin: str) -> dict[str, Any]:
    """Write ``NAME.onnx``, ``NAME.safetensors`` and ``NAME.json`` into `folder`; return the description.

    Parameters
    ----------
    run : Run
        The finished training, whose configuration gives name and version.
    folder : Path
        Where to write.
    origin : str
        Where the data come from, in words.

    Raises
    ------
    InputError
        If the exported file does not give what PyTorch gives.
    """
    subject, config, lesson = subject_of(run.config.subject), run.config, run.lesson
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{config.name}.onnx"
    inputs = {name: x[lesson.usable].astype(np.float32) for name, x in lesson.inputs.items()}
    example = {name: torch.from_numpy(x[:2]) for name, x in inputs.items()}
    export_module(run.ensemble, example, subject.outputs, path)
    check_agreement(run.ensemble, path, *inputs.values())
    description = {
        **_write_weights(config, run.ensemble, run.data, folder),
        "members": [{"step": m.step, subject.error_key: round(m.error, 5)} for m in run.members],
        **subject.figures(run),
        "data": {"text": origin, "digest": data_digest(run.data)},
        "domain": subject.domain(run),
    }
    _write_description(description, folder)
    return description


def export_run(
    run: Run, folder: Path, origin: str, report: Callable[[str, int, int], None] | None = None
) -> dict[str, Any]:
    """Write the model as `write_model` does, judge it on the test set, and write its card ``NAME.md``; see there.

    `report` is called with the name of a group of state points and how many of them are judged, of how many.
    """
    write_model(run, folder, origin)
    errors = subject_of(run.config.subject).errors(run, folder, report)
    description = describe(folder, run.config.name, {"errors": errors})
    write_atomically(folder / f"{run.config.name}.md", model_card(description))
    return description


def model_card(description: Mapping[str, Any]) -> str:
    """Return the card in Markdown for the content of a model's JSON file."""
    # Descriptions of before lack what has a default now.
    config = Config.from_dict(description["config"])
    complete = {**description, "config": asdict(config)}
    template = (files("cginit.learn") / "cards" / f"{config.subject}.md").read_text(encoding="utf-8")
    return template.format(**common_values(complete), **subject_of(config.subject).card(complete))


def _write_description(description: dict[str, Any], folder: Path) -> None:
    """Write ``NAME.json``."""
    (folder / f"{description['name']}.json").write_text(_dump(description), encoding="utf-8")


def describe(folder: Path, name: str, facts: dict[str, Any]) -> dict[str, Any]:
    """Add `facts` to the description of the model `name` in `folder`; return all of it."""
    description = {**json.loads((folder / f"{name}.json").read_text(encoding="utf-8")), **facts}
    _write_description(description, folder)
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


def check_agreement(module: nn.Module, path: Path, *inputs: NDArray[Any]) -> float:
    """Return the largest difference of the file from PyTorch relative to 1 kT + |U|, for some inputs of the module.

    U is the first output. The spread of the members is a difference of two U, each with a rounding of its own:
    relative to twice that.

    Raises
    ------
    InputError
        If it exceeds 1e-5.
    """
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
