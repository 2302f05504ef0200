"""Files of g(r) as programs and people save them: which column is which, and what is said about it."""

from __future__ import annotations

import codecs
import logging

import numpy as np
import pytest

from cginit.errors import InputError
from cginit.io import rdf_reading, read_rdf, read_rdf_header

NM, ANGSTROM = "nm-kJ/mol", "angstrom-kcal/mol"
R = np.arange(1, 101) * 0.02
DENSITY = 8.0


def liquid(r, sigma=0.4):
    """A dense liquid's g(r) in form: core, main peak, an oscillation that dies off."""
    core = 1.0 / (1.0 + np.exp(-(r - 0.95 * sigma) / (0.02 * sigma)))
    wave = np.cos(2 * np.pi * (r / sigma - 1.08)) * np.exp(-(r / sigma - 1.08) / 0.6)
    return core * np.maximum(1.0 + 1.8 * wave, 0.0)


G = liquid(R)
SECOND = liquid(R, 0.32)
NUMBER = np.cumsum(4 * np.pi * DENSITY * R**2 * G * 0.02)
COUNTS = 1000 * R**2 * G
ERROR = 0.004 * np.sqrt(G) / R


def text(*columns, head="", separator=" ", form="%.8g"):
    return head + "".join(separator.join(form % x for x in row) + "\n" for row in zip(*columns, strict=True))


def save(folder, content, name="g.dat"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


COMMON = [
    # VMD's gofr, LAMMPS tidied up, freud saved without a header
    ("g.dat", text(R, G, NUMBER)),
    ("g.dat", text(R, G, NUMBER).replace("\n", "\r\n")),
    ("g.dat", codecs.BOM_UTF8 + text(R, G, NUMBER).encode()),
    ("g.dat", text(R, G, NUMBER, separator="\t")),
    # its lists as they are, with the histogram and the numbers of frames
    (
        "g.dat",
        "".join("{{{}}} ".format(" ".join(f"{x:.8g}" for x in row)) for row in (R, G, NUMBER, COUNTS))
        + "{0 500 0}\n",
    ),
    # TRAVIS
    ("rdf.csv", text(1000 * R, G, NUMBER, head="# Distance / pm;  g(r);  Integral\n", separator=";  ")),
    ("rdf.csv", text(1000 * R, G, NUMBER, head="# Distance [pm];  g(r);  Integral\n", separator=";  ")),
    # its file of all contributions
    (
        "rdf.csv",
        text(1000 * R, G, 0.6 * G, 0.4 * G, head="# Distance / pm;  g(r);  A - B;  A - C\n", separator=";  "),
    ),
    # freud and MDAnalysis through pandas or NumPy
    ("g.csv", text(R, G, NUMBER, head="bin_centers,rdf,n_r\n", separator=",")),
    ("g.csv", text(R, G, COUNTS, head="bins,rdf,count\n", separator=",")),
    ("g.csv", text(R, G, NUMBER, head='"r";"g(r)";"coordination number"\n', separator=";")),
    ("g.csv", text(R, NUMBER, G, head="r,n(r),g(r)\n", separator=",")),
    ("g.txt", text(R, G, NUMBER, head="# r (nm)   g(r)   running coordination number\n")),
    ("g.txt", text(R, COUNTS, G, head="# r counts g\n")),
    # pandas with its index, with and without names, and white space
    ("g.csv", text(np.arange(100), R, G, head=",r,g\n", separator=",")),
    ("g.csv", text(np.arange(100), R, G, head=",0,1\n", separator=",")),
    ("g.csv", text(R, G, head="0,1\n", separator=",")),
    ("g.csv", text(np.arange(100), R, G, NUMBER, head="Unnamed: 0,r,g,cn\n", separator=",")),
    ("g.tsv", text(np.arange(100), R, G, head="\tr\tg\n", separator="\t")),
    ("g.dat", text(np.arange(1, 101), R, G)),
    # GROMACS: one legend, the axis that states its unit, an error
    (
        "rdf.xvg",
        text(R, G, head='@    title "RDF"\n@    xaxis  label "r (nm)"\n@ TYPE xy\n@ s0 legend "SOL"\n'),
    ),
    # a column of zeros, as where no error was computed
    ("g.dat", text(R, G, 0 * R)),
    ("g.dat", text(R, G, 0 * R).replace("\n", " i\n")),
    # OVITO
    ("g.txt", text(R, G, head='# "Pair separation distance" "g(r)"\n')),
    # two long rows of NumPy, and three
    ("g.dat", "\n".join(" ".join(f"{x:.18e}" for x in row) for row in (R, G)) + "\n"),
    ("g.dat", "\n".join(" ".join(f"{x:.8g}" for x in row) for row in (R, G, NUMBER)) + "\n"),
]


@pytest.mark.parametrize(("name", "content"), COMMON)
def test_r_and_g_are_found_and_the_rest_is_no_error(tmp_path, name, content):
    found = rdf_reading(save(tmp_path, content, name), units=NM)
    np.testing.assert_allclose(found.rdf.r, R, rtol=1e-7)
    np.testing.assert_allclose(found.rdf.g, G, rtol=1e-6, atol=1e-12)
    assert found.rdf.error is None
    assert found.line.startswith("read as ")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("g.dat", text(R, G, ERROR)),
        ("g.dat", text(R, G, ERROR).replace("\n", " i\n")),
        ("g.dat", text(R, G, np.full(100, 0.01))),
        ("g.csv", text(R, G, NUMBER, ERROR, head="r,g,n,g_error\n", separator=",")),
        ("g.csv", text(R, G, ERROR, head="r,g(r),std\n", separator=",")),
        ("g.xvg", text(R, G, ERROR, head='@ title "g"\n@TYPE xydy\n')),
        ("g.dat", text(R, G, ERROR, NUMBER)),
    ],
)
def test_errors_are_still_errors(tmp_path, name, content):
    found = rdf_reading(save(tmp_path, content, name), units=NM)
    np.testing.assert_allclose(found.rdf.g, G, rtol=1e-6, atol=1e-12)
    assert found.rdf.error is not None
    assert found.rdf.error.max() < 0.1
    assert "standard error" in found.line


