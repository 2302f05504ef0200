"""Every command with spoiled files, odd options and odd names: an answer, or exit code 2 with a sentence."""

import io
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from inputs import (
    MAPPING,
    MIXTURE,
    NAMES,
    NUMBERS,
    SETTINGS,
    STATES,
    VOTCA_MAPPING,
    WORDS,
    liquid,
    spoiled,
    structure_factor,
    tables,
    targets,
)
from refinements import of_engine
from watching import LONGEST, assert_sentence, command, examples

TARGETS = targets()
with tempfile.TemporaryDirectory() as _folder:
    TABLES = tables(Path(_folder))
#: Three waters in a box, with times.
GRO = b"".join(
    f"water t= {10 * k:.1f} step= {k}\n    9\n".encode()
    + b"".join(
        f"{1 + i // 3:5d}SOL  {('OW', 'HW1', 'HW2')[i % 3]:>5}{i + 1:5d}{0.3 * i:8.3f}{k / 10:8.3f}{i / 20:8.3f}\n"
        .encode()
        for i in range(9)
    )
    + b"   3.00000   3.00000   3.00000\n"
    for k in range(4)
)  # fmt: skip
DUMP = b"".join(
    f"ITEM: TIMESTEP\n{k}\nITEM: NUMBER OF ATOMS\n20\n".encode()
    + b"ITEM: BOX BOUNDS pp pp pp\n0 6\n0 6\n0 6\nITEM: ATOMS id type x y z\n"
    + b"".join(f"{i + 1} 1 {i % 6} {(2 * i + k) % 6} {i / 4:.2f}\n".encode() for i in range(20))
    for k in range(6)
)  # fmt: skip
CHEAP = ("--method", "boltzmann")
SIMULATED = (
    "--engine",
    "dilute",
    "--iterations",
    "1",
    "--equilibration",
    "0",
    "--production",
    "100",
    "--every",
    "10",
)


def folder_with(files):
    folder = tempfile.TemporaryDirectory(prefix="odd names' ")
    for name, content in files.items():
        (Path(folder.name) / name).write_bytes(content)
    return folder


def run(files, *arguments, seconds=LONGEST):
    with folder_with(files) as folder:
        return command(*arguments, folder=Path(folder), seconds=seconds)


@examples(700)
@given(data=st.data(), layout=st.sampled_from(sorted(TARGETS)))
def test_guess(data, layout):
    run({"t.dat": data.draw(spoiled(TARGETS[layout]))}, "--rdf", "t.dat", "--out", "u.pot", *CHEAP)


@examples(300)
@given(
    numbers=st.dictionaries(
        st.sampled_from(("--density", "--temperature", "--kT", "--cutoff", "--target-beads")),
        NUMBERS,
        max_size=3,
    ),
    words=st.dictionaries(st.sampled_from(("--units", "--method", "--out-units")), WORDS, max_size=2),
)
def test_options_of_a_guess(numbers, words):
    options = [word for item in (numbers | words).items() for word in item]
    run(
        {"t.dat": TARGETS["plain"]}, "--rdf", "t.dat", "--out", "u.pot", *CHEAP, *options, seconds=4 * LONGEST
    )


@examples(300)
@given(
    source=NAMES,
    destination=NAMES,
    suffix=st.sampled_from((".pot", ".table", ".xvg", ".npz", ".csv", "", ".foo")),
)
def test_names(source, destination, suffix):
    with folder_with({"t.dat": TARGETS["plain"]}) as place:
        folder = Path(place)
        # An empty folder, through which one of the names goes.
        (folder / "sub").mkdir()
        if not (folder / source).exists():
            shutil.copy(folder / "t.dat", folder / source)
        done = command("--rdf", source, "--out", destination + suffix, *CHEAP, folder=folder)
        # What is written is written there, and not where a shell or a format would have it.
        before = {"t.dat", "sub", source}
        made = {one.name for one in folder.iterdir()} - {Path(one).name for one in before}
        assert made <= {Path(destination + suffix).name, f"#{Path(destination + suffix).name}.1#"}, made
        assert not made or done.code == 0


@examples(500)
@given(data=st.data(), name=st.sampled_from(sorted(TABLES)), to=st.sampled_from(sorted(TABLES)), units=WORDS)
def test_convert(data, name, to, units):
    to = f"new-{to}" if to != "TABLE" else "new.dlpoly"
    content = data.draw(spoiled(TABLES[name]))
    run({name: content}, "convert", name, to, "--units", units, "--kT", "2.5", seconds=2 * LONGEST)


