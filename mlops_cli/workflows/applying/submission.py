"""A submission as Kaggle asks for it: the id and the target alone, in the form of a sample submission."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mlops_cli.components import casting
from mlops_cli.components.answers import PREDICTION, PROBA
from mlops_cli.components.metrics import positive_class
from mlops_cli.errors import DataError, UsageError

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from mlops_cli.components.answers import Answers
    from mlops_cli.workflows.applying.carrying import Said

_SHOWN = 3


@dataclass(frozen=True)
class Sample:
    """A sample submission."""

    path: Path
    table: pd.DataFrame  # every value as it is written

    @property
    def id(self) -> str:
        """The first column, which tells rows apart."""
        return str(self.table.columns[0])

    @property
    def targets(self) -> list[str]:
        """The other columns."""
        return [str(name) for name in self.table.columns[1:]]

    @property
    def ids(self) -> frozenset[str]:
        """Which rows there are."""
        return frozenset(self.table[self.id])

    def kind(self, target: str) -> str:
        """Return how a column's values are written: booleans, whole numbers, numbers or text."""
        import pandas as pd

        values = self.table[target]
        if set(values.unique()) <= {"True", "False"}:
            return "booleans"
        numbers = pd.to_numeric(values, errors="coerce")
        if numbers.isna().any():
            return "text"
        return "whole numbers" if not values.str.contains(r"[.eE]").any() else "numbers"


@dataclass(frozen=True)
class SubmissionForm:
    """What a submission looks like."""

    id: str
    columns: Mapping[str, str]  # column of the submission → column of the predictions
    sample: Sample | None = None
    has_labels: bool = False  # the target is a class, not a quantity

    @cached_property
    def kinds(self) -> Mapping[str, str]:
        """How the sample writes each target."""
        return {} if self.sample is None else {name: self.sample.kind(name) for name in self.columns}


def read_sample(path: Path) -> Sample:
    """Read a sample submission.

    Raises
    ------
    DataError
        It cannot be read, has one column, or names a row twice.
    """
    from mlops_cli.components.sources import CsvSource

    table = CsvSource(str(path), {"dtype": "str", "keep_default_na": False}).load()
    if table.shape[1] < 2:
        raise DataError(f"{path}: a sample submission has an id and a target; it has one column")
    sample = Sample(path, table)
    if len(sample.ids) < len(table):
        raise DataError(f"{path}: the first column, '{sample.id}', tells rows apart and has values twice")
    return sample


def form_for(sample: Sample | None, answers: Answers, id_: str | None) -> SubmissionForm:
    """Return what a submission of a model's answers looks like.

    Parameters
    ----------
    sample : Sample, optional
        What it has to be like.
    answers : Answers
        Whether probabilities are asked for: of two classes that of the positive one is the target, of more there is
        a column for each, whose name in the sample ends in that of the class.
    id_ : str, optional
        The column that tells rows apart, where there is no sample.

    Raises
    ------
    UsageError
        It is not known which column tells rows apart, or which target is meant.
    """
    signature = answers.signature
    if sample is None and id_ is None:
        raise UsageError("a submission needs an id", hint="--id COLUMN, or --sample sample_submission.csv")
    targets = [signature.output] if sample is None else sample.targets
    id_ = sample.id if sample is not None else str(id_)
    classes = signature.classes or ()
    if not answers.proba:
        if len(targets) > 1:
            raise UsageError(f"the sample has {len(targets)} targets: {', '.join(targets[:5])}", hint="--proba")
        return SubmissionForm(id_, {targets[0]: PREDICTION}, sample, has_labels=bool(classes))
    if len(targets) == 1 and len(classes) == 2:
        return SubmissionForm(id_, {targets[0]: f"{PROBA}{positive_class(classes, answers.positive)}"}, sample)
    return SubmissionForm(id_, _by_class(targets, classes, sample), sample)


