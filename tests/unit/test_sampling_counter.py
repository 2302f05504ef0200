"""The counter of pairs against a plain loop in double precision, in boxes of any shape."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import combinations_with_replacement, product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cginit.errors import InputError, MissingDependencyError
from cginit.sampling import Bins, PairCounter, cells
from cginit.sampling.counter import box_widths, lower_triangular

#: The counter compares distances in single precision: a pair nearer to an edge of a bin than this part of its
#: distance, or of the box for the rounding of its coordinates, may lie on either side. Four roundings of 6e-8.
EDGE = 3e-7


def distances(positions: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Shortest distances ``(n, n)`` over the 27 nearest images, in double precision."""
    apart = positions[None] - positions[:, None]
    parts = apart @ np.linalg.inv(vectors)
    apart = (parts - np.round(parts)) @ vectors
    square = np.full(apart.shape[:2], np.inf)
    for image in product((-1, 0, 1), repeat=3):
        moved = apart + np.array(image) @ vectors
        square = np.minimum(square, np.einsum("ijk,ijk->ij", moved, moved))
    return np.sqrt(square)


def check(counter: PairCounter, positions: np.ndarray, vectors: np.ndarray, allowed: np.ndarray) -> None:
    """Compare with the loop over all pairs that are allowed, to the last count away from edges."""
    found = counter.count(positions, vectors)
    bins, apart = counter.bins, distances(positions.astype(np.float64), vectors)
    grid = bins.grid
    edges = np.append(np.maximum(grid - 0.5 * bins.dr, 0.0), bins.upper)[bins.first :]
    assert not found[:, : bins.first].any()
    for row, (a, b) in enumerate(counter.pairs):
        kinds = np.isin(counter.types, a)[:, None] & np.isin(counter.types, b)[None]
        chosen = np.triu((kinds | kinds.T) & allowed, 1)
        r = apart[chosen]
        assert counter.numbers[row] == r.size
        # Between consecutive edges: at least what is surely inside, at most what may be. Sums from the first edge say
        # that no pair is lost or counted twice.
        for k in range(1, edges.size):
            width = EDGE * edges[k] + 1e-9
            start = EDGE * edges[0] + 1e-9
            least = np.count_nonzero((r >= edges[0] + start) & (r < edges[k] - width))
            most = np.count_nonzero((r >= edges[0] - start) & (r < edges[k] + width))
            assert least <= found[row, bins.first : bins.first + k].sum() <= most


def exact(
    counter: PairCounter, positions: np.ndarray, vectors: np.ndarray, allowed: np.ndarray
) -> np.ndarray:
    """Counts ``(rows, points)`` of the plain loop, for a configuration without pairs at an edge."""
    bins, apart = counter.bins, distances(positions.astype(np.float64), vectors)
    edges = np.append(np.maximum(bins.grid - 0.5 * bins.dr, 0.0), bins.upper)[bins.first :]
    result = np.zeros(counter.shape, dtype=np.int64)
    for row, (a, b) in enumerate(counter.pairs):
        kinds = np.isin(counter.types, a)[:, None] & np.isin(counter.types, b)[None]
        r = apart[np.triu((kinds | kinds.T) & allowed, 1)]
        assert np.min(np.abs(r[:, None] - edges) / edges) > EDGE
        result[row, bins.first :] = np.histogram(r, edges)[0]
    return result


