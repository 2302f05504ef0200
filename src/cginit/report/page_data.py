"""What the page of a refinement shows, as numbers and words: its script draws them and computes nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cginit.bonded import Potential
from cginit.curves import Array
from cginit.interactions import Interaction, Interactions
from cginit.lock import holder_of
from cginit.refine.convergence import CHI2_AT_NOISE, Distance
from cginit.refine.opened import OpenedRefinement
from cginit.refine.record import Round, round_lmse, round_potentials
from cginit.report.citations import citations
from cginit.report.comparison import SIGMAS, Comparison, coordinate_label, distribution_label, energy_curve
from cginit.report.downloads import packed, tables
from cginit.report.inside import inside_molecules
from cginit.report.structure import structure_factors
from cginit.report.summary import about_run, name_of, setting_rows, version_rows
from cginit.target import Target

__all__ = ["page_data"]

#: Significant digits of what is drawn: a screen shows three.
DIGITS = 5
#: Iterations, those next to the result, whose potentials are shown with their errors: half a minute at most.
WITH_ERRORS = 40


@dataclass(frozen=True, eq=False)
class _Frame:
    """One position of the slider: a round of simulations, or what reweighting made of the last."""

    done: Round
    label: str
    short: str
    reweighted: bool = False


def page_data(opened: OpenedRefinement) -> dict[str, Any]:
    """Return all that the page of a refinement shows, finished or not; numbers that are not known are None."""
    frames = [_Frame(done, f"iteration {done[0].index}", str(done[0].index)) for done in opened.rounds]
    if opened.estimate is not None:
        frames.append(_Frame(opened.estimate, "reweighted", "rw", reweighted=True))
    best = len(frames) - 1 if opened.estimate is not None else (opened.best if frames else 0)
    working = _somebody_works(opened)
    run = about_run(opened, working=working)
    found: dict[str, Any] = {
        "title": name_of(opened),
        **run,
        "best": best,
        "sigmas": SIGMAS,
        "noise": CHI2_AT_NOISE,
        "frames": [_frame(one, opened.targets) for one in frames],
        "states": [_state(one) for one in opened.targets],
        "distributions": [],
        "potentials": [],
        "structures": [],
        "inside": [],
        "errors": _errors(frames, opened.targets),
        "tables": [],
        "certainty": [],
        "settings": setting_rows(opened),
        "versions": version_rows(opened),
        "citations": [asdict(one) for one in citations(record for done in opened.rounds for record in done)],
    }
    if frames:
        found["distributions"] = list(_distributions(frames, opened.targets))
        own = _with_errors(opened, frames, best, working=working)
        result = own[best]
        found["certainty"] = [] if working else opened.certainty.sentences()
        found["potentials"] = list(_potentials(frames, opened.targets[0].kT, best, own))
        found["structures"] = list(_structures(frames, opened.targets))
        found["inside"] = list(_inside(frames, opened.targets))
        shown = tables(result, opened.targets[0].kT)
        found["tables"] = [
            {"name": one.name, "what": one.what, "packed": packed(one.content)} for one in shown
        ]
    # By this a page that is served knows whether it shows the newest.
    text = json.dumps(found, sort_keys=True, allow_nan=False)
    return {"version": hashlib.sha256(text.encode()).hexdigest()[:16], **found}


def _somebody_works(opened: OpenedRefinement) -> bool:
    places: Iterable[Path] = (opened.folder, *sorted(opened.folder.glob("state_*")))
    return any(holder_of(place) is not None for place in places)


def _frame(frame: _Frame, targets: Sequence[Target]) -> dict[str, Any]:
    first = frame.done[0]
    notes = (note for record in frame.done for note in (*record.warnings, *record.remarks))
    return {
        "label": frame.label,
        "short": frame.short,
        "reweighted": frame.reweighted,
        "made_by": first.made_by,
        "skipped": first.skipped,
        "steps": first.steps,
        "seconds": _number(sum(record.seconds for record in frame.done)),
        "complete": all(record.complete for record in frame.done),
        "chi2": [_number(record.distance.chi2) for record in frame.done],
        "lmse": _number(round_lmse(frame.done, targets)),
        "pressure": [[_number(record.pressure), _number(record.pressure_error)] for record in frame.done],
        "notes": list(dict.fromkeys(notes)),
    }


def _state(target: Target) -> dict[str, Any]:
    units = target.units
    return {
        "pressure": None if target.pressure is None else _number(target.pressure),
        "unit": units.pressure,
        "bar": None if units.is_reduced else _number(units.bar()),
    }


def _errors(frames: Sequence[_Frame], targets: Sequence[Target]) -> list[dict[str, Any]]:
    """Return chi^2 and the mean squared difference of each interaction in each state, frame by frame."""
    found = []
    for number, target in enumerate(targets):
        for name in target.measured:
            distances = [frame.done[number].distances.get(name) for frame in frames]
            if any(one is not None for one in distances):
                found.append(
                    {
                        "name": _named(name, number, targets),
                        "chi2": [None if one is None else _number(one.chi2) for one in distances],
                        "lmse": [None if one is None else _number(one.lmse) for one in distances],
                    }
                )
    return found


def _distributions(frames: Sequence[_Frame], targets: Sequence[Target]) -> Iterable[dict[str, Any]]:
    for name in dict.fromkeys(name for target in targets for name in target.measured):
        for number, target in enumerate(targets):
            shown = [Comparison.of(name, frame.done[number], target) for frame in frames]
            known = [one for one in shown if one is not None]
            if not known:
                continue
            # The range of a simulation may differ from that of the one before, and ends with the longest.
            longest = max(known, key=lambda one: one.x.size)
            yield {
                "interaction": str(name),
                "kind": _counted(target) if name.is_pair else "Distribution",
                "name": f"state {number}" if len(targets) > 1 else "",
                "x_label": coordinate_label(name, target.units),
                "y_label": distribution_label(name, target.units),
                "range": _range(name, known),
                "x": _numbers(longest.x),
                "target": _numbers(longest.wanted),
                "target_error": _numbers(longest.wanted_error),
                "frames": [
                    None if one is None else _comparison(one, frame.done[number].distances.get(name))
                    for one, frame in zip(shown, frames, strict=True)
                ],
            }


def _counted(target: Target) -> str:
    """Return what the g(r) of a target are, by the pairs that they leave out."""
    what = "Radial distribution function"
    if target.topology is None or not target.topology.is_molecular or target.target_exclusions == "none":
        return what
    if target.counts_between_molecules:
        return f"{what}, between molecules"
    return f"{what}, without pairs up to {target.target_exclusions}"


def _range(name: Interaction, known: Sequence[Comparison]) -> list[float]:
    """Return between which values of x a distribution is drawn."""
    if name.is_pair:
        return [0.0, max(float(one.x[-1]) for one in known)]
    if name.coordinate == "bond":
        return [min(one.shown[0] for one in known), max(one.shown[1] for one in known)]
    return [float(known[0].x[0]), float(known[0].x[-1])]


def _comparison(one: Comparison, distance: Distance | None) -> dict[str, Any]:
    return {
        "chi2": None if distance is None else _number(distance.chi2),
        "y": _numbers(one.got),
        "error": _numbers(one.got_error),
        "difference": _numbers(one.difference),
        "noise": _numbers(one.noise),
    }


def _with_errors(
    opened: OpenedRefinement, frames: Sequence[_Frame], best: int, *, working: bool
) -> list[Interactions[Potential]]:
    """Return the potentials of each frame, with the errors that its g(r) and those before it leave."""
    # They take up to a second a frame, which belong to a simulation while it runs.
    if working:
        return [round_potentials(frame.done) for frame in frames]
    near = sorted(range(len(frames)), key=lambda number: abs(number - best))[:WITH_ERRORS]
    return [
        opened.potentials
        if number == best
        else opened.certainty_at(number).potentials
        if number in near
        else round_potentials(frame.done)
        for number, frame in enumerate(frames)
    ]


def _potentials(
    frames: Sequence[_Frame], kT: float, best: int, own: Sequence[Interactions[Potential]]
) -> Iterable[dict[str, Any]]:
    for name, potential in round_potentials(frames[0].done).items():
        held = all(name in record.held for record in frames[0].done)
        shown = [energy_curve(one[name], kT) for one in own]
        common = shown[0].x
        yield {
            "interaction": str(name),
            "name": f"{name} (given)" if held else str(name),
            "x_label": coordinate_label(name, potential.units),
            "from_zero": name.is_pair,
            "core": _number(shown[-1].core),
            "range": [min(one.lowest for one in shown), shown[best].highest],
            "x": _numbers(common),
            "frames": [
                {"u": _numbers(one.u), "error": _numbers(one.error), **_own("x", one.x, common)}
                for one in shown
            ],
        }


def _structures(frames: Sequence[_Frame], targets: Sequence[Target]) -> Iterable[dict[str, Any]]:
    for number, target in enumerate(targets):
        shown = [structure_factors(frame.done[number], target) for frame in frames]
        known = [one for one in shown if one is not None]
        if not known:
            continue
        molecular = target.topology is not None and target.topology.is_molecular
        for name in target.rdfs:
            common = known[0]
            yield {
                "interaction": str(name),
                "name": _named(name, number, targets) + (", between molecules" if molecular else ""),
                "x_label": f"k / {target.units.length}^-1",
                "x": _numbers(common.k),
                "target": _numbers(common.wanted[name]),
                "frames": [
                    None
                    if one is None
                    else {
                        "y": _numbers(one.got[name]),
                        **_own("x", one.k, common.k),
                        **_own("target", one.wanted[name], common.wanted[name]),
                    }
                    for one in shown
                ],
            }


def _inside(frames: Sequence[_Frame], targets: Sequence[Target]) -> Iterable[dict[str, Any]]:
    """Return the g(r) inside molecules of each iteration that kept some, and that of the target where it is known."""
    for number, target in enumerate(targets):
        # What reweighting makes of a simulation has its molecules.
        shown = [None if one.reweighted else inside_molecules(one.done[number], target) for one in frames]
        known = [one for one in shown if one is not None]
        if not known:
            continue
        longest = max(known, key=lambda one: one.r.size)
        for name in longest.g:
            yield {
                "interaction": str(name),
                "name": _named(name, number, targets),
                "x_label": coordinate_label(name, target.units),
                "x": _numbers(longest.r),
                "target": _inside_target(target, name),
                "frames": [
                    None
                    if one is None
                    else {
                        "y": _numbers(one.g[name]),
                        "error": _numbers(one.error[name]),
                        **_own("x", one.r, longest.r),
                    }
                    for one in shown
                ],
            }


def _inside_target(target: Target, name: Interaction) -> dict[str, Any] | None:
    """Return g(r) inside the molecules of the target as far as it has pairs; None where it is not known."""
    curve = target.inside.get(name)
    if curve is None:
        return None
    # Its file is as long as the g(r) of the liquid.
    end = int(np.max(np.nonzero(curve.g)[0], initial=-1)) + 2
    return {"x": _numbers(curve.r[:end]), "y": _numbers(curve.g[:end])}


def _own(key: str, values: Array, common: Array) -> dict[str, Any]:
    """Return values under a key where they are not those that all frames have."""
    return {} if np.array_equal(values, common) else {key: _numbers(values)}


def _named(name: Interaction, number: int, targets: Sequence[Target]) -> str:
    return f"{name}, state {number}" if len(targets) > 1 else str(name)


def _number(value: float) -> float | None:
    """Return a number as it is drawn; None where it is not known, for which JSON has no number."""
    return float(f"{value:.{DIGITS}g}") if np.isfinite(value) else None


def _numbers(values: Array | None) -> list[float | None] | None:
    return None if values is None else [_number(value) for value in values.tolist()]
