"""Formulae as MathML, which browsers show by themselves: no script, no network, and screen readers read them."""

import re

from docutils import nodes
from latex2mathml.converter import convert

SPACE = '<mspace width="0.17em"/>'


def _mathml(text: str, display: str) -> str:
    if "&" in text or r"\\" in text.replace(r"\\,", ""):
        text = rf"\begin{{aligned}}{text}\end{{aligned}}"
    # A function's name stands a little apart from its argument.
    return re.sub(r"(<mi>(?:ln|exp|sin|cos|det)</mi>)(?=<mi)", rf"\1{SPACE}", convert(text, display=display))


def inline(self, node: nodes.math) -> None:
    """Write a formula in a line."""
    self.body.append(_mathml(node.astext(), "inline"))
    raise nodes.SkipNode


def block(self, node: nodes.math_block) -> None:
    """Write a formula of its own."""
    number = f'<span class="eqno">({node["number"]})</span>' if node.get("number") else ""
    self.body.append(f'<div class="math">{number}{_mathml(node.astext(), "block")}</div>')
    raise nodes.SkipNode


def setup(app) -> dict[str, bool]:
    """Register the renderer."""
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
