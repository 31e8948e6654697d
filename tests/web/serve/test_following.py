"""The version behind an alias changes while requests are under way, and whatever happens to it none of them fails."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager

import httpx
import pytest

import mlops_cli
from mlops_cli.errors import MlopsError
from mlops_cli.store.files import write_json
from mlops_cli.web.serving.server import ServeOptions, prepare

from .asking import Asking, as_rows, served, until


@pytest.fixture(scope="module")
def shop(_registry, tmp_path_factory):
    """A workspace of its own: its aliases are moved about."""
    folder = tmp_path_factory.mktemp("moving") / "shop"
    shutil.copytree(_registry, folder)
    return folder


@pytest.fixture(scope="module")
def started(shop):
    with served(shop, "people@champion") as running:
        yield running


@pytest.fixture
def row(table):
    return as_rows(table.drop(columns="died").head(1))[0]


@pytest.fixture
def call(shop, mlops):
    """Give ``@champion`` to a version, or take one away."""

    def run(*arguments):
        done = mlops("models", *arguments, cwd=shop)
        assert done.returncode == 0, done.stderr

    return run


def ready(server):
    return server.get("/ready").json()


def test_an_alias_that_moves_under_load_fails_no_request(started, call, row):
    """The last version takes one column less: each request is read by the version that answers it."""
    with Asking(started, row) as asking:
        for version in ("people/2", "people/3", "people/1"):
            call("alias", version, "champion")
            until(lambda version=version: ready(started)["model"] == version and version in asking.versions)
    assert asking.failed == []
    assert asking.versions == {"people/1", "people/2", "people/3"}


def test_a_request_is_held_against_the_version_that_answers_it(started, call, row):
    without = {k: v for k, v in row.items() if k != "port"}
    assert started.ask(without).status_code == 422
    call("alias", "people/3", "champion")
    until(lambda: ready(started)["model"] == "people/3")
    assert started.ask(without).status_code == 200
    assert "port" not in started.get("/openapi.json").json()["components"]["schemas"]["Row"]["properties"]
    call("alias", "people/1", "champion")
    until(lambda: ready(started)["model"] == "people/1")


def test_a_version_that_cannot_be_loaded_leaves_the_one_before(started, shop, call, row):
    skops = shop / "models" / "people" / "2" / "model" / "model.skops"
    whole = skops.read_bytes()
    failures = started.metric("mlops_model_load_failures_total")
    skops.write_bytes(whole[:-1] + b"x")
    with Asking(started, row, threads=1) as asking:
        call("alias", "people/2", "champion")
        until(lambda: ready(started)["problem"] is not None)
    assert asking.failed == []
    told = ready(started)
    assert (told["model"], told["ready"]) == ("people/1", True)
    assert told["problem"].startswith("people/2 is asked for and cannot be loaded")
    assert str(shop) not in told["problem"]
    assert started.metric("mlops_model_stale") == 1
    assert started.metric("mlops_model_load_failures_total") == failures + 1

    assert httpx.post(started.url + "/model/reload", timeout=60).status_code == 409
    skops.write_bytes(whole)
    assert httpx.post(started.url + "/model/reload", timeout=60).json() == {"model": "people/2"}
    assert ready(started) == {"ready": True, "model": "people/2", "problem": None}
    assert started.metric("mlops_model_stale") == 0
    call("alias", "people/1", "champion")
    until(lambda: ready(started)["model"] == "people/1")


@contextmanager
def in_this_process(shop, ref):
    """A server that holds its model and is asked without a network: for what needs no process of its own."""
    serving = prepare(ref, ServeOptions(port=0), print, workspace=shop)
    try:
        yield serving
    finally:
        serving.opened.close()
        serving.shared.places.close()


def answer(serving, row):
    return json.loads(serving.following.current.version.answer(json.dumps(row).encode(), proba=False).body)


@pytest.mark.parametrize("content", [None, b"", b"{", b"[]", b'{"schema_version": 99}'])
def test_aliases_that_are_gone_or_damaged_leave_the_version_that_answers(shop, row, content):
    place = shop / "models" / "people" / "aliases.json"
    kept = place.read_bytes()
    with in_this_process(shop, "people@champion") as serving:
        place.unlink()
        if content is not None:
            place.write_bytes(content)
        serving.following.look()
        assert serving.following.problem is not None
        assert answer(serving, row)["model"] == "people/1"
        place.write_bytes(kept)
        serving.following.look()
        assert serving.following.problem is None


def test_the_version_that_answers_may_be_removed(shop, row, tmp_path):
    """It is whole in the memory: what is gone from the disk is gone for the next start."""
    own = tmp_path / "own"
    shutil.copytree(shop, own)
    with in_this_process(own, "people") as serving:
        shutil.rmtree(own / "models" / "people")
        serving.following.look()
        assert serving.following.problem == "people"
        assert answer(serving, row)["model"] == "people/1"


# --- how it begins and ends --------------------------------------------------------------------------------------


def test_ctrl_c_ends_it_after_the_requests_that_are_under_way(shop, table):
    """As SIGTERM does, by which `served` ends every other server here."""
    rows = as_rows(table.drop(columns="died"))
    body = json.dumps(rows * 20).encode()
    with served(shop, "people@champion") as running, running.connect() as connection:
        head = f"POST /predict HTTP/1.1\r\nHost: 127.0.0.1:{running.port}\r\nContent-Type: application/json\r\n"
        connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[:-1])
        until(lambda: running.metric("mlops_requests_under_way") == 2)  # this one, and the one that asks
        running.process.send_signal(signal.SIGINT)
        connection.sendall(body[-1:])
        found = b""
        while part := connection.recv(65536):
            found += part
        _, said = running.process.communicate(timeout=60)
        assert running.process.returncode == 0
    assert "\nnext: curl http://127.0.0.1:" in said
    assert found.startswith(b"HTTP/1.1 200")
    assert len(json.loads(found.partition(b"\r\n\r\n")[2])["predictions"]) == len(rows) * 20
    assert "Traceback" not in said


def refused(shop, model="people", **options):
    """Return why a server does not begin."""
    with pytest.raises(MlopsError) as caught:
        prepare(model, ServeOptions(**{"port": 0, **options}), print, workspace=shop)
    return str(caught.value)


def test_a_model_that_is_not_there_is_said(shop):
    assert "'poeple@champion' is neither a registered model nor a run" in refused(shop, "poeple@champion")


def test_a_port_that_is_taken_is_said(shop, started):
    assert f"port {started.port} of 127.0.0.1 is taken" in refused(shop, port=started.port)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_beyond_this_machine_nothing_is_served_without_tokens(shop, host):
    assert "no tokens were given" in refused(shop, host=host)


def test_a_file_without_tokens_is_said(shop, tmp_path):
    write_json(tmp_path / "tokens.json", {"schema_version": 1, "tokens": []})
    assert "has no token" in refused(shop, tokens=tmp_path / "tokens.json")


def test_a_folder_that_cannot_be_written_is_said(shop, tmp_path):
    (tmp_path / "log").write_text("a file")
    assert "cannot write" in refused(shop, log=tmp_path / "log")


def test_a_missing_package_is_named_with_what_installs_it(workspace, mlops):
    import os
    import sys

    (workspace / "sitecustomize.py").write_text(
        "import importlib.util as u\nfind = u.find_spec\n"
        "u.find_spec = lambda name, package=None: None if name == 'fastapi' else find(name, package)\n"
    )
    done = mlops("serve", "x", env={"PYTHONPATH": os.pathsep.join([str(workspace), *sys.path])})
    assert done.returncode == 2
    assert "mlops serve needs the package fastapi" in done.stderr
    assert 'pip install "mlops-cli[serve]"' in done.stderr


SLEEPY = """
import time
from sklearn.linear_model import LogisticRegression


