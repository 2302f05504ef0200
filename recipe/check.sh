#!/bin/sh
# Whether wheel and source distribution in a folder are what a user should get: the wheel holds what inference needs and no more, installs alone, and
# guesses outside of the repository.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
dist=$(cd "$1" && pwd)
wheel=$(ls "$dist"/cginit-*.whl)
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT

python3 -m zipfile -l "$wheel" > "$place/files"
for needed in models/shipped/bridge.onnx models/shipped/cn-f.onnx models/shipped/eos.onnx models/shipped/forward.onnx report/static/page.js py.typed; do
  grep -q "cginit/$needed" "$place/files" || { echo "the wheel lacks $needed" >&2; exit 1; }
done
if grep -E "safetensors|\.h5|/tests/|/data/|\.ipynb" "$place/files"; then
  echo "the wheel holds what inference does not need, see above" >&2; exit 1
fi
# Plugins are distributions of their own.
if python3 -m tarfile -l "$dist"/cginit-*.tar.gz | grep -E "^[^/]+/(plugins|data|benchmarks|examples|tests)/"; then
  echo "the source distribution holds what is not of the package, see above" >&2; exit 1
fi
# The five ensembles are 4.2 MB of it, the eight networks of bridge 1.5.
size=$(wc -c < "$wheel")
[ "$size" -lt 6000000 ] || { echo "the wheel has $size bytes; 6 MB are enough" >&2; exit 1; }

python3 -m venv "$place/venv"
"$place/venv/bin/python" -m pip install --quiet "$wheel"
"$place/venv/bin/python" -m pip check
cp "$here/examples/water/target.dat" "$place"
cd "$place"
./venv/bin/cg-init --version
./venv/bin/cg-init --rdf target.dat --out guess.pot --out guess.table --out guess.csv
./venv/bin/python -c "import cginit; print(cginit.read_table('guess.table').r_cut)"
echo "$wheel ($size bytes)"
