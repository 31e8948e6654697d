"""Commands in a tree of the terminal, each on one line, however long: a shell takes them as they are copied."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rich.text import Text

from mlops_cli.views.text import clean

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult
    from rich.tree import Tree

_ANY = 1_000_000
"""Columns that no command has."""
_NARROWEST = 20


@dataclass(frozen=True)
class Unwrapped:
    """A tree whose `WithCommand` labels may be longer than a line; to be printed uncropped."""

    tree: Tree

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Render the tree as if lines had no end."""
        yield from console.render(self.tree, options.update(width=_ANY + options.max_width))


@dataclass(frozen=True)
class WithCommand:
    """A label: text, wrapped as wide as the terminal is, and below it a command, which is not."""

    text: Text
    command: Text = field(default_factory=Text)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Render the text in what guides leave of a line, and then the command."""
        width = max(options.max_width - _ANY, _NARROWEST) if options.max_width > _ANY else options.max_width
        yield from console.render(self.text, options.update(width=width))
        if self.command:
            yield from console.render(self.command, options.update(width=_ANY, no_wrap=True, overflow="ignore"))


def command_line(lead: str, command: str) -> Text:
    """Return a command after what is said of it; nothing where there is none."""
    return Text.assemble((f"{lead}: ", "bold"), clean(command)) if command else Text()
