"""What Sphinx makes of docstrings: characters and names as they are meant in this package."""

from __future__ import annotations

import inspect
import re
import sys
from functools import cache

from docutils import nodes
from sphinx.addnodes import pending_xref, pending_xref_condition

import cginit


def escaped(line: str) -> str:
    if ":math:" in line or "\\" in line:
        return line
    # Between double backticks every character stands for itself.
    parts = line.split("``")
    parts[::2] = [part.replace("|", "\\|") for part in parts[::2]]
    return "``".join(parts)


def read_docstring(
    app: object, what: str, name: str, thing: object, options: object, lines: list[str]
) -> None:
    """Write bars and initials as characters: a bar stands for an absolute value, an initial for a name."""
    # "J. P. Hansen" at the beginning of a line is no tenth point of a list.
    lines[:] = [re.sub(r"^(\s*)([A-Z]\. )", r"\1\\\2", line) for line in lines]
    lines[:] = [line if line.startswith((" ", ".. ")) and "math" in line else escaped(line) for line in lines]


def read_references(app: object, document: nodes.document) -> None:
    """Point each name in a docstring to the object that it means where it stands, or make it plain code.

    Sphinx would search `n` and `density` among the attributes of all classes.
    """
    for node in list(document.findall(pending_xref)):
        if node.get("refdomain") != "py":
            continue
        target = _full_name(node["reftarget"], node.get("py:module"), node.get("py:class"))
        if target is None:
            # Where Sphinx has a short and a full text of a name, the full one is what the docstring says.
            texts = [x for x in node.children if not isinstance(x, pending_xref_condition)]
            full = [x for x in node.findall(pending_xref_condition) if x.get("condition") == "*"]
            node.replace_self(texts or [text for x in full for text in x.children])
        else:
            node["reftarget"], node["refspecific"] = target, False


def _full_name(name: str, module: str | None, owner: str | None) -> str | None:
    """Return the name under which the reference has an object; None if it is none of this package."""
    if name.startswith("cginit."):
        return _PUBLIC.get(name.rpartition(".")[2], name) if _is_public(name) else name
    place = sys.modules.get(module or "")
    head, _, rest = name.partition(".")
    thing = getattr(place, head, None)
    if inspect.isclass(thing) or inspect.isfunction(thing):
        if not thing.__module__.startswith("cginit"):
            return None
        public = getattr(cginit, head, None) is thing and head in cginit.__all__
        home = f"cginit.{head}" if public else f"{thing.__module__}.{thing.__qualname__}"
        return f"{home}.{rest}" if rest else home
    if owner and hasattr(getattr(place, owner, None), head):
        return f"{module}.{owner}.{name}"
    if name in getattr(place, "__all__", ()):
        return f"{module}.{name}"
    # Elsewhere in the package, if there is only one of that name.
    homes = _homes().get(head, [])
    return f"{homes[0]}.{name}" if len(homes) == 1 else None


@cache
def _homes() -> dict[str, list[str]]:
    """Return for each public class and function the modules that define it."""
    found: dict[str, list[str]] = {}
    for module in [x for key, x in sorted(sys.modules.items()) if key.startswith("cginit.")]:
        for name in getattr(module, "__all__", ()):
            thing = getattr(module, name)
            if (inspect.isclass(thing) or inspect.isfunction(thing)) and thing.__module__ == module.__name__:
                public = getattr(cginit, name, None) is thing and name in cginit.__all__
                found.setdefault(name, []).append("cginit" if public else module.__name__)
    return found


def _is_public(name: str) -> bool:
    module, _, last = name.rpartition(".")
    found = getattr(sys.modules.get(module), last, None)
    return found is not None and last in cginit.__all__ and getattr(cginit, last) is found


#: Public names by their last part.
_PUBLIC = {name: f"cginit.{name}" for name in cginit.__all__}
