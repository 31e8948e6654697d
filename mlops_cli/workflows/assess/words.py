"""How what was found is said, and commands with real names, ready for a shell."""

from __future__ import annotations

import re
import shlex
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from mlops_cli.errors import StoreError
from mlops_cli.store.names import check_name

if TYPE_CHECKING:
    from mlops_cli.records import DatasetVersion

REF = re.compile(r"[^/@\s]+@\d+")
"""A version of a data set: titanic@3."""
COMMIT = "git init -q; git add -A && git commit -qm 'as it is'"
"""The command that commits all there is."""
_SHORT = 12


def day(stamp: str | None) -> str:
    """Return the day of an ISO time.

    Examples
    --------
    >>> day("2026-01-31T10:15:00+00:00")
    '2026-01-31'
    """
    return (stamp or "")[:10]


def number(value: float) -> str:
    """Return a score.

    Examples
    --------
    >>> number(0.87654321)
    '0.8765'
    """
    return f"{value:.4g}"


def short(commit: str) -> str:
    """Return the beginning of a hash."""
    return commit[:_SHORT]


def command(*words: str) -> str:
    """Return a command of ours as a shell takes it, whatever the words of it are.

    Examples
    --------
    >>> command("run", "config=x;id"), command("data", "add", "a b.csv")
    ("mlops run 'config=x;id'", "mlops data add 'a b.csv'")
    """
    return shlex.join(("mlops", *words))


def train(experiment: str, *words: str) -> str:
    """Return the command that runs an experiment."""
    return command("run", f"config={experiment}", *words)


def parts_of(data: DatasetVersion) -> tuple[list[str], list[str]]:
    """Return what a run read by name (``titanic@3``), and what it read otherwise: files, addresses, queries."""
    found = [part for part in data.source.split(", ") if part]
    return [part for part in found if REF.fullmatch(part)], [part for part in found if not REF.fullmatch(part)]


def set_name(source: str, otherwise: str) -> str:
    """Return what a data set may be called: as its file, where that is a name.

    Examples
    --------
    >>> set_name("data/titanic.csv", "x"), set_name("https://a.org/?q=1", "x")
    ('titanic', 'x')
    """
    stem = PurePosixPath(source).name.partition(".")[0]
    try:
        return check_name(stem, "data set")
    except StoreError:
        return otherwise


def declared(section: str, name: str, text: str) -> str:
    """Return the command that adds a line to the file in which the owner of a workspace declares it."""
    folder = f"configs/{section}"
    added = shlex.join(("echo", text))
    return f"mkdir -p {folder} && {added} >> {shlex.quote(f'{folder}/{name}.yaml')}"
