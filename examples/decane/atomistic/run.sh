#!/bin/sh
# Simulates 300 united-atom decane molecules with GROMACS and leaves production.tpr and production.xtc in a folder.
#
#   ./run.sh [FOLDER]      (default: ./run; the same command again goes on where it was interrupted)
#
# Environment: PYTHON (default python3, with NumPy), and that of ../../gromacs.sh: GMX, THREADS, STEPS.
set -eu

here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
. "$here/../../gromacs.sh"
in_folder "${1:-run}"

# The one warning allowed is GROMACS' reminder that GROMOS force fields were made with a twin-range cut-off, which does
# not matter to a g(r) that only has to be that of this run.
if [ ! -f minimise.gro ]; then
    "${PYTHON:-python3}" "$here/make_molecule.py"
    "$gmx" insert-molecules -ci decane.gro -nmol 300 -box 6 6 6 -seed 30010 -try 200 -o start.gro
    grompp minimise start.gro -maxwarn 1
    mdrun minimise
fi
if [ ! -f compress.gro ]; then
    grompp compress minimise.gro -maxwarn 1
    mdrun compress
fi
produce compress.gro -t compress.cpt -maxwarn 1
