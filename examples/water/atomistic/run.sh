#!/bin/sh
# Simulates 1000 SPC/E molecules with GROMACS and leaves production.tpr and production.xtc in a folder.
#
#   ./run.sh [FOLDER]      (default: ./run; the same command again goes on where it was interrupted)
#
# Environment: GMX (the GROMACS program, default gmx), THREADS (default 1), STEPS (production steps of 2 fs
# in place of the 325000 of production.mdp).
set -eu

here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
work=${1:-run}
gmx=${GMX:-gmx}
threads=${THREADS:-1}
steps=${STEPS:-}

mkdir -p "$work"
cd "$work"
cp "$here/topol.top" .

# mdrun NAME [OPTION...]: runs or continues NAME.tpr, and does nothing where it has already ended.
mdrun() {
    name=$1
    shift
    "$gmx" mdrun -deffnm "$name" -ntmpi 1 -ntomp "$threads" -pin off -reprod -cpi "$name.cpt" -cpt 5 "$@"
}

if [ ! -f minimise.gro ]; then
    # A box that holds 1007 molecules of bulk water, scaled to the edge (1000/33.2827)^(1/3) nm.
    "$gmx" solvate -cs spc216.gro -box 3.155 -maxsol 1000 -o filled.gro
    scale=$(awk 'BEGIN { printf "%.8f", (1000 / 33.2827)^(1/3) / 3.155 }')
    "$gmx" editconf -f filled.gro -scale "$scale" "$scale" "$scale" -o start.gro
    "$gmx" grompp -f "$here/minimise.mdp" -p topol.top -c start.gro -o minimise.tpr -po minimise.out.mdp
    mdrun minimise
fi
if [ ! -f equilibrate.gro ]; then
    [ -f equilibrate.tpr ] || "$gmx" grompp -f "$here/equilibrate.mdp" -p topol.top -c minimise.gro \
        -o equilibrate.tpr -po equilibrate.out.mdp
    mdrun equilibrate
fi
if [ ! -f production.gro ]; then
    [ -f production.tpr ] || "$gmx" grompp -f "$here/production.mdp" -p topol.top -c equilibrate.gro \
        -t equilibrate.cpt -o production.tpr -po production.out.mdp
    mdrun production ${steps:+-nsteps "$steps"}
fi
