"""Compare potentials with the true Lennard-Jones potential where g(r) shows it.

Usage: compare.py TARGET TABLE [TABLE ...]
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from cginit import read_rdf, read_table

SHOWN = 1e-2


def main() -> None:
    target = read_rdf(sys.argv[1]).with_core()
    print(f"{'table':<40} {'mean |dU| / kT':>15} {'largest':>9} {'U(min)':>8} at r")
    for path in map(Path, sys.argv[2:]):
        potential = read_table(path)
        r, u = potential.r, potential.u
        r_cut = 2.5
        true = np.zeros(r.size)
        inside = (r > 0.5) & (r < r_cut)
        true[inside] = 4.0 * (r[inside] ** -12.0 - r[inside] ** -6.0) - 4.0 * (r_cut**-12.0 - r_cut**-6.0)
        shown = np.interp(r, target.r, target.g) > SHOWN
        error = np.abs(u - true)[shown]
        well = int(u.argmin())
        print(f"{path!s:<40} {error.mean():15.4f} {error.max():9.4f} {u[well]:8.4f} {r[well]:.3f}")


if __name__ == "__main__":
    main()
