"""Networks U -> pressure: their inputs, the virial sum, the training, and the pressures beside them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cginit.errors import InputError
from cginit.learn.augmentation import Augmentation
from cginit.learn.data import TrainingSet
from cginit.learn.pool import Pool
from cginit.learn.statistics import relative_errors
from cginit.models.grid import network_grid
from cginit_study.baselines import BASELINES, baselines
from cginit_study.pressure_options import LABELS, EosOptions
from cginit_study.pressure_task import PressureSubject, PressureTask, input_curves, pressure_of, virial_sum
from cginit_study.pressures import assess_pressures
from cginit_study.study import StudyConfig, run_study

R = np.linspace(0.0, 5.0, 101)
FINE = np.linspace(0.0, 5.0, 501)


def weak_gas(m: int = 10) -> TrainingSet:
    """Return dilute Gaussian particles, whose pressure is rho + rho^2 B2 to better than 1e-4."""
    height, width = np.linspace(0.2, 1.5, m)[:, None], np.linspace(0.8, 1.1, m)[:, None]

    def u(r):
        return height * np.exp(-((r / width) ** 2))

    density = np.linspace(0.02, 0.04, m)
    b2 = -2.0 * np.pi * np.trapezoid(np.expm1(-u(FINE)) * FINE**2, FINE, axis=1)
    g = np.exp(-u(R))
    return TrainingSet(
        R,
        g,
        1e-3 * np.ones_like(g),
        FINE,
        u(FINE),
        density,
        np.full(m, 5.0),
        2 * np.arange(m),
        density + density**2 * b2,
        np.full(m, 1e-4),
    )


def config(**rest) -> StudyConfig:
    return StudyConfig.from_dict(
        {
            "subject": "pressure",
            "kinds": ["DN"],
            "folds": 2,
            "architecture": {
                k: {"width": 8, "layers": 1, "dilations": [1, 4]} for k in ("DN", "CN", "UN", "RN")
            },
            "schedule": {"steps": 4, "batch": 4, "evaluate_every": 2},
            **rest,
        }
    )


def test_the_published_networks_are_ninety():
    assert len(LABELS) == len(set(LABELS)) == 30
    counts = {route: sum(x.startswith(f"{route}-") for x in LABELS) for route in ("P", "B2", "Bn")}
    assert counts == {"P": 12, "B2": 12, "Bn": 6}
    assert not any("i" in x.split("-")[1] for x in LABELS if x.startswith("Bn"))
    assert EosOptions.parse("P-efi") == EosOptions("P", exponential=True, force=True, ideal=True)
    for wrong in ("Bn-i", "P-ce", "P", "Q-x"):
        with pytest.raises(InputError, match="unknown network"):
            EosOptions.parse(wrong)


def test_clipping_leaves_the_force_alone():
    r = network_grid()
    u = torch.from_numpy(30.0 * (1.0 - r / 5.0))[None]
    plain, force = input_curves(u, False, False)
    clipped, same = input_curves(u, True, False)
    assert plain.max().item() == pytest.approx(30.0 / 20.0)
    assert clipped.max().item() == pytest.approx(1.0)
    # -dU/dr = 6 kT/sigma everywhere, above the cut as well; its unit is 200.
    torch.testing.assert_close(force, torch.full_like(force, 6.0 / 200.0))
    assert torch.equal(force, same)
    boltzmann, slope = input_curves(u, False, True)
    torch.testing.assert_close(boltzmann, torch.exp(-u))
    h = r[1] - r[0]
    expected = -(np.exp(-u[0, 11].item()) - np.exp(-u[0, 9].item())) / (2 * h)
    assert slope[0, 10].item() == pytest.approx(expected)


def test_the_virial_sum_has_no_weights():
    b = torch.tensor([[2.0, 3.0, 5.0, 7.0]], dtype=torch.float64)
    rho = torch.tensor([0.5], dtype=torch.float64)
    assert virial_sum(b, rho).item() == pytest.approx(0.5 + 2 / 4 + 3 / 8 + 5 / 16 + 7 / 32)
    assert pressure_of("B2", torch.tensor([[0.3]]), torch.tensor([0.5])).item() == pytest.approx(
        0.5 + 0.25 * 3.0
    )


def test_a_change_of_length_unit_is_exact():
    data = weak_gas(4)
    how = {"augmentation": {"scale": [0.8, 1.25], "max_density": 10.0}}
    pool = Pool(data, torch.device("cpu"))
    task = PressureTask(pool, config(**how), "DN", [EosOptions.parse("Bn-x")])
    rows = torch.tensor([[0, 1, 2, 3] * 4])
    u, density, p0, p = task.batch(rows, [torch.Generator().manual_seed(1)])
    scale = (density / pool.density[rows]) ** (1 / 3)
    assert scale.std() > 0.05
    # The compressibility factor is a pure number; P0 is P here, but for rounding and the integral's grid.
    torch.testing.assert_close(p / density, (pool.pressure / pool.density)[rows])
    torch.testing.assert_close(p0, p, rtol=1e-5, atol=0.0)
    r = torch.from_numpy(network_grid()).float()
    height = torch.linspace(0.2, 1.5, 4)[rows][..., None]
    width = torch.linspace(0.8, 1.1, 4)[rows][..., None]
    # The table ends at 5 sigma, where U is 1e-9 kT.
    expected = height * torch.exp(-((r * scale[..., None] / width) ** 2))
    torch.testing.assert_close(u, expected, atol=1e-5, rtol=0.0)
    assert not Augmentation().none


@pytest.mark.parametrize("kind", ["DN", "CN", "UN"])
@pytest.mark.parametrize("label", ["P-efi", "B2-ci", "Bn-cf", "Bn-c"])
def test_every_form_trains(tmp_path, kind, label):
    data = weak_gas()
    small = config(kinds=[kind], labels=[label], final=[f"{kind}/{label}"])
    run_study(small, PressureSubject(), data, tmp_path, device="cpu")
    found = assess_pressures(tmp_path, data, data.pressure)
    assert np.isfinite(found.errors[f"{kind}/{label}"]).all()
    assert found.final[f"{kind}/{label}"].shape == (10,)
    # What the networks of the folds gave is kept without them.
    for weights in tmp_path.rglob("fold-*.safetensors"):
        weights.unlink()
    again = assess_pressures(tmp_path, data, data.pressure)
    for before, after in ((found.errors, again.errors), (found.medians, again.medians)):
        assert after[f"{kind}/{label}"] == pytest.approx(before[f"{kind}/{label}"], rel=1e-6)


def test_a_network_learns_the_second_virial_coefficient(tmp_path):
    data = weak_gas(20)
    small = config(
        labels=["Bn-c"],
        final=["DN/Bn-c"],
        schedule={"steps": 150, "batch": 16, "evaluate_every": 50, "learning_rate": 1e-2},
    )
    run_study(small, PressureSubject(), data, tmp_path, device="cpu")
    found = assess_pressures(tmp_path, data, data.pressure)
    held = data.test
    ideal = relative_errors(data.density, data.pressure)[held].mean()
    error = relative_errors(found.final["DN/Bn-c"], data.pressure)[held].mean()
    # The ideal gas is 5 % off; the network, on potentials that it has not seen, should leave a third of it at most.
    assert error < ideal / 3.0


def test_networks_of_different_form_do_not_share_a_task():
    pool = Pool(weak_gas(4), torch.device("cpu"))
    with pytest.raises(InputError, match="side by side"):
        PressureTask(pool, config(), "DN", [EosOptions.parse("P-x"), EosOptions.parse("P-i")])


def test_all_routes_agree_for_a_dilute_gas(tmp_path):
    data = weak_gas(3)
    found = baselines(data, tmp_path / "b.npz")
    assert set(found) == set(BASELINES)
    # Particles that overlap have no hard-sphere diameter.
    assert np.isnan(found["Carnahan-Starling"]).all()
    # The g of these data is exp(-U), with which the virial formula gives B2 and no more; grids of 0.01 and 0.05.
    for name in ("P0", "virial of g"):
        np.testing.assert_allclose(found[name], data.pressure, rtol=1e-3)
    # B3 adds 7e-3 at most, and what follows is as much smaller again.
    assert np.max(found["B2+B3"] / data.pressure - 1.0) > 3e-3
    for name in ("HNC virial", "HNC compressibility"):
        np.testing.assert_allclose(found[name], found["B2+B3"], rtol=1e-3)
    again = baselines(data, tmp_path / "b.npz")
    for name in BASELINES:
        np.testing.assert_array_equal(again[name], found[name])