@st.composite
def systems(draw):
    """Beads of several types in a box of any shape, some in clusters, with what does not count."""
    edges = [draw(st.floats(1.0, 20.0)) for _ in range(3)]
    vectors = np.diag(edges)
    if draw(st.booleans()):
        # As far as the longest tilt that programs reduce a box to, and beyond it.
        for row, column in ((1, 0), (2, 0), (2, 1)):
            vectors[row, column] = draw(st.floats(-0.9, 0.9)) * edges[column]
    if draw(st.booleans()):
        # Turned anyhow, or left-handed.
        vectors = (
            vectors @ np.linalg.qr(np.random.default_rng(draw(st.integers(0, 99))).normal(size=(3, 3)))[0]
        )
    n = draw(st.integers(2, 120))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    parts = rng.uniform(-1.5, 1.5, (n, 3))
    if draw(st.booleans()):
        parts = rng.uniform(0.0, 1.0, (1 + n // 20, 3))[rng.integers(0, 1 + n // 20, n)] + 0.02 * rng.normal(
            size=(n, 3)
        )
    positions = (parts @ vectors).astype(draw(st.sampled_from([np.float32, np.float64])))
    n_types = draw(st.integers(1, 4))
    types = rng.integers(0, n_types, n)
    part = draw(st.floats(0.05, 1.0))  # of half the narrowest width
    upper = part * 0.5 * float(box_widths(vectors).min())
    offset = draw(st.sampled_from([0.0, 0.5, 0.3]))
    steps = draw(st.integers(3, 60))
    dr = upper / (offset + steps + 0.5)
    bins = Bins(dr, (offset + steps) * dr, offset * dr)
    molecules = rng.integers(0, max(1, n // 3), n) if draw(st.booleans()) else None
    excluded = rng.integers(0, n, (draw(st.integers(0, 2 * n)), 2))
    return positions, vectors, types, bins, molecules, excluded


def allowed_pairs(n: int, molecules: np.ndarray | None, excluded: np.ndarray) -> np.ndarray:
    allowed = np.ones((n, n), dtype=bool)
    if molecules is not None:
        allowed &= molecules[:, None] != molecules[None]
    allowed[tuple(excluded.T)] = allowed[tuple(excluded[:, ::-1].T)] = False
    return allowed


@settings(max_examples=60, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(systems())
def test_counts_are_those_of_a_loop_over_all_pairs(system):
    positions, vectors, types, bins, molecules, excluded = system
    allowed = allowed_pairs(len(types), molecules, excluded)
    pairs = []
    for a, b in combinations_with_replacement(range(int(types.max()) + 1), 2):
        kinds = (types[:, None] == a) & (types[None] == b)
        if np.triu((kinds | kinds.T) & allowed, 1).any():
            pairs.append((a, b))
    if pairs:
        check(PairCounter(types, tuple(pairs), bins, molecules, excluded), positions, vectors, allowed)


@pytest.mark.parametrize("n", [1, 2, 3, 255, 256, 257, 258, 259, 700])
@pytest.mark.parametrize("reach", [0.3, 0.7, 1.0])
def test_one_type_to_the_last_count(n, reach):
    # Runs of a length that does and does not fill the buffer of the kernel, and its four copies of the histogram.
    rng = np.random.default_rng(n)
    vectors = np.array([[6.0, 0.0, 0.0], [2.0, 5.0, 0.0], [-1.0, 2.0, 5.5]])
    bins = Bins(
        0.5 * reach * float(box_widths(vectors).min()) / 20.5,
        0.5 * reach * float(box_widths(vectors).min()) / 20.5 * 20,
    )
    positions = rng.uniform(0.0, 1.0, (n, 3)) @ vectors
    if n == 1:
        with pytest.raises(InputError, match="no pair of beads"):
            PairCounter(np.zeros(n, dtype=int), ((0, 0),), bins)
        return
    counter = PairCounter(np.zeros(n, dtype=int), ((0, 0),), bins)
    check(counter, positions, vectors, np.ones((n, n), dtype=bool))
    # By the loop for types and exclusions as well.
    apart = PairCounter(np.zeros(n, dtype=int), ((0, 0),), bins, np.arange(n))
    object.__setattr__(apart, "_alike", False)
    np.testing.assert_array_equal(apart.count(positions, vectors), counter.count(positions, vectors))


def liquid_like(n: int = 1000) -> tuple[np.ndarray, np.ndarray]:
    """Positions on a grid of an eighth in a box of 16, all of which single precision holds, also after a shift."""
    rng = np.random.default_rng(8)
    return rng.integers(0, 128, (n, 3)) / 8.0, np.diag([16.0, 16.0, 16.0])


def test_exclusions_and_types_to_the_last_count():
    # The squares of the distances are multiples of 1/64, those of the edges are not: no pair is near an edge.
    positions, vectors = liquid_like(300)
    rng = np.random.default_rng(2)
    types, molecules = rng.integers(0, 3, 300), np.repeat(np.arange(75), 4)
    listed = rng.integers(0, 300, (500, 2))
    pairs = tuple(combinations_with_replacement(range(3), 2))
    bins = Bins(0.0731, 0.0731 * 100)
    for own, excluded in ((None, listed), (molecules, listed), (molecules, listed[:0]), (None, listed[:0])):
        counter = PairCounter(types, pairs, bins, own, excluded)
        allowed = allowed_pairs(300, own, excluded)
        np.testing.assert_array_equal(
            counter.count(positions, vectors), exact(counter, positions, vectors, allowed)
        )


def test_counts_depend_on_nothing_but_the_beads():
    positions, vectors = liquid_like()
    bins = Bins(0.1, 7.9)
    counter = PairCounter(np.zeros(1000, dtype=int), ((0, 0),), bins)
    once = counter.count(positions, vectors)
    order = np.random.default_rng(1).permutation(1000)
    # In another order, in other images, moved by a part of the box, in single precision, read-only.
    again = ((positions + 16.0 * np.random.default_rng(2).integers(-2, 3, (1000, 3)) + 0.25)[order]).astype(
        np.float32
    )
    again.flags.writeable = False
    np.testing.assert_array_equal(counter.count(again, vectors), once)
    # A dense cluster in a corner of the box crowds single cells.
    check(counter, positions / 16.0, vectors, np.ones((1000, 1000), dtype=bool))


@pytest.mark.parametrize(("distance", "hit"), [(0.5, 1), (1.5, 2), (1.0, 1), (0.4375, None), (2.5, None)])
def test_a_bin_holds_its_lower_edge_and_not_its_upper_one(distance, hit):
    # Numbers that single precision holds.
    positions = np.array([[0.0, 0.0, 0.0], [distance, 0.0, 0.0]])
    counts = PairCounter(np.zeros(2, dtype=int), ((0, 0),), Bins(1.0, 2.0)).count(
        positions, 16.0 * np.eye(3)
    )[0]
    assert np.flatnonzero(counts).tolist() == ([] if hit is None else [hit])


def test_a_turned_box_is_the_same_box():
    vectors = np.array([[4.0, 0.0, 0.0], [1.0, 5.0, 0.0], [-2.0, 1.0, 6.0]])
    assert lower_triangular(vectors)[1] is None
    turn = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))[0]
    lattice, back = lower_triangular(vectors @ turn)
    np.testing.assert_allclose(lattice, vectors, atol=1e-14)
    np.testing.assert_allclose(vectors @ turn @ back, lattice, atol=1e-14)
    np.testing.assert_allclose(box_widths(vectors @ turn), box_widths(vectors))
    assert box_widths(np.diag([2.0, 3.0, 4.0])).tolist() == pytest.approx([2.0, 3.0, 4.0])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"pairs": ((0, 1), (1, 0))}, "named twice"),
        ({"pairs": ((1, 1),)}, "types 1 and 1 is left"),
        ({"molecules": np.zeros(3)}, "is left to count"),
        ({"excluded": [[0, 1]]}, "is left to count"),
        ({"excluded": [[0, 3]]}, "names bead 3 of 3"),
    ],
)
def test_what_cannot_be_counted_is_refused(change, words):
    arguments = {"types": np.array([0, 0, 1]), "pairs": ((0, 0),), "bins": Bins(0.1, 1.0), **change}
    with pytest.raises(InputError, match=words):
        PairCounter(**arguments)


