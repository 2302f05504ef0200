"""One run at a time in a folder: a lock that says who holds it, and that nobody holds after a crash."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import socket
import threading
import time
import weakref
from dataclasses import asdict, dataclass
from pathlib import Path

from cginit.errors import InputError
from cginit.process_identity import place_of_processes, start_of_process

__all__ = ["LOCK_NAME", "FolderLock", "Holder", "holder_of"]

#: The file in the folder.
LOCK_NAME = ".lock"
#: Seconds between two signs of life of a holder, and without one after which it counts as dead on another machine.
#: An NFS client may show a file as it was a minute ago.
BEAT, SILENCE = 15.0, 120.0
#: How often a lock that changes hands meanwhile is tried, and seconds between.
ATTEMPTS, PAUSE = 20, 0.05
#: What systems answer that have no hard links.
_NO_LINKS = frozenset(
    {errno.EPERM, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.EINVAL, errno.EXDEV}
)


@dataclass(frozen=True)
class Holder:
    """Who holds a lock.

    Attributes
    ----------
    token : str
        Random; tells this lock from every other.
    host, place : str
        Name of the machine; machine, boot and container within which process numbers mean something, empty if
        unknown.
    pid, thread : int
        Process and thread.
    started : str
        When the process started, as its system counts: numbers of processes are used again. Empty if unknown.
    since : str
        When the lock was taken, for people.
    """

    token: str
    host: str
    place: str
    pid: int
    thread: int
    started: str
    since: str

    @classmethod
    def here(cls) -> Holder:
        """Return this process, with a new token."""
        pid = os.getpid()
        return cls(
            token=os.urandom(8).hex(),
            host=socket.gethostname(),
            place=place_of_processes(),
            pid=pid,
            thread=threading.get_ident(),
            started=start_of_process(pid) or "",
            since=time.strftime("%Y-%m-%d %H:%M:%S"),
        )

    def is_this_process(self) -> bool:
        """Whether it is the process that asks."""
        me = Holder.here()
        return (self.host, self.place, self.pid, self.started) == (me.host, me.place, me.pid, me.started)

    def is_alive(self, silence: float) -> bool:
        """Whether the holder still runs, `silence` seconds after its last sign of life.

        The number of a process says it at once, where it belongs to the same machine, boot and container. Elsewhere
        only signs of life do.
        """
        here = place_of_processes()
        if here and self.place == here:
            started = start_of_process(self.pid)
            return started is not None and (not self.started or not started or started == self.started)
        return silence < SILENCE


class FolderLock:
    """A lock on a folder, held from `acquire` to `release`, to the end of the process, or until nothing refers to it.

    The lock is a file with the name of its holder, linked into its place: of several links with one name exactly one
    works, on network file systems, too. Where there are no links the file is created exclusively and read again. The
    holder touches the file every 15 seconds. A lock whose process is gone, or, on another machine, has been silent
    for two minutes, is taken over. Should its holder live after all (it was suspended), it finds out by `check`.

    The same thread of the same process may take the lock again; the last to take it releases it.
    """

    def __init__(self, path: Path, holder: Holder) -> None:
        self._path, self._holder = path, holder
        stop = threading.Event()
        # Neither the thread nor the farewell may refer to the lock itself, which would then live for ever.
        threading.Thread(target=_beat, args=(path, holder.token, stop), daemon=True, name="lock").start()
        self._release = weakref.finalize(self, _release, path, holder, stop)

    @classmethod
    def acquire(cls, folder: Path) -> FolderLock:
        """Take the lock of a folder.

        Raises
        ------
        InputError
            If another run holds it.
        OSError
            If the folder cannot be written to.
        """
        path, me = folder.resolve() / LOCK_NAME, Holder.here()
        mine = path.with_name(f"{LOCK_NAME}.{me.token}")
        _write_new(mine, me)
        try:
            for attempt in range(ATTEMPTS):
                if _put(mine, path, me) and (attempt == 0 or _stays(path, me)):
                    _remove_old_claims(path, mine)
                    return cls(path, me)
                _give_way(path, mine, folder)
                time.sleep(PAUSE)
        finally:
            with contextlib.suppress(OSError):
                mine.unlink()
        raise InputError(f"{path} changes hands all the time; make sure that one run uses {folder}")

    def check(self) -> None:
        """Make sure that the lock is still held; take it again where its file was removed.

        Raises
        ------
        InputError
            If another run has taken it over.
        """
        found = _read(self._path)
        if found is not None and (found.token == self._holder.token or found.is_this_process()):
            return
        if found is None:
            # Someone has tidied up.
            with contextlib.suppress(FileExistsError):
                _write_new(self._path, self._holder)
                return
            found = _read(self._path)
        raise InputError(
            f"{self._path.parent} has been taken over by {_named(found)} while this run was suspended; it ends here, "
            "and what it had finished is kept"
        )

    def release(self) -> None:
        """Give the lock back; again, or where another has taken it over, this does nothing."""
        self._release()


def holder_of(folder: Path) -> Holder | None:
    """Return who works in a folder, as far as can be told without the lock; None if nobody does."""
    path = folder.resolve() / LOCK_NAME
    try:
        silence = time.time() - path.stat().st_mtime
    except OSError:
        return None
    found = _read(path)
    return found if found is not None and found.is_alive(silence) else None


def _named(holder: Holder | None) -> str:
    if holder is None:
        return "another run"
    return f"process {holder.pid} on {holder.host}, since {holder.since}"


def _give_way(path: Path, mine: Path, folder: Path) -> None:
    """Remove a lock that nobody holds any more; InputError if someone does."""
    found = _read(path)
    # Of two files in one folder the server's clock tells which is older, whatever the clocks of its clients say.
    try:
        mine.touch()
        silence = mine.stat().st_mtime - path.stat().st_mtime
    except FileNotFoundError:
        return
    if found is None:
        # Being written, or cut short by a crash of the machine.
        if silence > SILENCE:
            _move_away(path, None)
        return
    if found.is_this_process():
        threads = {one.ident for one in threading.enumerate()}
        dead = found.thread == threading.get_ident() or found.thread not in threads
    else:
        dead = not found.is_alive(silence)
    if not dead:
        raise InputError(
            f"{folder} is in use by {_named(found)}; wait for it or stop it, or give another --workdir. (If nothing "
            f"runs there any more: it counts as dead {SILENCE:g} s after its last sign of life.)"
        )
    _move_away(path, found.token)


def _move_away(path: Path, token: str | None) -> None:
    """Remove the lock with this token, and put another that has come meanwhile back."""
    # Of several that rename one file one succeeds.
    aside = path.with_name(f"{path.name}.{os.urandom(8).hex()}")
    try:
        path.rename(aside)
    except FileNotFoundError:
        return
    found = _read(aside)
    if found is not None and found.token != token:
        with contextlib.suppress(OSError):
            os.link(aside, path)
    with contextlib.suppress(OSError):
        aside.unlink()


def _put(mine: Path, path: Path, me: Holder) -> bool:
    """Put the lock in its place; whether that worked."""
    try:
        os.link(mine, path)
    except OSError as error:
        if mine.stat().st_nlink == 2:
            # The answer of the server was lost, and asking again found the link made.
            return True
        if isinstance(error, FileExistsError):
            return False
        if error.errno not in _NO_LINKS:
            raise
        try:
            _write_new(path, me)
        except FileExistsError:
            return False
        # Where creating is not exclusive, either, the last to write has it.
        return _stays(path, me)
    return True


def _stays(path: Path, me: Holder) -> bool:
    """Whether a lock taken over is still there when others that found the dead one have seen it, too."""
    time.sleep(PAUSE)
    found = _read(path)
    return found is not None and found.token == me.token


def _write_new(path: Path, holder: Holder) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            json.dump(asdict(holder), stream)
            stream.flush()
            os.fsync(stream.fileno())
    except BaseException:
        with contextlib.suppress(OSError):
            path.unlink()
        raise


def _read(path: Path) -> Holder | None:
    """Return who holds a lock, None if nobody does or the file is not whole."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        texts = {name: str(content[name]) for name in ("token", "host", "place", "started", "since")}
        return Holder(**texts, pid=int(content["pid"]), thread=int(content["thread"]))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _remove_old_claims(path: Path, mine: Path) -> None:
    """Remove what runs have left that were killed while they took the lock."""
    for other in path.parent.glob(f"{path.name}.*"):
        with contextlib.suppress(OSError):
            silence, claimant = mine.stat().st_mtime - other.stat().st_mtime, _read(other)
            dead = silence > SILENCE if claimant is None else not claimant.is_alive(silence)
            if other != mine and dead:
                other.unlink()


def _beat(path: Path, token: str, stop: threading.Event) -> None:
    """Give signs of life."""
    while not stop.wait(BEAT):
        found = _read(path)
        if found is not None and found.token != token:
            # Taken again by this process, or over by another.
            continue
        # A server that is away for a moment comes back.
        with contextlib.suppress(OSError):
            os.utime(path)


def _release(path: Path, holder: Holder, stop: threading.Event) -> None:
    stop.set()
    if os.getpid() != holder.pid:
        # A child of this process, which has not taken it.
        return
    found = _read(path)
    if found is not None and found.token == holder.token:
        with contextlib.suppress(OSError):
            path.unlink()
