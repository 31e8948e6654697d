"""What differs between two things, printed in the way that is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_cli.cli.screen import dump, line, show

if TYPE_CHECKING:
    from mlops_cli.records import RunDiff


def tell(found: RunDiff, *, json: bool, quiet: bool) -> None:
    """Print what differs: as JSON, as the names of the sections alone, or as tables."""
    if json:
        from mlops_cli.views.diff import as_json

        dump(as_json(found))
    elif quiet:
        for name in found.sections:
            line(name)
    else:
        from mlops_cli.views.diff import difference

        show(difference(found))
