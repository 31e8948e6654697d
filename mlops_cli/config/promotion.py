"""Reads what a version must pass before it is promoted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_cli.components.codes import CODES
from mlops_cli.config import readers as read
from mlops_cli.errors import ConfigError
from mlops_cli.records import (
    ApprovalGate,
    ChampionGate,
    DataGate,
    FairnessGate,
    Gates,
    HandoverGate,
    LatencyGate,
    MetricBound,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

SECTION = "promotion"
HELD_OUT = ".test"
"""What stands after the name of a metric where its score on held-out rows is meant."""

_EXAMPLES = {
    "metrics": "{roc_auc: {min: 0.8}}",
    "champion": "{}",
    "fairness": "{group: sex, metric: recall, max_difference: 0.1}",
    "latency": "{p99_ms: 50}",
    "size": "{max_mb: 50}",
    "data": "{verify: true}",
    "approval": "{by: ann}",
    "handover": "{}",
}
"""Every gate that there is, and what asks something; where that is {} all is understood."""

_BOUNDS = ("min", "max", "min_ci", "max_ci")
_CHAMPION = ("metric", "data", "margin", "confidence", "at_least")
_FAIRNESS = ("group", "metric", "max_difference", "min_ratio", "data", "min_rows")
_LATENCY = ("rows", "p50_ms", "p99_ms")
_OF_DATA = ("warnings", "verify", "expect")
_NO_WARNINGS = "none"


def read_gates(value: object, key: str) -> Gates:
    """Return the gates that a mapping declares.

    Parameters
    ----------
    value : object
        As YAML has it; null declares none.
    key : str
        Where it stands; nothing where it is the whole file.

    Raises
    ------
    ConfigError
        With the key at fault.
    """
    node = read.mapping(value, key)
    read.only(node, key, _EXAMPLES)
    _require_asking(node, key)
    return Gates(
        metrics=_metrics(node.get("metrics"), _below(key, "metrics")),
        champion=_champion(node.get("champion"), _below(key, "champion")),
        fairness=_fairness(node.get("fairness"), _below(key, "fairness")),
        latency=_latency(node.get("latency"), _below(key, "latency")),
        max_mb=_size(node.get("size"), _below(key, "size")),
        data=_data(node.get("data"), _below(key, "data")),
        approval=_approval(node.get("approval"), _below(key, "approval")),
        handover=_handover(node.get("handover"), _below(key, "handover")),
    )


def _require_asking(node: Mapping[str, Any], key: str) -> None:
    """Refuse a gate that was begun and says nothing: read as no gate it would let every version pass, unsaid."""
    for name, value in node.items():
        if value is None or value == [] or (value == {} and _EXAMPLES[name] != "{}"):
            place = _below(key, name)
            hint = f"write {name}: {_EXAMPLES[name]}, or leave {place} out"
            raise ConfigError("asks nothing", key=place, hint=hint)


def _metrics(value: object, key: str) -> tuple[MetricBound, ...]:
    return tuple(_bound(name, node, f"{key}.{name}") for name, node in read.mapping(value, key).items())


def _bound(name: str, value: object, key: str) -> MetricBound:
    held_out = name.endswith(HELD_OUT)
    allowed = _BOUNDS[:2] if held_out else _BOUNDS  # one score on held-out rows has no interval
    node = _asked(value, key, allowed, allowed)
    bounds = {word: _number(node.get(word), f"{key}.{word}") for word in _BOUNDS}
    if bounds["min"] is not None and bounds["max"] is not None and bounds["min"] > bounds["max"]:
        raise read.wrong(bounds["min"], f"{key}.min", f"no more than max, {bounds['max']:g}")
    return MetricBound(
        metric=name.removesuffix(HELD_OUT),
        held_out=held_out,
        least=bounds["min"],
        most=bounds["max"],
        least_ci=bounds["min_ci"],
        most_ci=bounds["max_ci"],
    )


def _champion(value: object, key: str) -> ChampionGate | None:
    if value is None:
        return None
    node = read.mapping(value, key)
    read.only(node, key, _CHAMPION)
    return ChampionGate(
        metric=_text(node.get("metric"), f"{key}.metric"),
        data=_text(node.get("data"), f"{key}.data"),
        margin=_number(node.get("margin"), f"{key}.margin", least=0) or 0.0,
        confidence=read.fraction(node.get("confidence", 0.95), f"{key}.confidence"),
        at_least=read.flag(node.get("at_least", False), f"{key}.at_least"),
    )


def _fairness(value: object, key: str) -> tuple[FairnessGate, ...]:
    """Return a gate for each grouping; one alone need not stand in a list."""
    if value is None:
        return ()
    if not isinstance(value, list):
        return (_of_groups(value, key),)
    return tuple(_of_groups(item, f"{key}[{i}]") for i, item in enumerate(value))


def _of_groups(value: object, key: str) -> FairnessGate:
    node = _asked(value, key, _FAIRNESS, ("max_difference", "min_ratio"))
    group, metric = (_text(node.get(word), f"{key}.{word}") for word in ("group", "metric"))
    if group is None:
        raise read.wrong(None, f"{key}.group", "the name of a column")
    if metric is None:
        raise read.wrong(None, f"{key}.metric", "the name of a metric, or selection_rate")
    ratio = _number(node.get("min_ratio"), f"{key}.min_ratio", least=0)
    if ratio is not None and ratio > 1:
        raise read.wrong(ratio, f"{key}.min_ratio", "a number from 0 to 1")
    return FairnessGate(
        group=group,
        metric=metric,
        max_difference=_number(node.get("max_difference"), f"{key}.max_difference", least=0),
        min_ratio=ratio,
        data=_text(node.get("data"), f"{key}.data"),
        min_rows=read.integer(node.get("min_rows", 30), f"{key}.min_rows", minimum=1),
    )


def _latency(value: object, key: str) -> LatencyGate | None:
    if value is None:
        return None
    node = _asked(value, key, _LATENCY, _LATENCY[1:])
    return LatencyGate(
        rows=read.integer(node.get("rows", 1), f"{key}.rows", minimum=1),
        p50_ms=_number(node.get("p50_ms"), f"{key}.p50_ms", least=0),
        p99_ms=_number(node.get("p99_ms"), f"{key}.p99_ms", least=0),
    )


def _size(value: object, key: str) -> float | None:
    if value is None:
        return None
    node = _asked(value, key, ("max_mb",), ("max_mb",))
    return _number(node["max_mb"], f"{key}.max_mb", least=0)


def _data(value: object, key: str) -> DataGate | None:
    if value is None:
        return None
    node = _asked(value, key, _OF_DATA, _OF_DATA)
    said = node.get("warnings")
    codes = () if said == _NO_WARNINGS else read.names(said, f"{key}.warnings")
    for code in codes:
        read.choice(code, f"{key}.warnings", [*sorted(CODES), _NO_WARNINGS])
    found = DataGate(
        warnings=codes,
        no_warnings=said == _NO_WARNINGS,
        verify=read.flag(node.get("verify", False), f"{key}.verify"),
        expect=read.flag(node.get("expect", False), f"{key}.expect"),
    )
    if found == DataGate():
        raise _asks_nothing(key, _OF_DATA)
    return found


def _approval(value: object, key: str) -> ApprovalGate | None:
    if value is None:
        return None
    node = _asked(value, key, ("by", "count"), ("by",))
    named = node["by"] if isinstance(node["by"], list) else [node["by"]]
    for name in named:
        if not isinstance(name, str) or not name.strip():
            raise read.wrong(name, f"{key}.by", "the names of those who may approve")
    by = tuple(dict.fromkeys(named))
    if not by:
        raise read.wrong([], f"{key}.by", "the names of those who may approve")
    count = read.integer(node.get("count", 1), f"{key}.count", minimum=1)
    if count > len(by):
        raise read.wrong(count, f"{key}.count", f"no more than the {len(by)} who may approve")
    return ApprovalGate(by, count)


def _handover(value: object, key: str) -> HandoverGate | None:
    """Return the gate; which questions there are, the model's owner says, and so they are no business of this file."""
    if value is None:
        return None
    node = read.mapping(value, key)
    read.only(node, key, ("questions", "max_age"))
    for word in node:
        if node[word] is None or node[word] == []:
            raise ConfigError("asks nothing", key=f"{key}.{word}", hint=f"give {word} a value, or leave it out")
    questions = tuple(dict.fromkeys(read.names(node.get("questions"), f"{key}.questions")))
    return HandoverGate(questions, read.seconds(node.get("max_age"), f"{key}.max_age"))


