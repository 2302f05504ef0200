"""The distributions of bonds, angles and dihedrals that the file of a system names, on the bins that it asks for."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cginit.cli.system_tables import says_degrees
from cginit.cli.toml import check_keys
from cginit.errors import InputError

if TYPE_CHECKING:
    from cginit.bonded import Distribution
    from cginit.interactions import Interaction
    from cginit.target import Target
    from cginit.units import UnitSystem

__all__ = ["STEPS", "on_shared_grids", "read_distributions"]

#: What the file of a system may state of the bins of all bonds, all angles, all dihedrals.
STEPS = ("bond_step", "angle_step", "dihedral_step")
#: What a target may state that is more than the name of its file.
KEYS = ("file", "step")
#: Bins in the standard deviation of a peak from which they are called too fine, and how many are then advised.
FINE, ADVISED = 20.0, 8.0


def read_distributions(
    entries: Mapping[Interaction, Any],
    folder: Path,
    units: UnitSystem,
    content: Mapping[str, Any],
    notes: list[str],
) -> dict[Interaction, Distribution]:
    """Read each distribution, and average it over wider bins where the file says so.

    Parameters
    ----------
    entries : mapping of Interaction to str or mapping
        Of each the name of a file, or ``{file = "bond.dat", step = 0.005}``.
    folder : Path
        What names are relative to.
    units : UnitSystem
        Units of lengths.
    content : mapping
        What the file says of all: ``angles``, ``bond_step``, ``angle_step``, ``dihedral_step``.
    notes : list of str
        Sentences on bins that are too fine are added to it.

    Raises
    ------
    InputError
        If a file cannot be read, an entry is none, or bins cannot be made so narrow.
    """
    from cginit.coordinates import averaged_bins
    from cginit.io.bonded_tables import read_distribution

    degrees = says_degrees(content, "the file of the system")
    found = {}
    for name, entry in entries.items():
        path, own = _file_and_step(name, entry)
        curve = read_distribution(folder / path, name.coordinate, units=units, degrees=degrees)
        key = f"{name.coordinate}_step"
        wanted = _step(content.get(key) if own is None else own, key if own is None else f"step of {name}")
        angular = degrees and name.coordinate != "bond"
        if wanted is None:
            notes += _too_fine(name, curve, degrees=angular)
        else:
            try:
                curve = averaged_bins(curve, float(np.radians(wanted)) if angular else wanted)
            except InputError as problem:
                raise InputError(f"{name}: {problem}") from None
        found[name] = curve
    return found


def _file_and_step(name: Interaction, entry: Any) -> tuple[str, Any]:
    step = None
    if isinstance(entry, Mapping):
        check_keys(dict(entry), KEYS, f"the target {name}")
        entry, step = entry.get("file"), entry.get("step")
    if not isinstance(entry, str):
        raise InputError(
            f'the target {name} must be the name of a file, or {{ file = "NAME", step = 0.005 }} with the width of '
            "its bins"
        )
    return entry, step


def _step(value: Any, what: str) -> float | None:
    if value is None:
        return None
    # TOML's true is an integer to Python.
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0.0 < value < np.inf:
        raise InputError(f"{what} is {value!r}; a width of bins is a positive number")
    return float(value)


def _too_fine(name: Interaction, curve: Distribution, *, degrees: bool) -> list[str]:
    """Return a sentence on bins of which a simulation shows little more than noise, if they are such."""
    from cginit.coordinates.resolution import WIDEST_ANGLE, width_of

    width = width_of(curve)
    # As those of `cg-init target` itself: of several peaks, as trans and gauche, each is narrower than it seems.
    wide_enough = name.coordinate != "bond" and curve.dx > 0.99 * WIDEST_ANGLE
    if wide_enough or width < FINE * curve.dx:
        return []
    unit = curve.units.length if name.coordinate == "bond" else "degrees" if degrees else "rad"
    step, wide = (np.degrees(x) if degrees else x for x in (curve.dx, width / ADVISED))
    return [
        f"{name}: its bins of {step:.3g} {unit} are a {round(width / curve.dx)}th of the width of the distribution; "
        f"a simulation counts little but noise in them. {name.coordinate}_step = {wide:.1g} averages them"
    ]


def on_shared_grids(targets: Sequence[Target]) -> tuple[Target, ...]:
    """Return the targets of several states with the distributions of each interaction on one range of bins.

    Where one state has seen longer bonds than another, the other has seen none of these: its bins there are empty.
    Distributions of other bins stay as they are; a refinement refuses them.
    """
    from cginit.coordinates import on_common_range
    from cginit.interactions import Interactions

    names = dict.fromkeys(name for one in targets for name in one.distributions)
    changed: list[dict[Interaction, Distribution]] = [dict(one.distributions) for one in targets]
    for name in names:
        owners = [number for number, one in enumerate(targets) if name in one.distributions]
        curves = on_common_range([targets[number].distributions[name] for number in owners])
        for number, curve in zip(owners, curves, strict=True):
            changed[number][name] = curve
    return tuple(
        dataclasses.replace(one, distributions=Interactions(own)) if own else one
        for one, own in zip(targets, changed, strict=True)
    )
