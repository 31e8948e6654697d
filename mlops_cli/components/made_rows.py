"""Rows that look like those of training and are none of them: drawn column by column from what a profile tells.

No extreme value, and no category that only few rows had, is among them. Knows nothing of files or models.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mlops_cli.records import Kind

if TYPE_CHECKING:
    from mlops_cli.records import Column, ColumnProfile, DataProfile, Signature

FEWEST = 5
"""Rows that must have had a category before it may be shown."""

WORD = "example"
_TEXT = "some words as an example"
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_NORMAL = (-1.645, -0.674, 0.0, 0.674, 1.645)
_DIGITS = 4
_DAY = 86_400


def made_rows(signature: Signature, profile: DataProfile | None, rows: int, seed: int = 0) -> pd.DataFrame:
    """Return rows that a model may be asked, shape (rows, columns); the last one lacks what training rows lacked.

    Parameters
    ----------
    signature : Signature
        What the model takes.
    profile : DataProfile, optional
        Of the training data; without one, numbers are drawn from the standard normal distribution.
    rows : int
        How many.
    seed : int
        The same rows for the same seed.
    """
    rng = np.random.default_rng(seed)
    known = {c.name: c for c in profile.columns} if profile is not None else {}
    return pd.DataFrame({c.name: _column(c, known.get(c.name), rows, rng) for c in signature.inputs})


def _column(column: Column, profile: ColumnProfile | None, rows: int, rng: np.random.Generator) -> pd.Series[Any]:
    values: pd.Series[Any] = pd.Series(_values(column, profile, rows, rng))
    if not column.missing or rows < 2:
        return values
    count = profile.count if profile is not None else column.missing
    gaps = rng.random(rows) < column.missing / max(1, count + column.missing)
    gaps[-1], gaps[0] = True, False
    return values.mask(gaps)


def _values(column: Column, profile: ColumnProfile | None, rows: int, rng: np.random.Generator) -> Any:
    if column.kind is Kind.TEXT:
        return [_TEXT] * rows
    if column.kind is Kind.BOOLEAN:
        return rng.random(rows) < 0.5
    if column.kind is Kind.DATETIME:
        return _dates(column, profile, rows, rng)
    if column.dtype in {"category", "str"}:
        return _categories(column, profile, rows, rng)
    return _numbers(column, profile, rows, rng)


def _numbers(column: Column, profile: ColumnProfile | None, rows: int, rng: np.random.Generator) -> Any:
    drawn = _drawn(profile, _NORMAL, rows, rng)
    dtype = np.dtype(column.dtype)
    if dtype.kind in "iu":
        return np.clip(np.rint(drawn), np.iinfo(dtype).min, np.iinfo(dtype).max).astype("int64")
    if profile is not None and profile.quantiles and all(value % 1 == 0 for value in profile.quantiles):
        return np.rint(drawn)  # whole numbers, or truths, that are floats for the gaps among them
    return np.array([float(f"{value:.{_DIGITS}g}") for value in drawn])


def _drawn(profile: ColumnProfile | None, usual: tuple[float, ...], rows: int, rng: np.random.Generator) -> Any:
    """Draw from between the 5 % and the 95 % quantile."""
    inner = profile.quantiles[1:-1] if profile is not None and len(profile.quantiles) == len(_QUANTILES) + 2 else usual
    return np.interp(rng.uniform(_QUANTILES[0], _QUANTILES[-1], rows), _QUANTILES, inner)


def _dates(column: Column, profile: ColumnProfile | None, rows: int, rng: np.random.Generator) -> Any:
    usual = tuple(1.7e9 + _DAY * day for day in _NORMAL)
    unit = 1 if profile is not None and any(second % _DAY for second in profile.quantiles[:1]) else _DAY
    seconds = np.floor(_drawn(profile, usual, rows, rng) / unit) * unit
    return pd.Series(pd.to_datetime(seconds.astype("int64"), unit="s")).astype(column.dtype)  # type: ignore[call-overload]


def _categories(column: Column, profile: ColumnProfile | None, rows: int, rng: np.random.Generator) -> Any:
    top = [(value, count) for value, count in profile.top if count >= FEWEST] if profile is not None else []
    if not top:
        return [WORD if "str" in {column.dtype, column.categories} else 0] * rows
    counts = np.array([count for _, count in top], dtype=float)
    drawn = rng.choice(len(top), rows, p=counts / counts.sum())
    texts = [top[place][0] for place in drawn]
    return texts if "str" in {column.dtype, column.categories} else pd.to_numeric(pd.Series(texts), errors="coerce")
