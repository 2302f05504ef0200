"""Pages that are made of what stands elsewhere: docstrings, the help of the commands, model and data cards."""

from __future__ import annotations

import inspect
import os
import pkgutil
import re
import sys
from contextlib import redirect_stdout
from importlib import import_module
from io import StringIO
from pathlib import Path
from types import ModuleType

from docstrings import escaped

import cginit

ROOT = Path(__file__).resolve().parents[1]
#: Made at each build and not kept.
API, COMMANDS, CARDS = "api", "commands", "cards"

#: Parts of the reference in the order of the contents: title, and the packages or modules whose public names it has.
PARTS = {
    "curves": (
        "Curves, states, units",
        (
            "curves",
            "state",
            "target",
            "units",
            "interactions",
            "configuration",
            "periodic",
            "grids",
            "display",
            "errors",
        ),
    ),
    "io": ("Files", ("io", "atomic", "names", "lock", "untrusted", "toml", "process_identity")),
    "guess": ("Guesses", ("guess", "extrapolate")),
    "refine": ("Refinement", ("refine",)),
    "liquid": ("Liquid-state theory", ("liquid", "splines")),
    "eos": ("Pressure", ("eos",)),
    "forward": ("From U(r) to g(r)", ("forward",)),
    "molecules": (
        "Molecules",
        ("topology", "bonded_terms", "bonded", "bonded_grids", "bond_graph", "coordinates", "growth"),
    ),
    "sampling": ("Sampling", ("sampling",)),
    "engines": ("Engines", ("engines", "cluster")),
    "trajectory": ("Trajectories", ("trajectory",)),
    "export": ("Models for other programs", ("export",)),
    "models": ("Networks at run time", ("models",)),
    "learn": ("Networks in training", ("learn",)),
    "campaign": ("Training data", ("campaign",)),
    "report": ("Reports", ("report",)),
    "votca": ("Settings of VOTCA", ("votca",)),
    "testing": ("Checks of guesses, engines, updates and responses of your own", ("testing",)),
}
#: Packages that are not for use from Python.
PRIVATE = {"cli", "lazy"}

#: Where links of the pages that lead out of this folder go on the site.
LINKS = {
    "../src/cginit/models/shipped/bridge.md": f"{CARDS}/bridge.md",
    "../src/cginit/models/shipped/cn-f.md": f"{CARDS}/cn-f.md",
    "../src/cginit/models/shipped/eos.md": f"{CARDS}/eos.md",
    "../src/cginit/models/shipped/forward.md": f"{CARDS}/forward.md",
    "../src/cginit/models/shipped/molecules.md": f"{CARDS}/molecules.md",
    "../data/README.md": f"{CARDS}/data.md",
    "../plugins/study/data/README.md": f"{CARDS}/studies.md",
    "../benchmarks/RESULTS.md": f"{CARDS}/results.md",
    "../benchmarks/refine/RESULTS.md": f"{CARDS}/refinement-results.md",
    "../benchmarks/refine/README.md": f"{CARDS}/refinement-benchmark.md",
    "../plugins/study/results/README.md": f"{CARDS}/study.md",
    "../benchmarks/closure.md": f"{CARDS}/closure.md",
    "../benchmarks/error-parts.md": f"{CARDS}/error-parts.md",
    "../benchmarks/pretraining.md": f"{CARDS}/pretraining.md",
    "../plugins/votca/README.md": f"{CARDS}/plugin-votca.md",
    "../plugins/msibi/README.md": f"{CARDS}/plugin-msibi.md",
    "../plugins/relentless/README.md": f"{CARDS}/plugin-relentless.md",
    "../plugins/study/README.md": f"{CARDS}/plugin-study.md",
    "../examples/water": f"{CARDS}/water.md",
    "../README.md": f"{CARDS}/readme.md",
    "../ARCHITECTURE.md": f"{CARDS}/architecture.md",
    "../CONTRIBUTING.md": f"{CARDS}/contributing.md",
    "../CHANGELOG.md": f"{CARDS}/changelog.md",
}


