"""What a settings file of csg_inverse says: one interaction or several, and the options of the whole run."""

from __future__ import annotations

import os
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cginit.errors import InputError
from cginit.untrusted import parse_xml, reads_a_file
from cginit.votca.options import find_option

__all__ = ["BondedSection", "PairSection", "Settings", "read_settings"]

#: Options that may stand several times, and what joins their values.
SEVERAL = {"inverse.map": ";", "inverse.filelist": " "}


@dataclass(frozen=True)
class PairSection:
    """One ``<non-bonded>`` section.

    Attributes
    ----------
    name, type1, type2 : str
        Its name and the two bead types.
    r_max, step : float
        Cut-off of the potential and grid step, in nm.
    target : Path
        The file of the target g(r).
    density : float or None
        ``particle_dens`` in nm^-3.
    pressure : float or None
        ``p_target`` in bar.
    r_min : float
        ``min``, where g(r) begins to count, in nm.
    options : dict
        Every other option of the section with a value, by its path below ``cg.non-bonded``.
    """

    name: str
    type1: str
    type2: str
    r_max: float
    step: float
    target: Path
    density: float | None = None
    pressure: float | None = None
    r_min: float = 0.0
    options: dict[str, str] = field(default_factory=dict)

    def words(self, path: str, default: str = "") -> tuple[str, ...]:
        """Return the words of an option below ``inverse``."""
        return tuple(self.options.get(f"inverse.{path}", default).split())


@dataclass(frozen=True)
class BondedSection:
    """One ``<bonded>`` section.

    Attributes
    ----------
    name : str
        Its name in the mapping.
    target : Path or None
        The file of its target distribution.
    options : dict
        Every other option of the section with a value, by its path below ``cg.bonded``.
    """

    name: str
    target: Path | None
    options: dict[str, str] = field(default_factory=dict)

    @property
    def cycle(self) -> tuple[str, ...]:
        """The turns in which it is refined, by ``do_potential``, or by the step ``ibi`` of ``post_update``."""
        words = tuple(self.options.get("inverse.do_potential", "1").split())
        if "1" not in words and "ibi" in self.options.get("inverse.post_update", "").split():
            return tuple(self.options.get("inverse.post_update_options.ibi.do", "1").split())
        return words

    @property
    def refined(self) -> bool:
        """Whether its potential changes at all."""
        return self.target is not None and "1" in self.cycle

    @property
    def in_turns(self) -> bool:
        """Whether it would change after some simulations only."""
        return self.refined and "0" in self.cycle


@dataclass(frozen=True)
class Settings:
    """A settings file of csg_inverse.

    Attributes
    ----------
    path : Path
        The file; other files are named relative to its folder.
    kT : float
        ``kBT`` in kJ/mol.
    method, program : str
        ``ibi``, ``imc``, ``iie`` ...; ``lammps``, ``gromacs`` ...
    interactions : tuple of PairSection
        One for a single component, n (n + 1)/2 for n of them.
    options : dict
        Every option of ``cg.inverse`` with a value, by its path below it.
    notes : tuple of str
        What has no effect here, a sentence each.
    refused : tuple of str
        Sentences on options of methods that are not run here; with another method they have no effect.
    bonded : tuple of BondedSection
        Bonds, angles and dihedrals that have a section.
    """

    path: Path
    kT: float
    method: str
    program: str
    interactions: tuple[PairSection, ...]
    options: dict[str, str]
    notes: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    bonded: tuple[BondedSection, ...] = ()

    @property
    def folder(self) -> Path:
        """The folder that file names are relative to."""
        return self.path.parent

    @property
    def components(self) -> tuple[str, ...]:
        """The bead types, in the order in which they occur."""
        return tuple(dict.fromkeys(t for item in self.interactions for t in (item.type1, item.type2)))

    @property
    def interaction(self) -> PairSection:
        """The interaction of a single component.

        Raises
        ------
        InputError
            If there are several.
        """
        if len(self.interactions) != 1:
            names = ", ".join(item.name for item in self.interactions)
            raise InputError(
                f"{self.path} has {len(self.interactions)} non-bonded interactions ({names}), those of a mixture; "
                "what was asked for is done for a single component only"
            )
        item = self.interactions[0]
        if item.type1 != item.type2:
            raise InputError(
                f"{self.path}: the only interaction {item.name} is between two types, {item.type1} and {item.type2}; "
                "a mixture needs the interactions of all its pairs"
            )
        return item

    @property
    def is_mixture(self) -> bool:
        """Whether there are several bead types, with an interaction for each pair."""
        return len(self.interactions) > 1

    def option(self, path: str, default: str = "") -> str:
        """Return an option below ``cg.inverse``; that of the section of the program, where `path` begins with it."""
        return self.options.get(path, default)

    def program_option(self, name: str, default: str = "") -> str:
        """Return an option of the section of the simulation program, or of ``sim_prog``."""
        return self.options.get(f"{self.program}.{name}", self.options.get(f"sim_prog.{name}", default))

    def file(self, name: str, what: str) -> Path:
        """Return the path of a file that the settings name; InputError if it is absent."""
        path = self.folder / name
        if not path.is_file():
            raise InputError(
                f"{self.path} names {what} {name}, which is not in {self.folder}; keep the settings "
                "together with all the files that csg_inverse needs"
            )
        return path


