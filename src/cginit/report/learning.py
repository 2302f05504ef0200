"""The figure of the learning curves: error on unseen potentials against their number, and what else changes it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cginit.errors import InputError
from cginit.learn.curves import Result
from cginit.report.figures import BEST_COLOUR, FIRST_COLOUR, TARGET_COLOUR, new_figure, save_figure

__all__ = ["PUBLISHED_TEST", "learning_figure"]

#: delta of CN/f on the published test set, in kT (doi:10.1063/5.0045441).
PUBLISHED_TEST = 0.03


def learning_figure(results: Sequence[Result], path: Path) -> Path:
    """Draw the results of `cginit.learn.curves.learning_curves` and write the figure to `path` (suffix: format).

    Left, delta against the number of potentials, for the network that sees all of g and for the published form;
    right, delta of every variant with one and the same number of them.

    Raises
    ------
    InputError
        If no network is finished.
    MissingDependencyError
        If matplotlib is not installed.
    """
    if not results:
        raise InputError("no network of the learning curves is finished; run cg-init train curves")
    figure = new_figure((11.0, 4.4))
    left, right = figure.subplots(1, 2)
    lines = {
        "all of g, residual": ("number", "whole", BEST_COLOUR, "o"),
        "published form": ("form", "published", FIRST_COLOUR, "s"),
    }
    for label, (axis, name, colour, marker) in lines.items():
        chosen = sorted((r for r in results if (r.axis, r.name) == (axis, name)), key=lambda r: r.potentials)
        if not chosen:
            continue
        numbers = [r.potentials for r in chosen]
        left.loglog(numbers, [r.test for r in chosen], marker=marker, color=colour, label=f"{label}: unseen")
        left.loglog(
            numbers, [r.train for r in chosen], marker=marker, color=colour, ls=":", mfc="none", label="known"
        )
    left.axhline(results[0].boltzmann, color=TARGET_COLOUR, ls="--", lw=1.0, label=r"$-\ln g$")
    left.axhline(PUBLISHED_TEST, color=TARGET_COLOUR, ls="-.", lw=1.0, label="published, test set")
    left.set_xlabel("potentials in training")
    left.set_ylabel(r"$\delta$ / kT")
    # Above the axes: the points fill every corner.
    left.legend(fontsize=8, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncol=3)

    middle = {r.potentials for r in results if r.axis not in ("number", "form")} or {results[0].potentials}
    rows = [r for r in results if r.potentials in middle]
    names = [f"{r.axis}: {r.name}" for r in rows]
    right.barh(names, [r.test for r in rows], color=BEST_COLOUR, label="unseen")
    right.plot([r.train for r in rows], names, "o", color=FIRST_COLOUR, label="known")
    right.axvline(PUBLISHED_TEST, color=TARGET_COLOUR, ls="-.", lw=1.0)
    right.invert_yaxis()
    right.set_xlabel(rf"$\delta$ / kT, {min(middle)} potentials")
    right.legend(fontsize=8)
    return save_figure(figure, path)
