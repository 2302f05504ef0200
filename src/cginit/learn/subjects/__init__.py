"""What networks learn, one subject each (`base.Subject` is their contract), by the name in a configuration."""

from __future__ import annotations

from cginit.errors import InputError
from cginit.learn.subjects.base import Lesson, Preparation, Run, Subject
from cginit.learn.subjects.bridge import BridgeSubject
from cginit.learn.subjects.molecules import MoleculeSubject
from cginit.learn.subjects.potential import PotentialSubject
from cginit.learn.subjects.pressure import PressureSubject
from cginit.learn.subjects.structure import StructureSubject

__all__ = ["SUBJECTS", "Lesson", "Preparation", "Run", "Subject", "subject_of"]

_ALL: tuple[Subject, ...] = (
    PotentialSubject(),
    BridgeSubject(),
    MoleculeSubject(),
    PressureSubject(),
    StructureSubject(),
)
#: By the name that a configuration gives.
SUBJECTS: dict[str, Subject] = {subject.name: subject for subject in _ALL}


def subject_of(name: str) -> Subject:
    """Return the subject of a name.

    Raises
    ------
    InputError
        If there is none.

    Examples
    --------
    >>> subject_of("bridge").outputs
    ('u', 'spread')
    """
    if name not in SUBJECTS:
        raise InputError(f"unknown subject {name!r} of a network; choose {', '.join(SUBJECTS)}")
    return SUBJECTS[name]