@pytest.mark.parametrize("density", [1e-4, 0.01, 1.0, 100.0])
def test_a_running_number_is_known_at_any_density(tmp_path, density):
    # At low density it is as small as an error would be.
    found = rdf_reading(save(tmp_path, text(R, G, density * NUMBER / DENSITY)), units=NM)
    assert found.rdf.error is None
    assert "column 3 (a running number" in found.line


def test_the_line_says_what_was_read_as_what(tmp_path):
    found = rdf_reading(
        save(tmp_path, text(R, G, NUMBER, head="r,g_r,coordination\n", separator=",")), units=NM
    )
    assert found.line == "read as CSV: r, g_r, coordination left out"
    found = rdf_reading(save(tmp_path, text(range(100), R, G, head=",r,g\n", separator=",")), units=NM)
    assert found.line == "read as CSV: r in column 2, g in column 3"


def test_python_hears_of_what_is_left_out(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        read_rdf(save(tmp_path, text(R, G, NUMBER)), units=NM)
    assert "running number" in caplog.text
    caplog.clear()
    read_rdf(save(tmp_path, text(R, G, ERROR)), units=NM)
    assert caplog.text == ""


TWO = [
    ("g.dat", text(R, G, SECOND)),
    ("g.dat", text(R, G, SECOND, head="# r  g(A-A)  g(A-B)\n")),
    ("g.xvg", text(R, G, SECOND, head='@    title "RDF"\n@TYPE xy\n')),
    ("g.xvg", text(R, G, SECOND, head='@ xaxis label "r (nm)"\n@ s0 legend "A-A"\n@ s1 legend "A-B"\n')),
    ("g.csv", text(R, G, NUMBER, SECOND, NUMBER, head="r,A-A,cn A-A,A-B,cn A-B\n", separator=",")),
    ("g.dat", text(R, G, SECOND, SECOND, SECOND)),
]


@pytest.mark.parametrize(("name", "content"), TWO)
def test_a_second_curve_is_never_the_error(tmp_path, name, content):
    with pytest.raises(InputError, match=r"holds [24] curves: column 2.*--column 2"):
        rdf_reading(save(tmp_path, content, name), units=NM)
    first = rdf_reading(tmp_path / name, units=NM, column=2).rdf
    np.testing.assert_allclose(first.g, G, rtol=1e-6, atol=1e-12)
    assert first.error is None


@pytest.mark.parametrize("column", [3, "3", "A-B", "g(A-B)", "a-b"])
def test_a_column_is_chosen_by_number_or_name(tmp_path, column):
    path = save(tmp_path, text(R, G, SECOND, head="# r  g(A-A)  g(A-B)\n"))
    found = rdf_reading(path, units=NM, column=column)
    np.testing.assert_allclose(found.rdf.g, SECOND, rtol=1e-6, atol=1e-12)
    assert "g(A-B) in column 3" in found.line
    assert "g(A-A) left out" in found.line


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ("4", "no column 4"),
        ("0", "no column 0"),
        ("B-B", "'B-B'"),
        ("g", "several columns"),
        ("1", "distances"),
    ],
)
def test_a_column_that_is_not_there_is_named(tmp_path, column, words):
    path = save(tmp_path, text(R, G, SECOND, head="# r  g(A-A)  g(A-B)\n"))
    with pytest.raises(InputError, match=words):
        rdf_reading(path, units=NM, column=column)


