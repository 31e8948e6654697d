"""A model that left the workspace."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_cli.records.base import Notice


class ExportFormat(StrEnum):
    """As what a model leaves."""

    FOLDER = "folder"  # with a loader that needs nothing of this package
    ZIP = "zip"  # the folder as one file
    ONNX = "onnx"
    JOBLIB = "joblib"  # a pickle, as joblib writes one
    PICKLE = "pickle"  # as Python writes one


@dataclass(frozen=True)
class ExportCheck:
    """How far what was exported says the same as the model does."""

    rows: int
    of: str  # training rows, rows made from the data profile
    difference: float | None  # the largest, of probabilities as they are, else as a share of the largest prediction
    labels: int = 0  # predicted classes that differ, since two classes are as probable as each other


@dataclass(frozen=True)
class Exported:
    """What was written."""

    model: str  # titanic/3, or the id of a run
    format: ExportFormat
    path: Path
    size: int  # bytes
    sha256: str | None  # of a file
    files: tuple[str, ...] = ()  # of a folder, or within the zip
    check: ExportCheck | None = None
    notices: tuple[Notice, ...] = ()
