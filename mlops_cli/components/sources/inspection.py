"""What is suspicious in values as they are written, before parsing hides it; said as notices, never raised.

Looks at a sample; each notice names the key that mends it. Knows nothing of files, targets or tasks.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mlops_cli.records import Notice

if TYPE_CHECKING:
    from collections.abc import Iterable

_NA_TEXTS = ("NA", "N/A", "NULL", "NaN", "None", "n/a", "nan", "null", "#N/A", "#NA", "<NA>", "-NaN", "-nan")
_LEADING_ZERO = re.compile(r"-?0\d+\s*")
_NUMBER_PATTERN = r"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*"
_NUMBER = re.compile(_NUMBER_PATTERN)
_THOUSANDS = re.compile(r"\s*[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?\s*")
_DECIMAL_COMMA = re.compile(r"\s*[+-]?(?:\d{1,3}(?:\.\d{3})+|\d+),\d+\s*")
_ISO_DATE = re.compile(r"\s*\d{4}[-/.]\d{1,2}(?:[-/.]\d{1,2}(?:[ T]\d{1,2}:\d{2}.*)?)?\s*")
_DAY_MONTH = re.compile(r"\s*(\d{1,2})[-/.](\d{1,2})[-/.](?:\d{4}|\d{2})(?: \d{1,2}:\d{2}.*)?\s*")
_NEARLY_ALL, _HALF = 0.9, 0.5
_FEW_WORDS = 5
"""So few different words among numbers are likely to stand for missing, however many rows have them."""
_SAMPLE = 10_000
_DISTINCT = 500
"""How many different values of a column are looked at, one by one."""


def padded_names(header: Iterable[str]) -> list[Notice]:
    """Return the notice that blanks around names were stripped."""
    padded = [n for n in header if n != n.strip() and n.strip()]
    if not padded:
        return []
    shown = ", ".join(repr(n) for n in padded[:5])
    return [Notice("padded-names", f"blanks around the column names {shown} were stripped; use the names without them")]


def of_raw_texts(raw: pd.DataFrame, table: pd.DataFrame) -> list[Notice]:
    """Return what the written values show of columns whose parsed form hides it.

    Parameters
    ----------
    raw : DataFrame
        The first rows, every value as it is written.
    table : DataFrame
        What was parsed from the same file.
    """
    notices = []
    for name in (n for n in table.columns if n in raw.columns):
        column = table[name]
        if pd.api.types.is_string_dtype(column.dtype) and column.hasnans:
            notices += _na_texts(name, raw[name])
        elif pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype):
            notices += _leading_zeros(name, raw[name], column)
    return notices


def of_texts(table: pd.DataFrame) -> list[Notice]:
    """Return what text columns show of being numbers, dates or padded values."""
    notices = []
    for name in table.columns:
        column = table[name]
        if column.dtype == object or pd.api.types.is_string_dtype(column.dtype):
            notices += _of_text_column(str(name), column)
    return notices


def _of_text_column(name: str, column: pd.Series) -> list[Notice]:
    values = column.head(_SAMPLE).dropna()
    if values.empty:
        return []
    if pd.api.types.is_object_dtype(column.dtype) and (types := _types_of(values)) != ["str"]:
        return [_mixed_objects(name, types)] if len(types) > 1 else []
    distinct = [v for v in values.unique()[:_DISTINCT] if isinstance(v, str)]
    return (
        _commas(name, distinct)
        or _mixed(name, column, distinct)
        or _dates(name, distinct)
        or _padded_values(name, distinct)
    )


def _na_texts(name: str, raw: pd.Series) -> list[Notice]:
    tokens = raw[raw.isin(_NA_TEXTS)]
    counts = tokens.value_counts() if len(tokens) else tokens
    if counts.empty:
        return []
    shown = ", ".join(f"{token!r} ({count})" for token, count in counts.items())
    return [
        Notice(
            "na-texts",
            f"column '{name}' holds text, and {shown} in it was read as missing; "
            "if that is a value: `data.read.keep_default_na: false`",
        )
    ]


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


def _commas(name: str, values: list[str]) -> list[Notice]:
    if not any("," in v for v in values):
        return []
    example = next(v.strip() for v in values if "," in v)
    if _share(values, _NUMBER, _THOUSANDS) >= _NEARLY_ALL:
        text = f"column '{name}' holds numbers with thousands separators such as '{example}', read as text"
        return [Notice("thousands", f"{text}; `data.read.thousands: ','`")]
    if _share(values, _NUMBER, _DECIMAL_COMMA) >= _NEARLY_ALL:
        more = " and `data.read.thousands: '.'`" if any(re.search(r"\.\d{3},", v) for v in values) else ""
        text = f"column '{name}' holds numbers with a decimal comma such as '{example}', read as text"
        return [Notice("decimal-comma", f"{text}; `data.read.decimal: ','`{more}")]
    return []


def _mixed(name: str, column: pd.Series, values: list[str]) -> list[Notice]:
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
            f"{shown} (first in row {row}); if they mean missing: `data.read.na_values: [{shown}]`",
        )
    ]


def _types_of(values: pd.Series) -> list[str]:
    """Return the names of the types among the values; whole numbers and fractions are one."""
    return sorted({"number" if type(v) in {int, float} else type(v).__name__ for v in values})


def _mixed_objects(name: str, types: list[str]) -> Notice:
    text = f"column '{name}' mixes {' and '.join(types)} values, and all of it is taken as text"
    return Notice("mixed-types", f"{text}; if numbers are meant: `data.dtypes.{name}: numeric`")


def _dates(name: str, values: list[str]) -> list[Notice]:
    if _share(values, _ISO_DATE) == 1:
        return [_date_notice(name, values[0])]
    matches = [m for m in map(_DAY_MONTH.fullmatch, values) if m is not None]
    if not matches or len(matches) < len(values):
        return []
    if any(int(part) > 12 for m in matches for part in m.groups()):
        return [_date_notice(name, values[0])]
    mend = f"`data.read: {{parse_dates: [{name}], dayfirst: true}}`"
    example = values[0].strip()
    text = f"column '{name}' holds dates such as '{example}' that do not show which is the day and which the month"
    return [Notice("ambiguous-dates", f"{text}; month first is assumed where it is a date, else {mend}")]


def _date_notice(name: str, example: str) -> Notice:
    text = f"column '{name}' holds dates such as '{example.strip()}', read as text"
    return Notice("dates-as-text", f"{text}; `data.dtypes.{name}: datetime`")


def _padded_values(name: str, values: list[str]) -> list[Notice]:
    padded = [v for v in values if v.startswith(" ")]
    if not padded:
        return _twins_but_for_blanks(name, values)
    text = f"column '{name}' has values that begin with a blank, such as {padded[0][:40]!r}"
    return [Notice("padded-values", f"{text}; `data.read.skipinitialspace: true`")]


def _twins_but_for_blanks(name: str, values: list[str]) -> list[Notice]:
    known = set(values)
    twins = [v for v in values if v != v.strip() and v.strip() in known]
    if not twins:
        return []
    text = f"column '{name}' has values that differ by blanks alone, such as {twins[0].strip()[:40]!r} and"
    return [Notice("padded-values", f"{text} {twins[0][:42]!r}, which count as different; correct them in the file")]
