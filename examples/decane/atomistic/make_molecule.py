"""Write one extended decane molecule, united atoms, as decane.gro."""

from pathlib import Path

import numpy as np

BOND, ANGLE = 0.153, np.radians(111.0)  # nm; the equilibrium values of GROMOS 54A7

step = BOND * np.array([np.sin(ANGLE / 2), np.cos(ANGLE / 2)])
with Path("decane.gro").open("w") as file:
    file.write("decane\n   10\n")
    for i in range(10):
        x, y = i * step[0], (i % 2) * step[1]
        file.write(f"    1DEC  {f'C{i + 1}':>5s}{i + 1:5d}{x:8.3f}{y:8.3f}{0:8.3f}\n")
    file.write("   3.00000   3.00000   3.00000\n")
