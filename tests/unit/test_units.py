import pytest

from cginit import units
from cginit.errors import InputError


def test_boltzmann_constant_gives_the_thermal_energy_at_300_k():
    # kT at 300 K is 2.49434 kJ/mol and 0.59616 kcal/mol (CODATA 2018), printed digits.
    assert 300.0 * units.NM_KJ.boltzmann() == pytest.approx(2.49434, abs=5e-6)
    assert 300.0 * units.ANGSTROM_KCAL.boltzmann() == pytest.approx(0.596161, abs=5e-7)


def test_conversion_of_length_and_energy():
    assert units.conversion(units.NM_KJ, units.ANGSTROM_KCAL) == pytest.approx((10.0, 1.0 / 4.184))


def test_bar_follows_from_the_ideal_gas():
    # One mole of ideal gas at 273.15 K and 1 bar fills 22.71095464 L (CODATA).
    density = 6.02214076e23 / 22.71095464e-3 * 1e-27
    pressure = density * 273.15 * units.NM_KJ.boltzmann() * units.NM_KJ.bar()
    assert pressure == pytest.approx(1.0, rel=1e-9)
    assert units.ANGSTROM_KCAL.bar() == pytest.approx(units.NM_KJ.bar() * 4184.0)


@pytest.mark.parametrize("name", ["nm-kJ/mol", "NM, kJ/mol", "votca", "gromacs"])
def test_aliases(name):
    assert units.unit_system(name) is units.NM_KJ


def test_what_reduced_units_cannot_do_is_refused():
    with pytest.raises(InputError, match="kT instead"):
        units.LJ.boltzmann()
    with pytest.raises(InputError, match="cannot convert lj"):
        units.conversion(units.LJ, units.NM_KJ)
    with pytest.raises(InputError, match="known are lj"):
        units.unit_system("furlong")
