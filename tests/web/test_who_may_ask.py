"""Other hosts, other sites and other methods are refused, and every answer says what a browser may do with it."""

import socket

import httpx
import pytest

REFUSED_HOSTS = ["example.com", "example.com:{port}", "127.0.0.1", "127.0.0.1:1", "localhost.example.com:{port}", ""]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "LOCALHOST"])
def test_this_machine_is_answered_by_any_of_its_names(any_server, host):
    assert any_server.get("/", headers={"Host": f"{host}:{any_server.port}"}).status_code == 200


@pytest.mark.parametrize("host", REFUSED_HOSTS)
@pytest.mark.parametrize("path", ["/", "/api/runs", "/static/style.css"])
def test_a_name_that_was_rebound_to_this_machine_is_refused(any_server, host, path):
    answer = any_server.get(path, headers={"Host": host.format(port=any_server.port)})
    assert answer.status_code == 421
    assert "runs" not in answer.text


def test_two_host_headers_are_refused(any_server):
    with socket.create_connection(("127.0.0.1", any_server.port)) as line:
        own = f"127.0.0.1:{any_server.port}"
        line.sendall(f"GET / HTTP/1.1\r\nHost: {own}\r\nHost: example.com\r\n\r\n".encode())
        assert line.recv(64).split()[1] in {b"400", b"421"}


@pytest.mark.parametrize("origin", ["http://example.com", "null", "http://127.0.0.1:1", "https://127.0.0.1:{port}"])
def test_a_page_of_another_origin_is_refused(any_server, origin):
    assert any_server.get("/api/runs", headers={"Origin": origin.format(port=any_server.port)}).status_code == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_request_that_another_site_made_is_refused(any_server, site):
    assert any_server.get("/", headers={"Sec-Fetch-Site": site}).status_code == 403


@pytest.mark.parametrize("site", ["same-origin", "none"])
def test_what_a_person_or_the_page_itself_asks_is_answered(any_server, site):
    headers = {"Sec-Fetch-Site": site, "Origin": any_server.url}
    assert any_server.get("/", headers=headers).status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
@pytest.mark.parametrize("path", ["/", "/api/runs", "/static/style.css", "/nowhere"])
def test_nothing_can_be_written(any_server, method, path):
    answer = httpx.request(method, any_server.url + path)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD"


def test_a_websocket_is_not_accepted(any_server):
    headers = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "a"}
    assert any_server.get("/", headers=headers).status_code != 101


def test_head_gives_the_headers_alone(any_server):
    answer = httpx.head(any_server.url + "/")
    assert answer.status_code == 200
    assert answer.content == b""


@pytest.mark.parametrize("path", ["/", "/nowhere", "/api/runs", "/api/nowhere", "/static/live.js", "/runs/a/b"])
def test_every_answer_forbids_what_is_not_needed(any_server, path):
    headers = any_server.get(path).headers
    policy = headers["content-security-policy"].split("; ")
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "private, no-cache"
    assert "server" not in headers


def test_a_refusal_carries_the_same_headers(any_server):
    answer = any_server.get("/", headers={"Host": "example.com"})
    assert "default-src 'none'" in answer.headers["content-security-policy"]
