"""Grid, scale rule, split, augmentation and limits of the networks; all without PyTorch."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cginit.curves import RDF, Array
from cginit.errors import InputError
from cginit.learn.augmentation import Augmentation, pairs, vary
from cginit.learn.config import Config, load_config
from cginit.learn.data import TrainingSet, class_of, fold_of
from cginit.learn.domain import g_domain
from cginit.learn.evaluate import absolute_errors, delta_table, error_table, summary
from cginit.learn.options import Options
from cginit.models.coverage import noise_level, outside
from cginit.models.domain import Domain
from cginit.models.grid import POINTS, interpolate, network_grid, on_network_grid, resample_g
from cginit.models.scale import network_length
from cginit.state import StatePoint

R = np.linspace(0.0, 5.0, 101)
FINE = np.linspace(0.0, 5.0, 501)


def cored_g(r: Array, diameter: float = 1.0) -> Array:
    """Return a smooth g with a core, a first peak of 2 and a decaying second shell."""
    x = r / diameter
    u = 4.0 * (np.maximum(x, 0.3) ** -12 - np.maximum(x, 0.3) ** -6)
    return np.asarray(np.exp(-u), dtype=np.float64)


def soft_set(m: int = 12) -> TrainingSet:
    """Return dilute soft particles, for which g = exp(-U) is exact whatever the unit of length."""
    height = np.linspace(0.5, 3.0, m)[:, None]
    width = np.linspace(0.6, 1.2, m)[:, None]

    def u(r: Array) -> Array:
        return np.asarray(height * np.exp(-((r / width) ** 2)))

    g = np.exp(-u(R))
    density = np.linspace(0.1, 1.0, m)
    return TrainingSet(R, g, 0.01 * np.ones_like(g), FINE, u(FINE), density, np.full(m, 3.0), np.arange(m))


def test_interpolation_is_exact_on_the_grid_and_third_order_between():
    x = np.linspace(0.0, 2.0, 21)
    y = np.sin(3.0 * x)[None]
    np.testing.assert_allclose(interpolate(y, 0.0, 0.1, x, 9.0)[0], y[0], atol=1e-14)
    at = x[2:-3] + 0.05
    # Slopes of second order, h^2/6 y''' = 0.045, enter a half point with h/8 of their difference: below 5e-4.
    assert np.max(np.abs(interpolate(y, 0.0, 0.1, at, 9.0)[0] - np.sin(3.0 * at))) < 5e-4
    assert interpolate(y, 0.0, 0.1, np.array([2.01]), 9.0)[0, 0] == 9.0
    assert interpolate(y, 0.5, 0.1, np.array([0.2]), 9.0)[0, 0] == y[0, 0]


def test_a_steep_core_is_resampled_better_than_its_own_g_would_allow():
    g = cored_g(R)
    at = np.array([0.93, 0.97])
    found = -np.log(resample_g(g[None], 0.0, 0.05, at))[0]
    exact = -np.log(cored_g(at))
    # -ln g falls from 6.6 to 1.9 kT over the step around the first point. Linear interpolation of g is off by 0.5.
    assert np.max(np.abs(found - exact)) < 0.15
    assert np.max(np.abs(-np.log(np.interp(at, R, g)) - exact)) > 0.3


def test_a_missing_core_is_zero_and_a_missing_tail_is_one():
    full = RDF(R, cored_g(R), units="lj")
    part = RDF(R[16:70], cored_g(R)[16:70], units="lj")
    g, g_part = on_network_grid(full, 1.0), on_network_grid(part, 1.0)
    inside = network_grid() < 3.4
    np.testing.assert_allclose(g_part[inside], g[inside], atol=1e-12)
    assert np.all(g_part[network_grid() < 0.75] == 0.0)
    assert np.all(g_part[network_grid() > 3.46] == 1.0)


@settings(max_examples=25, deadline=None)
@given(length=st.floats(0.05, 50.0), diameter=st.floats(0.8, 1.4), density=st.floats(0.02, 3.0))
def test_the_scale_rule_does_not_depend_on_the_unit_of_length(length, diameter, density):
    target = RDF(R, cored_g(R, diameter), units="lj")
    other = RDF(R * length, target.g, units="lj")
    here = network_length(target, StatePoint(density, 1.0), 3.0)
    there = network_length(other, StatePoint(density / length**3, 7.0), 3.0 * length)
    # Rounding of the grid alone.
    assert there == pytest.approx(here * length, rel=1e-9)


def test_the_scale_rule_case_by_case():
    core = RDF(R, cored_g(R), units="lj")
    # Lennard-Jones: g = exp(-U) crosses 1 at r = sigma, where U = 0; the grid has it as a point.
    assert network_length(core, StatePoint(0.1, 1.0), 3.0) == pytest.approx(1.0, abs=1e-6)
    # Denser than rho sigma^3 = 1.1: held there.
    assert network_length(core, StatePoint(2.0, 1.0), 1.0) == pytest.approx((1.1 / 2.0) ** (1 / 3))
    # A long cut-off must fit into the range of 5 sigma, and wins over the density.
    assert network_length(core, StatePoint(2.0, 1.0), 4.5) == pytest.approx(0.9)
    # Dissipative particles overlap: rho = 3 becomes 0.35.
    soft = RDF(R[:41], 1.0 - 0.5 * np.exp(-(R[:41] ** 2)), units="lj")
    assert network_length(soft, StatePoint(3.0, 1.0), 1.0) == pytest.approx((0.35 / 3.0) ** (1 / 3))


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=50), st.integers(2, 9))
def test_no_potential_is_in_two_parts_of_the_split(seeds, folds):
    potentials = np.repeat(np.array(seeds), 3)
    fold = fold_of(potentials, folds)
    for seed in set(seeds):
        assert len(set(fold[potentials == seed].tolist())) == 1
    assert np.array_equal(fold == -1, class_of(potentials) == 0)
    assert np.all(fold < folds)


def test_every_class_holds_even_and_odd_potentials():
    # The campaign simulates even and odd potentials at different densities.
    potentials = np.arange(40)
    for kind in range(10):
        assert set((potentials[class_of(potentials) == kind] % 2).tolist()) == {0, 1}


def test_a_training_set_refuses_what_cannot_be_learned_from():
    good = soft_set()
    fields = {name: getattr(good, name) for name in good.__dataclass_fields__}
    with pytest.raises(InputError, match="g of the training set has shape"):
        TrainingSet(**{**fields, "g": good.g[:, :-1]})
    with pytest.raises(InputError, match="not finite"):
        TrainingSet(**{**fields, "u": good.u * np.nan})
    with pytest.raises(InputError, match="uniform from 0"):
        TrainingSet(**{**fields, "r": good.r + 0.1})
    with pytest.raises(InputError, match="2 members or more"):
        fold_of(good.potential, 1)


def test_augmentation_keeps_the_physics():
    data = soft_set()
    rows = np.arange(len(data))
    how = Augmentation(scale=(0.75, 1.3), noise=0.0, shortest_range=5.0, max_density=1.2)
    g, density, u = vary(data, rows, how, np.random.default_rng(3))
    # These fluids are dilute: g = exp(-U) in any unit of length. Interpolation on the grid of 0.05 remains.
    np.testing.assert_allclose(-np.log(g), u, atol=2e-3)
    s = (density / data.density) ** (1 / 3)
    assert np.all((s > 0.75 - 1e-9) & (s < 1.3 + 1e-9))
    assert np.all(density <= 1.2 * (1 + 1e-9))
    assert np.ptp(s) > 0.2
    # The same scale by hand.
    g_pairs, density_pairs, u_pairs = pairs(data, s)
    np.testing.assert_allclose(g, g_pairs, atol=1e-12)
    np.testing.assert_allclose(u, u_pairs, atol=1e-12)
    np.testing.assert_allclose(density, density_pairs, rtol=1e-12)


def test_augmentation_ends_g_early_but_not_inside_the_cutoff():
    data = soft_set()
    rows = np.zeros(400, dtype=np.int64)
    how = Augmentation(scale=(1.0, 1.0), noise=1.0, shortest_range=3.5)
    g, _, _ = vary(data, rows, how, np.random.default_rng(1))
    ends = np.array([np.max(np.flatnonzero(row != 1.0)) for row in g])
    assert np.min(network_grid()[ends]) > 3.5 - 0.11
    # Half of 400 by chance; 5 binomial standard deviations of 10.
    assert abs(np.count_nonzero(ends < POINTS - 1) - 200) < 50


def test_noise_has_the_recorded_size():
    data = soft_set()
    how = Augmentation(scale=(1.0, 1.0), noise=2.0, shortest_range=5.0)
    rows = np.full(3000, 5, dtype=np.int64)
    g, _, _ = vary(data, rows, how, np.random.default_rng(2))
    # The last point of the network is a point of the data: no interpolation. 5 standard errors of 2 / sqrt(6000).
    assert np.std(g[:, -1]) == pytest.approx(2 * 0.01, rel=5 / np.sqrt(6000))


def test_errors_do_not_count_above_20_kt_and_know_what_g_shows():
    truth = np.array([[100.0, 19.0, 2.0, 0.0]])
    g = np.array([[0.0, 0.0, 0.1, 1.0]])
    errors = absolute_errors(truth + np.array([[50.0, 3.0, -2.0, 1.0]]), truth, g)
    assert errors.all[0] == pytest.approx(2.0)
    assert errors.visible[0] == pytest.approx(1.5)
    assert summary(np.array([1.0, 2.0, 9.0])) == pytest.approx({"n": 3, "median": 2.0, "mean": 4.0})


def test_the_table_counts_only_what_a_method_answered():
    truth, g = np.zeros((2, POINTS)), np.ones((2, POINTS))
    partial = np.vstack([np.ones(POINTS), np.full(POINTS, np.nan)])
    table = error_table({"a": truth + 0.5, "b": partial}, truth, g, np.array([0.1, 1.0]))
    assert "| all | a | 2 | 0.500 |" in table
    assert "| all | b | 1 | 1.000 |" in table
    assert "| 1 | b | 0 |" in table


def fluid_domain() -> tuple[Domain, Array]:
    rng = np.random.default_rng(0)
    diameters = rng.uniform(0.8, 1.2, 60)
    g = np.array([1 + (cored_g(network_grid(), d) - 1) * rng.uniform(0.8, 1.2) for d in diameters])
    g = np.maximum(g, 0.0)
    return g_domain(g, np.repeat([0.3, 0.2], [40, 20]), g[:40]), g


def test_the_domain_accepts_its_own_data_and_survives_a_file():
    _, g = fluid_domain()
    # A file rounds to 5 digits; curves that the components reproduce to 1e-9 would notice.
    noisy = np.maximum(g + 1e-3 * np.random.default_rng(1).standard_normal(g.shape), 0.0)
    domain = g_domain(noisy, np.repeat([0.3, 0.2], [40, 20]), noisy[:40])
    copy = Domain.from_dict(domain.to_dict())
    for row in noisy:
        assert outside(domain, row, 0.25) == ()
        assert outside(copy, row, 0.25) == ()


def test_the_domain_knows_how_noisy_its_data_were():
    _, g = fluid_domain()
    r = network_grid()
    levels = np.array([noise_level(r, 1e-3 * k / np.maximum(r, 0.1)) for k in range(1, 6)])
    # A median over r of what is the same at every r.
    np.testing.assert_allclose(levels, 1e-3 * np.arange(1, 6) * np.sqrt(r[1]), rtol=1e-6)
    domain = g_domain(g, np.repeat([0.3, 0.2], [40, 20]), g[:40], levels)
    for known in (domain, Domain.from_dict(domain.to_dict())):
        assert not any("much noise" in x for x in outside(known, g[3], 0.25, levels[-1]))
        assert "3 times as much noise" in outside(known, g[3], 0.25, 3.0 * known.limits["noise"][1])[0]
    # A model of an earlier version has not recorded it.
    older = {key: value for key, value in domain.to_dict().items() if key != "noise"}
    assert not any("much noise" in x for x in outside(Domain.from_dict(older), g[3], 0.25, 1e3))


@pytest.mark.parametrize(
    ("change", "density", "word"),
    [
        (lambda r, g: g, 0.9, "density"),
        (lambda r, g: g + 9.0 * np.exp(-(((r - 1.1) / 0.1) ** 2)), 0.25, "peak"),
        (lambda r, g: g + 0.3 * (r > 0.9), 0.25, "two phases"),
        (lambda r, g: g * (1 + 0.9 * np.sin(9.0 * r) * (r > 1)), 0.25, "crystal"),
        (lambda r, g: np.where(r < 1.6, 0.0, 1.0), 0.25, "structure factor"),
    ],
)
def test_the_domain_names_what_is_strange(change, density, word):
    domain, _ = fluid_domain()
    r = network_grid()
    assert any(word in sentence for sentence in outside(domain, change(r, cored_g(r)), density))


def test_options():
    assert [Options.parse(x).label for x in ("x", "b", "e", "f", "be", "fb", "ef", "bef")] == [
        "x",
        "b",
        "e",
        "f",
        "be",
        "bf",
        "ef",
        "bef",
    ]
    for wrong in ("", "xf", "ff", "q"):
        with pytest.raises(InputError, match="unknown options"):
            Options.parse(wrong)


def test_a_configuration_says_which_key_is_wrong(tmp_path):
    config = Config.from_dict({"architecture": {"dilations": [1, 2]}, "loss": {"a": 1}})
    assert config.architecture.dilations == (1, 2)
    assert Config.from_dict(config.to_dict()) == config
    for text, word in (
        ("speed = 1", "speed"),
        ("[schedule]\nstep = 1", "step"),
        ("[schedule]\nsteps = 1.5", "steps"),
        ("[schedule]\nsteps = 0", "at least 1"),
        ("[architecture]\nkernel = 4", "odd kernel"),
        ("[", "cannot be read as TOML"),
    ):
        path = tmp_path / "c.toml"
        path.write_text(text)
        with pytest.raises(InputError, match=word):
            load_config(path)


def test_deltas_by_group_and_who_is_better():
    rng = np.random.default_rng(4)
    truth, g = np.zeros((400, 5)), np.ones((400, 5))
    close, far = rng.exponential(0.02, 400), rng.exponential(0.2, 400)
    far[0] = np.nan
    predictions = {"close": np.repeat(close[:, None], 5, axis=1), "far": np.repeat(far[:, None], 5, axis=1)}
    groups = {"first": np.arange(400) < 1, "all": np.ones(400, dtype=bool)}
    lines = delta_table(predictions, truth, g, groups, ("far",)).splitlines()
    cells = [cell.strip() for cell in lines[4].split("|")]
    assert cells[1:3] == ["all", "close"]
    # A median of 400 exponential variates is known to 1/sqrt(400) = 5 %; a fit of the histogram to 6 %.
    assert [float(x) for x in cells[3:7]] == pytest.approx([0.02] * 4, rel=0.25)
    assert cells[7] == f"{np.sum(close[1:] < far[1:])} of 399"
    # One error is no distribution, and nothing is better than what is not there.
    assert lines[2].split("|")[3].strip() == "-"
    assert lines[3].split("|")[7].strip() == "-"
