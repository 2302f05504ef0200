"""Names of bead types: words that every file name, table and input script can hold as they are."""

from __future__ import annotations

import re

from cginit.errors import InputError

__all__ = ["check_bead_type", "with_article"]

#: Letters, digits and what names of atoms and ions have besides; nothing that separates words, ends a line, begins a
#: comment, a variable, a quotation or a command in LAMMPS, GROMACS, DL_POLY, Python or a shell, and no folder.
_WORD = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+*'^~@:-]*")


def check_bead_type(name: str, where: str = "") -> str:
    """Return the name of a bead type if programs can take it, from a file or an option that `where` names.

    Raises
    ------
    InputError
        If the name is empty or holds another character.

    Examples
    --------
    >>> check_bead_type("CL-"), check_bead_type("O5'")
    ('CL-', "O5'")
    """
    if _WORD.fullmatch(name) is None:
        place = f"{where}: " if where else ""
        raise InputError(
            f"{place}{name!r} cannot name a bead type; use letters, digits and _ . + - * ' ^ ~ @ : only, "
            "one of the first three in front, since the name stands in file names, tables and input scripts"
        )
    return name


def with_article(word: str) -> str:
    """Return a word behind its indefinite article.

    Examples
    --------
    >>> with_article("bond"), with_article("angle")
    ('a bond', 'an angle')
    """
    return f"{'an' if word[:1] in 'aeiou' else 'a'} {word}"
