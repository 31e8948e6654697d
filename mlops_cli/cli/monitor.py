"""``mlops monitor``: a model over time, batch by batch of new data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mlops_cli.cli.data.options import As, Read, how_read
from mlops_cli.cli.options import Json, NoAlerts, Quiet, Verbose, Yes
from mlops_cli.cli.predict import AllowPickle
from mlops_cli.cli.screen import agree_to_remove, dump, err, line, show
from mlops_cli.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_cli.records import Notice

LOG_EXAMPLE = "Example: mlops monitor log titanic@champion data/monday.csv"
LABELS_EXAMPLE = "Example: mlops monitor labels titanic data/outcomes.csv --id passenger_id"
SHOW_EXAMPLE = "Example: mlops monitor show titanic --html trend.html"
RM_EXAMPLE = "Example: mlops monitor rm titanic monday.csv"

Name = Annotated[str, typer.Argument(metavar="MODEL", help="The name of a registered model: titanic.")]


def build() -> typer.Typer:
    """Return the group of commands about models over time."""
    app = typer.Typer(
        help="A model over time, batch by batch of new data.", no_args_is_help=True, rich_markup_mode=None
    )
    app.command("log", epilog=LOG_EXAMPLE, short_help="Check a batch for drift, and keep it.")(log)
    app.command("labels", epilog=LABELS_EXAMPLE, short_help="Join labels that came later.")(labels)
    app.command("show", epilog=SHOW_EXAMPLE, short_help="Show the trend.")(trend)
    app.command("rm", epilog=RM_EXAMPLE, short_help="Remove a batch.")(rm)
    return app


def log(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="A registered version: titanic@champion, titanic/3, titanic.")
    ],
    data: Annotated[
        str, typer.Argument(metavar="INPUT", help="A path, an address, a glob, a folder of parts, titanic@3.")
    ],
    name: Annotated[
        str | None, typer.Option("--name", metavar="BATCH", help="What it is called; as its file if not given.")
    ] = None,
    id_: Annotated[
        str | None, typer.Option("--id", metavar="COLUMN", help="What tells rows apart; as in training if not given.")
    ] = None,
    no_alerts: NoAlerts = False,
    read: Read = None,
    option: As = None,
    allow_pickle: AllowPickle = False,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Hold a batch of new data against what the model was trained on, and keep what was found and predicted.

    The exit code is 4 where drift is found. The same content for the same version is kept once, and said.
    """
    from mlops_cli.workflows.watching.drift import DriftOptions
    from mlops_cli.workflows.watching.monitor import LogOptions, log_batch

    drifting = DriftOptions(allow_pickle=allow_pickle, how=how_read(read, option, None))
    made = log_batch(model, data, LogOptions(name, id_, drifting, not no_alerts))
    batch = made.batch
    if json:
        from mlops_cli.views.monitor import batch_json

        dump({**batch_json(batch), "is_new": made.is_new})
    elif quiet:
        line(batch.id)
    else:
        from mlops_cli.views.monitor import logged

        show(logged(batch, is_new=made.is_new))
    _say([*(() if quiet else batch.report.notices), *made.notices])
    if batch.report.drifted:
        raise typer.Exit(ExitCode.CHECK)


def labels(
    model: Name,
    data: Annotated[str, typer.Argument(metavar="LABELS", help="A file with the id and the target of rows.")],
    id_: Annotated[
        str | None, typer.Option("--id", metavar="COLUMN", help="Of the labels; that of the batches if not given.")
    ] = None,
    batch: Annotated[
        str | None, typer.Option("--batch", metavar="BATCH", help="The one batch that they are of; any if not given.")
    ] = None,
    no_alerts: NoAlerts = False,
    read: Read = None,
    option: As = None,
    allow_pickle: AllowPickle = False,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Join labels that have come later to what the model said of earlier batches, and score those again.

    They may come in several files. Labels that contradict are refused, and then nothing is changed. The exit code is
    4 where a metric is worse than it may be.
    """
    from mlops_cli.workflows.watching.labels import LabelOptions, join_labels

    options = LabelOptions(id_, batch, allow_pickle, how_read(read, option, None), not no_alerts)
    found = join_labels(model, data, options)
    if json:
        from mlops_cli.views.monitor import batch_json

        counts = {"model": found.model, "rows": found.rows, "matched": found.matched, "new": found.new}
        dump({**counts, "drifted": found.drifted, "batches": [batch_json(one) for one in found.batches]})
    elif quiet:
        line(f"{found.new}")
    else:
        from mlops_cli.views.monitor import joined

        show(joined(found.batches, found.rows, found.matched, found.new))
    _say(found.notices)
    if found.drifted:
        raise typer.Exit(ExitCode.CHECK)


def trend(
    model: Name,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="The newest batches alone.")] = 20,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE.html", help="Write a page with charts, which opens offline.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a file that is no such page.")] = False,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Show how a model did over time: what drifted in each batch, and its metrics where labels have come."""
    if html is not None:
        from mlops_cli.workflows.watching.trend_page import write_trend_page

        line(str(write_trend_page(model, html, force=force)))
        return
    from datetime import datetime

    from mlops_cli.views import monitor as views
    from mlops_cli.workflows.watching.history import history

    found = history(model, limit=limit)
    if json:
        dump({"model": found.name, "total": found.total, "batches": [views.batch_json(one) for one in found.batches]})
    elif quiet:
        for batch in found.batches:
            line(batch.id)
    else:
        show(views.trend(found.name, found.batches, found.total, datetime.now().astimezone()))


def rm(
    model: Name,
    batch: Annotated[str, typer.Argument(metavar="BATCH", help="Its id, the beginning of one, its name, or latest.")],
    yes: Yes = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Remove a batch for good, with its predictions and labels. Asks first; away from a terminal it needs --yes."""
    from mlops_cli.workflows.watching.history import found_batch, remove_batch

    chosen = found_batch(model, batch)
    if not yes:
        agree_to_remove(f"the batch {chosen} of {model}")
    remove_batch(model, chosen)
    if not quiet:
        line(f"removed {chosen}")


def _say(notices: Sequence[Notice]) -> None:
    from mlops_cli.views.monitor import said

    for text in said(notices):
        err().print(text, soft_wrap=True)
