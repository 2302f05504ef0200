"""The doctor tells what the engines find, not what this interpreter imports."""

from __future__ import annotations

import pytest
import typer
from typer.testing import CliRunner

from cginit.cli import doctor as module
from cginit.cli import self_test
from cginit.cli.failures import exit_code
from cginit.cli.self_test import Check, check_guess, check_simulation
from cginit.engines.dilute import DiluteEngine
from cginit.engines.hoomd import HOOMD_PATH_VARIABLE
from cginit.errors import EngineError

app = typer.Typer()
app.command()(module.doctor)


def lines(monkeypatch):
    monkeypatch.setattr(module, "_lammps", lambda: "not asked here")
    done = CliRunner().invoke(app, ["--no-self-test"], catch_exceptions=False)
    assert done.exit_code == 0
    return {line[:18].strip(): line[18:].strip() for line in done.stdout.splitlines()[1:]}


def fake_hoomd(folder, devices):
    package = folder / "hoomd"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(
        "class version:\n    version = '4.9.9'\n"
        "class device:\n    class GPU:\n"
        f"        is_available = staticmethod(lambda: {bool(devices)})\n"
        f"        get_available_devices = staticmethod(lambda: {devices!r})\n"
    )
    return folder


def test_hoomd_is_where_the_variable_says(monkeypatch, tmp_path):
    monkeypatch.setenv(HOOMD_PATH_VARIABLE, str(fake_hoomd(tmp_path / "cpu", [])))
    assert lines(monkeypatch)["HOOMD-blue"] == f"4.9.9 ({tmp_path}/cpu/hoomd/__init__.py); it sees no GPU"
    monkeypatch.setenv(HOOMD_PATH_VARIABLE, str(fake_hoomd(tmp_path / "gpu", ["[0] H100"])))
    assert lines(monkeypatch)["HOOMD-blue"].endswith("; GPU: [0] H100")
    broken = tmp_path / "broken"
    (broken / "hoomd").mkdir(parents=True)
    (broken / "hoomd" / "__init__.py").write_text("raise ImportError('libmpi.so is missing')")
    monkeypatch.setenv(HOOMD_PATH_VARIABLE, str(broken))
    assert lines(monkeypatch)["HOOMD-blue"] == "does not start: ImportError: libmpi.so is missing"


def test_every_optional_package_is_named(monkeypatch):
    found = lines(monkeypatch)
    assert {"PyYAML", "dask", "distributed", "gsd", "GPU"} <= set(found)


def test_a_graphics_card_is_what_the_driver_shows(monkeypatch, tmp_path):
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho NVIDIA H100\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert lines(monkeypatch)["GPU"] == "NVIDIA H100"


def test_a_wrong_folder_of_hoomd_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv(HOOMD_PATH_VARIABLE, str(tmp_path))
    assert str(tmp_path) in lines(monkeypatch)["HOOMD-blue"]
    assert HOOMD_PATH_VARIABLE in lines(monkeypatch)["HOOMD-blue"]


def test_the_self_test_knows_what_works():
    done = check_guess()
    assert done.works, done.words
    pytest.importorskip("numba", reason="sampling needs Numba")
    done = check_simulation("dilute", DiluteEngine())
    assert done.works, done.words


def test_the_self_test_tells_what_does_not_work():
    class Broken(DiluteEngine):
        def run(self, *_, **__):
            raise EngineError("out of order")

    done = check_simulation("broken", Broken())
    assert not done.works
    assert "out of order" in done.words


def test_what_fails_is_said_and_ends_with_the_code_of_the_machine(monkeypatch):
    monkeypatch.setattr(module, "_lammps", lambda: "22 Jul 2025 (lmp)")
    monkeypatch.setattr(module, "_hoomd", lambda: "absent")
    monkeypatch.setattr(self_test, "check_guess", lambda: Check("guess", True, "bridge", 0.1))
    monkeypatch.setattr(
        self_test, "check_simulation", lambda name, engine: Check(name, False, "it stops", 0.1)
    )
    done = CliRunner().invoke(app, [])
    assert isinstance(done.exception, EngineError)
    assert "LAMMPS: it stops" in str(done.exception)
    assert exit_code(done.exception) == 4
    assert "FAILS" in done.stdout