@pytest.mark.parametrize(
    ("values", "words"), [(NUMBER, "running coordination number"), (COUNTS, "histogram")]
)
def test_what_grows_with_the_volume_is_no_g(tmp_path, values, words):
    with pytest.raises(InputError, match=words):
        rdf_reading(save(tmp_path, text(R, values)), units=NM)
    with pytest.raises(InputError, match=words):
        rdf_reading(save(tmp_path, text(R, G, values, head="r g n\n")), units=NM, column=3)


def test_a_running_number_alone_is_refused_by_its_name(tmp_path):
    path = save(tmp_path, text(R, 0.01 * NUMBER, head='@ xaxis label "r (nm)"\n@ yaxis label "number"\n'))
    with pytest.raises(InputError, match="no column of g"):
        rdf_reading(path, units=NM)


def test_an_error_as_large_as_g_is_noted(tmp_path):
    found = rdf_reading(save(tmp_path, text(R, G, np.full(100, 0.9), head="r g error\n")), units=NM)
    assert "as large as g" in found.notes[0]


def test_beads_counted_with_themselves_are_left_out(tmp_path):
    # MDAnalysis' InterRDF of a group with itself, without exclusion_block.
    g = G.copy()
    assert g[:6].max() < 1e-6
    g[:6] = 0.0
    alone = np.where(R < 0.03, 1492.97, g)
    found = rdf_reading(save(tmp_path, text(R, alone)), units=NM)
    assert "counted with itself" in found.notes[0]
    np.testing.assert_allclose(found.rdf.g, g, rtol=1e-6)
    # A soft core, or a curve that begins at contact, is no such thing.
    assert rdf_reading(save(tmp_path, text(R, np.where(R < 0.1, 0.3, G))), units=NM).notes == ()
    assert rdf_reading(save(tmp_path, text(R, g)), units=NM).notes == ()


