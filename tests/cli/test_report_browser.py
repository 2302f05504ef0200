"""The page in a browser: the slider moves the curves, by day and by night, on a screen and on a phone."""

import threading
import time

import numpy as np
import pytest

import cginit
from cginit.refine.store import End
from cginit.report import refinement_page
from cginit.report.live import LivePage
from cginit.report.page_data import page_data
from chromium import Browser, find_chromium
from made_refinements import commit, mixture, trimers

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_chromium() is None, reason="Chromium is not installed: apt-get install chromium"),
]

READY = "document.documentElement.dataset.ready === 'yes'"
#: The curve that is drawn of the shown iteration, in the first distribution.
DRAWN = """(() => { const plot = document.querySelector('#interactions .drawing');
  const one = plot.data && plot.data.find((trace) => trace.name === '{0}'); return one ? [...one.y] : null; })()"""
EVIL = "</script><script>window.stolen=1"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with Browser(tmp_path_factory.mktemp("profile")) as found:
        yield found


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    """A refinement of a mixture, finished, and the address of its page."""
    folder = tmp_path_factory.mktemp("mixture")
    store = mixture(folder)
    store.end(End("CAP", False, "stopped at the cap of 3 simulations: chi^2 is 3", 2))
    store.close()
    opened = cginit.open(folder)
    return opened, refinement_page(opened, folder / "report.html").as_uri()


def drawn(browser, name):
    return browser.wait_for(DRAWN.replace("{0}", name))


def test_the_slider_shows_each_iteration(browser, mixed):
    opened, address = mixed
    browser.errors.clear(), browser.requests.clear()
    browser.open(address)
    browser.wait_for(READY)
    assert browser.evaluate("document.getElementById('shown').textContent") == "iteration 2 ★"
    assert browser.evaluate("document.getElementById('status').textContent") == "stopped"
    assert "χ² is 3" in browser.evaluate("document.getElementById('sentence').textContent")
    browser.evaluate("document.getElementById('interactions').scrollIntoView()")
    np.testing.assert_allclose(drawn(browser, "iteration 2"), opened.rounds[2][0].rdfs["A-A"].g, rtol=1e-4)
    # As a hand moves it.
    browser.evaluate("at('slider').value = 0, at('slider').dispatchEvent(new Event('input'))")
    np.testing.assert_allclose(drawn(browser, "iteration 0"), opened.rounds[0][0].rdfs["A-A"].g, rtol=1e-4)
    # By keys, wherever one is on the page; and on the slider itself.
    browser.press("ArrowRight")
    assert browser.evaluate("document.getElementById('shown').textContent") == "iteration 1"
    browser.evaluate("document.getElementById('slider').focus()")
    browser.press("ArrowRight")
    assert browser.wait_for("document.getElementById('shown').textContent === 'iteration 2 ★'")
    browser.press("Home")
    assert browser.wait_for("document.getElementById('shown').textContent === 'iteration 0'")
    # Played to its end.
    browser.evaluate("document.getElementById('play').click()")
    assert browser.wait_for("page.shown === 2 && page.playing === null")
    # The page asked nobody for anything, and nothing went wrong.
    assert [one for one in browser.requests if not one.startswith(("file:", "data:", "blob:"))] == []
    assert browser.errors == []


def test_every_plot_is_drawn_and_the_tables_are_those_of_the_result(browser, tmp_path):
    trimers(tmp_path).close()
    opened = cginit.open(tmp_path)
    browser.errors.clear()
    browser.open(refinement_page(opened, tmp_path / "report.html").as_uri())
    browser.wait_for(READY)
    browser.evaluate("page.plots.forEach(redraw)")
    # Two of iterations; five distributions and potentials; three structure factors.
    assert browser.evaluate("document.querySelectorAll('.js-plotly-plot').length") == 2 + 2 * 5 + 3
    link = "document.querySelector('#tables a[download=\"bond_A-B.pot\"]')"
    browser.wait_for(f"{link}.href.startsWith('blob:')")
    table = browser.evaluate(f"fetchText({link})".replace("fetchText", READ_LINK))
    assert table.startswith("# bond, lj")
    assert browser.errors == []


#: The content behind a link, read as a download is: the policy of the page lets it fetch nothing.
READ_LINK = """(async (link) => { const one = page.data.tables.find((table) => table.name === link.download);
  return (await unpacked(one.packed)).text(); })"""


