"""What commands read and write: looked at first, kept, and failures of the system as one sentence."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from cginit import RDF, StatePoint, write_rdf
from cginit.cli import app as application
from cginit.cli.app import main

R = 0.05 * np.arange(61)
#: Seconds within which what has to happen must have happened, on a busy machine.
PATIENCE = 120.0


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Return a function that runs the program in `tmp_path` and returns exit code, output and errors."""
    g = np.exp(-2.0 * np.exp(-2.0 * R**2))
    write_rdf(
        RDF(R, g, np.full(R.size, 1e-2), units="lj"),
        tmp_path / "t.dat",
        state=StatePoint(0.1, 1.0, "lj"),
    )
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["cg-init", *map(str, arguments)])
        code = 0
        try:
            main()
        except SystemExit as leave:
            code = leave.code
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


REFINE = ("refine", "--rdf", "t.dat", "--engine", "dilute", "--method", "boltzmann", "--quiet", "--workdir")


def test_results_that_change_are_kept_under_another_name(run):
    guess = ("--rdf", "t.dat", "--out", "u.pot", "--quiet")
    assert run(*guess, "--method", "boltzmann") == (0, "u.pot\n", "")
    first = Path("u.pot").read_bytes()
    assert run(*guess, "--method", "boltzmann")[2] == ""
    code, _, errors = run(*guess, "--method", "hnc")
    assert (code, errors) == (0, "u.pot was there before; it is kept as #u.pot.1#\n")
    assert Path("#u.pot.1#").read_bytes() == first


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--rdf", "none.dat", "--out", "u.foo"), "u.foo names no table format"),
        (("--rdf", "none.dat", "--out", "none/u.pot"), "does not exist"),
        ((*REFINE, "none", "--out", "u.foo"), "u.foo names no table format"),
        ((*REFINE, "w", "--out", "u.py"), "u.py names no table format"),
        ((*REFINE, "none", "--out", "u.pot", "--out", "u.pot"), "written twice"),
        (("mixture", "none.toml", "--out", "{pair}.foo"), "names no table format"),
        (("mixture", "none.toml", "--out", "t.dat/{pair}.pot"), "is not a folder"),
        (("multistate", "none.toml", "--workdir", "w", "--out", "u.foo"), "names no table format"),
        (("pressure", "--potential", "none.pot", "--plot", "p.foo"), "names no format of figures"),
        (("report", "none", "--out", "p.foo"), "names no format of figures"),
        (("report", "none", "--out", "p"), "names no format of figures"),
        (("report", "none", "--out", "t.dat/p.png"), "is not a folder"),
    ],
)
def test_what_cannot_be_written_is_said_before_anything_is_read(run, arguments, words):
    before = sorted(Path().iterdir())
    code, out, errors = run(*arguments)
    assert (code, out) == (2, "")
    assert words in errors
    assert errors.startswith("cg-init: ")
    assert errors.count("\n") == 1
    assert sorted(Path().iterdir()) == before


def test_one_table_for_several_pairs_is_said_before_anything_is_guessed(run):
    Path("mix.toml").write_text(
        'units = "lj"\nkT = 1.0\n[densities]\nA = 0.1\nB = 0.1\n'
        '[targets]\nA-A = "t.dat"\nA-B = "t.dat"\nB-B = "t.dat"\n'
    )
    code, out, errors = run("mixture", "mix.toml", "--out", "all.pot")
    assert (code, out) == (2, "")
    assert "one pair each" in errors


