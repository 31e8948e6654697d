"""Tokens as a table: whose they are and what they allow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from mlops_cli.views.text import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def token_table(tokens: Iterable[Mapping[str, str]]) -> Table:
    """Return tokens as a table.

    Parameters
    ----------
    tokens : iterable of mapping
        ``name``, ``role`` and ``created`` of each.
    """
    table = Table(box=None, pad_edge=False)
    for heading in ("name", "role", "created"):
        table.add_column(heading)
    for token in tokens:
        table.add_row(plain(token["name"]), plain(token["role"]), plain(token["created"]))
    return table
