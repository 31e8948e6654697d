"""Reads when a model is made anew, and of what."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from mlops_cli.config import readers as read
from mlops_cli.errors import ConfigError, did_you_mean
from mlops_cli.records import CHAMPION, MetricTrigger, RetrainOn, RetrainSpec

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

SECTION = "retrain"
SWEEPS = ("none", "around", "again")
"""How the parameters of a model that is made anew are found: those of before, around them, or by the whole sweep."""

PASSED = "retrain_passed"
"""The tag of a run that names the snapshot of new rows which it passed over, as its window ended before them."""

CHALLENGER = "challenger"
"""What a version is called that was made anew, before it is compared with the champion."""

_KEYS = ("when", "every", "data", "rows", "window", "hold_out", "sweep", "warm_start", "promote", "forget", "alias")
_DRIFT, _SCHEDULE = "drift", "schedule"
_TRIGGER = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*)\s*([<>])\s*(\S+)\s*")
_WHEN = f"{_DRIFT}, {_SCHEDULE}, a metric and its bound such as roc_auc < 0.8, or a list of them"
_WINDOW = re.compile(r"[1-9][0-9]{0,17}(?:\.[0-9]{1,9})?\s*(?:s|m|min|h|d)|[1-9][0-9]{0,17}")


def read_retrain(value: object, key: str) -> RetrainSpec:
    """Return when and how a model is made anew.

    Parameters
    ----------
    value : object
        As YAML has it; null declares nothing beside the defaults.
    key : str
        Where it stands; nothing where it is the whole file.

    Raises
    ------
    ConfigError
        With the key at fault.
    """
    node = read.mapping(value, key)
    read.only(node, key, _KEYS)
    at = f"{key}." if key else ""
    words, metrics = _when(node.get("when"), f"{at}when")
    every = read.seconds(node.get("every"), f"{at}every")
    if (_SCHEDULE in words) != (every is not None):
        raise ConfigError(f"when: {_SCHEDULE} and every belong together", key=f"{at}every", hint="every: 30d")
    window = _window(node.get("window"), f"{at}window")
    goes_on = read.flag(node.get("warm_start", False), f"{at}warm_start")
    usual = RetrainOn.WINDOW if window else RetrainOn.NEW if goes_on else RetrainOn.ALL
    rows = RetrainOn(read.choice(node.get("rows", usual), f"{at}rows", [*RetrainOn]))
    if goes_on and rows is not RetrainOn.NEW:
        why = f"a model that goes on learning has learned the rows of before. Got {rows} instead."
        raise ConfigError(why, key=f"{at}rows", hint="rows: new")
    if (rows is RetrainOn.WINDOW) != (window is not None):
        raise ConfigError("rows: window and window belong together", key=f"{at}window", hint="window: 10000, or 90d")
    return RetrainSpec(
        on_drift=_DRIFT in words,
        every=every,
        metrics=metrics,
        data=_place(node, at),
        rows=rows,
        window=window,
        hold_out=read.fraction(node.get("hold_out", 0.2), f"{at}hold_out"),
        sweep=read.choice(node.get("sweep", "none"), f"{at}sweep", SWEEPS),
        warm_start=goes_on,
        promote=read.flag(node.get("promote", True), f"{at}promote"),
        forget=read.flag(node.get("forget", False), f"{at}forget"),
        alias=_alias(node.get("alias", CHAMPION), f"{at}alias"),
    )


def _alias(value: object, key: str) -> str:
    """Return whose version is replaced: the challenger's gates would compare a version with itself."""
    alias = read.text(value, key)
    if alias == CHALLENGER:
        raise ConfigError(f"every version that is made anew is called {CHALLENGER}", key=key, hint=f"alias: {CHAMPION}")
    return alias


def _place(node: Mapping[str, object], at: str) -> str | None:
    return None if node.get("data") is None else read.text(node["data"], f"{at}data")


def _when(value: object, key: str) -> tuple[set[str], tuple[MetricTrigger, ...]]:
    """Return the words that are among the triggers, and those that speak of a metric."""
    items = [] if value is None else value if isinstance(value, list) else [value]
    words = {item for item in items if item in (_DRIFT, _SCHEDULE)}
    return words, tuple(trigger_of(item, key) for item in items if item not in words)


def trigger_of(value: object, key: str) -> MetricTrigger:
    """Return a metric with its bound.

    Raises
    ------
    ConfigError
        It is none.

    Examples
    --------
    >>> trigger_of("roc_auc < 0.8", "retrain.when")
    MetricTrigger(metric='roc_auc', below=True, bound=0.8)
    """
    match = _TRIGGER.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise read.wrong(value, key, _WHEN)
    try:
        bound = float(match[3])
    except ValueError:
        bound = math.nan
    if not math.isfinite(bound):
        raise read.wrong(value, key, f"{match[1]} {match[2]} a number")
    return MetricTrigger(match[1], match[2] == "<", bound)


def check_triggers(spec: RetrainSpec, known: Collection[str], key: str) -> None:
    """Refuse a metric that calls for a new model and that nobody computes.

    Parameters
    ----------
    spec : RetrainSpec
        The policy.
    known : collection of str
        The metrics that the model is scored by; none where nobody knows yet.
    key : str
        Where the triggers stand.

    Raises
    ------
    ConfigError
        With the nearest name.
    """
    for trigger in spec.metrics:
        if known and trigger.metric not in known:
            text = f"no metric '{trigger.metric}' is computed"
            raise ConfigError(text, key=key, hint=did_you_mean(trigger.metric, known))


def _window(value: object, key: str) -> str | None:
    """Return a number of rows, or a time such as 90d; as text."""
    if value is None:
        return None
    text = str(value).strip() if isinstance(value, str) or (isinstance(value, int) and value is not True) else ""
    if not _WINDOW.fullmatch(text):
        raise read.wrong(value, key, "a number of rows, or a time such as 12h or 90d")
    return text
