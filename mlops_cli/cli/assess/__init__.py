"""``mlops assess``: how far ML processes are automated, and what platforms would do. One file per command."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

from mlops_cli.cli.assess import init, scan, show

EXAMPLE = "Example: mlops assess init && mlops assess --html assess.html --require deployment=semi-automated"


class _ShowFirst(TyperGroup):
    """A group in which ``mlops assess FILE`` is ``mlops assess show FILE``."""

    usual = "show"

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        is_other = not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names)
        return super().parse_args(ctx, [self.usual, *args] if is_other else args)


def build() -> typer.Typer:
    """Return the group of commands about assessments."""
    app = typer.Typer(
        cls=_ShowFirst,
        help="How far ML processes are automated, and where they should be; platforms side by side. "
        "A file, or an option of show, may come at once: mlops assess FILE --target.",
        epilog=EXAMPLE,
        rich_markup_mode=None,
    )
    app.command("show", epilog=show.EXAMPLE, short_help="Show processes, or platforms; meant where none is said.")(
        show.show
    )
    app.command("init", epilog=init.EXAMPLE, short_help="Write files to begin with.")(init.init)
    app.command("scan", epilog=scan.EXAMPLE, short_help="Look at what the workspace shows.")(scan.scan)
    return app
