"""The two streams: results go to stdout, progress and messages to stderr."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from mlops_cli.errors import MlopsError


def out() -> Console:
    """Return the console for results."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=False)


def err() -> Console:
    """Return the console for progress and messages."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def show(renderable: RenderableType) -> None:
    """Print a result; into a file or a pipe without the blanks that fill a terminal's lines."""
    console = out()
    if console.is_terminal:
        console.print(renderable)
        return
    with console.capture() as captured:
        console.print(renderable)
    for text in captured.get().splitlines():
        line(text.rstrip())


def say(message: str, style: str = "") -> None:
    """Print a message for the person at the terminal."""
    from mlops_cli.views.text import plain

    err().print(plain(message, style), soft_wrap=True)


def line(text: str) -> None:
    """Print one line of a result as it is, for scripts."""
    sys.stdout.write(f"{text}\n")


def dump(data: Any) -> None:
    """Print a result as JSON."""
    import json

    sys.stdout.write(json.dumps(data, indent=2, allow_nan=False, ensure_ascii=False) + "\n")


def report(error: MlopsError) -> None:
    """Print an error: what is wrong, and on a line of its own what mends it."""
    from rich.text import Text

    from mlops_cli.views.text import clean

    bare = str(error).removesuffix(f" ({error.hint})") if error.hint else str(error)
    console = err()
    console.print(Text.assemble(("error: ", "bold red"), clean(bare)), soft_wrap=True)
    if error.hint:
        console.print(Text.assemble(("  try: ", "bold"), clean(error.hint)), soft_wrap=True)