def test_words_and_tables_do_not_wait_for_the_library(browser, mixed, tmp_path, monkeypatch):
    # One that cannot be unpacked takes for ever.
    monkeypatch.setattr("cginit.report.page._library", lambda: "AAAA")
    browser.errors.clear()
    browser.open(refinement_page(mixed[0], tmp_path / "report.html").as_uri())
    browser.wait_for("!document.getElementById('trouble').hidden")
    assert "The curves cannot be drawn" in browser.evaluate("document.getElementById('trouble').textContent")
    assert "χ² is 3" in browser.evaluate("document.getElementById('sentence').textContent")
    assert browser.evaluate("document.querySelectorAll('#rounds tbody tr').length") == 3
    assert browser.wait_for("document.querySelector('#tables a').href.startsWith('blob:')")
    assert browser.evaluate("document.getElementById('loading').hidden")


@pytest.mark.parametrize(("width", "dark"), [(400, False), (1280, True)])
def test_it_fits_the_screen_and_the_hour(browser, mixed, width, dark):
    browser.errors.clear()
    browser.open(mixed[1], dark=dark, width=width, height=800)
    browser.wait_for(READY)
    # Everything is drawn once, so that nothing that is wider comes later.
    for place in ("progress", "interactions", "structures", "history"):
        browser.evaluate(f"document.getElementById('{place}').scrollIntoView()")
        time.sleep(0.2)
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    ground = browser.evaluate("getComputedStyle(document.body).backgroundColor")
    text = browser.evaluate("getComputedStyle(document.body).color")
    assert (lightness(ground) < 40, lightness(text) > 200) == (dark, dark)
    plot = browser.wait_for(
        "(document.querySelector('#progress-plots .drawing').layout || {font: {}}).font.color"
    )
    assert bool(lightness(plot) > 200) is dark
    assert browser.errors == []


def lightness(colour):
    """The mean of red, green and blue."""
    if colour.startswith("#"):
        return np.mean([int(colour[k : k + 2], 16) for k in (1, 3, 5)])
    return np.mean([float(one) for one in colour[colour.index("(") + 1 : -1].split(",")[:3]])


def test_names_from_files_do_nothing_but_stand_there(browser, tmp_path):
    trimers(tmp_path, label=f"<b>B</b>{EVIL}", notes=[f"{EVIL}<img src=x onerror=window.stolen=1>"]).close()
    browser.errors.clear()
    browser.open(refinement_page(cginit.open(tmp_path), tmp_path / "report.html").as_uri())
    browser.wait_for(READY)
    browser.wait_for("document.querySelector('#progress-plots .legendtext') !== null")
    assert browser.evaluate("window.stolen") is None
    # Plotly reads HTML in its legends, and the page has none but its own.
    legend = browser.evaluate("[...document.querySelectorAll('.legendtext')].map((one) => one.textContent)")
    headings = browser.evaluate("[...document.querySelectorAll('h3')].map((one) => one.textContent)")
    assert legend[3] == headings[3] == f"bond A-B <b>B</b>{EVIL}"
    assert EVIL in browser.evaluate("document.querySelector('#rounds tbody').textContent")
    assert browser.evaluate("document.querySelectorAll('main img, main b').length") == len(
        page_data(cginit.open(tmp_path))["citations"]
    )
    assert browser.errors == []


def test_a_page_that_is_served_follows_by_itself(browser, tmp_path, monkeypatch):
    monkeypatch.setattr("cginit.report.live.PACE", 0.1)
    store = mixture(tmp_path, rounds=2)
    with LivePage(tmp_path) as served:
        thread = threading.Thread(target=served.serve, daemon=True)
        thread.start()
        try:
            browser.errors.clear()
            browser.open(served.address)
            browser.wait_for(READY)
            assert browser.evaluate("document.getElementById('status').textContent") == "running"
            assert browser.evaluate("at('simulating').textContent") == "Iteration 2 is being simulated."
            again = mixture(tmp_path.parent / f"{tmp_path.name}-other", rounds=3)
            commit(store, again.rounds()[2][0])
            # Who looks at the newest sees the next.
            browser.wait_for("document.getElementById('shown').textContent.startsWith('iteration 2')")
            store.end(End("AT_NOISE", True, "converged: noise", 2))
            store.close()
            browser.wait_for("document.getElementById('status').textContent === 'converged'")
            assert browser.errors == []
        finally:
            served.stop()
            thread.join(10)
    browser.wait_for("!document.getElementById('trouble').hidden")
    assert "no longer kept up to date" in browser.evaluate("document.getElementById('trouble').textContent")
    assert browser.evaluate("page.data.frames.length") == 3
