"""What was predicted, in a line and as plain data."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from mlops_cli.views.text import clean, plural

if TYPE_CHECKING:
    from mlops_cli.records import Predicted

_MOST_COLUMNS = 6


def predicted_line(found: Predicted) -> str:
    """Return one line: how many rows, which columns, and where."""
    columns = ", ".join(found.columns[:_MOST_COLUMNS]) + (", …" if len(found.columns) > _MOST_COLUMNS else "")
    return clean(f"{plural(found.rows, 'row')} ({columns}) in {found.path}")


def predicted_json(found: Predicted) -> dict[str, Any]:
    """Return what was done as plain data."""
    return {
        "model": found.model,
        "data": found.data,
        "rows": found.rows,
        "columns": list(found.columns),
        "path": None if found.path is None else str(found.path),
        "warnings": [asdict(notice) for notice in found.notices],
    }
