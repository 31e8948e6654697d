"""The two streams: results go to stdout, progress and messages to stderr."""

from __future__ import annotations

import errno
import io
import os
import sys
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, BinaryIO, cast

from mlops_cli.errors import ExitCode, ExpectationError, MlopsError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import TextIO

    from rich.console import Console, RenderableType

UNWRITABLE = (errno.EBADF, errno.ENOSPC, errno.EIO, errno.EDQUOT)


class OutputError(MlopsError):
    """A result cannot be printed, whatever was done that led to it."""

    exit_code = ExitCode.USAGE


# --- the streams themselves --------------------------------------------------------------------------------------


def prepare_streams() -> None:
    """Put something in the place of streams that are closed, and let no character be one that cannot be shown.

    The next file to be opened would else get the number of a closed stream, and what a library prints would go there.
    Writing to a closed stdout then fails as it does on a full disk; messages to a closed stderr are lost.
    """
    for number, name, flags in ((0, "stdin", os.O_RDONLY), (1, "stdout", os.O_RDONLY), (2, "stderr", os.O_WRONLY)):
        if getattr(sys, name) is None:
            os.set_inheritable(os.open(os.devnull, flags), True)  # the lowest free number, which is this one's
            setattr(sys, name, open(number, "w" if number else "r", closefd=False))  # noqa: SIM115 - for good
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that knows no ± shows a ? for it


@contextmanager
def printing() -> Iterator[None]:
    """Say of results that cannot be printed that it is so; a pipe whose reader has gone is no fault.

    Raises
    ------
    OutputError
        stdout is closed, or on a full disk.
    """
    try:
        yield
        sys.stdout.flush()
    except OSError as error:
        if error.errno not in UNWRITABLE:
            raise
        discard()
        reason = "stdout is closed" if error.errno == errno.EBADF else f"stdout: {error.strerror}"
        raise OutputError(f"the result cannot be printed: {reason}") from error


def discard() -> None:
    """Lead stdout nowhere: what is left in its buffer would fail again, in the interpreter's own words, at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def binary_stdout() -> BinaryIO:
    """Return stdout for bytes as they are; of a terminal one that shows control characters instead of obeying them."""
    return cast("BinaryIO", _Shown(sys.stdout)) if sys.stdout.isatty() else sys.stdout.buffer


class _Shown(io.RawIOBase):
    """Bytes of UTF-8 that are written whole, to a terminal."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream

    def write(self, data: Any) -> int:
        from mlops_cli.views.text import clean

        text = bytes(data).decode("utf-8", "replace")
        self._stream.write("".join(c if c in "\n\t" else clean(c) for c in text))
        return len(data)


@contextmanager
def results_of(path: Path) -> Iterator[None]:
    """Name the run whose results are printed, where they cannot be."""
    try:
        yield
    except OutputError as error:
        raise OutputError(f"{error.message}; the run is in {path}", hint="mlops runs show latest") from error


# --- what is printed ---------------------------------------------------------------------------------------------


def out() -> Console:
    """Return the console for results."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=False)


def err(stream: IO[str] | None = None) -> Console:
    """Return the console for progress and messages; of another stream than stderr where one is given."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, file=stream)


def show(renderable: RenderableType, *, crop: bool = True) -> None:
    """Print a result; into a file or a pipe without the blanks that fill a terminal's lines.

    Without ``crop`` a line that is longer than the terminal is printed whole: of commands, which are copied.
    """
    console = out()
    with printing():
        if console.is_terminal:
            console.print(renderable, crop=crop)
            return
        with console.capture() as captured:
            console.print(renderable, crop=crop)
    line("\n".join(text.rstrip() for text in captured.get().splitlines()))


def say(message: str, style: str = "", *, stream: IO[str] | None = None) -> None:
    """Print a message for the person at the terminal."""
    from mlops_cli.views.text import plain

    err(stream).print(plain(message, style), soft_wrap=True)


def apart() -> None:
    """Leave a line empty on a terminal, where messages and results stand below each other."""
    console = err()
    if console.is_terminal:
        console.print()


def line(text: str) -> None:
    """Print one line of a result as it is, for scripts."""
    with printing():
        sys.stdout.write(f"{text}\n")


def dump(data: Any) -> None:
    """Print a result as JSON."""
    import json

    line(json.dumps(data, indent=2, allow_nan=False, ensure_ascii=False))


def require_person(what: str) -> None:
    """Refuse to go on where nobody can be asked whether something may be removed.

    Raises
    ------
    UsageError
        Standard input is no terminal.
    """
    if not sys.stdin.isatty():
        raise UsageError(f"{what} would be removed, and there is nobody to ask", hint="--yes removes without asking")


def agree_to_remove(what: str) -> None:
    """Have a person agree; the command ends where they do not, or where there is none."""
    import typer

    require_person(what)
    typer.confirm(f"remove {what} for good?", abort=True, err=True)


def report(error: MlopsError) -> None:
    """Print an error: what is wrong, and on a line of its own what mends it."""
    from rich.text import Text

    from mlops_cli.views.text import clean

    bare = str(error).removesuffix(f" ({error.hint})") if error.hint else str(error)
    console = err()
    details = error.details if isinstance(error, ExpectationError) else ()
    message = error.message if details else bare
    console.print(Text.assemble(("error: ", "bold red"), clean(message)), soft_wrap=True)
    for detail in details:
        console.print(Text(f"  {clean(detail)}"), soft_wrap=True)
    if error.hint:
        console.print(Text.assemble(("  try: ", "bold"), clean(error.hint)), soft_wrap=True)
