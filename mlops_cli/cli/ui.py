"""``mlops ui``: the runs of the workspace in a browser."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from mlops_cli.cli.options import Quiet, Verbose
from mlops_cli.cli.screen import line, say
from mlops_cli.errors import MissingExtraError

EXAMPLE = "Example: mlops ui --port 9000 --no-open"


def ui(
    port: Annotated[
        int | None,
        typer.Option("--port", "-p", help="Where to listen, 0 for any free port; else 8808 or the next free one."),
    ] = None,
    host: Annotated[str, typer.Option("--host", help="This machine's own address: 127.0.0.1 or ::1.")] = "127.0.0.1",
    no_open: Annotated[bool, typer.Option("--no-open", help="Open no browser.")] = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Look at the runs of this workspace in a browser: filter, sort, compare, and watch them while they go.

    Prints the address on stdout and answers until Ctrl-C or SIGTERM, which end it with exit code 0. It changes
    no run, asks nothing of any other machine, and answers this machine alone. /api/runs, /api/runs/ID and
    /api/runs/ID/trials give the same as JSON.
    """
    _check_installed()
    from mlops_cli.config.workspace import find_workspace
    from mlops_cli.web.app import application
    from mlops_cli.web.server import listen, serve, url

    opened = listen(host, port)
    app = application(opened.getsockname()[1])
    address = url(opened)
    line(address)
    if not quiet:
        say(f"the runs of {find_workspace().root}; Ctrl-C ends this", "dim")
    if not no_open and _has_screen():
        _open(address)
    serve(app, opened, verbose=verbose)


def _check_installed() -> None:
    from importlib.util import find_spec

    for package in ("starlette", "uvicorn"):
        if find_spec(package) is None:
            raise MissingExtraError(package, "ui", "mlops ui")


def _has_screen() -> bool:
    """Whether a person sits before this: a text browser would take the terminal over."""
    graphical = sys.platform == "darwin" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return sys.stdout.isatty() and bool(graphical)


def _open(address: str) -> None:
    import threading
    import webbrowser

    # From a thread: some browsers are waited for until they are closed.
    threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
