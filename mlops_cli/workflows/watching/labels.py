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
from mlops_cli.errors import DataError, MlopsError, StoreError, UsageError
from mlops_cli.records import Action, Drifted, DriftKind, Notice
from mlops_cli.store.audit import AuditLog
from mlops_cli.views.text import plural
from mlops_cli.workflows.applying.incoming import opened
from mlops_cli.workflows.applying.labelled import with_target
from mlops_cli.workflows.data.tables import HowRead
from mlops_cli.workflows.watching.alerts import send
from mlops_cli.workflows.watching.drift import declared_drift
from mlops_cli.workflows.watching.history import batches_of
from mlops_cli.workflows.watching.label_file import as_keys, contradiction, read_labels
from mlops_cli.workflows.watching.metrics import Compared, Draws, metric_drift
from mlops_cli.workflows.watching.reference import predicted_rows
from mlops_cli.workflows.watching.trained import trained_on

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from mlops_cli.records import Batch
    from mlops_cli.store.batches import Batches
    from mlops_cli.workflows.applying.incoming import Opened
    from mlops_cli.workflows.watching.label_file import Labels


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
    before: tuple[Batch, ...] = ()  # the same as they were
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
        read = read_labels(labels, column, models.reading(chosen), asked.how)
        joining = _Joining(kept, models, read)
        answers = [joining.answers(batch) for batch in chosen]
        done = joining.settle([one for one in answers if one is not None])
    if not asked.alerts:
        return done
    return replace(done, notices=(*done.notices, *_told(done, models)))


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


# --- joining -----------------------------------------------------------------------------------------------------


@dataclass
class _Joining:
    """Labels on their way to the batches."""

    kept: Batches
    models: _Models
    read: Labels
    notices: list[Notice] = field(default_factory=list)

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
        touched = [one for one in answers if any(key in self.read.by_id for key in one.ids)]
        if not touched:
            raise self._strange(answers)
        matched = len({key for one in answers for key in one.ids} & self.read.by_id.keys())
        self._say_of(answers, matched)
        said = {"labels": self.read.called, "batches": [one.batch.id for one in touched], "rows": matched}
        AuditLog(self.kept.workspace).append(Action.WATCHED, self.kept.name, said)
        made = [self._scored(one) for one in touched]
        new = sum(batch.labelled - len(one.truth(one.later)) for batch, one in zip(made, touched, strict=True))
        return Joined(
            model=self.kept.name,
            labels=self.read.called,
            rows=len(self.read.by_id),
            matched=matched,
            new=new,
            batches=tuple(made),
            before=tuple(one.batch for one in touched),
            notices=(*self.read.notices, *self.notices),
        )

    def _refuse_contradictions(self, answers: Sequence[_Answers]) -> None:
        against = []
        for one in answers:
            before = one.truth(one.later)
            for row, key in enumerate(one.ids):
                label = self.read.by_id.get(key)
                if row in before and label is not None and before[row] != label:
                    against.append(f"{key} in {one.batch.name}: {before[row]} was known, and now {label}")
        if against:
            hint = "mlops monitor rm takes a batch away, and mlops monitor log begins it anew"
            raise contradiction(f"{plural(len(against), 'label')} against what is known", against, hint)

    def _strange(self, answers: Sequence[_Answers]) -> DataError:
        """Return the error for labels of which none belongs to a row of any batch."""
        given, known = list(self.read.by_id)[:3], [one.ids[0] for one in answers if one.ids][:3]
        told = f"the labels have ids such as {', '.join(given)}, and batches {', '.join(known) or 'none'}; --id COLUMN"
        return DataError(f"{self.read.called}: no label belongs to a row of a batch of {self.kept.name}", hint=told)

    def _say_of(self, answers: Sequence[_Answers], matched: int) -> None:
        if unknown := len(self.read.by_id) - matched:
            self._say("unknown-ids", f"{unknown:,} of {plural(len(self.read.by_id), 'id')} in no batch")
        for one in answers:
            twice = len(one.ids) - len(set(one.ids))
            if twice and any(key in self.read.by_id for key in one.ids):
                self._say(
                    "ids-twice",
                    f"{one.batch.name}: {plural(twice, 'row')} with the id of another, and so with its label too",
                )

    def _scored(self, one: _Answers) -> Batch:
        """Keep the labels of a batch, and what its metrics are by them."""
        own = {key: self.read.by_id[key] for key in one.ids if key in self.read.by_id}
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


def _told(done: Joined, models: _Models) -> list[Notice]:
    """Tell those who want to know of metrics that are worse than they may be, of each batch once."""
    found: list[Notice] = []
    for before, batch in zip(done.before, done.batches, strict=True):
        worse, known = ([m for m in one.metrics if m.drifted] for one in (batch, before))
        fresh = {m.metric for m in worse} - {m.metric for m in known}
        if fresh or (not worse and _scores(batch) != _scores(before)):
            findings = tuple(Drifted(DriftKind.METRIC, m.metric, say.metric(m)) for m in worse if m.metric in fresh)
            found += _sent(replace(batch, report=replace(batch.report, findings=findings)), models)
    return list(dict.fromkeys(found))


def _scores(batch: Batch) -> tuple[object, ...]:
    return batch.labelled, batch.metrics


def _sent(batch: Batch, models: _Models) -> tuple[Notice, ...]:
    report = replace(batch.report, metrics=batch.metrics, labelled=batch.labelled)
    with suppress(MlopsError):
        model = models.of(batch.number)
        see = f"mlops monitor show {batch.model}"
        return send(report, declared_drift(model).alerts, model.workspace, see=see)
    return ()
