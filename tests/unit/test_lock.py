"""One run at a time in a folder, whatever happens to the others."""

import dataclasses
import errno
import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from cginit import lock
from cginit.errors import InputError
from cginit.lock import LOCK_NAME, SILENCE, FolderLock, Holder
from cginit.process_identity import start_of_process

HOLDER = """\
import sys, time
from pathlib import Path
from cginit.lock import FolderLock
held = FolderLock.acquire(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(600)
"""
#: Processes that all want the folder at the same time; each says whether it has it, and keeps it.
RIVAL = """\
import sys, time
from pathlib import Path
from cginit.errors import InputError
from cginit.lock import FolderLock
print("ready", flush=True)
sys.stdin.readline()
try:
    held = FolderLock.acquire(Path(sys.argv[1]))
    print("held", flush=True)
except InputError as error:
    print("refused", flush=True)
sys.stdin.readline()
"""


def started(code, folder):
    return subprocess.Popen(
        [sys.executable, "-c", code, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def leave(folder, **changes):
    """Leave the lock of another holder in a folder."""
    holder = dataclasses.replace(Holder.here(), **{"pid": os.getppid(), "started": ""} | changes)
    (folder / LOCK_NAME).write_text(json.dumps(dataclasses.asdict(holder)))
    return holder


def silent(folder, seconds):
    """Make the last sign of life so long ago."""
    then = time.time() - seconds
    os.utime(folder / LOCK_NAME, (then, then))


def test_a_second_process_is_refused_and_a_killed_one_is_not_missed(tmp_path):
    process = started(HOLDER, tmp_path)
    try:
        assert process.stdout.readline() == "held\n"
        with pytest.raises(
            InputError, match=rf"in use by process {process.pid} on .*since \d{{4}}-.*--workdir"
        ):
            FolderLock.acquire(tmp_path)
        # The refused leaves nothing, and the first keeps what it has.
        assert [one.name for one in tmp_path.iterdir()] == [LOCK_NAME]
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert (tmp_path / LOCK_NAME).exists()
        held = FolderLock.acquire(tmp_path)
        assert json.loads((tmp_path / LOCK_NAME).read_text())["pid"] == os.getpid()
        held.release()
        assert not list(tmp_path.iterdir())
    finally:
        process.kill()
        process.communicate()


@pytest.mark.skipif(os.name != "posix", reason="zombies are those of POSIX")
def test_what_a_process_left_that_was_killed_while_it_took_the_lock_is_removed(tmp_path):
    living, dead = tmp_path / f"{LOCK_NAME}.living", tmp_path / f"{LOCK_NAME}.dead"
    for path, started_then in ((living, ""), (dead, "1")):
        holder = leave(tmp_path, started=started_then)
        (tmp_path / LOCK_NAME).rename(path)
        assert holder.pid != os.getpid()
    FolderLock.acquire(tmp_path)
    # Another process has the dead one's number by now; the living one may be about to put its claim in place.
    assert living.exists()
    assert not dead.exists()


def test_a_process_that_waits_to_be_buried_holds_nothing(tmp_path):
    process = started(HOLDER, tmp_path)
    assert process.stdout.readline() == "held\n"
    os.kill(process.pid, signal.SIGKILL)
    until = time.monotonic() + 60.0
    while start_of_process(process.pid) is not None and time.monotonic() < until:
        time.sleep(0.01)
    # It has not been waited for.
    FolderLock.acquire(tmp_path).release()
    process.communicate()


def test_of_many_that_find_a_dead_lock_one_takes_it(tmp_path):
    leave(tmp_path, pid=2**22 + 1)
    rivals = [started(RIVAL, tmp_path) for _ in range(4)]
    try:
        assert all(one.stdout.readline() == "ready\n" for one in rivals)
        for one in rivals:
            one.stdin.write("go\n")
            one.stdin.flush()
        said = [one.stdout.readline() for one in rivals]
        assert sorted(said) == ["held\n"] + ["refused\n"] * 3
        winner = rivals[said.index("held\n")]
        assert json.loads((tmp_path / LOCK_NAME).read_text())["pid"] == winner.pid
    finally:
        for one in rivals:
            one.kill()
            one.communicate()


def test_a_number_that_another_process_has_by_now(tmp_path):
    # The parent runs; but the holder of the lock was another one of this number.
    leave(tmp_path, started="1")
    FolderLock.acquire(tmp_path).release()
    leave(tmp_path, started=start_of_process(os.getppid()))
    with pytest.raises(InputError, match="in use"):
        FolderLock.acquire(tmp_path)


def test_another_machine_is_believed_while_it_gives_signs_of_life(tmp_path):
    # A number that no process has here says nothing of another machine.
    leave(tmp_path, host="node7", place="another boot", pid=2**22 + 1)
    with pytest.raises(InputError, match="node7"):
        FolderLock.acquire(tmp_path)
    silent(tmp_path, SILENCE / 2)
    with pytest.raises(InputError, match="node7"):
        FolderLock.acquire(tmp_path)
    silent(tmp_path, SILENCE + 10)
    FolderLock.acquire(tmp_path).release()


def test_the_holder_gives_signs_of_life(tmp_path, monkeypatch):
    monkeypatch.setattr(lock, "BEAT", 0.02)
    held = FolderLock.acquire(tmp_path)
    silent(tmp_path, 1000)
    until = time.monotonic() + 60.0
    while (tmp_path / LOCK_NAME).stat().st_mtime < time.time() - 500 and time.monotonic() < until:
        time.sleep(0.01)
    assert (tmp_path / LOCK_NAME).stat().st_mtime > time.time() - 500
    held.release()


def test_clocks_of_machines_may_differ(tmp_path, monkeypatch):
    # The age of the lock is by the clock of the file system, not that of this machine.
    leave(tmp_path, host="node7", place="another boot")
    monkeypatch.setattr(time, "time", lambda: 1e10)
    with pytest.raises(InputError, match="node7"):
        FolderLock.acquire(tmp_path)


def test_a_suspended_holder_finds_out(tmp_path):
    held = FolderLock.acquire(tmp_path)
    held.check()
    leave(tmp_path, host="node7")
    with pytest.raises(InputError, match=r"taken over by process \d+ on node7.*is kept"):
        held.check()
    # And leaves the lock of the other alone.
    held.release()
    assert (tmp_path / LOCK_NAME).exists()


def test_a_lock_that_was_tidied_up_is_taken_again(tmp_path):
    held = FolderLock.acquire(tmp_path)
    (tmp_path / LOCK_NAME).unlink()
    held.check()
    assert json.loads((tmp_path / LOCK_NAME).read_text())["pid"] == os.getpid()
    held.release()
    assert not (tmp_path / LOCK_NAME).exists()


def test_a_process_may_take_its_own_lock_again_but_not_two_threads_at_once(tmp_path):
    first = FolderLock.acquire(tmp_path)
    second = FolderLock.acquire(tmp_path)
    first.check()
    first.release()
    second.check()
    assert (tmp_path / LOCK_NAME).exists()
    failures = []

    def other():
        try:
            FolderLock.acquire(tmp_path)
        except InputError as error:
            failures.append(str(error))

    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
    assert "in use" in failures[0]
    second.release()
    assert not (tmp_path / LOCK_NAME).exists()


def test_a_lock_that_nothing_refers_to_is_released(tmp_path):
    held = FolderLock.acquire(tmp_path)
    assert (tmp_path / LOCK_NAME).exists()
    del held
    assert not (tmp_path / LOCK_NAME).exists()


def test_a_process_that_ends_releases_its_lock(tmp_path):
    code = HOLDER.replace("time.sleep(600)", "raise SystemExit(3)")
    process = started(code, tmp_path)
    process.communicate()
    assert process.returncode == 3
    assert not (tmp_path / LOCK_NAME).exists()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="only POSIX forks")
def test_a_child_that_ends_does_not_release_the_lock_of_its_parent(tmp_path):
    code = HOLDER.replace("time.sleep(600)", "import os, sys\nif os.fork() == 0: sys.exit()\nos.wait()\n" + (
        'print((Path(sys.argv[1]) / ".lock").exists())'))  # fmt: skip
    process = started(code, tmp_path)
    assert process.communicate()[0].split() == ["held", "True"]


@pytest.mark.parametrize("number", [errno.EPERM, errno.ENOTSUP])
def test_a_file_system_without_links(tmp_path, monkeypatch, number):
    def link(source, target):
        raise OSError(number, "no links here")

    monkeypatch.setattr(os, "link", link)
    held = FolderLock.acquire(tmp_path)
    leave(tmp_path)
    with pytest.raises(InputError, match="in use"):
        FolderLock.acquire(tmp_path)
    held.release()


def test_a_file_system_on_which_creating_is_not_exclusive(tmp_path, monkeypatch):
    """Two have created the lock: the one whose name stands in it has it."""

    def link(source, target):
        raise OSError(errno.EPERM, "no links here")

    write = lock._write_new

    def overtaken(path, holder):
        write(path, holder)
        if path.name == LOCK_NAME:
            leave(tmp_path)

    monkeypatch.setattr(os, "link", link)
    monkeypatch.setattr(lock, "_write_new", overtaken)
    with pytest.raises(InputError, match="in use"):
        FolderLock.acquire(tmp_path)


def test_a_link_whose_answer_was_lost_counts(tmp_path, monkeypatch):
    link = os.link

    def lost(source, target):
        # NFS asks again where an answer was lost, and finds that the link exists.
        link(source, target)
        raise FileExistsError(errno.EEXIST, "File exists")

    monkeypatch.setattr(os, "link", lost)
    held = FolderLock.acquire(tmp_path)
    held.check()
    held.release()


@pytest.mark.parametrize("content", [b"", b"{", b'{"pid": 1}', b"\xff\x00", b"[" * 100_000])
def test_what_a_crash_left_of_a_lock_is_waited_for_and_then_taken_over(tmp_path, content, monkeypatch):
    monkeypatch.setattr(lock, "PAUSE", 0.001)
    (tmp_path / LOCK_NAME).write_bytes(content)
    # It may be about to be written.
    with pytest.raises(InputError, match="changes hands"):
        FolderLock.acquire(tmp_path)
    silent(tmp_path, SILENCE + 10)
    FolderLock.acquire(tmp_path).release()
    assert not list(tmp_path.iterdir())


def test_a_fresh_lock_that_comes_between_is_put_back(tmp_path):
    stale = leave(tmp_path, host="node1")
    fresh = leave(tmp_path, host="node2", token="fresh")
    lock._move_away(tmp_path / LOCK_NAME, stale.token)
    assert json.loads((tmp_path / LOCK_NAME).read_text())["token"] == fresh.token
    lock._move_away(tmp_path / LOCK_NAME, fresh.token)
    assert not list(tmp_path.iterdir())


def test_who_works_in_a_folder_is_known_without_the_lock(tmp_path):
    assert lock.holder_of(tmp_path) is None
    held = FolderLock.acquire(tmp_path)
    assert lock.holder_of(tmp_path).pid == os.getpid()
    held.release()
    assert lock.holder_of(tmp_path) is None
    dead = dataclasses.replace(Holder.here(), started="another process had this number")
    (tmp_path / LOCK_NAME).write_text(json.dumps(dataclasses.asdict(dead)))
    assert lock.holder_of(tmp_path) is None
