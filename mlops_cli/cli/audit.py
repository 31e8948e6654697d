"""``mlops audit``: who did what, when; and whether the log of it is whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mlops_cli.cli import screen
from mlops_cli.cli.options import Json, Quiet, Verbose
from mlops_cli.cli.screen import dump, line, say
from mlops_cli.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from mlops_cli.records import AuditEntry

EXAMPLE = "Example: mlops audit --subject 'titanic/*' --since 7d; mlops audit --verify"
_MOST = 5  # lines that are no entries, of which it is said what is wrong


def audit(
    action: Annotated[
        list[str] | None,
        typer.Option(
            "--action", "-a", metavar="ACTION", help="Only this: run, promoted …; may be given several times."
        ),
    ] = None,
    subject: Annotated[
        str, typer.Option("--subject", "-s", metavar="GLOB", help="Only about this: titanic/3, titanic@2, 'titanic/*'.")
    ] = "",
    user: Annotated[str, typer.Option("--user", help="Only by this person.")] = "",
    since: Annotated[str, typer.Option("--since", metavar="TIME", help="2026-01-31, yesterday, 12h, 7d.")] = "",
    until: Annotated[str, typer.Option("--until", metavar="TIME", help="Likewise; a day counts whole.")] = "",
    limit: Annotated[int, typer.Option("--limit", "-n", help="At most so many, the newest ones; 0: all.")] = 20,
    verify: Annotated[
        bool, typer.Option("--verify", help="Check that the log is whole and that all records agree with it.")
    ] = False,
    head: Annotated[
        str, typer.Option("--head", metavar="NUMBER:HASH", help="With --verify: an entry that was kept elsewhere.")
    ] = "",
    json: Json = False,
    csv: Annotated[bool, typer.Option("--csv", help="Print entries as CSV.")] = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Show who did what to runs, data sets and models, newest first.

    Details are cut to the terminal's width, and stand below the rest where it is narrow; --json and --csv have them
    whole. --quiet prints numbers and subjects.

    --verify reads the whole log and every record of runs, versions, aliases and data sets: a line for each fault, and
    the exit code 4. What a kill may have left is said and is no fault. Found are lines that were edited, taken out, put
    in or moved, a log that was cut or written anew while records stayed, and records that were edited. Who writes the
    log and all records anew is found by --head alone: keep the head that --verify prints where they cannot write.
    """
    if verify:
        _refuse_filters(action=action, subject=subject, user=user, since=since, until=until, csv=csv)
        _check(head, json=json, quiet=quiet)
        return
    if head:
        raise UsageError("--head is for --verify", hint="mlops audit --verify --head NUMBER:HASH")
    if limit < 0:
        raise UsageError(f"--limit is 0, for all, or more; got {limit}", hint="--limit 20")
    if quiet + csv + json > 1:
        raise UsageError("one of --quiet, --csv and --json says what to print", hint="leave the others out")
    from mlops_cli.workflows.audit import entries, query

    # One more than is shown tells that there are more.
    asked = query(action or (), subject, user, since=since, until=until, limit=limit + 1 if limit else None)
    found, damaged = entries(asked)
    shown = found[: limit or None]
    _print(shown, json=json, csv=csv, quiet=quiet)
    if len(found) > len(shown) and not quiet:
        say("… and older ones; --limit shows more", "dim")
    for problem in damaged[:_MOST]:
        say(f"! {problem}", "yellow")
    if damaged:
        say("mlops audit --verify tells all that is wrong with the log", "yellow")


def _refuse_filters(**given: object) -> None:
    named = [f"--{name}" for name, value in given.items() if value]
    if named:
        raise UsageError(f"--verify checks the whole log, and takes no {named[0]}", hint="mlops audit --verify")


def _print(found: tuple[AuditEntry, ...], *, json: bool, csv: bool, quiet: bool) -> None:
    from mlops_cli.views import audit as views
    from mlops_cli.views.text import clean

    if json:
        dump(views.listing_json(found))
    elif csv:
        from mlops_cli.store.tables import csv_text

        line(csv_text(views.rows(found), views.COLUMNS).rstrip("\n"))
    elif quiet:
        for entry in found:
            line(f"{entry.number} {clean(entry.subject)}")
    elif found:
        from datetime import datetime

        screen.show(views.listing(found, datetime.now().astimezone(), screen.out().width))
    else:
        say("no entries")


def _check(head: str, *, json: bool, quiet: bool) -> None:
    from mlops_cli.views.audit import faults, notes, report_json, verdict
    from mlops_cli.workflows.audit import verify

    found = verify(head)
    if json:
        dump(report_json(found))
    else:
        for text in faults(found):
            line(text)
        for text in () if quiet else notes(found):
            say(text, "dim")
        if not found.faults and not quiet:
            line(verdict(found))
    if found.faults:
        raise typer.Exit(ExitCode.CHECK)
