"""Time and peak memory of ``cg-init --rdf`` beside those of a bare import, each time in a new process on one core.

    python benchmarks/startup.py [TARGET] [--repeats 11] [--methods network hnc py boltzmann]

The bare import, ``import numpy, onnxruntime``, is what no guess by a network can do without. All take turns, so that
a disturbance of the machine falls on all of them; where others use it, the processor time says more.
The files of the program are compiled and in the page cache after the round that is not counted.
"""

from __future__ import annotations

# Nothing heavy may be imported here: on Linux the peak memory of a child counts from that of its parent.
import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from machine import describe, pin, table

ROOT = Path(__file__).resolve().parents[1]
SECONDS, TIMES, MEGABYTES = 0.5, 2.5, 150.0
BARE, IMPORT = "import numpy, onnxruntime", "import cginit"


def measure(command: list[str]) -> tuple[float, float, float]:
    """Run a command; return wall and processor time in s, and peak resident memory in MB."""
    with tempfile.TemporaryFile("w+") as stream:
        began = time.perf_counter()
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=stream)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            stream.seek(0)
            raise SystemExit(f"{' '.join(command)} failed:\n{stream.read()}")
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("target", nargs="?", type=Path, default=ROOT / "examples/water/target.dat")
    parser.add_argument("--methods", nargs="+", default=["network", "hnc", "py", "boltzmann"])
    parser.add_argument("--repeats", type=int, default=11)
    parser.add_argument("--options", default="", help='further options of cg-init, as "--density 33.28 ..."')
    parser.add_argument("--core", type=int)
    args = parser.parse_args()
    pin(args.core)
    # An installed package is compiled once; a checkout without this would be compiled in every process.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    program = Path(sys.executable).with_name("cg-init")
    program = program if program.exists() else Path(shutil.which("cg-init") or "cg-init")
    print(describe(["cginit", "numpy", "onnxruntime", "typer"]), "\n")
    commands = {line: [sys.executable, "-c", line] for line in (BARE, IMPORT)}
    found: dict[str, list[tuple[float, float, float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        tables = [part for suffix in ("pot", "table") for part in ("--out", f"{folder}/guess.{suffix}")]
        for method in args.methods:
            command = [program, "--rdf", args.target, "--method", method, *args.options.split(), *tables]
            commands[method] = [str(part) for part in command]
        for _ in range(args.repeats + 1):
            for name, command in commands.items():
                found.setdefault(name, []).append(measure(command))
    rows = []
    bare = [statistics.median(column) for column in zip(*found[BARE][1:], strict=True)]
    for name, runs in found.items():
        seconds, processor, memory = zip(*runs[1:], strict=True)
        wall, cpu, peak = (statistics.median(column) for column in (seconds, processor, memory))
        verdict = "yes" if wall <= SECONDS and wall <= TIMES * bare[0] and peak <= MEGABYTES else "no"
        spread = f"{min(seconds):.2f} to {max(seconds):.2f}"
        times = f"{wall / bare[0]:.1f} ({cpu / bare[1]:.1f})"
        rows.append([name, f"{wall:.2f}", spread, f"{cpu:.2f}", times, f"{peak:.0f}", verdict])
    head = [
        "method",
        "wall time (s)",
        "range",
        "processor time (s)",
        "times the bare import (by processor time)",
        "peak memory (MB)",
        f"<= {SECONDS:g} s, {TIMES:g} times, {MEGABYTES:.0f} MB",
    ]
    print(table(head, rows))
    print(f"\nMedians of {args.repeats} new processes each, taking turns, one core, files in the page cache.")


if __name__ == "__main__":
    main()