def test_labels_of_curves_are_not_taken_for_words_in_them(tmp_path):
    path = save(tmp_path, text(R, G, head='@ xaxis label "r (nm)"\n@ s0 legend "Counterion ferrocene"\n'))
    np.testing.assert_allclose(rdf_reading(path, units=NM).rdf.g, G, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize(
    ("label", "factor"),
    [("r (nm)", 10.0), ("Distance / pm", 0.01), ("r [A]", 1.0), ("r_nm", 10.0), ("r", 1.0)],
)
def test_a_unit_in_the_label_counts(tmp_path, label, factor):
    path = save(tmp_path, text(R, G, head=f"{label},g(r)\n", separator=","))
    found = rdf_reading(path, units=ANGSTROM)
    np.testing.assert_allclose(found.rdf.r, factor * R, rtol=1e-7)
    assert ("converted to angstrom" in found.line) == (factor != 1.0)
    if label != "r":
        with pytest.raises(InputError, match="no lj units"):
            rdf_reading(path, units="lj")


def lammps(*blocks, pairs=1):
    """Lines of ``fix ave/time mode vector`` of ``compute rdf``, as LAMMPS prints them."""
    names = " ".join(f"c_g[{k}]" for k in range(1, 2 + 2 * pairs))
    lines = f"# Time-averaged data for fix a\n# TimeStep Number-of-rows\n# Row {names}\n"
    for step, columns in enumerate(blocks, 1):
        lines += f"{1000 * step} {R.size}\n"
        for row, values in enumerate(zip(*columns, strict=True), 1):
            lines += f"{row} {' '.join(f'{value:.6g}' for value in values)}\n"
    return lines


def lammps_yaml(*blocks, pairs=1):
    """Lines of the same in YAML."""
    names = " ".join(f"c_g[{k}]" for k in range(1, 2 + 2 * pairs))
    keys = "".join(f"'{name}', " for name in names.split())
    lines = f"# Time-averaged data for fix a\n# TimeStep Number-of-rows\n# Row {names}\n"
    lines += f"---\nkeywords: [{keys}]\ndata:\n"
    for step, columns in enumerate(blocks, 1):
        lines += f"  {1000 * step}:\n"
        lines += "".join(
            f"  - [{', '.join(repr(float(v)) for v in row)}, ]\n" for row in zip(*columns, strict=True)
        )
    return lines + "...\n"


FORMS = pytest.mark.parametrize(("form", "name"), [(lammps, "rdf.dat"), (lammps_yaml, "rdf.yaml")])


@FORMS
def test_lammps_blocks_are_averaged(tmp_path, form, name):
    rng = np.random.default_rng(7)
    sigma = 0.02 * np.sqrt(G) / R * 0.1
    blocks = [(10 * R, np.maximum(G + sigma * rng.normal(size=R.size), 0.0), NUMBER) for _ in range(4)]
    found = rdf_reading(save(tmp_path, form(*blocks), name), units=ANGSTROM)
    assert found.line == (
        "read as LAMMPS compute rdf: r, g of pair 1, coordination of pair 1 left out; "
        "mean of 4 blocks with the error of it"
    )
    np.testing.assert_allclose(found.rdf.r, 10 * R, rtol=1e-6)
    mean = np.mean([g for _, g, _ in blocks], axis=0)
    np.testing.assert_allclose(found.rdf.g, mean, rtol=1e-5, atol=1e-6)
    # The error is one number for some 80 points of three degrees of freedom each: known to 1/sqrt(2 * 240) = 5 %, and
    # the bound is four of these.
    shown = G > 0.1
    np.testing.assert_allclose(found.rdf.error[shown] / (0.5 * sigma[shown]), 1.0, atol=0.2)


@FORMS
def test_lammps_blocks_that_say_the_same_have_no_error(tmp_path, form, name):
    found = rdf_reading(save(tmp_path, form((R, G, NUMBER), (R, G, NUMBER)), name), units="lj")
    assert found.line.endswith("mean of 2 blocks")
    assert found.rdf.error is None
    np.testing.assert_allclose(found.rdf.g, G, rtol=1e-5, atol=1e-6)


def test_the_last_block_of_a_running_average_stands(tmp_path):
    rng = np.random.default_rng(3)
    noise = np.cumsum(0.05 * rng.normal(size=(6, R.size)), axis=0) / np.arange(1, 7)[:, None]
    blocks = [(R, np.maximum(G + row, 0.0), NUMBER) for row in noise]
    found = rdf_reading(save(tmp_path, lammps(*blocks)), units="lj")
    assert "last of 6 blocks" in found.line
    np.testing.assert_allclose(found.rdf.g, blocks[-1][1], rtol=1e-5, atol=1e-6)
    assert found.rdf.error is None


@FORMS
def test_lammps_pairs_are_chosen(tmp_path, form, name):
    path = save(tmp_path, form((R, G, NUMBER, SECOND, NUMBER), pairs=2), name)
    with pytest.raises(
        InputError, match=r"2 curves: column \d \(g of pair 1, c_g\[2\]\), column \d \(g of pair 2"
    ):
        rdf_reading(path, units="lj")
    for column in ("c_g[4]", "pair 2", "g of pair 2"):
        np.testing.assert_allclose(
            rdf_reading(path, units="lj", column=column).rdf.g, SECOND, rtol=1e-5, atol=1e-6
        )


def test_lammps_units_are_asked_for(tmp_path):
    path = save(tmp_path, lammps((R, G, NUMBER)))
    with pytest.raises(InputError, match=r"--units.*angstrom \(real, metal\) or lj"):
        rdf_reading(path)
    with pytest.raises(InputError, match="not in nm"):
        rdf_reading(path, units=NM)


def test_a_block_cut_short_by_the_end_of_a_run_is_left_out(tmp_path):
    content = lammps((R, G, NUMBER), (R, SECOND, NUMBER))
    short = "".join(content.splitlines(keepends=True)[:-20])
    np.testing.assert_allclose(rdf_reading(save(tmp_path, short), units="lj").rdf.g, G, rtol=1e-5, atol=1e-6)
    with pytest.raises(InputError, match="not complete"):
        rdf_reading(save(tmp_path, "".join(content.splitlines(keepends=True)[:50])), units="lj")


def test_arrays_of_numpy(tmp_path):
    np.save(tmp_path / "rows.npy", np.stack([R, G]))
    np.save(tmp_path / "columns.npy", np.stack([R, G, NUMBER], axis=1))
    np.savez(
        tmp_path / "named.npz", edges=np.append(R, 2.02) - 0.01, bins=R, rdf=G, count=COUNTS, n=np.array(100)
    )
    np.savez(tmp_path / "error.npz", g_err=ERROR, r=R.astype(np.float32), g=G)
    for name in ("rows.npy", "columns.npy", "named.npz", "error.npz"):
        found = rdf_reading(tmp_path / name, units=NM)
        np.testing.assert_allclose(found.rdf.r, R, rtol=1e-6)
        np.testing.assert_array_equal(found.rdf.g, G)
        assert (found.rdf.error is not None) == (name == "error.npz")
        assert read_rdf_header(tmp_path / name).units is None
        assert read_rdf_header(tmp_path / name).source.startswith("sha256:")


def test_arrays_that_are_no_curve_are_named(tmp_path):
    np.savez(tmp_path / "a.npz", frames=np.zeros((3, 3, 3)), names=np.array(["a"]))
    with pytest.raises(InputError, match=r"frames of shape \(3, 3, 3\)"):
        rdf_reading(tmp_path / "a.npz", units=NM)
    (tmp_path / "b.npy").write_bytes(b"\x93NUMPY broken")
    with pytest.raises(InputError, match=r"no \.npy or \.npz"):
        rdf_reading(tmp_path / "b.npy", units=NM)
    np.savez(tmp_path / "d.npz", r=R, g=G)
    damaged = bytearray((tmp_path / "d.npz").read_bytes())
    damaged[300] ^= 255
    (tmp_path / "d.npz").write_bytes(bytes(damaged))
    with pytest.raises(InputError, match=r"no \.npy or \.npz"):
        rdf_reading(tmp_path / "d.npz", units=NM)
    (tmp_path / "c.dat").write_text(" ".join(["1.0"] * 20) + "\n" + " ".join(["0.5"] * 20) + "\n")
    with pytest.raises(InputError, match="side by side"):
        rdf_reading(tmp_path / "c.dat", units=NM)


def test_tens_of_thousands_of_columns_are_no_curve(tmp_path):
    wide = "\n".join(" ".join([f"{0.1 * k}"] * 10_001) for k in range(12))
    with pytest.raises(InputError, match="line 1 has 10001 columns"):
        rdf_reading(save(tmp_path, wide))
