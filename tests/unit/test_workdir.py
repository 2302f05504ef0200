"""A work directory: one run at a time, whole iterations only, and sentences about what the system does not do."""

import errno
import logging
import os
import shutil

import numpy as np
import pytest

from cginit.atomic import write_arrays
from cginit.errors import EngineError, InputError, StorageError
from cginit.lock import FolderLock
from cginit.refine import workdir
from cginit.refine.whole_files import MANIFEST
from cginit.refine.workdir import WorkDir, disk_explained

IDENTITY = {"target": "mine"}


def write_target(folder):
    write_arrays(folder / "target.npz", {"g": np.arange(9.0)})


def store(folder, identity=IDENTITY):
    found = WorkDir(folder, "settings.json", 1)
    found.claim(identity, lambda: write_target(folder))
    return found


def simulated(found, index):
    partial = found.prepare(index)
    (partial / "engine").mkdir()
    (partial / "engine" / "trajectory.dump").write_text("long")
    return found.finish(index, lambda to: write_arrays(to / "curves.npz", {"g": np.full(9, index)}))


def kept(folder):
    return sorted(one.name for one in folder.glob("iteration_*"))


def with_three(folder):
    with store(folder) as found:
        for index in range(3):
            simulated(found, index)


def cut(path, size=None):
    with path.open("r+b") as stream:
        stream.truncate(path.stat().st_size // 2 if size is None else size)


def test_a_folder_in_use_is_refused_and_left_alone(tmp_path):
    with store(tmp_path) as first:
        partial = first.prepare(0)
        # That of another process.
        path = tmp_path / ".lock"
        path.write_text(path.read_text().replace(f'"pid": {os.getpid()}', f'"pid": {os.getppid()}'))
        path.write_text(path.read_text().replace('"started": "', '"started": "", "was": "'))
        with pytest.raises(InputError, match="in use"):
            store(tmp_path)
        assert partial.is_dir()


def test_the_lock_ends_with_the_context_the_refusal_and_the_object(tmp_path):
    with store(tmp_path) as first:
        assert (tmp_path / ".lock").exists()
        simulated(first, 0)
    assert not (tmp_path / ".lock").exists()
    with pytest.raises(InputError, match="another refinement"):
        store(tmp_path, {"target": "yours"})
    assert not (tmp_path / ".lock").exists()
    found = store(tmp_path)
    assert (tmp_path / ".lock").exists()
    del found
    assert not (tmp_path / ".lock").exists()


def test_a_run_that_was_taken_over_keeps_nothing_more(tmp_path, monkeypatch):
    with store(tmp_path) as found:
        simulated(found, 0)
        found.prepare(1)

        def taken_over(lock):
            raise InputError("taken over")

        monkeypatch.setattr(FolderLock, "check", taken_over)
        with pytest.raises(InputError, match="taken over"):
            found.finish(1, lambda to: None)
        with pytest.raises(InputError, match="taken over"):
            found.prepare(1)
    assert kept(tmp_path) == ["iteration_000", "iteration_001.partial"]


@pytest.mark.parametrize("size", [0, None])
@pytest.mark.parametrize("name", ["curves.npz", MANIFEST])
def test_an_iteration_cut_short_is_made_again_with_what_follows(tmp_path, caplog, name, size):
    with_three(tmp_path)
    cut(tmp_path / "iteration_001" / name, size)
    with pytest.raises(InputError, match=r"iteration_001.*makes it again"):
        list(WorkDir(tmp_path, "settings.json", 1).complete())
    with caplog.at_level(logging.WARNING), store(tmp_path) as found:
        assert [one.name for one in found.complete()] == ["iteration_000"]
    assert kept(tmp_path) == ["iteration_000"]
    assert "iteration_001" in caplog.text


def test_a_kill_while_iterations_are_removed_leaves_no_gap(tmp_path, monkeypatch):
    with_three(tmp_path)
    cut(tmp_path / "iteration_000" / "curves.npz")
    remove = workdir.remove_folder
    removed = []

    def killed(folder):
        removed.append(folder.name)
        if len(removed) == 2:
            raise KeyboardInterrupt
        remove(folder)

    monkeypatch.setattr(workdir, "remove_folder", killed)
    with pytest.raises(KeyboardInterrupt):
        store(tmp_path)
    assert removed == ["iteration_002.partial", "iteration_001.partial"]
    assert kept(tmp_path) == ["iteration_000", "iteration_001.partial"]
    monkeypatch.undo()
    with store(tmp_path) as found:
        assert not list(found.complete())
    assert not kept(tmp_path)


@pytest.mark.parametrize("size", [0, None])
def test_settings_cut_short_are_written_again_where_the_iterations_are_of_this_refinement(tmp_path, size):
    with_three(tmp_path)
    cut(tmp_path / "settings.json", size)
    with pytest.raises(InputError, match=r"settings\.json is not whole"):
        list(WorkDir(tmp_path, "settings.json", 1).complete())
    with pytest.raises(InputError, match="belongs to another refinement"):
        store(tmp_path, {"target": "yours"})
    with store(tmp_path) as found:
        assert len(list(found.complete())) == 3
    with pytest.raises(InputError, match="holds another refinement"):
        store(tmp_path, {"target": "yours"})


def test_a_folder_in_which_nothing_was_simulated_is_anybodys(tmp_path):
    """Settings whose first simulation cannot run are changed, and the same command is given again."""
    store(tmp_path, {"target": "with a slip"}).close()
    with store(tmp_path) as found:
        assert found.identity() == IDENTITY
        simulated(found, 0)
    with pytest.raises(InputError, match="holds another refinement"):
        store(tmp_path, {"target": "with a slip"})


def test_of_many_settings_in_one_those_that_differ_are_named(tmp_path):
    store(tmp_path, {"schedule": "Schedule(every=50, production=1500, length=None)"}).close()
    with store(tmp_path, {"schedule": "Schedule(every=50, production=1500, length=None)"}) as found:
        simulated(found, 0)
    with pytest.raises(InputError, match=r"\(schedule: production = 1500 there, 3000 here\); use the same"):
        store(tmp_path, {"schedule": "Schedule(every=50, production=3000, length=None)"})


@pytest.mark.parametrize("size", [0, None])
def test_a_target_cut_short_is_written_again(tmp_path, size):
    with_three(tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    cut(tmp_path / "target.npz", size)
    with pytest.raises(InputError, match=r"target\.npz is not what was written there"):
        list(WorkDir(tmp_path, "settings.json", 1).complete())
    with store(tmp_path) as found, np.load(tmp_path / "target.npz") as target:
        assert target["g"].size == 9
        assert len(list(found.complete())) == 3
    # What a user has put there is nobody else's business.
    (tmp_path / "notes.txt").write_text("changed")
    store(tmp_path).close()
    assert (tmp_path / "notes.txt").read_text() == "changed"


def test_a_folder_without_manifests_is_that_of_an_earlier_version(tmp_path):
    with_three(tmp_path)
    for path in tmp_path.glob(f"iteration_*/{MANIFEST}"):
        path.unlink()
    with store(tmp_path) as found:
        assert len(list(found.complete())) == 3


def test_what_was_being_written_is_removed(tmp_path):
    with_three(tmp_path)
    (tmp_path / ".settings.json.123-abc.tmp").write_text("half")
    (tmp_path / "iteration_003.partial").mkdir()
    store(tmp_path).close()
    assert kept(tmp_path) == ["iteration_000", "iteration_001", "iteration_002"]
    assert not list(tmp_path.glob(".*"))


def test_a_file_in_the_way_and_a_folder_that_is_none(tmp_path):
    (tmp_path / "file").write_text("mine")
    for folder in (tmp_path / "file", tmp_path / "file" / "sub"):
        with pytest.raises(InputError, match=r"cannot use .*(in the way|not a folder)"):
            store(folder)
    assert (tmp_path / "file").read_text() == "mine"
    with pytest.raises(InputError, match="too long"):
        store(tmp_path / ("x" * 300))


@pytest.mark.parametrize(
    ("number", "kind", "words"),
    [
        (errno.EROFS, InputError, "read-only"),
        (errno.EACCES, InputError, "permission denied"),
        (errno.ENOSPC, StorageError, "disk is full"),
        (errno.EDQUOT, StorageError, "quota is used up"),
    ],
)
@pytest.mark.parametrize("call", ["mkdir", "link", "fsync", "replace"])
def test_what_the_system_refuses_at_the_first_write(tmp_path, monkeypatch, number, kind, words, call):
    def refused(*arguments, **more):
        raise OSError(number, os.strerror(number))

    folder = tmp_path / "work"
    monkeypatch.setattr(os, call, refused)
    if call == "link" and number == errno.EACCES:
        # The message of a folder that may be entered and not written to.
        monkeypatch.setattr(os, "access", lambda path, mode: False)
        words = "not writable"
    with pytest.raises(kind, match=words):
        store(folder)
    monkeypatch.undo()
    assert not folder.exists() or not [one for one in folder.iterdir() if one.name != "target.npz"]
    with store(folder) as found:
        assert not list(found.complete())


def test_an_interrupt_tells_what_is_kept_once(tmp_path):
    found = store(tmp_path)
    for index in range(2):
        simulated(found, index)
    with pytest.raises(KeyboardInterrupt) as caught, found, disk_explained(tmp_path, 2):
        raise KeyboardInterrupt
    assert caught.value.__notes__ == [f"2 simulations kept in {tmp_path}; the same command goes on"]
    assert not (tmp_path / ".lock").exists()


def test_any_failure_of_a_disk_in_the_middle_says_what_is_kept(tmp_path):
    for number, words in (
        (errno.ENOSPC, r"the disk of .* is full.*3 finished simulations are kept"),
        (errno.EDQUOT, r"the quota of .* is full.*3 finished simulations are kept"),
        (errno.EROFS, r"read-only.*3 finished simulations are kept"),
        (errno.EIO, r"device failed.*3 finished simulations are kept"),
    ):
        with pytest.raises(EngineError, match=words), disk_explained(tmp_path, 3):
            raise OSError(number, os.strerror(number), "file")


def test_a_folder_that_vanished_is_written_to_no_more(tmp_path):
    with store(tmp_path / "work") as found:
        shutil.rmtree(tmp_path / "work")
        with pytest.raises(EngineError, match="no such file or folder"), disk_explained(found.folder, 0):
            found.prepare(0)
