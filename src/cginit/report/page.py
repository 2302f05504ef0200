"""The page of a refinement: one HTML file that holds its data, its script and its plotting library."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from cginit.atomic import write_atomically
from cginit.errors import MissingDependencyError, files_explained
from cginit.refine.opened import OpenedRefinement
from cginit.report.downloads import packed
from cginit.report.page_data import page_data

__all__ = ["can_make_pages", "page_html", "refinement_page"]

NO_PLOTLY = "the page needs plotly: pip install 'cginit[report]'"

#: What the page may do. Its own script is named by its hash; the library, which that script unpacks, is a blob.
POLICY = (
    "default-src 'none'; script-src 'sha256-{hash}' blob:; style-src 'unsafe-inline'; img-src data: blob:; "
    "connect-src {connect}; base-uri 'none'; form-action 'none'"
)
#: Letters that could end a script element or begin another in the JSON within it, and what JSON has for them.
ESCAPES = {ord(one): f"\\u{ord(one):04x}" for one in "<>&\u2028\u2029"}


def can_make_pages() -> bool:
    """Return whether the plotting library is installed."""
    return find_spec("plotly") is not None


def refinement_page(opened: OpenedRefinement, path: Path | str, *, backup: bool = True) -> Path:
    """Write the page of a refinement, finished or not, and return its path.

    It shows every distribution and potential at each iteration, the differences in their noise, what it was run
    with, and offers the tables. It needs no network. Equal refinements have equal pages.

    Parameters
    ----------
    opened : OpenedRefinement
        See `cginit.refine.open_refinement`.
    path : Path or str
        The file; its folder is made if need be.
    backup : bool
        Whether `cginit.atomic.keep_backups` keeps one that is replaced.

    Raises
    ------
    MissingDependencyError
        If plotly is not installed.
    InputError
        If the file cannot be written.
    """
    path, content = Path(path), page_html(page_data(opened))
    with files_explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    return write_atomically(path, content, backup=backup)


def page_html(data: Mapping[str, Any], live: Mapping[str, Any] | None = None) -> str:
    """Return the page of such data, see `cginit.report.page_data.page_data`.

    Parameters
    ----------
    data : mapping
        What it shows.
    live : mapping, optional
        Of a page that is served: ``address``, where newer data are, and ``seconds``, how often to ask.

    Raises
    ------
    MissingDependencyError
        If plotly is not installed.
    """
    script = "\n" + _static("plots.js") + _static("page.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    parts = {
        "POLICY": html.escape(POLICY.format(hash=digest, connect="'none'" if live is None else "'self'")),
        "TITLE": html.escape(f"{data['title']}: refinement"),
        "STYLE": _static("page.css"),
        "DATA": _json(data),
        "LIVE": _json(live),
        "LIBRARY": _library(),
        "SCRIPT": script,
    }
    # In one pass: what is put in is not looked at again.
    return re.sub(r"\{\{([A-Z]+)\}\}", lambda found: parts[found[1]], _static("page.html"))


def _json(value: object) -> str:
    r"""Return JSON that can stand in a script element whatever its strings hold.

    Examples
    --------
    >>> _json("</script>")
    '"\\u003c/script\\u003e"'
    """
    text = json.dumps(value, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
    return text.translate(ESCAPES)


def _static(name: str) -> str:
    return (files("cginit.report") / "static" / name).read_text(encoding="utf-8")


@cache
def _library() -> str:
    """Return Plotly's script, packed: 2 MB of 5."""
    # Found without importing plotly, which would take longer than all the rest.
    spec = find_spec("plotly")
    if spec is None or spec.origin is None:
        raise MissingDependencyError(NO_PLOTLY)
    return packed((Path(spec.origin).parent / "package_data" / "plotly.min.js").read_bytes())
