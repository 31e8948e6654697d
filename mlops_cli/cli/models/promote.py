"""``mlops models promote``: give an alias to a version that passes its gates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mlops_cli.cli.options import Json, Quiet, Verbose
from mlops_cli.cli.screen import dump, line, say, show
from mlops_cli.errors import ExitCode
from mlops_cli.records import CHAMPION

if TYPE_CHECKING:
    from mlops_cli.records import Promotion

EXAMPLE = "Example: mlops models promote titanic/4"

AliasOption = Annotated[str, typer.Option("--alias", metavar="WORD", help="Which alias.")]


def promote(
    version: Annotated[str, typer.Argument(metavar="NAME/NUMBER", help="titanic/4, or titanic@challenger.")],
    alias: AliasOption = CHAMPION,
    override: Annotated[
        str | None, typer.Option("--override", metavar="REASON", help="Promote it although gates fail; recorded.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Run the gates and change nothing.")] = False,
    allow_pickle: Annotated[
        bool, typer.Option("--allow-pickle", help="Open models that are pickles, which can run any code.")
    ] = False,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Give an alias to a version, @champion where no other is said, if it passes all its gates.

    Gates are declared in configs/promotion/NAME.yaml, else under promotion: in the config of its run. All of them are
    run. Where one fails nothing is changed but the audit log, and the exit code is 1.
    """
    from mlops_cli.views.promotion import promotion_json
    from mlops_cli.workflows.models.promote import PromoteOptions
    from mlops_cli.workflows.models.promote import promote as give

    found = give(version, PromoteOptions(alias, override, dry_run, allow_pickle))
    if json:
        dump(promotion_json(found))
    else:
        _tell(found, dry_run=dry_run, quiet=quiet)
    if not found.passed and not found.done:
        raise typer.Exit(ExitCode.FAILED)


def _tell(found: Promotion, *, dry_run: bool, quiet: bool) -> None:
    from mlops_cli.views.promotion import gates, notes, verdict

    if quiet:
        if found.done:
            line(found.version)
        return
    for text in notes(found):
        say(text)
    if found.gates:
        show(gates(found))
        line("")
    line(verdict(found, dry_run=dry_run))
