"""The program of an engine as a process that never outlives the one that asked for it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from cginit.errors import EngineError

__all__ = ["Finished", "last_words", "run_engine", "run_program"]

_GUARDIAN = Path(__file__).with_name("_guardian.py")
#: Seconds that a stopped program is waited for: the patience of the guardian, and some.
_FAREWELL = 10.0


@dataclass(frozen=True)
class Finished:
    """How a program ended.

    Attributes
    ----------
    code : int
        Its exit code; minus the number of the signal that ended it.
    output : str
        What it printed, to both streams; empty where that went to a file.
    """

    code: int
    output: str

    @property
    def how(self) -> str:
        """The code in words."""
        return f"signal {-self.code}" if self.code < 0 else f"exit code {self.code}"


def run_program(
    command: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    *,
    log: Path | None = None,
    timeout: float | None = None,
) -> Finished:
    """Run a program in a folder until it ends.

    It ends, with all that it has started, when this process does, however it does: by an exception (Ctrl-C among
    them), by a signal, or because a cluster removes its worker. On systems other than POSIX only an exception has
    this effect.

    Parameters
    ----------
    command : sequence of str
        Program and arguments.
    folder : Path
        Where it runs.
    environment : mapping
        Its environment.
    log : Path, optional
        File that receives what it prints.
    timeout : float, optional
        Seconds after which it is stopped.

    Raises
    ------
    OSError
        If it cannot be started.
    subprocess.TimeoutExpired
        If it did not end in time.
    """
    if shutil.which(command[0], path=environment.get("PATH")) is None and not Path(command[0]).exists():
        raise FileNotFoundError(2, "no such program", command[0])
    guarded = os.name == "posix" and bool(sys.executable)
    whole = [sys.executable, "-I", "-S", "-B", str(_GUARDIAN), *command] if guarded else list(command)
    lifeline, held = os.pipe()
    try:
        with _opened(log) as stream:
            process = subprocess.Popen(
                whole,
                cwd=folder,
                env=dict(environment),
                stdin=lifeline if guarded else subprocess.DEVNULL,
                stdout=subprocess.PIPE if stream is None else stream,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                # Ctrl-C is for this process, which ends the program in its own way.
                start_new_session=guarded,
            )
        os.close(lifeline)
        lifeline = -1
        try:
            output, _ = process.communicate(timeout=timeout)
        except BaseException:
            os.close(held)
            held = -1
            _wait(process, guarded)
            raise
        return Finished(process.returncode, output or "")
    finally:
        for end in (lifeline, held):
            if end >= 0:
                os.close(end)


def run_engine(
    name: str,
    command: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    log: Path,
    *,
    timeout: float | None = None,
    writes_log: bool = False,
) -> Finished:
    """Run the program of the engine `name` as `run_program` does; EngineError if it does not start or end in time.

    The log holds what it prints, unless it writes that file itself.
    """
    try:
        return run_program(command, folder, environment, log=None if writes_log else log, timeout=timeout)
    except subprocess.TimeoutExpired:
        raise EngineError(
            f"{name} did not finish within {timeout:g} s and was stopped; its log is {log}"
        ) from None
    except OSError as error:
        raise EngineError(f"{name} could not be started ({' '.join(command)}): {error}") from error


def last_words(output: str) -> str:
    r"""Return the line of what a program printed that tells why it ended: the last, or the first of a framed message.

    MPI launchers put what they have to say between rules, the cause first.

    Examples
    --------
    >>> last_words("starting\nout of memory\n"), last_words("----\nno slots\nAborting.\n----\n")
    ('out of memory', 'no slots')
    """
    lines = [line.strip() for line in output.splitlines()]
    rule = next((number for number, line in enumerate(lines) if set(line) == {"-"}), None)
    spoken = [line for line in lines[rule:] if any(letter.isalpha() for letter in line)]
    return next(iter(spoken if rule is not None else spoken[::-1]), "no message")


@contextmanager
def _opened(log: Path | None) -> Iterator[IO[str] | None]:
    if log is None:
        yield None
        return
    with log.open("w", encoding="utf-8") as stream:
        yield stream


def _wait(process: subprocess.Popen[str], guarded: bool) -> None:
    """Wait for a program that has been told to end."""
    if not guarded:
        process.kill()
    try:
        process.wait(_FAREWELL)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
