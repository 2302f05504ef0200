"""The program of an engine ends when whoever asked for it does, however that happens."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cginit.engines.process import run_program

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and process groups are those of POSIX")

#: A program that has started another, as an MPI launcher does, and leaves the numbers of both.
PROGRAM = """\
import pathlib, subprocess, sys, os, time
child = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(600)"])
pathlib.Path("pids.partial").write_text(f"{os.getpid()} {child.pid}")
os.rename("pids.partial", "pids")
time.sleep(600)
"""
#: What asks for it: a worker with a Python of its own.
WORKER = """\
import os, signal, sys
from pathlib import Path
from cginit.engines.process import run_program
# Whoever runs the tests in the background may have them ignore it.
signal.signal(signal.SIGINT, signal.default_int_handler)
run_program([sys.executable, "-S", "program.py"], Path(sys.argv[1]), os.environ)
"""
#: Seconds within which what has to happen must have happened; it takes tenths of one on an idle machine.
PATIENCE = 120.0


def until(condition) -> bool:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


def alive(pid: int) -> bool:
    """Whether a process runs; one that waits to be buried does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not (status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_no_program_outlives_a_worker_that_is_killed(tmp_path, number):
    (tmp_path / "program.py").write_text(PROGRAM)
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(tmp_path)],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert until((tmp_path / "pids").exists)
        pids = [int(text) for text in (tmp_path / "pids").read_text().split()]
        assert all(map(alive, pids))
        os.kill(worker.pid, number)
        _, errors = worker.communicate(timeout=PATIENCE)
        assert worker.returncode == -number
        assert until(lambda: not any(map(alive, pids)))
        if number == signal.SIGINT:
            # The one traceback is that of the worker: the program is not interrupted by itself.
            assert errors.count("KeyboardInterrupt") == 1
    finally:
        worker.kill()
        worker.wait()


def test_output_and_exit_code_are_those_of_the_program(tmp_path):
    code = "import sys; print('said'); sys.stderr.write('complained\\n'); sys.exit(3)"
    done = run_program([sys.executable, "-c", code], tmp_path, os.environ)
    assert done.code == 3
    assert sorted(done.output.split()) == ["complained", "said"]
    log = tmp_path / "log"
    killed = run_program(
        [sys.executable, "-c", "import os; print('here', flush=True); os.kill(os.getpid(), 9)"],
        tmp_path,
        os.environ,
        log=log,
    )
    assert (killed.code, killed.output, log.read_text()) == (-signal.SIGKILL, "", "here\n")
    # A program reads nothing: its input is not that of a terminal.
    silent = run_program([sys.executable, "-c", "print(repr(input()))"], tmp_path, os.environ)
    assert "EOFError" in silent.output


def test_a_program_that_takes_too_long_is_stopped(tmp_path):
    (tmp_path / "program.py").write_text(PROGRAM)
    with pytest.raises(subprocess.TimeoutExpired):
        # Far below the 600 s that it sleeps, and enough to start unless the machine is busy.
        run_program([sys.executable, "-S", "program.py"], tmp_path, os.environ, timeout=3.0)
    pids = (tmp_path / "pids").read_text().split() if (tmp_path / "pids").exists() else []
    assert until(lambda: not any(alive(int(pid)) for pid in pids))


def test_a_program_that_does_not_exist_cannot_be_started(tmp_path):
    with pytest.raises(OSError, match="no such program"):
        run_program(["no-such-program"], tmp_path, os.environ)
