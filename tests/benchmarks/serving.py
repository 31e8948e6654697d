"""What ``mlops serve`` costs beside a bare FastAPI app around the same Pipeline, asked by a second process."""

from __future__ import annotations

import json
import os
import signal
import socket
import statistics
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from measuring import heading, mlops, rival
from predicting import _table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from measuring import Bench

TRAINED = 20_000
LOADS = ((1, 1), (1, 8), (100, 4))  # rows of a request, and connections
SECONDS = 4.0
WITHIN = 1.2
_START_S = 60.0


def serving(bench: Bench) -> None:
    """Ask both servers in turn, row by row over one connection and over several, and in batches."""
    _train(bench)
    ports = {"mlops serve": _free_port(), "bare FastAPI": _free_port()}
    commands = {
        "mlops serve": mlops("serve", "serve:latest", "--quiet", "--port", str(ports["mlops serve"])),
        "bare FastAPI": rival("serve_bare", "serve:latest", ports["bare FastAPI"]),
    }
    with _started(bench, commands, ports) as processes:
        for rows, connections in LOADS:
            heading(f"{rows} rows a request, {connections} connections")
            servers = {name: _Server(port, processes[name]) for name, port in ports.items()}
            _compare(bench, _body(bench, rows), connections, servers)


def _train(bench: Bench) -> None:
    _table(TRAINED, 0).to_csv(bench.folder / "data" / "served.csv", index=False)
    bench.configure(
        "serve",
        defaults=["experiment", {"data": "csv"}, {"transforms": "tabular"}, {"model": "logistic_regression"}, "_self_"],
        data={"path": "data/served.csv", "target": "y", "drop": ["id"]},
        evaluation={"metrics": ["accuracy"]},
        artifacts={"plots": "none"},
    )
    bench.run(mlops("run", "config=serve", "--quiet"))


def _body(bench: Bench, rows: int) -> str:
    path = bench.folder / f"body-{rows}.json"
    path.write_text(_table(rows, 7).drop(columns=["y", "id"]).to_json(orient="records"))
    return str(path)


@dataclass(frozen=True)
class _Server:
    """A server that is asked."""

    port: int
    pid: int

    def cpu_s(self) -> float:
        """Return the seconds of CPU that its process has taken; what it takes is steadier than how long it waits."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def asked(self, body: str, connections: int, seconds: float) -> dict[str, float]:
        """Return what a second process measures of it."""
        before = self.cpu_s()
        command = rival("load", self.port, body, connections, seconds)
        found = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
        return {**found, "cpu": (self.cpu_s() - before) / (found["per_s"] * seconds) * 1e3}


def _compare(bench: Bench, body: str, connections: int, servers: Mapping[str, _Server]) -> None:
    found: dict[str, list[dict[str, float]]] = {name: [] for name in servers}
    for turn in range(bench.rounds + 1):
        for name, server in servers.items():
            taken = server.asked(body, connections, SECONDS if turn else 1.0)
            found[name] += [taken] if turn else []  # the first turn warms up
    print(f"  {'':20}{'requests/s':>12}{'p50 ms':>9}{'p99 ms':>9}{'CPU ms':>9}")
    for name, turns in found.items():
        middle = {key: statistics.median(each[key] for each in turns) for key in turns[0]}
        numbers = "".join(f"{middle[key]:>9.2f}" for key in ("p50", "p99", "cpu"))
        print(f"  {name:20}{middle['per_s']:>12.0f}{numbers}", flush=True)
    ours, bare = found.values()
    pairs = list(zip(ours, bare, strict=True))
    ratios = {key: statistics.median(a[key] / b[key] for a, b in pairs) for key in ("p50", "p99", "cpu")}
    told = ", ".join(f"{key} {ratio:.2f}×" for key, ratio in ratios.items())
    slower = statistics.median(b["per_s"] / a["per_s"] for a, b in pairs)
    print(f"  beside the bare app: time a request {slower:.2f}×, {told}; {WITHIN}× is the bound", flush=True)


@contextmanager
def _started(bench: Bench, commands: Mapping[str, list[str]], ports: Mapping[str, int]) -> Iterator[dict[str, int]]:
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    processes = {name: subprocess.Popen(each, cwd=bench.folder, **quiet) for name, each in commands.items()}
    try:
        for port in ports.values():
            _wait(port)
        yield {name: process.pid for name, process in processes.items()}
    finally:
        for process in processes.values():
            process.send_signal(signal.SIGTERM)
        for process in processes.values():
            process.wait()


def _wait(port: int) -> None:
    end = time.monotonic() + _START_S
    while time.monotonic() < end:
        with suppress(urllib.error.URLError, OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/health"):
            return
        time.sleep(0.1)
    raise SystemExit(f"nothing answers at port {port}; load {os.getloadavg()[0]:.1f}")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])
