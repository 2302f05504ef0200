#!/bin/sh
# cg-init target, gmx rdf and csg_stat on the same frames.
#
#   ./check.sh WATER DECANE     (folders with production.tpr and production.xtc)
#
# BIN: folder of cg-init and python (default: those on the path); OUT: where results go; GMX: the GROMACS program.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
water=$(CDPATH= cd -- "$1" && pwd)
decane=$(CDPATH= cd -- "$2" && pwd)
gmx=${GMX:-gmx}
[ -z "${BIN:-}" ] || BIN=$(CDPATH= cd -- "$BIN" && pwd)
run() { if [ -n "${BIN:-}" ]; then program=$1; shift; "$BIN/$program" "$@"; else "$@"; fi; }
mkdir -p "${OUT:-demo-output}/cross-check"
cd "${OUT:-demo-output}/cross-check"

# Every tenth frame of water, every frame of decane up to 300 ps.
[ -f water.xtc ] || echo 0 | "$gmx" trjconv -f "$water/production.xtc" -s "$water/production.tpr" -skip 10 -o water.xtc
[ -f decane.xtc ] || echo 0 | "$gmx" trjconv -f "$decane/production.xtc" -s "$decane/production.tpr" -e 300 -o decane.xtc

"$gmx" rdf -f water.xtc -s "$water/production.tpr" -ref 'mol_com of resname SOL' -sel 'mol_com of resname SOL' \
    -bin 0.01 -rmax 1.5 -o water-gmx.xvg
csg_stat --top "$water/production.tpr" --trj water.xtc --cg "$here/water.xml" --options "$here/settings-water.xml"
csg_stat --top "$decane/production.tpr" --trj decane.xtc --cg "$here/../decane/decane.xml" \
    --options "$here/settings-decane.xml"
run cg-init target --topology "$water/production.tpr" --trajectory water.xtc --map residues:com --temperature 300 \
    --r-max 1.5 --out water.dat
run cg-init target --topology "$decane/production.tpr" --trajectory decane.xtc --map "$here/../decane/decane.yaml" \
    --temperature 300 --r-max 1.5 --out '{pair}.dat'
run python "$here/compare.py" 1000 water.dat water-gmx.xvg
run python "$here/compare.py" 1000 water.dat CG-CG.dist.new
for pair in E-E E-M M-M; do
    run python "$here/compare.py" 300 $pair.dat $pair.dist.new
done
