"""What `help` says about the public names of the package."""

import inspect
import re
from dataclasses import fields

import pytest

import cginit
from cginit.guess import DEFAULT_METHOD
from cginit.refine import Settings
from cginit.refine.loop import SettingsOptions
from cginit.trajectory import rdfs_from_trajectory
from cginit.trajectory.sampled import sampled
from cginit.trajectory.source import BeadSource, TargetOptions


def _public(name):
    # `cginit.guess` is a package that can be called; what it says is said by the function of the same name.
    thing = getattr(cginit, name)
    return getattr(thing, name) if inspect.ismodule(thing) else thing


PUBLIC = {name: _public(name) for name in cginit.__all__ if not name.startswith("_")}
FUNCTIONS = [name for name, thing in PUBLIC.items() if inspect.isfunction(thing)]


def _sections(thing):
    return re.findall(r"^(\w+)\n-+$", inspect.getdoc(thing) or "", re.MULTILINE)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_public_function_says_what_it_takes_returns_and_refuses(name):
    sections = _sections(PUBLIC[name])
    assert [part for part in ("Parameters", "Returns", "Raises") if part not in sections] == []


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_parameter_is_described(name):
    text = inspect.getdoc(PUBLIC[name])
    part = text[text.index("Parameters\n---") :].split("\n\n")
    described = {
        word for line in "\n".join(part).splitlines() for word in re.findall(r"\w+", line.split(" :")[0])
    }
    assert set(inspect.signature(PUBLIC[name]).parameters) <= described


@pytest.mark.parametrize("name", [name for name, thing in PUBLIC.items() if inspect.isclass(thing)])
def test_a_public_class_says_what_it_holds(name):
    thing = PUBLIC[name]
    if not issubclass(thing, Exception):
        assert {"Parameters", "Attributes"} & set(_sections(thing))
    assert inspect.getdoc(thing)


def test_the_default_that_the_docstring_names_is_the_default():
    assert f"``{DEFAULT_METHOD}`` (default)" in inspect.getdoc(PUBLIC["guess"])
    assert inspect.signature(PUBLIC["guess"]).parameters["method"].default == DEFAULT_METHOD
    default = inspect.signature(cginit.pressure).parameters["method"].default
    assert f"``{default}`` (default)" in inspect.getdoc(cginit.pressure)


@pytest.mark.parametrize(
    ("function", "options", "taken"),
    [
        (cginit.refine.refine, SettingsOptions, {one.name for one in fields(Settings)}),
        (
            rdfs_from_trajectory,
            TargetOptions,
            {one.name for one in fields(BeadSource)} - {"topology", "trajectory"}
            | set(inspect.signature(sampled).parameters) - {"source", "molecules"},
        ),
    ],
)
def test_options_that_are_passed_on_are_those_that_are_taken_and_described(function, options, taken):
    assert set(options.__annotations__) == taken
    text = inspect.getdoc(function)
    described = text[text.index("Parameters\n---") : text.index("Returns\n---")]
    assert taken <= set(re.findall(r"\w+", described))
