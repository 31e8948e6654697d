"""What is suspicious in values as they are written, before parsing hides it; said as notices, never raised.

Looks at a sample; each notice names the key that mends it, and that changes no other column unless it says which:
an option of the whole file is named only where it suits all columns. Knows nothing of files, targets or tasks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mlops_cli.components.numerals import WAYS
from mlops_cli.components.sources.hints import flow
from mlops_cli.records import Notice

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

_NA_TEXTS = frozenset(
    {"NA", "N/A", "NULL", "NaN", "None", "n/a", "nan", "null", "#N/A", "#N/A N/A", "#NA", "<NA>", "-NaN", "-nan"}
    | {"1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN"}
)
"""What pandas reads as missing beside the empty cell."""
_LEADING_ZERO = re.compile(r"-?0\d+\s*")
_NUMBER_PATTERN = r"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*"
_NUMBER = re.compile(_NUMBER_PATTERN)
_THOUSANDS = re.compile(WAYS["decimal_point"].grouped)
_DECIMAL_COMMA = re.compile(WAYS["decimal_comma"].pattern)
_MARKED = re.compile(r"\s*[+-]?[\d.,]*[.,][\d.,]*(?:[eE][+-]?\d+)?\s*")
"""Digits and marks alone: what might be a number, or become one under another option."""
_PLAIN_DECIMAL_COMMA = re.compile(r"\s*[+-]?\d*,?\d*(?:[eE][+-]?\d+)?\s*")
_ISO_DATE = re.compile(r"\s*\d{4}[-/.]\d{1,2}(?:[-/.]\d{1,2}(?:[ T]\d{1,2}:\d{2}.*)?)?\s*")
_DAY_MONTH = re.compile(r"\s*(\d{1,2})[-/.](\d{1,2})[-/.](?:\d{4}|\d{2})(?: \d{1,2}:\d{2}.*)?\s*")
_NEARLY_ALL, _HALF = 0.9, 0.5
_FEW_WORDS = 5
"""So few different words among numbers are likely to stand for missing, however many rows have them."""
_SAMPLE = 10_000
_DISTINCT = 500
"""How many different values of a column are looked at, one by one."""
_MOST_WORDS = 20
"""So many words are named in an option at most."""


@dataclass(frozen=True)
class Reading:
    """How a table was read.

    Parameters
    ----------
    takes : collection of str
        The options that ``data.read`` may have; none for a source that has no such thing.
    said : mapping
        Those that it has.
    raw : DataFrame, optional
        The first rows, every value as it is written.
    """

    takes: Collection[str] = ()
    said: Mapping[str, Any] = field(default_factory=dict)
    raw: pd.DataFrame | None = None

    def written(self) -> dict[str, list[str]]:
        """Return the different values of each column as they are written."""
        raw = self.raw if self.raw is not None else pd.DataFrame()
        return {str(n): raw[n].unique().tolist() for n in raw.columns}

    def missing(self, name: str) -> set[str]:
        """Return the words that are read as missing in a column."""
        if self.said.get("na_filter") is False:
            return set()
        said = self.said.get("na_values")
        own = said.get(name) if isinstance(said, Mapping) else said
        default: set[str] = set() if self.said.get("keep_default_na") is False else {*_NA_TEXTS, ""}
        return default | set(map(str, _listed(own)))

    def suits(self, pattern: re.Pattern[str]) -> bool:
        """Whether all that is digits and marks alone, in whatever column, is a number of that pattern."""
        return all(pattern.fullmatch(v) for values in self.written().values() for v in values if _MARKED.fullmatch(v))


def padded_names(header: Iterable[str]) -> list[Notice]:
    """Return the notice that blanks around names were stripped."""
    padded = [n for n in header if n != n.strip() and n.strip()]
    if not padded:
        return []
    shown = ", ".join(repr(n) for n in padded[:5])
    return [Notice("padded-names", f"blanks around the column names {shown} were stripped; use the names without them")]


def of_raw_texts(table: pd.DataFrame, reading: Reading) -> list[Notice]:
    """Return what the written values show of columns whose parsed form hides it.

    Parameters
    ----------
    table : DataFrame
        What was parsed.
    reading : Reading
        With the written values of the same file.
    """
    notices = []
    raw = reading.raw if reading.raw is not None else pd.DataFrame()
    for name in (n for n in table.columns if n in raw.columns):
        column = table[name]
        if pd.api.types.is_string_dtype(column.dtype) and column.hasnans:
            notices += _about(name, _na_texts(name, raw[name], reading, is_whole=len(raw) == len(table)))
        elif pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype):
            notices += _about(name, _leading_zeros(name, raw[name], column))
    return notices


def _about(name: str, notices: Iterable[Notice]) -> list[Notice]:
    return [replace(notice, column=str(name)) for notice in notices]


def of_texts(table: pd.DataFrame, reading: Reading | None = None) -> list[Notice]:
    """Return what text columns show of being numbers, dates or padded values."""
    notices = []
    for name in table.columns:
        column = table[name]
        if column.dtype == object or pd.api.types.is_string_dtype(column.dtype):
            notices += _about(name, _of_text_column(str(name), column, reading or Reading()))
    return notices


def _of_text_column(name: str, column: pd.Series, reading: Reading) -> list[Notice]:
    values = column.head(_SAMPLE).dropna()
    if values.empty:
        return []
    if pd.api.types.is_object_dtype(column.dtype) and (types := _types_of(values)) != ["str"]:
        return [_mixed_objects(name, types)] if len(types) > 1 else []
    distinct = [v for v in values.unique()[:_DISTINCT] if isinstance(v, str)]
    return (
        _commas(name, distinct, reading)
        or _points(name, distinct, reading)
        or _mixed(name, column, distinct, reading)
        or _dates(name, distinct, reading)
        or _padded_values(name, distinct, reading)
    )


def _na_texts(name: str, raw: pd.Series, reading: Reading, *, is_whole: bool) -> list[Notice]:
    tokens = raw[raw.isin(_NA_TEXTS & reading.missing(name))]
    counts = tokens.value_counts() if len(tokens) else tokens
    if counts.empty:
        return []
    shown = ", ".join(f"{token!r} ({count})" for token, count in counts.items())
    return [
        Notice(
            "na-texts",
            f"column '{name}' holds text, and {shown} in it was read as missing; "
            f"if that is a value: `data.read: {_kept_as_values(name, set(counts.index), reading, is_whole=is_whole)}`",
        )
    ]


def _kept_as_values(name: str, words: set[str], reading: Reading, *, is_whole: bool) -> str:
    """Return the options under which these words are values in a column, and all else stays missing as it is."""
    written = reading.written()
    found = {n: reading.missing(n).intersection(values) - {""} for n, values in written.items() if n != name}
    if isinstance(reading.said.get("na_values"), Mapping) or any(words & others for others in found.values()):
        per_column = {n: ["", *sorted(others)] for n, others in found.items() if others or "" in written[n]}
        return flow({"keep_default_na": False, "na_values": {name: [""], **per_column}})
    left = set().union(*found.values()) if is_whole else reading.missing(name)
    return flow({"keep_default_na": False, "na_values": ["", *sorted(left - words - {""})]})


def _listed(value: Any) -> list[Any]:
    return [] if value is None else list(value) if isinstance(value, list | tuple | set) else [value]


def _leading_zeros(name: str, raw: pd.Series, column: pd.Series) -> list[Notice]:
    present = column.dropna()
    if len(present) and present.iloc[0] % 1 != 0:  # most columns of fractions end here, at next to no cost
        return []
    example = next((v for v in raw.tolist() if v.startswith(("0", "-0")) and _LEADING_ZERO.fullmatch(v)), None)
    if example is None or not (present % 1 == 0).all():
        return []
    return [
        Notice(
            "leading-zeros",
            f"column '{name}' has values with leading zeros such as '{example.strip()}', read as numbers; "
            f"if it is a code: `data.dtypes.{name}: str`",
        )
    ]


def _share(values: list[str], *patterns: re.Pattern[str]) -> float:
    """Return the share of the values that one of the patterns matches whole."""
    return sum(any(p.fullmatch(v) for p in patterns) for v in values) / max(len(values), 1)


def _commas(name: str, values: list[str], reading: Reading) -> list[Notice]:
    with_comma = [v for v in values if "," in v]
    if not with_comma:
        return []
    example = with_comma[0].strip()
    if _share(values, _NUMBER, _THOUSANDS) >= _NEARLY_ALL:
        text = f"column '{name}' holds numbers with thousands separators such as '{example}', read as text"
        if all(v.count(",") == 1 and "." not in v for v in with_comma):
            text += f" (if that is {example.replace(',', '.')}: `data.dtypes.{name}: decimal_comma`)"
        return [Notice("thousands", f"{text}; {_mend_of_thousands(name, values, reading)}")]
    if _share(values, _PLAIN_DECIMAL_COMMA, _DECIMAL_COMMA) >= _NEARLY_ALL:
        text = f"column '{name}' holds numbers with a decimal comma such as '{example}', read as text"
        return [Notice("decimal-comma", f"{text}; {_mend_of_decimal_comma(name, values, reading)}")]
    return []


def _mend_of_thousands(name: str, values: list[str], reading: Reading) -> str:
    """Return the option of the file where all of its columns are written so, else the word for this one."""
    way = re.compile(WAYS["decimal_point"].pattern)
    is_plain = reading.raw is not None and "decimal" not in reading.said and _share(values, way) == 1
    if is_plain and reading.suits(way):
        return "`data.read.thousands: ','`"
    return f"`data.dtypes.{name}: decimal_point`"


def _mend_of_decimal_comma(name: str, values: list[str], reading: Reading) -> str:
    """As `_mend_of_thousands`; a column whose every comma could part thousands makes the file's option a guess."""
    has_points = any("." in v for v in values)
    way = _DECIMAL_COMMA if has_points else _PLAIN_DECIMAL_COMMA
    marked = ([v for v in column if "," in v and _MARKED.fullmatch(v)] for column in reading.written().values())
    is_sure = not any(column and _share(column, _THOUSANDS) == 1 for column in marked)
    is_plain = reading.raw is not None and "thousands" not in reading.said and _share(values, way) == 1
    if not (is_plain and is_sure and reading.suits(way)):
        return f"`data.dtypes.{name}: decimal_comma`"
    return "`data.read: {decimal: ',', thousands: '.'}`" if has_points else "`data.read.decimal: ','`"


