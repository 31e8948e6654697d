"""A real server of MLflow's on the loopback, and runs to be told there."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import replace

from mlops_cli.components.trackers import Telling
from mlops_cli.components.trackers.mlflow_place import connect, import_mlflow, place_of
from mlops_cli.store.curves import read_curves
from mlops_cli.store.find import read_trials
from mlops_cli.store.layout import RunPaths
from mlops_cli.workflows.running.tell import ended

PATIENCE_S = 120


@contextmanager
def serving(folder):
    """Give the address of a server that is ended with the block."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    store = [
        "--backend-store-uri",
        f"sqlite:///{folder / 'server.db'}",
        "--artifacts-destination",
        str(folder / "files"),
    ]
    environment = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    import_mlflow()
    connect(place_of(store[1], folder))  # made by the server itself it takes many times as long
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(
            [*command, *store], cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True
        )
    try:
        wait_until_healthy(process, port, folder / "server.log")
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(30)


def wait_until_healthy(process, port, log):
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        assert process.poll() is None, log.read_text()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.1)  # between two looks
    raise AssertionError(log.read_text())


def tell(tracker, record, files=("config.yaml", "metrics.json", "trials.csv", "model/card.md")):
    """Tell a tracker of a run that is on disk, as it is told while the run goes."""
    curves = read_curves(RunPaths(record.path).curves)
    tracker.start(record, {})
    try:
        for result in read_trials(record.path):
            tracker.log_trial(record, replace(result, curves=curves.get(result.trial, {})))
        return tracker.finish(ended(record, Telling(tuple(files)), None, True))
    finally:
        tracker.close()
