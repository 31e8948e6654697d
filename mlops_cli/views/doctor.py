"""The findings of ``mlops doctor`` as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from mlops_cli.views.runs import table
from mlops_cli.views.text import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from mlops_cli.records import Finding

STYLE = {"ok": "green", "missing": "magenta", "broken": "bold red"}


def findings_table(findings: Sequence[Finding]) -> Table:
    """Return one row per check, with the mend where there is something to mend."""
    made = table("check", "state", "found", "mend")
    for finding in findings:
        state = Text(finding.state, style=STYLE.get(finding.state, ""))
        made.add_row(plain(finding.check), state, plain(finding.found), plain(finding.mend))
    return made
