"""Inputs as users have them, and as disks, editors, programs and languages spoil them."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st

from cginit import PairPotential
from cginit.io import convert, write_table

#: What stands where a number should.
ODD = (
    *(
        "nan",
        "-nan",
        "NaN",
        "inf",
        "-inf",
        "1e999",
        "-1e308",
        "1e308",
        "1e-320",
        "0",
        "-0.0",
        "-1",
        "",
        "--",
        "*****",
    ),
    *(
        "1,5",
        "1.5.2",
        "0x10",
        "1_000",
        "1d-3",
        "1.0E+",
        "None",
        "null",
        "true",
        "NA",
        "#",
        "@",
        '"1',
        "'",
        "(1+2j)",
    ),
    *(
        "１",
        "٣",
        "1\u00a02",
        "\u2212",
        "\x00",
        "\ud7ff",
        "é" * 30,
        "9" * 400,
        "{}",
        "%s",
        "${HOME}",
        "`id`",
        "A; rm",
    ),
)
#: Lines that are in nobody's format, or in somebody else's.
LINES = (
    *(
        "",
        " ",
        "#",
        "# r g error",
        "r,g",
        "r;g;n",
        '@ s0 legend "A"',
        "@TYPE xydy",
        "&",
        "r g(r)",
        "0",
        "0 0 0 0 0",
    ),
    *(
        "ITEM: TIMESTEP",
        "# TimeStep Number-of-rows",
        "100 50",
        "N 10 R 0 1",
        '<?xml version="1.0"?>',
        "---",
        "[]",
    ),
    *("# cginit: units = lj", "# cginit: units = feet", "# cginit: density = nan", "# cginit: density = -1"),
    *(
        "# cginit: kT = 0",
        "# cginit: beads = 1e400",
        "# cginit: long_wave = 1",
        "# cginit: structure_factor = 1 0",
        "# cginit: =",
        "# cginit: units",
    ),
    *(
        "# cginit: density = 1e300",
        "# cginit: kT = 1e-300",
        "# cginit: version = 99",
        "UNITS: real",
        "\ufeff",
    ),
)
MARKS = (
    "\ufeff".encode(),
    b"\xff\xfe",
    b"\xfe\xff",
    b"\x00",
    b"\xff",
    b"\r",
    b"\x1a",
    b"\x1f\x8b",
    b"PK\x03\x04",
)
NUMBER = re.compile(rb"[-+]?\d+\.?\d*(?:[eE][-+]?\d+)?")


@st.composite
def spoiled(draw: st.DrawFn, content: bytes) -> bytes:
    """Spoil a file once or a few times."""
    for _ in range(draw(st.integers(1, 3))):
        content = draw(st.sampled_from(WAYS))(draw, content)
    return content


def _place(draw: st.DrawFn, content: bytes) -> int:
    return draw(st.integers(0, len(content)))


def _cut(draw: st.DrawFn, content: bytes) -> bytes:
    return content[: _place(draw, content)]


def _headless(draw: st.DrawFn, content: bytes) -> bytes:
    return content[_place(draw, content) :]


def _hole(draw: st.DrawFn, content: bytes) -> bytes:
    begin, end = sorted((_place(draw, content), _place(draw, content)))
    return content[:begin] + content[end:]


def _again(draw: st.DrawFn, content: bytes) -> bytes:
    begin, end = sorted((_place(draw, content), _place(draw, content)))
    return content[:end] + content[begin:]


def _binary(draw: st.DrawFn, content: bytes) -> bytes:
    at = _place(draw, content)
    return content[:at] + draw(st.binary(min_size=1, max_size=20)) + content[at:]


def _flipped(draw: st.DrawFn, content: bytes) -> bytes:
    if not content:
        return content
    at = draw(st.integers(0, len(content) - 1))
    return content[:at] + bytes([content[at] ^ (1 << draw(st.integers(0, 7)))]) + content[at + 1 :]


def _odd_number(draw: st.DrawFn, content: bytes) -> bytes:
    found = list(NUMBER.finditer(content))
    if not found:
        return content
    one = draw(st.sampled_from(found[:400]))
    new = draw(st.sampled_from(ODD) | st.floats().map(repr) | st.integers().map(str))
    return content[: one.start()] + new.encode("utf-8", "surrogatepass") + content[one.end() :]


def _odd_line(draw: st.DrawFn, content: bytes) -> bytes:
    lines = content.split(b"\n")
    at = draw(st.integers(0, len(lines)))
    lines.insert(at, draw(st.sampled_from(LINES) | st.text(max_size=30)).encode("utf-8", "replace"))
    return b"\n".join(lines)


def _lines_moved(draw: st.DrawFn, content: bytes) -> bytes:
    lines = content.split(b"\n")
    a, b = (draw(st.integers(0, len(lines) - 1)) for _ in "ab")
    lines[a], lines[b] = lines[b], lines[a]
    return b"\n".join(lines)


def _column_lost(draw: st.DrawFn, content: bytes) -> bytes:
    k = draw(st.integers(0, 3))
    rows = [line.split() for line in content.split(b"\n")]
    return b"\n".join(b" ".join(row[:k] + row[k + 1 :]) for row in rows)


def _column_twice(draw: st.DrawFn, content: bytes) -> bytes:
    k = draw(st.integers(0, 3))
    rows = [line.split() for line in content.split(b"\n")]
    return b"\n".join(b" ".join(row[: k + 1] + row[k:]) for row in rows)


def _marked(draw: st.DrawFn, content: bytes) -> bytes:
    mark = draw(st.sampled_from(MARKS))
    return mark + content if draw(st.booleans()) else content + mark


def _other_line_ends(draw: st.DrawFn, content: bytes) -> bytes:
    return content.replace(b"\n", draw(st.sampled_from((b"\r\n", b"\r", b"\n\n", b"\x0b", b"\x85", b"\x00"))))


def _decimal_commas(draw: st.DrawFn, content: bytes) -> bytes:
    separator = draw(st.sampled_from((b" ", b";", b"\t", b",")))
    return content.replace(b".", b",").replace(b" ", separator)


def _other_separator(draw: st.DrawFn, content: bytes) -> bytes:
    return content.replace(
        b" ", draw(st.sampled_from((b",", b";", b"\t", b"|", b"", b"\xa0", b" , ", b'" "')))
    )


def _other_encoding(draw: st.DrawFn, content: bytes) -> bytes:
    text = content.decode("utf-8", "replace")
    return text.encode(draw(st.sampled_from(("utf-16", "utf-16-le", "utf-32", "utf-7", "cp037"))), "replace")


WAYS = (
    *(
        _cut,
        _headless,
        _hole,
        _again,
        _binary,
        _flipped,
        _odd_number,
        _odd_number,
        _odd_number,
        _odd_line,
        _odd_line,
    ),
    *(
        _lines_moved,
        _column_lost,
        _column_twice,
        _marked,
        _other_line_ends,
        _decimal_commas,
        _other_separator,
    ),
    *(_other_encoding,),
)

#: Options and the values that they get besides sensible ones.
NUMBERS = st.sampled_from(
    (
        "0",
        "-1",
        "1",
        "0.3",
        "1e-300",
        "1e300",
        "nan",
        "inf",
        "-inf",
        "1e400",
        "0.001",
        "33.3",
        "300",
        "abc",
        "",
        "1,5",
    )
)
WORDS = st.sampled_from(
    ("lj", "nm-kJ/mol", "angstrom-kcal/mol", "feet", "", "LJ", "hnc", "boltzmann", "network", "-")
)
#: Names of files that shells, formats and paths trip over.
NAMES = st.sampled_from(
    ("a b.dat", "it's.dat", '"q".dat', "$(x).dat", "{pair}.dat", "{0}.dat", "%s.dat", "a\nb.dat", "-x.dat", "#1.dat",
     "~.dat", "ü.dat", "*.dat", "a;b.dat", ".dat", "..dat", "sub/../t.dat", "A.dist.tgt", "\u202e.dat", "x" * 200)
)  # fmt: skip


def liquid(n: int = 61, dr: float = 0.05) -> tuple[np.ndarray, np.ndarray]:
    """Return r and a g(r) that looks like that of a liquid."""
    r = dr * np.arange(n)
    return r, np.where(
        r < 0.8, 0.0, 1.0 + 1.5 * np.exp(-(((r - 1.1) / 0.15) ** 2)) - 0.2 * np.exp(-(((r - 1.6) / 0.2) ** 2))
    )


def columns(*values: Sequence[float], separator: str = " ") -> bytes:
    """Return columns as text."""
    return "".join(
        separator.join(f"{x:.6g}" for x in row) + "\n" for row in zip(*values, strict=True)
    ).encode()


def targets() -> dict[str, bytes]:
    """Return one g(r) in layouts that programs write."""
    r, g = liquid()
    head = b"# cginit: units = lj\n# cginit: density = 0.3\n# cginit: kT = 1.0\n"
    error = np.full(r.size, 0.01)
    rows = columns(r, g, error)
    number = np.cumsum(g * r**2)
    index = np.arange(1.0, r.size + 1.0)
    block = b"# a\n# TimeStep Number-of-rows\n# Row c_rdf[1] c_rdf[2] c_rdf[3]\n" + f"100 {r.size}\n".encode()
    return {
        "plain": head + rows,
        "votca": head + rows.replace(b"\n", b" i\n"),
        "csv": head + b"r,g,error\n" + columns(r, g, error, separator=","),
        "xvg": head + b'@ title "g"\n@ s0 legend "A-A"\n@TYPE xy\n' + columns(r, g),
        "vmd": head + columns(r, g, number),
        "pandas": head + b",r,g\n" + columns(index, r, g, separator=","),
        "lammps": head + block + columns(index, r, g, number),
    }


def structure_factor() -> bytes:
    """Return an S(k)."""
    k = 0.2 * np.arange(1, 80)
    return columns(k, 1.0 - 0.6 * np.exp(-k), np.full(k.size, 0.01))


def tables(folder) -> dict[str, bytes]:
    """Return one potential in every format, written by the program itself."""
    r = np.linspace(0.0, 2.5, 51)
    potential = PairPotential.shifted(
        r, 4.0 * np.exp(-2.0 * r**2) - np.exp(-((r - 1.2) ** 2)), units="nm-kJ/mol"
    )
    names = (
        "u.pot",
        "u.tab",
        "u.table",
        "u.xvg",
        "u.npz",
        "u.xml",
        "u.espresso.npz",
        "TABLE",
        "u.csv",
        "u.dat",
    )
    found = {name: write_table(potential, folder / name, kT=2.5).read_bytes() for name in names}
    assert convert is not None
    # The tables of programs have thousands of rows; the places at which they can be spoiled are the same in fewer.
    return {
        name: data if b"\x00" in data[:100] or name == "TABLE" else _fewer(data)
        for name, data in found.items()
    }


def _fewer(data: bytes, most: int = 200) -> bytes:
    lines = data.split(b"\n")
    return data if len(lines) <= 2 * most else b"\n".join(lines[:most] + lines[-most:])


SETTINGS = b"""<?xml version="1.0"?>
<cg>
  <!-- of csg_inverse -->
  <non-bonded><name>CG-CG</name><type1>CG</type1><type2>CG</type2><min>0</min><max>1.2</max><step>0.05</step>
    <inverse><target>t.dat</target><update_cycles>1</update_cycles><particle_dens>0.3</particle_dens>
      <lammps><table_bins>0.01</table_bins></lammps></inverse>
  </non-bonded>
  <inverse><kBT>2.49435</kBT><program>lammps</program><method>ibi</method><iterations_max>3</iterations_max></inverse>
</cg>
"""
MIXTURE = b"""units = "lj"
kT = 1.0
step = 0.05

[densities]
A = 0.1
B = 0.2

[targets]
"A-A" = "t.dat"
"A-B" = "t.dat"
"B-B" = "t.dat"
"""
STATES = b"""units = "lj"
[[states]]
target = "t.dat"
density = 0.1
kT = 1.0
weight = 2.0
[[states]]
target = "t.dat"
density = 0.1
kT = 1.5
"""
MAPPING = b"""molecules:
  - select: resname SOL
    per: residue
    beads:
      - {type: W, atoms: OW HW1 HW2, weights: [16, 1, 1]}
      - {type: X, select: name OW, centre: geometry, name: x}
    bonds: [[W, X]]
exclusions: 1-2
"""
VOTCA_MAPPING = b"""<cg_molecule><name>sol</name><ident>SOL</ident>
<topology><cg_beads><cg_bead><name>A</name><type>A</type><mapping>M</mapping>
<beads>1:SOL:OW 1:SOL:HW1</beads></cg_bead></cg_beads>
<cg_bonded><bond><name>b</name><beads>A A</beads></bond></cg_bonded></topology>
<maps><map><name>M</name><weights>16 1</weights></map></maps></cg_molecule>
"""
