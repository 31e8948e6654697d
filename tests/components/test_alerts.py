"""What is sent arrives whole, or is said not to have: in a file, by a command, at an address; and no secret is told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from mlops_cli.components.alerts import AlertError, Limits, deliver, shown
from mlops_cli.records import Alert

PAYLOAD = {"text": "drift", "model": "titanic/3", "findings": [{"subject": "ünïcode \u2028 \"'$(id)"}]}
QUICK = Limits(command_s=20, webhook_s=0.5, waits_s=(0.01, 0.01))


def send(alert, folder, limits=QUICK):
    deliver(alert, PAYLOAD, folder, limits)


def refusal(alert, folder, limits=QUICK):
    with pytest.raises(AlertError) as caught:
        send(alert, folder, limits)
    return str(caught.value)


# --- files -------------------------------------------------------------------------------------------------------


def test_a_file_gets_a_line_for_each(tmp_path):
    for _ in range(2):
        send(Alert(file="logs/drift.jsonl"), tmp_path)
    lines = (tmp_path / "logs" / "drift.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [PAYLOAD, PAYLOAD]


def test_a_file_may_be_named_by_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("DRIFT_LOG", str(tmp_path / "elsewhere.jsonl"))
    send(Alert(file="${oc.env:DRIFT_LOG}"), tmp_path / "ws")
    assert json.loads((tmp_path / "elsewhere.jsonl").read_text()) == PAYLOAD


def test_many_processes_write_whole_lines(tmp_path):
    code = (
        "import sys; from pathlib import Path; from mlops_cli.components.alerts import deliver\n"
        "from mlops_cli.records import Alert\n"
        "for n in range(200): deliver(Alert(file='drift.jsonl'), {'text': 'x' * 5000, 'n': n}, Path(sys.argv[1]))"
    )
    writers = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)]) for _ in range(4)]
    assert [writer.wait() for writer in writers] == [0] * 4
    found = [json.loads(line) for line in (tmp_path / "drift.jsonl").read_text().splitlines()]
    assert sorted(item["n"] for item in found) == sorted(list(range(200)) * 4)


def test_what_a_kill_left_of_a_line_does_not_spoil_the_next(tmp_path):
    (tmp_path / "drift.jsonl").write_text('{"text": "to')
    send(Alert(file="drift.jsonl"), tmp_path)
    assert json.loads((tmp_path / "drift.jsonl").read_text().splitlines()[1]) == PAYLOAD


def test_a_place_that_is_no_file_is_said(tmp_path):
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    assert "cannot be written" in refusal(Alert(file="folder"), tmp_path)
    assert "no file" in refusal(Alert(file="pipe"), tmp_path)


# --- commands ----------------------------------------------------------------------------------------------------


def test_a_command_gets_the_finding_and_runs_in_the_workspace(tmp_path):
    send(Alert(command="cat > found.json"), tmp_path)
    assert json.loads((tmp_path / "found.json").read_text()) == PAYLOAD


def test_a_command_that_reads_nothing_is_fine(tmp_path):
    send(Alert(command="exec <&-; true"), tmp_path)


def test_a_command_that_fails_is_said_by_its_code_and_nothing_that_it_wrote(tmp_path, monkeypatch):
    monkeypatch.setenv("TOKEN", "s3cr3t")
    said = refusal(Alert(command='echo "$TOKEN" >&2; exit 7'), tmp_path)
    assert "exit code 7" in said
    assert "s3cr3t" not in said


def test_a_command_that_does_not_end_is_stopped_with_all_that_it_started(tmp_path):
    command = "echo $$ > pid; sleep 1000 & echo $! > child; wait"
    assert "not ended" in refusal(Alert(command=command), tmp_path, Limits(command_s=0.5))
    for name in ("pid", "child"):
        ended(int((tmp_path / name).read_text()))


def ended(pid):
    """Wait until a process that was killed is gone: its parent here may take a moment to notice."""
    deadline = time.monotonic() + 30
    while is_alive(pid):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123 - of the system, not of a test's folder
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_value_of_the_environment_is_no_part_of_a_commands_text(tmp_path, monkeypatch):
    """It could be read in the list of processes, and what it holds could be run."""
    monkeypatch.setenv("TOKEN", "$(touch hacked); s3cr3t")
    send(Alert(command="tr '\\0' ' ' < /proc/$$/cmdline > seen; printf %s \"${oc.env:TOKEN}\" > value"), tmp_path)
    assert "s3cr3t" not in (tmp_path / "seen").read_text()
    assert (tmp_path / "value").read_text() == "$(touch hacked); s3cr3t"
    assert not (tmp_path / "hacked").exists()


@pytest.mark.parametrize("place", ["command", "file", "webhook"])
def test_a_variable_that_is_not_set_is_named(tmp_path, place, monkeypatch):
    monkeypatch.delenv("NOT_SET", raising=False)
    assert "NOT_SET is not set" in refusal(Alert(**{place: "${oc.env:NOT_SET}"}), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_other_references_are_refused(tmp_path):
    assert "${oc.decode:x}" in refusal(Alert(file="${oc.decode:x}"), tmp_path)


# --- addresses ---------------------------------------------------------------------------------------------------


class _Hook(BaseHTTPRequestHandler):
    """Answers as its server was told to, one answer after the other, and keeps what it was sent."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.path, self.headers["Content-Type"], json.loads(body)))
        answer = self.server.answers.pop(0) if self.server.answers else 200
        if answer == "hang":
            self.server.released.wait(30)
            return
        if answer == "drip":
            self.wfile.write(b"HTTP/1.0 200 OK\r\n")
            while not self.server.released.wait(0.05):
                self.wfile.write(b"X: y\r\n")
            return
        if answer == "rubbish":
            self.wfile.write(b"\x00\x01 this is not HTTP\r\n\r\n")
            return
        code, headers = answer if isinstance(answer, tuple) else (answer, {})
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    do_GET = do_POST  # noqa: N815 - http.server's name

    def log_message(self, *_):
        pass