API_INTRODUCTION = """Every public function and class, with shapes, units, errors and sources, made of its docstring.

An array `(n,)` has n values. Lengths, energies and densities are in the units of the curve that carries them, unless
a text says kT or sigma.
"""
#: Cards and results in the order of their contents.
CARD_ORDER = [
    "readme",
    "bridge",
    "cn-f",
    "forward",
    "molecules",
    "eos",
    "data",
    "studies",
    "results",
    "refinement-benchmark",
    "refinement-results",
    "study",
    "closure",
    "pretraining",
    "error-parts",
    "water",
    "plugin-votca",
    "plugin-msibi",
    "plugin-relentless",
    "plugin-study",
]


def _contents(title: str, text: str, pages: list[str]) -> str:
    entries = "\n".join(pages)
    return f"# {title}\n\n{text}\n```{{toctree}}\n:maxdepth: 1\n\n{entries}\n```\n"


def write_all(folder: Path) -> None:
    """Write every page; those that did not change keep their time, so that they are not built again."""
    for name, text in {**_api_pages(), **_command_pages(), **_cards()}.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


# -- reference


def _modules(name: str) -> list[str]:
    """Return a module and all below it that are not private."""
    module = import_module(f"cginit.{name}")
    found = [module.__name__]
    for item in pkgutil.iter_modules(getattr(module, "__path__", [])):
        if not item.name.startswith("_"):
            found.extend(_modules(f"{name}.{item.name}"))
    return found


def _api_pages() -> dict[str, str]:
    listed = {top for _, tops in PARTS.values() for top in tops} | PRIVATE
    present = {item.name for item in pkgutil.iter_modules(cginit.__path__) if not item.name.startswith("_")}
    parts = dict(PARTS)
    # What has no part yet is not lost.
    if unlisted := sorted(present - listed):
        parts["others"] = ("Others", tuple(unlisted))
    pages = {f"{API}/public.md": _public_page()}
    for part, (title, tops) in parts.items():
        modules = [name for top in tops if top in present for name in _modules(top)]
        sections = [text for name in modules if (text := _module_section(name))]
        pages[f"{API}/{part}.md"] = f"# {title}\n\n" + "\n".join(sections)
    pages[f"{API}/index.md"] = _contents("Reference", API_INTRODUCTION, ["public", *parts])
    return pages


def _public_page() -> str:
    lines = [
        "# `import cginit`",
        "",
        "What most programs need. Everything else stands in the parts that follow.",
        "",
    ]
    lines += ["```{eval-rst}", ".. py:module:: cginit", ""]
    names = [name for name in cginit.__all__ if not name.startswith("_")]
    # Functions first: they are the verbs of the package.
    for name in sorted(names, key=lambda name: (inspect.isclass(getattr(cginit, name)), name)):
        thing = getattr(cginit, name)
        # A package that can be called as its function of the same name.
        home = f"cginit.{name}" if inspect.ismodule(thing) else "cginit"
        lines += _directive(home, name, getattr(thing, name) if inspect.ismodule(thing) else thing)
    return "\n".join([*lines, "```", ""])


def _module_section(name: str) -> str:
    """Return the section of one module: its docstring and what is defined in it, not what it only passes on."""
    module = import_module(name)
    if getattr(module, "__all__", None) is None:
        return ""
    here = [item for item in module.__all__ if _is_at_home(module, item)]
    here = [
        item
        for item in here
        if not (
            item in cginit.__all__
            and (name == f"cginit.{item}" or getattr(cginit, item) is getattr(module, item))
        )
    ]
    if not here:
        return ""
    lines = [
        f"## `{name}`",
        "",
        "```{eval-rst}",
        f".. py:module:: {name}",
        "",
    ]
    lines += [*inspect.cleandoc(module.__doc__ or "").splitlines(), ""]
    for item in here:
        lines += _directive(name, item, getattr(module, item))
    return "\n".join([*lines, "```", ""])


