"""What comes through a pipe can be read but once, and a reader looks several times: it is put down into a file."""

from __future__ import annotations

import shutil
import stat
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_cli.components.sources.kinds import spec_for_file
from mlops_cli.errors import ConfigError
from mlops_cli.store.files import disk_errors

if TYPE_CHECKING:
    from tempfile import _TemporaryFileWrapper

STDIN = "-"


def is_pipe(ref: str) -> bool:
    """Whether something is stdin, or a pipe with a name: ``/dev/stdin``, ``<(command)`` of a shell, a FIFO."""
    if ref == STDIN:
        return True
    try:
        return "\0" not in ref and stat.S_ISFIFO(Path(ref).expanduser().stat().st_mode)
    except OSError:
        return False


def put_down(ref: str) -> _TemporaryFileWrapper[bytes]:
    """Return a file with all that comes through a pipe, which is removed when it is closed.

    Parameters
    ----------
    ref : str
        A pipe. The file ends as its name does, where that says how it is read, else in ``.csv``.

    Raises
    ------
    StoreError
        The disk refuses.
    """
    with disk_errors("write", Path(tempfile.gettempdir())):
        file = tempfile.NamedTemporaryFile(prefix="mlops-", suffix=_ending(ref))  # noqa: SIM115 - whoever asks does
        try:
            if ref == STDIN:
                shutil.copyfileobj(sys.stdin.buffer, file)
            else:
                with Path(ref).expanduser().open("rb") as pipe:
                    shutil.copyfileobj(pipe, file)
            file.flush()
        except BaseException:
            file.close()
            raise
    return file


def _ending(ref: str) -> str:
    try:
        spec_for_file(ref, {}, "INPUT")
    except ConfigError:
        return ".csv"
    return "".join(Path(ref).suffixes)
