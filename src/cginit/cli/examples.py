"""The examples of the help. Each runs in a copy of the repository; files that none of them names are the user's.

A command may read what an example of an earlier one wrote.
"""

from __future__ import annotations

__all__ = ["EXAMPLES"]

_CONFIGS = "src/cginit/learn/configs"
_DATA = "--data data/state-points.h5"
_TRAJECTORY = "--topology conf.gro --trajectory traj.xtc"
_SCATTERING = "cg-init scattering --sk sk.dat --density 33.3 --temperature 300 --units nm-kJ/mol"

#: By command, without the name of the program; "" is the program itself.
EXAMPLES: dict[str, tuple[str, ...]] = {
    "": (
        "cg-init guess --rdf examples/water/target.dat --out CG-CG.pot --out CG-CG.table",
        "cg-init refine --rdf examples/water/target.dat --workdir water",
    ),
    "guess": (
        "cg-init guess --rdf examples/water/target.dat --out CG-CG.pot --out CG-CG.table",
        "cg-init guess --rdf examples/lennard-jones/target.dat --density 0.85 --kT 1 --units lj --out LJ-LJ.table",
    ),
    "refine": (
        "cg-init refine --rdf examples/water/target.dat --workdir water",
        "cg-init refine --rdf examples/lennard-jones/target.dat --cutoff 2.5 --workdir lj --iterations 5",
    ),
    "target": (
        f"cg-init target {_TRAJECTORY} --map residues:com --temperature 300 --out target.dat",
        f"cg-init target {_TRAJECTORY} --map 'O=name OW' --temperature 300 "
        "--begin 100 --workers 4 --out target.dat",
    ),
    "scattering": (
        f"{_SCATTERING} --out target.dat",
        f"{_SCATTERING} --window none --out raw.dat",
    ),
    "pressure": (
        "cg-init pressure --potential CG-CG.pot",
        "cg-init pressure --potential CG-CG.pot --density 30 --temperature 320 --plot pressure.png",
    ),
    "convert": (
        "cg-init convert CG-CG.pot CG-CG.xvg",
        "cg-init convert CG-CG.table CG-CG.csv --out-units nm-kJ/mol",
    ),
    "report": ("cg-init report water", "cg-init report water --out water.pdf"),
    "export": ("cg-init export water --for lammps", "cg-init export water --for hoomd --mass A=18"),
    "doctor": ("cg-init doctor", "cg-init doctor --json"),
    "dataset": ("cg-init dataset generate campaign --count 10", "cg-init dataset simulate campaign"),
    "dataset generate": (
        "cg-init dataset generate campaign --count 10",
        "cg-init dataset generate campaign --family b --first 100 --count 5",
    ),
    "dataset simulate": (
        "cg-init dataset simulate campaign",
        "cg-init dataset simulate campaign --workers 8",
    ),
    "dataset merge": (
        "cg-init dataset merge campaign --out points.h5",
        "cg-init dataset merge data/state-points.h5 campaign --out all.h5",
    ),
    "dataset unpack": ("cg-init dataset unpack data/state-points.h5 campaign",),
    "dataset status": (
        "cg-init dataset status data/state-points.h5",
        "cg-init dataset status campaign --json",
    ),
    "dataset sheet": (
        "cg-init dataset sheet data/state-points.h5 --out sheet.png",
        "cg-init dataset sheet data/state-points.h5 --family b --count 10 --out b.png",
    ),
    "train": (
        f"cg-init train {_DATA} --config {_CONFIGS}/bridge.toml --out training",
        f"cg-init train {_DATA} --config {_CONFIGS}/bridge.toml --out training --export model",
    ),
    "train curves": (
        "cg-init train curves --out curves --plot curves.png",
        "cg-init train curves --out curves --axis noise --most 1000",
    ),
}
