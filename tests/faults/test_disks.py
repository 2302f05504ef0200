"""Disks that fill and files that are cut short: a sentence, and the same command ends as if nothing had been."""

import json
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from refinements import (
    DONE,
    MIXTURE,
    MOLECULES,
    ONE,
    PROGRAM,
    STATES,
    assert_same,
    complete,
    finish,
    of_engine,
    prepare,
    result,
    start,
)
from watching import TALLY

pytestmark = [pytest.mark.lammps, pytest.mark.faults]

#: Runs a command on a disk of its own, which grows by steps from nothing, until there is room.
ON_A_SMALL_DISK = """\
import json, os, shutil, subprocess, sys
program, arguments, source, place, steps = json.loads(sys.stdin.read())
found = []
for number, size in enumerate(steps):
    more = "remount," if number else ""
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"{more}size={size}k", "tmpfs", place], check=True)
    if not number:
        for name in os.listdir(source):
            shutil.copy(os.path.join(source, name), place)
    done = subprocess.run([sys.executable, "-c", program, *arguments], cwd=place, capture_output=True, text=True)
    found.append((size, done.returncode, done.stderr))
    if done.returncode in (0, 3):
        break
shutil.copytree(place + "/w", source + "/w")
print(json.dumps(found))
"""


def may_mount():
    unshare = shutil.which("unshare")
    if unshare is None:
        return False
    done = subprocess.run(
        [unshare, "-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True, check=False
    )
    return done.returncode == 0


@pytest.fixture(scope="module")
def references(tmp_path_factory):
    known = {}

    def reference(case):
        if case not in known:
            folder = prepare(tmp_path_factory.mktemp("reference"))
            complete(case, folder)
            known[case] = folder
        return known[case]

    return reference


@pytest.mark.parametrize("case", [ONE, MIXTURE, STATES, MOLECULES], ids=lambda case: case.name)
def test_a_disk_that_fills(tmp_path, references, case):
    if not may_mount():
        pytest.skip("a small disk needs unshare and user namespaces")
    wanted = result(references(case))
    source, place = prepare(tmp_path / "source"), tmp_path / "place"
    place.mkdir()
    # What is read takes 36 kB; a table of LAMMPS and the dump of a simulation are larger.
    steps = [44, 64, 100, 160, 250, 400, 640, 1000, 1600, 2500, 20_000]
    done = subprocess.run(
        ["unshare", "-rm", sys.executable, "-c", ON_A_SMALL_DISK],
        input=json.dumps([PROGRAM, case.arguments, str(source), str(place), steps]),
        capture_output=True,
        text=True,
        timeout=2400,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    runs = json.loads(done.stdout)
    assert len(runs) > 5
    assert runs[-1][1] in DONE, runs[-1]
    for size, code, errors in runs[:-1]:
        assert code == 4, (size, code, errors)
        assert "Traceback" not in errors
        assert "full" in errors, (size, errors)
    assert_same(source, wanted)
    TALLY[f"disks filled, {case.name}"] += len(runs) - 1


@pytest.mark.parametrize("case", [ONE, MIXTURE, STATES, MOLECULES], ids=lambda case: case.name)
def test_a_file_cut_short(tmp_path, references, case):
    whole = references(case)
    wanted = result(whole)
    rng = random.Random(1)
    files = [
        path.relative_to(whole)
        for path in sorted((whole / "w").rglob("*"))
        if path.is_file() and not of_engine(path)
    ]
    # Of every kind of file one, and some more.
    chosen = {path.name: path for path in files} | {str(path): path for path in rng.sample(files, 4)}
    for number, path in enumerate(dict.fromkeys(chosen.values())):
        folder = tmp_path / str(number)
        shutil.copytree(whole, folder)
        size = (folder / path).stat().st_size
        with (folder / path).open("r+b") as stream:
            stream.truncate(rng.choice((0, size // 2, size - 1)))
        code, errors = finish(start(case, folder))
        assert code in DONE, (path, errors)
        assert "Traceback" not in errors
        assert_same(folder, wanted)
        TALLY[f"files cut short, {case.name}"] += 1
        shutil.rmtree(folder)


def test_what_a_killed_run_leaves_is_no_harm(tmp_path, references):
    """Leftovers that a kill between two calls of the system makes, all at once."""
    whole = references(ONE)
    folder = tmp_path / "0"
    shutil.copytree(whole, folder)
    work = folder / "w"
    last = sorted(work.glob("iteration_*"))[-1]
    last.rename(last.with_suffix(".partial"))
    (work / ".refinement.json.1-ab.tmp").write_text("{")
    (work / ".lock").write_text('{"token": "x", "host": "gone", "pi')
    import os

    os.utime(work / ".lock", (1.0, 1.0))
    (work / ".lock.0123").write_text("")
    complete(ONE, folder)
    (work / ".lock.0123").unlink(missing_ok=True)
    assert_same(folder, result(whole))
    assert Path(work / "best.pot").exists()
