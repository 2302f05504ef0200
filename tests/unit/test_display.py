"""What a curve shows of itself: a line, a card, a plot, a data frame; and a potential as a function."""

from __future__ import annotations

import pickle
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from one_species import record_of

import cginit
from cginit import RDF, InputError, PairPotential, Provenance, StatePoint, Target
from cginit.bonded import BondedPotential, Distribution
from cginit.configuration import Configuration
from cginit.eos import Pressure
from cginit.guess import guess
from cginit.sampling import PairCounts
from cginit.topology import Topology
from cginit.units import unit_system

R = np.linspace(0.0, 2.5, 126)
X = np.maximum(R, 0.4)
U = 4.0 * (X**-12 - X**-6)
POTENTIAL = PairPotential.shifted(
    R, U, units="lj", r_core=0.85, provenance=Provenance("known", kT=1.0, density=0.5)
)
G = RDF(R, np.exp(-POTENTIAL.u), np.full(R.size, 0.01), units="lj", beads=500)
LENGTHS = np.linspace(0.8, 1.4, 61)
SPRING = BondedPotential.shifted(LENGTHS, 250 * (LENGTHS - 1.1) ** 2, coordinate="bond", units="lj")
BONDS = Distribution.normalised(LENGTHS, np.exp(-SPRING.u), coordinate="bond", units="lj")
CURVES = (G, POTENTIAL, SPRING, BONDS)


@pytest.mark.parametrize("curve", CURVES, ids=lambda one: type(one).__name__)
def test_a_curve_shows_itself_in_short(curve):
    text = repr(curve)
    assert text.startswith(f"<{type(curve).__name__}: ")
    assert len(text) < 200
    assert "array" not in text
    assert curve.units.length in text


@pytest.mark.parametrize("curve", CURVES, ids=lambda one: type(one).__name__)
def test_a_notebook_shows_a_card_with_the_curve(curve):
    # It parses as XML: no tag is left open.
    root = ElementTree.fromstring(curve._repr_html_())
    line = next(one for one in root.iter() if one.tag == "polyline")
    points = np.array([one.split(",") for one in line.attrib["points"].split()], dtype=float)
    assert len(points) > 20
    assert np.all(np.diff(points[:, 0]) > 0.0)
    assert points[:, 1].min() >= 0.0
    assert points[:, 1].max() <= 60.0
    assert line.attrib["stroke"] == "currentColor"


def test_the_sparkline_shows_the_well_and_not_the_core():
    root = ElementTree.fromstring(POTENTIAL._repr_html_())
    line = next(one for one in root.iter() if one.tag == "polyline")
    y = np.array([one.split(",")[1] for one in line.attrib["points"].split()], dtype=float)
    # The well is at the bottom, and is a third of the height with the core above 2 kT cut.
    assert y.max() > 56.0
    assert 0.2 < (y.max() - y[-1]) / 54.0 < 0.5


@pytest.mark.parametrize("curve", CURVES, ids=lambda one: type(one).__name__)
def test_a_curve_is_drawn_with_its_band(curve):
    pytest.importorskip("matplotlib", reason="figures need matplotlib (cginit[report])")
    import matplotlib as mpl

    mpl.use("Agg")
    axes = curve.plot(label="first")
    assert (
        curve.units.length in axes.get_xlabel() + axes.get_ylabel() or curve.units.energy in axes.get_ylabel()
    )
    known = curve.error if hasattr(curve, "error") else curve.u_error
    assert len(axes.collections) == (known is not None)
    # A second curve goes where the first is.
    assert curve.plot(axes, color="red") is axes
    assert len(axes.lines) == 2
    from matplotlib import pyplot

    pyplot.close(axes.figure)


@pytest.mark.parametrize("curve", CURVES, ids=lambda one: type(one).__name__)
def test_a_curve_is_a_data_frame(curve):
    pytest.importorskip("pandas")
    frame = curve.to_frame()
    assert frame.attrs["units"] == "lj"
    for name in frame.columns:
        np.testing.assert_array_equal(frame[name], getattr(curve, name))


def test_curves_can_be_pickled_and_replaced():
    again = pickle.loads(pickle.dumps(POTENTIAL))
    np.testing.assert_array_equal(again.u, POTENTIAL.u)
    assert replace(G, beads=100).beads == 100


def test_a_potential_is_a_function_of_the_distance():
    # On the grid its own values, to rounding.
    np.testing.assert_allclose(POTENTIAL(R), POTENTIAL.u, rtol=1e-12, atol=1e-12)
    between = np.array([[1.005, 1.5], [2.011, 2.49]])
    exact = 4.0 * (between**-12 - between**-6) - U[-1]
    # Cubic between points 0.02 apart: its error is h^4/384 of the fourth derivative, 1e-4 at the steepest.
    np.testing.assert_allclose(POTENTIAL(between), exact, atol=2e-4)
    assert POTENTIAL(between).shape == (2, 2)
    assert POTENTIAL(2.5) == POTENTIAL(100.0) == 0.0
    # A table that begins in the core goes on with its force.
    late = PairPotential(R[45:], POTENTIAL.u[45:], POTENTIAL.f[45:], units="lj")
    assert late(R[45] - 0.1) == pytest.approx(late.u[0] + 0.1 * late.f[0], rel=1e-12)


