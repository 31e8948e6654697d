"""What the tests of reading data share: files written on the spot, and real data where it is at hand."""

from __future__ import annotations

import http.server
import os
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

REAL = Path(os.environ.get("MLOPS_TEST_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a file and return its path."""

    def write(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


@pytest.fixture
def real() -> Callable[[str], Path]:
    """Return the path of a real data file; the test is skipped where it is absent."""

    def real(name: str) -> Path:
        path = REAL / name
        if not path.exists():
            pytest.skip(f"{path} is not here")
        return path

    return real


@dataclass
class Served:
    """What a local web server answers, and what it was asked."""

    url: str
    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    stop: Callable[[], None] = lambda: None

    def paths(self) -> list[str]:
        """Return the paths that were asked for, in order."""
        return [path for path, _ in self.asked]


@pytest.fixture
def served() -> Iterator[Served]:
    """A web server on this machine: ``answers[path]`` is bytes, or a function of path and headers.

    Such a function returns the status, the headers and the body.
    """

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.asked.append((self.path, dict(self.headers)))
            answer = site.answers.get(self.path, site.answers.get(self.path.partition("?")[0]))
            if answer is None:
                self.send_error(404)
                return
            asked = self.path, self.headers
            status, headers, body = answer(*asked) if callable(answer) else (200, {}, answer)
            self.send_response(status)
            said = list(headers.items()) if isinstance(headers, dict) else list(headers)  # a list repeats names
            length = [] if "Content-Length" in dict(said) else [("Content-Length", str(len(body)))]
            for name, value in length + said:
                self.send_header(name, value)
            with suppress(ConnectionError):  # who asked may have gone
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()

        def stop() -> None:
            if thread.is_alive():
                server.shutdown()
                thread.join()
            server.socket.close()

        site = Served(f"http://127.0.0.1:{server.server_address[1]}", stop=stop)
        try:
            yield site
        finally:
            stop()
