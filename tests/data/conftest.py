"""What the tests of reading data share: files written on the spot, and real data where it is at hand."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

REAL = Path(os.environ.get("MLOPS_TEST_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a file and return its path."""

    def write(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


@pytest.fixture
def real() -> Callable[[str], Path]:
    """Return the path of a real data file; the test is skipped where it is absent."""

    def real(name: str) -> Path:
        path = REAL / name
        if not path.exists():
            pytest.skip(f"{path} is not here")
        return path

    return real
