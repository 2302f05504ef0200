"""Mapping files: a small YAML of cginit's own, and the XML of VOTCA."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from cginit.errors import InputError, MissingDependencyError
from cginit.names import check_bead_type
from cginit.trajectory.specification import (
    CENTRES,
    UNITS_OF_MAPPING,
    AtomName,
    BeadRule,
    MappingRules,
    MoleculeRule,
    exclusion_depth,
)
from cginit.untrusted import parse_xml, reads_a_file

__all__ = ["is_mapping_file", "read_mapping"]


def is_mapping_file(mapping: str) -> bool:
    """Whether a mapping is the name of a file (or of VOTCA files, ``a.xml;b.xml``) and not a selection."""
    return mapping.strip().lower().endswith((".yaml", ".yml", ".xml"))


@reads_a_file
def read_mapping(path: str | Path) -> MappingRules:
    """Read a mapping from a YAML file or from VOTCA's XML (several files separated by ``;``).

    Raises
    ------
    InputError
        If a file cannot be read or says what is not known, naming the place.
    MissingDependencyError
        If PyYAML is not installed.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "water.yaml"
    ...     _ = file.write_text("molecules: [{select: resname SOL, beads: [{type: W}]}]")
    ...     read_mapping(file).molecules[0].beads[0].type
    'W'
    """
    names = [part.strip() for part in str(path).split(";") if part.strip()]
    if len(names) > 1 or names[0].lower().endswith(".xml"):
        molecules = tuple(_votca_molecule(Path(name)) for name in names)
        return MappingRules(str(path), molecules, "listed")
    return _yaml_rules(Path(path))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot read the mapping {path}: {error.strerror}; check the path") from error
    except UnicodeDecodeError as error:
        raise InputError(f"the mapping {path} is no text in UTF-8 ({error}); save it as such") from error


def _yaml_rules(path: Path) -> MappingRules:
    try:
        import yaml
    except ImportError as error:
        raise MissingDependencyError(
            "a mapping in YAML needs PyYAML: pip install 'cginit[trajectory]'"
        ) from error
    try:
        content = yaml.safe_load(_text(path))
    except yaml.YAMLError as error:
        raise InputError(f"{path} is not valid YAML: {error}") from error
    top = _keys(content, str(path), {"molecules"}, {"centre", "exclusions"})
    centre = _choice(top.get("centre", "mass"), CENTRES, f"{path}: centre")
    exclusions = str(top.get("exclusions", "molecule"))
    if exclusions == "listed":
        raise InputError(f"{path}: exclusions cannot be 'listed'; give none, molecule, or 1-2, 1-3, 1-4, ...")
    exclusion_depth(exclusions)
    molecules = _list(top["molecules"], f"{path}: molecules")
    rules = tuple(
        _yaml_molecule(item, f"{path}: molecule {number}", centre) for number, item in enumerate(molecules, 1)
    )
    return MappingRules(str(path), rules, exclusions)


def _yaml_molecule(item: Any, where: str, centre: str) -> MoleculeRule:
    keys = _keys(item, where, {"beads"}, {"select", "per", "bonds"})
    beads = tuple(
        _yaml_bead(bead, f"{where}, bead {number}", number, centre)
        for number, bead in enumerate(_list(keys["beads"], f"{where}: beads"), 1)
    )
    names = [bead.name for bead in beads]
    if len(set(names)) < len(names):
        raise InputError(f"{where}: two beads have the same name; names ({', '.join(names)}) must differ")
    bonds = None
    if "bonds" in keys:
        bonds = tuple(
            _bond(pair, names, f"{where}: bonds")
            for pair in _list(keys["bonds"], f"{where}: bonds", empty=True)
        )
    per = _choice(keys.get("per", "residue"), UNITS_OF_MAPPING, f"{where}: per")
    return MoleculeRule(str(keys.get("select", "all")), per, beads, bonds)


def _yaml_bead(item: Any, where: str, number: int, centre: str) -> BeadRule:
    keys = _keys(item, where, {"type"}, {"name", "atoms", "select", "index", "centre", "weights"})
    if len(ways := [key for key in ("atoms", "select", "index") if key in keys]) > 1:
        raise InputError(f"{where} has both {' and '.join(ways)}; keep one")
    atoms = None
    if "atoms" in keys:
        words = (
            keys["atoms"].split()
            if isinstance(keys["atoms"], str)
            else _list(keys["atoms"], f"{where}: atoms")
        )
        atoms = tuple(AtomName(str(word)) for word in words)
    weights = None
    if "weights" in keys:
        if atoms is None:
            raise InputError(f"{where} has weights without atoms; name the atoms that they belong to")
        weights = _weights(_list(keys["weights"], f"{where}: weights"), len(atoms), where)
    return BeadRule(
        check_bead_type(str(keys["type"]), f"{where}: type"),
        str(keys.get("name", number)),
        atoms,
        None if "select" not in keys else str(keys["select"]),
        _choice(keys.get("centre", centre), CENTRES, f"{where}: centre"),
        weights,
        None if "index" not in keys else _index(keys["index"], f"{where}: index"),
    )


def _index(value: Any, where: str) -> tuple[int, ...]:
    """Return numbers of atoms, given as a number, a list, or words such as ``1 4-6``."""
    words = [str(part) for part in value] if isinstance(value, list) else str(value).split()
    found: list[int] = []
    for word in words:
        first, dash, last = word.partition("-")
        if not first.isdigit() or int(first) < 1 or (dash and not last.isdigit()):
            raise InputError(
                f"{where} is {value!r}; give numbers of atoms in the molecule, from 1, as 1 or 1-3"
            )
        found += range(int(first), int(last if dash else first) + 1)
    if not found or len(set(found)) < len(found):
        raise InputError(f"{where} is {value!r}; it must name each atom once, and at least one")
    return tuple(found)


def _bond(pair: Any, names: list[str], where: str) -> tuple[int, int]:
    ends = [str(end) for end in pair] if isinstance(pair, list) else []
    if len(ends) != 2 or ends[0] == ends[1] or any(end not in names for end in ends):
        raise InputError(
            f"{where}: {pair!r} must be two different beads by name or number, of {', '.join(names)}"
        )
    return names.index(ends[0]), names.index(ends[1])


def _weights(values: list[Any], n: int, where: str) -> tuple[float, ...]:
    try:
        weights = tuple(float(value) for value in values)
    except (TypeError, ValueError):
        raise InputError(f"{where}: the weights {values!r} must be numbers") from None
    if len(weights) != n:
        raise InputError(f"{where} has {len(weights)} weights for {n} atoms; give one for each atom")
    if any(weight < 0.0 for weight in weights) or not 0.0 < sum(weights) < float("inf"):
        raise InputError(f"{where}: the weights {weights} must not be negative and not all 0")
    return weights


def _keys(item: Any, where: str, needed: set[str], optional: set[str]) -> dict[str, Any]:
    known = ", ".join(sorted(needed | optional))
    if not isinstance(item, dict):
        raise InputError(f"{where} must hold the keys {known}, not {item!r}")
    unknown = [str(key) for key in item if key not in needed | optional]
    if unknown:
        raise InputError(f"{where} has the unknown key {unknown[0]}; known are {known}")
    missing = sorted(needed - set(item))
    if missing:
        raise InputError(f"{where} lacks the key {missing[0]}")
    return dict(item)


def _list(value: Any, where: str, *, empty: bool = False) -> list[Any]:
    if not isinstance(value, list) or not (value or empty):
        raise InputError(f"{where} must be a list, not {value!r}")
    return value


def _choice(value: Any, known: tuple[str, ...], where: str) -> str:
    if value not in known:
        raise InputError(f"{where} is {value!r}; it must be one of {', '.join(known)}")
    return str(value)


def _votca_molecule(path: Path) -> MoleculeRule:
    root = parse_xml(_text(path), str(path))
    if root.tag != "cg_molecule":
        raise InputError(f"{path} starts with <{root.tag}>; a VOTCA mapping starts with <cg_molecule>")
    ident = _child(root, "ident", str(path))
    maps = {
        _child(entry, "name", f"{path}: map"): _child(entry, "weights", f"{path}: map").split()
        for entry in root.iterfind("maps/map")
    }
    beads: list[BeadRule] = []
    for entry in root.iterfind("topology/cg_beads/cg_bead"):
        name = _child(entry, "name", f"{path}: cg_bead")
        where = f"{path}: bead {name}"
        atoms = tuple(_votca_atom(word, where) for word in _child(entry, "beads", where).split())
        mapping = _child(entry, "mapping", where)
        if mapping not in maps:
            raise InputError(f"{where} uses the map {mapping}, which <maps> does not define")
        weights = _weights(maps[mapping], len(atoms), f"{where}, map {mapping}")
        beads.append(
            BeadRule(check_bead_type(_child(entry, "type", where), where), name, atoms, weights=weights)
        )
    if not beads:
        raise InputError(f"{path} defines no cg_bead")
    names = [bead.name for bead in beads]
    bonds: list[tuple[int, int]] = []
    excluded: set[tuple[int, int]] = set()
    terms: list[tuple[str, str, tuple[int, ...]]] = []
    for kind, size in (("bond", 2), ("angle", 3), ("dihedral", 4)):
        for entry in root.iterfind(f"topology/cg_bonded/{kind}"):
            words = _child(entry, "beads", f"{path}: {kind}").split()
            unknown = next((word for word in words if word not in names), None)
            if unknown is not None or len(words) % size:
                raise InputError(
                    f"{path}: a {kind} names {unknown or f'{len(words)} beads'}; it needs {size} of "
                    f"{', '.join(names)} for each"
                )
            label = (entry.findtext("name") or kind).strip()
            for first in range(0, len(words), size):
                terms.append((kind, label, tuple(names.index(word) for word in words[first : first + size])))
                members = sorted(names.index(word) for word in words[first : first + size])
                # VOTCA leaves out every pair of beads that share a bonded interaction.
                excluded |= {(i, j) for a, i in enumerate(members) for j in members[a + 1 :]}
                if size == 2:
                    bonds.append((members[0], members[1]))
    listed = tuple(sorted(excluded))
    return MoleculeRule(
        "all", "molecule", tuple(beads), tuple(bonds), excluded=listed, ident=ident, terms=tuple(terms)
    )


def _votca_atom(word: str, where: str) -> AtomName:
    parts = word.split(":")
    if len(parts) != 3 or not parts[0].isdigit():
        raise InputError(f"{where}: the atom {word!r} must be residue number:residue name:atom name")
    return AtomName(parts[2], parts[1], int(parts[0]))


def _child(element: ElementTree.Element, tag: str, where: str) -> str:
    text = element.findtext(tag)
    if text is None or not text.strip():
        raise InputError(f"{where} lacks <{tag}>")
    return text.strip()
