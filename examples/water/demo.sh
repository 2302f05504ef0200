#!/bin/sh
# The main job on water: guess, a short refinement with LAMMPS, tables and a figure. Every path is printed.
# BIN: folder of cg-init (default: that on the path); OUT: where results go; ITERATIONS: how many simulations.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${OUT:-demo-output}/water
run() { if [ -n "${BIN:-}" ]; then program=$1; shift; "$BIN/$program" "$@"; else "$@"; fi; }
mkdir -p "$out"

echo "== guess"
run cg-init guess --rdf "$here/target.dat" --cutoff 0.9 --out "$out/guess.pot" --out "$out/guess.table"
echo "== refinement"
# Exit code 3 says "not converged", which a refinement as short as this one may be.
run cg-init refine --rdf "$here/target.dat" --cutoff 0.9 --workdir "$out/refine" --beads 1000 \
  --iterations "${ITERATIONS:-3}" --equilibration 2000 --production 6000 --every 60 \
  --out "$out/CG-CG.pot" --out "$out/CG-CG.table" --out "$out/CG-CG.xvg" || [ $? -eq 3 ]
echo "== figure"
run cg-init report "$out/refine"