def _points(name: str, values: list[str], reading: Reading) -> list[Notice]:
    """Say that numbers have a point where the reader was told that the decimal mark is another."""
    decimal = reading.said.get("decimal", ".")
    pointed = [v for v in values if "." in v]
    if decimal == "." or not pointed or _share(values, _NUMBER) < _NEARLY_ALL:
        return []
    text = f"column '{name}' holds numbers with a decimal point such as '{pointed[0].strip()}', read as text"
    text += f" as `data.read.decimal` is '{decimal}'"
    return [Notice("decimal-point", f"{text}; `data.dtypes.{name}: decimal_point`")]


def _mixed(name: str, column: pd.Series, values: list[str], reading: Reading) -> list[Notice]:
    if _share(values, _NUMBER) < _HALF:
        return []
    present = column.dropna()  # all of it: what made the column text may come after the first rows
    others = present[~present.str.fullmatch(_NUMBER_PATTERN)]
    texts = list(dict.fromkeys(others))
    most = (1 - _NEARLY_ALL if len(texts) > _FEW_WORDS else _HALF) * len(present)
    if others.empty or len(others) > most:
        return []
    shown = ", ".join(repr(t) for t in texts[:5])
    row = int(np.flatnonzero(column.index == others.index[0])[0]) + 1
    return [
        Notice(
            "mixed-types",
            f"column '{name}' is read as text because {len(others)} of {len(present)} values are no numbers: "
            f"{shown}{', …' if len(texts) > _FEW_WORDS else ''} (first in row {row}); if they mean missing: "
            f"{_as_missing(name, texts, reading)}",
        )
    ]


