"""Optional packages, loaded where they are used, with the way to get them where they are absent."""

from __future__ import annotations

from typing import Any

from cginit.errors import MissingDependencyError

__all__ = ["load_freud"]


def load_freud() -> Any:
    """Return freud, which finds neighbours and computes g(r); MissingDependencyError names the extra."""
    try:
        import freud
    except ImportError as error:
        raise MissingDependencyError(
            "simulations and g(r) need freud: pip install 'cginit[sampling]' (cginit[lammps] brings it)"
        ) from error
    return freud
