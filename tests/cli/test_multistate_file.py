"""The file of ``cg-init multistate``: states, and kT from either of two keys."""

import numpy as np
import pytest

from cginit import RDF, InputError, write_rdf
from cginit.cli.system import read_system

#: Boltzmann constant of the SI, in kJ/(mol K) and kcal/(mol K).
BOLTZMANN = {"nm-kJ/mol": 8.31446261815324e-3, "angstrom-kcal/mol": 8.31446261815324e-3 / 4.184}


@pytest.fixture
def write(tmp_path):
    """Write a file of two states that share a target; the second is given."""
    r = np.arange(0.0, 1.51, 0.1)

    def states(units, second):
        write_rdf(RDF(r, np.where(r < 0.3, 0.0, 1.0), units=units), tmp_path / "target.dat")
        path = tmp_path / "states.toml"
        path.write_text(
            f'units = "{units}"\n[[states]]\ntarget = "target.dat"\ndensity = 0.5\nkT = 2.5\n'
            f'[[states]]\ntarget = "target.dat"\ndensity = 0.25\n{second}\n'
        )
        return path

    return states


@pytest.mark.parametrize("units", BOLTZMANN)
def test_a_temperature_in_kelvin_becomes_kT(write, units):
    first, second = read_system(write(units, "temperature = 300\nweight = 2")).targets
    assert (first.state.kT, first.state.density, first.weight) == (2.5, 0.5, 1.0)
    # The constant is exact in the SI; only rounding is left.
    assert second.state.kT == pytest.approx(300 * BOLTZMANN[units], rel=1e-9)
    assert (second.state.density, second.weight) == (0.25, 2.0)
    assert second.units.name == units


@pytest.mark.parametrize(
    ("units", "second", "message"),
    [
        ("nm-kJ/mol", "", "state 2 of .*states.toml must state either temperature"),
        ("nm-kJ/mol", "kT = 2.5\ntemperature = 300", "state 2 of .* must state either temperature"),
        ("nm-kJ/mol", 'temperature = "300 K"', "states temperature = '300 K'; it must be a positive number"),
        ("nm-kJ/mol", "kT = -2.5", "states kT = -2.5; it must be a positive number"),
        ("nm-kJ/mol", "kT = true", "states kT = True"),
        ("lj", "temperature = 1.2", "a temperature in kelvin has no meaning in lj units"),
    ],
)
def test_what_is_no_kT_is_refused_by_the_number_of_its_state(write, units, second, message):
    with pytest.raises(InputError, match=message):
        read_system(write(units, second))


def test_targets_are_looked_at(tmp_path):
    r = np.arange(0.0, 5.01, 0.02)
    g = np.where(r < 0.9, 0.0, 1.0 + np.exp(-4.0 * (r - 1.0) ** 2) * np.cos(6.0 * (r - 1.0)))
    path = tmp_path / "system.toml"
    path.write_text(
        'units = "lj"\nkT = 1.0\n[densities]\nA = 0.3\nB = 0.1\n[targets]\n'
        '"A-A" = "AA.dat"\n"A-B" = "AB.dat"\n"B-B" = "BB.dat"\n'
    )
    for name, level in (("AA", 1.0), ("AB", 1.0), ("BB", 1.06)):
        write_rdf(RDF(r, level * g, units="lj"), tmp_path / f"{name}.dat")
    # These were computed, which is said, too.
    (note,) = (text for text in read_system(path).notes if "does not scatter" not in text)
    assert note.startswith("B-B: ")
    assert "tends to 1.0597" in note
    # A tail that falls over many shells is that of droplets.
    slow = np.where(r < 0.9, 0.0, 1.0 + 1.5 * np.exp(-((r / 3.0) ** 2)))
    write_rdf(RDF(r, slow, units="lj"), tmp_path / "drops.dat")
    path.write_text('units = "lj"\nkT = 1.0\ndensity = 0.5\ntarget = "drops.dat"\n')
    with pytest.raises(InputError, match=r"phase|does not tend to 1"):
        read_system(path)
