"""Where a fit that goes step by step keeps how far it is, so that it can be taken up again after an interruption.

scikit-learn's ``fit`` has no channel for it, so the folder is known to the code that runs inside `checkpoints_in`.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_NAMED_BY = 32
"""Characters of a fingerprint by which folders are named."""

_FOLDER: ContextVar[Path | None] = ContextVar("checkpoints", default=None)


def folder_of(fingerprint: str, split: int | str) -> str:
    """Return the name of the folder in which a trial writes on one split; ``*`` stands for those of all splits."""
    return f"{fingerprint[:_NAMED_BY]}-{split}"


def checkpoint_folder() -> Path | None:
    """Return the folder of the fit that is going on; None where nothing is to be kept.

    It is this fit's alone: whatever lies in it was written by the same parameters on the same rows. It may not be there
    yet, and it is removed when the fit has ended.
    """
    return _FOLDER.get()


@contextmanager
def checkpoints_in(folder: Path | None) -> Iterator[None]:
    """Let the fits inside know where to keep how far they are."""
    token = _FOLDER.set(folder)
    try:
        yield
    finally:
        _FOLDER.reset(token)
