"""``mlops runs ls``: list runs, filtered and sorted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mlops_cli.cli.options import Json, Quiet, Verbose, Where
from mlops_cli.cli.screen import dump, line, out, say, show
from mlops_cli.errors import UsageError

if TYPE_CHECKING:
    from mlops_cli.workflows.runs.finding import Recorded

EXAMPLE = 'Example: mlops runs ls titanic --where "roc_auc > 0.8 and model.C < 1" --sort score --limit 5'


def ls(
    experiment: Annotated[str | None, typer.Argument(help="Only the runs of this experiment.")] = None,
    where: Where = "",
    sort: Annotated[
        str, typer.Option("--sort", help="KEY,…: ascending; -KEY: descending (--sort=-KEY); score: the best first.")
    ] = "",
    columns: Annotated[str, typer.Option("--columns", help="KEY,…: show these and nothing else.")] = "",
    limit: Annotated[int, typer.Option("--limit", "-n", help="At most so many, the first ones; 0: all.")] = 20,
    json: Json = False,
    csv: Annotated[bool, typer.Option("--csv", help="Print all keys of each run as CSV.")] = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """List runs, newest first: when, status, trials, score, and the parameters in which they differ.

    What a narrow terminal has no room for is left out; --columns, --csv and --json tell it at any width. --quiet
    prints ids.

    --where compares fields with values by = != < <= > >= ~ (contains) and "in (a, b)", joined by and, or, not and
    parentheses; an interval is "0.1 < model.C <= 1". Numbers are compared with numbers only. Text with blanks or signs
    goes in quotes, an odd field name in backticks. Times are 2026-01-31, 2026-01-31T14:00, today, yesterday, 12h or 7d
    (that long ago); a date is its midnight, but = and <= take the whole day. A commit or version may be cut to 7 hex
    digits. Where a run lacks a field, a comparison is false and "not" of it is true; "= null" finds just those.

    Fields: id experiment status started ended duration_s task primary direction score trials completed failed pruned
    lost reused warnings seed note description data.version data.rows data.columns data.target data.source
    data.sha256 git.commit git.dirty splits.digest fingerprint metrics.NAME metrics.NAME.std metrics.NAME.test
    params.KEY (of the best trial) tags.KEY; an ending that only one of them has is enough, such as roc_auc or model.C.
    """
    from mlops_cli.workflows.runs.finding import Query, search

    keys = tuple(name.strip() for name in columns.split(",") if name.strip())
    if limit < 0:
        raise UsageError(f"--limit is 0, for all, or more; got {limit}", hint="--limit 20")
    if quiet + csv + json > 1:
        raise UsageError("one of --quiet, --csv and --json says what to print", hint="leave the others out")
    found = search(Query(experiment, where, sort, limit or None, columns=keys))
    if json:
        from mlops_cli.store.serialize import as_written

        dump(_rows(found) if keys else [as_written(r) for r in found.records])
    elif csv:
        _print_csv(found)
    elif quiet:
        for record in found.records:
            line(record.id)
    else:
        _print_table(found, experiment, filtered=bool(where))
    _say_the_rest(found, quiet=quiet)


def _rows(found: Recorded) -> list[dict[str, object]]:
    """Return the columns that were asked for; null where a run has nothing to say."""
    from mlops_cli.store.index.fields import values_of
    from mlops_cli.store.values import encode

    rows = [values_of(record) for record in found.records]
    return [{key: encode(row.get(key)) for key in found.columns} for row in rows]


def _print_table(found: Recorded, experiment: str | None, *, filtered: bool) -> None:
    if found.records:
        from mlops_cli.views.listing import left_out, listing
        from mlops_cli.views.text import plural

        width, bare = out().width, experiment is not None
        show(listing(found.records, width=width, columns=found.columns, bare=bare))
        left = 0 if found.columns else left_out(found.records, width=width, bare=bare)
        if left:
            say(f"{plural(left, 'column')} left out; --columns, --csv or a wider terminal show them", "dim")
    elif filtered:
        say("no run matches")
    elif not found.damaged:
        say("no runs yet; start one with: mlops run config=NAME")


def _print_csv(found: Recorded) -> None:
    from mlops_cli.store.export import run_columns, run_rows
    from mlops_cli.store.tables import csv_text

    rows = run_rows(found.records)
    line(csv_text(rows, found.columns or run_columns(rows)).rstrip("\n"))


def _say_the_rest(found: Recorded, *, quiet: bool) -> None:
    left = found.total - len(found.records)
    if left > 0 and found.records and not quiet:
        say(f"… {left} more; --limit shows more", "dim")
    for told in () if quiet else found.hints:
        say(told)
    for problem in found.damaged:
        say(f"! {problem}", "yellow")