@examples(60, 2)
@given(data=st.data(), name=st.sampled_from(("u.pot", "u.csv")), density=NUMBERS)
def test_pressure(data, name, density):
    # It solves integral equations at many densities.
    arguments = ("pressure", "--potential", name, "--density", density, "--kT", "2.5")
    run({name: data.draw(spoiled(TABLES[name]))}, *arguments, seconds=12 * LONGEST)


@examples(300)
@given(content=spoiled(structure_factor()), density=NUMBERS, kT=NUMBERS)
def test_scattering(content, density, kT):
    arguments = ("scattering", "--sk", "s.dat", "--units", "lj", "--out", "g.dat")
    run({"s.dat": content}, *arguments, "--density", density, "--kT", kT, seconds=2 * LONGEST)


@examples(300)
@given(content=spoiled(MIXTURE), target=spoiled(TARGETS["plain"]) | st.just(TARGETS["plain"]))
def test_mixtures(content, target):
    run(
        {"m.toml": content, "t.dat": target},
        "mixture",
        "m.toml",
        *CHEAP,
        "--out",
        "{pair}.pot",
        seconds=2 * LONGEST,
    )


@examples(200)
@given(content=spoiled(STATES))
def test_states(content):
    arguments = ("multistate", "s.toml", "--workdir", "w", *CHEAP, *SIMULATED)
    run({"s.toml": content, "t.dat": TARGETS["plain"]}, *arguments, seconds=2 * LONGEST)


@examples(200)
@given(content=spoiled(SETTINGS))
def test_settings(content):
    arguments = (
        "refine",
        "--settings",
        "settings.xml",
        "--method",
        "boltzmann",
        *SIMULATED,
        "--density",
        "0.3",
    )
    run({"settings.xml": content, "t.dat": TARGETS["votca"]}, *arguments, seconds=2 * LONGEST)


@examples(200)
@given(
    options=st.dictionaries(
        st.sampled_from(
            ("--damping", "--pressure", "--iterations", "--wall-time", "--equilibration", "--production", "--every",
             "--dt", "--seed", "--beads", "--replicas", "--threads", "--longest", "--cutoff")
        ),
        NUMBERS.filter(lambda text: text not in ("1e300", "300", "33.3")),
        max_size=3,
    )
)  # fmt: skip
def test_options_of_a_refinement(options):
    given_options = [word for item in options.items() for word in item]
    arguments = ("refine", "--rdf", "t.dat", "--workdir", "w", *CHEAP, *SIMULATED)
    run({"t.dat": TARGETS["plain"]}, *arguments, *given_options, seconds=4 * LONGEST)


@examples(100, 3)
@given(data=st.data(), kind=st.sampled_from(("gro", "dump")), mapping=st.sampled_from(("all", "yaml", "xml")))
def test_trajectories(data, kind, mapping):
    pytest.importorskip("MDAnalysis")
    trajectory = data.draw(spoiled(GRO if kind == "gro" else DUMP))
    files = {
        f"t.{kind}": trajectory,
        "m.yaml": data.draw(spoiled(MAPPING)),
        "m.xml": data.draw(spoiled(VOTCA_MAPPING)),
    }
    units = "lj" if kind == "dump" else "nm-kJ/mol"
    chosen = "all" if mapping == "all" else f"m.{mapping}"
    arguments = (
        "target",
        "--topology",
        f"t.{kind}",
        "--trajectory",
        f"t.{kind}",
        "--map",
        chosen,
        "--kT",
        "1",
    )
    run(
        files,
        *arguments,
        "--units",
        units,
        "--dr",
        "0.1",
        "--blocks",
        "2",
        "--out",
        "g/",
        seconds=4 * LONGEST,
    )


@pytest.fixture(scope="module")
def refined(tmp_path_factory):
    """A refinement, made once: times and hashes in its files differ from run to run, and what is drawn with them."""
    folder = tmp_path_factory.mktemp("refined")
    (folder / "t.dat").write_bytes(TARGETS["plain"])
    arguments = ("refine", "--rdf", "t.dat", "--workdir", "w", *CHEAP, *SIMULATED, "-q")
    assert command(*arguments, folder=folder).code in (0, 3)
    return folder


