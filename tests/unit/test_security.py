"""What no file of others may do: run code, reach a script, or bring a package that nobody has tried."""

import ast
import re
import tomllib
from pathlib import Path

import numpy as np
import pytest

from cginit import PairPotential, StatePoint
from cginit.configuration import random_configuration
from cginit.engines.base import Schedule
from cginit.engines.lammps import LammpsEngine
from cginit.engines.process import run_program
from cginit.errors import EngineError, InputError

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py")) + sorted((ROOT / "plugins").glob("*/src/**/*.py"))
#: Modules that run what they read, and parsers of XML that expand entities.
MODULES = {
    *("pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "code", "runpy"),
    *("xml.dom", "xml.sax", "lxml"),
}
CALLS = {
    *("eval", "exec", "compile", "__import__", "os.system", "os.popen", "yaml.load", "yaml.unsafe_load"),
    *("yaml.full_load", "pd.read_pickle", "pandas.read_pickle"),
    *("ElementTree.parse", "ElementTree.fromstring", "ElementTree.XML", "ElementTree.iterparse"),
    *("ET.parse", "ET.fromstring", "ET.XML", "ET.iterparse"),
}


#: What a file that does any of this has in it: of one without it the tree need not be made.
SIGNS = re.compile(
    r"\b(?:cPickle|_?pickle|dill|cloudpickle|joblib|shelve|marshal|runpy|dom|sax|lxml|ElementTree|ET|yaml|torch|popen|"
    r"read_pickle|eval|exec|__import__|shell)\b"
    r"|\bcode\b(?=\s*(?:$|,|;|#|import\b))|(?:import|from)\s+code\b|os\.system|(?:np|numpy)\.load\b|(?<![\w.])compile\(",
    re.MULTILINE,
)


def dotted(node):
    if isinstance(node, ast.Name):
        return node.id
    return f"{dotted(node.value)}.{node.attr}" if isinstance(node, ast.Attribute) else ""


def offences(tree):
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            if any(name == bad or name.startswith(bad + ".") for bad in MODULES):
                yield node.lineno, name
        if isinstance(node, ast.Call):
            given = {keyword.arg: keyword.value for keyword in node.keywords}
            if dotted(node.func) in CALLS:
                yield node.lineno, dotted(node.func)
            shell = given.get("shell")
            if shell is not None and not (isinstance(shell, ast.Constant) and shell.value is False):
                yield node.lineno, "shell="
            if dotted(node.func) in ("np.load", "numpy.load"):
                refused = given.get("allow_pickle")
                if not (isinstance(refused, ast.Constant) and refused.value is False):
                    yield node.lineno, "np.load without allow_pickle=False"
            if dotted(node.func) == "torch.load":
                only = given.get("weights_only")
                if not (isinstance(only, ast.Constant) and only.value is True):
                    yield node.lineno, "torch.load without weights_only=True"


@pytest.mark.parametrize(
    "code",
    [
        "import pickle", "from pickle import loads", "from xml import sax", "eval('1')", "np.load(x)",
        "subprocess.run(x, shell=True)", "np.load(x, allow_pickle=True)", "ElementTree.parse(x)", "torch.load(x)",
    ],
)  # fmt: skip
def test_the_search_finds_what_it_looks_for(code):
    assert list(offences(ast.parse(code)))
    assert SIGNS.search(code)


def test_no_source_runs_what_it_reads():
    assert len(SOURCES) > 200
    found = {
        f"{path.relative_to(ROOT)}:{line}": what
        for path in SOURCES
        if SIGNS.search(text := path.read_text(encoding="utf-8"))
        for line, what in offences(ast.parse(text))
    }
    assert not found


def requirements():
    for file in (ROOT / "pyproject.toml", *sorted((ROOT / "plugins").glob("*/pyproject.toml"))):
        content = tomllib.loads(file.read_text(encoding="utf-8"))
        project = content["project"]
        extras = project.get("optional-dependencies", {}).values()
        needed = [*content["build-system"]["requires"], *project.get("dependencies", ())]
        for text in [*needed, *(x for one in extras for x in one)]:
            if not text.startswith("cginit"):
                yield file.parent.name, text


def test_every_package_has_a_first_and_a_last_version():
    found = list(requirements())
    assert len(found) > 20
    assert not [one for one in found if not (">=" in one[1] and re.search(r",<\d", one[1]))]


#: Names of bead types that would be commands, a path or a format, if they were pasted anywhere; some are allowed.
REFUSED = ("A; shell rm -rf x", "B\nshell rm x", "../../C", "$(D)", "{pair}", "`F`", '"', "")
NAMES = ("shell", "quit", "O5'*")


def test_names_of_beads_do_not_reach_the_script_of_an_engine(tmp_path, monkeypatch):
    from cginit.engines import process
    from cginit.engines.hoomd import HoomdEngine

    for name in REFUSED:
        with pytest.raises(InputError, match="cannot name a bead type"):
            random_configuration({name: 60, "B": 60}, 0.3, seed=1, units="lj")
    r = np.linspace(0.0, 2.0, 41)
    soft = PairPotential.shifted(r, 2.0 * np.exp(-2.0 * r**2), units="lj")
    pairs = {(a, b): soft for i, a in enumerate(NAMES) for b in NAMES[i:]}
    start = random_configuration(dict.fromkeys(NAMES, 60), 0.3, seed=1, units="lj")

    def stop(command, folder, *rest, **more):
        assert not any(name in word for word in command for name in NAMES)
        raise OSError("enough")

    monkeypatch.setattr(process, "run_program", stop)
    for engine in (LammpsEngine(binary="lmp"), HoomdEngine(python="python")):
        folder = tmp_path / engine.name
        with pytest.raises(EngineError):
            engine.run(pairs, StatePoint(0.3, 1.0, "lj"), start, Schedule(), seed=1, workdir=folder)
        written = list(folder.iterdir())
        assert len(written) >= 3
        for path in written:
            content = path.read_bytes()
            for word in (b"shell", b"quit", b"O5'"):
                # JSON holds names as strings, which are no commands.
                assert word not in content or path.suffix == ".json", path


def test_a_program_gets_its_arguments_as_they_are(tmp_path):
    import os
    import sys

    odd = ["a b", "$(touch x)", "; touch x", "`touch x`", "*", "'", '"', "\\", "\n"]
    done = run_program([sys.executable, "-c", "import sys; print(sys.argv[1:])", *odd], tmp_path, os.environ)
    assert done.output.strip() == repr(odd)
    assert not list(tmp_path.iterdir())
