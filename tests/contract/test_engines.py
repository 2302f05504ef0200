"""Every engine keeps the contract: one line each."""

from __future__ import annotations

import pytest

from cginit.engines.dilute import DiluteEngine
from cginit.engines.hoomd import HoomdEngine
from cginit.engines.lammps import LammpsEngine
from cginit.testing import check_engine

ENGINES = [
    pytest.param(DiluteEngine(), True, id="dilute"),
    pytest.param(LammpsEngine(), False, id="lammps", marks=pytest.mark.lammps),
    pytest.param(HoomdEngine(), False, id="hoomd", marks=pytest.mark.hoomd),
]


@pytest.mark.parametrize(("engine", "exact"), ENGINES)
def test_keeps_the_contract(engine, exact, tmp_path):
    check_engine(engine, tmp_path, exact=exact)
