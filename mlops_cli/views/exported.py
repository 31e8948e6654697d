"""A model that left the workspace: where it is, and how far it says the same as before."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from mlops_cli.records import ExportFormat
from mlops_cli.views.pages.words import size
from mlops_cli.views.text import clean, plural

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_cli.records import ExportCheck, Exported


def exported_lines(done: Exported) -> Iterator[str]:
    """Yield what was written, how it was checked, and how it is used."""
    files = f", {plural(len(done.files), 'file')}" if done.files else ""
    yield clean(f"{done.model} → {done.path}  {done.format}{files}, {size(done.size)}")
    if done.sha256 is not None:
        yield f"sha256 {done.sha256}"
    if done.check is not None:
        yield _checked(done.check)
    if done.format is ExportFormat.FOLDER:
        yield "python predict.py input.csv > out.csv, in that folder, after pip install -r requirements.txt"


def _checked(check: ExportCheck) -> str:
    asked = f"asked {check.rows:,} {check.of}"
    if check.difference is None:
        return f"{asked}: the same classes"
    found = "the same answers" if check.difference == 0 else f"the largest difference is {check.difference:.2g}"
    tied = (
        f"; {plural(check.labels, 'row')} with two equally probable classes got the other one" if check.labels else ""
    )
    return f"{asked}: {found}{tied}"


def exported_json(done: Exported) -> dict[str, Any]:
    """Return what was written as plain data."""
    return {
        "model": done.model,
        "format": str(done.format),
        "path": str(done.path),
        "size": done.size,
        "sha256": done.sha256,
        "files": list(done.files),
        "check": None if done.check is None else asdict(done.check),
        "warnings": [asdict(notice) for notice in done.notices],
    }
