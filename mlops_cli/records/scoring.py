"""Files scored one by one: which output came of which input, and what came of a call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_cli.records.base import Notice


@dataclass(frozen=True)
class ScoredFile:
    """An input's predictions: a line of ``manifest.jsonl``."""

    output: str  # where they are, below the folder
    input: str  # what they are of, as the folder sees it: ../inbox/a.csv
    input_sha256: str
    model: str  # titanic/3, or the id of a run
    asked: str  # sha256 of all else that was asked: probabilities, a threshold, how the input is read …
    sha256: str  # of the output
    rows: int
    columns: tuple[str, ...]
    at: str  # ISO 8601 in UTC


@dataclass(frozen=True)
class Unscored:
    """An input that could not be scored."""

    input: str
    why: str


@dataclass(frozen=True)
class Scored:
    """What came of scoring files one by one."""

    model: str
    folder: Path
    done: tuple[ScoredFile, ...]
    kept: tuple[ScoredFile, ...]  # left as they are, being what would be made again or another version's
    failed: tuple[Unscored, ...]
    notices: tuple[Notice, ...] = ()

    @property
    def others(self) -> tuple[ScoredFile, ...]:
        """Those of the kept that another version of the model made."""
        return tuple(file for file in self.kept if file.model != self.model)
