import numpy as np
import pytest

from cginit import RDF, InputError, StatePoint
from cginit.state import check_density, common_units, excluded_diameter


def water_like(scale=1.0, units="nm-kJ/mol"):
    r = np.arange(24, 101) * 0.01
    return RDF(r * scale, 1.0 - np.exp(-(((r - 0.23) / 0.02) ** 2)), units=units)


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
def test_values_must_be_positive(value):
    with pytest.raises(InputError, match="density must be a positive"):
        StatePoint(value, 1.0)
    with pytest.raises(InputError, match="kT must be a positive"):
        StatePoint(1.0, value)


def test_a_state_shows_itself_in_one_short_line():
    state = StatePoint(33.282662014591175, temperature=300.0, units="nm-kJ/mol")
    assert repr(state) == "<StatePoint: density 33.2827 nm^-3, kT 2.49434 kJ/mol, 300 K>"
    assert repr(StatePoint(0.8, 1.0)) == "<StatePoint: density 0.8, kT 1>"


def test_conversion():
    state = StatePoint.from_temperature(33.2827, 300.0, "nm-kJ/mol").to("angstrom-kcal/mol")
    assert state.density == pytest.approx(0.0332827)
    assert state.kT == pytest.approx(0.596161, abs=1e-6)


def test_a_state_without_units_takes_those_of_the_target():
    target, state = common_units(water_like(), StatePoint(33.28, 2.494))
    assert state.units == target.units
    target, state = common_units(water_like(), StatePoint(0.03328, 0.5962, "real"))
    assert target.r_max == pytest.approx(10.0)


def test_the_right_density_passes():
    check_density(water_like(), StatePoint(33.28, 2.494))


def test_density_per_nm3_with_r_in_angstrom_is_refused():
    with pytest.raises(InputError, match="given per nm"):
        check_density(water_like(10.0, "angstrom-kcal/mol"), StatePoint(33.28, 0.6))


def test_mass_density_is_refused():
    with pytest.raises(InputError, match="cannot be right"):
        check_density(water_like(), StatePoint(997.0, 2.494))


def test_particles_that_overlap_may_be_dense():
    r = np.linspace(0.05, 3, 60)
    soft = RDF(r, 1.0 - 0.6 * np.exp(-(r**2) * 4), units="lj")
    assert excluded_diameter(soft) == 0.0
    check_density(soft, StatePoint(3.0, 1.0))


def test_packing_limit_is_close_packing():
    r = np.linspace(0.0, 3.0, 301)
    spheres = RDF(r, (r >= 1.0).astype(float), units="lj")
    assert excluded_diameter(spheres) == pytest.approx(1.0)
    check_density(spheres, StatePoint(1.4, 1.0))  # 0.733, below the 0.7405 of close packing
    with pytest.raises(InputError, match="0\\.785 of space"):
        check_density(spheres, StatePoint(1.5, 1.0))
