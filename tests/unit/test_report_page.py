"""The page of a refinement: its numbers, its words, and that no name of a file becomes part of it."""

import base64
import dataclasses
import gzip
import hashlib
import html
import json
import re
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import cginit
from cginit import RDF, MissingDependencyError, PairPotential, StatePoint
from cginit.bonded import BondedPotential
from cginit.configuration import random_configuration
from cginit.interactions import Interaction
from cginit.liquid.structure_factor import structure_factor
from cginit.refine import Distance
from cginit.refine.record import Record
from cginit.refine.store import End, Store
from cginit.report import page
from cginit.report.citations import citations
from cginit.report.comparison import Comparison, energy_curve
from cginit.report.downloads import tables
from cginit.report.inside import inside_molecules
from cginit.report.page_data import page_data
from cginit.report.structure import structure_factors
from cginit.target import Target
from made_refinements import PAIRS, R, commit, curve, mixture, record, trimers

EVIL = "</script><script>alert(1)"


def of_page(text, name):
    """The content of a script element that holds data."""
    (found,) = re.findall(rf'<script type="application/json" id="{name}">(.*?)</script>', text, re.DOTALL)
    return json.loads(found)


def as_json(data):
    return json.loads(json.dumps(data, allow_nan=False))


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """A mixture of three rounds, opened, and the data of its page."""
    folder = tmp_path_factory.mktemp("mixture")
    mixture(folder).close()
    opened = cginit.open(folder)
    return opened, page_data(opened)


@pytest.fixture(scope="module")
def molecular(tmp_path_factory):
    """The data of the page of trimers."""
    folder = tmp_path_factory.mktemp("trimers")
    trimers(folder).close()
    return page_data(cginit.open(folder))


def test_the_data_hold_every_curve_of_every_iteration(mixed):
    opened, data = mixed
    assert [one["label"] for one in data["frames"]] == ["iteration 0", "iteration 1", "iteration 2"]
    names = ["A-A", "A-B", "B-B"]
    assert [one["interaction"] for one in data["distributions"]] == names
    assert [one["interaction"] for one in data["potentials"]] == names
    assert [one["name"] for one in data["structures"]] == names
    assert [one["name"] for one in data["errors"]] == names
    for index, done in enumerate(opened.rounds):
        shown = data["distributions"][1]["frames"][index]
        wanted = Comparison.of(Interaction.of("A-B"), done[0], opened.targets[0])
        np.testing.assert_allclose(shown["y"], done[0].rdfs["A-B"].g, rtol=1e-4)
        np.testing.assert_allclose(shown["difference"], wanted.difference, rtol=1e-4, atol=1e-12)
        np.testing.assert_allclose(shown["noise"], wanted.noise, rtol=1e-4)
        assert shown["chi2"] == pytest.approx(done[0].distances["A-B"].chi2, rel=1e-4)
        energies = data["potentials"][1]["frames"][index]
        np.testing.assert_allclose(energies["u"], done[0].pairs["A-B"].u / 2.0, rtol=1e-4)
        # How well each was known from its own g(r) and those before it.
        error = opened.certainty_at(index).potentials["A-B"].u_error
        np.testing.assert_allclose(energies["error"], error / 2.0, rtol=1e-4, atol=1e-12)
        assert not np.allclose(error, 0.1)
    assert data["states"] == [{"pressure": 1.2, "unit": "epsilon/sigma^3", "bar": None}]
    assert data["frames"][0]["pressure"] == [[1.0, 0.1]]
    assert data["certainty"] == opened.certainty.sentences()
    assert data["certainty"][0].startswith("A-A U +- ")


def test_molecules_have_their_bonds_and_angles_in_degrees(molecular):
    data = molecular
    names = ["A-A", "A-B", "B-B", "bond A-B", "angle A-B-A"]
    assert [one["interaction"] for one in data["distributions"]] == names
    assert [one["interaction"] for one in data["potentials"]] == names
    kinds = [one["kind"] for one in data["distributions"]]
    assert kinds == ["Radial distribution function, between molecules"] * 3 + ["Distribution"] * 2
    bond, angle = data["distributions"][3:]
    # Where a bond of 1 +- 0.05 is to be seen, of a grid from 0.7 to 1.3.
    low, high = bond["range"]
    assert 0.7 < low < 0.85
    assert 1.15 < high < 1.3
    assert bond["x_label"] == "length / sigma"
    assert angle["x"][int(np.argmax(angle["target"]))] == pytest.approx(np.degrees(2.0), abs=2.0)
    assert max(angle["target"]) == pytest.approx(np.radians(4.0), rel=0.02)
    assert [one["name"] for one in data["structures"]] == [f"{name}, between molecules" for name in names[:3]]
    files = [one["name"] for one in data["tables"]]
    assert files == [
        "A-A.pot",
        "A-B.pot",
        "B-B.pot",
        "bond_A-B.pot",
        "angle_A-B-A.pot",
        "pairs.table",
        "bonded.table",
    ]


