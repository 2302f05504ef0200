"""Options that belong together, stated once as a dataclass and taken by every command that has them."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from dataclasses import MISSING, fields, is_dataclass
from typing import TYPE_CHECKING, Any, get_type_hints

from cginit.errors import InputError

if TYPE_CHECKING:
    from typer import Context

__all__ = ["given_options", "refuse_options", "with_groups"]


def with_groups(command: Callable[..., None]) -> Callable[..., None]:
    """Return the command with the fields of its parameters that are dataclasses as options of its own.

    A field is annotated as an option of Typer and has its default; the command is given one object of each dataclass.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @dataclass
    ... class Engine:
    ...     threads: int = 1
    >>> def run(file: str, engine: Engine) -> None:
    ...     print(file, engine.threads)
    >>> with_groups(run)(file="a", threads=2)
    a 2
    >>> list(inspect.signature(with_groups(run)).parameters)
    ['file', 'threads']
    """
    hints = get_type_hints(command, include_extras=True)
    parameters: list[inspect.Parameter] = []
    groups: dict[str, type] = {}
    for name, parameter in inspect.signature(command).parameters.items():
        kind = hints[name]
        if not (isinstance(kind, type) and is_dataclass(kind)):
            parameters.append(parameter.replace(annotation=kind))
            continue
        groups[name] = kind
        parameters += _parameters_of(kind)

    @functools.wraps(command)
    def run(**values: Any) -> None:
        for name, kind in groups.items():
            values[name] = kind(**{item.name: values.pop(item.name) for item in fields(kind)})
        command(**values)

    # Typer asks for both.
    keyword = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in parameters]
    run.__signature__ = inspect.Signature(keyword)  # type: ignore[attr-defined]
    run.__annotations__ = {one.name: one.annotation for one in keyword} | {"return": None}
    del run.__wrapped__
    return run


@functools.cache
def _parameters_of(group: type) -> list[inspect.Parameter]:
    """Return the fields of a dataclass as parameters; several commands take the same one."""
    hints = get_type_hints(group, include_extras=True)
    parameters = []
    for item in fields(group):
        default = item.default
        if default is MISSING and item.default_factory is not MISSING:
            default = item.default_factory()
        if default is MISSING:
            default = inspect.Parameter.empty
        parameters.append(
            inspect.Parameter(
                item.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=hints[item.name]
            )
        )
    return parameters


def given_options(context: Context) -> dict[str, Any]:
    """Return the options that the user wrote, by name, without those that have their default."""
    return {
        name: value
        for name, value in context.params.items()
        if (source := context.get_parameter_source(name)) is not None and source.name == "COMMANDLINE"
    }


def refuse_options(names: Sequence[str], why: str) -> None:
    """Refuse options that the user wrote, if there are any.

    Raises
    ------
    InputError
        If there are: "--dr, --density cannot stand beside" and `why`.
    """
    if names:
        options = ", ".join("--" + name.replace("_", "-") for name in names)
        raise InputError(f"{options} cannot stand beside {why}")
