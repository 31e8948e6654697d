"""What was predicted, in a line and as plain data."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from mlops_cli.records import ScoredFile
from mlops_cli.views.text import clean, plural

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_cli.records import Predicted, Scored, Unscored

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


# --- file by file ------------------------------------------------------------------------------------------------


def scored_line(file: ScoredFile | Unscored, folder: Path) -> str:
    """Return one line of what came of a file."""
    if isinstance(file, ScoredFile):
        return clean(f"{plural(file.rows, 'row')} in {folder / file.output}")
    return clean(f"{file.input}: {file.why}")


def scored_summary(found: Scored) -> str:
    """Return one line of what came of a call."""
    parts = [f"{plural(len(found.done), 'file')} predicted by {found.model}"]
    if found.kept:
        parts.append(f"{len(found.kept):,} left as they are")
    if found.others:
        versions = ", ".join(sorted({file.model for file in found.others}))
        parts[-1] += f" ({len(found.others):,} by {versions}; --again predicts them anew)"
    if found.failed:
        parts.append(f"{len(found.failed):,} failed")
    return clean(", ".join(parts))


def scored_json(found: Scored) -> dict[str, Any]:
    """Return what came of a call as plain data."""
    return {
        "model": found.model,
        "folder": str(found.folder),
        "done": [asdict(file) | {"columns": list(file.columns)} for file in found.done],
        "kept": len(found.kept),
        "kept_of_other_versions": len(found.others),
        "failed": [asdict(file) for file in found.failed],
        "warnings": [asdict(notice) for notice in found.notices],
    }
