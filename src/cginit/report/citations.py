"""What to cite for a refinement: the papers of what it used."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cginit.refine.record import Record

__all__ = ["Citation", "citations"]


@dataclass(frozen=True)
class Citation:
    """One thing to cite.

    Attributes
    ----------
    what : str
        What it is cited for.
    text : str
        Authors, journal, year.
    link : str
        Where it is; empty for none.
    """

    what: str
    text: str
    link: str = ""


CGINIT = Citation("cginit", "The cginit developers, cginit (CITATION.cff of the repository)")
_VERLET = Citation(
    "the guess", "L. Verlet, Mol. Phys. 41, 183 (1980)", "https://doi.org/10.1080/00268978000102671"
)
_GAUSS_NEWTON = (
    Citation(
        "the update",
        "F. Delbary, M. Hanke and D. Ivanizki, arXiv:1806.11135 (2020)",
        "https://arxiv.org/abs/1806.11135",
    ),
    Citation(
        "the update",
        "M. P. Bernhardt, M. Hanke and N. F. A. van der Vegt, J. Chem. Phys. 154, 084118 (2021)",
        "https://doi.org/10.1063/5.0038633",
    ),
)
_IBI = Citation(
    "the update",
    "D. Reith, M. Pütz and F. Müller-Plathe, J. Comput. Chem. 24, 1624 (2003)",
    "https://doi.org/10.1002/jcc.10307",
)
#: By the method of a guess.
_GUESSES = {
    "bridge": (_VERLET,),
    "molecules": (_VERLET,),
    "network": (_VERLET,),
    "polished": (_VERLET,),
    "cn-f": (
        Citation(
            "the guess",
            "F. Berressem and A. Nikoubashman, J. Chem. Phys. 154, 124123 (2021)",
            "https://doi.org/10.1063/5.0045441",
        ),
    ),
}
#: By the name of an update, as records have it.
_UPDATES = {
    "gauss-newton": _GAUSS_NEWTON,
    "hncn": _GAUSS_NEWTON,
    "ihnc": _GAUSS_NEWTON,
    "imc": (
        Citation(
            "the update",
            "A. P. Lyubartsev and A. Laaksonen, Phys. Rev. E 52, 3730 (1995)",
            "https://doi.org/10.1103/PhysRevE.52.3730",
        ),
    ),
    "ibi": (_IBI,),
    "anderson-ibi": (
        _IBI,
        Citation(
            "the update", "D. G. Anderson, J. ACM 12, 547 (1965)", "https://doi.org/10.1145/321296.321305"
        ),
    ),
}
#: By the first word of an engine.
_ENGINES = {
    "lammps": (
        Citation(
            "LAMMPS",
            "A. P. Thompson et al., Comput. Phys. Commun. 271, 108171 (2022)",
            "https://doi.org/10.1016/j.cpc.2021.108171",
        ),
    ),
    "hoomd": (
        Citation(
            "HOOMD-blue",
            "J. A. Anderson, J. Glaser and S. C. Glotzer, Comput. Mater. Sci. 173, 109363 (2020)",
            "https://doi.org/10.1016/j.commatsci.2019.109363",
        ),
    ),
}


def citations(records: Iterable[Record]) -> tuple[Citation, ...]:
    """Return what to cite for these simulations: cginit, and each guess, update and engine once."""
    found = [CGINIT]
    for record in records:
        for potential in record.potentials.values():
            if potential.provenance is not None:
                found += _GUESSES.get(potential.provenance.method, ())
        found += _UPDATES.get(record.made_by, ())
        found += _ENGINES.get(record.engine.partition(" ")[0].lower(), ())
    return tuple(dict.fromkeys(found))
