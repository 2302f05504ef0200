"""What a refinement shows of itself: while it runs, in a notebook, as a figure and as a data frame."""

from __future__ import annotations

import inspect
import re
import sys
from types import ModuleType, SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pytest

import cginit
from cginit import RDF, InputError, Limits, PairPotential, StatePoint
from cginit.display import in_notebook
from cginit.refine.progress import progress_of
from made_refinements import mixture, trimers

R = np.linspace(0.0, 3.0, 61)
TRUE = PairPotential.shifted(R, 1.8 * np.exp(-(R**2)) - 0.8 * np.exp(-8 * (R - 1.3) ** 2), units="lj")
TARGET = RDF(R, np.exp(-TRUE.u), np.full(R.size, 1e-3), units="lj")
FLAT = PairPotential(R, np.zeros(R.size), units="lj")
STATE = StatePoint(0.05, 1.0, "lj")
WAITS = re.compile(r"iteration (\d) is being simulated, since \d\d:\d\d:\d\d")


def refined(start=FLAT, **more):
    return cginit.refine(TARGET, STATE, start, "dilute", limits=Limits(3), **more)


@pytest.fixture
def notebook(monkeypatch):
    """What an IPython with a kernel is, as far as it is asked; returns what was displayed, in order."""
    shown = []

    class Handle:
        def update(self, thing):
            shown.append(thing._repr_html_())

    def display(thing, display_id):
        assert display_id
        shown.append(thing._repr_html_())
        return Handle()

    ipython, module = ModuleType("IPython"), ModuleType("IPython.display")
    ipython.get_ipython = lambda: SimpleNamespace(kernel=object())
    module.display = display
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", module)
    return shown


def test_a_notebook_shows_how_far_it_is_without_being_asked(notebook):
    assert in_notebook()
    result = refined()
    assert WAITS.search(notebook[0])[1] == "0"
    rows = [ElementTree.fromstring(f"<a>{one}</a>".replace("&", "+")).findall(".//tr") for one in notebook]
    # A head and one row a round; the last change is the sentence of the end.
    assert [max(len(one) - 1, 0) for one in rows] == [*range(len(result.rounds) + 1), len(result.rounds)]
    assert WAITS.search(notebook[1])[1] == "1"
    assert "to the cap of 3" in notebook[1]
    assert result.reason in notebook[-1]
    assert not WAITS.search(notebook[-1])


def test_a_script_says_nothing_unless_asked(capsys):
    assert not in_notebook()
    result = refined()
    assert capsys.readouterr() == ("", "")
    again = refined(progress=True)
    said = capsys.readouterr()
    assert said.out == ""
    lines = said.err.splitlines()
    assert [one.split(":")[0] for one in lines[:-1]] == [f"iteration {k}" for k in range(len(again.rounds))]
    assert lines[-1] == again.reason == result.reason


def test_false_and_a_function_of_ones_own_show_nothing_in_a_notebook(notebook):
    refined(progress=False)
    seen = []
    result = refined(progress=seen.append)
    assert notebook == []
    assert [one.index for one in seen] == list(range(len(result.rounds)))


def test_one_that_is_interrupted_does_not_go_on_waiting(notebook):
    with pytest.raises(KeyboardInterrupt), progress_of(None, (), 3):
        raise KeyboardInterrupt
    assert "stopped by KeyboardInterrupt" in notebook[-1]
    assert not WAITS.search(notebook[-1])


def test_without_a_start_there_is_a_guess():
    result = refined(None, r_cut=2.0)
    start = result.rounds[0][0].pairs.only()
    assert start.r_cut == 2.0
    np.testing.assert_allclose(
        start.u, cginit.guess(TARGET, STATE, "polished", 2.0).u, atol=1e-6, err_msg="settled"
    )
    with pytest.raises(InputError, match="leave out r_cut"):
        refined(FLAT, r_cut=2.0)


def test_the_result_is_a_card_a_figure_and_a_frame():
    pytest.importorskip("matplotlib").use("agg")
    result = refined()
    assert result.targets[0].rdfs.only() is not None
    card = result._repr_html_()
    assert result.reason in card
    lines = re.findall(r'<polyline points="([^"]*)"', card)
    assert len(lines) == 2  # the target behind the result
    assert len(lines[0].split()) == R.size
    curve, chi2 = result.plot()
    assert [one.get_label() for one in curve.lines] == ["target", "start", "result"]
    np.testing.assert_allclose(curve.lines[0].get_ydata(), TARGET.g)
    np.testing.assert_allclose(
        chi2.lines[0].get_ydata(), [one.distance.chi2 for one in result.history], rtol=1e-12
    )
    frame = pytest.importorskip("pandas") and result.to_frame()
    assert list(frame["iteration"]) == list(range(len(result.rounds)))
    assert frame["chi2"].iloc[-1] == result.history[-1].distance.chi2
    assert frame.attrs["units"] == "lj"
    import matplotlib.pyplot as plt

    plt.close("all")


@pytest.mark.parametrize(("made", "panels", "pictures"), [(mixture, 4, 3), (trimers, 6, 4)])
def test_a_folder_shows_itself_as_its_result_does(made, panels, pictures, tmp_path):
    pytest.importorskip("matplotlib").use("agg")
    made(tmp_path).close()
    opened = cginit.open(tmp_path)
    card = opened._repr_html_()
    assert card.count("<svg") == pictures
    assert "it has not ended" in card
    assert len(opened.plot()) == panels
    frame = pytest.importorskip("pandas") and opened.to_frame()
    assert len(frame) == len(opened.rounds)
    assert {"chi2 A-A", "chi2 A-B", "chi2 B-B"} <= set(frame.columns)
    import matplotlib.pyplot as plt

    plt.close("all")


def test_many_rounds_are_not_a_long_card(tmp_path):
    mixture(tmp_path, rounds=20).close()
    card = cginit.open(tmp_path)._repr_html_()
    assert card.count("<tr>") == 1 + 13
    assert ">0</td>" in card
    assert ">19</td>" in card


def test_the_help_of_the_verbs_is_theirs():
    for verb in (cginit.guess, cginit.refine):
        assert "Parameters\n" in inspect.getdoc(verb)
        assert "Returns\n" in inspect.getdoc(verb)
    assert inspect.getdoc(cginit.guess).startswith("Propose the pair potential")
