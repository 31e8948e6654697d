"""Which names may become folders, and the names of runs. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mlops_cli.errors import StoreError

if TYPE_CHECKING:
    import random
    from datetime import datetime

MAX_NAME = 100
"""The longest name that becomes a folder; with stamp and suffixes it stays under every file system's 255 bytes."""

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_RUN_NAME = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}")
_WORDS = frozenset({"latest", "best", "all", "none"})  # they mean something where a name may stand
_DEVICES = frozenset({"con", "prn", "aux", "nul"} | {f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10)})


def check_name(name: str, what: str = "name", *, cannot: str = "cannot be a folder's name") -> str:
    """Return a name that is safe as one folder on any system.

    Parameters
    ----------
    name : str
        The name as the user gave it.
    what : str
        What it names, for the message: ``experiment``, ``model``.
    cannot : str
        What is said of one with other characters.

    Raises
    ------
    StoreError
        It could leave its folder, hide, or be taken for an option or a reserved word.

    Examples
    --------
    >>> check_name("titanic-2")
    'titanic-2'
    """
    if problem := _problem(name, cannot):
        raise StoreError(
            f"the {what} name {name!r} {problem}",
            hint="allowed: letters, digits, _ . and -, beginning with a letter, digit or _",
        )
    return name


def _problem(name: str, cannot: str) -> str | None:
    if not _NAME.fullmatch(name):
        return cannot
    if len(name) > MAX_NAME:
        return f"is {len(name)} characters long; at most {MAX_NAME} are allowed"
    if name.endswith("."):
        return "ends in a dot"
    reserved = name.lower() in _WORDS or name.lower().partition(".")[0] in _DEVICES
    return "is a reserved word" if reserved else None


def is_run_name(name: str) -> bool:
    """Whether a folder's name is the second half of a run's id."""
    return _RUN_NAME.fullmatch(name) is not None


def new_run_id(experiment: str, now: datetime, rng: random.Random) -> str:
    """Return ``<experiment>/<YYYYMMDD-HHMMSS>-<6 hex>``.

    Parameters
    ----------
    experiment : str
        The experiment's name.
    now : datetime
        The local time: people look for a run by the clock on their wall. ``run.json`` holds the offset.
    rng : random.Random
        Where the six hex digits come from; never the experiment's own seed, or ids would repeat.
    """
    return f"{check_name(experiment, 'experiment')}/{now:%Y%m%d-%H%M%S}-{rng.randrange(16**6):06x}"
