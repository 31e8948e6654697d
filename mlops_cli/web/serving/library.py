"""``mlops.serve``: what the command does, for programs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mlops_cli.web.serving.server import ServeOptions, prepare, run
from mlops_cli.workflows.applying.python import named
from mlops_cli.workflows.settings import checked


def serve(model: Any, *, workspace: str | Path | None = None, **settings: Any) -> None:
    """Answer requests for predictions, until SIGINT or SIGTERM.

    Parameters
    ----------
    model : str, Path or Run
        ``titanic@champion``, which is followed; ``titanic/3``; a run.
    workspace : str or Path, optional
        The workspace; the current folder's where not given.
    **settings
        The fields of `ServeOptions`: ``host``, ``port``, ``tokens``, ``log``, ``allowed``, ``limits`` ….

    Raises
    ------
    UsageError
        Others could reach the address and there are no tokens, or the port is taken.
    StoreError
        There is no such model, or its files are not those that were recorded.
    """
    options = ServeOptions(**checked(settings, ServeOptions, "serve"))
    place = None if workspace is None else Path(workspace)
    run(prepare(named(model), options, _unheard, workspace=place))


def _unheard(_line: str) -> None:
    pass
