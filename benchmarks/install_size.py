"""Size of an installation: the wheel itself, and what each extra brings, each in a new virtual environment.

    python benchmarks/install_size.py [EXTRA ...] [--python python3.12] [--wheel dist/cginit-*.whl]

Without an EXTRA all of `pyproject.toml` but ``dev``. The empty environment (pip) is not counted, nor what Python
would compile later. It downloads some GB in all.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from zipfile import ZipFile

from machine import table

ROOT = Path(__file__).resolve().parents[1]


def size(folder: Path) -> float:
    """Disk space in MB (10^6 bytes) of the files below a folder; links count once, where they point to."""
    files = (Path(place) / name for place, _, names in os.walk(folder) for name in names)
    return sum(file.stat().st_size for file in files if not file.is_symlink()) / 1e6


def installed(python: str, requirement: str) -> tuple[float, dict[str, float]]:
    """Return MB of an installation in a new environment, and those of its largest packages."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([python, "-m", "venv", folder], check=True)
        place = next(Path(folder).glob("lib*/python3*/site-packages"))
        empty = size(Path(folder))
        pip = [f"{folder}/bin/python", "-m", "pip", "install", "--quiet", "--no-compile", requirement]
        subprocess.run(pip, check=True)
        parts = {
            item.name: size(item) for item in place.iterdir() if item.is_dir() and "pip" not in item.name
        }
        return size(Path(folder)) - empty, parts


def wheel_of(given: Path | None, folder: str) -> Path:
    """Return the wheel that was given, or build one."""
    if given is None:
        command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", folder, str(ROOT)]
        subprocess.run(command, check=True)
        return next(Path(folder).glob("cginit-*.whl"))
    return given.resolve()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    known = [extra for extra in project["optional-dependencies"] if extra != "dev"]
    parser.add_argument("extras", nargs="*", default=["", *known], metavar="EXTRA")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--wheel", type=Path)
    args = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        wheel = wheel_of(args.wheel, folder)
        content = sum(info.file_size for info in ZipFile(wheel).infolist()) / 1e6
        print(f"{wheel.name}: {wheel.stat().st_size / 1e6:.1f} MB, unpacked {content:.1f} MB\n")
        for extra in args.extras:
            total, parts = installed(args.python, f"{wheel}[{extra}]" if extra else str(wheel))
            largest = sorted(parts, key=lambda name: -parts[name])[:4]
            what = ", ".join(f"{name} {parts[name]:.0f}" for name in largest)
            rows.append([f"`cginit[{extra}]`" if extra else "`cginit`", f"{total:.0f}", what])
            print(rows[-1], file=sys.stderr, flush=True)
    print(table(["install", "MB", "most of it (MB)"], rows))


if __name__ == "__main__":
    main()