def test_a_distribution_compares_with_its_target_on_the_grid_of_both(tmp_path):
    # Sampled further than the target, and from its core on.
    longer = 0.05 * np.arange(16, 80)
    sampled = RDF(longer, np.ones(longer.size), np.full(longer.size, 0.01), units="lj")
    one = Comparison.of_pair(sampled, curve(0.0, 0.01))
    np.testing.assert_allclose(one.x, R)
    np.testing.assert_allclose(one.difference, 0.0, atol=1e-12)
    assert one.band[-1] == pytest.approx(2.0 * np.sqrt(2.0) * 0.01, rel=0.05)


@pytest.mark.parametrize(("depth", "shown"), [(3.0, (-3.6, 6.0)), (0.3, (-0.5, 2.5)), (0.0, (-0.5, 6.0))])
def test_energies_are_shown_down_to_the_well_and_not_up_to_the_core(depth, shown):
    u = np.where(R < 1.0, 80.0 * (1.0 - R), -depth * np.exp(-(((R - 1.3) / 0.2) ** 2)))
    found = energy_curve(PairPotential.shifted(R, u, units="lj", r_core=0.9), 1.0)
    assert (found.lowest, found.highest) == pytest.approx(shown)


def test_bonds_have_no_band_where_their_energy_is_not_shown():
    """A bin that was seen once or never has an error of many kT, whose band would be drawn without its curve."""
    x = np.linspace(0.5, 1.5, 101)
    u = 400.0 * (x - 1.0) ** 2
    error = np.where(u > 10.0, 12.0, 0.1)
    found = energy_curve(BondedPotential.shifted(x, u, coordinate="bond", units="lj", u_error=error), 1.0)
    assert found.highest == 10.0
    np.testing.assert_allclose(found.error, np.where(u > 10.0, 0.0, 0.1))


def test_the_sentence_is_that_of_the_end_or_says_how_far_it_is(tmp_path):
    store = mixture(tmp_path, rounds=2)
    found = page_data(cginit.open(tmp_path))
    # The store still holds the lock of the folder.
    assert (found["status"], found["simulating"]) == ("running", 2)
    assert found["sentence"].startswith("2 simulations so far; nearest to the target is iteration 1")
    store.close()
    assert page_data(cginit.open(tmp_path))["status"] == "unfinished"
    store.end(End("CAP", False, "stopped at the cap of 2 simulations", 0))
    found = page_data(cginit.open(tmp_path))
    assert (found["status"], found["sentence"]) == ("stopped", "stopped at the cap of 2 simulations")
    # The result is that of the run, and its tables are those that are offered.
    assert found["best"] == 0
    table = gzip.decompress(base64.b64decode(found["tables"][0]["packed"])).decode()
    rows = np.array(
        [line.split()[:2] for line in table.splitlines() if not line.startswith("#")], dtype=float
    )
    np.testing.assert_allclose(rows[:, 1].min(), cginit.open(tmp_path).rounds[0][0].pairs["A-A"].u.min())
    store.end(End("AT_NOISE", True, "converged: it is noise", 1))
    assert page_data(cginit.open(tmp_path))["status"] == "converged"


def test_a_refinement_without_a_simulation_has_a_page_that_says_so(tmp_path):
    mixture(tmp_path, rounds=0).close()
    data = page_data(cginit.open(tmp_path))
    assert (data["sentence"], data["frames"]) == ("No simulation is finished yet.", [])
    assert of_page(page.page_html(data), "data") == as_json(data)


def test_settings_and_versions_are_told(mixed):
    _, data = mixed
    assert dict(data["settings"]["state"])["density of A"] == "0.2 sigma^-3"
    assert dict(data["settings"]["state"])["pressure wanted"] == "1.2 epsilon/sigma^3"
    assert dict(data["settings"]["run"])["engine"] == "Made()"
    assert dict(data["versions"])["engine"] == "lammps 1 Jan 2025"
    assert dict(data["versions"])["updates"] == "ibi"


