"""The catalogue and the origin of a value as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from mlops_cli.views.runs import table
from mlops_cli.views.text import clean, params, plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.console import RenderableType

    from mlops_cli.records import Explanation


_MORE = "mlops config --list GROUP says what each is"


def catalogue_tree(experiments: Sequence[str], groups: Mapping[str, Mapping[str, str]]) -> RenderableType:
    """Return experiments, then each group with its options; a user's own options are marked.

    Parameters
    ----------
    experiments : sequence of str
        Names.
    groups : mapping
        Group → option → where it comes from, ``workspace`` or ``package``.
    """
    made = table("group", "options")
    made.add_row(Text("config", style="bold"), plain("  ".join(experiments) or "none yet: mlops init"))
    for group, options in groups.items():
        shown = "  ".join(f"{name}*" if origin == "workspace" else name for name, origin in options.items())
        made.add_row(Text(clean(group), style="bold"), plain(shown))
    if any(origin == "workspace" for options in groups.values() for origin in options.values()):
        return Group(made, Text("* of this workspace", style="dim"), Text(_MORE, style="dim"))
    return Group(made, Text(_MORE, style="dim"))


def options_table(group: str, options: Sequence[tuple[str, str, str]]) -> RenderableType:
    """Return the options of a group with what each is; a user's own options are marked.

    Parameters
    ----------
    group : str
        Its name.
    options : sequence of (str, str, str)
        Name, where it comes from, and what its file says of it.
    """
    made = table(group, "")
    for name, origin, about in options:
        made.add_row(Text(clean(name) + ("*" if origin == "workspace" else ""), style="bold"), plain(about))
    if any(origin == "workspace" for _, origin, _ in options):
        return Group(made, Text("* of this workspace", style="dim"))
    return made


def explanation_table(explanation: Explanation) -> RenderableType:
    """Return a value and everything that set it, the last one winning."""
    made = table("set by", "value")
    for origin, value in explanation.origins:
        last = (origin, value) == tuple(explanation.origins[-1])
        made.add_row(plain(origin), plain(params({"": value})[1:]), style="bold" if last else "dim")
    return Group(plain(params({explanation.key: explanation.value}), "bold"), Text(), made)
