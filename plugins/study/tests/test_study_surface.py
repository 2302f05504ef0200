"""The command line of the study looks like that of cg-init: shared options, examples, one JSON document."""

from __future__ import annotations

import json
import shlex
import tomllib
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from cginit.cli.help import FEW, shown
from cginit.errors import InputError
from cginit_study.cli import Study, app
from cginit_study.subjects import SUBJECTS, config_path

PLUGIN = Path(__file__).resolve().parents[1]
ROOT = PLUGIN.parents[1]
PROGRAM = typer.main.get_command(app)
COMMANDS = {"": PROGRAM, **PROGRAM.commands}


def invoke(*arguments):
    return CliRunner().invoke(app, list(map(str, arguments)), env={"COLUMNS": "80", "NO_COLOR": "1"})


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_the_shared_options_and_examples(name):
    command = COMMANDS[name]
    options = {one for parameter in command.params for one in parameter.opts}
    assert {"-q", "-v", "--json", "--help-all"} <= options
    own = [one for one in shown(command, name, {}) if getattr(one, "rich_help_panel", None) != "Output"]
    assert len(own) <= FEW
    text = invoke(*name.split(), "--help").output
    assert max(map(len, text.splitlines())) <= 80
    for example in PROGRAM.examples[name]:
        assert "".join(example.split()) in "".join(text.replace("\\", "").split())


@pytest.mark.parametrize("example", [x for one in PROGRAM.examples.values() for x in one])
def test_the_examples_can_be_parsed_and_their_files_are_there(example):
    program, name, *rest = shlex.split(example)
    assert program == Study.program
    options = {one for parameter in COMMANDS[name].params for one in parameter.opts}
    assert {word for word in rest if word.startswith("--")} <= options
    assert all((ROOT / word).exists() for word in rest if word.startswith(("data/", "plugins/")))


def test_a_failure_is_one_json_document_of_this_program():
    done = invoke("figures", "--data", "absent.h5", "--out", "figures", "--json")
    found = json.loads(done.stdout)
    assert (found["command"], found["status"]) == ("cginit-study figures", "bad input")
    assert "no such file" in found["error"]
    # What cg-init calls otherwise now is no name of this program.
    assert "no such option" in invoke("figures", "--potential", "x").output.lower()


def test_published_studies_go_by_name_and_others_by_their_file():
    for name in SUBJECTS:
        assert tomllib.loads(config_path(name).read_text())["subject"] == name
    assert config_path("potential.toml") == Path("potential.toml")
    done = invoke("train", "--data", ROOT / "data" / "state-points.h5", "--config", "presure", "--out", "x")
    assert isinstance(done.exception, InputError)
    assert "cannot read presure" in str(done.exception)


def test_the_shipped_studies_have_what_figures_need():
    for subject in SUBJECTS:
        folder = PLUGIN / "data" / subject
        config = json.loads((folder / "study.json").read_text())["config"]
        assert config["subject"] == subject
        names = [name.replace("/", "-") for name in config["final"]]
        assert all((folder / name / "final.safetensors").is_file() for name in names)
        assert (folder / "results.npz").is_file()