def _is_at_home(module: ModuleType, name: str) -> bool:
    """Whether a public name of a module is defined in it, and not only passed on."""
    thing = getattr(module, name)
    if inspect.isclass(thing) or inspect.isroutine(thing):
        return bool(thing.__module__ == module.__name__)
    return _assignment(module, name) is not None


def _assignment(module: ModuleType, name: str) -> int | None:
    """Return the line in which a module sets a name."""
    lines = inspect.getsource(module).splitlines()
    return next((i for i, line in enumerate(lines) if re.match(rf"{name}\b[^=]*= ", line)), None)


def _directive(module: str, name: str, thing: object) -> list[str]:
    """Return the lines of autodoc for one public name."""
    lines = [f".. py:currentmodule:: {module}", ""]
    if inspect.isclass(thing):
        return [*lines, f".. autoclass:: {name}", "   :members:", "   :special-members: __call__", ""]
    if inspect.isfunction(thing) or hasattr(thing, "__wrapped__"):
        return [*lines, f".. autofunction:: {name}", ""]
    # What is above the line that sets a constant says what it is; autodoc would add what its type is.
    home = sys.modules[module]
    source, line = inspect.getsource(home).splitlines(), _assignment(home, name) or 0
    comment = []
    while line > 0 and source[line - 1].startswith("#:"):
        line -= 1
        comment.insert(0, "   " + escaped(source[line].removeprefix("#:").strip()))
    return [*lines, f".. py:data:: {name}", "", *comment, ""]


# -- commands


def _command_pages() -> dict[str, str]:
    """Return one page with the help of every command, as a terminal shows it."""
    from cginit.cli.examples import EXAMPLES

    sections = [
        "# Commands",
        "",
        "All options of every command, as `cg-init COMMAND --help-all` prints them. What all of them have in common: "
        "[the command line](command-line.md).",
        "",
    ]
    for name in EXAMPLES:
        sections += [f"## `{' '.join(['cg-init', name]).strip()}`", ""]
        sections += ["```text", _help(name), "```", ""]
    return {f"{COMMANDS}.md": "\n".join(sections)}


def _help(command: str) -> str:
    from cginit.cli.app import app

    os.environ |= {"COLUMNS": "88", "NO_COLOR": "1"}
    with redirect_stdout(StringIO()) as shown:
        app([*command.split(), "--help-all"], prog_name="cg-init", standalone_mode=False)
    return "\n".join(line.rstrip() for line in shown.getvalue().strip("\n").splitlines())


# -- cards and other pages of the repository


def _cards() -> dict[str, str]:
    pages = {f"{CARDS}/index.md": _contents("Models, data, benchmarks", "", CARD_ORDER)}
    for link, page in LINKS.items():
        source = ROOT / link.removeprefix("../")
        source = source / "README.md" if source.is_dir() else source
        if source.exists():
            pages[page] = _moved(source)
    return pages


def _moved(source: Path) -> str:
    """Return a page of the repository as it reads on the site: its links lead to pages there, or are plain text."""

    def link(match: re.Match[str]) -> str:
        text, target = match[1], match[2]
        if "://" in target or target.startswith("#"):
            return match[0]
        path, _, anchor = target.partition("#")
        place = os.path.relpath((source.parent / path).resolve(), ROOT / "docs")
        if place in LINKS:
            return f"[{text}]({Path(LINKS[place]).name}{'#' + anchor if anchor else ''})"
        if not place.startswith("..") and (ROOT / "docs" / place).is_file():
            return f"[{text}](../{place})"
        if match[0].startswith("!") and (source.parent / path).is_file():
            return f"![{text}](../{place})"
        return text

    return re.sub(r"!?\[([^\]]*)\]\(([^)\s]+)\)", link, source.read_text(encoding="utf-8"))


def read_page(app: object, name: str, content: list[str]) -> None:
    """Turn links of the pages that lead out of this folder to where these pages stand on the site."""
    if name.startswith((f"{API}/", f"{CARDS}/")):
        return
    for link, page in LINKS.items():
        content[0] = content[0].replace(f"]({link})", f"]({page})").replace(f"]({link}#", f"]({page}#")
