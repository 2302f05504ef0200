"""The potentials of several pairs of bead types in the files of one program, with the lines that load them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np

from cginit.atomic import write_atomically
from cginit.curves import PairPotential
from cginit.errors import InputError
from cginit.interactions import Interactions
from cginit.io.dlpoly import dlpoly_table
from cginit.io.espresso import espresso_arrays
from cginit.io.formats import table_format
from cginit.io.gromacs import write_xvg
from cginit.io.hoomd import hoomd_arrays, hoomd_script
from cginit.io.lammps import lammps_file, lammps_word
from cginit.io.openmm import openmm_force
from cginit.io.table import PairName, WriteOptions, bead_types
from cginit.names import check_bead_type
from cginit.units import ANGSTROM_KCAL, LJ, NM_KJ, UnitSystem, conversion, unit_system

__all__ = ["PAIR_FORMATS", "PairTables", "write_pair_tables"]

Potentials = Mapping[PairName, PairPotential]
Content = dict[Path, str | bytes]


@dataclass(frozen=True)
class PairTables:
    """What was written.

    Attributes
    ----------
    paths : tuple of Path
        The files.
    types : tuple of str
        The bead types, in the order of their numbers.
    usage : str
        The lines for the program's input that load the files.
    format : str
        The program's name among the formats of tables.
    """

    paths: tuple[Path, ...]
    types: tuple[str, ...]
    usage: str
    format: str


def write_pair_tables(
    potentials: Potentials | Interactions[PairPotential],
    path: str | os.PathLike[str],
    *,
    format: str | None = None,
    units: str | UnitSystem | None = None,
    kT: float | None = None,
) -> PairTables:
    r"""Write the potentials of several pairs of bead types for one program, and say how it loads them.

    Every table is safe to run, as those of `write_table`: it reaches from r = 0, or its first step, to the cut-off.

    Parameters
    ----------
    potentials : mapping of (str, str) to PairPotential, or Interactions of PairPotential
        Each pair once, in either order; `pairs` of a refinement as it is.
    path : path-like
        The file, or, for ``gromacs``, the beginning of the names.
    format : {"lammps", "hoomd", "openmm", "espresso", "dlpoly", "gromacs"}, optional
        By default what the end of the name means: ``.table`` (one file of sections), ``.py`` (HOOMD-blue: a
        function, with its arrays in an ``.npz`` beside it), ``.xml``, ``.espresso.npz``, ``TABLE``, ``.xvg``
        (``NAME_A_B.xvg`` for each pair).
    units : str or UnitSystem, optional
        Units of the files; by default those that the program expects, lj for reduced potentials.
    kT : float, optional
        Thermal energy in the units of the potentials, where a core must be extended and the potential's
        provenance does not know it.

    Returns
    -------
    PairTables

    Raises
    ------
    InputError
        If there is no potential, a pair is given twice, the format is none of these, units differ in kind, or a
        name or kT does not do.

    Examples
    --------
    >>> import tempfile
    >>> r = np.linspace(0.1, 1.0, 91)
    >>> soft = PairPotential(r, 25 * (1 - r) ** 2 / 2, units="lj")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "ab.table"
    ...     written = write_pair_tables({("A", "A"): soft, ("A", "B"): soft}, path, kT=1.0)
    >>> print(written.usage)
    pair_style table linear 4000
    pair_coeff 1 1 ab.table A-A
    pair_coeff 1 2 ab.table A-B
    """
    if isinstance(potentials, Interactions):
        potentials = {pair.types: one for pair, one in potentials.items()}
    if not potentials:
        raise InputError("no potentials were given; a table needs at least one pair")
    seen: set[frozenset[str]] = set()
    for pair in potentials:
        for kind in pair:
            check_bead_type(kind)
        if frozenset(pair) in seen:
            raise InputError(f"the pair {'-'.join(pair)} is given twice; keep one")
        seen.add(frozenset(pair))
    name = "hoomd" if format is None and os.fspath(path).lower().endswith(".py") else format
    chosen = name or table_format(path).name
    if chosen not in PAIR_FORMATS:
        raise InputError(
            f"{chosen} tables hold one pair each; for several pairs choose one of {', '.join(PAIR_FORMATS)}"
        )
    write, natural = PAIR_FORMATS[chosen]
    first = next(iter(potentials.values()))
    target = (
        unit_system(units)
        if units is not None
        else (LJ if first.units.is_reduced else natural or first.units)
    )
    converted = {pair: potential.to(target) for pair, potential in potentials.items()}
    known = (
        next((p.provenance.kT for p in potentials.values() if p.provenance is not None), None)
        if kT is None
        else kT
    )
    if known is not None and not known > 0.0:
        raise InputError(f"kT must be positive, not {known}")
    energy = None if known is None else known * conversion(first.units, target)[1]
    types = bead_types(potentials)
    content, usage = write(converted, Path(path), types, energy)
    paths = tuple(write_atomically(file, data) for file, data in content.items())
    return PairTables(paths, types, usage, chosen)


def _lammps(
    potentials: Potentials, path: Path, types: tuple[str, ...], kT: float | None
) -> tuple[Content, str]:
    numbers = {kind: number for number, kind in enumerate(types, 1)}
    lines = [
        f"pair_coeff {numbers[a]} {numbers[b]} {lammps_word(path.name)} {lammps_word(f'{a}-{b}')}"
        for a, b in map(_sorted(types), potentials)
    ]
    named = {"-".join(_sorted(types)(pair)): potential for pair, potential in potentials.items()}
    units = next(iter(potentials.values())).units
    text, points = lammps_file(named, units, dict.fromkeys(named, kT), lines)
    return {path: text}, "\n".join([f"pair_style table linear {points}", *lines])


def _hoomd(
    potentials: Potentials, path: Path, types: tuple[str, ...], kT: float | None
) -> tuple[Content, str]:
    script = path.with_suffix(".py")
    if not script.stem.isidentifier():
        raise InputError(f"{script.name} cannot be imported by Python; name it by letters, digits and _")
    stream = BytesIO()
    np.savez(stream, **hoomd_arrays(potentials, kT))
    units = next(iter(potentials.values())).units
    return (
        {path.with_suffix(".npz"): stream.getvalue(), script: hoomd_script(list(potentials), units.name)},
        f"from {script.stem} import pair_force\n"
        "integrator.forces.append(pair_force(hoomd.md.nlist.Cell(buffer=0.4)))",
    )


def _openmm(
    potentials: Potentials, path: Path, types: tuple[str, ...], kT: float | None
) -> tuple[Content, str]:
    several = len(types) > 1
    return (
        {path: openmm_force(potentials, kT)},
        f"force = openmm.XmlSerializer.deserialize(open({path.name!r}).read())\n"
        f"for bead in beads:\n    force.addParticle([{'bead.type' if several else ''}])"
        + (f"  # {', '.join(f'{number} {kind}' for number, kind in enumerate(types))}" if several else "")
        + "\nsystem.addForce(force)",
    )


def _espresso(
    potentials: Potentials, path: Path, types: tuple[str, ...], kT: float | None
) -> tuple[Content, str]:
    lines = [f"data = numpy.load({path.name!r})"]
    for a, b in potentials:
        arguments = ", ".join(
            f"{key}=data[{f'{a}-{b}.{key}'!r}]{'' if key in ('energy', 'force') else '.item()'}"
            for key in ("min", "max", "energy", "force")
        )
        place = f"{types.index(a)}, {types.index(b)}"
        lines.append(f"system.non_bonded_inter[{place}].tabulated.set_params({arguments})")
    return {path: espresso_arrays(potentials, kT)}, "\n".join(lines)


def _dlpoly(
    potentials: Potentials, path: Path, types: tuple[str, ...], kT: float | None
) -> tuple[Content, str]:
    first = next(iter(potentials.values()))
    unit = {NM_KJ.energy: "kJ", ANGSTROM_KCAL.energy: "kcal"}.get(first.units.energy, "internal")
    r_cut = max(potential.r_cut for potential in potentials.values())
    lines = [f"units {unit}", f"vdw {len(potentials)}", *(f"{a:<8s} {b:<8s} tab" for a, b in potentials)]
    return (
        {path: dlpoly_table(potentials, kT)},
        "\n".join(
            ["# FIELD:", *lines, f"# CONTROL: cutoff {r_cut:.12g} (and rvdw); the file must be named TABLE"]
        ),
    )


def _gromacs(
    potentials: Potentials, path: Path, types: tuple[str, ...], kT: float | None
) -> tuple[Content, str]:
    content: Content = {}
    for (a, b), potential in potentials.items():
        extension = 1.0 if potential.units.is_reduced else conversion(NM_KJ, potential.units)[0]
        content[path.with_name(f"{path.stem}_{a}_{b}.xvg")] = write_xvg(
            potential, WriteOptions(kT, extension=extension)
        )
    pairs = "  ".join(f"{a} {b}" for a, b in potentials)
    return (
        content,
        f"energygrps = {' '.join(types)}\nenergygrp-table = {pairs}\n# gmx mdrun -table {path.stem}.xvg",
    )


def _sorted(types: tuple[str, ...]) -> Callable[[PairName], PairName]:
    """Return what puts a pair into the order of the types' numbers, which LAMMPS wants."""

    def ordered(pair: PairName) -> PairName:
        a, b = pair
        return (a, b) if types.index(a) <= types.index(b) else (b, a)

    return ordered


Writer = Callable[[Potentials, Path, tuple[str, ...], float | None], tuple[Content, str]]

#: How each program's files are made, and the units that it expects; None where any will do.
PAIR_FORMATS: dict[str, tuple[Writer, UnitSystem | None]] = {
    "lammps": (_lammps, ANGSTROM_KCAL),
    "hoomd": (_hoomd, None),
    "openmm": (_openmm, NM_KJ),
    "espresso": (_espresso, None),
    "dlpoly": (_dlpoly, ANGSTROM_KCAL),
    "gromacs": (_gromacs, NM_KJ),
}
