"""What the file of a system does with files of g(r) as users have them: columns, fine bins, half the box."""

import numpy as np
import pytest
from typer.testing import CliRunner

from cginit import InputError
from cginit.cli.app import app
from cginit.cli.system import read_system

PAIRS = ("A-A", "A-B", "B-B")


def liquid(r, size=1.0):
    smooth = 1.0 + 2.0 * np.exp(-2.0 * (r / size - 1.0)) * np.cos(6.3 * (r / size - 1.05))
    noise = np.random.default_rng(3).normal(size=r.size) * 0.004 / np.maximum(r, 0.2)
    return np.where(r < 0.9 * size, 0.0, np.maximum(smooth + noise, 0.0))


def system(folder, r, targets, more=""):
    """Write all g(r) side by side into one file, and a mixture that takes them from there."""
    curves = [liquid(r, size) for size in (1.0, 1.1, 1.2)]
    rows = (" ".join(f"{x:.6g}" for x in row) for row in zip(r, *curves, strict=True))
    (folder / "all.dat").write_text("# r A-A A-B B-B\n" + "\n".join(rows) + "\n")
    path = folder / "system.toml"
    path.write_text(
        f'units = "lj"\nkT = 1.0\n{more}\n[densities]\nA = 0.2\nB = 0.2\n[targets]\n'
        + "".join(f'"{pair}" = {entry}\n' for pair, entry in zip(PAIRS, targets, strict=True))
    )
    return path, curves


def test_all_pairs_may_stand_in_one_file(tmp_path):
    r = 0.02 * np.arange(1, 251)
    entries = ['{ file = "all.dat", column = "A-A" }', '{ file = "all.dat", column = 3 }',
               '{ file = "all.dat", column = "B-B" }']  # fmt: skip
    path, curves = system(tmp_path, r, entries)
    read = read_system(path)
    for pair, curve in zip(PAIRS, curves, strict=True):
        whole = read.targets[0].rdfs[pair]
        np.testing.assert_allclose(whole.g[-r.size :], curve, atol=1e-5)
    assert any(note.startswith("A-B read as columns: r") and "left out" in note for note in read.notes)


def test_bins_are_averaged_to_one_width(tmp_path):
    r = 0.001 * np.arange(1, 5001)
    entries = [f'{{ file = "all.dat", column = "{pair}" }}' for pair in PAIRS]
    read = read_system(system(tmp_path, r, entries)[0])
    steps = {round(one.dr, 9) for one in read.targets[0].rdfs.values()}
    assert len(steps) == 1
    assert 0.02 <= steps.pop() <= 0.1
    assert sum("averaged over bins of" in note for note in read.notes) == 3
    # What the file says counts.
    read = read_system(system(tmp_path, r, entries, "dr = 0.01")[0])
    assert read.targets[0].rdfs["A-A"].dr == pytest.approx(0.01)


def test_what_lies_beyond_half_the_box_is_cut_off_of_all(tmp_path):
    r = 0.02 * np.arange(1, 225)
    entries = [f'{{ file = "all.dat", column = "{pair}" }}' for pair in PAIRS]
    path, curves = system(tmp_path, r, entries)
    edge = 6.5
    beyond = np.where(2.0 * r > edge, 1.5 * edge / r - 2.0, 1.0)
    rows = zip(r, *(curve * beyond for curve in curves), strict=True)
    text = "\n".join(" ".join(f"{x:.6g}" for x in row) for row in rows)
    (tmp_path / "all.dat").write_text(f"# r A-A A-B B-B\n{text}\n")
    read = read_system(path)
    assert any("beyond half the box" in note for note in read.notes)
    assert all(3.0 < one.r_max <= 3.26 for one in read.targets[0].rdfs.values())
    assert len({one.r_max for one in read.targets[0].rdfs.values()}) == 1


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("3", "must be the name of a file, or { file"),
        ('{ column = "A-A" }', "must be the name of a file"),
        ('{ file = "all.dat", colum = 2 }', "colum"),
        ('{ file = "all.dat", column = true }', "must be the name of a file"),
        ('{ file = "all.dat" }', "holds 3 curves"),
    ],
)
def test_an_entry_that_is_none_is_refused(tmp_path, entry, words):
    path, _ = system(tmp_path, 0.02 * np.arange(1, 251), [entry, '"all.dat"', '"all.dat"'])
    with pytest.raises(InputError) as error:
        read_system(path)
    assert words in str(error.value)


@pytest.mark.parametrize("options", [(), ("--density", "0.3", "--kT", "1")])
def test_a_curve_is_no_file_of_a_system(tmp_path, options):
    path = tmp_path / "g.dat"
    path.write_text("1 0\n2 1\n3 1\n")
    done = CliRunner().invoke(app, ["guess", str(path), *options], catch_exceptions=True)
    assert done.exit_code != 0
    text = f"{done.output} {done.exception}"
    assert f"a g(r) is given with its option: --rdf {path}" in text


@pytest.mark.parametrize("second", [("--rdf", "b.dat"), ("--rdf=b.dat",)])
def test_a_second_target_is_not_taken_in_silence(second):
    done = CliRunner().invoke(app, ["guess", "--rdf", "a.dat", *second, "--density", "0.3", "--kT", "1"])
    assert done.exit_code == 2
    assert "given more than once" in done.output
