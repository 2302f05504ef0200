"""Files of a refinement known by size and hash, so that one which is not what was written there is found."""

from __future__ import annotations

import errno
import hashlib
import json
import shutil
import time
from pathlib import Path
from typing import Any

from cginit.atomic import write_atomically

__all__ = [
    "MANIFEST",
    "agrees",
    "damage_of",
    "entry_of",
    "manifest_of",
    "remove_folder",
    "versions",
    "write_json",
]

#: How often, and how many seconds apart, a folder is removed in which an engine still writes that was told to end.
ATTEMPTS, PAUSE = 50, 0.1
#: The file of an iteration that says what its other files are.
MANIFEST = "files.json"


def write_json(content: object, path: Path) -> None:
    """Write a file whole or not at all."""
    write_atomically(path, json.dumps(content, indent=1) + "\n", backup=False)


def entry_of(path: Path) -> list[int | str]:
    """Return size and hash of a file."""
    with path.open("rb") as stream:
        return [path.stat().st_size, hashlib.file_digest(stream, "sha256").hexdigest()]


def versions(folder: Path) -> dict[str, tuple[int, int]]:
    """Return what changes of a file when it is written anew, by name, for every file in a folder."""
    found = {}
    for one in sorted(folder.iterdir()):
        if one.is_file() and not one.name.startswith("."):
            state = one.stat()
            found[one.name] = (state.st_ino, state.st_mtime_ns)
    return found


def agrees(path: Path, entry: Any) -> bool:
    """Whether a file is there with the size and the hash of an entry; see `entry_of`."""
    try:
        return list(entry) == entry_of(path)
    except (OSError, TypeError):
        return False


def manifest_of(iteration: Path) -> dict[str, Any]:
    """Return what an iteration says of its files; empty if it says nothing."""
    try:
        found = json.loads((iteration / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) and isinstance(found.get("files"), dict) else {}


def damage_of(iteration: Path) -> str:
    """Return what is not whole of an iteration; empty if it is, or comes from a version that did not say."""
    manifest = iteration / MANIFEST
    if not manifest.exists():
        return ""
    files = manifest_of(iteration).get("files")
    if files is None:
        return f"{manifest} is not whole"
    bad = [name for name, entry in files.items() if not agrees(iteration / name, entry)]
    return f"{iteration / bad[0]} is not what was written there" if bad else ""


def remove_folder(folder: Path) -> None:
    """Remove a folder in which an engine may still write for the moment that it takes to end."""
    for _ in range(ATTEMPTS):
        try:
            shutil.rmtree(folder)
            return
        except FileNotFoundError:
            # A name that vanished while it was looked at, or the folder itself.
            if not folder.exists():
                return
        except OSError as error:
            if error.errno != errno.ENOTEMPTY:
                raise
        time.sleep(PAUSE)
    shutil.rmtree(folder)
