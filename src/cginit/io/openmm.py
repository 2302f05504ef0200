"""OpenMM: a serialised ``CustomNonbondedForce`` whose tabulated functions are the potentials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from xml.etree import ElementTree

import numpy as np

from cginit.curves import PairPotential
from cginit.errors import InputError
from cginit.io.grid import runnable, runnable_grid
from cginit.io.header import header_lines, parse_header, potential_header
from cginit.io.rows import text_of
from cginit.io.table import PairName, RawTable, WriteOptions, bead_types, pair_of, section_of
from cginit.untrusted import parse_xml

__all__ = ["openmm_force", "read_openmm", "write_openmm"]

#: OpenMM puts a natural cubic spline through the values.
INTERVALS = 2000
#: OpenMM's number of the method ``CutoffPeriodic``.
CUTOFF_PERIODIC = "2"


def read_openmm(data: bytes, name: str, keyword: str | None = None) -> RawTable:
    """Read one function of a force that `openmm_force` wrote; `keyword` names the pair where there are several."""
    text = text_of(data, name)
    # The comments hold the headers.
    root = parse_xml(text, name, comments=True)
    sections: dict[str, RawTable] = {}
    label, comments = "", [""]
    for node in root.iter():
        if not isinstance(node.tag, str):
            comments = (node.text or "").splitlines()
            label = (
                comments[0].removeprefix(" pair ").replace("- -", "--").strip()
                if comments[0].startswith(" pair ")
                else ""
            )
        elif node.tag == "Function" and node.get("type") == "Continuous1DFunction":
            try:
                u = np.array([float(value.get("v", "")) for value in node.iterfind("Values/Value")])
                low, high = float(node.get("min", "")), float(node.get("max", ""))
            except ValueError as error:
                raise InputError(f"{name}: the function {node.get('name')} is damaged ({error})") from None
            if u.size < 3 or not low < high:
                raise InputError(
                    f"{name}: the function {node.get('name')} holds {u.size} values from {low} to {high}"
                )
            header = parse_header(comments, name)
            sections[label or str(node.get("name"))] = RawTable(
                name, np.linspace(low, high, u.size), u, header=header
            )
    return section_of(sections, name, keyword)


def write_openmm(potential: PairPotential, options: WriteOptions) -> str:
    """Print the force of one pair of bead types."""
    return openmm_force({pair_of(options.keyword): potential}, options.kT)


def openmm_force(potentials: Mapping[PairName, PairPotential], kT: float | None) -> str:
    """Print a ``CustomNonbondedForce`` as OpenMM's ``XmlSerializer`` reads it.

    With several bead types its particles have the parameter ``type``, from 0 in the order of the types' first
    appearance; with one they have none. Pairs of types without a potential do not interact.
    """
    types = bead_types(potentials)
    root = ElementTree.Element("Force")
    functions = ElementTree.Element("Functions")
    if len(types) > 1:
        functions.append(_pair_numbers(potentials, types))
    energy = "0"
    for number in reversed(range(len(potentials))):
        energy = (
            f"select(delta(pair(type1,type2)-{number}),u{number}(r),{energy})" if len(types) > 1 else "u0(r)"
        )
    for number, ((a, b), potential) in enumerate(potentials.items()):
        fine = runnable(potential, runnable_grid(potential, INTERVALS), kT)
        lines = header_lines(potential_header(potential)).replace("--", "- -")
        functions.append(ElementTree.Comment(f" pair {a}-{b}\n".replace("--", "- -") + lines))
        functions.append(
            _function(
                fine.u.tolist(),
                name=f"u{number}",
                type="Continuous1DFunction",
                version="2",
                min=repr(float(fine.r[0])),
                max=repr(float(fine.r_cut)),
                periodic="0",
            )
        )
    for key, value in (
        ("type", "CustomNonbondedForce"),
        ("version", "3"),
        ("name", "CustomNonbondedForce"),
        ("forceGroup", "0"),
        ("energy", energy),
        ("method", CUTOFF_PERIODIC),
        ("cutoff", repr(max(potential.r_cut for potential in potentials.values()))),
        ("switchingDistance", "-1"),
        ("useSwitchingFunction", "0"),
        ("useLongRangeCorrection", "0"),
    ):
        root.set(key, value)
    parameters = ElementTree.SubElement(root, "PerParticleParameters")
    if len(types) > 1:
        ElementTree.SubElement(parameters, "Parameter", name="type")
    for tag in (
        "GlobalParameters",
        "ComputedValues",
        "EnergyParameterDerivatives",
        "Particles",
        "Exclusions",
    ):
        ElementTree.SubElement(root, tag)
    root.append(functions)
    ElementTree.SubElement(root, "InteractionGroups")
    ElementTree.indent(root, " ")
    return '<?xml version="1.0" ?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _pair_numbers(potentials: Mapping[PairName, PairPotential], types: Sequence[str]) -> ElementTree.Element:
    """Return the function that tells two types the number of their potential, or of none."""
    index = np.full((len(types), len(types)), len(potentials))
    for number, (a, b) in enumerate(potentials):
        i, j = types.index(a), types.index(b)
        index[i, j] = index[j, i] = number
    size = str(len(types))
    return _function(
        index.T.ravel().tolist(), name="pair", type="Discrete2DFunction", version="1", xsize=size, ysize=size
    )


def _function(values: list[float], **attributes: str) -> ElementTree.Element:
    function = ElementTree.Element("Function", attributes)
    held = ElementTree.SubElement(function, "Values")
    for value in values:
        ElementTree.SubElement(held, "Value", v=repr(value))
    return function
