"""Hyper-parameter search by cross-validation: Optuna proposes, the training loop answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cginit.errors import InputError, MissingDependencyError
from cginit.learn.data import TrainingSet
from cginit.learn.fitting import fit
from cginit.learn.identity import claim, data_digest
from cginit.learn.pool import Pool, choose_device
from cginit.learn.task import Job, TrainingProgress
from cginit_study.study import StudyConfig, Subject

if TYPE_CHECKING:
    from optuna.trial import Trial

__all__ = ["search_sizes"]

#: The network of each architecture that is searched: without options, as published; for the pressure by the route
#: that was published as best.
PLAIN = {"potential": "x", "pressure": "Bn-c"}
#: Widths and depths that are tried.
SPACE: dict[str, dict[str, list[int]]] = {
    "DN": {"width": [32, 64, 128, 256], "layers": [1, 2, 3, 4]},
    "CN": {"width": [8, 16, 24, 32, 48], "layers": [2, 3, 4, 5, 6], "kernel": [3, 5, 7, 9]},
    "UN": {"width": [4, 8, 12, 16], "layers": [1, 2, 3, 4], "kernel": [3, 5, 7]},
    "RN": {"width": [8, 16, 24, 32], "kernel": [3, 5, 7]},
}


def search_sizes(
    config: StudyConfig,
    subject: Subject,
    data: TrainingSet,
    folder: Path,
    *,
    trials: int,
    steps: int,
    kinds: tuple[str, ...],
    device: str = "auto",
    report: Callable[[str], None] | None = None,
) -> Path:
    """Search sizes, learning rate and loss for each kind; return ``sizes.toml`` with the best, as a study reads it.

    The objective is the validation error averaged over the folds. The median pruner ends trials that are worse than
    half of the others at the same step. Trials are kept in ``trials.log``; the same call goes on after the last one.
    One learning rate and one loss serve all kinds of a study: those of the kind with the least error.

    Raises
    ------
    MissingDependencyError
        If Optuna is not installed.
    InputError
        If a kind has no search space, or `folder` holds another search.
    """
    try:
        import optuna
    except ImportError as error:
        raise MissingDependencyError("the search needs Optuna: pip install 'cginit-study[search]'") from error
    if unknown := [kind for kind in kinds if kind not in SPACE]:
        raise InputError(f"there is no search space for {unknown[0]!r}; known are {', '.join(SPACE)}")
    known = data.select(~data.test)
    content = {"config": config.to_dict(), "steps": steps, "data": data_digest(known)}
    claim(folder / "search.json", content)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    backend = optuna.storages.journal.JournalFileBackend(str(folder / "trials.log"))
    storage = optuna.storages.JournalStorage(backend)
    place = choose_device(device)
    pool = Pool(known, place)
    best: dict[str, Any] = {}
    for number, kind in enumerate(kinds):
        found = optuna.create_study(
            study_name=kind,
            storage=storage,
            load_if_exists=True,
            sampler=optuna.samplers.TPESampler(seed=config.schedule.seed + number),
            pruner=optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=steps // 4),
        )

        def objective(trial: Trial, kind: str = kind) -> float:
            chosen = _propose(trial, config, kind, steps)
            error = _cross_validate(trial, chosen, subject, kind, known, pool, folder)
            if report is not None:
                report(f"{kind} trial {trial.number + 1}/{trials}: {error:.4f} with {trial.params}")
            return error

        finished = (optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED)
        missing = trials - len(found.get_trials(deepcopy=False, states=finished))
        if missing > 0:
            found.optimize(objective, n_trials=missing)
        best[kind] = {"error": found.best_value, **found.best_params}
        if report is not None:
            report(f"{kind} best: {found.best_value:.4f} with {found.best_params}")
    path = folder / "sizes.toml"
    path.write_text(_toml(best), encoding="utf-8")
    (folder / "best.json").write_text(json.dumps(best, indent=2) + "\n", encoding="utf-8")
    return path


def _propose(trial: Trial, config: StudyConfig, kind: str, steps: int) -> StudyConfig:
    sizes = {name: trial.suggest_categorical(name, values) for name, values in SPACE[kind].items()}
    rate = trial.suggest_categorical("learning_rate", [3e-4, 1e-3, 3e-3])
    loss = trial.suggest_categorical("loss", ["SE", "AE", "LE"])
    every = max(steps // 8, 1)
    return replace(
        config,
        architecture={kind: replace(config.size_of(kind), **sizes)},
        loss=replace(config.loss, kind=loss),
        schedule=replace(config.schedule, learning_rate=rate, steps=steps, evaluate_every=every),
    )


def _cross_validate(
    trial: Trial,
    config: StudyConfig,
    subject: Subject,
    kind: str,
    known: TrainingSet,
    pool: Pool,
    folder: Path,
) -> float:
    import optuna

    fold = known.folds(config.folds)
    place = folder / kind / f"trial-{trial.number}"
    seed = config.schedule.seed * 1000
    jobs = [
        Job(
            f"{kind} trial {trial.number} fold {k + 1}",
            place / f"fold-{k + 1}.safetensors",
            seed + k,
            k,
            np.flatnonzero(fold != k),
            np.flatnonzero(fold == k),
        )
        for k in range(config.folds)
    ]

    def watch(progress: TrainingProgress) -> None:
        error = float(np.mean(progress.error))
        trial.report(error if np.isfinite(error) else 1e9, progress.step)
        if progress.step < progress.steps and trial.should_prune():
            raise optuna.TrialPruned(f"{error:.4f} at step {progress.step}")

    task = subject.task(pool, config, kind, [PLAIN[config.subject]] * config.folds)
    fits = fit(task, jobs, config.schedule, pool.device, watch)
    error = float(np.mean([x.history[-1, 2] for x in fits]))
    return error if np.isfinite(error) else 1e9


def _toml(best: dict[str, dict[str, Any]]) -> str:
    lines = ["# Written by cginit-study search; read by cginit-study train --sizes."]
    for kind, found in best.items():
        sizes = [f"{name} = {found[name]}" for name in SPACE[kind]]
        lines += [f"# {kind}: validation error {found['error']:.4g}", f"[architecture.{kind}]", *sizes]
    first = min(best.values(), key=lambda x: float(x["error"]))
    lines += [
        "[loss]",
        f'kind = "{first["loss"]}"',
        "[schedule]",
        f"learning_rate = {first['learning_rate']}",
    ]
    return "\n".join(lines) + "\n"
