"""What a command is told to write, looked at before it works for it: callbacks of options."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from cginit.atomic import check_new, check_writable
from cginit.errors import InputError

__all__ = ["check_any_tables", "check_figure_option", "check_file", "check_pair_tables", "check_tables"]

T = TypeVar("T")
#: What stands for the name of a pair in the name of a file.
PAIR = "{pair}"


def check_tables(paths: list[Path] | None) -> list[Path] | None:
    """Make sure that tables can be written under these names: a format that is known, in a folder that is there.

    Raises
    ------
    InputError
        If not; see `cginit.io.formats.table_format` and `cginit.atomic.check_writable`.
    """
    from cginit.io.formats import table_format

    for path in _once(paths):
        _one_name(path)
        table_format(path)
        check_writable(path)
    return paths


def _one_name(path: Path) -> None:
    """Refuse a list of names with commas, which would be the name of one file."""
    first, comma, _ = path.name.partition(",")
    if comma and Path(first).suffix:
        raise InputError(
            f"{path} is one name with a comma in it; give --out once a table: --out {first} --out ..."
        )


def check_any_tables(names: list[Path] | None) -> list[Path] | None:
    """Do the same where the number of interactions is not known yet; `check_pair_tables` follows for several."""
    from cginit.io.formats import table_format

    for name in _once(names):
        path = Path(str(name).replace(PAIR, "A-A"))
        _one_name(path)
        if path.suffix.lower() != ".py":
            table_format(path)
        check_new(path)
    return names


def check_pair_tables(names: Sequence[str | Path] | None) -> None:
    """Do the same for the tables of a mixture: names with ``{pair}``, or of one file for a program.

    Their folders are made when there is something to write.
    """
    from cginit.io.formats import table_format
    from cginit.io.pair_tables import PAIR_FORMATS

    for name in _once(names):
        path = Path(str(name).replace(PAIR, "A-A"))
        if PAIR in str(name):
            table_format(path)
        elif path.suffix.lower() != ".py" and (kind := table_format(path).name) not in PAIR_FORMATS:
            raise InputError(
                f"{name}: {kind} tables hold one pair each; write one for each pair, with {PAIR} in the name, or "
                f"choose one of {', '.join(PAIR_FORMATS)}"
            )
        check_new(path)


def check_figure_option(path: Path | None) -> Path | None:
    """Make sure that a figure can be written there, in a format that is known."""
    if path is not None:
        from cginit.report.figures import check_figure

        check_figure(path)
    return path


def check_file(path: Path | None) -> Path | None:
    """Make sure that a file of any name can be written there, whose folder may have to be made."""
    if path is not None:
        check_new(path)
    return path


def _once(values: Sequence[T] | None) -> Sequence[T]:
    """Return the values, of which none may stand twice: the second would replace the first."""
    found = list(values or ())
    twice = next((one for number, one in enumerate(found) if one in found[:number]), None)
    if twice is not None:
        raise InputError(f"{twice} is to be written twice; give each name once")
    return found
