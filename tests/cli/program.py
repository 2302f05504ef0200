"""The program as a user starts it: in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def cg_init(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run cg-init with these arguments in the folder `cwd`; the slowest commands solve HNC in some seconds."""
    return subprocess.run(
        [sys.executable, "-c", "from cginit.cli import main; main()", *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
