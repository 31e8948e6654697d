"""Answers in the shapes that all handlers use: a page, JSON, a file, nothing new, an error."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from mlops_cli.store.files import json_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from mlops_cli.errors import MlopsError


def page(request: Request, text: str, *, status: int = 200, version: str | None = None) -> Response:
    """Return an HTML page; text that is no Unicode, as a file's name may be, is replaced.

    Parameters
    ----------
    request : Request
        Who asks: only what they do not have yet is sent.
    text : str
        The page.
    status : int
        200 or an error.
    version : str, optional
        What the page depends on, where that is known without the page itself.
    """
    data = text.encode("utf-8", "replace")
    return tagged(request, data, {"content-type": "text/html; charset=utf-8"}, status=status, version=version)


def json(request: Request, value: Any, *, status: int = 200, version: str | None = None) -> Response:
    """Return strict JSON."""
    return tagged(request, json_line(value), {"content-type": "application/json"}, status=status, version=version)


def json_error(request: Request, error: MlopsError, status: int) -> Response:
    """Return what is wrong, and what mends it."""
    return json(request, {"error": {"message": error.message, "hint": error.hint}}, status=status)


def tagged(
    request: Request, data: bytes, headers: Mapping[str, str], *, status: int = 200, version: str | None = None
) -> Response:
    """Return bytes with their tag, or that nothing is new to whoever sent that tag."""
    tag = etag(version if version is not None else hashlib.sha256(data).hexdigest()[:32])
    if status == 200 and has(request, tag):
        return unchanged(tag)
    return Response(data, status, {**headers, "etag": tag} if status == 200 else dict(headers))


def etag(version: str) -> str:
    """Return a version as a header has it."""
    return f'"{version}"'


def has(request: Request, tag: str) -> bool:
    """Whether the browser holds what a tag stands for."""
    held = request.headers.get("if-none-match", "")
    return tag in {part.strip().removeprefix("W/") for part in held.split(",")}


def unchanged(tag: str) -> Response:
    """Return that nothing is new."""
    return Response(status_code=304, headers={"etag": tag})
