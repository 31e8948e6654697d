"""What a run chose, in a few words: its model, its transforms, its split."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_cli.records import of_task
from mlops_cli.views.text import setting

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_cli.records import RunRecord

_WIDEST = 60
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


def choices(record: RunRecord) -> list[tuple[str, str]]:
    """Return label and words for each thing that the best trial chose."""
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
    """Return the plain parameters of an option, by their own names."""
    start = f"{group}."
    return {
        key.removeprefix(start): value
        for key, value in params.items()
        if key.startswith(start) and "_target_" not in key and isinstance(value, int | float | str)
    }


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
