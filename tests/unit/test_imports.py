"""What an import loads, and that functions and packages of the same name get along."""

import subprocess
import sys
from pathlib import Path

import pytest

import cginit


def _fresh(code):
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()


def test_the_import_is_light():
    heavy = {"scipy", "pandas", "onnxruntime", "typer", "rich", "numpy.polynomial"}
    mine = {"cginit.refine.driver", "cginit.eos", "cginit.io", "cginit.liquid", "cginit.models"}
    assert not (heavy | mine) & set(_fresh("import sys, cginit; print(*sys.modules)"))


def test_a_guess_of_the_usual_target_loads_what_it_needs(tmp_path):
    target = Path(__file__).parents[2] / "examples" / "water" / "target.dat"
    arguments = ["cg-init", "--rdf", str(target), "--out", str(tmp_path / "a.table")]
    code = (
        f"import sys, atexit; sys.argv = {arguments}; atexit.register(lambda: print(*sys.modules)); "
        "from cginit.cli import main; main()"
    )
    # Each takes 1 to 10 ms of the half second that such a guess may take (benchmarks/startup.py).
    late = {"scipy", "rich", "pydantic", "pandas", "numpy.polynomial", "numpy.ma", "importlib.metadata"}
    late |= {"importlib.resources", "tempfile", "random", "zipfile", "csv", "decimal", "html"}
    late |= {
        f"cginit.liquid.{x}" for x in ("response", "finite_size", "joint_inversion", "long_wave", "mixture")
    }
    found = _fresh(code)
    assert "cginit.eos.fluid" in found
    assert not late & set(found)


BEFORE = (
    "import cginit",
    "import cginit; cginit.{name}",
    "import cginit.{name}",
    "from cginit.{name} import __all__",
    "import cginit.refine.driver, cginit.guess.network",
    "from cginit import {name}",
    "from cginit.{name} import {name}",
)
#: Runs each line of its input in a process of its own that has loaded NumPy alone: to load that takes longest.
FORKS = """
import os, sys, numpy
for line in sys.stdin.read().splitlines():
    child = os.fork()
    if child == 0:
        exec(line)
        sys.stdout.flush()
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        sys.exit(line)
"""


@pytest.mark.parametrize("name", ["guess", "refine"])
def test_the_function_and_the_package_of_one_name(name):
    # The package itself is called, so that every way of importing what is in it works.
    part = {"guess": "base", "refine": "driver"}[name]
    after = (
        f"import inspect, cginit, cginit.{name}.{part} as part; from cginit.{name} import {name} as same; "
        f"from cginit import {name} as package; "
        f"print(cginit.{name} is package, inspect.ismodule(package), package.{part} is part, "
        f"inspect.signature(package) == inspect.signature(same), package.{name} is same)"
    )
    lines = [f"{before.format(name=name)}; {after}" for before in BEFORE]
    found = subprocess.run(
        [sys.executable, "-c", FORKS], input="\n".join(lines), capture_output=True, text=True, check=True
    )
    assert found.stdout.splitlines() == [" ".join(["True"] * 5)] * len(BEFORE)


def test_a_call_of_the_package_is_one_of_the_function():
    with pytest.raises(TypeError, match=r"guess\(\) missing 2 required positional arguments"):
        cginit.guess()
    with pytest.raises(TypeError, match=r"refine\(\) missing 2 required positional arguments"):
        cginit.refine()


def test_every_public_name_is_there():
    for package in (cginit, *map(_package, ["io", "liquid", "refine", "guess", "eos"])):
        assert set(package.__all__) <= set(dir(package))
        for name in package.__all__:
            assert getattr(package, name) is getattr(package, name)


def _package(name):
    return sys.modules.get(f"cginit.{name}") or __import__(f"cginit.{name}", fromlist=["__all__"])


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'cginit' has no attribute 'gues'"):
        cginit.gues  # noqa: B018
    assert not hasattr(cginit.io, "pandas")


def test_a_name_may_be_another_one_in_its_module():
    from cginit.refine import open_refinement

    assert cginit.open is open_refinement
    assert "open_refinement" not in dir(cginit)
