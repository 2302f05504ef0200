"""Names of a package that are imported from their modules when they are first used (PEP 562)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from types import ModuleType
from typing import Any

__all__ = ["callable_package", "lazy_names"]


def lazy_names(
    package: str, homes: Mapping[str, Sequence[str]]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return the functions ``__getattr__`` and ``__dir__`` of a package.

    A start of the program pays for what it uses only. Type checkers read the imports below ``TYPE_CHECKING`` in the
    package.

    Parameters
    ----------
    package : str
        Its ``__name__``.
    homes : mapping of str to sequence of str
        For each module, the names that the package takes from it, ``name as other`` under another one.

    Examples
    --------
    >>> find, names = lazy_names("cginit", {"cginit.units": ["unit_system"]})
    >>> find("unit_system")("lj").name
    'lj'
    """
    home_of = {
        name.rpartition(" as ")[2]: (module, name.partition(" as ")[0])
        for module, names in homes.items()
        for name in names
    }

    def find(name: str) -> Any:
        if name not in home_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module, there = home_of[name]
        found = getattr(import_module(module), there)
        # The next look-up finds it without this function.
        setattr(sys.modules[package], name, found)
        return found

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *home_of})

    return find, names


class _CallablePackage(ModuleType):
    """A package that can be called as the function in it that has its name."""

    @property
    def _function(self) -> Callable[..., Any]:
        found: Callable[..., Any] = getattr(self, self.__name__.rpartition(".")[2])
        return found

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        return self._function(*args, **keywords)

    @property
    def __doc__(self) -> str | None:  # type: ignore[override]
        # What `help` and notebooks say of it: what it does when it is called.
        return self._function.__doc__

    @property
    def __signature__(self) -> Any:
        # What editors and `help` show of a call.
        import inspect

        return inspect.signature(self._function)


def callable_package(package: str) -> None:
    """Make a package callable as its function of the same name.

    So `cginit.refine` is both the function that users call and the package whose modules they import, in every way
    that Python has of importing them.

    Parameters
    ----------
    package : str
        Its ``__name__``.
    """
    sys.modules[package].__class__ = _CallablePackage
