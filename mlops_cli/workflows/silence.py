"""What an estimator prints while it is fitted in this process: not among the results, which scripts read."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

STDOUT = 1


@contextlib.contextmanager
def silent() -> Iterator[None]:
    """Drop what is written to stdout, by Python or below it, while the context lasts."""
    with open(os.devnull, "w", encoding="utf-8") as sink, contextlib.redirect_stdout(sink):  # noqa: PTH123
        kept = _diverted(sink.fileno())
        try:
            yield
        finally:
            if kept is not None:
                os.dup2(kept, STDOUT)
                os.close(kept)


def _diverted(sink: int) -> int | None:
    """Point the process's stdout elsewhere, and return where it was; None where there is none."""
    with contextlib.suppress(OSError, ValueError):
        if sys.__stdout__ is not None:
            sys.__stdout__.flush()
    try:
        kept = os.dup(STDOUT)
    except OSError:
        return None
    os.dup2(sink, STDOUT)
    return kept
