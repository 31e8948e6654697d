"""Who may ask, and what every answer says: the whole of the server's defence, around the application.

The server has no password: what protects it is that only this machine reaches it, and that a browser on this machine
asks in nobody else's name. A page elsewhere could make a browser ask (cross-site requests), or have its own name lead
here (DNS rebinding): both are known by the headers that browsers add and scripts cannot forge.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

METHODS = ("GET", "HEAD")
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
IMAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; sandbox"
"""For a plot that is opened by itself: an SVG is a document, and this one may look as it likes and do nothing."""

HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "private, no-cache",
}

_OWN = ("127.", "localhost", "[::1]")
"""How the names begin by which this machine calls itself, where nobody speaks TLS in between."""


class Guard:
    """An ASGI application around another one, which hears only what may be asked.

    Parameters
    ----------
    app : ASGIApp
        What answers.
    port : int
        Where the server listens; the names of this machine with this port are the only ones it answers to.
    """

    def __init__(self, app: ASGIApp, port: int) -> None:
        self.app = app
        self.hosts = allowed_hosts(port)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or say why not."""
        if scope["type"] != "http":  # no websocket is ever accepted, and uvicorn is told that nothing else is wanted
            return
        refused = refusal(scope["method"], Headers(scope=scope), self.hosts) or no_path(scope["path"])
        await (refused or self.app)(scope, receive, _with_headers(send))


def allowed_hosts(port: int) -> frozenset[str]:
    """Return what a Host header may say.

    Examples
    --------
    >>> sorted(allowed_hosts(8808))
    ['127.0.0.1:8808', '[::1]:8808', 'localhost:8808']
    """
    names = ("127.0.0.1", "localhost", "[::1]")
    bare = names if port == 80 else ()
    return frozenset([*(f"{name}:{port}" for name in names), *bare])


def refusal(method: str, headers: Headers, hosts: frozenset[str]) -> PlainTextResponse | None:
    """Return the answer to a request that is not answered; None for one that may be."""
    if stranger := foreign(headers, hosts):
        return _refused(*stranger)
    if method not in METHODS:
        return _refused(405, "this server is read-only: GET and HEAD are all it takes", {"allow": ", ".join(METHODS)})
    return None


def foreign(headers: Headers, hosts: frozenset[str]) -> tuple[int, str] | None:
    """Return the status and the reason by which a request of another site's page is refused; None for any other."""
    if [host.lower() not in hosts for host in headers.getlist("host")] != [False]:
        return 421, f"this server answers to {' and '.join(sorted(hosts))} alone"
    if any(origin.lower() not in _origins(hosts) for origin in headers.getlist("origin")):
        return 403, "another site's page may not ask here"
    if any(site not in {"same-origin", "none"} for site in headers.getlist("sec-fetch-site")):
        return 403, "another site led here: open this address yourself, by typing or pasting it"
    return None


def _origins(hosts: frozenset[str]) -> set[str]:
    """Return the origins of our own pages: https where a proxy speaks TLS and asks here by an allowed name."""
    named = {host for host in hosts if not host.startswith(_OWN)}
    return {*(f"http://{host}" for host in hosts), *(f"https://{host}" for host in named)}


def no_path(path: str) -> PlainTextResponse | None:
    """Return the answer to a path that no page has; a router may take a name with a newline after it for the name."""
    return None if path.isprintable() else _refused(404, "there is no such page")


def _refused(status: int, why: str, headers: dict[str, str] | None = None) -> PlainTextResponse:
    return PlainTextResponse(f"{why}\n", status, headers)


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return sending
