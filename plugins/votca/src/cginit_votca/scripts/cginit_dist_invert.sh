#!/bin/bash
# The first potential of a non-bonded interaction, from cginit; every other distribution goes to VOTCA's own script.
# csg_inverse calls: --type TYPE --kbT X --min Y NAME.dist.tgt OUTPUT

if [[ $1 = "--help" ]]; then
  echo "${0##*/}: start of csg_inverse from cginit's guess; options as dist_boltzmann_invert.pl"
  exit 0
fi

# The program of the environment in which this script is installed; of an editable installation, that on the path.
program=
folder="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
while [[ $folder != / ]]; do
  [[ -x $folder/bin/cginit-votca ]] && program="$folder/bin/cginit-votca" && break
  folder="$(dirname "$folder")"
done
[[ -n $program ]] || program="$(type -p cginit-votca)" || \
  die "${0##*/}: the program cginit-votca is not on the path; activate the environment in which it is installed"

type="non-bonded"
for ((i = 1; i < $#; i++)); do
  next=$((i + 1))
  [[ ${!i} = "--type" ]] && type="${!next}"
done

if [[ $type = "non-bonded" ]]; then
  "$program" dist-invert "$@"
  code=$?
  [[ $code -eq 0 ]] && exit 0
  [[ $code -eq 100 ]] || die "${0##*/}: cginit-votca failed with exit code $code; its words stand above"
fi

# The next script of the tables for the same keys.
script="$(show_csg_tables | sed -n 's/^dist invert \(.*\)$/\1/p' | grep -v "^${0##*/}\$" | sed -n 1p)"
[[ -n $script ]] || die "${0##*/}: no other script for 'dist invert' was found"
echo "${0##*/}: $type is handed on to $script"
exec "$(find_in_csgshare "${script%% *}")" "$@"
