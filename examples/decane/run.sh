#!/bin/sh
# From the three targets of decane to start potentials and to the tables of five programs.
#
#   ./run.sh              from the committed targets
#   ./run.sh TPR XTC      makes the targets anew, beside this file, from an atomistic run (see atomistic/run.sh), and
#                         refines pairs, bonds and angles of whole molecules
#
# BIN: folder of cg-init (default: the one on the path); OUT: where results go.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
out=${OUT:-demo-output}/decane
run() { if [ -n "${BIN:-}" ]; then program=$1; shift; "$BIN/$program" "$@"; else "$@"; fi; }
mkdir -p "$out"

if [ $# -eq 2 ]; then
    run cg-init target --topology "$1" --trajectory "$2" --end 300 --map "$here/decane.yaml" --temperature 300 \
        --r-max 1.5 --out "$here/{pair}.dist.tgt"
    # Molecules with their bonds and angles: all that their refinement reads, and the refinement.
    run cg-init target --topology "$1" --trajectory "$2" --end 300 --map "$here/decane.yaml" --temperature 300 \
        --r-max 1.5 --system "$out/molecules/system.toml"
    run cg-init refine "$out/molecules/system.toml" --workdir "$out/refined"
fi
for pair in E-E E-M M-M; do
    run cg-init guess --rdf "$here/$pair.dist.tgt" --method boltzmann --cutoff 1.2 --out "$out/$pair.pot"
done
for table in decane.table decane.py decane.xml decane.espresso.npz TABLE; do
    run cg-init convert "$out/E-E.pot" "$out/E-M.pot" "$out/M-M.pot" "$out/$table"
done
