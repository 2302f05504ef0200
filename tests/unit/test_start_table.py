"""A table as the start of a refinement: its units and the cut-off asked for count, and it reaches beyond the core."""

from __future__ import annotations

import numpy as np
import pytest

import cginit
from cginit.curves import RDF, PairPotential
from cginit.errors import InputError
from cginit.extrapolate import check_start
from cginit.io import read_start, write_table
from cginit.state import StatePoint

NM = "nm-kJ/mol"
#: A liquid of beads of 0.28 nm in steps of 0.01 nm.
R = 0.01 * np.arange(121)
TARGET = RDF(R, np.where(R < 0.25, 0.0, 1.0), units=NM)
KT = 2.494


def table(path, end=0.9, **options):
    r = np.linspace(0.2, end, round((end - 0.2) / 0.01) + 1)
    potential = PairPotential.shifted(r, (0.28 / r) ** 12 - (0.28 / r) ** 6, units=NM)
    return write_table(potential, path, kT=KT, **options)


def test_units_of_the_header_count(tmp_path):
    # In angstrom and kcal/mol, as LAMMPS' tables are.
    in_nm, in_angstrom = table(tmp_path / "a.pot"), table(tmp_path / "a.table")
    first, second = read_start(in_nm, TARGET, KT), read_start(in_angstrom, TARGET, KT)
    assert first.units.name == second.units.name == NM
    np.testing.assert_allclose(first.u[25:], second.u[25:], rtol=1e-9, atol=1e-9)
    text = in_nm.read_text()
    in_nm.write_text(text.replace("units = nm-kJ/mol", "units = lj"))
    with pytest.raises(InputError, match="states units lj, the target has nm-kJ/mol"):
        read_start(in_nm, TARGET, KT)
    # A bare table is in the units of the target.
    in_nm.write_text("".join(line + "\n" for line in text.splitlines() if line[0] != "#"))
    np.testing.assert_array_equal(read_start(in_nm, TARGET, KT).u, first.u)


def test_the_cut_off_asked_for_counts(tmp_path):
    path = table(tmp_path / "a.pot")
    whole, short, long = (read_start(path, TARGET, KT, r_cut) for r_cut in (None, 0.6, 1.1))
    assert [x.r_cut for x in (whole, short, long)] == pytest.approx([0.9, 0.6, 1.1])
    np.testing.assert_allclose(short.u, whole.u[:61] - whole.u[60], atol=1e-12)
    np.testing.assert_allclose(long.u[:91], whole.u, atol=1e-12)
    assert not np.any(long.u[91:])
    assert "Cut at 0.6 nm" in short.notes[-1]
    with pytest.raises(
        InputError, match=r"0\.655 nm is not a multiple of the target's step 0\.01; choose another, as 0\.66"
    ):
        read_start(path, TARGET, KT, 0.655)


def test_a_cut_off_off_the_grid_of_the_target_can_be_replaced(tmp_path):
    path = table(tmp_path / "a.table", end=0.9)
    coarse = RDF(0.04 * np.arange(31), np.where(0.04 * np.arange(31) < 0.25, 0.0, 1.0), units=NM)
    with pytest.raises(InputError, match=r"cut-off 0\.9 nm of .*a.table is not a multiple .*--cutoff"):
        read_start(path, coarse, KT)
    assert read_start(path, coarse, KT, 0.88).r_cut == pytest.approx(0.88)
    # Beyond the table's own end, which is not on this grid, U is 0.
    assert read_start(path, coarse, KT, 0.92).u[-1] == 0.0


def test_rows_that_are_middles_of_bins_have_a_start_on_them(tmp_path):
    """The g(r) of LAMMPS, MDAnalysis and freud begins half a step above 0, and so does what is guessed from it."""
    r = 0.005 + 0.01 * np.arange(120)
    target = RDF(r, np.where(r < 0.25, 0.0, 1.0), units=NM)
    own = PairPotential.shifted(r[20:86], (0.28 / r[20:86]) ** 12 - (0.28 / r[20:86]) ** 6, units=NM)
    whole = read_start(write_table(own, tmp_path / "a.csv"), target, KT)
    np.testing.assert_allclose(whole.r, r[:86], atol=1e-12)
    np.testing.assert_allclose(whole.u[25:], own.u[5:], atol=1e-9)
    short = read_start(tmp_path / "a.csv", target, KT, 0.605)
    np.testing.assert_allclose(short.u, whole.u[:61] - whole.u[60], atol=1e-12)
    with pytest.raises(
        InputError, match=r"0\.6 nm is not one of the target's rows, r = 0\.005 \+ n 0\.01; .* as 0\.595"
    ):
        read_start(tmp_path / "a.csv", target, KT, 0.6)


def test_a_start_that_ends_in_the_core_fails_before_anything_runs(tmp_path):
    r = 0.01 * np.arange(21)
    short = PairPotential(r, 15 * (0.2 - r), units=NM)
    with pytest.raises(InputError, match=r"ends at r = 0.2 nm, inside the core .* begins at r = 0.25 nm"):
        check_start(short, TARGET)
    with pytest.raises(InputError, match="inside the core"):
        cginit.refine(TARGET, StatePoint(20.0, KT, NM), short, "dilute", workdir=tmp_path / "w")
    assert not (tmp_path / "w").exists()
    with pytest.raises(InputError, match="inside the core"):
        read_start(write_table(short, tmp_path / "s.pot"), TARGET, KT)
    # Read as angstrom, a table in nm always ends there.
    with pytest.raises(InputError, match="inside the core"):
        read_start(table(tmp_path / "a.dat"), TARGET, KT, 0.2)
    check_start(PairPotential(0.01 * np.arange(29), 15 * (0.28 - 0.01 * np.arange(29)), units=NM), TARGET)
