"""``curves.jsonl``: what was measured while fits went on, a line for each split of a trial."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Any

from mlops_cli.records import Curve
from mlops_cli.store.files import disk_errors, json_line
from mlops_cli.store.values import finite

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from mlops_cli.records import TrialResult

_ABOUT = re.compile(rb'\{"trial": (\d+),')


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
        for trial, curves in _parsed(line).items():
            found.setdefault(trial, {}).update(curves)
    return found


def places_of_curves(path: Path) -> dict[int, tuple[int, ...]]:
    """Return where in a file the lines of each trial begin, so that a few are read of a file that may be long."""
    found: dict[int, tuple[int, ...]] = {}
    if not path.is_file():
        return found
    offset = 0
    with disk_errors("read", path), path.open("rb") as file:
        for line in file:
            if (about := _ABOUT.match(line)) is not None:
                found[int(about[1])] = (*found.get(int(about[1]), ()), offset)
            offset += len(line)
    return found


def curves_at(path: Path, offsets: Sequence[int]) -> dict[int, Curve]:
    """Return the curves in lines of one trial, by split; as `read_curves` has them."""
    found: dict[int, Curve] = {}
    if not offsets:
        return found
    with disk_errors("read", path), path.open("rb") as file:
        for offset in offsets:
            file.seek(offset)
            for split in _parsed(file.readline()).values():
                found |= split
    return found


def _parsed(line: bytes) -> dict[int, dict[int, Curve]]:
    """Return the curve in a line by trial and split; nothing of a torn one."""
    try:
        value = json.loads(line)
        return {int(value["trial"]): {int(value["split"]): _from_json(value)}}
    except (KeyError, TypeError, ValueError, AttributeError):
        return {}


def _to_json(trial: int, split: int, curve: Curve) -> dict[str, Any]:
    values = {name: [None if v is None else finite(v) for v in series] for name, series in curve.values.items()}
    return {"trial": trial, "split": split, "unit": curve.unit, "steps": list(curve.steps), "values": values}


def _from_json(value: Mapping[str, Any]) -> Curve:
    values = {str(name): tuple(map(_number, series)) for name, series in value["values"].items()}
    return Curve(str(value["unit"]), tuple(map(int, value["steps"])), values)


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
