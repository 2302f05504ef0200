"""Many fluids at once, pairs from integers, and the learning curves."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs PyTorch (cginit[train])")

from cginit.campaign.potentials import spline_potential, wca  # noqa: E402
from cginit.errors import ConvergenceError, InputError  # noqa: E402
from cginit.learn.closure import solve_many  # noqa: E402
from cginit.learn.config import Auxiliary, TrainingSchedule  # noqa: E402
from cginit.learn.curves import Point, Result, learning_curves, plan, read_results  # noqa: E402
from cginit.learn.data import STRIDE  # noqa: E402
from cginit.learn.pairs import cheap_pairs, density_of, is_bare_core, pairs_of  # noqa: E402
from cginit.liquid.forward import solve  # noqa: E402
from cginit.models.grid import interpolate  # noqa: E402

STEP = 0.05
R = STEP * np.arange(1, 101)
HOW = Auxiliary(families="ab", potentials=6, states=2, density=(0.05, 1.1))


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def fluids() -> tuple[np.ndarray, np.ndarray]:
    """Return soft and hard, short- and long-ranged potentials at gas and liquid densities."""
    soft = 2.0 * np.exp(-(R**2))
    long = 8.0 / (1.0 + np.exp(4.0 * (R - 3.0)))
    long[-1] = 0.0
    jones = np.minimum(4.0 / 1.5 * (R**-12.0 - R**-6.0), 1e3)
    splines = []
    for seed in (3, 7, 12):
        made = spline_potential(seed).potential
        splines.append(interpolate(np.minimum(made.u, 1e3)[None], 0.0, made.dr, R, 0.0)[0])
    u = np.array([soft, soft, long, wca(R), wca(R), jones, jones, *splines])
    return u, np.array([0.05, 1.0, 0.4, 0.3, 0.8, 0.05, 0.7, 0.2, 0.5, 0.125])


def test_many_fluids_are_those_of_the_single_solver():
    u, density = fluids()
    found = solve_many(torch.from_numpy(u), torch.from_numpy(density), STEP, nodes=1023)
    solved = found.solved.numpy()
    assert np.count_nonzero(solved) >= 8
    for row in np.flatnonzero(solved):
        # 10 cut-offs of 100 nodes are what the single solver needs, so that both have the same nodes.
        one = solve(R, u[row], float(density[row]), nodes=1023)
        assert one.r.size == 1023
        # Both residuals are below 1e-9 of rho^(-1/3); a compressible fluid multiplies them by S(0), some tens.
        np.testing.assert_allclose(found.g[row].numpy(), one.g, rtol=0.0, atol=3e-8)
        np.testing.assert_allclose(found.s_k[row].numpy(), one.s_k, rtol=1e-6)
    assert float(found.residual[found.solved].max()) <= 1e-9
    # A row does not depend on its neighbours.
    alone = solve_many(torch.from_numpy(u[4:5]), torch.from_numpy(density[4:5]), STEP, nodes=1023)
    np.testing.assert_allclose(alone.g[0], found.g[4], rtol=0.0, atol=1e-8)


def test_rows_without_a_solution_are_told():
    inner = np.maximum(R, 0.7)
    well = 4.0 * (inner**-12.0 - inner**-6.0) / 0.5
    density = np.array([0.3, 0.3])
    u = np.array([well, 0.05 * well])
    with pytest.raises(ConvergenceError):
        solve(R, well, 0.3)
    found = solve_many(torch.from_numpy(u), torch.from_numpy(density), STEP)
    assert found.solved.tolist() == [False, True]
    assert 0.0 < float(found.reached[0]) < 1.0
    assert float(found.reached[1]) == 1.0
    assert bool(torch.isnan(found.g[0]).all())
    assert bool(torch.isfinite(found.g[1]).all())


def test_a_fluid_whose_structure_factor_is_that_of_a_crystal_is_given_up():
    u, density = torch.from_numpy(np.minimum(wca(R), 1e3))[None], torch.tensor([0.9])
    free = solve_many(u, density, STEP)
    peak = float(free.s_k.max())
    assert free.solved.tolist() == [True]
    assert solve_many(u, density, STEP, max_peak=1.01 * peak).solved.tolist() == [True]
    assert solve_many(u, density, STEP, max_peak=0.99 * peak).solved.tolist() == [False]


@pytest.mark.parametrize(
    ("u", "density", "message"),
    [
        (torch.zeros(2, 600), torch.ones(2), "k <= 511"),
        (torch.zeros(2, 50), torch.ones(3), "must be"),
        (torch.full((1, 50), torch.nan), torch.ones(1), "must hold numbers"),
        (torch.zeros(1, 50), torch.zeros(1), "positive"),
    ],
)
def test_what_is_no_fluid_is_refused(u, density, message):
    with pytest.raises(InputError, match=message):
        solve_many(u, density, STEP)


def test_a_pair_is_named_by_its_integer():
    some = pairs_of("a", range(1_000_000, 1_000_009), HOW)
    again = pairs_of("a", range(1_000_004, 1_000_009), HOW)
    kept = again.potential >= 1_000_004
    mine = some.potential >= 1_000_004
    np.testing.assert_array_equal(some.u[mine], again.u[kept])
    np.testing.assert_allclose(some.g[mine], again.g[kept], rtol=0.0, atol=1e-7)
    for name, density in zip(some.potential, some.density, strict=True):
        assert density in [density_of("a", int(name), i, HOW.density) for i in range(HOW.states)]
        made = spline_potential(int(name)).potential
        row = int(np.flatnonzero((some.potential == name) & (some.density == density))[0])
        np.testing.assert_allclose(some.u[row, 200], np.interp(2.0, made.r, made.u, right=0.0), atol=0.02)
    with pytest.raises(InputError, match="unknown family"):
        pairs_of("z", range(2), HOW)


def test_densities_fill_their_range_evenly_in_the_logarithm():
    logs = np.log([density_of("b", seed, 0, (0.05, 1.1)) for seed in range(400)])
    parts = np.histogram(logs, 4, (np.log(0.05), np.log(1.1)))[0]
    # 100 are expected in each; 5 standard deviations of a binomial, false alarms below 1e-5.
    assert np.all(np.abs(parts - 100) < 5 * np.sqrt(75))
    assert parts.sum() == 400


def test_pairs_are_exact_where_they_are_dilute():
    thin = replace(HOW, density=(1e-5, 1e-4), states=1, noise=0.01)
    for family in "ab":
        found = pairs_of(family, range(1_000_000, 1_000_012), thin)
        assert len(found) >= 3
        # g = exp(-U) (1 + O(rho B3 / B2)); attractions of up to 5 kT multiply g by 150 or less near r = 0.
        expected = np.exp(-found.u[:, ::5])
        np.testing.assert_allclose(
            found.g / np.maximum(expected, 1.0), expected / np.maximum(expected, 1.0), atol=0.02
        )
        assert found.g_error[0, -1] == pytest.approx(0.01 * np.sqrt(found.g[0, -1]) / 5.0)


def test_the_bridge_function_of_simulations_is_in_the_pairs():
    # A dense WCA-like fluid of family b is closer to its simulated g with the bridge function than in HNC; here only
    # that the two differ where liquids do, and agree where gases do.
    seeds = range(1_000_000, 1_000_004)
    hnc, bridge = ({}, {})
    for closure, kept in (("hnc", hnc), ("bridge", bridge)):
        for density in (0.02, 0.7):
            found = pairs_of("b", seeds, replace(HOW, closure=closure), densities=(density,))
            kept[density] = dict(zip(found.potential.tolist(), found.g, strict=True))
    both = {rho: hnc[rho].keys() & bridge[rho].keys() for rho in hnc}
    distance = {
        rho: np.median([np.abs(hnc[rho][k] - bridge[rho][k]).max() for k in names])
        for rho, names in both.items()
    }
    assert distance[0.02] < 0.05
    assert distance[0.7] > 2 * distance[0.02]


def test_a_spline_inside_the_core_is_one_more_bare_core():
    found = pairs_of("a", range(1_000_000, 1_000_030), replace(HOW, states=1))
    bare = is_bare_core(found)
    assert 0 < np.count_nonzero(bare) < len(found)
    fine = found.u_r
    for row in range(len(found)):
        apart = np.abs(found.u[row] - wca(fine))[fine > 0.9].max()
        if bare[row]:
            assert apart < 0.11
            assert found.r_cut[row] == pytest.approx(2 ** (1 / 6))
        elif found.u[row, 0] >= 1e3:
            assert apart > 0.0


def test_chunks_are_kept_and_their_folder_is_of_one_kind(tmp_path):
    seen: list[tuple[int, int]] = []
    first = cheap_pairs(HOW, tmp_path, lambda done, total: seen.append((done, total)))
    assert seen == [(1, 2), (2, 2)]
    family = first.potential // STRIDE
    assert set(family.tolist()) == {0, 1}
    assert (first.potential % STRIDE)[family == 0].max() < HOW.first + 6
    # Nearly every potential of family b is a fluid: a third of the integers will do.
    assert (first.potential % STRIDE)[family == 1].max() < HOW.first + 2
    assert not first.test.any()
    stamps = {p.name: p.stat().st_mtime_ns for p in tmp_path.glob("*.npz")}
    noisy = cheap_pairs(replace(HOW, noise=0.1), tmp_path)
    assert stamps == {p.name: p.stat().st_mtime_ns for p in tmp_path.glob("*.npz")}
    np.testing.assert_array_equal(noisy.g, first.g)
    assert noisy.g_error.max() > 10 * first.g_error.max()
    with pytest.raises(InputError, match="another configuration"):
        cheap_pairs(replace(HOW, states=1), tmp_path)


@pytest.mark.training
def test_a_learning_curve_is_resumed_and_does_not_train_twice(tmp_path, monkeypatch):
    from cginit.learn import curves

    monkeypatch.setattr(curves, "TEST_INTEGERS", 6)
    monkeypatch.setattr(curves, "FLUIDS", 0.2)
    small = [Point("number", "whole", n) for n in (2, 4)]
    monkeypatch.setattr(curves, "ROUND", 12)
    schedule = TrainingSchedule(members=1, steps=4, batch=4, keep="last", evaluate_every=2)
    lines: list[str] = []
    learning_curves(tmp_path, small[:1], schedule, report=lines.append)
    assert any("delta" in line for line in lines)
    lines.clear()
    results = learning_curves(tmp_path, small, schedule, report=lines.append)
    assert not any(line.startswith("number-whole-2:") for line in lines)
    assert [r.potentials for r in results] == [2, 4]
    assert [r.pairs for r in results] == [2, 4]
    read = read_results(tmp_path / "curves.csv")
    assert [r.label if hasattr(r, "label") else r.name for r in read] == ["whole", "whole"]
    for one, other in zip(read, results, strict=True):
        assert one.test == pytest.approx(other.test, rel=1e-3)
        assert one.boltzmann > 0.0
    with pytest.raises(InputError, match="another configuration"):
        learning_curves(tmp_path, small, replace(schedule, steps=5))


def test_the_plan_compares_one_thing_at_a_time():
    points = plan()
    assert len({p.label for p in points}) == len(points)
    base = next(p for p in points if (p.axis, p.potentials) == ("number", 1000))
    for point in points:
        if point.potentials != 1000 or point is base:
            continue
        differing = [
            name
            for name in ("noise", "smoothing", "split", "architecture")
            if getattr(point, name) != getattr(base, name)
        ]
        assert len(differing) == 1, point
    numbers = [p.potentials for p in points if p.axis == "number"]
    assert all(b > a for a, b in pairwise(numbers))


def test_the_figure_shows_what_is_finished(tmp_path):
    pytest.importorskip("matplotlib", reason="figures need matplotlib (cginit[report])")
    from cginit.report.learning import learning_figure

    def result(axis: str, name: str, potentials: int, test: float) -> Result:
        return Result(
            axis, name, potentials, "none", 1e-4, "potential", 9, 9, 9, 0.1, test, test, 0.3, float("nan")
        )

    with pytest.raises(InputError, match="no network of the learning curves is finished"):
        learning_figure([], tmp_path / "curves.png")
    some = [result("number", "whole", n, 1.0 / n) for n in (100, 1000)] + [result("noise", "data", 1000, 0.2)]
    path = learning_figure(some, tmp_path / "curves.png")
    assert path.stat().st_size > 5000


def test_the_command_refuses_an_unknown_axis(tmp_path):
    from cginit.cli.curves import curves

    with pytest.raises(InputError, match="unknown axis 'colour'"):
        curves(tmp_path, axis=["colour"])
