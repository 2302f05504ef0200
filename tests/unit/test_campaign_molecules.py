"""Random molecules of a campaign: their integers, plan, simulation, records and files; simulated by a fake engine."""

import dataclasses
import json

import numpy as np
import pytest
from gas_of_molecules import Gas
from typer.testing import CliRunner

from cginit import InputError
from cginit.campaign import (
    Batch,
    Campaign,
    MoleculeTask,
    counts,
    join,
    load,
    load_molecules,
    merge,
    random_molecule,
    read_record,
    record_path,
    run_campaign,
    save,
    simulate_molecules,
)
from cginit.campaign.dataset import write_record
from cginit.campaign.molecules import RAREST, molecule_plan
from cginit.cli.app import app

SEEDS = range(300)


def test_an_integer_names_one_molecule_for_ever():
    # Values of the first release; a change of these numbers breaks every data set.
    made = random_molecule(12)
    assert made.topology.types.tolist() == [0, 0, 0, 1, 1, 1, 1, 1]
    assert made.topology.bonds.tolist() == BONDS_12
    assert (made.topology.exclusions, made.solvent, made.soft) == ("molecule", 0.0, False)
    found = [made.bonded.lengths[0], made.bonded.stiffness[1], made.density(0), made.pairs["A-B"].u[100]]
    np.testing.assert_allclose(found, NUMBERS_12, rtol=1e-9)


BONDS_12 = [[i, i + 1] for i in range(7)]
NUMBERS_12 = [0.7660062422333175, 281.7726658480938, 0.8332589271080295, 0.3446982374948103]


@pytest.fixture(scope="module")
def every():
    """The molecules of the first integers."""
    return [random_molecule(seed) for seed in SEEDS]


def test_every_molecule_is_one_that_can_be_simulated(every):
    for made in every:
        single = made.topology
        assert 2 <= single.n <= 10
        assert single.n_molecules == 1
        # A tree has one bond less than beads, a ring as many; no bead has more than three.
        assert len(single.bonds) in (single.n - 1, single.n)
        assert np.bincount(single.bonds.ravel()).max() <= 3
        of_type = np.bincount(single.types)
        assert of_type.min() >= min(1, RAREST * single.n)
        assert len(single.species) == of_type.size + (made.solvent > 0.0)
        potentials = made.potentials
        pairs = sum(one.is_pair for one in potentials)
        assert pairs == len(single.species) * (len(single.species) + 1) // 2
        assert set(potentials) == {*made.pairs, *single.terms}
        for index in range(2):
            assert 0.1 <= made.density(index) <= 1.8


def test_molecules_are_of_every_kind(every):
    shares = {
        "ring": np.mean([len(x.topology.bonds) == x.topology.n for x in every]),
        "branched": np.mean([np.bincount(x.topology.bonds.ravel()).max() == 3 for x in every]),
        "angles": np.mean([len(x.topology.angles) > 0 for x in every]),
        "dihedrals": np.mean([len(x.topology.dihedrals) > 0 for x in every]),
        "solvent": np.mean([x.solvent > 0.0 for x in every]),
        "soft": np.mean([x.soft for x in every]),
        "one type": np.mean([len(x.topology.species) == 1 for x in every]),
        "three types": np.mean([len(x.topology.species) == 3 for x in every]),
    }
    assert all(share > 0.01 for share in shares.values()), shares
    assert all(share < 0.5 for share in shares.values()), shares


def test_the_plan_holds_two_state_points_of_every_tenth_molecule():
    tasks = molecule_plan(range(40))
    assert len(tasks) == 44
    assert {task.seed for task in tasks if task.split == "test"} == {0, 10, 20, 30}
    assert len({task.run_seed for task in tasks}) == 44
    assert Batch("m", 0, 40).tasks == tasks
    with pytest.raises(InputError, match="molecules are the family 'm'"):
        MoleculeTask("a", 1, 0)
    with pytest.raises(InputError, match="state points 0 to 1"):
        MoleculeTask("m", 1, 2)
    with pytest.raises(InputError, match="non-negative"):
        random_molecule(-1)


#: Two types in a solvent: the first such molecule of less than five beads.
TASK = MoleculeTask("m", 37, 0)


@pytest.fixture(scope="module")
def record():
    pytest.importorskip("numba", reason="sampling needs Numba")
    return simulate_molecules(TASK, Gas())


