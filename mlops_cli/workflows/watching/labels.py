"""``mlops monitor labels``: what came true of the rows of earlier batches, joined to what the model had said of them.

Labels may come in several files and in any order; a row that has a label already keeps it. What contradicts is refused
before anything is written.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_cli.analysis import drift_words as say
from mlops_cli.analysis.reference import PREDICTION, PROBA, sampled
from mlops_cli.components.sources.chunks import chunks
from mlops_cli.errors import DataError, MlopsError, StoreError, UsageError, did_you_mean
from mlops_cli.records import Action, Drifted, DriftKind, Notice
from mlops_cli.store.audit import AuditLog
from mlops_cli.workflows.applying.carrying import Carrying
from mlops_cli.workflows.applying.incoming import incoming, opened, written
from mlops_cli.workflows.applying.labelled import with_target
from mlops_cli.workflows.data.tables import HowRead
from mlops_cli.workflows.watching.alerts import send
from mlops_cli.workflows.watching.drift import declared_drift
from mlops_cli.workflows.watching.history import batches_of
from mlops_cli.workflows.watching.metrics import Compared, Draws, metric_drift
from mlops_cli.workflows.watching.reference import predicted_rows
from mlops_cli.workflows.watching.trained import trained_on

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from mlops_cli.records import Batch, DriftSpec
    from mlops_cli.store.batches import Batches
    from mlops_cli.workflows.applying.incoming import Opened

_SHOWN = 5


@dataclass(frozen=True)
class LabelOptions:
    """How labels are read.

    Parameters
    ----------
    id : str, optional
        The column of the labels that tells rows apart; that of the batches where not given.
    batch : str, optional
        The one batch that they are of: its id, the beginning of one, its name.
    allow_pickle : bool
        Open a model that is a pickle, which can run any code.
    how : HowRead
        How the labels are read, where it is not as the training data was.
    alerts : bool
        Tell whoever is declared to be told.
    """

    id: str | None = None
    batch: str | None = None
    allow_pickle: bool = False
    how: HowRead = field(default_factory=HowRead)
    alerts: bool = True


@dataclass(frozen=True)
class Joined:
    """What came of labels."""

    model: str
    labels: str  # what they are called
    rows: int  # with a label, each id once
    matched: int  # of these, found in some batch
    new: int  # rows of batches that have a label now and had none before
    batches: tuple[Batch, ...]  # that the labels are of, as they are now
    notices: tuple[Notice, ...] = ()

    @property
    def drifted(self) -> bool:
        """Whether a metric of one of the batches is worse than it may be."""
        return any(metric.drifted for batch in self.batches for metric in batch.metrics)


@dataclass(frozen=True)
class _Answers:
    """What a model said of the rows of a batch, and what is known of them."""

    batch: Batch
    ids: list[str]
    table: pd.DataFrame
    own: Mapping[int, Any]  # row → the label that came with the batch
    later: Mapping[str, Any]  # id → the label that came later

    def truth(self, labels: Mapping[str, Any]) -> dict[int, Any]:
        """Return row → label, with what is known by id."""
        by_id = {row: labels[key] for row, key in enumerate(self.ids) if key in labels}
        return {**by_id, **self.own}


def join_labels(
    name: str, labels: str | pd.DataFrame, options: LabelOptions | None = None, *, workspace: str | Path | None = None
) -> Joined:
    """Join labels to the predictions of earlier batches, and score those again.

    Parameters
    ----------
    name : str
        The model.
    labels : str or DataFrame
        A file, an address, a glob, a version of a data set; or a table. It has the id and the target.
    options : LabelOptions, optional
        How they are read.
    workspace : str or Path, optional
        The workspace; the current folder's where not given.

    Raises
    ------
    DataError
        They cannot be read, or contradict each other or what is known; nothing is changed then.
    StoreError
        There is no such model or batch.
    """
    asked = options or LabelOptions()
    kept = batches_of(name, workspace)
    with kept.changing():
        chosen = _chosen(kept, asked)
        models = _Models(kept.name, asked, workspace)
        column = _column(chosen, asked, kept.name)
        read = _read(labels, column, models.reading(chosen), asked)
        joining = _Joining(kept, models, read)
        answers = [joining.answers(batch) for batch in chosen]
        done = joining.settle([one for one in answers if one is not None])
    if not asked.alerts:
        return done
    return replace(done, notices=(*done.notices, *_told(done, joining, models)))


# --- which batches -----------------------------------------------------------------------------------------------


def _chosen(kept: Batches, asked: LabelOptions) -> list[Batch]:
    ids = [kept.find(asked.batch)] if asked.batch is not None else kept.ids()
    found = [kept.read(batch) for batch in ids]
    chosen = [batch for batch in found if batch.id_column is not None]
    if not found:
        raise StoreError(f"{kept.name} has no batches", hint=f"mlops monitor log {kept.name} FILE")
    if not chosen:
        what = "the batch has" if asked.batch is not None else f"none of the {len(found)} batches has"
        raise UsageError(f"{what} no id that labels could be joined by", hint="mlops monitor log … --id COLUMN")
    return chosen


def _column(batches: Sequence[Batch], asked: LabelOptions, name: str) -> str:
    columns = dict.fromkeys(str(batch.id_column) for batch in batches)
    if asked.id is None and len(columns) > 1:
        raise UsageError(f"the batches of {name} have different ids: {', '.join(columns)}", hint="--id COLUMN")
    return asked.id or next(iter(columns))


@dataclass
class _Models:
    """The versions that answered, each opened once."""

    name: str
    asked: LabelOptions
    workspace: str | Path | None
    _opened: dict[int, Opened] = field(default_factory=dict)

    def of(self, number: int) -> Opened:
        if number not in self._opened:
            ref = f"{self.name}/{number}"
            self._opened[number] = opened(ref, workspace=self.workspace, allow_pickle=self.asked.allow_pickle)
        return self._opened[number]

    def reading(self, batches: Sequence[Batch]) -> Opened:
        """Return the newest version that is still there: by it labels are read."""
        for number in sorted({batch.number for batch in batches}, reverse=True):
            with suppress(StoreError):
                return self.of(number)
        raise StoreError(f"no version of {self.name} that answered these batches is there any more")


# --- the labels --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Read:
    called: str
    labels: Mapping[str, Any]  # id → label
    notices: tuple[Notice, ...]


def _read(labels: str | pd.DataFrame, column: str, model: Opened, asked: LabelOptions) -> _Read:
    target = model.spec.data.target
    if target is None:
        raise UsageError(f"{model.saved.label} was trained without a target, and so has no labels")
    if not isinstance(labels, str):
        return _by_id(labels, column, model, "the table")
    new = incoming(labels, model.spec, asked.how, model.workspace)

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


def _check(present: Sequence[str], column: str, target: str) -> None:
    plain = [str(name).strip() for name in present]
    if column not in plain:
        raise DataError(f"the labels have no column '{column}', the id", hint=did_you_mean(column, plain))
    if target not in plain:
        raise DataError(f"the labels have no column '{target}', the target", hint=did_you_mean(target, plain))


def _by_id(table: pd.DataFrame, column: str, model: Opened, called: str) -> _Read:
    """Return the labels by id.

    Raises
    ------
    DataError
        An id has two labels.
    """
    target = str(model.spec.data.target)
    plain = table.rename(columns=lambda name: str(name).strip()).reset_index(drop=True)
    _check(list(plain.columns), column, target)
    rows, y, notices = with_target(plain[[column, target]], model)
    ids = as_keys(rows[column], model, column)
    found: dict[str, Any] = {}
    twice, without, against = 0, 0, []
    for key, label in zip(ids, np.asarray(y).tolist(), strict=True):
        if key is None:
            without += 1
        elif key not in found:
            found[key] = label
        elif found[key] == label:
            twice += 1
        else:
            against.append(f"{key}: {found[key]} and {label}")
    if against:
        raise _contradiction(f"{len(against):,} ids have two labels", against, "an id has one label")
    if without:
        notices.append(Notice("id-missing", f"{without:,} labels have no {column} and are left out"))
    if twice:
        notices.append(Notice("labels-twice", f"{twice:,} labels are there more than once"))
    return _Read(called, found, tuple(notices))


def as_keys(column: pd.Series[Any], model: Opened, name: str) -> list[str | None]:
    """Return ids as text, the same whether they were read as numbers or as text; None where there is none."""
    import pandas as pd

    trained = {c: known for c, known in model.trained.items() if c == name}
    typed = Carrying((), trained, id=name).of(pd.DataFrame({name: column}), typed=True)[name]
    if pd.api.types.is_float_dtype(typed.dtype) and (typed.dropna() % 1 == 0).all():
        typed = typed.astype("Int64")
    missing = typed.isna().tolist()
    return [None if gone else str(value) for value, gone in zip(typed.tolist(), missing, strict=True)]


def _contradiction(what: str, examples: Sequence[str], hint: str) -> DataError:
    shown = "; ".join(examples[:_SHOWN]) + ("; …" if len(examples) > _SHOWN else "")
    return DataError(f"{what}, and nothing is changed: {shown}", hint=hint)


# --- joining -----------------------------------------------------------------------------------------------------


@dataclass
class _Joining:
    """Labels on their way to the batches."""

    kept: Batches
    models: _Models
    read: _Read
    notices: list[Notice] = field(default_factory=list)
    changed: set[str] = field(default_factory=set)  # ids of batches that have other labels or scores now

    def answers(self, batch: Batch) -> _Answers | None:
        """Return what a model said of a batch; None where that cannot be had any more."""
        try:
            model = self.models.of(batch.number)
        except StoreError as error:
            self._say("not-scored", f"{batch.name}: {error.message}")
            return None
        table = self.kept.predictions(batch.id)
        if table is None:
            return None
        keys = as_keys(table[str(batch.id_column)], model, str(batch.id_column))
        return _Answers(batch, [key or "" for key in keys], table, _own(table, model), self.kept.labels(batch.id))

    def settle(self, answers: Sequence[_Answers]) -> Joined:
        """Write the labels of all batches, after it is sure that none contradicts."""
        self._refuse_contradictions(answers)
        touched = [one for one in answers if any(key in self.read.labels for key in one.ids)]
        if not touched:
            raise self._strange(answers)
        matched = len({key for one in answers for key in one.ids} & self.read.labels.keys())
        self._say_of(answers, matched)
        said = {"labels": self.read.called, "batches": [one.batch.id for one in touched], "rows": matched}
        AuditLog(self.kept.workspace).append(Action.WATCHED, self.kept.name, said)
        made = [self._scored(one) for one in touched]
        new = sum(batch.labelled - len(one.truth(one.later)) for batch, one in zip(made, touched, strict=True))
        told = (*self.read.notices, *self.notices)
        return Joined(self.kept.name, self.read.called, len(self.read.labels), matched, new, tuple(made), told)

    def _refuse_contradictions(self, answers: Sequence[_Answers]) -> None:
        against = []
        for one in answers:
            before = one.truth(one.later)
            for row, key in enumerate(one.ids):
                label = self.read.labels.get(key)
                if row in before and label is not None and before[row] != label:
                    against.append(f"{key} in {one.batch.name}: {before[row]} was known, and now {label}")
        if against:
            hint = "mlops monitor rm takes a batch away, and mlops monitor log begins it anew"
            raise _contradiction(f"{len(against):,} labels contradict what is known", against, hint)

    def _strange(self, answers: Sequence[_Answers]) -> DataError:
        """Return the error for labels of which none belongs to a row of any batch."""
        given, known = list(self.read.labels)[:3], [one.ids[0] for one in answers if one.ids][:3]
        told = f"the labels have ids such as {', '.join(given)}, and batches {', '.join(known) or 'none'}; --id COLUMN"
        return DataError(f"{self.read.called}: no label belongs to a row of a batch of {self.kept.name}", hint=told)

    def _say_of(self, answers: Sequence[_Answers], matched: int) -> None:
        if unknown := len(self.read.labels) - matched:
            self._say("unknown-ids", f"{unknown:,} of {len(self.read.labels):,} ids are in no batch")
        for one in answers:
            twice = len(one.ids) - len(set(one.ids))
            if twice and any(key in self.read.labels for key in one.ids):
                self._say("ids-twice", f"{one.batch.name}: {twice:,} rows repeat an id, and get its label too")

    def _scored(self, one: _Answers) -> Batch:
        """Keep the labels of a batch, and what its metrics are by them."""
        own = {key: self.read.labels[key] for key in one.ids if key in self.read.labels}
        later = {**one.later, **own}
        truth = one.truth(later)
        compared = self._compared(one, truth)
        for notice in compared.notices:
            self._say(notice.code, f"{one.batch.name}: {notice.message}")
        batch = replace(one.batch, labels=self.read.called, labelled=len(truth), metrics=compared.metrics)
        if later != one.later:
            self.kept.write_labels(batch.id, later)
        if (batch.labelled, batch.metrics) != (one.batch.labelled, one.batch.metrics):
            self.kept.write(batch)
            self.changed.add(batch.id)
        return batch

    def _compared(self, one: _Answers, truth: Mapping[int, Any]) -> Compared:
        model = self.models.of(one.batch.number)
        before = trained_on(model).reference.sample
        if before is None:
            return Compared(notices=(Notice("not-scored", "nothing is kept of how training was judged"),))
        rows = np.array(sorted(truth), dtype=int)
        names = [name for name in one.table.columns if name == PREDICTION or str(name).startswith(PROBA)]
        said = {str(name): one.table[name].to_numpy()[rows] for name in names}
        y = np.array([truth[row] for row in rows.tolist()])
        sample = sampled(predicted_rows(y, said, model.model.signature.classes), model.spec.trial.seed)
        return metric_drift(model, before, sample, declared_drift(model), Draws())

    def _say(self, code: str, message: str) -> None:
        if (notice := Notice(code, message)) not in self.notices:
            self.notices.append(notice)


def _own(table: pd.DataFrame, model: Opened) -> dict[int, Any]:
    """Return the labels that a batch came with."""
    target = str(model.spec.data.target)
    if target not in table.columns or table[target].isna().all():
        return {}
    present = np.flatnonzero(table[target].notna().to_numpy())
    _, y, _ = with_target(table.loc[present, [target]].reset_index(drop=True), model)
    return dict(zip(present.tolist(), np.asarray(y).tolist(), strict=True))


# --- who is told -------------------------------------------------------------------------------------------------


def _told(done: Joined, joining: _Joining, models: _Models) -> list[Notice]:
    """Tell those who want to know of metrics that are worse than they may be, once."""
    found: list[Notice] = []
    for batch in (one for one in done.batches if one.id in joining.changed):
        model = models.of(batch.number)
        spec: DriftSpec = declared_drift(model)
        worse = tuple(Drifted(DriftKind.METRIC, m.metric, say.metric(m)) for m in batch.metrics if m.drifted)
        report = replace(batch.report, findings=worse, metrics=batch.metrics, labelled=batch.labelled)
        with suppress(MlopsError):
            found += send(report, spec.alerts, model.workspace, see=f"mlops monitor show {joining.kept.name}")
    return list(dict.fromkeys(found))
