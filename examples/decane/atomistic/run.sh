#!/bin/sh
# Simulates 300 united-atom decane molecules with GROMACS and leaves production.tpr and production.xtc in a folder.
#
#   ./run.sh [FOLDER]      (default: ./run; the same command again goes on where it was interrupted)
#
# Environment: GMX (the GROMACS program, default gmx), PYTHON (default python3, with NumPy), THREADS (default 1),
# STEPS (production steps of 2 fs in place of those of production.mdp).
set -eu

here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
work=${1:-run}
gmx=${GMX:-gmx}
threads=${THREADS:-1}
steps=${STEPS:-}

mkdir -p "$work"
cd "$work"
cp "$here/topol.top" .

# mdrun NAME [OPTION...]: runs or continues NAME.tpr.
mdrun() {
    name=$1
    shift
    "$gmx" mdrun -deffnm "$name" -ntmpi 1 -ntomp "$threads" -pin off -reprod -cpi "$name.cpt" -cpt 5 "$@"
}

# grompp NAME START [OPTION...]: makes NAME.tpr once. The one warning allowed is GROMACS' reminder that GROMOS force fields
# were made with a twin-range cut-off, which does not matter to a g(r) that only has to be that of this run.
grompp() {
    name=$1
    start=$2
    shift 2
    [ -f "$name.tpr" ] || "$gmx" grompp -f "$here/$name.mdp" -p topol.top -c "$start" -o "$name.tpr" \
        -po "$name.out.mdp" -maxwarn 1 "$@"
}

if [ ! -f minimise.gro ]; then
    "${PYTHON:-python3}" "$here/make_molecule.py"
    "$gmx" insert-molecules -ci decane.gro -nmol 300 -box 6 6 6 -seed 30010 -try 200 -o start.gro
    grompp minimise start.gro
    mdrun minimise
fi
if [ ! -f compress.gro ]; then
    grompp compress minimise.gro
    mdrun compress
fi
if [ ! -f production.gro ]; then
    grompp production compress.gro -t compress.cpt
    mdrun production ${steps:+-nsteps "$steps"}
fi