@reads_a_file
def read_settings(path: str | os.PathLike[str]) -> Settings:
    """Read a settings file of csg_inverse (``settings.xml``).

    Every option with a value is either kept, or named in the notes or among the refused ones, as without effect here;
    none is passed over in silence. An option with two values is refused.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    Settings
        With lengths in nm, energies in kJ/mol, pressures in bar.

    Raises
    ------
    InputError
        If the file is not such a file, or lacks what csg_inverse itself would ask for.

    Examples
    --------
    >>> settings = read_settings("settings.xml")  # doctest: +SKIP
    >>> settings.interaction.target  # doctest: +SKIP
    PosixPath('CG-CG.dist.tgt')
    """
    file = Path(path)
    try:
        root = parse_xml(file.read_bytes(), str(file))
    except OSError as error:
        raise InputError(f"cannot read {file}: {error.strerror}") from error
    if root.tag != "cg":
        raise InputError(
            f"{file} begins with <{root.tag}>, not with <cg>; give a settings file of csg_inverse"
        )
    general = _values(file, root.findall("inverse"), "inverse")
    sections = root.findall("non-bonded")
    if not sections:
        raise InputError(f"{file} has no <non-bonded> interaction{_of_another_program(root, general)}")
    interactions = tuple(
        _pair_section(file, section, _of_another_program(root, general)) for section in sections
    )
    notes, refused = _remarks(root)
    return Settings(
        path=file,
        kT=_number(file, "cg.inverse.kBT", general.get("kBT")),
        method=general.get("method", ""),
        program=general.get("program", "gromacs"),
        interactions=interactions,
        options=general,
        notes=notes,
        refused=refused,
        bonded=tuple(_bonded(file, section) for section in root.findall("bonded")),
    )


def _leaves(element: ET.Element, prefix: str = "") -> Iterator[tuple[str, str]]:
    path = f"{prefix}.{element.tag}" if prefix else element.tag
    children = list(element)
    if not children:
        yield path, " ".join((element.text or "").split())
    for child in children:
        yield from _leaves(child, path)


def _values(file: Path, sections: list[ET.Element], tag: str) -> dict[str, str]:
    """Return every option of sections with a value, by its path below them.

    Raises
    ------
    InputError
        If an option has two values; several mappings are joined, as ``a.xml;b.xml``.
    """
    found: dict[str, str] = {}
    for path, text in (leaf for section in sections for leaf in _leaves(section)):
        key = path.removeprefix(f"{tag}.")
        if not text or found.get(key) == text:
            continue
        if key not in found:
            found[key] = text
        elif f"{tag}.{key}" in SEVERAL:
            found[key] += SEVERAL[f"{tag}.{key}"] + text
        else:
            raise InputError(f"{file}: {path} has two values, {found[key]} and {text}; keep one")
    return found


