"""How far a fit is, kept in files, so that one that was interrupted is taken up again.

A folder may be that of several networks, as those of an ensemble are: each has the file that its rows, parameters and
first weights name. torch reads it with ``weights_only``, which makes nothing but tensors and numbers.
"""

from __future__ import annotations

import functools
import hashlib
import io
import json
import os
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_cli.components.checkpoints import checkpoint_folder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

APART_S = 1.0
"""Seconds between two writes, at least."""

SHARE = 0.05
"""Of the time that writing may take."""


class Keeper:
    """Writes how far one fit is, seldom enough to cost little, and reads it again.

    Parameters
    ----------
    path : Path, optional
        Where; None keeps nothing.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._next = time.monotonic() + APART_S

    @classmethod
    def of(cls, lesson: Any, beginning: Mapping[str, Any] | None) -> Keeper:
        """Return the keeper of a fit, which its folder and what it learns name."""
        folder = checkpoint_folder()
        return cls(None if folder is None else folder / f"{_digest(lesson, beginning)}.pt")

    @property
    def is_due(self) -> bool:
        """Whether it is time to write again."""
        return self._path is not None and time.monotonic() >= self._next

    def write(self, progress: Mapping[str, Any]) -> None:
        """Write how far the fit is: whole, or not at all."""
        if self._path is None:
            return
        import torch

        started, buffer = time.monotonic(), io.BytesIO()
        torch.save(_plain(progress), buffer)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        beside = self._path.with_suffix(f".{os.getpid()}")
        beside.write_bytes(buffer.getvalue())
        beside.replace(self._path)
        ended = time.monotonic()
        self._next = ended + max(APART_S, (ended - started) / SHARE)

    def read(self) -> dict[str, Any] | None:
        """Return how far an earlier fit was; None where there is none, or its file is damaged."""
        if self._path is None or not self._path.is_file():
            return None
        import torch

        try:
            found: dict[str, Any] = torch.load(self._path, map_location="cpu", weights_only=True)
        except Exception:  # noqa: BLE001 - a file that a crash has cut short: the fit begins anew
            return None
        return found


def _plain(progress: Mapping[str, Any]) -> dict[str, Any]:
    return {name: dict(value) if hasattr(value, "items") else value for name, value in progress.items()}


def _named(value: Any) -> str:
    """Return a parameter as text that is the same in another process."""
    if isinstance(value, functools.partial):
        return f"{_named(value.func)}{value.args}{sorted(value.keywords.items())}"
    return (
        f"{value.__module__}.{value.__qualname__}"
        if callable(value) and hasattr(value, "__qualname__")
        else repr(value)
    )


def _digest(lesson: Any, beginning: Mapping[str, Any] | None) -> str:
    """Return what names a fit: its rows, what they are to give, its parameters, and what it begins with."""
    params = lesson.network.get_params(deep=False)
    said = {name: _named(value) for name, value in sorted(params.items())}
    found = hashlib.sha256(json.dumps([type(lesson.network).__name__, said, lesson.seed]).encode())
    for values in (lesson.rows, lesson.target, lesson.weights, *(beginning or {}).values()):
        if values is not None:
            array = np.ascontiguousarray(values)
            found.update(f"{array.dtype}{array.shape}".encode())
            found.update(array.data)
    return found.hexdigest()[:32]