class Sleepy(LogisticRegression):
    def predict(self, X):
        if len(X) == 3:
            time.sleep(3600)
        return super().predict(X)
"""


def test_a_prediction_that_never_ends_holds_neither_its_client_nor_the_end_up(workspace, table):
    """The client is told after --timeout; the others are answered meanwhile."""
    (workspace / "sleepy.py").write_text(SLEEPY)
    (workspace / "pyproject.toml").write_text('[tool.mlops]\ntrust = ["sleepy"]\n')
    table[["the age", "died"]].fillna(40).to_csv(workspace / "data" / "two.csv", index=False)
    config = {
        "defaults": ["experiment", {"data": "csv"}, {"split": "hold_out"}, "_self_"],
        "data": {"path": "data/two.csv", "target": "died"},
        "model": {"_target_": "sleepy.Sleepy"},
        "evaluation": {"metrics": ["accuracy"]},
        "artifacts": {"plots": "none"},
    }
    (workspace / "configs" / "two.yaml").write_text(json.dumps(config))
    place = mlops_cli.run("two", n_jobs=1).path
    with served(workspace, str(place), "--timeout", "1") as server:
        assert server.ask([{"the age": 1}] * 3).status_code == 504
        assert server.ask({"the age": 1}).status_code == 200
        place.rename(workspace / "gone")
        assert httpx.post(server.url + "/model/reload", timeout=60).status_code == 409
        said = "".join(server.get(path).text for path in ("/ready", "/model", "/metrics"))
        assert "cannot be loaded" in said
        assert str(workspace) not in said, "which was served by its path"
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(timeout=60) == 0


def test_help_loads_no_server():
    code = (
        "import sys; from typer.main import get_command; from mlops_cli.cli.app import build; get_command(build()); "
        "print({'fastapi', 'uvicorn', 'starlette', 'prometheus_client'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
