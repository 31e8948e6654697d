"""The same records as JSON, for scripts: ``/api/runs``, ``/api/runs/ID`` and ``/api/runs/ID/trials``.

Each run and each trial is as `mlops runs show --json` and ``trials.jsonl`` have it. Lists say how many there are in
all (``total``) and are read in parts by ``limit`` and ``offset``. What is wrong is ``{"error": {"message", "hint"}}``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_cli.store.serialize import as_written, run_to_json, trial_to_json
from mlops_cli.web.answers import etag, has, json, unchanged
from mlops_cli.web.asked import MOST, number, runs_query
from mlops_cli.web.files import run_folder
from mlops_cli.workflows.runs.finding import search

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from mlops_cli.web.live import Standing


def runs(request: Request) -> Response:
    """``?experiment=&where=&sort=&limit=100&offset=0``: the runs that match, as ``mlops runs ls`` finds them."""
    params = request.query_params
    limit = number(params, "limit", default=100, low=1, high=MOST)
    query = runs_query(params, limit=limit, offset=number(params, "offset", default=0))
    found = search(query, request.app.state.workspace.root)
    listed = [as_written(record) for record in found.records]
    return json(request, {"total": found.total, "runs": listed, "damaged": list(found.damaged)})


def run(request: Request) -> Response:
    """One run; of one that still runs, with its counts and its best trial so far."""
    standing = standing_of(request)
    record = standing.record
    return json(request, run_to_json(record, request.app.state.workspace.root), version=standing.version)


def trials(request: Request) -> Response:
    """``?limit=1000&offset=0``: the trials in the order in which they ended; errors without their tracebacks."""
    standing = standing_of(request)
    if has(request, etag(standing.version)):
        return unchanged(etag(standing.version))
    limit = number(request.query_params, "limit", default=MOST, low=1, high=10 * MOST)
    offset = number(request.query_params, "offset", default=0)
    chosen = [trial_to_json(t) for t in standing.trials[offset : offset + limit]]
    value = {"total": len(standing.trials), "status": str(standing.record.status), "trials": chosen}
    return json(request, value, version=standing.version)


def standing_of(request: Request) -> Standing:
    """Return how the run of the request's address stands.

    Raises
    ------
    StoreError
        There is no such run, or it is damaged.
    """
    state, where = request.app.state, request.path_params
    standing: Standing = state.standings.of(run_folder(state.workspace, where["experiment"], where["name"]))
    return standing