@examples(150)
@given(data=st.data())
def test_reports(data, refined):
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        shutil.copytree(refined, folder, dirs_exist_ok=True)
        files = [one for one in sorted((folder / "w").rglob("*")) if one.is_file() and not of_engine(one)]
        path = data.draw(st.sampled_from(files))
        path.write_bytes(data.draw(spoiled(path.read_bytes())))
        command("report", "w", folder=folder, seconds=2 * LONGEST)
        command("refine", "--rdf", "t.dat", "--workdir", "w", *CHEAP, *SIMULATED, "-q", folder=folder)


def bomb():
    """Return an npz of a few kilobytes that unpacks to gigabytes."""
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("U.npy", "w", force_zip64=True) as member,
    ):
        np.lib.format.write_array_header_1_0(
            member, {"descr": "<f8", "fortran_order": False, "shape": (2**27,)}
        )
        for _ in range(2**10):
            member.write(bytes(2**20))
    return stream.getvalue()


LARGE = (
    *("rows.dat", "line.dat", "zeros.dat", "comments.dat", "newlines.dat", "words.dat"),
    *("bomb.npz", "deep.xml", "deep.toml"),
)


def large_files():
    r = np.linspace(0.0, 5.0, 1_000_001)
    _, g = liquid(1001, 0.005)
    rows = np.interp(r, np.linspace(0.0, 5.0, 1001), g)
    head = b"# cginit: units = lj\n# cginit: density = 0.3\n# cginit: kT = 1.0\n"
    many = (
        head + "".join(f"{a:.7g} {b:.5f}\n" for a, b in zip(r.tolist(), rows.tolist(), strict=True)).encode()
    )
    return {
        "rows.dat": many,
        "line.dat": head + b"0.1 " * 1_000_000,
        "zeros.dat": head + b"\x00" * 20_000_000,
        "comments.dat": b"# x\n" * 1_000_000,
        "newlines.dat": b"\n" * 5_000_000,
        "words.dat": head + b"a" * 20_000_000,
        "bomb.npz": bomb(),
        "deep.xml": b"<a>" * 1_000_000,
        "deep.toml": b"a = " + b"[" * 100_000,
    }


@pytest.mark.faults
@pytest.mark.parametrize("name", LARGE)
@pytest.mark.parametrize(
    "arguments",
    [
        ("--rdf", "FILE", "--out", "u.pot", *CHEAP),
        ("convert", "FILE", "u.csv", "--units", "lj"),
        ("scattering", "--sk", "FILE", "--units", "lj", "--out", "g.dat", "--density", "0.3", "--kT", "1"),
        ("guess", "FILE", "--out", "{pair}.pot"),
        ("refine", "--settings", "FILE"),
    ],
    ids=lambda words: words[0],
)
def test_large_files(tmp_path, name, arguments, large):
    (tmp_path / name).symlink_to(large / name)
    done = command(
        *(name if word == "FILE" else word for word in arguments), folder=tmp_path, seconds=6 * LONGEST
    )
    # A g(r) in a million bins may be one; nothing else here is anything.
    assert done.code in ((0, 2) if name in ("rows.dat", "zeros.dat") else (2,))


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    folder = tmp_path_factory.mktemp("large")
    for name, content in large_files().items():
        (folder / name).write_bytes(content)
    return folder


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        ("guess", ("--rdf", "FILE", "--out", "u.pot", *CHEAP)),
        ("convert", ("convert", "FILE", "u.table", "--units", "lj")),
        ("settings", ("refine", "--settings", "FILE")),
        ("mixture", ("guess", "FILE", "--out", "{pair}.pot")),
    ],
)
@pytest.mark.parametrize(
    "content", [b"", b"\x00\x01\x02" * 50, b"0 1 2\nnan nan nan\n", "é;".encode("utf-16") * 40]
)
def test_the_program_itself(tmp_path, kind, arguments, content):
    """As a process of its own, where nothing catches what escapes."""
    name = f"it's; a {kind}.dat" if kind != "convert" else "it's; $(a) b.pot"
    (tmp_path / name).write_bytes(content)
    done = subprocess.run(
        [sys.executable, "-c", "from cginit.cli import main; main()",
         *(name if word == "FILE" else word for word in arguments)],
        cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert_sentence(done.stderr)
    assert name in done.stderr
    assert [one.name for one in tmp_path.iterdir()] == [name]
