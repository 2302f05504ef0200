"""The page of a refinement that still runs, served to the browsers of this machine and to no one else."""

from __future__ import annotations

import json
import logging
import secrets
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from cginit.errors import CGInitError, InputError, in_words
from cginit.lock import holder_of
from cginit.refine.opened import open_refinement
from cginit.report.page import page_html
from cginit.report.page_data import page_data

__all__ = ["LivePage"]

log = logging.getLogger(__name__)

#: The address on which it listens: that of this machine within itself.
LOOPBACK = "127.0.0.1"
#: Seconds between two questions of a page whether there is something new, and after which a silent visitor is left.
PACE, SILENCE = 2.0, 30.0
#: Name of the data beside the page.
DATA = "data.json"
#: What every answer says: it is kept nowhere, framed nowhere, and read by no other site.
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class LivePage:
    """A page that is served while a refinement runs, and follows it; a context manager.

    It listens on the loopback device only. Its address holds a random token of 256 bits, without which it answers
    nothing, and requests in the name of another host are refused, so that neither other users of the machine nor
    pages of the web that are open in the same browser come to see it. It serves the page and its data, nothing else.

    Parameters
    ----------
    folder : Path
        The work directory of the refinement.
    port : int
        Where it listens; by default the system chooses.

    Raises
    ------
    InputError
        If the folder holds no refinement, or the port is taken.
    MissingDependencyError
        If plotly is not installed.

    Examples
    --------
    >>> with LivePage(Path("water")) as page:  # doctest: +SKIP
    ...     print(page.address)
    ...     page.serve()
    http://127.0.0.1:40123/0x4NqV...wU/
    """

    def __init__(self, folder: Path, port: int = 0) -> None:
        self._newest = _Newest(folder)
        # Whatever stands in its way is said here, not to a browser.
        page_html(self._newest.data(), live={})
        self._token = secrets.token_urlsafe(32)
        try:
            self._server = ThreadingHTTPServer((LOOPBACK, port), self._handler())
        except OSError as error:
            raise InputError(
                f"the page cannot be served at the port {port} ({in_words(error)}); choose another (--port)"
            ) from error
        self._server.daemon_threads = True

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    @property
    def address(self) -> str:
        """What to give to a browser."""
        return f"http://{LOOPBACK}:{self.port}/{self._token}/"

    def serve(self) -> None:
        """Answer until `close` is called from another thread, or the process is interrupted."""
        self._server.serve_forever(poll_interval=0.2)

    def close(self) -> None:
        """Stop to listen."""
        self._server.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def stop(self) -> None:
        """End `serve`, which runs in another thread."""
        self._server.shutdown()

    def answer(self, path: str, host: str) -> tuple[HTTPStatus, str, bytes]:
        """Return status, type and content for what a browser asks, in the name of what host."""
        # A page of the web may give its own name the address of this machine.
        if host not in (f"{LOOPBACK}:{self.port}", f"localhost:{self.port}"):
            return HTTPStatus.FORBIDDEN, "text/plain", b"this host is not served here"
        asked = urlsplit(path)
        token, _, name = asked.path.removeprefix("/").partition("/")
        known = secrets.compare_digest(token.encode(), self._token.encode())
        if not known or name not in ("", DATA) or not asked.path.startswith(f"/{token}/"):
            return HTTPStatus.NOT_FOUND, "text/plain", b"there is nothing here"
        data = self._newest.data()
        if name == DATA:
            if parse_qs(asked.query).get("since") == [data["version"]]:
                return HTTPStatus.NO_CONTENT, "application/json", b""
            return HTTPStatus.OK, "application/json", json.dumps(data, allow_nan=False).encode()
        live = {"address": DATA, "seconds": PACE}
        return HTTPStatus.OK, "text/html; charset=utf-8", page_html(data, live).encode()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        page = self

        class Handler(BaseHTTPRequestHandler):
            """Answers GET and HEAD."""

            timeout = SILENCE
            server_version, sys_version = "cginit", ""

            def do_GET(self) -> None:
                status, kind, content = page.answer(self.path, self.headers.get("Host", ""))
                self.send_response(status)
                for name, value in HEADERS.items():
                    self.send_header(name, value)
                self.send_header("Content-Type", kind)
                if status is not HTTPStatus.NO_CONTENT:
                    self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)

            do_HEAD = do_GET

            def log_message(self, format: str, *arguments: Any) -> None:
                # The token is part of what is asked for.
                log.debug("a browser was answered")

        return Handler


class _Newest:
    """The data of the page, made anew when something in the folder has changed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._seen: object = None
        self._data: dict[str, Any] = {}

    def data(self) -> dict[str, Any]:
        """Return the newest data; those before where the folder cannot be read just now."""
        with self._lock:
            seen = self._look()
            if seen != self._seen:
                try:
                    self._data = page_data(open_refinement(self._folder))
                    self._seen = seen
                except (CGInitError, OSError) as error:
                    if not self._data:
                        raise
                    # A run that mends the folder removes iterations; the next look finds it whole.
                    log.info("the folder cannot be read just now: %s", error)
            return self._data

    def _look(self) -> object:
        """Return what changes when the page should: simulations, how it ended, whether somebody works there."""
        found = []
        for place in (self._folder, *sorted(self._folder.glob("state_*"))):
            names = ("iteration_*", "*.json", "*.npz")
            entries = sorted(one for name in names for one in place.glob(name))
            found.append((holder_of(place) is not None, [(one.name, _changed(one)) for one in entries]))
        return found


def _changed(path: Path) -> int:
    """Return when a file was written; a folder of a simulation has its name only when it is complete."""
    try:
        return path.stat().st_mtime_ns if path.is_file() else 0
    except OSError:
        return 0
