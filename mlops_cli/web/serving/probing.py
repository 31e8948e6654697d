"""What a model refuses, found by asking it: missing values, and categories that training did not have.

A signature says what training had and not what the model would take: an imputer takes gaps that training never had, an
encoder may refuse a new category. So made rows are asked, first with all columns changed at once, and column by column
where that fails.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_cli.components.made_rows import FEWEST, made_rows
from mlops_cli.components.tables import conform
from mlops_cli.errors import MlopsError
from mlops_cli.records import Kind
from mlops_cli.web.serving.rows import Taken, form_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd

    from mlops_cli.components.answers import Answers
    from mlops_cli.records import Column, ColumnProfile, DataProfile

UNSEEN = "a category that training did not have"
EXAMPLES = 2
MOST_PROBED = 300
"""Columns that are asked about one by one; of a wider model the rest may be null, and its own answer tells."""


def taken_columns(answers: Answers, columns: Sequence[Column], profile: DataProfile | None) -> tuple[Taken, ...]:
    """Return the columns of requests, with what the model takes in each.

    Parameters
    ----------
    answers : Answers
        The model.
    columns : sequence of Column
        What it takes.
    profile : DataProfile, optional
        Of the training data, for examples.
    """
    made = made_rows(answers.signature, profile, EXAMPLES)
    no_nulls = _refusing(answers, made, columns, _without)
    texts = [c for c in columns if c.kind is Kind.CATEGORICAL and form_of(c) == "text"]
    closed = _refusing(answers, made, texts, _unseen)
    known = {} if profile is None else {c.name: c for c in profile.columns}
    return tuple(_taken(c, known.get(c.name), made, no_nulls, closed) for c in columns)


def _taken(
    column: Column, profile: ColumnProfile | None, made: pd.DataFrame, no_nulls: set[str], closed: set[str]
) -> Taken:
    allowed = _levels(profile) if column.name in closed else ()
    examples = allowed or _examples(column, profile, made)
    return Taken(column, column.name not in no_nulls, allowed, examples[:5])


def _levels(profile: ColumnProfile | None) -> tuple[str, ...]:
    """Return all categories of training, where it is known that these are all and none is of a few rows alone."""
    if profile is None or profile.unique != len(profile.top) or any(count < FEWEST for _, count in profile.top):
        return ()
    return tuple(value for value, _ in profile.top)


def _examples(column: Column, profile: ColumnProfile | None, made: pd.DataFrame) -> tuple[Any, ...]:
    if form_of(column) == "text" and column.kind is Kind.CATEGORICAL and profile is not None:
        return tuple(value for value, count in profile.top if count >= FEWEST)
    value = made[column.name].iloc[0]
    if form_of(column) == "date":
        return (value.isoformat().removesuffix("T00:00:00"),)
    return (value.item() if hasattr(value, "item") else value,)


def _refusing(
    answers: Answers, made: pd.DataFrame, columns: Sequence[Column], change: Callable[[pd.DataFrame, Column], Any]
) -> set[str]:
    """Return the columns in which the model refuses a change; none where it refuses the unchanged rows."""
    if not columns or _takes(answers, made.assign(**{c.name: change(made, c) for c in columns})):
        return set()
    if not _takes(answers, made):
        return set()
    probed = columns[:MOST_PROBED]
    return {c.name for c in probed if not _takes(answers, made.assign(**{c.name: change(made, c)}))}


def _without(made: pd.DataFrame, _column: Column) -> Any:
    return [None] * len(made)


def _unseen(_made: pd.DataFrame, _column: Column) -> Any:
    return UNSEEN


def _takes(answers: Answers, table: pd.DataFrame) -> bool:
    try:
        answers.columns(conform(table, answers.signature.inputs))
    except MlopsError:
        return False
    except Exception:  # noqa: BLE001  whatever a library raises of values that it does not take
        return False
    return True
