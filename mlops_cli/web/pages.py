"""The pages: each handler finds what is asked for and fills a template."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from mlops_cli.errors import MlopsError, UsageError
from mlops_cli.records import RunStatus
from mlops_cli.store.find import experiments
from mlops_cli.views.beside import beside
from mlops_cli.views.report import title
from mlops_cli.views.text import plural, seconds
from mlops_cli.web.answers import etag, has, page, tagged, unchanged
from mlops_cli.web.api import standing_of
from mlops_cli.web.asked import number, runs_query
from mlops_cli.web.files import run_folder, served_file
from mlops_cli.web.listing import run_table
from mlops_cli.web.watching import section_of, watched
from mlops_cli.workflows.runs.finding import Recorded, search
from mlops_cli.workflows.runs.report import gather

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import Request
    from starlette.responses import Response

    from mlops_cli.records import Query

PER_PAGE = 50
MOST_COMPARED = 12
WATCHED_MS = 1500
"""Between two looks at something that changes."""

_REST = 10  # times as long as a page takes to make: a sweep of 100,000 trials is looked at less often

IDLE_MS = 5000
"""Between two looks at a list in which nothing runs: a new run may begin at any time."""


def runs(request: Request) -> Response:
    """Answer with the runs as a table."""
    at = number(request.query_params, "page", default=1, low=1, high=10**6)
    query = runs_query(request.query_params, limit=PER_PAGE, offset=(at - 1) * PER_PAGE)
    workspace = request.app.state.workspace
    found, problem = _found(query, workspace.root)
    table = run_table(found.records, query.sort, request.app.state.standings)
    running = any(row.record.status is RunStatus.RUNNING for row in table.rows)
    known = experiments(workspace)
    poll = WATCHED_MS if running else IDLE_MS
    shown = {"table": table, "found": found, "problem": problem, "known": known, "poll": poll}
    return page(request, _filled(request, "ui/runs.html", query=query, at=at, per_page=PER_PAGE, **shown))


def _found(query: Query, root: Path) -> tuple[Recorded, MlopsError | None]:
    """Return the runs that a query asks for, or what is wrong with it, to be said beside the box it was typed in."""
    try:
        return search(query, root), None
    except MlopsError as error:
        return Recorded(()), error


def run(request: Request) -> Response:
    """Answer with everything about one run; a page that is watched is made only when something is new."""
    standing = standing_of(request)
    if has(request, etag(standing.version)):
        return unchanged(etag(standing.version))
    begun = perf_counter()
    shown = {"section": section_of(standing), "watched": watched(standing)}
    poll = max(WATCHED_MS, int(_REST * 1000 * (perf_counter() - begun)))
    text = _filled(request, "ui/run.html", poll=poll, **shown)
    return page(request, text, version=standing.version)


def compare(request: Request) -> Response:
    """Answer with several runs beside each other: ``?run=ID&run=ID``."""
    refs = list(dict.fromkeys(request.query_params.getlist("run")))
    if not 2 <= len(refs) <= MOST_COMPARED:
        raise UsageError(f"{len(refs)} runs are ticked: 2 to {MOST_COMPARED} can be compared", hint="tick them at /")
    workspace = request.app.state.workspace
    for ref in refs:  # ids alone: a path, or a word such as latest, is for the command line
        run_folder(workspace, *ref.partition("/")[::2])
    report = gather(refs, workspace.root, with_plots=False)
    return page(request, _filled(request, "ui/compare.html", title=title(report), beside=beside(report)))


def file(request: Request) -> Response:
    """Answer with a file of a run."""
    where, workspace = request.path_params, request.app.state.workspace
    found = served_file(workspace, run_folder(workspace, where["experiment"], where["name"]), where["file"])
    return tagged(request, found.data, found.headers)


def error(request: Request, problem: MlopsError, status: int) -> Response:
    """Answer with what is wrong, and what mends it."""
    return page(request, _filled(request, "ui/error.html", problem=problem, status=status), status=status)


def _filled(request: Request, template: str, **values: Any) -> str:
    state = request.app.state
    text: str = state.templates.get_template(template).render(
        workspace=state.workspace.root.name,
        address=lambda **changed: _address(request, changed),
        plural=plural,
        seconds=seconds,
        **values,
    )
    return text


def _address(request: Request, changed: dict[str, Any]) -> str:
    """Return the address of this page with some of what it asks for changed, and without what is empty."""
    asked = {**request.query_params, **changed}
    left = {key: value for key, value in asked.items() if value}
    return f"{request.url.path}?{urlencode(left, errors='replace')}" if left else request.url.path
