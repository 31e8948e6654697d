"""``mlops runs``: find runs, look at them, compare them. One file per command."""

from __future__ import annotations

import typer

from mlops_cli.cli.runs import best, compare, diff, export, import_, ls, note, plot, reindex, rm, show, tag


def build() -> typer.Typer:
    """Return the group of commands about runs."""
    app = typer.Typer(help="Find runs, look at them, compare them.", no_args_is_help=True, rich_markup_mode=None)
    app.command("ls", epilog=ls.EXAMPLE, short_help="List runs, newest first.")(ls.ls)
    app.command("show", epilog=show.EXAMPLE, short_help="Show one run.")(show.show)
    app.command("compare", epilog=compare.EXAMPLE, short_help="Which is better, and is it chance.")(compare.compare)
    app.command("diff", epilog=diff.EXAMPLE, short_help="Show what differs between two runs.")(diff.diff)
    app.command("plot", epilog=plot.EXAMPLE, short_help="Draw a run.")(plot.plot)
    app.command("best", epilog=best.EXAMPLE, short_help="Show the best run.")(best.best)
    app.command("tag", epilog=tag.EXAMPLE, short_help="Add or remove tags of a run.")(tag.tag)
    app.command("note", epilog=note.EXAMPLE, short_help="Note something about a run.")(note.note)
    app.command("rm", epilog=rm.EXAMPLE, short_help="Remove runs.")(rm.rm)
    app.command("export", epilog=export.EXAMPLE, short_help="Write runs as a table, or tell a tracker.")(export.export)
    app.command("import", epilog=import_.EXAMPLE, short_help="Take in runs of MLflow's.")(import_.import_runs)
    app.command("reindex", epilog=reindex.EXAMPLE, short_help="Build the index again.")(reindex.reindex)
    return app
