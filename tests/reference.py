"""Targets of other programs that the project does not hold: the variable CGINIT_TARGETS names their folder."""

import os
from pathlib import Path

#: Tests that read from here skip where it is absent.
TARGETS = Path(os.environ.get("CGINIT_TARGETS", "no-reference-targets"))
