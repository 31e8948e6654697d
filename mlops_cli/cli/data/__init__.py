"""``mlops data``: named data sets in versions that never change. One file per command."""

from __future__ import annotations

import typer

from mlops_cli.cli.data import add, checkout, diff, expect, gc, ls, profile, rm, show, tag, verify


def build() -> typer.Typer:
    """Return the group of commands about data."""
    app = typer.Typer(
        help="Named data sets in versions that never change.", no_args_is_help=True, rich_markup_mode=None
    )
    app.command("add", epilog=add.EXAMPLE, short_help="Add the next version of a data set.")(add.add)
    app.command("ls", epilog=ls.EXAMPLE, short_help="List data sets.")(ls.ls)
    app.command("show", epilog=show.EXAMPLE, short_help="Show a version.")(show.show)
    app.command("diff", epilog=diff.EXAMPLE, short_help="Show what differs between two versions.")(diff.diff)
    app.command("profile", epilog=profile.EXAMPLE, short_help="Show what data looks like.")(profile.profile)
    app.command("expect", epilog=expect.EXAMPLE, short_help="Write what data must be like.")(expect.expect)
    app.command("check", epilog=expect.CHECK_EXAMPLE, short_help="Hold data against that.")(expect.check)
    app.command("verify", epilog=verify.EXAMPLE, short_help="Read every byte again.")(verify.verify)
    app.command("checkout", epilog=checkout.EXAMPLE, short_help="Copy a version's files.")(checkout.checkout)
    app.command("tag", epilog=tag.EXAMPLE, short_help="Tag a version.")(tag.tag)
    app.command("rm", epilog=rm.EXAMPLE, short_help="Remove a version.")(rm.rm)
    app.command("gc", epilog=gc.EXAMPLE, short_help="Remove contents that nothing needs.")(gc.gc)
    return app
