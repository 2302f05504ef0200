"""The command ``cg-init``: parse, call the library, write, exit code."""

from __future__ import annotations

from cginit.cli.app import main

__all__ = ["main"]