def test_what_is_used_is_cited_once(mixed):
    found = citations(done[0] for done in mixed[0].rounds)
    assert [one.what for one in found] == ["cginit", "LAMMPS", "the update"]
    assert "Reith" in found[-1].text
    assert all(one.link.startswith("https://") for one in found[1:])


def test_the_structure_factor_is_that_of_theory_and_of_both_alike(tmp_path):
    # A gas of soft particles to first order in density: S = 1 + rho h(k), h = -exp(-r^2).
    r = 0.02 * np.arange(401)
    k = np.array([2.0, 3.0, 5.0])
    density, error = 0.1, 1e-3
    g = RDF(r, 1.0 - np.exp(-(r**2)), np.full(r.size, error), units="lj", beads=2000)
    target = Target.of(g, StatePoint(density, 1.0, "lj"))
    final = random_configuration({"A": 2000}, density, seed=1, units="lj")
    one = record(PAIRS[:1], 0, 1.0, 0.0, Distance(1.0, 1.0, 1.0, 1.0), final)
    found = structure_factors(dataclasses.replace(one, rdfs=type(one.rdfs)({PAIRS[0]: g})), target)
    np.testing.assert_array_equal(found.got["A-A"], found.wanted["A-A"])
    exact = 1.0 - density * np.pi**1.5 * np.exp(-(k**2) / 4)
    # Lorch's window broadens by 2 pi / 8; the error is largest where S(k) bends most.
    np.testing.assert_allclose(np.interp(k, found.k, found.got["A-A"]), exact, atol=0.02)
    plain = structure_factor(r, g.g, k, (density, density), like=True)
    np.testing.assert_allclose(plain, exact, atol=0.02)


def test_a_pair_that_is_missing_leaves_no_structure_factor(tmp_path):
    store = mixture(tmp_path)
    target, one = store.targets()[0], store.rounds()[0][0]
    lacking = {name: g for name, g in one.rdfs.items() if str(name) != "B-B"}
    assert structure_factors(dataclasses.replace(one, rdfs=type(one.rdfs)(lacking)), target) is None
    assert isinstance(one, Record)


def test_names_of_files_do_not_become_part_of_the_page(tmp_path):
    folder = tmp_path / "<img src=x onerror=alert(2)>"
    store = trimers(folder, label=EVIL, notes=[f"{EVIL}</title>{{{{SCRIPT}}}}"])
    store.end(End("CAP", False, f"stopped {EVIL}", 0))
    data = page_data(cginit.open(folder))
    text = page.page_html(data)
    assert of_page(text, "data") == as_json(data)
    assert EVIL in data["errors"][3]["name"]
    assert EVIL in data["frames"][0]["notes"][0]
    # One element that runs, which the policy names by its hash, and none that a name has begun.
    assert text.count("<script") == text.count("</script>") == 4
    assert "alert(1)" not in re.sub(r'<script type="application/json".*?</script>', "", text, flags=re.DOTALL)
    assert "<img" not in text
    assert f"<title>{html.escape(data['title'])}: refinement</title>" in text


def test_a_name_cannot_leave_the_folder_of_the_tables(tmp_path):
    trimers(tmp_path / "w", label="../../../escaped")
    found = tables(cginit.open(tmp_path / "w").potentials, 1.0)
    assert "bond_A-B__escaped.pot" in [one.name for one in found]
    assert all(re.fullmatch(r"[A-Za-z0-9_+-]+\.(pot|table)", one.name) for one in found)


def test_the_policy_allows_the_script_of_the_page_and_no_other(mixed):
    _, data = mixed
    text = page.page_html(data)
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = html.unescape(re.search(r'Content-Security-Policy" content="(.*?)"', text)[1])
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == f"'sha256-{digest}' blob:"
    assert rules["connect-src"] == "'none'"
    assert "connect-src 'self'" in html.unescape(page.page_html(data, {"address": "data.json", "seconds": 1}))


def test_equal_refinements_have_equal_pages(tmp_path):
    for name in ("one/w", "two/w"):
        mixture(tmp_path / name, rounds=1).close()
    first, second = (page.page_html(page_data(cginit.open(tmp_path / name))) for name in ("one/w", "two/w"))
    assert first.replace("one/w", "two/w").replace(version(first), "") == second.replace(version(second), "")


def version(text):
    """What tells one state of a folder from another; the name of the folder is part of it."""
    return of_page(text, "data")["version"]


