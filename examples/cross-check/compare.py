"""Compare a g(r) of cg-init with that of a program that divides by N^2 pairs.

    python compare.py MOLECULES OURS THEIRS

Ends with an error if they differ by more than a few pairs that fall into the next bin, and the digits printed.
"""

import sys

import numpy as np

from cginit.io import read_rdf

molecules, ours, theirs = int(sys.argv[1]), read_rdf(sys.argv[2]), sys.argv[3]
other = read_rdf(theirs, units="nm-kJ/mol")
r = ours.r[(ours.r > 0.2) & (ours.r < min(ours.r_max, other.r_max))]
mine = np.interp(r, ours.r, ours.g) * (1.0 - 1.0 / molecules)
difference = np.interp(r, other.r, other.g) - mine
ratio = np.sum(mine + difference) / np.sum(mine)
worst = int(np.argmax(np.abs(difference)))
print(
    f"{theirs}: largest difference {difference[worst]:+.5f} at {r[worst]:.2f} nm, root mean square "
    f"{np.sqrt(np.mean(difference**2)):.5f}; mean ratio {ratio:.6f}"
)
# gmx prints three decimals; rounding moves a few of the thousands of pairs of a bin to its neighbour.
if np.max(np.abs(difference)) > 2e-3 or abs(ratio - 1.0) > 1e-4:
    sys.exit("they differ")