def _as_missing(name: str, texts: list[str], reading: Reading) -> str:
    """Return what makes these words missing in one column."""
    if "na_values" not in reading.takes:
        return "make them so where the data comes from"
    words, said = texts if len(texts) <= _MOST_WORDS else [...], reading.said.get("na_values")
    if said is None or isinstance(said, Mapping):
        given = said or {}
        return f"`data.read.na_values: {flow({**given, name: [*_listed(given.get(name)), *words]})}`"
    also = [n for n, values in reading.written().items() if n != name and any(v in texts for v in values)]
    more = f", which holds for {', '.join(map(repr, also))} too" if also else ""
    return f"`data.read.na_values: {flow([*_listed(said), *words])}`{more}"


def _types_of(values: pd.Series) -> list[str]:
    """Return the names of the types among the values; whole numbers and fractions are one."""
    return sorted({"number" if type(v) in {int, float} else type(v).__name__ for v in values})


def _mixed_objects(name: str, types: list[str]) -> Notice:
    text = f"column '{name}' mixes {' and '.join(types)} values, and all of it is taken as text"
    return Notice("mixed-types", f"{text}; if numbers are meant: `data.dtypes.{name}: numeric`")


def _dates(name: str, values: list[str], reading: Reading) -> list[Notice]:
    if _share(values, _ISO_DATE) == 1:
        return [_date_notice(name, values[0])]
    matches = [m for m in map(_DAY_MONTH.fullmatch, values) if m is not None]
    if not matches or len(matches) < len(values):
        return []
    if any(int(part) > 12 for m in matches for part in m.groups()):
        return [_date_notice(name, values[0])]
    mend = _mend_of_day_first(name, reading)
    example = values[0].strip()
    text = f"column '{name}' holds dates such as '{example}' that do not show which is the day and which the month"
    return [Notice("ambiguous-dates", f"{text}; month first is assumed where it is a date, else {mend}")]


