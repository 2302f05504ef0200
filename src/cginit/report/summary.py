"""A refinement in words: how it stands, with what settings and programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cginit._version import __version__
from cginit.refine.opened import OpenedRefinement
from cginit.refine.record import round_chi2, round_lmse
from cginit.refine.stop import arrived
from cginit.target import Target

__all__ = ["about_run", "figure_title", "name_of", "setting_rows", "version_rows"]

#: What the identity of a refinement says of curves: their hashes.
HASHES = ("potential of ", "target of ", "start", "topology")
#: A table: what it is of, and its value.
Rows = list[tuple[str, str]]


def name_of(opened: OpenedRefinement) -> str:
    """Return the folder with the one that it is in: many a refinement is in one called ``refine``."""
    return "/".join(opened.folder.resolve().parts[-2:])


def figure_title(opened: OpenedRefinement) -> str:
    """Return what stands above the figure: what it is of, and how it stands."""
    return f"{name_of(opened)}: {about_run(opened, working=False)['sentence']}"


def about_run(opened: OpenedRefinement, *, working: bool) -> dict[str, Any]:
    """Return how a refinement stands: a word, a sentence, and the number of the simulation that runs, if one does.

    The sentence is that with which it ended; without one it says how far it has come.
    """
    count = len(opened.rounds)
    if opened.end is not None and not working:
        status = "converged" if opened.end.converged else "stopped"
        return {"status": status, "sentence": opened.end.sentence, "simulating": None}
    text = "No simulation is finished yet." if not count else _so_far(opened)
    if working:
        return {"status": "running", "sentence": text, "simulating": count}
    done = count > 0 and arrived(opened.rounds[-1], opened.targets)
    return {"status": "converged" if done else "unfinished", "sentence": text, "simulating": None}


def _so_far(opened: OpenedRefinement) -> str:
    count, best = len(opened.rounds), opened.best
    noun = "round" if len(opened.targets) > 1 else "simulation"
    if arrived(opened.rounds[-1], opened.targets):
        return f"After {count} {noun}{'s' * (count > 1)} the difference to the target is noise."
    chi2, lmse = round_chi2(opened.rounds[best]), round_lmse(opened.rounds[best], opened.targets)
    return (
        f"{count} {noun}{'s' * (count > 1)} so far; nearest to the target is iteration {best} (largest chi^2 per "
        f"point {chi2:.3g}, mean squared difference {lmse:.2g})."
    )


def setting_rows(opened: OpenedRefinement) -> dict[str, Rows]:
    """Return the settings by heading: states, the run, and the hashes of curves by which it is recognised."""
    found: dict[str, Rows] = {}
    for number, target in enumerate(opened.targets):
        heading = f"state {number}" if len(opened.targets) > 1 else "state"
        found[heading] = _state_rows(target)
        if opened.rounds:
            final = opened.rounds[-1][number].final
            box = " x ".join(f"{side:.5g}" for side in final.box)
            found[heading].append(("beads", f"{final.n} in {box} {target.units.length}"))
    run: Rows = []
    hashes: Rows = []
    for number, identity in enumerate(opened.settings):
        for key, value in identity.items():
            name = key if number == 0 else f"{key}, state {number}"
            if key == "state" or (number and value == opened.settings[0].get(key)):
                continue
            (hashes if key.startswith(HASHES) else run).append((name, value))
    found["run"], found["hashes of curves"] = run, hashes
    return {heading: rows for heading, rows in found.items() if rows}


def _state_rows(target: Target) -> Rows:
    units = target.units
    rows = [("units", units.name)]
    rows += [
        (f"density of {name}", f"{value:.6g} {units.density}") for name, value in target.densities.items()
    ]
    kelvin = "" if units.is_reduced else f" ({target.kT / units.boltzmann():.4g} K)"
    rows.append(("kT", f"{target.kT:.6g} {units.energy}{kelvin}"))
    if target.pressure is not None:
        bar = "" if units.is_reduced else f" ({target.pressure * units.bar():.4g} bar)"
        rows.append(("pressure wanted", f"{target.pressure:.5g} {units.pressure}{bar}"))
    if target.weight != 1.0:
        rows.append(("weight", f"{target.weight:g}"))
    if target.topology is not None and target.topology.is_molecular:
        rows.append(("pairs without a potential", target.topology.exclusions))
        rows.append(("pairs that the target leaves out", target.target_exclusions))
    return rows


def version_rows(opened: OpenedRefinement) -> Rows:
    """Return the versions of what made the refinement and the page."""
    rows = [("cginit, this page", __version__)]
    if opened.end is not None:
        rows.append(("cginit, the run", opened.end.version))
    records = [record for done in opened.rounds for record in done]
    rows += [("engine", engine) for engine in _once([record.engine for record in records])]
    origins = [one.provenance for record in records[:1] for one in record.potentials.values()]
    methods = [f"{one.method}{f' ({one.model})' if one.model else ''}" for one in origins if one is not None]
    rows += [("start potentials", method) for method in _once(methods)]
    rows += [("updates", ", ".join(_once([one.made_by for one in records if one.index])))]
    return [(name, value) for name, value in rows if value]


def _once(values: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(value for value in values if value))