def _by_class(targets: Sequence[str], classes: Sequence[Any], sample: Sample | None) -> dict[str, str]:
    if sample is None:
        raise UsageError("how probabilities of several classes are submitted is not known", hint="--sample FILE.csv")
    found = {}
    for target in targets:
        named = [c for c in classes if target == str(c) or target.endswith((f"_{c}", f" {c}"))]
        if named:
            found[target] = f"{PROBA}{max(named, key=lambda c: len(str(c)))}"
    if len(set(found.values())) != len(targets) or len(targets) != len(classes):
        raise UsageError(
            f"the sample's columns {', '.join(targets[:5])} do not name the classes {', '.join(map(str, classes[:5]))}"
        )
    return found


def submitted(tables: Generator[pd.DataFrame], form: SubmissionForm, said: Said) -> Generator[pd.DataFrame]:
    """Yield predictions in the form of a submission; what is wrong with all of it is found at its end.

    Raises
    ------
    DataError
        An id is missing, twice there, or not in the sample; or a value is of another kind than in the sample.
    """
    import pandas as pd

    seen: set[str] = set()
    with closing(tables):
        for table in tables:
            ids = _ids(table[form.id], form, seen)
            seen.update(ids)
            values = {name: _value(table[source], name, form, said) for name, source in form.columns.items()}
            yield pd.DataFrame({form.id: ids, **values}, copy=False)
    if form.sample is not None:
        _check_ids(seen, form.sample)


def _ids(column: pd.Series[Any], form: SubmissionForm, seen: set[str]) -> pd.Series[Any]:
    ids = casting.to_texts(column)
    if ids.isna().any():
        raise DataError(f"'{form.id}', the id, is missing in {int(ids.isna().sum())} rows")
    twice = ids[ids.duplicated() | ids.isin(seen)]
    if len(twice):
        raise DataError(f"'{form.id}', the id, is not unique: {_listed(twice)}")
    return ids


def _check_ids(seen: set[str], sample: Sample) -> None:
    missing, beside = sample.ids - seen, seen - sample.ids
    if missing or beside:
        parts = [
            f"{len(rows)} {what}: {_listed(sorted(rows))}"
            for rows, what in ((missing, "of the sample are not predicted"), (beside, "are not in the sample"))
            if rows
        ]
        counts = f"{len(seen)} rows were predicted and the sample has {len(sample.ids)}"
        raise DataError(f"{sample.path}: {counts}; of '{sample.id}' {'; '.join(parts)}", hint="is it the test file?")


def _listed(values: Any) -> str:
    shown = list(values)
    return ", ".join(map(str, shown[:_SHOWN])) + (", …" if len(shown) > _SHOWN else "")


def _value(column: pd.Series[Any], name: str, form: SubmissionForm, said: Said) -> pd.Series[Any]:
    """Return a target as the sample writes it: whole numbers without a point, booleans as words."""
    from pandas.api import types as pdt

    is_bool, is_number = pdt.is_bool_dtype(column.dtype), pdt.is_numeric_dtype(column.dtype)
    kind = form.kinds.get(name)
    is_whole = is_number and not is_bool and not column.isna().any() and bool((column % 1 == 0).all())
    if kind == "booleans" and is_whole and set(column.unique()) <= {0, 1}:
        return column.astype(bool)
    if kind == "text" and is_number:
        raise DataError(_differs(form, name, "text", "numbers"))
    if kind in {"whole numbers", "numbers"} and not is_number:
        raise DataError(_differs(form, name, kind, "text"))
    if is_bool:
        return column if kind in {None, "booleans"} else column.astype("int64")
    if is_whole and (kind == "whole numbers" or (kind is None and form.has_labels)):
        return column.astype("int64")
    if kind == "whole numbers":
        said.add("fractions", f"the sample's '{name}' has whole numbers, and the submission has not")
    return column


def _differs(form: SubmissionForm, name: str, wanted: str, found: str) -> str:
    path = form.sample.path if form.sample is not None else ""
    return f"{path}: '{name}' holds {wanted}, and the predictions are {found}"
