"""Which names an experiment may have: its name becomes a folder under ``runs/`` and an argument of commands.

Nothing slow may be imported here: shell completion does.
"""

from __future__ import annotations

import re

from mlops_cli.errors import ConfigError

RESERVED_NAMES = frozenset({"latest", "best", "all", "none", "experiment", "con", "prn", "aux", "nul"})
"""Words that mean something else where an experiment's name is expected, or that some systems cannot store."""

OWNERS_FOLDERS = frozenset({"promotion", "drift", "retrain", "handover", "assess"})
"""Folders in ``configs/`` whose files say what becomes of models and of the team's processes: no groups of options."""

LONGEST_NAME = 100
"""How many characters a name may have: it is a folder's name."""

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", re.ASCII)
_RULE = "a name is letters, digits, '_', '-' and '.', and does not begin with '-' or '.'"


def is_experiment_name(name: str) -> bool:
    """Whether an experiment may be called so.

    Examples
    --------
    >>> is_experiment_name("titanic"), is_experiment_name("../titanic"), is_experiment_name("latest")
    (True, False, False)
    """
    return _objection(name) is None


def check_experiment_name(name: str, *, key: str | None = None, file: str | None = None) -> str:
    """Return a name that an experiment may have.

    Raises
    ------
    ConfigError
        The name cannot be a folder's name, or has another meaning.
    """
    objection = _objection(name)
    if objection:
        raise ConfigError(
            f"{ascii(name)[:LONGEST_NAME]} cannot be an experiment's name: {objection}", key=key, file=file
        )
    return name


def _objection(name: str) -> str | None:
    if not _NAME.fullmatch(name) or ".." in name or name.endswith("."):
        return _RULE
    if len(name) > LONGEST_NAME:
        return f"it has more than {LONGEST_NAME} characters"
    if name.lower().partition(".")[0] in RESERVED_NAMES:
        return "the word is reserved"
    return None
