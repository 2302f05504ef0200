#!/bin/sh
# Every benchmark, one after the other, on an otherwise idle machine (half an hour): run.sh OUT
# Not among them unless REFINE is set, since it takes a day: simulations to the noise floor on every case, from every start,
# by every update, beside VOTCA and MSIBI (refine/run.py, which can be shared among processes and goes on where it stopped).
# PYTHON: the interpreter (default python); CGINIT_TARGETS: folder of spce/, without which VOTCA is left out.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=$1
python=${PYTHON:-python}
mkdir -p "$out"
"$python" "$here/startup.py" > "$out/startup.md"
"$python" "$here/guess_time.py" > "$out/guess_time.md"
"$python" "$here/invariance.py" > "$out/invariance.md"
"$python" "$here/overhead.py" > "$out/overhead.md"
if [ -n "${CGINIT_TARGETS:-}" ]; then
  "$python" "$here/votca/run.py" "$out/votca"
  "$python" "$here/votca/compare.py" "$out/votca" --figure "$out/votca.svg" > "$out/votca.md"
fi
if [ -n "${REFINE:-}" ]; then
  "$python" "$here/refine/run.py" "$out/refine"
fi
cat "$out"/*.md
