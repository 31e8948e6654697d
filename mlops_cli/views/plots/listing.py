"""The plots that there are, as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_cli.views.runs import table
from mlops_cli.views.text import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.table import Table


def listing(found: Mapping[str, Mapping[str, Any]]) -> Table:
    """Return a table of plots: the name, whether it is drawn without being named, saved already, what it shows."""
    made = table("plot", "drawn", "shows")
    for name, plot in found.items():
        drawn = "saved" if plot["file"] else "by default" if plot["suits"] else "on request"
        made.add_row(plain(name), plain(drawn, "" if plot["file"] else "dim"), plain(plot["shows"]))
    return made
