"""``mlops ui`` as a process: where it listens, how it says so, how it ends."""

import os
import signal
import socket
from pathlib import Path

import httpx
import pytest

from mlops_cli.errors import UsageError
from mlops_cli.web.server import PORT, listen, url

from .serving import serving


def test_its_address_is_all_that_it_prints_on_stdout(workspace):
    with serving(workspace) as server:
        assert httpx.get(server.url + "/").status_code == 200
        server.process.send_signal(signal.SIGINT)
        rest, said = server.process.communicate(timeout=30)
    assert rest == ""
    assert str(workspace) in said


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_well(workspace, how):
    with serving(workspace) as server:
        assert httpx.get(server.url + "/").status_code == 200
        server.process.send_signal(how)
        _, said = server.process.communicate(timeout=30)
        assert server.process.returncode == 0
    assert "Traceback" not in said


def test_a_browser_that_holds_its_connection_does_not_hold_the_end_up(workspace):
    with serving(workspace) as server, httpx.Client() as browser:
        assert browser.get(server.url + "/").status_code == 200
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(timeout=30) == 0


def test_it_listens_on_this_machine_alone(workspace):
    with serving(workspace) as server:
        addresses = listening_on(server.port)
    assert addresses == {"0100007F"}  # 127.0.0.1, as the kernel writes it


def listening_on(port):
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {row[1].split(":")[0] for row in rows if int(row[1].split(":")[1], 16) == port and row[3] == "0A"}


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "example.com", "127.0.0.2"])
def test_an_address_that_others_could_reach_is_refused(workspace, mlops, host):
    done = mlops("ui", "--host", host, "--no-open")
    assert done.returncode == 2
    assert f"--host {host}: " in done.stderr
    assert "allowed: 127.0.0.1, localhost, ::1" in done.stderr


def test_a_port_that_was_asked_for_and_is_taken_is_said(workspace, mlops):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = mlops("ui", "--port", str(port), "--no-open")
    assert done.returncode == 2
    assert f"port {port} of 127.0.0.1 is taken" in done.stderr
    assert "--port 0" in done.stderr


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_that_is_none_is_refused(workspace, mlops, port):
    done = mlops("ui", f"--port={port}", "--no-open")
    assert done.returncode == 2
    assert "from 0 to 65535" in done.stderr


def test_without_a_port_the_next_free_one_is_taken():
    first = listen("127.0.0.1", None)
    second = listen("127.0.0.1", None)
    with first, second:
        ports = [opened.getsockname()[1] for opened in (first, second)]
    assert ports[0] >= PORT
    assert ports[1] > ports[0]


def test_the_address_of_the_sixth_internet_protocol_is_written_in_brackets():
    try:
        opened = listen("::1", 0)
    except UsageError:
        pytest.skip("this machine has no IPv6")
    with opened:
        assert url(opened).startswith("http://[::1]:")


def test_a_missing_package_is_named_with_what_installs_it(workspace, mlops):
    (workspace / "sitecustomize.py").write_text(
        "import importlib.util as u\nfind = u.find_spec\n"
        "u.find_spec = lambda name, package=None: None if name == 'uvicorn' else find(name, package)\n"
    )
    done = mlops("ui", "--no-open", env={"PYTHONPATH": os.pathsep.join([str(workspace), *os.sys.path])})
    assert done.returncode == 2
    assert "mlops ui needs the package uvicorn" in done.stderr
    assert 'pip install "mlops-cli[ui]"' in done.stderr
