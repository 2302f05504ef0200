"""What is asked about one g(r) is asked about those of mixtures and molecules, too, with the name of the pair."""

import numpy as np
import pytest

from cginit import RDF, InputError
from cginit.bonded import Distribution
from cginit.io import question_target
from cginit.target import Target
from cginit.topology import Topology

R = 0.01 * np.arange(1, 151)
G = np.where(R < 0.3, 0.0, 1.0 + 0.8 * np.exp(-(((R - 0.4) / 0.05) ** 2)))
DENSITIES = {"A": 5.0, "B": 7.0}
#: 27 K: room temperature in degrees Celsius.
COLD = 27 * 8.31446e-3


def mixture(kT=2.5, r=R, **other):
    curves = {
        pair: RDF(r, other.get(pair.replace("-", ""), G), units="nm-kJ/mol") for pair in ("A-A", "A-B", "B-B")
    }
    return Target(curves, DENSITIES, kT)


def test_a_liquid_is_not_asked_about():
    assert question_target(mixture()) == ()


def test_a_temperature_in_degrees_is_asked_about_where_pairs_are_several():
    assert question_target(mixture(COLD)) == (
        "The temperature is 27 K: hardly anything is liquid. Is it in degrees Celsius, or kT in kcal/mol (113 K)?",
    )


def test_a_bead_smaller_than_any_atom_is_asked_about():
    (note,) = question_target(Target(mixture(r=0.1 * R).rdfs, {"A": 5e3, "B": 7e3}, 2.5))
    # The bins are a tenth as wide: the core is that of the first bin that has pairs.
    assert note == "The core of a bead is 0.03 nm wide: no atom is so small. Is r in another unit?"


def test_the_density_of_a_gas_is_asked_about():
    shells = 1.0 + 2.0 * np.exp(-(((R - 0.4) / 0.04) ** 2)) - 0.4 * np.exp(-(((R - 0.58) / 0.06) ** 2))
    liquid = np.where(R < 0.35, 0.0, shells + 0.2 * np.exp(-(((R - 0.8) / 0.06) ** 2)))
    curves = mixture(AA=liquid, AB=liquid, BB=liquid).rdfs
    assert question_target(Target(curves, {"A": 5.0, "B": 9.0}, 2.5)) == ()
    (note,) = question_target(Target(curves, {"A": 0.01, "B": 0.014}, 2.5))
    assert "the shells of a liquid, but at a density of 0.024" in note


def test_a_refusal_names_the_pair():
    with pytest.raises(InputError, match=r"^A-B: g\(r\) does not tend to 1"):
        question_target(mixture(AB=1.3 * G))
    with pytest.raises(InputError, match=r"^B-B: g\(r\) ends at r = 1.5 nm, under the cut-off 1.8"):
        question_target(mixture(), r_cuts={mixture().pairs[2]: 1.8})


def test_molecules_of_which_bonds_alone_have_targets_have_a_temperature():
    dumbbells = Topology([0, 0], ("A",), {"bond A-A": [[0, 1]]}).repeated(20)
    b = np.arange(0.2, 0.3, 0.005)
    bonds = Distribution.normalised(
        b, np.exp(-0.5 * ((b - 0.25) / 0.01) ** 2), coordinate="bond", units="nm-kJ/mol"
    )
    target = Target({}, 5.0, COLD, topology=dumbbells, distributions={"bond A-A": bonds})
    (note,) = question_target(target)
    assert "27 K" in note
