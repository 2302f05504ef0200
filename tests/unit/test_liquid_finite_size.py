"""The limit of g(r) of a finite number of beads, and the way back."""

from pathlib import Path

import numpy as np
import pytest

from cginit import RDF, StatePoint, guess, read_rdf, write_rdf
from cginit.errors import InputError
from cginit.liquid import compressibility_limit, infinite_system, solve

SHIPPED = Path(__file__).parents[2] / "data" / "state-points.h5"


def soft(r):
    return 2.0 * np.exp(-(r**2))


@pytest.fixture(scope="module")
def fluid():
    """HNC fluid of density 0.6: r, g, S(0)."""
    r = np.linspace(0.0, 5.0, 101)
    fine = np.linspace(0.0, 12.0, 961)
    found = solve(fine, soft(fine), 0.6)
    return r, np.interp(r, found.r, found.g), float(found.s_0)


def test_an_ideal_gas_is_left_alone():
    assert infinite_system(np.ones(5), 1.0, 100) == pytest.approx(np.ones(5), rel=1e-15)


def test_the_limit_of_an_infinite_system_is_one():
    n, s_0 = 500.0, 0.05
    # N - 1 others, of which S(0) - 1 = -0.95 are missing within the correlation hole, spread over the rest.
    sampled = (1.0 - s_0 / n) / (1.0 - 1.0 / n)
    assert infinite_system([sampled], s_0, n)[0] == pytest.approx(1.0, rel=1e-12)
    with pytest.raises(InputError, match="2 beads"):
        infinite_system([1.0], 0.5, 1)


@pytest.mark.parametrize("beads", [200, 1000])
def test_the_compressibility_comes_back(fluid, beads):
    r, g, s_0 = fluid
    sampled = g * (1.0 - s_0 / beads) / (1.0 - 1.0 / beads)
    found = compressibility_limit(r[1:], sampled[1:], 0.6, beads, np.full(100, 1e-4))
    # What is left is what two rounds leave: (rho V / N)^2 of the first error, V = 520 being the sphere of g.
    assert found == pytest.approx(s_0, abs=0.003 + (0.6 * 520 / beads) ** 2 * 0.05)


def test_a_guess_knows_the_number_of_beads(fluid):
    r, g, s_0 = fluid
    beads, state = 400, StatePoint(0.6, 1.0, "lj")
    sampled = g * (1.0 - s_0 / beads) / (1.0 - 1.0 / beads)
    error = np.full(r.size, 1e-4)
    without, with_beads = (
        guess(RDF(r, sampled, error, units="lj", beads=n), state, "hnc", 4.0) for n in (None, beads)
    )
    inner = without.r <= 3.0
    deviation = [np.abs(u.u - soft(u.r))[inner].mean() for u in (without, with_beads)]
    # 0.0022 in g everywhere, six times 1/N seen as kT; corrected, what the bins of 0.05 and the error of g leave.
    assert deviation[0] > 5.0 / beads
    assert deviation[1] < 0.3 * deviation[0]


def test_the_number_of_beads_travels_in_the_file(tmp_path):
    curve = RDF(np.arange(5) * 0.1, np.ones(5), units="lj", beads=750)
    assert "beads = 750" in write_rdf(curve, tmp_path / "g.dat").read_text()
    assert read_rdf(tmp_path / "g.dat").beads == 750
    assert read_rdf(tmp_path / "g.dat").to("lj").truncated(0.3).with_core().beads == 750
    for wrong in ("1", "7.5"):
        text = (tmp_path / "g.dat").read_text().replace("beads = 750", f"beads = {wrong}")
        (tmp_path / "wrong.dat").write_text(text)
        with pytest.raises(InputError, match="beads"):
            read_rdf(tmp_path / "wrong.dat")
    with pytest.raises(InputError, match="at least 2 beads"):
        RDF(np.arange(5) * 0.1, np.ones(5), units="lj", beads=1)


def test_simulated_fluids_have_this_limit():
    """At low density, where g oscillates least, (g - 1) N / (1 - S(0)) of the shipped fluids is 1 at large r."""
    pytest.importorskip("h5py", reason="the data set is HDF5 (cginit[campaign])")
    from cginit.campaign import load

    data = load(SHIPPED)
    fluids = data.select(data.accepted & (data.density < 0.3) & (data.s_k_min < 0.5))
    found = []
    for row in range(len(fluids)):
        half = 0.5 * (fluids.n[row] / fluids.density[row]) ** (1 / 3)
        far = np.isfinite(fluids.g[row]) & (fluids.r > max(3.0, 0.6 * half))
        mean = np.average(fluids.g[row][far] - 1.0, weights=fluids.r[far] ** 2)
        found.append(mean * fluids.n[row] / (1.0 - fluids.s_k_min[row]))
    quarters = np.quantile(found, [0.25, 0.5, 0.75])
    # Standard error of a median, from the quartiles of a distribution with wide wings.
    error = 1.2533 * (quarters[2] - quarters[0]) / 1.349 / np.sqrt(len(found))
    assert error < 0.1
    assert abs(quarters[1] - 1.0) < 4.0 * error
