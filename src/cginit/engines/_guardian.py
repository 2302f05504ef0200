"""Run a program and end it when whoever asked for it is gone: ``python _guardian.py PROGRAM [ARGUMENT ...]``.

Standard input is a pipe that nobody writes to. The asking process holds its other end, which the system closes when
that process ends, even by a signal that leaves it no time: then the program and all that it has started are ended,
too. A signal to this process has the same effect. The exit status is that of the program.

A script of its own that needs only the standard library, and little of it, so that it starts in milliseconds.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time
from types import FrameType

#: Seconds that a program has to end by itself: MPI launchers need them to end their ranks.
PATIENCE = 3.0
NOT_STARTED = 127

_asked_to_stop = False


def main(command: list[str]) -> int:
    """Run `command` in a process group of its own; return its exit status."""
    awake, wake = os.pipe()
    for end in (awake, wake):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _stop)
    try:
        child = os.posix_spawnp(
            command[0],
            command,
            os.environ,
            setpgroup=0,
            setsigmask=(),
            setsigdef=(signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD),
            file_actions=[(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)],
        )
    except OSError as error:
        sys.stderr.write(f"{command[0]} could not be started: {error.strerror}\n")
        return NOT_STARTED
    watched = [0, awake]
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return _as_exit_code(status)
        readable, _, _ = select.select(watched, [], [])
        if awake in readable:
            os.read(awake, 512)
        if _asked_to_stop or (0 in readable and not os.read(0, 1)):
            return _as_exit_code(_end(child))


def _stop(number: int, frame: FrameType | None) -> None:
    global _asked_to_stop
    _asked_to_stop = True


def _end(child: int) -> int:
    """End the group of a child, gently and then not; return its status."""
    os.killpg(child, signal.SIGTERM)
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            break
        time.sleep(0.01)
    else:
        done = 0
    with contextlib.suppress(ProcessLookupError):
        # What the program itself has left behind belongs to its group.
        os.killpg(child, signal.SIGKILL)
    return status if done else os.waitpid(child, 0)[1]


def _as_exit_code(status: int) -> int:
    """Leave as the program has: by the same signal, if it was one."""
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        import resource

        # The program has dumped its core; this one need not.
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if -code not in (signal.SIGKILL, signal.SIGSTOP):
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