def test_several_states_stand_side_by_side(tmp_path):
    states = [Target.of(curve(1.0, 0.01), StatePoint(rho, 1.0, "lj")) for rho in (0.3, 0.4)]
    store = Store(tmp_path)
    store.open([{"state": "0", "seed": "1"}, {"state": "1", "seed": "2"}], states)
    finals = [random_configuration({"A": 10}, rho, seed=1, units="lj") for rho in (0.3, 0.4)]
    near = Distance(1.0, 1e-4, 0.1, 0.1)
    commit(store, *(record(PAIRS[:1], 0, 1.0, 0.9, near, final) for final in finals))
    data = page_data(cginit.open(tmp_path))
    assert [one["name"] for one in data["distributions"]] == ["state 0", "state 1"]
    assert [one["name"] for one in data["errors"]] == ["A-A, state 0", "A-A, state 1"]
    assert len(data["potentials"]) == 1
    assert [len(one["pressure"]) for one in data["frames"]] == [2]
    assert dict(data["settings"]["run"]) == {"seed": "1", "seed, state 1": "2"}


def test_the_library_stands_in_the_page_as_it_is():
    installed = Path(find_spec("plotly").origin).parent / "package_data" / "plotly.min.js"
    (packed,) = re.findall(r'id="library">(.*?)</script>', page.page_html({"title": ""}))
    assert gzip.decompress(base64.b64decode(packed)) == installed.read_bytes()


def test_without_plotly_it_says_what_to_install(monkeypatch):
    page._library.cache_clear()
    monkeypatch.setattr(page, "find_spec", lambda name: None)
    assert not page.can_make_pages()
    with pytest.raises(MissingDependencyError, match=r"cginit\[report\]"):
        page.page_html({"title": ""})
    page._library.cache_clear()


def bent(frames, molecules=10):
    """Places of trimers A-B-A with bonds of 1 and ends 1.5 apart, in a box of 100 beads a cubed length each."""
    rng = np.random.default_rng(3)
    half = np.sqrt(1.0 - 0.75**2)
    one = np.array([[-0.75, 0.0, 0.0], [0.0, half, 0.0], [0.75, 0.0, 0.0]])
    centres = rng.uniform(0.0, 4.0, (frames, molecules, 1, 3))
    return (centres + one).reshape(frames, -1, 3).astype(np.float32)


def test_pairs_inside_molecules_are_shown(tmp_path):
    trimers(tmp_path, shapes=bent(6))
    opened = cginit.open(tmp_path)
    found = inside_molecules(opened.rounds[0][0], opened.targets[0])
    # Each end has one other end and one middle, each middle two ends; densities are 0.2 and 0.1.
    step = R[1] - R[0]
    volume = np.diff(np.append(0.0, found.r + 0.5 * step) ** 3) * 4.0 / 3.0 * np.pi
    assert 0.2 * volume @ found.g["A-A"] == pytest.approx(1.0)
    assert 0.1 * volume @ found.g["A-B"] == pytest.approx(1.0)
    assert found.r[np.argmax(found.g["A-A"])] == pytest.approx(1.5, abs=0.5 * step)
    assert found.r[np.argmax(found.g["A-B"])] == pytest.approx(1.0, abs=0.5 * step)
    # All frames have the same molecules, up to rounding.
    assert found.error["A-A"].max() < 1e-12
    data = page_data(opened)
    assert [one["name"] for one in data["inside"]] == ["A-A", "A-B"]
    np.testing.assert_allclose(data["inside"][0]["frames"][0]["y"], found.g["A-A"], rtol=1e-4)


def test_what_kept_no_molecules_shows_none_inside(molecular):
    assert molecular["inside"] == []


def test_what_the_target_has_inside_molecules_is_drawn_where_it_is_known(tmp_path):
    # Two of a grid of its own, empty beyond the molecules.
    r = 0.1 * np.arange(60)
    own = cginit.RDF(r, np.where(np.abs(r - 1.5) < 0.15, 7.0, 0.0), units="lj")
    trimers(tmp_path, shapes=bent(6), inside={"A-A": own})
    first, second = page_data(cginit.open(tmp_path))["inside"]
    assert second["target"] is None
    np.testing.assert_allclose(first["target"]["x"], r[:18])
    np.testing.assert_allclose(first["target"]["y"], own.g[:18])


def test_what_is_inside_molecules_belongs_to_beads_of_molecules():
    inside = {"A-C": curve(1.0, 0.01)}
    with pytest.raises(cginit.InputError, match="A-C inside molecules, but there is no topology"):
        cginit.Target({"A-A": curve(1.0, 0.01)}, {"A": 0.3}, 1.0, inside=inside)
