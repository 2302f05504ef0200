"""What studies are about, by name, and the studies that come with this distribution."""

from __future__ import annotations

from pathlib import Path

from cginit.errors import InputError
from cginit_study.pressure_task import PressureSubject
from cginit_study.study import PotentialSubject, Subject

__all__ = ["SUBJECTS", "config_path", "subject_of"]

#: By the name that a study's file gives.
SUBJECTS: dict[str, type[Subject]] = {"potential": PotentialSubject, "pressure": PressureSubject}


def subject_of(name: str) -> Subject:
    """Return the subject that a study names.

    Raises
    ------
    InputError
        If there is none of this name.
    """
    if name not in SUBJECTS:
        raise InputError(f"unknown subject {name!r} of a study; known are {', '.join(SUBJECTS)}")
    return SUBJECTS[name]()


def config_path(name: str) -> Path:
    """Return the file of a study: that of one of `SUBJECTS` as published, or the one that the name is a path of."""
    return Path(__file__).parent / "configs" / f"{name}.toml" if name in SUBJECTS else Path(name)
