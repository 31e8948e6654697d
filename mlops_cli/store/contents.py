"""What lies in a run's directory, to be shown: its texts, as far as a person would read, and the names of its files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_cli.records import RunFile
from mlops_cli.store.files import disk_errors
from mlops_cli.store.layout import RunPaths

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mlops_cli.records import RunRecord

READABLE = 1 << 18
"""Bytes of a text that are shown; the rest is in its file."""


def read_text(path: Path, limit: int = READABLE) -> str:
    """Return a text of a run, at most ``limit`` bytes of it and a word on what is left out; empty without the file."""
    try:
        with open(path, "rb", opener=_no_link) as file:
            data = file.read(limit)
            left = os.fstat(file.fileno()).st_size - len(data)
    except OSError:  # it was never written, or is a link that someone put there
        return ""
    text = data.decode("utf-8", "replace")
    return f"{text}\n… {left:,} more bytes in {path.name}\n" if left > 0 else text


def _no_link(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC)


def read_overrides(run: Path) -> tuple[str, ...]:
    """Return what was asked on the command line, as it was typed."""
    import json

    # Each line is "- " and a JSON text, as `RunWriter` writes it.
    lines = read_text(RunPaths(run).overrides).splitlines()
    found = []
    for line in lines:
        try:
            found.append(str(json.loads(line.removeprefix("- "))) if line.startswith("- ") else "")
        except ValueError:
            found.append(line)
    return tuple(text for text in found if text)


def run_files(record: RunRecord) -> tuple[RunFile, ...]:
    """Return the files of a run by name, with their sizes and the sha256 that its record has of them.

    Raises
    ------
    StoreError
        The disk refuses.
    """
    with disk_errors("read", record.path):
        sizes = dict(_walk(record.path, record.path))
    return tuple(RunFile(name, size, record.files.get(name)) for name, size in sorted(sizes.items()))


def _walk(folder: Path, root: Path) -> Iterator[tuple[str, int]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _walk(Path(entry.path), root)
            elif entry.is_file(follow_symlinks=False):
                yield Path(entry.path).relative_to(root).as_posix(), entry.stat(follow_symlinks=False).st_size