def _mend_of_day_first(name: str, reading: Reading) -> str:
    if not {"parse_dates", "dayfirst"} <= set(reading.takes):
        return "write them as YYYY-MM-DD where the data comes from"
    said = reading.said.get("parse_dates")
    others = [n for n in _listed(said) if isinstance(n, str) and n != name]
    more = f", which holds for {', '.join(map(repr, others))} too" if others else ""
    return f"`data.read: {flow({'parse_dates': [*others, name], 'dayfirst': True})}`{more}"


def _date_notice(name: str, example: str) -> Notice:
    text = f"column '{name}' holds dates such as '{example.strip()}', read as text"
    return Notice("dates-as-text", f"{text}; `data.dtypes.{name}: datetime`")


def _padded_values(name: str, values: list[str], reading: Reading) -> list[Notice]:
    padded = [v for v in values if v.startswith(" ")]
    if not padded:
        return _twins_but_for_blanks(name, values)
    text = f"column '{name}' has values that begin with a blank, such as {padded[0][:40]!r}"
    if "skipinitialspace" not in reading.takes:
        return [Notice("padded-values", f"{text}; correct them where the data comes from")]
    written = reading.written()
    also = [n for n in written if n != name and any(v.startswith(" ") and not _NUMBER.fullmatch(v) for v in written[n])]
    more = f", which strips those of {', '.join(map(repr, also))} too" if also else ""
    return [Notice("padded-values", f"{text}; `data.read.skipinitialspace: true`{more}")]


def _twins_but_for_blanks(name: str, values: list[str]) -> list[Notice]:
    known = set(values)
    twins = [v for v in values if v != v.strip() and v.strip() in known]
    if not twins:
        return []
    text = f"column '{name}' has values that differ by blanks alone, such as {twins[0].strip()[:40]!r} and"
    return [Notice("padded-values", f"{text} {twins[0][:42]!r}, which count as different; correct them in the file")]
