"""What all commands have in common: help, --quiet, --verbose, --json, names of before."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from program import cg_init
from typer.testing import CliRunner

from cginit import RDF, StatePoint, write_rdf
from cginit._version import __version__
from cginit.cli import old_names
from cginit.cli import voice as voice_module
from cginit.cli.app import app
from cginit.cli.commands import BEFORE, COMMANDS
from cginit.cli.examples import EXAMPLES
from cginit.cli.help import FEW, FIRST, continued, shown
from cginit.cli.voice import SCHEMA, STATUS, Voice, plain

KEYS = {
    "schema", "command", "version", "status", "exit_code", "error", "seconds", "files", "notes", "result",
}  # fmt: skip
SHARED = ("--quiet", "--verbose", "--json", "--help-all")


def walk(command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, object]]:
    yield " ".join(path), command
    context = typer.Context(command, info_name=path[-1] if path else "cg-init")
    for name in command.list_commands(context) if hasattr(command, "list_commands") else ():
        yield from walk(command.get_command(context, name), (*path, name))


TREE = dict(walk(typer.main.get_command(app)))


def invoke(*arguments):
    return CliRunner().invoke(app, [str(one) for one in arguments], env={"COLUMNS": "80", "NO_COLOR": "1"})


def squeezed(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize("path", TREE)
def test_every_command_has_the_shared_options(path):
    options = {name for one in TREE[path].params for name in one.opts}
    assert set(SHARED) <= options
    assert {"-q", "-v"} <= options


@pytest.mark.parametrize("path", TREE)
def test_the_short_help_is_short_and_has_examples(path):
    command = TREE[path]
    own = [one for one in shown(command, path) if one.rich_help_panel != "Output"]
    assert sum(one.param_type_name == "option" for one in own) <= FEW
    # A name in the table that no option has would be forgotten silently.
    assert set(FIRST.get(path, ())) <= {name for one in command.params for name in one.opts}
    assert 1 <= len(EXAMPLES[path]) <= 2
    assert len(EXAMPLES[path]) == 2 or path == "dataset unpack"


@pytest.mark.parametrize("path", TREE)
def test_nothing_of_the_help_is_cut_at_80_columns(path):
    text = invoke(*path.split(), "--help-all").output
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text
    whole = squeezed(text)
    for one in TREE[path].params:
        assert squeezed(one.help or "") in whole
    for example in EXAMPLES[path]:
        assert squeezed(example) in whole.replace("\\", "")


def test_the_short_help_says_how_many_options_are_left():
    few, all_ = invoke("refine", "--help").output, invoke("refine", "--help-all").output
    assert "--lammps-binary" not in few
    assert "--lammps-binary" in all_
    assert re.search(r"\d+ more options: cg-init refine --help-all", few)
    assert "more options" not in all_


@pytest.mark.parametrize("path", [path for path, examples in EXAMPLES.items() if examples])
def test_the_examples_are_commands_that_can_be_parsed(path):
    for example in EXAMPLES[path]:
        words = shlex.split(example)
        assert words[0] == "cg-init"
        depth = len(path.split()) or 1
        command = TREE[" ".join(words[1 : 1 + depth])]
        rest = words[1 + depth :]
        if hasattr(command, "commands") and rest and not rest[0].startswith("-"):
            command, rest = command.commands[rest[0]], rest[1:]
        names = {name for one in command.params for name in (*one.opts, *one.secondary_opts)}
        assert {word for word in rest if word.startswith("--")} <= names


def test_a_long_example_can_be_pasted():
    text = "cg-init guess --rdf a/long/name.dat --out CG-CG.pot --out CG-CG.table"
    lines = continued(text, 40)
    assert max(map(len, lines)) <= 40
    assert shlex.split("\n".join(lines).replace("\\\n", "")) == text.split()


@pytest.fixture
def target(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    import numpy as np

    r = np.arange(0, 61) * 0.05
    g = np.where(r < 0.9, 0.0, 1.0 + 0.2 * np.exp(-2.0 * (r - 0.9)))
    return write_rdf(RDF(r, g, units="lj"), tmp_path / "gas.dat", state=StatePoint(0.1, 1.0, "lj"))


def document(done) -> dict:
    found = json.loads(done.stdout)
    assert set(found) == KEYS
    assert found["schema"] == SCHEMA
    assert found["version"] == __version__
    assert found["status"] == STATUS[found["exit_code"]]
    assert done.exit_code in (found["exit_code"], 1)  # the runner makes 1 of what only `main` gives a code
    return found


def test_json_is_one_document_and_nothing_else(target, tmp_path):
    done = invoke("guess", "--rdf", target, "--method", "boltzmann", "--out", "a.pot", "--json")
    found = document(done)
    assert found["command"] == "cg-init guess"
    assert found["files"] == ["a.pot"]
    assert found["result"]["density"] == {"value": 0.1, "error": None, "unit": "sigma^-3"}
    assert found["result"]["pressure"]["unit"] == "epsilon/sigma^3"
    assert any("core" in note for note in found["notes"])
    found = document(invoke("pressure", "--potential", "a.pot", "--json"))
    assert found["result"]["routes"][found["result"]["trusted"]]["unit"] == "epsilon/sigma^3"
    found = document(invoke("convert", "a.pot", "b.csv", "--json"))
    assert found["files"] == ["b.csv"]
    found = document(invoke("dataset", "generate", "plan", "--count", 1, "--json"))
    assert found["command"] == "cg-init dataset generate"
    assert found["result"]["state_points"] > 0


def test_the_version_is_a_document_too():
    """As a script reads it: nothing stands before the document."""
    assert document(invoke("--version", "--json"))["version"] == __version__
    assert invoke("--version").output == f"cg-init {__version__}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ("pressure", "--potential", "nix"),
        ("scattering", "--sk", "nix", "--density", "1", "--units", "lj", "--out", "x"),
    ],
)
def test_a_file_that_is_absent_is_named_before_what_it_does_not_state(arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "cannot read nix: No such file" in str(invoke(*arguments).exception)


def test_json_tells_of_a_failure_too(target, tmp_path):
    found = document(invoke("guess", "--rdf", "absent.dat", "--json"))
    assert (found["status"], found["files"]) == ("bad input", [])
    assert "absent.dat" in found["error"]
    # What the parser refuses, before the option is known to it.
    found = document(invoke("guess", "--nonsense", "--json"))
    assert "--nonsense" in found["error"]
    found = document(invoke("nonsense", "--json"))
    assert "nonsense" in found["error"]


def test_a_refinement_that_is_not_converged_says_so_in_json(target):
    run = (
        "--engine",
        "dilute",
        "--method",
        "boltzmann",
        "--iterations",
        1,
        "--workdir",
        "w",
        "--cutoff",
        2.0,
    )
    done = invoke(
        "refine", "--rdf", target, *run, "--production", 200, "--every", 10, "--beads", 100, "--json"
    )
    found = document(done)
    assert found["result"]["simulations"] == 1
    assert found["result"]["states"][0]["pressure"]["unit"] == "epsilon/sigma^3"
    assert found["exit_code"] == (0 if found["result"]["converged"] else 3)


def test_json_of_the_other_commands(target, tmp_path):
    found = document(invoke("doctor", "--no-self-test", "--json"))
    assert {"machine", "packages", "programs"} <= set(found["result"])
    k = [0.5 + 0.5 * number for number in range(40)]
    (tmp_path / "sk.dat").write_text("".join(f"{one:.2f} {1.0 - 0.5 / (1.0 + one**2):.6f}\n" for one in k))
    state = ("--density", 0.1, "--kT", 1.0, "--units", "lj")
    found = document(invoke("scattering", "--sk", "sk.dat", *state, "--out", "sk.csv", "--json"))
    assert found["files"] == ["sk.csv"]
    assert found["result"]["range"]["unit"] == "sigma"
    assert len(found["notes"]) == 3


def test_nothing_of_the_commands_prints_by_itself():
    # What does not go through the voice would stand in the way of the JSON document.
    folder = Path(voice_module.__file__).parent
    allowed = {"voice.py", "app.py", "command.py", "program.py"}
    for path in folder.glob("*.py"):
        if path.name not in allowed:
            # `print` is refused by ruff.
            assert not re.search(r"typer\.s?echo\(", path.read_text()), path.name


def test_quiet_leaves_the_names_of_files(target):
    done = invoke("guess", "--rdf", target, "--method", "boltzmann", "--out", "a.pot", "-q")
    assert (done.stdout, done.stderr) == ("a.pot\n", "")
    # Wherever it stands in the line.
    done = invoke("-q", "guess", "--rdf", target, "--method", "boltzmann", "--out", "b.pot")
    assert (done.stdout, done.stderr) == ("b.pot\n", "")


def test_verbose_says_versions_and_times_on_standard_error(target):
    done = invoke("guess", "--rdf", target, "--method", "boltzmann", "--out", "a.pot", "-v")
    assert f"cg-init {__version__}, Python" in done.stderr
    assert re.search(r"cg-init guess took \d+\.\d+ s", done.stderr)
    assert "took" not in done.stdout


def test_a_quiet_pressure_is_one_number_with_its_unit(target):
    invoke("guess", "--rdf", target, "--method", "boltzmann", "--out", "a.pot")
    done = invoke("pressure", "--potential", "a.pot", "-q")
    assert re.fullmatch(r"\S+( ± \S+)? epsilon/sigma\^3\n", done.stdout)


@pytest.mark.parametrize("command", sorted(old_names.OPTIONS))
def test_every_old_option_has_a_new_one(command):
    name = {"rdf": "target"}.get(command, command)
    options = {option for one in TREE[name].params for option in one.opts}
    for old, new in old_names.OPTIONS[command].items():
        assert new in options
        assert old not in options


def test_old_options_work_and_a_note_names_the_new(target):
    invoke("guess", "--rdf", target, "--method", "boltzmann", "--out", "a.dat")
    old = invoke("convert", "a.dat", "b.csv", "--from-units=lj", "--to-units", "lj")
    assert old.exit_code == 0
    assert "--from-units is called --units now" in old.stderr
    assert "--to-units is called --out-units now" in old.stderr
    assert invoke("convert", "a.dat", "c.csv", "--from-units=lj", "-q").stderr == ""


def test_old_commands_work_and_are_not_in_the_help(target, tmp_path):
    assert set(BEFORE) == set(old_names.COMMANDS)
    assert not set(BEFORE) & set(COMMANDS)
    (tmp_path / "m.toml").write_text("units = 'lj'\nkT = 1.0\ntarget = 'gas.dat'\ndensity = 0.1\n")
    done = invoke("mixture", "m.toml", "--method", "boltzmann", "--out", "old.pot")
    assert done.exit_code == 0
    assert "cg-init mixture is called cg-init refine FILE --workdir DIR" in done.stderr
    done = invoke("guess", "m.toml", "--method", "boltzmann", "--out", "new.pot")
    assert done.exit_code == 0
    assert (tmp_path / "old.pot").read_text() == (tmp_path / "new.pot").read_text()
    assert "multistate" not in invoke("--help-all").output
    assert invoke("rdf", "--help").exit_code == 0


def test_the_old_name_of_a_bin_width_works(target, tmp_path):
    system = "units = 'lj'\nkT = 1.0\ntarget = 'gas.dat'\ndensity = 0.1\n{name} = 0.1\n"
    tables = []
    for name in ("step", "dr"):
        (tmp_path / f"{name}.toml").write_text(system.format(name=name))
        done = invoke("guess", f"{name}.toml", "--method", "boltzmann", "--out", f"{name}.csv")
        assert done.exit_code == 0, done.exception
        assert ("step in step.toml is called dr now" in done.stderr) == (name == "step")
        tables.append((tmp_path / f"{name}.csv").read_text())
    assert tables[0] == tables[1]


@pytest.mark.parametrize("command", sorted(old_names.MOVED))
def test_a_command_that_another_program_has_now_says_where(command):
    # Its options of before are not looked at.
    done = invoke(*command.split(), "--data", "d.h5", "--json")
    found = document(done)
    assert found["exit_code"] == 2
    assert found["error"] == f"cg-init {command} is {old_names.MOVED[command]}"
    assert "pip install ./plugins/study" in found["error"]
    assert "cginit-study" not in invoke("--help-all").output


def test_options_of_the_guess_before_another_command_are_refused(target):
    done = invoke("--rdf", target, "doctor")
    assert "--rdf stands before doctor" in str(done.exception)


def test_a_guess_is_drawn(target, tmp_path):
    pytest.importorskip("matplotlib")
    done = invoke("guess", "--rdf", target, "--method", "network", "--out", "a.pot", "--plot", "a.png")
    assert done.exit_code == 0
    assert done.stdout.splitlines()[-1] == "a.png"
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    refused = invoke("guess", "--rdf", target, "--plot", "a.nonsense")
    assert "no format of figures" in str(refused.exception)


def test_what_is_not_finite_is_null():
    found = json.loads(json.dumps(plain({"a": float("inf"), "b": [float("nan"), 1.0]})))
    assert found == {"a": None, "b": [None, 1.0]}


def test_a_voice_without_a_command_speaks_to_people(capsys):
    Voice().line("something")
    assert capsys.readouterr().out == "something\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_complete_commands(shell, tmp_path, monkeypatch):
    monkeypatch.setenv("_CG_INIT_COMPLETE", f"source_{shell}")
    done = cg_init(cwd=tmp_path)
    assert "_CG_INIT_COMPLETE" in done.stdout
