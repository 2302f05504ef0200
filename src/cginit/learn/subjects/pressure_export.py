"""From a trained correction to the files of the route ``network``: ONNX, safetensors, description, card."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from cginit.curves import Array
from cginit.eos.domain import fit_domain
from cginit.eos.features import FluidFeatures
from cginit.errors import InputError
from cginit.learn.config import Config
from cginit.learn.data import TrainingSet
from cginit.learn.export import AGREEMENT, export_module, write_weights
from cginit.learn.statistics import r_squared, relative_errors
from cginit.learn.subjects.pressure import PressureEnsemble
from cginit.learn.subjects.pressure_training import CorrectionRun
from cginit.models.model import open_session

__all__ = ["error_table", "write_eos"]


def write_eos(
    config: Config, run: CorrectionRun, data: TrainingSet, folder: Path, facts: dict[str, Any]
) -> dict[str, Any]:
    """Write ``NAME.onnx``, ``NAME.safetensors``, ``NAME.json`` and the card ``NAME.md``; return the description.

    Parameters
    ----------
    config : Config
        Gives the name and version.
    run : CorrectionRun
        The finished training.
    data : TrainingSet
        What it was trained on, test set included.
    folder : Path
        Where to write.
    facts : dict
        What the description should say besides: ``data``, a dict with text and digest.

    Raises
    ------
    InputError
        If the exported file does not give what PyTorch gives.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ensemble, found = run.ensemble, run.predictions
    onnx_path = folder / f"{config.name}.onnx"
    example = _tensors(run.features, np.arange(min(2, len(data))))
    export_module(ensemble, example, ("z", "spread"), onnx_path)
    _check_agreement(ensemble, onnx_path, run.features, run.valid)
    fold, scale = found.fold, found.error_scale()
    coverage = found.coverage()
    known = run.valid & (fold >= 0)
    chosen = FluidFeatures(*(getattr(run.features, k)[known] for k in ("curves", "scalars", "base")))
    description = {
        **write_weights(config, ensemble, data, folder),
        # Those that HNC solves.
        "state_points": {
            "training": int(known.sum()),
            "test": int(np.sum(run.valid & (fold < 0))),
            "without HNC": int(np.sum(~run.valid)),
        },
        "potentials": {
            "training": int(np.unique(data.potential[known]).size),
            "test": int(np.unique(data.potential[run.valid & (fold < 0)]).size),
        },
        "members": [{"step": m.step, "validation_error": round(m.error, 5)} for m in run.members],
        "error_scale": round(scale, 4),
        "coverage of the 90 % band": {"validation": round(coverage[0], 4), "test": round(coverage[1], 4)},
        **facts,
        "errors": {
            "test": error_table(_routes(run), found.truth, data.density, run.valid & (fold < 0)),
            "validation": error_table(_routes(run), found.truth, data.density, known),
        },
        "domain": fit_domain(chosen, fold[known] != fold.max()).to_dict(),
    }
    path = folder / f"{config.name}.json"
    path.write_text(json.dumps(description, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / f"{config.name}.md").write_text(eos_card(description), encoding="utf-8")
    return description


def error_table(routes: Mapping[str, Array], truth: Array, density: Array, rows: NDArray[np.bool_]) -> str:
    """Return a Markdown table of the relative errors of several routes, by density and altogether.

    Parameters
    ----------
    routes : mapping of str to ndarray, shape (m,)
        Compressibility factors; NaN where a route has none.
    truth, density : ndarray, shape (m,)
    rows : ndarray of bool, shape (m,)
        Which count.
    """
    lines = [
        "| density | route | state points | median | mean | R² of P |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    edges = ((0.0, 0.2), (0.2, 0.4), (0.4, 0.75), (0.75, 9.0), (0.0, 9.0))
    for low, high in edges:
        inside = rows & (density > low) & (density <= high)
        label = (
            "all" if (low, high) == edges[-1] else f"{low:g} to {high:g}" if high < 9.0 else f"above {low:g}"
        )
        for name, z in routes.items():
            use = inside & np.isfinite(z)
            if not np.any(use):
                continue
            errors = relative_errors(z[use], truth[use])
            r2 = r_squared((z * density)[use], (truth * density)[use])
            lines.append(
                f"| {label} | {name} | {int(use.sum())} | {np.median(errors):.4f} | {errors.mean():.4f} | {r2:.4f} |"
            )
    return "\n".join(lines)


def eos_card(description: dict[str, Any]) -> str:
    """Return the model card in Markdown for the content of a model's JSON file."""
    config = description["config"]
    points, potentials = description["state_points"], description["potentials"]
    coverage = description["coverage of the 90 % band"]
    template = (files("cginit.learn") / "cards" / "pressure.md").read_text(encoding="utf-8")
    return template.format(
        name=description["name"],
        version=description["version"],
        kind=config["architecture"]["kind"],
        width=config["architecture"]["width"],
        layers=config["architecture"]["layers"],
        kernel=config["architecture"]["kernel"],
        parameters=description["parameters"],
        error_scale=description["error_scale"],
        loss=config["loss"]["kind"],
        data=description["data"]["text"],
        digest=description["data"]["digest"],
        split=description["split"],
        training_points=points["training"],
        training_potentials=potentials["training"],
        test_points=points["test"],
        test_potentials=potentials["test"],
        unsolved=points["without HNC"],
        on_validation=100.0 * coverage["validation"],
        on_test=100.0 * coverage["test"],
        best=", ".join(f"{m['validation_error']:.4f}" for m in description["members"]),
        test_table=description["errors"]["test"],
        validation_table=description["errors"]["validation"],
        **{k: config["schedule"][k] for k in ("members", "steps", "batch", "learning_rate", "seed")},
    )


def _routes(run: CorrectionRun) -> dict[str, Array]:
    base = run.predictions.base
    return {
        "network": run.predictions.z,
        "HNC virial": base[:, 0],
        "HNC energy": base[:, 1],
        "mean of the two": 0.5 * (base[:, 0] + base[:, 1]),
        "P0": 1.0 + np.sinh(run.features.scalars[:, 2]),
        "B2+B3": 1.0 + np.sinh(run.features.scalars[:, 2]) + np.sinh(run.features.scalars[:, 3]),
    }


def _tensors(features: FluidFeatures, rows: NDArray[Any]) -> dict[str, torch.Tensor]:
    names = ("curves", "scalars", "base")
    return {k: torch.from_numpy(getattr(features, k)[rows].astype(np.float32)) for k in names}


def _check_agreement(
    ensemble: PressureEnsemble, path: Path, features: FluidFeatures, valid: NDArray[np.bool_]
) -> None:
    rows = _tensors(features, np.flatnonzero(valid))
    session = open_session(path.read_bytes())
    found = session.run(("z", "spread"), {k: v.numpy() for k, v in rows.items()})
    with torch.no_grad():
        expected = [x.numpy() for x in ensemble(*rows.values())]
    size = 1.0 + np.abs(expected[0])
    worst = max(float(np.max(np.abs(a - b) / size)) for a, b in zip(found, expected, strict=True))
    if worst > AGREEMENT:
        raise InputError(f"{path} differs from PyTorch by {worst:.2g} of 1 + |Z|, more than {AGREEMENT:g}")
