"""The application: which address leads to which handler, and what errors look like."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from mlops_cli.config.workspace import find_workspace
from mlops_cli.errors import MlopsError, StoreError
from mlops_cli.store.layout import WorkspacePaths
from mlops_cli.views import pages as templates
from mlops_cli.web import api, pages
from mlops_cli.web.answers import json_error
from mlops_cli.web.guard import Guard
from mlops_cli.web.live import Standings

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp

_RUN = "/runs/{experiment}/{name}"


def application(port: int, workspace: Path | None = None) -> ASGIApp:
    """Return the whole server as an ASGI application.

    Parameters
    ----------
    port : int
        Where it will listen.
    workspace : Path, optional
        A folder in the workspace; the current one if not given.
    """
    made = Starlette(
        routes=_routes(),
        exception_handlers={MlopsError: _refused, HTTPException: _not_here, Exception: _broken},
    )
    made.state.workspace = WorkspacePaths(find_workspace(workspace).root)
    made.state.standings = Standings()
    made.state.templates = templates.environment()
    return Guard(made, port)


def _routes() -> list[Route | Mount]:
    # Plain functions: Starlette calls them in threads, so that none of them holds up the others while it reads.
    return [
        Route("/", pages.runs),
        Route("/compare", pages.compare),
        Route(_RUN, pages.run),
        Route(_RUN + "/files/{file:path}", pages.file),
        Route("/api/runs", api.runs),
        Route(f"/api{_RUN}", api.run),
        Route(f"/api{_RUN}/trials", api.trials),
        Mount("/static", StaticFiles(directory=Path(templates.__file__).parent / "static")),
    ]


def _refused(request: Request, error: Exception) -> Response:
    """Answer a question that cannot be answered: what is not there, or was asked in a way that nobody understands."""
    found = error if isinstance(error, MlopsError) else MlopsError(str(error))
    return _said(request, found, 404 if isinstance(found, StoreError) else 400)


def _not_here(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 404
    return _said(request, MlopsError("there is no such page", hint="all runs are at /"), status)


def _broken(request: Request, error: Exception) -> Response:
    fault = MlopsError(f"internal error: {type(error).__name__}", hint="mlops ui --verbose shows where it happened")
    return _said(request, fault, 500)


def _said(request: Request, error: MlopsError, status: int) -> Response:
    if request.url.path.startswith("/api/"):
        return json_error(request, error, status)
    return pages.error(request, error, status)
