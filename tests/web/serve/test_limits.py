"""Bad, large, slow and foreign requests against a real server: each gets its answer, and the others get theirs."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import threading
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from starlette.datastructures import Headers
from starlette.requests import Request

from mlops_cli.web.guard import foreign
from mlops_cli.web.server import bound
from mlops_cli.web.serving.limits import Held, Limits, Places, Refused, body_of
from mlops_cli.web.serving.server import allowed_hosts

from .asking import Line, as_rows, until


@pytest.fixture
def row(table):
    return as_rows(table.drop(columns="died").head(1))[0]


def sent(server, data: bytes) -> bytes:
    """Return all that comes back until the server closes the connection."""
    with server.connect() as connection:
        connection.sendall(data)
        return received(connection)


def received(connection) -> bytes:
    found = b""
    with suppress(ConnectionResetError):  # what was sent and not read any more
        while part := connection.recv(65536):
            found += part
    return found


def head(server, *lines: str) -> bytes:
    always = ("POST /predict HTTP/1.1", f"Host: 127.0.0.1:{server.port}", "Content-Type: application/json")
    return "\r\n".join([*always, *lines, "", ""]).encode()


def answers(server, row) -> bool:
    return server.ask(row).status_code == 200


@pytest.mark.parametrize("content", [b"", b"{", b"[1,2", b"\x00" * 100, b"null", b'"text"', b"[]", b"{}", b"[null]"])
def test_a_bad_body_is_answered(server, content):
    answer = server.ask(content)
    assert answer.status_code == 422
    assert "Traceback" not in answer.text


def test_another_content_type_is_refused(server, row):
    answer = httpx.post(server.url + "/predict", content=json.dumps(row), headers={"content-type": "text/plain"})
    assert answer.status_code == 415  # a page elsewhere could send that without asking the browser first


def test_a_body_that_says_it_is_too_large_is_refused_before_it_is_sent(server):
    answer = sent(server, head(server, "Content-Length: 99999999"))
    assert answer.startswith(b"HTTP/1.1 413")


def test_a_body_in_chunks_is_refused_when_it_has_become_too_large(server):
    chunk = b"8000\r\n" + b" " * 0x8000 + b"\r\n"
    refused = 'mlops_requests_total{method="POST",path="/predict",status="413"}'
    before = server.metric(refused)
    sent(server, head(server, "Transfer-Encoding: chunked") + chunk * 8)
    until(lambda: server.metric(refused) == before + 1)


@pytest.mark.parametrize(
    "data",
    [
        b"NONSENSE\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01",  # a browser that wants to speak TLS
        b"GET / HTTP/1.1\r\nX: " + b"a" * 200_000,
    ],
)
def test_what_is_no_request_is_closed(server, row, data):
    sent(server, data)
    assert answers(server, row)


@pytest.mark.parametrize("first", ["Content-Length: 5", "Transfer-Encoding: chunked"])
def test_a_request_whose_end_is_unclear_is_the_last_of_its_connection(server, first):
    """A proxy that went by the other header would have let a second request through in the first one's body."""
    second = "Transfer-Encoding: chunked" if first.startswith("Content") else "Content-Length: 5"
    hidden = f"GET /model HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode()
    found = sent(server, head(server, first, second) + b"0\r\n\r\n" + hidden)
    assert found.startswith(b"HTTP/1.1 400")
    assert found.count(b"HTTP/1.1") == 1


def test_a_compressed_body_is_refused_by_name(server, row):
    answer = server.ask(gzip.compress(json.dumps(row).encode()), headers={"content-encoding": "gzip"})
    assert (answer.status_code, "Content-Encoding" in answer.text) == (415, True)


SLOW = {
    "headers that never end": (b"POST /predict HTTP/1.1\r\nHost: a\r\nX-", b""),
    "a body that never ends": (None, b"HTTP/1.1 408"),
    "nothing": (b"", b""),
}


def test_slow_clients_are_cut_off_and_do_not_hold_the_others_up(server, row):
    connections = [(what, server.connect()) for _ in range(20) for what in SLOW]
    for what, connection in connections:
        data, _ = SLOW[what]
        connection.sendall(head(server, "Content-Length: 50") + b"{" if data is None else data)
    assert all(answers(server, row) for _ in range(5))
    for what, connection in connections:
        with connection:
            assert received(connection)[:12] == SLOW[what][1], what


