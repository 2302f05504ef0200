"""Commands and calls in the documentation exist: their options and arguments are those of today."""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
import json
import re
import shlex
import shutil
import textwrap
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
import typer
from typer.testing import CliRunner

import cginit
from cginit.cli.app import app

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *ROOT.glob("docs/*.md"), *ROOT.glob("docs/notebooks/*.md")])
#: Made by the build of the site from what is checked here or elsewhere.
PAGES = [page for page in PAGES if page.name != "commands.md"]
#: A fenced block with its language, wherever it is indented.
FENCE = re.compile(r"^ *```(\S*)[^\n]*\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
#: Options of the program itself.
GLOBAL = {"--version", "--help", "--help-all", "--install-completion", "--show-completion", "-h"}


def commands(text):
    """Every line of a block that begins with ``cg-init``, with those that continue it."""
    for language, block in FENCE.findall(text):
        if language in ("", "sh", "console", "bash"):
            joined = re.sub(r"\\\n\s*", " ", block)
            for line in joined.splitlines():
                words = line.strip().removeprefix("$ ")
                if words.startswith("cg-init "):
                    yield words


def calls(text):
    """Every call ``cginit.NAME(...)`` of a block of Python."""
    for language, block in FENCE.findall(text):
        if language in ("python", "{code-cell}"):
            code = re.sub(r"^(:tags:.*|%.*|\s*>>> .*)$", "", block, flags=re.MULTILINE)
            for node in ast.walk(ast.parse(textwrap.dedent(code))):
                if (
                    isinstance(node, ast.Call)
                    and isinstance(node.func, ast.Attribute)
                    and isinstance(node.func.value, ast.Name)
                    and node.func.value.id == "cginit"
                ):
                    yield node.func.attr, node


def unknown_options(line):
    """The words of a command that look like options and are none of its own."""
    words = shlex.split(re.sub(r"(\s#|[|;>]|\$\().*", "", line))[1:]
    command, known = typer.main.get_command(app), set(GLOBAL)
    context = typer.Context(command)
    if words and words[0].startswith("--"):
        # `cg-init --rdf FILE` is `cg-init guess --rdf FILE`.
        words = ["guess", *words]
    while words and hasattr(command, "get_command") and (found := command.get_command(context, words[0])):
        command = found
        words.pop(0)
    known |= {name for option in command.params for name in (*option.opts, *option.secondary_opts)}
    options = [word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)]
    return [one for one in options if one not in known]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_options_in_the_documentation_exist(page):
    found = {line: unknown for line in commands(page.read_text()) if (unknown := unknown_options(line))}
    assert found == {}


def printed(text):
    """Each block that is one command and the lines that it is said to print."""
    for _, block in FENCE.findall(text):
        lines = block.splitlines()
        if len(lines) > 1 and lines[0].startswith("$ cg-init") and not lines[1].startswith("$"):
            yield lines[0].removeprefix("$ "), lines[1:]


#: Notebooks run in the build of the site.
PRINTED = [
    (page.stem, *one)
    for page in PAGES
    if page.parent.name != "notebooks"
    for one in printed(page.read_text())
]


@pytest.mark.parametrize(("page", "command", "shown"), PRINTED, ids=[page for page, *_ in PRINTED])
def test_a_command_of_the_documentation_prints_what_the_page_says(
    page, command, shown, tmp_path, monkeypatch
):
    """A line ``...`` stands for others, and a line that ends so for one that goes on."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    shutil.copy(ROOT / "examples" / "water" / "target.dat", tmp_path)
    if "--potential CG-CG.pot" in command:
        CliRunner().invoke(
            app, ["guess", "--rdf", "target.dat", "--out", "CG-CG.pot"], catch_exceptions=False
        )
    command, _, jq = command.partition(" | jq .")
    done = CliRunner().invoke(app, shlex.split(command)[1:], catch_exceptions=False)
    if jq:
        found = functools.reduce(lambda one, key: one[key], jq.split("."), json.loads(done.stdout))
        wanted = json.loads("\n".join(shown))
        assert wanted.keys() == found.keys()
        # Rounded for the page to two digits of the error.
        numbers = {key: value for key, value in wanted.items() if isinstance(value, float)}
        assert {key: found[key] for key in numbers} == pytest.approx(numbers, rel=1e-2)
        assert all(found[key] == value for key, value in wanted.items() if key not in numbers)
        return
    lines = done.stdout.splitlines()
    for line in shown:
        begun = line.removesuffix("...")
        assert (
            line == "..." or line in lines or (begun != line and any(one.startswith(begun) for one in lines))
        ), line


def test_pages_that_show_what_is_printed_are_found():
    assert {page for page, *_ in PRINTED} >= {"start", "cutoff", "pressure", "command-line"}


def bind(name, count, words):
    """Raise TypeError if a public name takes no such arguments; those that it passes on have names, too."""
    thing = getattr(cginit, name)
    function = getattr(thing, name) if inspect.ismodule(thing) else thing
    signature = inspect.signature(thing)
    signature.bind(*[None] * count, **dict.fromkeys(words))
    passed_on = [one for one in signature.parameters.values() if one.kind is one.VAR_KEYWORD]
    if not passed_on:
        return
    (options,) = get_args(get_type_hints(function)[passed_on[0].name])
    unknown = set(words) - set(signature.parameters) - set(options.__annotations__)
    if unknown:
        raise TypeError(f"{name} takes no {', '.join(unknown)}")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_calls_in_the_documentation_have_the_arguments_of_today(page):
    for name, node in calls(page.read_text()):
        if any(
            isinstance(one, ast.Starred | ast.Constant) and getattr(one, "value", 0) is ...
            for one in node.args
        ):
            continue
        try:
            bind(name, len(node.args), [one.arg for one in node.keywords if one.arg])
        except TypeError as error:
            pytest.fail(f"{ast.unparse(node)}: {error}")


def test_both_checks_find_what_is_wrong():
    assert unknown_options("cg-init refine --rdf a --wordir b | tee log") == ["--wordir"]
    assert unknown_options("cg-init --rdf a --out b  # as --other") == []
    text = "```python\nimport cginit\ncginit.refine(t, s, cutoff=1)\n```\n"
    ((name, node),) = calls(text)
    with pytest.raises(TypeError, match="cutoff"):
        bind(name, 2, [node.keywords[0].arg])
    bind(name, 2, ["seed"])


def test_links_that_lead_out_of_the_documentation_have_a_page_on_the_site(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    known = importlib.import_module("generate").LINKS
    wanted = {
        link.partition("#")[0]
        for page in ROOT.glob("docs/*.md")
        for link in re.findall(r"\]\((\.\./[^)\s]+)\)", page.read_text())
        if page.name != "commands.md"
    }
    assert sorted(wanted - set(known)) == []
