"""The beads of a mapped trajectory as a trajectory or a start configuration for other programs."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Unpack

import numpy as np

from cginit.curves import Array
from cginit.errors import InputError, MissingDependencyError
from cginit.trajectory.mapping import FloatArray, MappedAtoms
from cginit.trajectory.source import BeadSource, FrameOptions
from cginit.units import NM_KJ

__all__ = ["BEAD_SUFFIXES", "whole_file", "write_beads"]

#: Ends of file names: HOOMD-blue's, LAMMPS' and GROMACS' format.
BEAD_SUFFIXES = (".gsd", ".dump", ".lammpstrj", ".gro")


def write_beads(
    topology: str | Path,
    trajectory: str | Path | None,
    path: str | Path,
    *,
    progress: Callable[[int, int], None] | None = None,
    **options: Unpack[FrameOptions],
) -> Path:
    """Write the beads of a trajectory, with their types, molecules and bonds, one frame in memory at a time.

    The format is chosen by the end of the name: ``.gsd`` (HOOMD-blue, bonds included) and ``.dump`` or
    ``.lammpstrj`` (LAMMPS, ``id mol type x y z``) hold every frame, in `units`; ``.gro`` (GROMACS, nm) holds the
    last frame, to start from.

    Parameters
    ----------
    topology, trajectory
        See `rdfs_from_trajectory`.
    path : path
        The file. It appears when it is complete.
    progress, mapping, begin, end, step, units
        See `rdfs_from_trajectory`.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    InputError
        If the end of the name means none of the formats, or as `rdfs_from_trajectory`.
    MissingDependencyError
        If MDAnalysis or gsd is not installed.

    Examples
    --------
    >>> write_beads("run.tpr", "run.xtc", "beads.gsd", mapping="decane.yaml", step=100)  # doctest: +SKIP
    """
    target = Path(path)
    suffix = target.suffix.lower()
    if suffix not in BEAD_SUFFIXES:
        raise InputError(f"the end of {target} names no bead format; known are {', '.join(BEAD_SUFFIXES)}")
    with BeadSource(topology, trajectory, **options).opened() as beads:
        if suffix == ".gro":
            if beads.units.is_reduced:
                raise InputError(
                    f"{target}: a gro file is in nm, the beads are in lj units; write a gsd or a dump"
                )
            beads = beads.to(NM_KJ)
        indices = beads.frames().indices
        wanted = (indices[-1:] if suffix == ".gro" else indices).tolist()

        def configurations() -> Iterator[tuple[int, FloatArray, Array]]:
            for done, index in enumerate(wanted, 1):
                yield index, *beads.at(index)
                if progress is not None:
                    progress(done, len(wanted))

        write = {".gsd": _gsd, ".gro": _gro}.get(suffix, _dump)
        with whole_file(target) as temporary:
            write(temporary, beads.groups, configurations())
    return target


@contextmanager
def whole_file(target: Path) -> Iterator[Path]:
    """Give a name in the same folder that becomes `target` when the writing has ended well."""
    if not target.parent.is_dir():
        raise InputError(f"cannot write {target}: the folder {target.parent} does not exist; create it first")
    temporary = target.with_name(f".{target.stem}.{os.getpid()}-{secrets.token_hex(4)}{target.suffix}")
    try:
        yield temporary
        temporary.replace(target)
    except OSError as error:
        raise InputError(f"cannot write {target}: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)


def _tilts(vectors: Array) -> tuple[float, float, float]:
    return float(vectors[1, 0]), float(vectors[2, 0]), float(vectors[2, 1])


def _from_corner(positions: FloatArray, vectors: Array) -> Array:
    """Return positions wrapped into the box whose corner, not whose centre, is the origin."""
    fractional = positions @ np.linalg.inv(vectors)
    return np.asarray((fractional - np.floor(fractional)) @ vectors, dtype=np.float64)


def _gsd(path: Path, groups: MappedAtoms, frames: Iterator[tuple[int, FloatArray, Array]]) -> None:
    try:
        import gsd.hoomd
    except ImportError as error:
        raise MissingDependencyError(
            "writing GSD files needs gsd: pip install 'cginit[trajectory]'"
        ) from error
    kinds, typeid = _bond_types(groups)
    with gsd.hoomd.open(str(path), "w") as file:
        for index, positions, vectors in frames:
            edges = np.diagonal(vectors)
            xy, xz, yz = _tilts(vectors)
            frame = gsd.hoomd.Frame()
            frame.configuration.step = index
            frame.configuration.box = [*edges, xy / edges[1], xz / edges[2], yz / edges[2]]
            frame.particles.N = groups.n_beads
            frame.particles.types = list(groups.types)
            frame.particles.typeid = groups.type_ids
            frame.particles.position = positions
            frame.bonds.N = len(groups.bonds)
            frame.bonds.types = kinds
            frame.bonds.typeid = typeid
            frame.bonds.group = groups.bonds
            file.append(frame)


def _bond_types(groups: MappedAtoms) -> tuple[list[str], Any]:
    """Name bonds by the types of their ends."""
    ends = np.sort(groups.type_ids[groups.bonds], axis=1)
    kinds, typeid = np.unique(ends, axis=0, return_inverse=True)
    return [f"{groups.types[a]}-{groups.types[b]}" for a, b in kinds], typeid.reshape(-1)


def _dump(path: Path, groups: MappedAtoms, frames: Iterator[tuple[int, FloatArray, Array]]) -> None:
    numbers = groups.type_ids + 1
    with path.open("w", encoding="ascii") as file:
        for index, positions, vectors in frames:
            xy, xz, yz = _tilts(vectors)
            # The dump's bounds enclose the tilted box, whose corner is the origin.
            bounds = np.stack([np.zeros(3), np.diagonal(vectors)], axis=1)
            bounds[0] += [min(0.0, xy, xz, xy + xz), max(0.0, xy, xz, xy + xz)]
            bounds[1] += [min(0.0, yz), max(0.0, yz)]
            tilted = bool(xy or xz or yz)
            file.write(f"ITEM: TIMESTEP\n{index}\nITEM: NUMBER OF ATOMS\n{groups.n_beads}\n")
            file.write(f"ITEM: BOX BOUNDS {'xy xz yz ' if tilted else ''}pp pp pp\n")
            for (lower, upper), tilt in zip(bounds, (xy, xz, yz), strict=True):
                file.write(f"{lower:.9g} {upper:.9g}{f' {tilt:.9g}' if tilted else ''}\n")
            file.write("ITEM: ATOMS id mol type x y z\n")
            file.writelines(
                f"{k + 1} {molecule + 1} {kind} {x:.7g} {y:.7g} {z:.7g}\n"
                for k, (molecule, kind, (x, y, z)) in enumerate(
                    zip(groups.molecules, numbers, _from_corner(positions, vectors), strict=True)
                )
            )


def _gro(path: Path, groups: MappedAtoms, frames: Iterator[tuple[int, FloatArray, Array]]) -> None:
    _, positions, vectors = next(frames)
    names = [groups.types[kind] for kind in groups.type_ids]
    long = next((name for name in groups.types if len(name) > 5), None)
    if long is not None:
        raise InputError(
            f"the bead type {long} is too long for a gro file, which has five characters; rename it"
        )
    shifted = _from_corner(positions, vectors)
    v = vectors
    box = [v[0, 0], v[1, 1], v[2, 2]]
    if any(_tilts(v)):
        box += [0.0, 0.0, v[1, 0], 0.0, v[2, 0], v[2, 1]]
    with path.open("w", encoding="ascii") as file:
        file.write(f"beads of a mapped trajectory\n{groups.n_beads:5d}\n")
        file.writelines(
            f"{(molecule + 1) % 100000:5d}{'CG':<5s}{name:>5s}{(k + 1) % 100000:5d}{x:8.3f}{y:8.3f}{z:8.3f}\n"
            for k, (molecule, name, (x, y, z)) in enumerate(
                zip(groups.molecules, names, shifted, strict=True)
            )
        )
        file.write("".join(f"{edge:10.5f}" for edge in box) + "\n")
