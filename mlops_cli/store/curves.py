"""``curves.jsonl``: what was measured while fits went on, a line for each split of a trial."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from mlops_cli.records import Curve
from mlops_cli.store.files import disk_errors, json_line
from mlops_cli.store.values import finite

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mlops_cli.records import TrialResult


def append_curves(path: Path, result: TrialResult) -> None:
    """Add the curves of a trial, before its line in the journal: a trial that is journaled has its curves."""
    if not result.curves:
        return
    lines = b"".join(json_line(_to_json(result.trial, split, curve)) for split, curve in result.curves.items())
    with disk_errors("write", path):
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
        try:
            if _is_torn(file):
                lines = b"\n" + lines
            while lines:
                lines = lines[os.write(file, lines) :]
        finally:
            os.close(file)


def _is_torn(file: int) -> bool:
    """Whether the last line has no end: the process that wrote it was killed."""
    size = os.fstat(file).st_size
    return size > 0 and os.pread(file, 1, size - 1) != b"\n"


def read_curves(path: Path) -> dict[int, dict[int, Curve]]:
    """Return curves by trial and split; of one that was written twice the last, and nothing of torn lines."""
    found: dict[int, dict[int, Curve]] = {}
    if not path.is_file():
        return found
    with disk_errors("read", path):
        lines = path.read_bytes().splitlines()
    for line in lines:
        try:
            value = json.loads(line)
            found.setdefault(int(value["trial"]), {})[int(value["split"])] = _from_json(value)
        except (KeyError, TypeError, ValueError, AttributeError):
            continue
    return found


def _to_json(trial: int, split: int, curve: Curve) -> dict[str, Any]:
    values = {name: [None if v is None else finite(v) for v in series] for name, series in curve.values.items()}
    return {"trial": trial, "split": split, "unit": curve.unit, "steps": list(curve.steps), "values": values}


def _from_json(value: Mapping[str, Any]) -> Curve:
    values = {str(name): tuple(map(_number, series)) for name, series in value["values"].items()}
    return Curve(str(value["unit"]), tuple(map(int, value["steps"])), values)


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
