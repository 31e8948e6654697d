"""What a run chose, in a few words: its model, its transforms, its split; without a table, what it did."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from mlops_cli.records import of_task
from mlops_cli.views.text import setting

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_cli.records import RunRecord

_WIDEST = 66
"""Characters that stand beside a label in 80 columns."""


def option(params: Mapping[str, Any], group: str) -> str:
    """Return the option of a group that was chosen, or the short name of its class; nothing where neither is known.

    Examples
    --------
    >>> option({"model": "svm"}, "model"), option({"model._target_": "my.models.Forest"}, "model"), option({}, "model")
    ('svm', 'Forest', '')
    """
    name = params.get(group)
    if name is not None:
        return str(name)
    target = f"{group}._target_"
    targets = [value for key, value in params.items() if key == target or key.startswith(f"{target}.")]
    return str(targets[0]).rpartition(".")[2] if targets and targets[0] is not None else ""


def learner(params: Mapping[str, Any]) -> tuple[str, str]:
    """Return what learned, after the group that it is of: a model, an agent, a function or command of the user's.

    Examples
    --------
    >>> learner({"model": "svm", "model.C": 1}), learner({"agent._target_": "mine.Lucky", "env.id": "CartPole-v1"})
    (('model', 'svm'), ('agent', 'Lucky'))
    >>> learner({"script": "train.main"}), learner({"command": ["python", "a b.py"]}), learner({})
    (('script', 'train.main'), ('command', "python 'a b.py'"), ('', ''))
    """
    for group in ("model", "agent", "script"):
        if name := option(params, group):
            return group, name
    command = _command(params)
    short = command if len(command) <= _WIDEST else f"{command[: _WIDEST - 1]}…"
    return ("command", short) if command else ("", "")


def doings(work: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return label and words for all that a trial did without a table.

    Parameters
    ----------
    work : mapping
        By dotted key: ``script`` or ``command`` with their ``params``, or ``env``, ``agent`` and ``training``.

    Examples
    --------
    >>> doings({"script": "train.main", "params.lr": 0.5, "params.name": None})
    [('function', 'train.main'), ('parameters', 'lr=0.5  name=null')]
    """
    told = [
        ("function", str(work.get("script") or "")),
        ("command", _command(work)),
        ("parameters", _all("", work, "params")),
        ("inputs", setting(work.get("inputs") or "")),
        ("environment", _all(str(work.get("env.id") or ""), work, "env", "id")),
        ("agent", _all(option(work, "agent"), work, "agent")),
        ("training", _all("", work, "training")),
    ]
    return [(label, words) for label, words in told if words]


def _command(params: Mapping[str, Any]) -> str:
    """Return a command as it would be typed; ``{seed}`` and its like stand as they are."""
    said = params.get("command") or ""
    return shlex.join(map(str, said)) if isinstance(said, list | tuple) else str(said)


def _all(name: str, work: Mapping[str, Any], group: str, *but: str) -> str:
    """Return a name with all parameters of its group."""
    start = f"{group}."
    own = {key.removeprefix(start): value for key, value in work.items() if key.startswith(start)}
    told = [f"{key}={setting(value)}" for key, value in own.items() if "_target_" not in key and key not in but]
    return "  ".join([*([name] if name else []), *told])


def choices(record: RunRecord) -> list[tuple[str, str]]:
    """Return label and words for each thing that the best trial chose; without a table, for all that it did."""
    if record.task is not None and not record.task.has_table:
        return doings(record.params)
    params = of_task(record.params, record.task)
    swept = record.best.params if record.best is not None else {}
    params |= swept
    told = [
        ("model", _with(option(params, "model"), _own(swept, "model") or _own(params, "model"))),
        ("transforms", _steps(params)),
        ("split", _with(option(params, "split"), _own(params, "split"))),
    ]
    return [(label, words) for label, words in told if words]


def _own(params: Mapping[str, Any], group: str) -> dict[str, Any]:
    """Return the plain parameters of an option, by their own names; of a version that it begins with, which it is."""
    start = f"{group}."
    return {
        key.removeprefix(start).removesuffix(".version"): value
        for key, value in params.items()
        if key.startswith(start) and not _is_detail(key) and isinstance(value, int | float | str | list | tuple)
    }


def _is_detail(key: str) -> bool:
    return "_target_" in key or key.endswith(".sha256")


def _with(name: str, params: Mapping[str, Any]) -> str:
    """Return a name with as many of its parameters as fit beside it."""
    words = name
    for key, value in params.items() if name else ():
        more = f"  {key}={setting(value)}"
        if len(words) + len(more) > _WIDEST:
            return words
        words += more
    return words


def _steps(params: Mapping[str, Any]) -> str:
    parts = [key.split(".") for key in params if key.startswith("transforms.")]
    steps = list(dict.fromkeys(part[1] for part in parts if part[2:3] == ["_target_"]))
    name = str(params.get("transforms") or "")
    listed = ", ".join(steps)
    both = f"{name}: {listed}" if name and listed else name or listed
    return both if len(both) <= _WIDEST or not name else name