def _of_another_program(root: ET.Element, general: dict[str, str]) -> str:
    """Return what to do about settings that ask for no refinement, and what wrote them, if that can be told."""
    if root.find("fmatch") is not None:
        return ": these are settings of csg_fmatch; give those of csg_inverse"
    method = general.get("method")
    if method is not None and method not in ("ibi", "ibm", "imc", "iie"):
        return f", which the method {method} does not want; ibi, imc and iie are run here"
    if method is None:
        return ": without <inverse><method> these are settings of csg_stat; give those of csg_inverse"
    return "; each pair needs a section with its name, type1, type2, max, step and inverse.target, its g(r)"


def _pair_section(file: Path, section: ET.Element, hint: str) -> PairSection:
    values = _values(file, [section], "non-bonded")
    name = values.get("name", "")
    if not name:
        raise InputError(f"{file}: a <non-bonded> section has no <name>")
    where = f"cg.non-bonded ({name})"
    target = values.get("inverse.target")
    if not target:
        raise InputError(f"{file}: {where} has no inverse.target, the file of its target g(r){hint}")
    density, pressure = values.get("inverse.particle_dens"), values.get("inverse.p_target")
    interaction = PairSection(
        name=name,
        type1=values.get("type1", "*"),
        type2=values.get("type2", "*"),
        r_max=_number(file, f"{where}.max", values.get("max")),
        step=_number(file, f"{where}.step", values.get("step")),
        target=file.parent / target,
        density=None if density is None else _number(file, f"{where}.inverse.particle_dens", density),
        pressure=None if pressure is None else _number(file, f"{where}.inverse.p_target", pressure),
        r_min=_number(file, f"{where}.min", values.get("min", "0")),
        options=values,
    )
    if not 0.0 < interaction.step < interaction.r_max:
        raise InputError(f"{file}: {where} has step {interaction.step:g} and max {interaction.r_max:g}")
    if not 0.0 <= interaction.r_min < interaction.r_max:
        raise InputError(
            f"{file}: {where} has min {interaction.r_min:g} and max {interaction.r_max:g}; min must lie "
            "between 0 and max"
        )
    return interaction


def _bonded(file: Path, section: ET.Element) -> BondedSection:
    values = _values(file, [section], "bonded")
    name = values.get("name", "")
    if not name:
        raise InputError(f"{file}: a <bonded> section has no <name>")
    target = values.get("inverse.target")
    return BondedSection(name, None if target is None else file.parent / target, values)


def _number(file: Path, what: str, text: str | None) -> float:
    if text is None:
        raise InputError(f"{file} has no {what}; csg_inverse needs it, and so does this")
    try:
        return float(text)
    except ValueError:
        raise InputError(f"{file}: {what} is {text!r}, not a number") from None


def _remarks(root: ET.Element) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return a sentence for each option given that does nothing here, and for each that must not be missed."""
    idle: dict[str, None] = {}
    notes: dict[str, None] = {}
    refused: dict[str, dict[str, None]] = {}
    for path, text in _leaves(root):
        if not text:
            continue
        option = find_option(path)
        short = path.removeprefix("cg.")
        if option is None:
            notes[f"{short} is no option of csg_inverse (VOTCA 2022 to 2025) and has no effect"] = None
        elif option.use == "not needed":
            idle[short] = None
        elif option.use == "ignored":
            notes[f"{short} has no effect: {option.here}"] = None
        elif option.use == "refused":
            refused.setdefault(option.here, {})[short] = None
    if idle:
        notes[f"not needed here: {', '.join(idle)}"] = None
    return tuple(notes), tuple(
        f"{', '.join(names)} {'has' if len(names) == 1 else 'have'} no effect: {why}"
        for why, names in refused.items()
    )
