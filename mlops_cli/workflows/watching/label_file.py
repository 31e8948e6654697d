"""What came true, by the ids of rows: labels as they are read, and refused where they contradict each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_cli.components.sources.chunks import chunks
from mlops_cli.errors import DataError, UsageError, did_you_mean
from mlops_cli.records import Notice
from mlops_cli.views.text import plural
from mlops_cli.workflows.applying.carrying import Carrying
from mlops_cli.workflows.applying.incoming import incoming, written
from mlops_cli.workflows.applying.labelled import with_target

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from mlops_cli.workflows.applying.incoming import Opened
    from mlops_cli.workflows.data.tables import HowRead

_SHOWN = 5


@dataclass(frozen=True)
class Labels:
    """Labels that were read."""

    called: str
    by_id: Mapping[str, Any]
    notices: tuple[Notice, ...]


def read_labels(labels: str | pd.DataFrame, column: str, model: Opened, how: HowRead) -> Labels:
    """Return labels by the ids of their rows.

    Parameters
    ----------
    labels : str or DataFrame
        A file, an address, a glob, a version of a data set; or a table.
    column : str
        The id.
    model : Opened
        Whose target they are.
    how : HowRead
        How they are read, where it is not as the training data was.

    Raises
    ------
    DataError
        They cannot be read, have no id or no target, or an id has two labels.
    UsageError
        The model has no target.
    """
    target = model.spec.data.target
    if target is None:
        raise UsageError(f"{model.saved.label} was trained without a target, and so has no labels")
    if not isinstance(labels, str):
        return _by_id(labels, column, model, "the table")
    new = incoming(labels, model.spec, how, model.workspace)

    def names(present: Sequence[str]) -> list[str]:
        _check(present, column, target)
        return [name for name in present if str(name).strip() in {column, target}]

    import pandas as pd

    with new.told():
        texts = [column, *([target] if target in model.trained and model.trained[target].dtype == "str" else [])]
        parts = list(chunks(written(new.source, model.spec, (), texts), names))
        if not parts:
            raise DataError("the labels have no rows", hint="give at least one")
        return _by_id(pd.concat(parts, ignore_index=True), column, model, new.called)


def as_keys(column: pd.Series[Any], model: Opened, name: str) -> list[str | None]:
    """Return ids as text, the same whether they were read as numbers or as text; None where there is none."""
    import pandas as pd

    trained = {c: known for c, known in model.trained.items() if c == name}
    typed = Carrying((), trained, id=name).of(pd.DataFrame({name: column}), typed=True)[name]
    if pd.api.types.is_float_dtype(typed.dtype) and (typed.dropna() % 1 == 0).all():
        typed = typed.astype("Int64")
    missing = typed.isna().tolist()
    return [None if gone else str(value) for value, gone in zip(typed.tolist(), missing, strict=True)]


def contradiction(what: str, examples: Sequence[str], hint: str) -> DataError:
    """Return the error for labels that cannot all be true."""
    shown = "; ".join(examples[:_SHOWN]) + ("; …" if len(examples) > _SHOWN else "")
    return DataError(f"{what}, and nothing is changed: {shown}", hint=hint)


def _check(present: Sequence[str], column: str, target: str) -> None:
    plain = [str(name).strip() for name in present]
    for name, what in ((column, "id"), (target, "target")):
        if name not in plain:
            raise DataError(f"the labels have no column '{name}', the {what}", hint=did_you_mean(name, plain))


def _by_id(table: pd.DataFrame, column: str, model: Opened, called: str) -> Labels:
    target = str(model.spec.data.target)
    plain = table.rename(columns=lambda name: str(name).strip()).reset_index(drop=True)
    _check(list(plain.columns), column, target)
    rows, y, notices = with_target(plain[[column, target]], model)
    pairs = list(zip(as_keys(rows[column], model, column), np.asarray(y).tolist(), strict=True))
    known = [(key, label) for key, label in pairs if key is not None]
    by_id: dict[str, Any] = {}
    for key, label in known:
        by_id.setdefault(key, label)
    if against := [f"{key}: {by_id[key]} and {label}" for key, label in known if label != by_id[key]]:
        raise contradiction(f"{plural(len(against), 'id')} with two labels", against, "an id has one label")
    if without := len(pairs) - len(known):
        notices.append(Notice("id-missing", f"{plural(without, 'label')} without {column}: left out"))
    if twice := len(known) - len(by_id):
        notices.append(Notice("labels-twice", f"{plural(twice, 'label')} said more than once"))
    return Labels(called, by_id, tuple(notices))
