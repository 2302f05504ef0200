"""The shipped network as a guess: on fluids whose potential is known, and outside of what it was trained on."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from cginit.curves import RDF, Array, PairPotential
from cginit.errors import ConvergenceError
from cginit.forward.inference import predict_rdf
from cginit.guess import guess
from cginit.guess.boltzmann import Boltzmann
from cginit.guess.integral_equation import IntegralEquation
from cginit.guess.network import NetworkGuess
from cginit.io import read_rdf, read_rdf_header
from cginit.liquid.forward import solve
from cginit.models.grid import resample_g
from cginit.models.model import load_model, model_names
from cginit.state import StatePoint
from cginit.testing import check_guess
from cginit.units import LJ, NM_KJ

FINE = np.linspace(0.0, 2.5, 501)


def wca(r: Array) -> Array:
    x = np.maximum(r, 0.3)
    return np.where(r < 2 ** (1 / 6), 4.0 * (x**-12 - x**-6) + 1.0, 0.0)


def soft(r: Array) -> Array:
    return np.asarray(2.5 * np.exp(-(r**2)))


def fluid(u, density: float, steps: int = 10, r_max: float = 5.0) -> RDF:
    """Return g of `u` by HNC, which is close to exact for these fluids, at points with a step of 0.005 * `steps`."""
    found = solve(FINE, u(FINE), density)
    last = round(r_max / 0.005)
    return RDF(
        np.append(0.0, found.r[steps - 1 : last : steps]),
        np.append(found.g[0], found.g[steps - 1 : last : steps]),
        units=LJ,
    )


def real_fluid(u, density: float) -> RDF:
    """Return g of `u` as a simulation shows it, by the forward map: HNC with the bridge function of real fluids."""
    r = np.linspace(0.0, 5.0, 251)
    potential = PairPotential.shifted(r, np.minimum(u(np.maximum(r, 0.02)), 1e3), units="lj")
    found = predict_rdf(potential, StatePoint(density, 1.0), length=1.0)
    at = np.linspace(0.0, 5.0, 101)
    return RDF(at, resample_g(found.g[None], 0.0, found.dr, at)[0], units=LJ)


def error(potential: PairPotential, u) -> float:
    """Return the mean absolute error where g shows the potential."""
    seen = (potential.r >= potential.r_core) & (u(potential.r) < 4.6)
    return float(np.mean(np.abs(potential.u - u(potential.r))[seen]))


@pytest.fixture(scope="module")
def network() -> NetworkGuess:
    return NetworkGuess(bin_average=False)


@pytest.fixture(params=model_names())
def each_network(request) -> NetworkGuess:
    return NetworkGuess(request.param, bin_average=False)


def test_the_networks_keep_the_contract_of_a_guess() -> None:
    for name in model_names():
        check_guess(NetworkGuess(name))
    check_guess(NetworkGuess(fallback=False))


@pytest.mark.parametrize(
    ("u", "density", "bound"),
    # These g are those of HNC, which the network takes for real ones, and it corrects what is right already: by the
    # difference of HNC from real fluids. Bounds: three times what was measured, at most half the error of -ln g.
    [(wca, 0.2, 0.03), (wca, 0.5, 0.09), (wca, 0.7, 0.14), (soft, 0.2, 0.05), (soft, 0.5, 0.28)],
    ids=lambda x: getattr(x, "__name__", None),
)
def test_the_bridge_network_returns_known_potentials(u, density, bound) -> None:
    target, state = fluid(u, density), StatePoint(density, 1.0)
    potential = NetworkGuess("bridge", bin_average=False)(target, state, 2.5)
    assert potential.provenance.method == "bridge"
    assert not any("not used" in note for note in potential.notes)
    assert error(potential, u) < bound
    assert error(potential, u) < 0.5 * error(Boltzmann(bin_average=False)(target, state, 2.5), u)
    assert potential.u_error is not None
    assert np.all(potential.u_error >= 0.0)


@pytest.mark.parametrize(
    ("u", "density", "bound"),
    # Bounds: at most half the error of -ln g (0.08, 0.19, 0.28, 0.34, 0.56). The network knows real fluids, of which
    # HNC lacks the bridge function; it takes what is too much in the g of HNC for an attraction.
    [(wca, 0.2, 0.03), (wca, 0.5, 0.06), (wca, 0.7, 0.1), (soft, 0.2, 0.17), (soft, 0.5, 0.3)],
    ids=lambda x: getattr(x, "__name__", None),
)
def test_known_potentials_come_back(network, u, density, bound) -> None:
    target, state = real_fluid(u, density), StatePoint(density, 1.0)
    potential = network(target, state, 2.5)
    assert potential.provenance.method == "cn-f"
    assert not any("not used" in note for note in potential.notes)
    assert error(potential, u) < bound
    assert potential.u_error is not None
    assert np.all(potential.u_error >= 0.0)


def test_the_network_knows_more_than_g(network) -> None:
    """In a dense fluid the potential of mean force has wells that the potential has not."""
    target, state = fluid(wca, 0.7), StatePoint(0.7, 1.0)
    assert error(network(target, state, 2.5), wca) < 0.5 * error(Boltzmann(False)(target, state, 2.5), wca)


def test_the_answer_is_that_of_the_same_fluid_in_other_units(each_network) -> None:
    network, target = each_network, fluid(wca, 0.5)
    here = network(target, StatePoint(0.5, 1.0), 2.5)
    real = RDF(target.r * 0.3, target.g, units=NM_KJ)
    there = network(real, StatePoint(0.5 / 0.3**3, 2.5, NM_KJ), 2.5 * 0.3)
    assert there.units == NM_KJ
    # Single precision: 1e-6 of up to 10 kT, on the flank of the core times its slope.
    np.testing.assert_allclose(
        there.u / 2.5, here.u, atol=1e-4 * (1 + np.max(np.abs(here.u[18:]))), rtol=1e-4
    )
    np.testing.assert_allclose(there.u_error / 2.5, here.u_error, atol=1e-3)


def test_finer_and_shorter_targets_give_the_same_potential(each_network) -> None:
    """As users have them: steps of 0.01 to 0.05 sigma, g known to 3.5 sigma, no core in the file."""
    network, state = each_network, StatePoint(0.5, 1.0)
    reference = network(fluid(wca, 0.5), state, 2.5)
    for steps, r_max in ((2, 5.0), (10, 3.5)):
        target = fluid(wca, 0.5, steps, r_max)
        target = RDF(target.r[target.g > 1e-3], target.g[target.g > 1e-3], units=LJ)
        potential = network(target, state, 2.5)
        at = np.arange(0.95, 2.5, 0.05)
        difference = np.interp(at, potential.r, potential.u) - np.interp(at, reference.r, reference.u)
        # Linear interpolation of the flank of the core costs 0.03 kT; the training ends g early at random.
        assert np.mean(np.abs(difference)) < 0.05
        # The network of the bridge function takes a length at which g covers its range.
        if r_max < 5.0 or network.name == "bridge":
            assert ("taken as 1 beyond" in " ".join(potential.notes)) == (network.name == "cn-f")


def crystal(r: Array) -> Array:
    """Return g of an fcc crystal with thermal width 0.06 around its shells."""
    shells = np.sqrt(np.arange(1, 40)) * 1.1
    counts = np.array([12, 6, 24, 12, 24, 8, 48, 6, 36, 24, 24, 24, 72, 0, 48, 12, 48, 30, 72, 24])
    g = np.zeros(r.size)
    for shell, count in zip(shells, counts, strict=False):
        width = 0.06
        peak = np.exp(-0.5 * ((r - shell) / width) ** 2) / (width * np.sqrt(2 * np.pi))
        g += count * peak / (4 * np.pi * np.maximum(r, 0.1) ** 2 * 1.06)
    return g


def two_phases(r: Array) -> Array:
    liquid = fluid(wca, 0.6)
    return np.asarray(liquid.g * (1.0 + 1.0 * np.exp(-((r / 6.0) ** 2))))


def noisy(r: Array) -> Array:
    g = fluid(wca, 0.5).g
    return np.asarray(g * (1.0 + 0.1 * np.random.default_rng(1).standard_normal(g.size)))


R = np.arange(101) * 0.05
STRANGE = {
    "crystal": (crystal, 1.06),
    "two phases": (two_phases, 0.3),
    "too dilute": (lambda r: fluid(wca, 0.2).g, 1e-3),
    "twice the density": (lambda r: fluid(wca, 0.7).g, 1.4),
    "half the density": (lambda r: fluid(wca, 0.7).g, 0.35),
    # 0.01 per cubed angstrom, given as if it were per cubed nanometre.
    "wrong units": (lambda r: fluid(wca, 0.5).g, 0.5e-3),
    "noise of 10 %": (noisy, 0.5),
}
#: The Ornstein-Zernike equation makes a potential of any of these, which then is that of another fluid: a g and a
#: density that do not belong together show only where no fluid has both.
UNSEEN = {("cn-f", "half the density"), ("bridge", "half the density")}


@pytest.mark.parametrize("case", STRANGE)
def test_outside_its_range_the_network_steps_back_and_says_so(each_network, case) -> None:
    name = each_network.name
    curve, density = STRANGE[case]
    target, state = RDF(R, curve(R), units=LJ), StatePoint(density, 1.0)
    potential = each_network(target, state, 2.5)
    if (name, case) in UNSEEN:
        assert potential.provenance.method == name
        return
    assert potential.provenance.method in ("hnc", "boltzmann")
    assert any(f"{used} was not used" in potential.notes[0] for used in (name, "cn-f"))
    instead = IntegralEquation("hnc", False) if potential.provenance.method == "hnc" else Boltzmann(False)
    np.testing.assert_array_equal(potential.u, instead(target, state, 2.5).u)


@pytest.mark.parametrize("case", ["crystal", "too dilute"])
def test_without_a_way_back_the_notes_say_what_is_strange(network, case) -> None:
    curve, density = STRANGE[case]
    target, state = RDF(R, curve(R), units=LJ), StatePoint(density, 1.0)
    raw = NetworkGuess(fallback=False, bin_average=False)(target, state, 2.5)
    assert raw.provenance.method == "cn-f"
    assert any(note.startswith("outside the trained range of cn-f") for note in raw.notes)


def test_boltzmann_is_the_last_resort(network) -> None:
    """g of a dense fluid at three times its density has no structure factor that is positive."""
    target = fluid(wca, 0.7)
    potential = network(target, StatePoint(2.1, 1.0), 2.5)
    assert potential.provenance.method == "boltzmann"
    assert "HNC failed" in potential.notes[0]


def test_the_bridge_network_takes_a_target_that_ends_at_its_cut_off() -> None:
    state, network = StatePoint(0.5, 1.0), NetworkGuess("bridge", bin_average=False)
    short = network(fluid(wca, 0.5, r_max=2.6), state, 2.5)
    assert short.provenance.method == "bridge"
    # The Ornstein-Zernike inversion continues g beyond its end, so that the bound is that of a long g.
    assert error(short, wca) < 0.09


def test_a_short_target_is_refused_by_the_network(network) -> None:
    target = fluid(wca, 0.5, r_max=2.6)
    potential = network(target, StatePoint(0.5, 1.0), 2.5)
    assert potential.provenance.method != "cn-f"
    assert "network sigma" in potential.notes[0]


def test_the_public_function_takes_the_network_by_name() -> None:
    for method, name in (("network", "bridge"), ("bridge", "bridge"), ("cn-f", "cn-f")):
        potential = guess(fluid(soft, 0.3), StatePoint(0.3, 1.0), method=method, r_cut=3.0)
        assert potential.provenance.method == name
        assert potential.provenance.model == f"{name} {load_model(name).version}"


def test_the_shipped_files_belong_together_and_are_small() -> None:
    folder = files("cginit.models") / "shipped"
    assert model_names() == ("bridge", "cn-f")
    every = model_names(("potential", "bridge", "pressure", "structure"))
    assert every == ("bridge", "cn-f", "eos", "forward")
    for name in every:
        model = load_model(name)
        content = (folder / f"{name}.onnx").read_bytes()
        assert model.metadata["onnx_sha256"] == hashlib.sha256(content).hexdigest()
        # No trace of the machine that exported it.
        assert b".py" not in content
        assert len(content) + len((folder / f"{name}.safetensors").read_bytes()) < 4_000_000
        card = (folder / f"{name}.md").read_text(encoding="utf-8")
        assert f"# Model card: {model.name} {model.version}" in card
        assert model.metadata["data"]["digest"] in card


def test_the_shipped_onnx_is_the_shipped_weights() -> None:
    torch = pytest.importorskip("torch", reason="the weights are PyTorch's (cginit[train])")
    pytest.importorskip("safetensors")
    from safetensors.torch import load_file

    from cginit.learn.architectures import Ensemble, build
    from cginit.learn.bodies import Ports, build_body
    from cginit.learn.config import Config
    from cginit.learn.subjects.bridge import CURVES, BridgeEnsemble
    from cginit.models.grid import BRIDGE_POINTS, bridge_grid

    rng = np.random.default_rng(0)
    density = rng.uniform(0.1, 0.9, 2)
    for name in model_names():
        model = load_model(name)
        config = Config.from_dict(model.metadata["config"])
        g = np.array([fluid(wca, rho, steps=20).g[:50] for rho in (0.1, 0.6)])
        inputs: tuple[Array, ...] = (g, density)
        if model.subject == "bridge":
            ports = Ports(CURVES, 1, BRIDGE_POINTS, BRIDGE_POINTS)
            bodies = [build_body(config.architecture, ports, 0) for _ in range(config.schedule.members)]
            ensemble: torch.nn.Module = BridgeEnsemble(bodies)
            gamma = np.exp(-bridge_grid()) * rng.uniform(0.5, 5.0, (2, 2, 1))
            inputs = (np.exp(-bridge_grid()) * np.ones((2, 1)), gamma, density)
        else:
            ensemble = Ensemble([build(config.architecture, 0) for _ in range(config.schedule.members)])
        with files("cginit.models").joinpath("shipped", f"{name}.safetensors").open("rb") as stream:
            ensemble.load_state_dict(load_file(stream.name))
        u, spread = model.mean_and_spread(*inputs)
        with torch.no_grad():
            mean, std = ensemble(*(torch.from_numpy(x).float() for x in inputs))
        np.testing.assert_allclose(u, mean.numpy(), rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(spread, std.numpy(), rtol=1e-5, atol=1e-5)


def test_a_guess_does_not_import_pytorch() -> None:
    code = (
        "import sys, numpy as np; from cginit.guess.network import NetworkGuess; from cginit.curves import RDF; "
        "from cginit.state import StatePoint; r = np.arange(101) * 0.05; "
        "NetworkGuess()(RDF(r, np.exp(-np.exp(-r**2)), units='lj'), StatePoint(0.2, 1.0), 3.0); "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(("pair", "used"), [("E-E", "hnc"), ("M-M", "boltzmann")])
def test_notes_say_once_what_was_used(pair, used, monkeypatch):
    # A pair of beads of decane alone: its g(r) and density are unlike all of the training. That it has no inversion,
    # or none with the freer weight of the network, is made up.
    failure = ConvergenceError("the inversion has no solution at density 9")

    def unsolvable(visible, density, closure, weights):
        raise failure

    monkeypatch.setattr(
        "cginit.guess.network_view.inversions_together", lambda visible, *_: [failure] * len(visible)
    )
    if used == "boltzmann":
        monkeypatch.setattr("cginit.guess.integral_equation.inversions_by_weight", unsolvable)
    path = Path(__file__).parents[2] / f"examples/decane/{pair}.dist.tgt"
    header = read_rdf_header(path)
    potential = guess(read_rdf(path), StatePoint(header.density, header.kT, "nm-kJ/mol"), "network")
    assert potential.provenance.method == used
    text = " | ".join(potential.notes)
    assert "cn-f was:" not in text
    assert text.count("bridge was not used") == text.count("cn-f was not used") == 1
    assert ("HNC was" in text) == (used == "hnc")
    # A reason is given once.
    assert text.count("has no solution at density") == 1
