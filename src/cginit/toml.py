"""TOML files: those of systems, of trainings, of studies."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from cginit.errors import InputError

__all__ = ["read_toml"]


def read_toml(path: Path) -> dict[str, Any]:
    """Return the content of a TOML file; InputError if it is not one."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}; check the path") from None
    except (ValueError, RecursionError) as error:
        # Errors of TOML and of its encoding are ValueErrors.
        raise InputError(f"{path} cannot be read as TOML: {error}; correct it there") from None