def test_configurations_that_do_not_fit_are_refused():
    counter = PairCounter(np.array([0, 0]), ((0, 0),), Bins(0.1, 1.0))
    with pytest.raises(InputError, match="half the box"):
        counter.count(np.zeros((2, 3)), np.diag([9.0, 2.0, 9.0]))
    # The edges of a skewed box are longer than it is wide.
    with pytest.raises(InputError, match="half the box"):
        counter.count(np.zeros((2, 3)), np.array([[2.2, 0.0, 0.0], [1.1, 1.9, 0.0], [0.0, 0.0, 9.0]]))
    with pytest.raises(InputError, match="2 beads need positions"):
        counter.count(np.zeros((3, 3)), 9.0 * np.eye(3))


def test_without_numba_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "cginit.sampling.kernel", None)
    counter = PairCounter(np.array([0, 0]), ((0, 0),), Bins(0.1, 1.0))
    with pytest.raises(MissingDependencyError, match=r"cginit\[sampling\]"):
        counter.count(np.zeros((2, 3)), 9.0 * np.eye(3))


def test_where_nothing_can_be_cached_it_still_compiles():
    # As in a container that is read-only: Numba finds no folder for its cache.
    code = (
        "from numba.core import caching\n"
        "caching.CacheImpl._locator_classes = []\n"
        "caching.CompileResultCacheImpl._locator_classes = []\n"
        "from cginit.sampling import cells\n"
        "import numpy as np\n"
        "print(cells.in_turns(np.array([[0.25, 0.5, 1.0]]), np.eye(3)).T.tolist())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"[[{2**30}, {-(2**31)}, 0]]"


def test_what_is_compiled_follows_changes_of_the_cells(tmp_path):
    """Numba looks at the file of a function alone; loops of other files kept what the cells had been before."""
    source = Path(cells.__file__).read_text()
    (tmp_path / "loop.py").write_text(
        "from other_cells import SHIFT, compiled\n"
        "@compiled\ndef shifted(x):\n    return x + SHIFT\nprint(shifted(1.0))\n"
    )
    found = []
    # Of other lengths: Python itself takes a file of the same size and second for the one that it has compiled.
    for shift in (1.0, 2.25):
        (tmp_path / "other_cells.py").write_text(f"{source}\nSHIFT = {shift}\n")
        done = subprocess.run(
            [sys.executable, "loop.py"],
            cwd=tmp_path,
            env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache")},
            capture_output=True,
            text=True,
            check=True,
        )
        found.append(float(done.stdout))
    assert found == [2.0, 3.25]
    assert list((tmp_path / "cache").rglob("*.nbc"))