def test_a_state_takes_a_temperature():
    state = StatePoint(33.28, temperature=300.0, units="nm-kJ/mol")
    assert state == StatePoint.from_temperature(33.28, 300.0, "nm-kJ/mol")
    assert state.temperature == pytest.approx(300.0)
    assert state.to("angstrom-kcal/mol").temperature == pytest.approx(300.0)
    assert StatePoint(0.8, 1.0, "lj").temperature is None
    assert StatePoint(0.8, 1.0).temperature is None
    assert replace(state, density=1.0).kT == state.kT
    for arguments in ({}, {"kT": 1.0, "temperature": 300.0}):
        with pytest.raises(InputError, match="either kT or temperature"):
            StatePoint(1.0, units="nm-kJ/mol", **arguments)
    with pytest.raises(InputError, match="needs units"):
        StatePoint(1.0, temperature=300.0)
    with pytest.raises(InputError, match="no meaning in lj"):
        StatePoint(1.0, temperature=300.0, units="lj")


def test_a_target_shows_what_it_asks_for():
    text = repr(Target.of(G, StatePoint(0.5, 1.0, "lj"), pressure=2.0))
    assert text == "<Target: A-A; A 0.5 sigma^-3; kT 1 epsilon; pressure 2 epsilon/sigma^3>"


def test_what_a_simulation_showed_is_told_in_a_line():
    # A refinement of molecules is asked for its rounds in a notebook: not for every position and count in them.
    topology = Topology([0, 1, 0], ("A", "B"), {"bond A-B": [[0, 1], [1, 2]]}).repeated(2)
    start = Configuration(np.arange(18.0).reshape(6, 3), [20.0, 20.0, 30.0], units="lj", topology=topology)
    counts = PairCounts(R, np.zeros((5, R.size), dtype=np.int32), 6, 8e3, unit_system("lj"))
    record = record_of(POTENTIAL, G, G, start, index=3, counts=counts)
    assert repr(start) == "<Configuration: 6 beads of A, B, box 20 x 20 x 30 sigma, with a topology>"
    assert repr(topology) == "<Topology: 6 beads of A, B, 4 bond A-B; exclusions 1-3>"
    assert repr(counts) == "<PairCounts: 5 configurations of 6 beads, r 0 to 2.5 sigma in 126 points>"
    assert repr(record) == "<Record 3, chi^2 0 of A-A, 0 steps in 0 s, by start>"
    for part in (start, topology, record.counts, record, record.inside, record.distances):
        assert len(repr(part)) < 120


def test_a_target_file_is_read_with_its_state(tmp_path):
    state = StatePoint(0.5, 1.5, "lj")
    path = cginit.write_rdf(G, tmp_path / "g.dat", state=state)
    target, found = cginit.read_target(path)
    assert found == state
    assert (target.units.name, target.beads) == ("lj", 500)
    np.testing.assert_allclose(target.g, G.g)
    assert cginit.read_target(path, density=0.6, kT=2.0)[1] == StatePoint(0.6, 2.0, "lj")
    bare = tmp_path / "bare.dat"
    bare.write_text("".join(f"{r:.3f} {g:.6f}\n" for r, g in zip(R, G.g, strict=True)))
    with pytest.raises(InputError, match=r"density=\.\.\. in nm"):
        cginit.read_target(bare, units="nm-kJ/mol", kT=2.5)
    with pytest.raises(InputError, match="temperature="):
        cginit.read_target(bare, units="nm-kJ/mol", density=0.5)
    assert cginit.read_target(bare, units="nm-kJ/mol", density=0.5, temperature=300.0)[1].temperature == (
        pytest.approx(300.0)
    )


def test_one_distance_has_one_energy_and_none_is_negative():
    assert type(POTENTIAL(0.9)) is float
    assert POTENTIAL([0.9]).shape == (1,)
    for wrong in (-0.1, [0.1, float("nan")]):
        with pytest.raises(InputError, match="a distance is 0 or more"):
            POTENTIAL(wrong)


def test_a_pressure_is_shown_in_bar_where_it_has_a_size():
    assert repr(Pressure(589.8, 4.2, "network", unit_system("nm-kJ/mol"))) == (
        "<Pressure: 9793.9 ± 70 bar, 589.8 ± 4.2 kJ/mol/nm^3, by network>"
    )
    assert repr(Pressure(2.0, 0.1, "hnc", notes=("of HNC",))) == (
        "<Pressure: 2 ± 0.1 epsilon/sigma^3, by hnc; of HNC>"
    )


def test_a_guess_says_what_it_takes():
    with pytest.raises(InputError, match=r"not str and float: target, state = cginit\.read_target"):
        guess("target.dat", 0.8)
