"""What takes long says so, with the time left; what is quick says nothing."""

from __future__ import annotations

import time

import pytest
from rich.console import Console

from cginit.cli import progress, voice
from cginit.cli.progress import counting, duration, waiting
from cginit.cli.round_table import decimals


@pytest.fixture
def quick(monkeypatch):
    """Tenths of seconds instead of seconds."""
    monkeypatch.setattr(progress, "PATIENCE", 0.05)
    monkeypatch.setattr(progress, "LINES_EVERY", 0.1)


def test_bars_are_lines_without_a_terminal(quick, capsys):
    with counting() as opened:
        report = opened("g(r), frames")
        report(1, 100)
        time.sleep(0.12)
        report(50, 100)
        report(51, 100)
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["g(r), frames: 50 of 100, 0 s left"]


def test_bars_have_the_time_left_on_a_terminal(monkeypatch, capsys):
    import io

    import rich.console

    stream = io.StringIO()
    monkeypatch.setattr(
        rich.console, "Console", lambda **_: Console(file=stream, force_terminal=True, width=100)
    )
    with counting() as opened:
        report = opened("frames")
        for done in range(1, 4):
            report(done, 10)
            time.sleep(0.15)
    text = stream.getvalue()
    assert "3/10" in text
    assert "left" in text


def test_what_is_quick_says_nothing(quick, capsys):
    with waiting("guessing"):
        pass
    assert capsys.readouterr().err == ""


def test_what_takes_long_says_how_long_it_has_taken(quick, capsys):
    with waiting("guessing"):
        time.sleep(0.4)
    lines = capsys.readouterr().err.splitlines()
    assert lines
    assert lines[0].startswith("guessing: 0 s so far")


def test_quiet_is_quiet(quick, capsys):
    with voice.speaking(["-q"]) as spoken:
        spoken.quiet = True
        with waiting("guessing"), counting() as opened:
            report = opened("frames")
            time.sleep(0.3)
            report(1, 2)
    assert capsys.readouterr().err == ""


def test_an_error_passes_through_and_the_watcher_ends(quick):
    import threading

    before = threading.active_count()
    with pytest.raises(ValueError, match="why"), waiting("guessing"):
        raise ValueError("why")
    assert threading.active_count() == before


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "0 s"), (59.6, "1 min 0 s"), (3599, "59 min 59 s"), (86400, "24 h 0 min")]
)
def test_times_are_told_in_two_units(seconds, text):
    assert duration(seconds) == text


def test_numbers_of_a_round_stay_readable_however_far_off_it_is():
    assert [decimals(value, 2) for value in (0.996, -1.0, 12345.678, 1.8e135, float("nan"))] == [
        *("1.00", "-1.00", "12345.68", "1.8e+135", "nan")
    ]
