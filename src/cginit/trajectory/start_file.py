"""A configuration with its molecules written to a file that this and other programs start from."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cginit.configuration import Configuration
from cginit.errors import InputError, MissingDependencyError
from cginit.interactions import BEADS
from cginit.trajectory.bead_masses import PLACEHOLDER
from cginit.trajectory.beads import whole_file

__all__ = ["write_start"]


def write_start(start: Configuration, path: str | Path) -> Path:
    """Write one frame of HOOMD-blue's GSD: masses and all bonds, angles and dihedrals, in units of the configuration.

    `read_system` reads it back. Types of bonds are named as interactions are (``bond A-B``). GSD states no units, and
    has positions in single precision.

    Parameters
    ----------
    start : Configuration
        With or without a topology.
    path : path
        A name that ends in ``.gsd``. The file appears when it is complete.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    InputError
        If the name has another end, or the file cannot be written.
    MissingDependencyError
        If gsd is not installed.
    """
    target = Path(path)
    if target.suffix.lower() != ".gsd":
        raise InputError(f"{target} must end in .gsd")
    try:
        import gsd.hoomd
    except ImportError as error:
        raise MissingDependencyError(
            "writing GSD files needs gsd: pip install 'cginit[trajectory]'"
        ) from error
    frame = gsd.hoomd.Frame()
    frame.configuration.box = [*start.box, 0, 0, 0]
    frame.particles.N = start.n
    frame.particles.types = list(start.species)
    frame.particles.typeid = start.types
    frame.particles.position = start.positions
    if start.topology is not None:
        # Where it is not known, what HOOMD-blue takes unasked.
        frame.particles.mass = np.nan_to_num(start.topology.masses, nan=PLACEHOLDER)[start.types]
    for coordinate, beads in BEADS.items():
        terms = {} if start.topology is None or coordinate == "pair" else start.topology.of(coordinate)
        if not terms:
            continue
        part = getattr(frame, f"{coordinate}s")
        members = list(terms.values())
        part.N = sum(map(len, members))
        part.types = [one.label or str(one) for one in terms]
        part.typeid = np.repeat(np.arange(len(members)), [len(one) for one in members])
        part.group = np.concatenate(members).reshape(-1, beads)
    with whole_file(target) as temporary, gsd.hoomd.open(str(temporary), "w") as file:
        file.append(frame)
    return target
