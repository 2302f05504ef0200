#!/bin/sh
# From the g(r) of a Lennard-Jones liquid (T* = 1, rho* = 0.85) back to its potential, which is known.
# BIN: folder of cg-init and python (default: those on the path); OUT: where results go.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${OUT:-demo-output}/lennard-jones
run() { if [ -n "${BIN:-}" ]; then program=$1; shift; "$BIN/$program" "$@"; else "$@"; fi; }
mkdir -p "$out"

for method in boltzmann hnc network; do
  run cg-init guess --rdf "$here/target.dat" --method $method --cutoff 2.5 --out "$out/$method.pot"
done
# Exit code 3 says "not converged", which a refinement as short as this one may be.
run cg-init refine --rdf "$here/target.dat" --method hnc --cutoff 2.5 --workdir "$out/refine" --beads 1500 \
  --iterations "${ITERATIONS:-4}" --equilibration 2000 --production 6000 --every 60 \
  --out "$out/refined.pot" --out "$out/refined.table" || [ $? -eq 3 ]
run cg-init report "$out/refine"
run python "$here/compare.py" "$here/target.dat" "$out"/boltzmann.pot "$out"/hnc.pot "$out"/network.pot "$out"/refined.pot
