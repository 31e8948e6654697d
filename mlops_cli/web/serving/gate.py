"""What stands before every version: who may ask what, what a browser may do with an answer, what is counted."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response

from mlops_cli.web.guard import HEADERS, foreign
from mlops_cli.web.serving.limits import Refused
from mlops_cli.web.serving.tokens import Role

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.types import Message, Receive, Scope, Send

    from mlops_cli.web.serving.counting import Counts
    from mlops_cli.web.serving.following import Following
    from mlops_cli.web.serving.tokens import Doorkeeper

OPEN = frozenset({"/", "/health", "/ready", "/docs", "/docs/style.css", "/docs/serve.css", "/docs/serve.js"})
"""What anybody may ask: whether it lives, and the page that explains it, which holds nothing of the model."""

ADMIN = frozenset({"/metrics", "/model/reload"})
COUNTED = OPEN | ADMIN | {"/predict", "/model", "/openapi.json"}
"""Paths that are counted by their names; all others together, or anyone could fill the memory with names."""

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"})


class Gate:
    """An ASGI application that lets requests through to the version that answers.

    Parameters
    ----------
    following : Following
        Holds that version.
    counts : Counts
        Told of every request.
    doorkeeper : Doorkeeper, optional
        Knows the tokens; without one whoever reaches the server may ask anything.
    hosts : frozenset of str, optional
        What a Host header may say; None where any name may lead here.
    broken : callable
        Told of an error that nobody foresaw.
    """

    def __init__(
        self,
        following: Following,
        counts: Counts,
        doorkeeper: Doorkeeper | None,
        hosts: frozenset[str] | None,
        broken: Callable[[Exception], None],
    ) -> None:
        self.following, self.counts, self.doorkeeper = following, counts, doorkeeper
        self.hosts, self.broken = hosts, broken

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or say why not."""
        if scope["type"] != "http":  # no websocket is ever accepted, and uvicorn is told that nothing else is wanted
            return
        began, seen = time.perf_counter(), _Seen(send)
        self.counts.under_way.inc()
        try:
            refused = self._refusal(scope)
            await (refused or self.following.current.app)(scope, receive, seen.send)
        except Exception as error:  # noqa: BLE001  the last line of defence; it was answered with 500 already
            self.broken(error)
        finally:
            self.counts.under_way.dec()
            path = scope["path"] if scope["path"] in COUNTED else "other"
            method = scope["method"] if scope["method"] in METHODS else "other"
            self.counts.answered(path, method, seen.status, time.perf_counter() - began)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        if (bad := self._unfit(scope, headers)) is not None:
            return problem(bad)
        if self.doorkeeper is None or scope["path"] in OPEN:
            return None
        role = self._role(headers)
        if role is None:
            told = {"www-authenticate": 'Bearer realm="mlops"'}
            return problem(Refused(401, "a token is needed: Authorization: Bearer …", headers=told))
        if scope["path"] in ADMIN and role is not Role.ADMIN:
            return problem(Refused(403, "this needs a token with the role admin"))
        return None

    def _unfit(self, scope: Scope, headers: Headers) -> Refused | None:
        """Return why a request is not looked at, whoever sends it."""
        stranger = foreign(headers, self.hosts) if self.hosts is not None else None
        if stranger is not None:
            return Refused(*stranger)
        if "transfer-encoding" in headers and "content-length" in headers:  # a proxy may have gone by the other one
            unclear = "Content-Length and Transfer-Encoding at once: where the request ends is not clear"
            return Refused(400, unclear, headers={"connection": "close"})
        if not scope["path"].isprintable():  # a router may take a name with a newline after it for the name
            return Refused(404, "there is nothing at this address")
        return None

    def _role(self, headers: Headers) -> Role | None:
        given = headers.getlist("authorization")
        scheme, _, token = given[0].partition(" ") if len(given) == 1 else ("", "", "")
        if self.doorkeeper is None or scheme.lower() != "bearer" or not token.strip():
            return None
        return self.doorkeeper.role_of(token.strip())


class _Seen:
    """Sends an answer with the headers that all have, and remembers its status."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status = 499  # as nginx has it: whoever asked went away before an answer

    async def send(self, message: Message) -> None:
        """Send a part of the answer."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await self._send(message)


_HEADERS: Mapping[str, str] = {**HEADERS, "cache-control": "no-store"}


def problem(refused: Refused) -> Response:
    """Return what is wrong, as all errors are told."""
    error: dict[str, object] = {"message": refused.message}
    if refused.faults:
        error["fields"] = [{"row": f.row, "field": f.field, "message": f.message} for f in refused.faults]
    body = json.dumps({"error": error}, ensure_ascii=False).encode("utf-8", "replace")
    return Response(body, refused.status, refused.headers, "application/json")
