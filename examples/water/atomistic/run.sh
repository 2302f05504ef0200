#!/bin/sh
# Simulates 1000 SPC/E molecules with GROMACS and leaves production.tpr and production.xtc in a folder.
#
#   ./run.sh [FOLDER]      (default: ./run; the same command again goes on where it was interrupted)
#
# Environment: that of ../../gromacs.sh, GMX, THREADS, and STEPS in place of the 325000 steps of 2 fs of production.mdp.
set -eu

here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
. "$here/../../gromacs.sh"
in_folder "${1:-run}"

if [ ! -f minimise.gro ]; then
    # A box that holds 1007 molecules of bulk water, scaled to the edge (1000/33.2827)^(1/3) nm.
    "$gmx" solvate -cs spc216.gro -box 3.155 -maxsol 1000 -o filled.gro
    scale=$(awk 'BEGIN { printf "%.8f", (1000 / 33.2827)^(1/3) / 3.155 }')
    "$gmx" editconf -f filled.gro -scale "$scale" "$scale" "$scale" -o start.gro
    grompp minimise start.gro
    mdrun minimise
fi
if [ ! -f equilibrate.gro ]; then
    grompp equilibrate minimise.gro
    mdrun equilibrate
fi
produce equilibrate.gro -t equilibrate.cpt
