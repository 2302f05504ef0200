"""Folders of refinements: those of the format before are read and gone on with, of every kind."""

import json
import shutil
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from cginit import RDF, InputError, PairPotential, StatePoint
from cginit.cli.app import app
from cginit.configuration import random_configuration
from cginit.engines.base import Schedule
from cginit.refine import Loop, Settings
from cginit.refine.store import FORMAT_VERSION, Store
from cginit.target import Target

# Made by the version that wrote format 2: two short simulations by LAMMPS of soft beads, without its files.
OLD = Path(__file__).parents[1] / "data" / "format-2"
PAIRS = (("A", "A"), ("A", "B"), ("B", "B"))
R = np.arange(21) * 0.1
SOFT = PairPotential.shifted(R, 2.0 * np.exp(-2 * R**2), units="lj")
LONG = np.arange(25) * 0.1
G = RDF(LONG, np.exp(-1.2 * np.exp(-2 * LONG**2)), np.full(25, 1e-3), units="lj")
SCHEDULE = Schedule(equilibration=200, production=1000, every=25)


def pure(density, weight=1.0):
    return Target.of(G, StatePoint(density, 1.0, "lj"), weight=weight)


def problem(kind):
    """Targets, pairs, update and starts of a folder."""
    mixture = Target(dict.fromkeys(PAIRS, G), {"A": 0.2, "B": 0.2}, 1.0)
    alone = random_configuration(120, 0.4, seed=1, units="lj", separation=0.1)
    both = random_configuration({"A": 60, "B": 60}, 0.4, seed=1, units="lj", separation=0.1)
    return {
        "one": ([pure(0.4)], PAIRS[:1], "auto", [alone]),
        "mixture": ([mixture], PAIRS, "auto", [both]),
        "states": ([pure(0.3), pure(0.4)], PAIRS[:1], "ibi", None),
        "states-of-mixtures": ([mixture, pure(0.4, 2.0)], PAIRS, "ibi", None),
    }[kind]


def go_on(folder, kind, seed=1):
    """Return all rounds after one more simulation of each state."""
    targets, pairs, update, starts = problem(kind)
    settings = Settings(schedule=SCHEDULE, seed=seed, reweighting=False)
    loop = Loop(
        targets,
        dict.fromkeys(pairs, SOFT),
        engine="lammps",
        update=update,
        workdir=folder,
        settings=settings,
        starts=starts,
    )
    with closing(loop):
        loop.step()
        return loop.rounds


@pytest.fixture
def folder(tmp_path, request):
    return Path(shutil.copytree(OLD / request.param, tmp_path / "work"))


KINDS = ("one", "mixture", "states", "states-of-mixtures")


@pytest.mark.parametrize(("folder", "kind"), [(kind, kind) for kind in KINDS], indirect=["folder"])
def test_a_folder_of_format_2_is_read(folder, kind):
    store = Store(folder)
    rounds, targets = store.rounds(), store.targets()
    assert len(rounds) == 2
    assert [len(one.pairs) for one in targets] == [len(one.pairs) for one in problem(kind)[0]]
    for one, wanted in zip(targets, problem(kind)[0], strict=True):
        assert (one.kT, one.densities) == (wanted.kT, wanted.densities)
    for record in rounds[0]:
        for name, potential in record.potentials.items():
            np.testing.assert_array_equal(potential.u, SOFT.u)
            # What was counted is what g was made from.
            np.testing.assert_array_equal(record.counts[name].rdf().g, record.rdfs[name].g)


# What is read is drawn as of any format; of the two ways in which folders were laid out one each.
@pytest.mark.parametrize("folder", ["one", "states"], indirect=True)
def test_a_folder_of_format_2_is_drawn(folder):
    before = sorted(path.relative_to(folder) for path in folder.rglob("*"))
    done = CliRunner().invoke(app, ["report", str(folder)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    added = {path.relative_to(folder) for path in folder.rglob("*")} - set(before)
    assert added == {Path("report.png"), Path("report.html")}


@pytest.mark.lammps
@pytest.mark.parametrize(("folder", "kind"), [(kind, kind) for kind in KINDS], indirect=["folder"])
def test_a_folder_of_format_2_is_gone_on_with(folder, kind):
    old = Store(folder).rounds()
    found = go_on(folder, kind)
    assert len(found) == 3
    for before, after in zip(old, found, strict=False):
        for x, y in zip(before, after, strict=True):
            assert x.distance == y.distance
            assert x.final.positions.tobytes() == y.final.positions.tobytes()
    place = folder if len(found[0]) == 1 else folder / "state_1"
    settings = json.loads((place / "refinement.json").read_text())
    assert settings["format_version"] == FORMAT_VERSION
    # From here on it is one of this format.
    again = go_on(folder, kind)
    assert [done[0].distance for done in again[:3]] == [done[0].distance for done in found]


@pytest.mark.parametrize("folder", ["mixture"], indirect=True)
def test_another_refinement_of_format_2_is_refused(folder):
    with pytest.raises(InputError, match=r"another refinement \(seed: 1 there, 2 here\)"):
        go_on(folder, "mixture", seed=2)
