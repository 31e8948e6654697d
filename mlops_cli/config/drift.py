"""Reads what counts as drift of a model's data, and who is told."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mlops_cli.components.alerts import AlertError, check_webhook
from mlops_cli.config import readers as read
from mlops_cli.errors import ConfigError
from mlops_cli.records import Alert, DriftBounds, DriftSpec

if TYPE_CHECKING:
    from collections.abc import Mapping

SECTION = "drift"

_BOUNDS = {"alpha": "alpha", "psi": "psi", "distance": "distance", "missing": "missing", "new_categories": "new"}
"""How the YAML calls a bound, and how the record does."""

_SHARES = ("alpha", "missing", "new_categories")
_KEYS = (*_BOUNDS, "columns", "ignore", "share", "predictions", "metrics", "schema", "min_rows", "alerts")
_PLACES = ("command", "file", "webhook")


def read_drift(value: object, key: str) -> DriftSpec:
    """Return what a mapping declares of drift.

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
    usual = _bounds({name: node[name] for name in _BOUNDS if name in node}, key, DriftBounds())
    columns = read.mapping(node.get("columns"), f"{at}columns")
    metrics = read.mapping(node.get("metrics"), f"{at}metrics")
    return DriftSpec(
        bounds=usual,
        columns={name: _bounds(bounds, f"{at}columns.{name}", usual) for name, bounds in columns.items()},
        ignore=read.names(node.get("ignore"), f"{at}ignore"),
        share=_share(node.get("share", 0.0), f"{at}share"),
        predictions=_of_predictions(node.get("predictions", {}), f"{at}predictions", usual),
        metrics={name: _least(drop, f"{at}metrics.{name}") for name, drop in metrics.items()},
        schema=read.flag(node.get("schema", True), f"{at}schema"),
        min_rows=read.integer(node.get("min_rows", DriftSpec().min_rows), f"{at}min_rows", minimum=2),
        alerts=read_alerts(node.get("alerts"), f"{at}alerts"),
    )


def _bounds(value: object, key: str, usual: DriftBounds) -> DriftBounds:
    """Return bounds; those that are not said are the usual ones."""
    node = read.mapping(value, key)
    read.only(node, key, tuple(_BOUNDS))
    at = f"{key}." if key else ""
    said: dict[str, Any] = {
        _BOUNDS[name]: (_share if name in _SHARES else _least)(bound, f"{at}{name}") for name, bound in node.items()
    }
    return replace(usual, **said)


def _of_predictions(value: object, key: str, usual: DriftBounds) -> DriftBounds | None:
    return None if value is None or value is False else _bounds(value, key, usual)


def _share(value: object, key: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise read.wrong(value, key, "a share from 0 to 1")
    return float(value)


def _least(value: object, key: str) -> float:
    return read.number(value, key, least=0)


# --- who is told -------------------------------------------------------------------------------------------------


def read_alerts(value: object, key: str) -> tuple[Alert, ...]:
    """Return who is told, as a list or one mapping declares it."""
    nodes = [] if value is None else value if isinstance(value, list) else [value]
    return tuple(_alert(read.mapping(node, f"{key}[{i}]"), f"{key}[{i}]") for i, node in enumerate(nodes))


def _alert(node: Mapping[str, Any], key: str) -> Alert:
    read.only(node, key, (*_PLACES, "always"))
    said = [place for place in _PLACES if node.get(place) is not None]
    if len(said) != 1:
        raise ConfigError(f"must have one of {', '.join(_PLACES)}", key=key)
    place = read.text(node[said[0]], f"{key}.{said[0]}")
    if not place.strip():
        raise read.wrong(place, f"{key}.{said[0]}", "text that says something")
    if said[0] == "webhook":
        _check_webhook(place.strip(), f"{key}.webhook")
    return Alert(**{said[0]: place}, always=read.flag(node.get("always", False), f"{key}.always"))


def _check_webhook(place: str, key: str) -> None:
    """Refuse an address that would never be posted to; what ``${…}`` stands for is known when it is sent."""
    if "${" in place:
        return
    try:
        check_webhook(place)
    except AlertError as error:
        raise ConfigError(error.message, key=key, hint=error.hint) from None
