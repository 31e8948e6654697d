"""``mlops serve`` as a real process, and the rows that it is asked."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx
import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ENDS_S = 60


class Server(NamedTuple):
    """A server that answers."""

    url: str  # without a / at its end
    process: subprocess.Popen[str]

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def get(self, path: str, **options) -> httpx.Response:
        return httpx.get(self.url + path, timeout=ENDS_S, **options)

    def ask(self, rows: Any, query: str = "", **options) -> httpx.Response:
        headers = {"content-type": "application/json", **options.pop("headers", {})}
        content = rows if isinstance(rows, bytes) else json.dumps(rows).encode()
        return httpx.post(f"{self.url}/predict{query}", content=content, headers=headers, timeout=ENDS_S, **options)

    def metric(self, name: str) -> float:
        found = [line for line in self.get("/metrics").text.splitlines() if line.startswith(name)]
        return sum(float(line.rpartition(" ")[2]) for line in found)

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=ENDS_S)


@contextmanager
def served(folder: Path, model: str, *arguments: str):
    """Start ``mlops serve`` on a free port; it ends with the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "mlops_cli", "serve", model, "--port", "0", *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        address = process.stdout.readline().strip().rstrip("/")
        assert address, process.communicate(timeout=ENDS_S)[1]
        yield Server(address.replace("0.0.0.0", "127.0.0.1"), process)
    finally:
        is_left = process.poll() is None
        if is_left:
            process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=ENDS_S)
        if is_left:
            assert (process.returncode, "Traceback" in said) == (0, False), said


def bearer(token: str) -> dict[str, str]:
    """Return the header by which a token is sent."""
    return {"authorization": f"Bearer {token}"}


class Line:
    """One connection that is kept, with as little between as can be: for very many requests."""

    def __init__(self, server: Server) -> None:
        self._host = f"127.0.0.1:{server.port}"
        self._socket = server.connect()
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def ask(self, method: str, path: str, body: bytes = b"") -> int:
        """Return the status of an answer, which is read whole."""
        told = f"{method} {path} HTTP/1.1\r\nHost: {self._host}\r\nContent-Type: application/json\r\n"
        self._socket.sendall(f"{told}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._socket.recv(65536)
        head, _, rest = data.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split()[0])
        while len(rest) < length:
            rest += self._socket.recv(65536)
        return int(head.split()[1])


def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds that another process brings about."""
    end = time.monotonic() + ENDS_S
    while not holds():
        assert time.monotonic() < end, "it never came to be"
        time.sleep(0.02)


class Asking:
    """Asks a server again and again from several threads, and keeps every answer that was not 200."""

    def __init__(self, server: Server, row: Any, threads: int = 3) -> None:
        self.server, self.content = server, json.dumps(row).encode()
        self.versions: set[str] = set()
        self.failed: list[str] = []
        self.answered = 0
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(threads)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _ask(self) -> None:
        headers = {"content-type": "application/json"}
        with httpx.Client(base_url=self.server.url, timeout=ENDS_S, headers=headers) as client:
            while not self._ended.is_set():
                try:
                    answer = client.post("/predict", content=self.content)
                except httpx.HTTPError as error:
                    self.failed.append(repr(error))
                    continue
                if answer.status_code == 200:
                    self.versions.add(answer.json()["model"])
                    self.answered += 1
                else:
                    self.failed.append(answer.text)


def people(rows: int = 240) -> pd.DataFrame:
    """Return rows of every kind of column, under names that no programming language would take."""
    chance = np.random.default_rng(0)
    age = chance.normal(40, 12, rows).round(2)
    table = pd.DataFrame(
        {
            "key": [f"k{i}" for i in range(rows)],
            "the age": np.where(chance.random(rows) < 0.1, np.nan, age),
            "class": chance.choice(["first", "second", "third"], rows),
            "größe (cm)": chance.integers(150, 200, rows),
            "alone": chance.random(rows) < 0.5,
            "port": pd.Series(chance.choice(["S", "C", "Q"], rows)).mask(chance.random(rows) < 0.1),
            "since": pd.Timestamp("2024-01-01") + pd.to_timedelta(chance.integers(0, 900, rows), unit="D"),
        }
    )
    return table.assign(died=np.where((age > 40) ^ (chance.random(rows) < 0.2), "yes", "no"))


def as_rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return a table's rows as a client would send them."""
    return json.loads(table.to_json(orient="records", date_format="iso", date_unit="s", double_precision=15))
