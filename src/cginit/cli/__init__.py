"""The command ``cg-init``: parse, call the library, write, exit code."""

from __future__ import annotations

import sys

from cginit.cli.failures import INTERRUPTED

__all__ = ["main"]


def main() -> None:
    """Run the command line; errors end with a message and an exit code."""
    try:
        from cginit.cli.app import main as run_commands
    except KeyboardInterrupt:
        # A busy machine may take seconds to load the program, in which nothing has been done.
        sys.stderr.write("cg-init: interrupted\n")
        raise SystemExit(INTERRUPTED) from None
    run_commands()
