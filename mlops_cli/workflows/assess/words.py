"""How what was found is said, and commands with real names, ready for a shell."""

from __future__ import annotations

import re
import shlex
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from mlops_cli.errors import StoreError
from mlops_cli.store.names import check_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_cli.records import DatasetVersion

REF = re.compile(r"[^/@\s]+@\d+")
"""A version of a data set: titanic@3."""
COMMIT = "git init -q; git add -A && git commit -qm 'as it is'"
"""The command that commits all there is."""
_SHORT = 12
_TRIES = re.compile(r"(tag|choice|range|interval|shuffle|sort|glob)\(")
_NESTED = re.compile(r"\[[^\]]*\]|\{[^}]*\}|\([^)]*\)|\"[^\"]*\"|'[^']*'")


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


def key_of(override: str) -> str:
    """Return what an override sets, adds or takes out.

    Examples
    --------
    >>> key_of("model.C=0.1,1"), key_of("+tags.by=ann"), key_of("~data.path")
    ('model.C', 'tags.by', 'data.path')
    """
    return override.partition("=")[0].lstrip("+~")


def beside(overrides: Sequence[str], words: Sequence[str]) -> list[str]:
    """Return the overrides that words leave as they are; another model has parameters of its own.

    Examples
    --------
    >>> beside(["split=auto", "model=svm", "model.C=1"], ["model=dummy"])
    ['split=auto']
    >>> beside(["model=svm", "model.C=1"], ["model.C=0.5,1,2"])
    ['model=svm']
    """
    said = {key_of(word) for word in words}
    own = "model." if "model" in said else None
    return [one for one in overrides if key_of(one) not in said and not (own and key_of(one).startswith(own))]


def is_sweep(override: str) -> bool:
    """Whether an override of a command line, or of a line that calls one, tries several values.

    Examples
    --------
    >>> [is_sweep(word) for word in ("model.C=0.1,1", "model=svm,ridge", "model.C=range(1,4)", "'a=interval(0,1)'")]
    [True, True, True, True]
    >>> [is_sweep(word) for word in ("config=iris,wine", "data.drop=[a,b]", "model.C=1", "--tag=a,b")]
    [False, False, False, False]
    """
    key, _, value = override.strip("\"'").partition("=")
    if key == "config" or key.startswith(("-", "~")):
        return False
    return _TRIES.match(value) is not None or "," in _NESTED.sub("", value)


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
