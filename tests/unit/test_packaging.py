"""What is said about the package in several places is the same in all of them."""

import re
import tomllib
from pathlib import Path

import pytest

from cginit import __version__

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
yaml = pytest.importorskip("yaml", reason="PyYAML, of the extra trajectory, is not installed")


def _ranges(requirements):
    """Name to version range; names of packages differ between PyPI and conda-forge in a few cases."""
    names = {
        "mdanalysis": "mdanalysis",
        "torch": "pytorch",
        "matplotlib": "matplotlib-base",
    }
    found = {}
    for text in requirements:
        name, spec = re.fullmatch(r"([A-Za-z0-9_.-]+)(?:\[\w+\])?\s*([^;]*?)\s*(?:;.*)?", text).groups()
        found[names.get(name.lower(), name.lower())] = spec
    return found


def test_the_conda_recipe_asks_for_what_the_wheel_asks_for():
    recipe = yaml.safe_load((ROOT / "recipe/recipe.yaml").read_text())
    assert recipe["context"]["version"] == __version__
    run = _ranges(recipe["requirements"]["run"])
    assert run.pop("python") == PROJECT["requires-python"]
    assert run == _ranges(PROJECT["dependencies"])
    extras = _ranges(line for lines in PROJECT["optional-dependencies"].values() for line in lines)
    for name, spec in _ranges(recipe["requirements"]["run_constraints"]).items():
        # HOOMD-blue is not on PyPI; its range stands in the environment for conda.
        asked = extras.get(name) or re.search(r"hoomd (\S+)", (ROOT / "environment.yml").read_text())[1]
        assert spec == asked, name
    entries = recipe["build"]["python"]["entry_points"]
    assert entries == [f"{name} = {place}" for name, place in PROJECT["scripts"].items()]


def test_the_citation_has_the_version_and_the_licence():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["cff-version"] == "1.2.0"
    assert str(citation["version"]) == __version__
    assert citation["license"] == PROJECT["license"]
    assert citation["references"][0]["doi"] == "10.1063/5.0045441"


def test_the_readme_names_every_extra():
    readme = (ROOT / "README.md").read_text()
    for extra in PROJECT["optional-dependencies"]:
        if extra != "dev":
            assert f"`{extra}`" in readme, extra


def test_the_source_distribution_names_what_is_beside_the_project_file():
    """A pattern without a stroke before it is found in every folder, as that of a plugin's own source."""
    targets = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]
    for pattern in targets["sdist"]["include"]:
        assert pattern.startswith("/")
        assert (ROOT / pattern.removeprefix("/")).exists()
