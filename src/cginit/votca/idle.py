"""Options of csg_inverse that count only beside others, and stand alone: they do nothing there, nor here."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from cginit.votca.options import find_option
from cginit.votca.settings import PairSection, Settings

__all__ = ["idle_options"]

#: Sections of one simulation program.
PROGRAMS = ("gromacs", "lammps", "hoomd-blue", "espresso", "espressopp", "dlpoly")
#: Sections and options of the method iie. What says how dense the beads are, and how many a molecule has, always
#: counts.
OF_IIE = ("iie.", "initial_guess.", "newton.", "gauss_newton.")
ALWAYS = ("iie.densities", "iie.n_intra")
#: Steps of post_update that have options here.
STEPS = ("scale", "smooth", "pressure", "kbibi")


def idle_options(settings: Settings) -> list[str]:
    """Return a sentence on each group of options that count only beside another one, which is not given.

    Those of another program, those of the method iie with another one, a limit of a convergence check that is not
    made, and options of a step that ``post_update`` or ``post_add`` does not name.
    """
    notes = [
        _sentence(names, f"the program is {settings.program}") for names in [_of_other_programs(settings)]
    ]
    if settings.method != "iie":
        names = [key for key in settings.options if key.startswith(OF_IIE) and key not in ALWAYS]
        notes.append(_sentence(_read("inverse", names), f"the method is {settings.method}"))
    unchecked = settings.option("convergence_check.type", "none") == "none"
    if unchecked:
        limit = [key for key in settings.options if key == "convergence_check.limit"]
        notes.append(_sentence(_read("inverse", limit), "convergence_check.type is none"))
    for names, why in _of_pairs(settings, unchecked):
        notes.append(_sentence(names, why))
    return [note for note in notes if note]


def _sentence(names: list[str], why: str) -> str:
    verb = "has" if len(names) == 1 else "have"
    return f"{', '.join(names)} {verb} no effect: {why}" if names else ""


def _read(section: str, keys: list[str]) -> list[str]:
    """Return the full names of those options that would be read; of the others a note is made in any case."""
    found = []
    for key in keys:
        option = find_option(f"cg.{section}.{key}")
        if option is not None and option.use == "read":
            found.append(f"{section}.{key}")
    return found


def _of_other_programs(settings: Settings) -> list[str]:
    others = tuple(f"{program}." for program in PROGRAMS if program != settings.program)
    return _read("inverse", [key for key in settings.options if key.startswith(others)])


def _of_pairs(settings: Settings, unchecked: bool) -> Iterator[tuple[list[str], str]]:
    """Yield the options of pairs that do nothing, and why; the same ones of several pairs once."""
    for step in STEPS:
        yield (
            _given(
                settings,
                (f"inverse.post_update_options.{step}", f"inverse.post_update_options.{step}."),
                lambda item, step=step: step not in item.words("post_update"),  # type: ignore[misc]
            ),
            f"post_update does not contain {step}",
        )
    if settings.method != "imc":
        yield _given(settings, ("inverse.imc.group",)), f"the method is {settings.method}"
    if unchecked:
        yield _given(settings, ("inverse.post_add_options.convergence.",)), "convergence_check.type is none"


def _given(
    settings: Settings, beginnings: tuple[str, ...], fits: Callable[[PairSection], bool] = lambda _: True
) -> list[str]:
    """Return the options of pairs that begin so (or are so called), with the pairs where not all have them."""
    owners: dict[str, list[str]] = {}
    for item in settings.interactions:
        for key in item.options:
            own = any(key == one or (one.endswith(".") and key.startswith(one)) for one in beginnings)
            if own and fits(item) and _read("non-bonded", [key]):
                owners.setdefault(key, []).append(item.name)
    everywhere = len(settings.interactions)
    return [
        f"non-bonded.{key}" + ("" if len(names) == everywhere else f" of {' and '.join(names)}")
        for key, names in owners.items()
    ]
