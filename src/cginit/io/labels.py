"""What the label of a column says it holds: distance, g, its error, a running number, a flag, an index."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Literal

__all__ = [
    "Kind",
    "comment_labels",
    "is_wave",
    "kind_of",
    "labels_of_width",
    "length_in_nm",
    "other_curve",
    "stated_in_sigma",
]

Kind = Literal["distance", "g", "error", "number", "flag", "index", "unknown"]

#: Words that programs and people put above columns, without case, quotes and units; bounded, since a curve may be
#: called Ferrocene or Counterion. Earlier kinds win: "g_error" is an error and no g, "count" a number.
_KINDS: tuple[tuple[Kind, str], ...] = (
    ("index", r"|#|index|idx|row|no\.?|i|unnamed: \d+|level_\d+|bin( no\.?)?"),
    ("flag", r"flags?"),
    (
        "error",
        r"(.*[^a-z])?(errors?|err|std|stdev|stderr|std_?err(or)?|sem|uncertaint(y|ies)|deviation|\+-|\+/-|±)([^a-z].*)?|"
        r"[gy]err(or)?|sd|se|s_g|sigma|sigma_g|sigma\(g\)|g_sigma|d_?g|delta_?g",
    ),
    (
        "number",
        r"(.*[^a-z])?(coord(ination)?|integral|integrated|cumulative|cumul|running|neighbou?rs?|counts?|histogram|number)"
        r"([^a-z].*)?|int|int ?\(.*\)|n|nr|n_r|cn|nn|[nc]n? ?\(.*\)",
    ),
    (
        "distance",
        r"r|x|d|rs|r_?ij|dist(ance)?s?|distance r|radi(us|i)|bins|r_?bins?|(r_?)?bin[ _]?cent(er|re)s?|"
        r"(pair )?separation( distance)?",
    ),
    (
        "g",
        r"y|gr|g_?r|gofr|g_of_r|pdf|(g|gr|rdf|pcf)([^a-z].*)?|(.*[^a-z])?(rdf|gr|g\(r\))|"
        r".*radial distribution.*|.*pair[ _-]?correlation.*",
    ),
)
#: Units of length that labels state, in nm.
_LENGTHS = {
    "nm": 1.0,
    "pm": 1e-3,
    "a": 0.1,
    "å": 0.1,
    "ang": 0.1,
    "angstrom": 0.1,
    "angstroms": 0.1,
    "ångström": 0.1,
    "bohr": 0.0529177210544,
    "a0": 0.0529177210544,
    "um": 1e3,
    "µm": 1e3,
    "μm": 1e3,
}
_UNIT = re.compile(
    r"(?:\s*[(\[/]\s*|_)(nm|pm|[uµμ]m|a|å|ang(?:stroms?)?|ångström|bohr|a0|sigma|σ)\s*[)\]]?\s*$"
)
#: Curves that are no g(r), by the names of their columns, and what to do with them.
_OTHER_CURVES = (
    (
        r"[sf] ?\( ?[kq] ?\)|s_?[kq]|.*structure[ _-]?factor.*",
        "a structure factor S(k)",
        "cg-init scattering --sk makes g(r) of it",
    ),
    (
        r"[uvw](_?mf)? ?\( ?r ?\)|pmf([^a-z].*)?|.*(free[ _-]?energy|potential|mean[ _-]?force).*",
        "a potential or a free energy",
        "g(r) of a potential of mean force W is exp(-W/kT)",
    ),
    (
        r".*((nm|pm|[uµμ]m|å|\ba|ang(stroms?)?|ångström|bohr|sigma|σ) ?(\^|\*\*)? ?\(? ?[-−] ?3 ?\)?|[⁻]³|"
        r"number[ _-]?density|density of (beads|particles|atoms)).*",
        "a density around a bead",
        "divide it by the number density far from the bead (TRAVIS: no probability density)",
    ),
)
_WAVE, _WAVE_WORDS = re.compile(r"[kq]([^a-z].*)?"), re.compile(r".*(wave|scattering)[ _-]?(vector|number).*")
_WORD = re.compile(r'"[^"]*"|\S+')


def _plain(label: str) -> str:
    return label.strip().strip("\"'").strip().lower()


def kind_of(label: str) -> Kind:
    """Return what a label says of its column.

    Examples
    --------
    >>> [kind_of(label) for label in ("Distance / pm", "g(O-H)", "coordination number", "g_err", "A-A")]
    ['distance', 'g', 'number', 'error', 'unknown']
    """
    text = _plain(label)
    bare = _UNIT.sub("", text) or text
    for kind, pattern in _KINDS:
        # Compiled when a label is met, as few files have any: to do it at once takes a twentieth of a guess.
        if re.fullmatch(pattern, bare) or re.fullmatch(pattern, text):
            return kind
    return "unknown"


def length_in_nm(label: str) -> float | None:
    """Return the unit of length that a label of distances states, in nm; None if it states none.

    Examples
    --------
    >>> length_in_nm("r (nm)"), length_in_nm("Distance / pm"), length_in_nm("r")
    (1.0, 0.001, None)
    """
    found = _UNIT.search(_plain(label))
    return None if found is None else _LENGTHS.get(found.group(1))


def stated_in_sigma(label: str) -> bool:
    """Whether a label of distances says that they are in the length of a potential, as ``r/sigma`` does."""
    found = _UNIT.search(_plain(label))
    return found is not None and found.group(1) in ("sigma", "σ")


def is_wave(label: str) -> bool:
    """Whether a label of the first column says that it is a wave number, and no distance.

    Examples
    --------
    >>> is_wave("Wave vector modulus / nm^-1"), is_wave("q"), is_wave("r")
    (True, True, False)
    """
    text = _plain(label)
    return _WAVE.fullmatch(text) is not None or _WAVE_WORDS.fullmatch(text) is not None


def other_curve(label: str) -> tuple[str, str] | None:
    """Return what a label says of its column if that is no g(r), and what to do; None if it may be g(r).

    Examples
    --------
    >>> other_curve("S(q)")[0], other_curve("g(r)")
    ('a structure factor S(k)', None)
    """
    text = _plain(label)
    bare = _UNIT.sub("", text) or text
    return next(
        ((what, remedy) for pattern, what, remedy in _OTHER_CURVES if re.fullmatch(pattern, bare)), None
    )


def labels_of_width(text: str, width: int) -> tuple[str, ...] | None:
    """Split a line of labels into as many as there are columns; None if it does not come to that number.

    Separators are tried from the plainest to the poorest: semicolons, commas, tabs, two spaces, one space. A unit
    in parentheses, or behind a stroke, belongs to the word before it.

    Examples
    --------
    >>> labels_of_width("r (nm)  g(r)", 2)
    ('r (nm)', 'g(r)')
    """
    for separator in (";", ",", "\t", r"\s{2,}"):
        parts = [part.strip() for part in re.split(separator, text.strip())]
        if len(parts) == width > 1:
            return tuple(part.strip("\"'") for part in parts)
    words: list[str] = []
    joined = False
    for word in _WORD.findall(text):
        if words and (joined or word == "/" or re.fullmatch(r"[(\[][^()\[\]]*[)\]]", word)):
            words[-1] += f" {word}"
            joined = word == "/"
        else:
            words.append(word)
    if len(words) != width:
        return None
    return tuple(word.strip("\"'") for word in words)


def comment_labels(comments: Sequence[str] | Iterable[str], width: int) -> tuple[str, ...]:
    """Return the labels in the last comment that has as many as columns, a distance among them; () if none has."""
    for comment in reversed(list(comments)):
        if comment.startswith("@") or "cginit:" in comment:
            continue
        labels = labels_of_width(comment.lstrip("#%!/&").strip(), width)
        if labels is None:
            continue
        kinds = [kind_of(label) for label in labels]
        one = "distance" in kinds[:2] and kinds.count("distance") == 1
        # Columns k and S(k) are labels, too: of something else.
        named = _WAVE_WORDS.fullmatch(_plain(labels[0])) is not None
        if one or named or (is_wave(labels[0]) and other_curve(labels[1]) is not None):
            return labels
    return ()
