"""The forward map on fluids whose bridge function is made up, so that everything is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cginit.curves import RDF, PairPotential
from cginit.forward.polish import step
from cginit.forward.theory import fine_grid, gamma_at_points, solve_corrected
from cginit.guess.assembly import visible_target
from cginit.guess.integral_equation import IntegralEquation
from cginit.liquid.forward import solve
from cginit.models.grid import bridge_grid
from cginit.state import StatePoint

R = bridge_grid()
FINE = fine_grid()
DENSITY = 0.4


def soft(strength: float, width: float, r: np.ndarray = FINE) -> np.ndarray:
    """Return a repulsive Gaussian, for which every equation has a solution."""
    return strength * np.exp(-((r / width) ** 2))


def made_up(strength: float, r: np.ndarray = R) -> np.ndarray:
    """Return a bridge function of the usual sign and range that grows with the repulsion."""
    return -0.1 * strength * np.exp(-(r**2))


def fluid(strength: float, width: float, density: float) -> np.ndarray:
    """Return g at the points."""
    bridge = made_up(strength)
    gamma = gamma_at_points(solve_corrected(soft(strength, width), density, bridge))
    return np.exp(-soft(strength, width, R) + gamma + bridge)


def test_a_bridge_function_acts_as_the_opposite_potential() -> None:
    u, bridge = soft(3.0, 1.0), made_up(3.0)
    found = solve_corrected(u, DENSITY, bridge)
    reference = solve(FINE, u - made_up(3.0, FINE), DENSITY)
    # The spline through the points is off by (0.05)^4 times the fourth derivative of a Gaussian, 1e-5.
    np.testing.assert_allclose(found.g, reference.g, atol=1e-5)
    points = gamma_at_points(reference)
    # Every fifth node of the long grid is every second point.
    np.testing.assert_allclose(points[2::2][:40], reference.gamma[4::5][:40], atol=1e-9)
    # An even function is flat at the origin: r = 0 differs from the first node by second order in the step.
    assert points[0] == pytest.approx(reference.gamma[0], abs=1e-3)


def test_the_whole_step_finds_the_potential_whose_bridge_function_is_known() -> None:
    state = StatePoint(DENSITY, 1.0)
    target = RDF(R, fluid(3.0, 1.0, DENSITY), np.full(R.size, 1e-7), units="lj")
    truth = soft(3.0, 1.0, R)
    guess = IntegralEquation("hnc", bin_average=False)(target, state, 5.0)
    seen: list[tuple[np.ndarray, float]] = []

    def known(u: np.ndarray, density: float) -> np.ndarray:
        seen.append((u, density))
        return made_up(3.0)

    visible = visible_target(target, bin_average=False)
    found = step(guess, visible, state, known, part=1.0)
    before, after = (np.max(np.abs(x.u - truth)) for x in (guess, found))
    # HNC lacks the bridge function, 0.3 kT; what is left is what g lacks beyond 5 sigma.
    assert before > 0.2
    assert after < 2e-3
    # Half the step ends half-way.
    half = step(guess, visible, state, known, part=0.5)
    np.testing.assert_allclose(half.u, 0.5 * (guess.u + found.u), atol=1e-12)
    # The network is asked about the guess, in units where the cut-off lies at 5.
    u, density = seen[0]
    assert density == pytest.approx(DENSITY)
    np.testing.assert_allclose(u[::5], guess.u[::2], atol=1e-9)


def test_the_step_does_not_depend_on_units() -> None:
    target = RDF(R, fluid(3.0, 1.0, DENSITY), np.full(R.size, 1e-7), units="lj")
    other = RDF(R * 0.4, target.g, target.error, units="nm-kJ/mol")
    states = StatePoint(DENSITY, 1.0), StatePoint(DENSITY / 0.4**3, 2.5, "nm-kJ/mol")
    found = []
    for curve, state, r_cut in zip((target, other), states, (5.0, 2.0), strict=True):
        guess = IntegralEquation("hnc", bin_average=False)(curve, state, r_cut)
        visible = visible_target(curve, bin_average=False)
        found.append(step(guess, visible, state, lambda u, density: made_up(3.0)))
    np.testing.assert_allclose(found[1].u / 2.5, found[0].u, atol=1e-9)
    assert found[1].units == other.units


torch = pytest.importorskip("torch", reason="training needs PyTorch (cginit[train])")

from cginit.errors import InputError  # noqa: E402
from cginit.learn.augmentation import Augmentation  # noqa: E402
from cginit.learn.config import Architecture, Config, TrainingSchedule  # noqa: E402
from cginit.learn.data import TrainingSet  # noqa: E402
from cginit.learn.pool import Pool  # noqa: E402
from cginit.learn.subjects.structure import UNIT, StructureTask  # noqa: E402
from cginit.learn.subjects.structure_theory import fluid_theory  # noqa: E402
from cginit.liquid.bridge import modified_verlet  # noqa: E402

U_R = np.linspace(0.0, 5.0, 501)


@pytest.fixture(scope="module")
def fluids() -> TrainingSet:
    # Two potentials a class of the split: the classes 0 (test), 1 and 2.
    names = np.array([0, 1, 2, 3, 4, 5])
    strength, width = np.array([2.0, 3.0, 2.5, 1.5, 3.5, 1.0]), np.array([1.0, 0.9, 1.1, 1.0, 0.8, 1.2])
    density = np.array([0.3, 0.5, 0.2, 0.6, 0.4, 0.3])
    curves = zip(strength, width, density, strict=True)
    g = np.array([fluid(*x) for x in curves])
    u = np.array([soft(s, w, U_R) for s, w in zip(strength, width, strict=True)])
    return TrainingSet(R, g, np.full(g.shape, 1e-6), U_R, u, density, np.full(6, 5.0), names, test=names < 2)


@pytest.fixture(scope="module")
def task(fluids: TrainingSet) -> StructureTask:
    rows = fluid_theory(fluids)
    assert rows.valid.all()
    form = Architecture(kind="RN", width=4, dilations=(1,))
    return StructureTask(Pool(fluids, torch.device("cpu")), rows, form, Augmentation((0.7, 1.3), 2.0))


def test_the_bridge_function_of_a_fluid_is_found(task: StructureTask) -> None:
    strength = [2.0, 3.0, 2.5, 1.5, 3.5, 1.0]
    expected = np.array([made_up(s) for s in strength])[:, 1:]
    # What g does not show beyond 5 sigma.
    np.testing.assert_allclose(task.bridge.numpy()[:, 1:], expected, atol=2e-3)


def test_the_loss_sees_what_a_wrong_bridge_function_does_to_g(
    task: StructureTask, fluids: TrainingSet
) -> None:
    row = 1
    batch = task.batch(torch.tensor([[row]]), None)
    wrong = 0.02 * np.exp(-(((R - 1.0) / 0.3) ** 2))
    given = task.bridge[row] + torch.from_numpy(wrong.astype(np.float32))
    out = (given - modified_verlet(batch[1][0, 0])) / UNIT
    bridge, change = task.deviation(out[None, None], batch)
    np.testing.assert_allclose(bridge[0, 0].numpy()[1:], wrong[1:], atol=1e-5)
    u, density = soft(3.0, 0.9), float(fluids.density[row])
    both = made_up(3.0) + wrong
    exact = np.exp(-soft(3.0, 0.9, R) + gamma_at_points(solve_corrected(u, density, both)) + both)
    difference = (exact - fluids.g[row])[1:]
    # Linear response: second order is the square of 0.02 in ln g.
    assert np.max(np.abs(difference)) > 5e-3
    np.testing.assert_allclose(change[0, 0].numpy(), difference, atol=4e-4)


def test_a_change_of_the_length_unit_is_no_deviation(task: StructureTask) -> None:
    rows = torch.tensor([[0, 1, 2, 3, 4, 5]])
    batch = task.batch(rows, [torch.Generator().manual_seed(3)])
    _, gamma, density, scale, _ = batch
    assert float((scale - 1.0).abs().max()) > 0.1
    torch.testing.assert_close(density, task.pool.density[rows] * scale**3)
    # The true bridge function in the changed unit.
    strength = torch.tensor([2.0, 3.0, 2.5, 1.5, 3.5, 1.0])
    stretched = -0.1 * strength[:, None] * torch.exp(-((task.grid * scale[0, :, None]) ** 2))
    out = (stretched[None] - modified_verlet(gamma)) / UNIT
    bridge, change = task.deviation(out, batch)
    # Two interpolations of a Gaussian with a step of 0.05 to 0.065, and what inversions leave.
    assert float(bridge[..., 1:].abs().max()) < 4e-3
    assert float(change.abs().max()) < 3e-3


@pytest.mark.training
def test_a_trained_map_is_exported_resumed_and_used(fluids: TrainingSet, tmp_path) -> None:
    pytest.importorskip("onnxscript", reason="the export needs onnxscript (cginit[train])")
    from cginit.forward import load_forward, polish, predict_rdf
    from cginit.learn.export import export_run
    from cginit.learn.subjects.structure_errors import assess, check_quality, error_tables
    from cginit.learn.training import train

    config = Config(
        name="forward",
        subject="structure",
        architecture=Architecture(kind="RN", width=4, dilations=(1,)),
        augmentation=Augmentation((0.9, 1.1), 2.0),
        schedule=TrainingSchedule(members=2, steps=4, batch=2, evaluate_every=2, keep="last"),
    )
    run = train(config, fluids, tmp_path / "run", device="cpu")
    again = train(config, fluids, tmp_path / "run", device="cpu")
    np.testing.assert_array_equal(run.predictions, again.predictions)
    assert run.fold.tolist() == [-1, -1, 0, 0, 1, 1]
    found = assess(run, np.array([0, 2]))
    # g of the made-up fluids differs from HNC by their bridge function.
    assert np.all(found.closure > 1e-5)
    assert np.all(np.isfinite(found.network))
    first, second = error_tables(found)
    assert "| all | 2 |" in first
    assert "| all | hnc | 2 |" in second
    assert check_quality(found).startswith("hnc: 2 state points with both")
    export_run(run, tmp_path / "model", "made up")
    assert "made up" in (tmp_path / "model" / "forward.md").read_text()
    model = load_forward(tmp_path / "model")
    # The mean of all members, as on the test set.
    bridge = model.bridge(soft(2.0, 1.0), 0.3)
    np.testing.assert_allclose(bridge, run.predictions[0], atol=2e-5)

    state = StatePoint(0.3, 1.0)
    potential = PairPotential.shifted(R, soft(2.0, 1.0, R), units="lj")
    g = predict_rdf(potential, state, length=1.0, folder=tmp_path / "model")
    gamma = gamma_at_points(solve_corrected(soft(2.0, 1.0), 0.3, bridge))
    expected = np.exp(-soft(2.0, 1.0, R) + gamma + bridge)
    np.testing.assert_allclose(g.g[10::5], expected[4::2], atol=1e-4)
    # The same fluid in another unit, with the length left to the function, is the same up to what the untrained
    # network makes of a scale.
    free = predict_rdf(potential, state, folder=tmp_path / "model")
    nm = potential.scaled(0.4, 2.5, "nm-kJ/mol")
    same = predict_rdf(nm, StatePoint(0.3 / 0.4**3, 2.5, "nm-kJ/mol"), folder=tmp_path / "model")
    np.testing.assert_allclose(same.g, free.g, atol=1e-6)
    np.testing.assert_allclose(same.r, 0.4 * free.r)

    target, state = fluids.target(2)
    start = IntegralEquation("hnc", bin_average=False)(target, state, 5.0)
    polished = polish(start, target, state, bin_average=False, folder=tmp_path / "model")
    assert polished.provenance.method == "polished", polished.notes
    assert polished.provenance.model == "forward 0 on hnc"
    assert np.max(np.abs(polished.u - start.u)) > 1e-3
    # Ten times the density is no fluid of the training: the guess stays as it is and says so.
    dense = StatePoint(30.0, 1.0)
    kept = polish(start, target, dense, bin_average=False, folder=tmp_path / "model")
    np.testing.assert_array_equal(kept.u, start.u)
    assert "was not polished" in kept.notes[0]


def test_another_grid_is_refused(fluids: TrainingSet, tmp_path) -> None:
    from cginit.learn.training import train

    short = replace(fluids, r=R[:91], g=fluids.g[:, :91], g_error=fluids.g_error[:, :91])
    with pytest.raises(InputError, match="g has 91 points"):
        train(Config(subject="structure", schedule=TrainingSchedule(members=2)), short, tmp_path)