def test_a_record_holds_what_its_liquid_was(record):
    made = TASK.molecule
    assert made.solvent > 0.0
    assert len(made.topology.species) == 3
    assert (record.rejected, record.split, record.seed) == ("", TASK.split, TASK.seed)
    assert record.n == record.molecules * made.topology.n + record.solvent
    assert record.solvent == pytest.approx(made.solvent * record.n, abs=made.topology.n)
    assert record.types[: made.topology.n].tolist() == made.topology.types.tolist()
    assert np.all(record.types[made.topology.n :] == -1)
    np.testing.assert_array_equal(record.u[4], made.pairs["B-C"].u)
    assert np.isfinite(record.positions).all(axis=1).sum() == record.n
    # An ideal gas of molecules has g = 1 between them; 5 standard errors over some hundred bins.
    half = 0.5 * (record.n / record.density) ** (1 / 3)
    for g, error in zip(record.g, record.g_error, strict=True):
        seen = np.isfinite(g) & (record.r > 1.0)
        assert half - 0.1 < record.r[seen][-1] <= half
        assert np.all(np.abs(g[seen] - 1.0) < 5 * np.maximum(error[seen], 2e-2))


def test_the_same_task_gives_the_same_record(record):
    again = simulate_molecules(TASK, Gas())
    for field in dataclasses.fields(record):
        np.testing.assert_array_equal(getattr(record, field.name), getattr(again, field.name))


def test_rejections_say_why():
    pytest.importorskip("numba", reason="sampling needs Numba")
    failed = simulate_molecules(TASK, Gas(error="no licence"))
    assert failed.rejected == "failed: no licence"
    assert (failed.n, failed.steps) == (0, 0)
    assert failed.types[0] == 0
    droplet = simulate_molecules(TASK, Gas(clustered=True))
    assert droplet.rejected.startswith("inhomogeneous")
    assert np.all(np.isnan(droplet.positions))


def test_a_data_set_of_molecules_survives_its_file(tmp_path, record):
    pytest.importorskip("h5py", reason="data sets need h5py")
    other = simulate_molecules(molecule_plan(range(10, 11))[1], Gas(error="no licence"))
    save(merge([other, record]), tmp_path / "data.h5")
    data = load_molecules(tmp_path / "data.h5")
    assert sorted(data.accepted) == [False, True]
    (back,) = data.select(data.accepted).records()
    # Curves are float32 on disk, numbers and names are what they were.
    np.testing.assert_allclose(back.g, record.g, rtol=1e-6)
    np.testing.assert_allclose(back.positions, record.positions, rtol=1e-6)
    np.testing.assert_array_equal(back.bonds, record.bonds)
    assert (back.solvent, back.exclusions, back.density) == (
        record.solvent,
        record.exclusions,
        record.density,
    )
    assert len(join([data, data])) == 2
    assert counts(data)["accepted"] == {"m": 1}
    assert counts(data)["rejected"] == {"failed": 1}
    with pytest.raises(InputError, match="give one of loose beads"):
        load(tmp_path / "data.h5")


def test_beads_and_molecules_keep_apart(tmp_path, record):
    with pytest.raises(InputError, match="not both"):
        Campaign((Batch("a", 0, 10),)).with_batch(Batch("m", 0, 10))
    stranger = dataclasses.replace(record, family="a")
    with pytest.raises(InputError, match="two files"):
        merge([record, stranger])


def test_a_campaign_of_molecules_goes_on_where_it_was(tmp_path):
    pytest.importorskip("numba", reason="sampling needs Numba")
    distributed = pytest.importorskip("distributed", reason="campaigns run on Dask")
    tasks = molecule_plan(range(1, 4))
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=":0"
    ) as cluster:
        run = {"scheduler": cluster.scheduler_address}
        assert set(run_campaign(tasks[:2], Gas(error="no licence"), tmp_path, **run)) == set(tasks[:2])
        assert set(run_campaign(tasks, Gas(error="no licence"), tmp_path, **run)) == {tasks[2]}
    assert read_record(record_path(tmp_path, tasks[0])).rejected == "failed: no licence"


def test_the_commands_plan_and_count_molecules(tmp_path, record):
    pytest.importorskip("h5py", reason="data sets need h5py")

    def run(*arguments):
        return CliRunner().invoke(app, ["dataset", *map(str, arguments)])

    folder, file = tmp_path / "records", tmp_path / "data.h5"
    shown = run("generate", folder, "--family", "m", "--count", "20")
    assert shown.output.startswith("22 state points of 20 molecules, 4 of them for tests only")
    assert "not both" in str(run("generate", folder, "--family", "b").exception)
    write_record(record, folder / f"{TASK.name}.npz")
    shown = run("status", folder, "--json")
    assert json.loads(shown.output)["result"] == {
        "accepted": {"m": 1},
        "test": {"m": int(TASK.split == "test")},
        "rejected": {},
    }
    assert run("merge", folder, "--out", file).exit_code == 0
    assert run("unpack", file, tmp_path / "again").exit_code == 0
    assert read_record(tmp_path / "again" / f"{TASK.name}.npz").n == record.n
    assert "family m  1 accepted, of 1 molecules" in run("status", file).output
    assert "loose beads" in str(run("sheet", file, "--out", tmp_path / "sheet.png").exception)