def test_a_work_directory_that_is_a_file(run):
    for place in ("t.dat", "t.dat/sub"):
        code, out, errors = run(*REFINE, place)
        assert (code, out) == (2, "")
        assert errors.count("\n") == 1
        assert f"cannot use {place}" in errors


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has /dev/full")
def test_a_full_disk_is_exit_code_4(run):
    Path("full.pot").symlink_to("/dev/full")
    code, _, errors = run("--rdf", "t.dat", "--out", "full.pot", "--quiet")
    assert (code, errors) == (
        4,
        "cg-init: cannot use full.pot: the disk is full; make room and run the same command again\n",
    )


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (PermissionError(13, "Permission denied", "x.dat"), 2, "cannot use x.dat: permission denied; choose"),
        (OSError(28, "No space left on device"), 4, "the disk is full; make room"),
        (OSError("odd"), 2, "odd"),
        (OSError(117, "Structure needs cleaning", "x.dat"), 2, "cannot use x.dat: Structure needs cleaning"),
        (MemoryError("Unable to allocate 8 TiB"), 4, "there is not enough memory (Unable to allocate 8 TiB)"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_what_nobody_has_foreseen_is_a_sentence_too(run, monkeypatch, error, code, words):
    def fail(**settings):
        raise error

    monkeypatch.setattr(application, "app", fail)
    found, _, errors = run()
    assert found == code
    assert words in errors
    assert errors.count("\n") <= 1


def test_figures_of_equal_content_are_equal(run):
    pytest.importorskip("matplotlib")
    assert run(*REFINE, "w")[0] == 0
    for kind in ("png", "pdf", "svg"):
        for name in ("a", "b"):
            assert run("report", "w", "--out", f"new/{name}.{kind}")[0] == 0
        assert Path(f"new/a.{kind}").read_bytes() == Path(f"new/b.{kind}").read_bytes()
    assert len(list(Path("new").iterdir())) == 6


def started(folder, *more):
    """Start a refinement."""
    return subprocess.Popen(
        [sys.executable, "-c", "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
         "from cginit.cli import main; main()", "refine", "--rdf", "t.dat", "--workdir", "w", "--method", "boltzmann",
         "--update", "ibi", "--no-reweighting", "--no-adaptive", "--beads", "200", *more],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )  # fmt: skip


def until(condition):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


def test_an_interrupt_while_the_program_is_loaded_is_no_traceback(tmp_path):
    # What a busy machine spends seconds with.
    early = (
        "import sys\n"
        "class Pressed:\n"
        "    def find_spec(self, name, *rest):\n"
        "        if name == 'cginit.cli.app': raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Pressed())\n"
        "from cginit.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", early], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "cg-init: interrupted\n")


def pressed(*arguments):
    raise KeyboardInterrupt


def test_an_interrupt_of_a_guess_says_that_nothing_is_there(run, monkeypatch):
    monkeypatch.setattr("cginit.cli.guess.describe", pressed)
    code, out, errors = run("guess", "--rdf", "t.dat", "--method", "boltzmann", "--out", "u.pot")
    assert (code, out) == (130, "")
    assert errors.endswith("cg-init: interrupted; no result was written; run the same command again\n")
    assert not Path("u.pot").exists()


def test_an_interrupt_between_two_results_says_which_is_there(run, monkeypatch):
    tables = ("guess", "--rdf", "t.dat", "--method", "boltzmann", "--out", "u.pot")
    monkeypatch.setattr("cginit.cli.voice.Voice.file", pressed)
    code, _, errors = run(*tables, "--out", "v.pot")
    assert code == 130
    assert re.search(
        r"cg-init: interrupted; written before: .*\bu\.pot.*; run the same command again for the", errors
    )
    assert Path("u.pot").exists()


@pytest.mark.lammps
@pytest.mark.skipif(os.name != "posix", reason="signals are those of POSIX")
def test_an_interrupt_and_a_second_run(run, tmp_path):
    long = (
        "--equilibration",
        "0",
        "--production",
        "100000000",
        "--every",
        "1000000",
        "--longest",
        "100000000",
    )
    first = started(tmp_path, *long)
    try:
        assert until(lambda: (tmp_path / "w/iteration_000.partial/engine/log.lammps").exists())
        code, out, errors = run(*REFINE, "w")
        assert (code, out) == (2, "")
        assert f"w is in use by process {first.pid} on " in errors
        # The first has not noticed.
        assert first.poll() is None
        assert (tmp_path / "w/iteration_000.partial").is_dir()
        first.send_signal(signal.SIGINT)
        _, errors = first.communicate(timeout=PATIENCE)
        assert first.returncode == 130
        assert errors.endswith("cg-init: interrupted; 0 simulations kept in w; the same command goes on\n")
        assert "Traceback" not in errors
        assert not (tmp_path / "w/.lock").exists()
    finally:
        first.kill()
        first.communicate()
