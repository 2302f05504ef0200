"""The TOML file of a mixture: its densities and the files of its targets."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from cginit.cli.toml import check_keys, stated_energy
from cginit.errors import InputError

if TYPE_CHECKING:
    from cginit.mixture import MixtureTarget, Pair
    from cginit.state import StatePoint

__all__ = ["read_mixture", "write_mixture_file"]

_KEYS = ("units", "temperature", "kT", "densities", "targets", "clean", "step", "normalise", "range")


def read_mixture(file: Path) -> MixtureTarget:
    """Read the description of a mixture and its targets, whose names are relative to the file.

    Raises
    ------
    InputError
        If a key is missing or unknown, or a target cannot be read.
    """
    from cginit.io import read_rdf
    from cginit.mixture import MixtureTarget
    from cginit.network.config import read_toml
    from cginit.units import unit_system

    content = read_toml(file)
    check_keys(content, _KEYS, str(file))
    for name in ("units", "densities", "targets"):
        if name not in content:
            raise InputError(f"{file} does not state {name}; it needs units, [densities] and [targets]")
    units = unit_system(content["units"])
    kT = stated_energy(content, units, str(file))
    curves = {}
    for name, target in content["targets"].items():
        curve = read_rdf(file.parent / target, units=units, clean=bool(content.get("clean", False)))
        if "step" in content:
            curve = curve.rebinned(float(content["step"]))
        if "normalise" in content:
            curve = curve.normalised(float(content["normalise"]))
        if "range" in content:
            curve = curve.truncated(float(content["range"]))
        curves[_pair(name, content["densities"], file)] = curve
    return MixtureTarget(curves, content["densities"], kT)


def _pair(name: str, densities: dict[str, float], file: Path) -> Pair:
    for a in densities:
        for b in densities:
            if name == f"{a}-{b}":
                return a, b
    raise InputError(f"{file}: the target {name!r} is no pair of {', '.join(densities)}; write it as A-B")


def write_mixture_file(
    file: Path, state: StatePoint, densities: Mapping[str, float], targets: Mapping[Pair, Path]
) -> Path:
    """Write the file that `read_mixture` reads, with names of targets relative to it, and return its path.

    Parameters
    ----------
    file : Path
        Its folder is made.
    state : StatePoint
        Units and kT count.
    densities : mapping of str to float
        Of each bead type.
    targets : mapping of pair to Path
        The file of each pair.

    Raises
    ------
    InputError
        If there is one bead type only, or a pair is missing.
    """
    from itertools import combinations_with_replacement

    from cginit.io import write_atomically

    if len(densities) < 2:
        raise InputError(
            f"there is one bead type only, {', '.join(densities)}, which is no mixture; leave {file.name} out and "
            "run cg-init refine"
        )
    missing = [
        f"{a}-{b}"
        for a, b in combinations_with_replacement(densities, 2)
        if (a, b) not in targets and (b, a) not in targets
    ]
    if missing:
        raise InputError(
            f"a mixture needs all its pairs, and {', '.join(missing)} is not sampled; leave --pair out"
        )
    if state.units is None:
        raise InputError("the state of a mixture has no units; give --units")
    file.parent.mkdir(parents=True, exist_ok=True)
    folder = file.parent.resolve()
    lines = [f"units = {_text(state.units.name)}", f"kT = {state.kT!r}", "", "[densities]"]
    lines += [f"{_text(name)} = {float(value)!r}" for name, value in densities.items()]
    lines += ["", "[targets]"]
    lines += [
        f"{_text('-'.join(pair))} = {_text(Path(os.path.relpath(path.resolve(), folder)).as_posix())}"
        for pair, path in targets.items()
    ]
    return write_atomically(file, "\n".join(lines) + "\n")


def _text(words: str) -> str:
    # A string of JSON is one of TOML.
    return json.dumps(words, ensure_ascii=False)
