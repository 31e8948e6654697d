"""``mlops models``: the registry of models. One file per command."""

from __future__ import annotations

import typer

from mlops_cli.cli.models import (
    alias,
    card,
    diff,
    export,
    handover,
    ls,
    promote,
    register,
    rm,
    rollback,
    show,
    sign,
    tag,
    verify,
)


def build() -> typer.Typer:
    """Return the group of commands about registered models."""
    app = typer.Typer(
        help="Registered models in versions that stand alone.", no_args_is_help=True, rich_markup_mode=None
    )
    app.command("register", epilog=register.EXAMPLE, short_help="Register the model of a run.")(register.register)
    app.command("ls", epilog=ls.EXAMPLE, short_help="List models, or the versions of one.")(ls.ls)
    app.command("show", epilog=show.EXAMPLE, short_help="Show a version.")(show.show)
    app.command("diff", epilog=diff.EXAMPLE, short_help="Show what differs between two versions.")(diff.diff)
    app.command("export", epilog=export.EXAMPLE, short_help="Write a model for use elsewhere.")(export.export)
    app.command("alias", epilog=alias.EXAMPLE, short_help="Call a version by a word.")(alias.alias)
    app.command("tag", epilog=tag.EXAMPLE, short_help="Add or remove tags of a version.")(tag.tag)
    app.command("describe", epilog=tag.DESCRIBE_EXAMPLE, short_help="Say what a version is for.")(tag.describe)
    app.command("card", epilog=card.EXAMPLE, short_help="Print a version's card.")(card.card)
    app.command("approve", epilog=sign.APPROVE_EXAMPLE, short_help="Approve a version.")(sign.approve)
    app.command("reject", epilog=sign.REJECT_EXAMPLE, short_help="Reject a version.")(sign.reject)
    app.command("archive", epilog=sign.ARCHIVE_EXAMPLE, short_help="Say that a version is out of use.")(sign.archive)
    app.command("handover", epilog=handover.EXAMPLE, short_help="Keep what a model's owner answers.")(handover.handover)
    app.command("promote", epilog=promote.EXAMPLE, short_help="Give an alias, if gates pass.")(promote.promote)
    app.command("rollback", epilog=rollback.EXAMPLE, short_help="Give an alias back.")(rollback.rollback)
    app.command("verify", epilog=verify.EXAMPLE, short_help="Read every byte again.")(verify.verify)
    app.command("rm", epilog=rm.EXAMPLE, short_help="Remove a version.")(rm.rm)
    return app