@pytest.fixture
def hook():
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Hook)
    server.daemon_threads = True
    server.got, server.answers, server.released = [], [], threading.Event()
    server.url = f"http://127.0.0.1:{server.server_port}/hook?token=s3cr3t"
    server.handle_error = lambda *_: None
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.released.set()
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_webhook_gets_json(hook, tmp_path):
    send(Alert(webhook=hook.url), tmp_path)
    assert hook.got == [("/hook?token=s3cr3t", "application/json", PAYLOAD)]


def test_a_webhook_may_be_an_environment_variable_that_no_message_tells(hook, tmp_path, monkeypatch):
    monkeypatch.setenv("HOOK", f"{hook.url}\n")
    alert = Alert(webhook="${oc.env:HOOK}")
    send(alert, tmp_path)
    assert len(hook.got) == 1
    hook.answers = [404]
    said = refusal(alert, tmp_path) + shown(alert)
    assert "404" in said
    assert "s3cr3t" not in said
    assert "127.0.0.1" not in said
    assert list(tmp_path.iterdir()) == []


def test_proxies_are_not_asked_about_this_machine(hook, tmp_path, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    send(Alert(webhook=hook.url), tmp_path)
    assert len(hook.got) == 1


def test_a_busy_server_is_asked_again_and_one_that_refuses_is_not(hook, tmp_path):
    hook.answers = [503, 429]
    send(Alert(webhook=hook.url), tmp_path)
    assert len(hook.got) == 3
    hook.answers = [500, 500, 500]
    assert "500, 3 times" in refusal(Alert(webhook=hook.url), tmp_path)
    assert len(hook.got) == 6
    hook.answers = [403]
    assert "403" in refusal(Alert(webhook=hook.url), tmp_path)
    assert len(hook.got) == 7


def test_a_redirection_is_not_followed(hook, tmp_path):
    for code in (301, 302, 303, 307, 308):
        hook.answers = [(code, {"Location": f"http://127.0.0.1:{hook.server_port}/other"})]
        assert "redirection" in refusal(Alert(webhook=hook.url), tmp_path)
    assert {path for path, _, _ in hook.got} == {"/hook?token=s3cr3t"}


@pytest.mark.parametrize("answer", ["hang", "drip"])
def test_an_answer_that_does_not_end_is_not_waited_for_nor_asked_for_again(hook, tmp_path, answer):
    hook.answers = [answer]
    assert "no answer came" in refusal(Alert(webhook=hook.url), tmp_path)
    assert len(hook.got) == 1


def test_rubbish_for_an_answer_is_said(hook, tmp_path):
    hook.answers = ["rubbish"]
    assert "none of HTTP" in refusal(Alert(webhook=hook.url), tmp_path)


def test_nobody_there_is_said_without_the_address(hook, tmp_path):
    free = ThreadingHTTPServer(("127.0.0.1", 0), _Hook)
    port = free.server_port
    free.server_close()
    said = refusal(Alert(webhook=f"http://127.0.0.1:{port}/T0KEN"), tmp_path)
    assert "could not be reached" in said
    assert "T0KEN" not in said


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://example.org/x", "http is for this machine alone"),
        ("http://127.0.0.1.example.org/x", "http is for this machine alone"),
        ("http://10.0.0.1/x", "http is for this machine alone"),
        ("file:///etc/passwd", "no address"),
        ("ftp://127.0.0.1/x", "no address"),
        ("https://", "no address"),
        ("nonsense", "no address"),
        ("http://127.0.0.1/a b", "no address"),
        ("http://127.0.0.1/\r\nHost: x", "no address"),
        ("http://[::1", "no address"),
        ("http://127.0.0.1:99999/", "no address"),
        ("https://me:s3cr3t@127.0.0.1/", "a user or a password"),
    ],
)
def test_addresses_that_are_not_posted_to(tmp_path, url, said):
    found = refusal(Alert(webhook=url), tmp_path)
    assert said in found
    assert "s3cr3t" not in found


def test_what_alerts_are_called_has_no_secret():
    assert shown(Alert(webhook="https://hooks.example.org/services/T0/B0/s3cr3t")) == "webhook hooks.example.org"
    assert shown(Alert(webhook="${oc.env:HOOK}")) == "webhook ${…}"
    assert shown(Alert(command="curl -H 'Authorization: s3cr3t' x")) == "command"
