"""Models: what one takes and gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlops_cli.records.base import Task
    from mlops_cli.records.data import Column


@dataclass(frozen=True)
class Signature:
    """What a model takes and gives."""

    inputs: tuple[Column, ...]
    task: Task
    output: str  # the target's name
    output_dtype: str
    classes: tuple[Any, ...] | None = None
    id: str | None = None