# --- small readers -----------------------------------------------------------------------------------------------


def _below(key: str, name: str) -> str:
    return f"{key}.{name}" if key else name


def _asked(value: object, key: str, allowed: tuple[str, ...], needed: tuple[str, ...]) -> Mapping[str, Any]:
    """Return a mapping that says at least one of the needed things: a gate that asks nothing would look like one.

    One of them that is there and says nothing is refused too, although others ask something.
    """
    node = read.mapping(value, key)
    read.only(node, key, allowed)
    begun = [name for name in needed if name in node]
    if not begun:
        raise _asks_nothing(key, needed)
    for name in begun:
        if node[name] is None or node[name] == []:
            raise ConfigError("asks nothing", key=f"{key}.{name}", hint=f"give {name} a value, or leave it out")
    return node


def _asks_nothing(key: str, needed: tuple[str, ...]) -> ConfigError:
    return ConfigError("asks nothing", key=key, hint=f"say {' or '.join(needed)}, or leave {key} out")


def _number(value: object, key: str, *, least: float | None = None) -> float | None:
    return None if value is None else read.number(value, key, least=least)


def _text(value: object, key: str) -> str | None:
    """Return text that is not empty, or None."""
    if value == "":
        raise read.wrong(value, key, "text that says something")
    return None if value is None else read.text(value, key)
