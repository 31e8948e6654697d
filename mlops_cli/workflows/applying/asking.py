"""A model that is asked about rows: which columns it is given, what it answers, and what stands beside the answers."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from mlops_cli.components.answers import PREDICTION, Answers, not_finite
from mlops_cli.components.casting import counted_on
from mlops_cli.components.sources.chunks import chunks
from mlops_cli.components.tables import conform
from mlops_cli.errors import DataError, UsageError
from mlops_cli.workflows.applying.carrying import Carrying, Said, refuse_taken
from mlops_cli.workflows.applying.future import HOW, future_rows
from mlops_cli.workflows.applying.incoming import Opened, written
from mlops_cli.workflows.applying.submission import SubmissionForm, form_for, read_sample, submitted
from mlops_cli.workflows.applying.unseen import Unseen, known_categories
from mlops_cli.workflows.data.tables import HowRead
from mlops_cli.workflows.silence import silent

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from mlops_cli.contracts import DataSource


@dataclass(frozen=True)
class PredictOptions:
    """What is asked of a model.

    Parameters
    ----------
    proba : bool
        The probability of each class too.
    threshold : float, optional
        Of two classes: from which probability on the positive one is said.
    keep : sequence of str
        Columns of the input, by name or glob, that are to stand beside the predictions; ``all`` is every one.
    id : str, optional
        The column that tells rows apart; the one that the model's config names where not given.
    submission : bool
        Write the id and the target alone.
    sample : Path, optional
        A sample submission, which a submission has to be like.
    force : bool
        Overwrite the output.
    allow_pickle : bool
        Open a model that is a pickle, which can run any code.
    how : HowRead
        How the input is read, where it is not read as the training data was.
    """

    proba: bool = False
    threshold: float | None = None
    keep: Sequence[str] = ()
    id: str | None = None
    submission: bool = False
    sample: Path | None = None
    force: bool = False
    allow_pickle: bool = False
    how: HowRead = field(default_factory=HowRead)

    @property
    def is_submission(self) -> bool:
        """Whether the id and the target alone are asked for."""
        return self.submission or self.sample is not None


@dataclass(frozen=True)
class Asking:
    """A model, what it is asked, and what is said on the way."""

    model: Opened
    answers: Answers
    carrying: Carrying
    typed: bool
    form: SubmissionForm | None = None  # of a submission
    said: Said = field(default_factory=Said)
    categories: Mapping[str, frozenset[str]] = field(default_factory=dict)  # that training had, of each column

    def of_source(self, source: DataSource) -> Generator[pd.DataFrame]:
        """Yield a table of predictions for each part of a source, in the order of its rows.

        Raises
        ------
        DataError
            The source cannot be read, or a row does not suit the model.
        """
        as_text = self.carrying.as_text(lambda: _names_in(source))
        told = written(source, self.model.spec, self.carrying.inputs, as_text)
        return self._answered(chunks(told, self._wanted))

    def of_table(self, table: pd.DataFrame) -> Generator[pd.DataFrame]:
        """Yield tables of predictions for a table in memory.

        Raises
        ------
        DataError
            There are no rows, or one does not suit the model.
        """
        plain = table.rename(columns=lambda name: str(name).strip()).reset_index(drop=True)
        chosen = plain[self._wanted(list(plain.columns))]
        return self._answered(part for part in [chosen] if len(part))

    def _wanted(self, present: Sequence[str]) -> list[str]:
        data = self.model.spec.data
        if data.forecast is not None and data.target not in {str(name).strip() for name in present}:
            raise DataError(f"a forecast is made of the past, and the data has no column '{data.target}'", hint=HOW)
        return self.carrying.wanted(present, self.said)

    def _answered(self, pieces: Generator[pd.DataFrame]) -> Generator[pd.DataFrame]:
        tables = self._by_row(pieces) if self.model.spec.data.forecast is None else self._forecast(pieces)
        return tables if self.form is None else submitted(tables, self.form, self.said)

    def _by_row(self, pieces: Generator[pd.DataFrame]) -> Generator[pd.DataFrame]:
        before, unseen = 0, Unseen(self.categories)
        with closing(pieces):
            for piece in pieces:
                for rows in self.answers.batches(len(piece)):
                    yield self._of_rows(piece.iloc[rows].reset_index(drop=True), before, unseen)
                    before += len(piece.iloc[rows])
        self.said.notices.extend(unseen.notices(before))
        if not before:
            raise DataError("the data has no rows", hint="give at least one")

    def _of_rows(self, part: pd.DataFrame, before: int, unseen: Unseen) -> pd.DataFrame:
        """Return the answers for some rows, and count on from those before in what is said of wrong ones."""
        try:
            X = conform(part, self.carrying.inputs, self.model.spec.data.dtypes)
            unseen.look(X)
            return self._answer(X, part)
        except DataError as error:
            error.message = counted_on(error.message, before)
            error.args = (error.message,)
            raise

    def _forecast(self, pieces: Generator[pd.DataFrame]) -> Generator[pd.DataFrame]:
        """Yield the rows to be forecast: their past may lie anywhere before them, so all are read first."""
        import pandas as pd

        with closing(pieces):
            parts = list(pieces)
        if not parts:
            raise DataError("the data has no rows", hint=HOW)
        whole = pd.concat(parts, ignore_index=True)
        X, rows = future_rows(whole, self.model)
        yield self._answer(X, whole.iloc[rows].reset_index(drop=True))

    def _answer(self, X: pd.DataFrame, part: pd.DataFrame) -> pd.DataFrame:
        import pandas as pd

        with silent():  # what estimators print is no prediction
            columns, warned = self.answers.of(X)
        for text in warned:
            self.said.add("model-warning", text)
        carried = self.carrying.of(part, typed=self.typed)
        refuse_taken([*columns], [*carried])
        if bad := not_finite(columns[PREDICTION]):
            self.said.add("not-finite", f"{bad} predictions in {len(X):,} rows are not finite")
        if self.carrying.id in carried and carried[str(self.carrying.id)].isna().any():
            self.said.add("id-missing", f"some rows have no {self.carrying.id}")
        return pd.DataFrame({**carried, **columns}, copy=False)


def asking(model: Opened, options: PredictOptions, *, typed: bool) -> Asking:
    """Return a model ready to be asked.

    Parameters
    ----------
    model : Opened
        Who is asked.
    options : PredictOptions
        What.
    typed : bool
        Whether the answers go where columns have types: then numbers that were read as text are numbers again.

    Raises
    ------
    UsageError
        The model cannot be asked this.
    """
    signature = model.model.signature
    answers = Answers(model.model.pipeline, signature, model.spec.data.positive, options.proba, options.threshold)
    keep = (*_telling(model), *options.keep)
    carrying = Carrying(model.inputs, model.trained, options.id or signature.id, keep, options.id is not None)
    answers.check()
    said, known = Said([*model.notices]), known_categories(model)
    if not options.is_submission:
        return Asking(model, answers, carrying, typed, said=said, categories=known)
    if options.keep:
        raise UsageError("a submission has the id and the target alone", hint="leave --keep out")
    sample = None if options.sample is None else read_sample(options.sample)
    form = form_for(sample, answers, carrying.id)
    alone = replace(carrying, id=form.id, keep=(), needs_id=True)
    return Asking(model, answers, alone, typed=False, form=form, said=said, categories=known)


def _telling(model: Opened) -> tuple[str, ...]:
    """Return the columns by which the rows of a forecast are known."""
    data = model.spec.data
    named = () if data.forecast is None else (data.time, *data.forecast.by)
    return tuple(name for name in named if name is not None and name != model.model.signature.id)


class _NamesError(Exception):
    """Carries the names of a source's columns out of it before it is read."""


def _names_in(source: DataSource) -> list[str]:
    def stop(present: Sequence[str]) -> list[str]:
        raise _NamesError(*present)

    try:
        next(chunks(source, stop), None)
    except _NamesError as found:
        return [str(name) for name in found.args]
    return []
