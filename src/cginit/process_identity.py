"""What tells a process from another that later has its number."""

from __future__ import annotations

import os
import socket
import subprocess
from functools import cache
from pathlib import Path

__all__ = ["place_of_processes", "start_of_process"]

_PROC = Path("/proc")


@cache
def place_of_processes() -> str:
    """Return a name of the machine, its boot and the container within which numbers of processes are unique.

    Empty where this is not known. Containers may share the name of their host, and hosts that of others.
    """
    if os.name != "posix":
        # Asking about a process ends it there, by the ways that the standard library has.
        return ""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {(_PROC / 'self/ns/pid').readlink()}"
    except OSError:
        return "" if _PROC.is_dir() and (_PROC / "self").exists() else socket.gethostname()


def start_of_process(pid: int) -> str | None:
    """Return when a process of this machine started, as the system counts; empty if unknown, None if it does not run.

    Examples
    --------
    >>> start_of_process(os.getpid()) is None
    False
    """
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return None
    except OSError:
        pass  # it runs, and belongs to another
    if not (_PROC / "self").exists():
        return _start_by_ps(pid)
    try:
        stat = (_PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        # Gone since, or hidden from other users.
        return ""
    # The name of the program, in parentheses, may hold anything.
    state, *numbers = stat.rpartition(")")[2].split()
    return None if state in "ZX" else numbers[18]


def _start_by_ps(pid: int) -> str:
    try:
        done = subprocess.run(
            ["ps", "-o", "lstart=", "-p", str(pid)],
            capture_output=True,
            text=True,
            env={**os.environ, "LC_ALL": "C", "TZ": "UTC"},
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()
