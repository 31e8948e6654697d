"""What ``data.expect`` declares of a table, held against it; everything that is broken is told together.

The grammar::

    expect:
      rows: {min: 100, max: 100000}
      columns:
        age: {type: numeric, min: 0, max: 120, missing: 0.2, mean: {min: 20, max: 40}}
        code: {pattern: '[A-Z][0-9]+', length: {max: 8}, unique: true}
        sex: {allowed: [m, f], severity: warn}            # or of one rule: allowed: {value: [m, f], severity: warn}
      required: [age, code]
      only: true                                          # no columns but those that are named here
      unique: [person, day]                               # together; or a list of such lists
      compare: [start <= end, price > 0]                  # text that holds dates is compared as dates
      fresh: {column: day, within: 7d}                    # the latest is not older than that; times are UTC

What is missing breaks ``missing`` alone: it repeats nothing, and compares with nothing.
Pure: a table, the rules and the time that it is now; breaches out.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mlops_cli.analysis.rules import (
    RULES,
    SHOWN,
    Broken,
    as_plain,
    bounds,
    flag,
    known_keys,
    listed,
    mapping,
    shown,
)
from mlops_cli.analysis.sides import COMPARISON, hold
from mlops_cli.components.casting import to_dates
from mlops_cli.errors import ConfigError, DataError, ExpectationError, did_you_mean
from mlops_cli.records import Breach, Notice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

KEY = "data.expect"
CODE = "expectation"
"""The code of the notices that rules with ``severity: warn`` become."""

_SEVERITIES = ("error", "warn")
_AGE = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_AHEAD = pd.Timedelta(days=1)
"""So far in the future a time may seem to be whose zone is not known."""


def check_expect(table: pd.DataFrame, expect: Mapping[str, Any], *, now: datetime | None = None) -> list[Notice]:
    """Refuse a table that breaks what is declared of it, and return what ``severity: warn`` says of it.

    Parameters
    ----------
    table : DataFrame
        As it was read, normalised; its index tells the place of each row in the file.
    expect : mapping
        The rules, in the grammar above.
    now : datetime, optional
        What freshness counts from, with its zone.

    Raises
    ------
    DataError
        Rules are broken: all of them are told.
    ConfigError
        A rule is unknown or is written wrongly.
    """
    return refuse(breaches_of(table, expect, now=now))


def refuse(found: Sequence[Breach]) -> list[Notice]:
    """Raise what must hold and does not, or return the rest as notices."""
    lines = [sentence(breach) for breach in found if not breach.is_warning]
    if len(lines) == 1:
        raise DataError(f"{KEY}.{lines[0]}")
    if lines:
        raise ExpectationError(f"{KEY}: {len(lines)} rules are broken", lines)
    return [Notice(CODE, f"{KEY}.{sentence(breach)}") for breach in found]


def sentence(breach: Breach) -> str:
    """Return a breach in one line: the rule, how many rows, what is wrong, and the first of them."""
    if breach.count is None:
        return f"{breach.key}: {breach.found}"
    share = breach.count / breach.rows
    percent = "< 1 %" if share < 0.01 else f"{100 * share:.0f} %"
    told = ((row, _told(value)) for row, value in breach.examples)
    examples = ", ".join(f"{row}: {value}" if value else str(row) for row, value in told)
    more = ", …" if breach.count > len(breach.examples) else ""
    return f"{breach.key}: {breach.count:,} of {breach.rows:,} rows ({percent}): {breach.found} (row {examples}{more})"


def breaches_of(table: pd.DataFrame, expect: Mapping[str, Any], *, now: datetime | None = None) -> tuple[Breach, ...]:
    """Return everything that a table breaks, in the order of the rules.

    Raises
    ------
    ConfigError
        A rule is unknown or is written wrongly.
    """
    known_keys(expect, (*_OF_TABLES, "columns", "fresh", "severity"), KEY)
    _, common = _severity({"severity": expect["severity"]} if "severity" in expect else {}, "error", KEY)
    found = [*_of_columns(table, expect, common)]
    for rule, ask in _OF_TABLES.items():
        if rule in expect:
            wanted, severity = _severity(expect[rule], common, f"{KEY}.{rule}")
            found += [_graded(breach, severity) for breach in ask(table, wanted, expect)]
    if expect.get("fresh") is not None:
        wanted, severity = _severity(expect["fresh"], common, f"{KEY}.fresh")
        found += [_graded(breach, severity) for breach in _fresh(table, wanted, now or datetime.now(UTC))]
    return tuple(found)


def count_of(expect: Mapping[str, Any]) -> int:
    """Return how many rules there are."""
    columns = mapping(expect.get("columns"), f"{KEY}.columns")
    per_column = sum(len([r for r in mapping(rules, KEY) if r != "severity"]) for rules in columns.values())
    return per_column + len([rule for rule in expect if rule not in {"columns", "severity"}])


def _severity(wanted: Any, common: str, key: str) -> tuple[Any, str]:
    """Return a rule without its severity: ``{value: …, severity: warn}``, or ``severity`` among its own keys."""
    if not (hasattr(wanted, "items") and "severity" in wanted):
        return wanted, common
    severity = wanted["severity"]
    if severity not in _SEVERITIES:
        hint = did_you_mean(str(severity), _SEVERITIES)
        raise ConfigError(f"found {severity!r}", key=f"{key}.severity", hint=hint)
    rest = {name: value for name, value in wanted.items() if name != "severity"}
    return rest["value"] if set(rest) == {"value"} else rest, severity


def _graded(breach: Breach, severity: str) -> Breach:
    return Breach(**{**vars(breach), "is_warning": severity == "warn"})


# --- columns -------------------------------------------------------------------------------------------------------


def _of_columns(table: pd.DataFrame, expect: Mapping[str, Any], common: str) -> Iterator[Breach]:
    for name, given in mapping(expect.get("columns"), f"{KEY}.columns").items():
        key = f"columns.{name}"
        rules, severity = _severity(mapping(given, f"{KEY}.{key}"), common, f"{KEY}.{key}")
        known_keys(rules, RULES, f"{KEY}.{key}")
        if str(name) not in table.columns:
            yield _graded(_no_column(str(name), table, key), severity)
            continue
        for rule, value in rules.items():
            wanted, own = _severity(value, severity, f"{KEY}.{key}.{rule}")
            broken = RULES[rule](table[str(name)], wanted, f"{KEY}.{key}.{rule}")
            breach = None if broken is None else _breach(table, [str(name)], f"{key}.{rule}", broken, wanted)
            if breach is not None:
                yield _graded(breach, own)


def _no_column(name: str, table: pd.DataFrame, key: str) -> Breach:
    return Breach(key, f"the data has no such column; {did_you_mean(name, table.columns)}", name, "a column")


def _breach(table: pd.DataFrame, names: Sequence[str], key: str, broken: Broken, wanted: Any) -> Breach | None:
    """Return the breach with its first rows; None where no row breaks the rule after all."""
    column = names[0] if len(names) == 1 else None
    expected = as_plain(wanted)
    if broken.rows is None:
        return Breach(key, broken.found, column, expected)
    places = np.flatnonzero(broken.rows)
    if not len(places):
        return None
    examples = tuple((int(table.index[p]) + 1, _values(table, names, int(p))) for p in places[:SHOWN])
    return Breach(key, broken.found, column, expected, len(places), len(table), examples)


def _values(table: pd.DataFrame, names: Sequence[str], place: int) -> Any:
    """Return what a row holds in this column, or a list for several."""
    values = [as_plain(table[name].iloc[place]) for name in names]
    return values[0] if len(values) == 1 else values


def _told(value: Any) -> str:
    """Return what a row holds in words; nothing where it is missing."""
    return ", ".join(shown(v) or "missing" for v in value) if isinstance(value, list) else shown(value)


# --- the table as a whole ------------------------------------------------------------------------------------------


def _rows(table: pd.DataFrame, wanted: Any, _: Mapping[str, Any]) -> Iterator[Breach]:
    low, high = bounds(wanted, f"{KEY}.rows")
    if not low <= len(table) <= high:
        bound, limit = ("min", low) if len(table) < low else ("max", high)
        yield Breach(f"rows.{bound}", f"{limit:g} rows expected, {len(table)} found", None, as_plain(limit))


def _required(table: pd.DataFrame, wanted: Any, _: Mapping[str, Any]) -> Iterator[Breach]:
    for name in map(str, listed(wanted, f"{KEY}.required")):
        if name not in table.columns:
            yield _no_column(name, table, f"required.{name}")


def _only(table: pd.DataFrame, wanted: Any, expect: Mapping[str, Any]) -> Iterator[Breach]:
    if not flag(wanted, f"{KEY}.only"):
        return
    required, _ = _severity(expect.get("required") or [], "", f"{KEY}.required")
    named = {str(name) for name in (*mapping(expect.get("columns"), KEY), *required)}
    more = [str(name) for name in table.columns if str(name) not in named]
    if more:
        told = ", ".join(map(shown, more[:10])) + (", …" if len(more) > 10 else "")
        what = "columns that are" if len(more) > 1 else "a column that is"
        yield Breach("only", f"{what} not expected: {told}", None, "no other columns")


def _unique(table: pd.DataFrame, wanted: Any, _: Mapping[str, Any]) -> Iterator[Breach]:
    key = f"{KEY}.unique"
    given = listed(wanted, key)
    keys = given if given and all(isinstance(item, list | tuple) for item in given) else [given]
    for names in keys:
        columns = [str(name) for name in names]
        if not columns:
            raise ConfigError("must name columns", key=key)
        absent = [name for name in columns if name not in table.columns]
        if absent:
            yield _no_column(absent[0], table, "unique")
            continue
        repeated = (table.duplicated(columns) & table[columns].notna().all(axis=1)).to_numpy()
        broken = Broken(f"{' and '.join(columns)} together repeat an earlier row", repeated)
        breach = _breach(table, columns, "unique", broken, columns)
        if breach is not None:
            yield breach


def _compare(table: pd.DataFrame, wanted: Any, _: Mapping[str, Any]) -> Iterator[Breach]:
    for text in [wanted] if isinstance(wanted, str) else listed(wanted, f"{KEY}.compare"):
        match = COMPARISON.fullmatch(str(text).strip())
        if match is None:
            hint = "two columns, or a column and a number or date: end >= start"
            raise ConfigError(f"{text!r} is no comparison", key=f"{KEY}.compare", hint=hint)
        names, broken = hold(table, match, f"{KEY}.compare")
        breach = _breach(table, names, "compare", broken, match[0])
        if breach is not None:
            yield breach


def _fresh(table: pd.DataFrame, wanted: Any, now: datetime) -> Iterator[Breach]:
    key = f"{KEY}.fresh"
    given = mapping(wanted, key)
    known_keys(given, ("column", "within"), key)
    match = _AGE.fullmatch(str(given.get("within")))
    if match is None:
        raise ConfigError(f"must be an age such as 7d or 12h. Got {given.get('within')!r}.", key=f"{key}.within")
    name = str(given.get("column"))
    if name not in table.columns:
        yield _no_column(name, table, "fresh.column")
        return
    latest, today = _latest(table[name]), pd.Timestamp(now).tz_convert("UTC").tz_localize(None)
    limit = today - pd.Timedelta(seconds=float(match[1]) * _SECONDS[match[2]])
    if isinstance(latest, str):
        yield Breach("fresh.column", latest, name, "dates")
    elif latest < limit:
        found = f"the latest {name} is {latest}, and it must be within {given['within']} of now"
        yield Breach("fresh.within", found, name, str(given["within"]))
    elif latest > today + _AHEAD:
        found = f"the latest {name} is {latest}, which is still to come"
        yield Breach("fresh.within", found, name, str(given["within"]))


def _latest(column: pd.Series) -> Any:
    """Return the latest time of a column, or what is wrong with it."""
    try:
        latest = to_dates(column).max()
    except DataError as error:
        return error.message
    return f"column '{column.name}' holds no date" if pd.isna(latest) else latest


_OF_TABLES: Mapping[str, Callable[[pd.DataFrame, Any, Mapping[str, Any]], Iterator[Breach]]] = {
    "rows": _rows,
    "required": _required,
    "only": _only,
    "unique": _unique,
    "compare": _compare,
}
"""Name → what asks it of the whole table; the rules beside it say which columns are named."""