def test_one_that_goes_away_in_the_middle_leaves_nothing_behind(server, row):
    for _ in range(20):
        with server.connect() as connection:
            connection.sendall(head(server, "Content-Length: 50") + b'{"the')
    until(lambda: server.metric("mlops_requests_under_way") == 1)  # the one that asks
    assert answers(server, row)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "example.com"}, 421),
        ({"host": "127.0.0.1.example.com"}, 421),
        ({"origin": "https://example.com"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
    ],
)
def test_a_page_elsewhere_cannot_ask_through_a_browser_here(server, row, headers, status):
    answer = server.ask(row, headers=headers)
    assert answer.status_code == status
    assert "access-control-allow-origin" not in answer.headers


def test_no_other_site_may_ask_first_either(server):
    asked = {"origin": "https://example.com", "access-control-request-method": "POST"}
    assert httpx.options(server.url + "/predict", headers=asked).status_code == 403


def test_an_answer_may_do_nothing_in_a_browser_but_what_it_needs(server):
    headers = server.get("/docs").headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"


def test_memory_does_not_grow_with_the_requests(server, row):
    def resident() -> int:
        text = Path(f"/proc/{server.process.pid}/status").read_text()
        return int(text.partition("VmRSS:")[2].split()[0]) // 1024  # MiB

    def ask(line, number):
        if number % 20 == 0:
            assert line.ask("POST", "/predict", json.dumps(row).encode()) == 200
        elif number % 2:
            assert line.ask("POST", "/predict", b'[{"a": %d}]' % number) == 422
        else:
            assert line.ask("GET", f"/x{number}") == 404

    with Line(server) as line:
        for number in range(500):
            ask(line, number)
        before = resident()
        for number in range(5000):
            ask(line, number)
        assert resident() - before < 20


def test_a_page_behind_a_proxy_that_speaks_tls_may_ask_by_the_name_that_was_allowed():
    hosts = allowed_hosts("127.0.0.1", 8000, ("models.example.org",))
    asked = {"host": "models.example.org", "origin": "https://models.example.org", "sec-fetch-site": "same-origin"}
    assert foreign(Headers(asked), hosts) is None
    assert foreign(Headers({**asked, "origin": "https://example.org"}), hosts) is not None


# --- bodies ------------------------------------------------------------------------------------------------------


def request(*parts: bytes) -> Request:
    messages = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    coming = iter([*messages, {"type": "http.request", "body": b"", "more_body": False}])

    async def receive():
        return next(coming)

    return Request({"type": "http", "headers": []}, receive)


def test_bodies_together_have_no_more_room_than_they_are_given():
    """Each of them is small enough alone; what is refused or answered takes no room any more."""
    held, limits = Held(10), Limits(body=8)

    async def ask(*parts):
        async with body_of(request(*parts), limits, held) as body:
            return bytes(body)

    async def all_of_them():
        async with body_of(request(b"1234", b"567"), limits, held):
            with pytest.raises(Refused) as full:
                await ask(b"123", b"4")
            with pytest.raises(Refused) as large:
                await ask(b"123456789")
        return full.value.status, large.value.status, await ask(b"1234", b"5678")

    assert asyncio.run(all_of_them()) == (503, 413, b"12345678")
    assert held.now == 0


# --- places ------------------------------------------------------------------------------------------------------


def places(**limits):
    return Places(Limits(**limits), threads=2)


def test_more_requests_than_there_are_places_are_told_to_come_again():
    begun, ended = threading.Event(), threading.Event()

    def held():
        begun.set()
        return ended.wait(60)

    async def ask(inside):
        first = asyncio.create_task(inside.call(held))
        await asyncio.to_thread(begun.wait, 60)
        with pytest.raises(Refused) as caught:
            await inside.call(held)
        ended.set()
        await first
        return caught.value, await inside.call(str, 3)

    refused, after = asyncio.run(ask(places(concurrent=1)))
    assert (refused.status, refused.headers) == (503, {"retry-after": "1"})
    assert after == "3"


def test_a_call_that_takes_too_long_is_given_up_and_keeps_its_place_until_it_ends():
    ended = threading.Event()

    async def ask(inside):
        with pytest.raises(Refused) as slow:
            await inside.call(ended.wait, 60)
        with pytest.raises(Refused) as full:
            await inside.call(str, 3)
        ended.set()
        while inside.taken:
            await asyncio.to_thread(ended.wait, 0.01)
        return slow.value.status, full.value.status, await inside.call(str, 3)

    assert asyncio.run(ask(places(concurrent=1, timeout=0.05))) == (504, 503, "3")


def test_small_answers_are_not_held_back_to_be_sent_together():
    with bound("127.0.0.1", 0) as opened:
        assert opened.proto == socket.IPPROTO_TCP  # by which asyncio knows that it may turn Nagle's delay off
