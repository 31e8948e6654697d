"""``mlops serve``: a model behind HTTP."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mlops_cli.cli.options import Quiet, Verbose
from mlops_cli.cli.screen import line, say
from mlops_cli.errors import ExitCode, MissingExtraError, UsageError

if TYPE_CHECKING:
    from mlops_cli.web.serving.server import Serving

EXAMPLE = "Example: mlops serve titanic@champion"

_LIMITS = "Limits"


def serve(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="NAME@ALIAS or NAME, which are followed; NAME/NUMBER; a run.")
    ],
    host: Annotated[str, typer.Option("--host", help="Beyond this machine, as 0.0.0.0, needs --tokens.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", "-p", help="Where to listen, 0 for any free port.")] = 8000,
    tokens: Annotated[
        Path | None, typer.Option("--tokens", metavar="FILE", help="Who may ask: see mlops tokens add.")
    ] = None,
    log_requests: Annotated[
        Path | None,
        typer.Option("--log-requests", metavar="FOLDER", help="Keep answered rows there, for mlops drift."),
    ] = None,
    export: Annotated[
        Path | None, typer.Option("--export", metavar="DIR", help="Write what a container needs, and serve nothing.")
    ] = None,
    allow_host: Annotated[
        list[str] | None, typer.Option("--allow-host", metavar="NAME", help="A name that a proxy here asks by.")
    ] = None,
    max_body: Annotated[float, typer.Option("--max-body", metavar="MIB", help="Of a request.")] = 4.0,
    max_rows: Annotated[int, typer.Option("--max-rows", help="Of a request.")] = 10_000,
    timeout: Annotated[float, typer.Option("--timeout", metavar="SECONDS", help="Of a request.")] = 30.0,
    max_concurrent: Annotated[int, typer.Option("--max-concurrent", help="Requests at once.")] = 64,
    allow_pickle: Annotated[
        bool, typer.Option("--allow-pickle", help="Open a model that is a pickle, which can run any code.")
    ] = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Answer requests for predictions, until Ctrl-C or SIGTERM.

    POST /predict takes a row as JSON, or a list of rows; ?proba=true adds probabilities. /docs explains it in a
    browser; /health, /ready, /metrics (Prometheus), /model and /openapi.json tell the rest. A name with an alias is
    followed: when it is given to another version, that one answers, and no request fails by it.

    Prints the address on stdout once the model is loaded. Requests under way are finished at the end.
    """
    _check_installed()
    if export is not None:
        _export(model, export, quiet=quiet)
        return
    from mlops_cli.web.serving.limits import Limits
    from mlops_cli.web.serving.server import ServeOptions, prepare, run

    for name, value in {"--max-body": max_body, "--max-rows": max_rows, "--timeout": timeout}.items():
        if not value > 0:
            raise UsageError(f"{name} {value:g}: more than 0 is allowed")
    if max_concurrent < 1:
        raise UsageError(f"--max-concurrent {max_concurrent}: at least 1 is allowed")
    limits = Limits(int(max_body * 2**20), max_rows, timeout, max_concurrent, min(10.0, timeout))
    options = ServeOptions(host, port, tokens, log_requests, tuple(allow_host or ()), limits, allow_pickle, verbose)
    ready = prepare(model, options, partial(say, stream=sys.stderr))
    line(ready.address)
    if not quiet:
        _tell(ready)
    code = ExitCode.OK if run(ready) else ExitCode.INTERRUPTED
    if ready.shared.places.taken:  # Python would wait for the thread of a prediction that may never end
        sys.stdout.flush()
        os._exit(code)
    raise typer.Exit(code)


def _tell(ready: Serving) -> None:
    from mlops_cli.views.serving import how_to_ask

    version = ready.following.current.version
    say(f"{version.label} answers; /docs explains; Ctrl-C ends this", "dim")
    say(how_to_ask(ready.address, version.example, has_tokens=ready.shared.has_tokens), "dim")


def _export(model: str, folder: Path, *, quiet: bool) -> None:
    from mlops_cli.web.serving.container import export_container

    done = export_container(model, folder)
    line(str(done.folder))
    if not quiet:
        for said in done.said:
            say(said, "dim")


def _check_installed() -> None:
    from importlib.util import find_spec

    for package in ("fastapi", "uvicorn", "prometheus_client"):
        if find_spec(package) is None:
            raise MissingExtraError(package, "serve", "mlops serve")
