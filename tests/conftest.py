"""Skips what this machine cannot run, and says how to make it run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec

import pytest

from cginit.engines.hoomd import HOOMD_PATH_VARIABLE
from cginit.engines.lammps import LammpsEngine
from cginit.errors import MissingDependencyError

if os.environ.get(HOOMD_PATH_VARIABLE):
    sys.path.insert(0, os.environ[HOOMD_PATH_VARIABLE])


def _missing() -> dict[str, str]:
    missing = {}
    if find_spec("hoomd") is None:
        missing["hoomd"] = (
            "HOOMD-blue is not installed: conda install -c conda-forge hoomd, or set "
            f"{HOOMD_PATH_VARIABLE} to the folder that holds the package hoomd"
        )
    try:
        LammpsEngine().command()
    except MissingDependencyError as error:
        missing["lammps"] = str(error)
    return missing


def _worker_of_module(item: pytest.Item) -> None:
    """Give tests that share a fixture of their module to one worker, which then makes it once."""
    known = item._fixtureinfo.name2fixturedefs if isinstance(item, pytest.Function) else {}
    if any(one.scope == "module" for found in known.values() for one in found):
        item.add_marker(pytest.mark.xdist_group(str(item.path)))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        _worker_of_module(item)
    for marker, reason in _missing().items():
        for item in items:
            if item.get_closest_marker(marker):
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session", autouse=True)
def _never_wait_for_the_disk() -> Iterator[None]:
    """Let `os.fsync` do nothing: files of tests need not outlive the machine, and it takes some milliseconds each.

    Processes that a test starts do as users' processes do.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        yield


@pytest.fixture
def system_ranks(monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    """Return the launcher of two ranks of the system's MPI, not of this environment's."""
    launcher = shutil.which("mpirun", path="/usr/local/bin:/usr/bin")
    if launcher is None:
        pytest.skip("the system has no mpirun")
    # Open MPI does not know itself as /bin/mpirun.
    version = subprocess.run([launcher, "--version"], capture_output=True, text=True, check=True).stdout
    more = ("--oversubscribe",) if "Open MPI" in version else ()
    # Containers have no other user.
    for name in ("OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"):
        monkeypatch.setenv(name, "1")
    return (launcher, *more, "-n", "2")
