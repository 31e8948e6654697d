"""``mlops runs compare``: trials of recorded runs → who is better, and whether it is more than chance."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mlops_cli.analysis.aggregate import summarize
from mlops_cli.analysis.compare import compare as compare_contenders
from mlops_cli.analysis.pairable import OWN_METRIC, PARTING, SCORING, split_alike
from mlops_cli.analysis.params import winner_params
from mlops_cli.analysis.wording import names, sentence
from mlops_cli.errors import ConfigError, UsageError, did_you_mean
from mlops_cli.records import Contender, TrialState, of_task
from mlops_cli.store.index.fields import shared_params
from mlops_cli.workflows.runs.asked import config_leaves, own_metrics
from mlops_cli.workflows.runs.finding import look_up

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from mlops_cli.records import Comparison, MetricSummary, PairedDifference, Pairing, RunRecord, TrialResult


def compare_runs(refs: Sequence[str], *, metric: str | None = None, workspace: str | Path | None = None) -> Comparison:
    """Return trials of recorded runs against the first one.

    Parameters
    ----------
    refs : sequence of str
        At least two different ones, each of which counts once: ``RUN`` for a run's best trial, ``RUN#4`` for its trial
        number 4.
    metric : str, optional
        Compare by this one alone.
    workspace : str or Path, optional
        The workspace; the current folder's where not given.

    Raises
    ------
    UsageError
        Fewer than two different ones, no such trial, or a metric that none of them has.
    StoreError
        No run or several are meant.
    """
    if len(refs) < 2:
        raise UsageError(f"at least two runs are compared. Got {len(refs)} instead.", hint="mlops runs ls")
    contenders, repeated = _each_once(refs, workspace)
    if len(contenders) < 2:
        raise UsageError(repeated[0], hint="RUN#TRIAL names another trial of a sweep")
    _check_metric(metric, contenders)
    return replace(compare_contenders(contenders, metric), repeated=tuple(repeated))


def _each_once(refs: Sequence[str], workspace: str | Path | None) -> tuple[list[Contender], list[str]]:
    """Return the trials that are meant, and of those that are named again a sentence each."""
    letters, found, repeated = names(len(refs)), dict[tuple[str, int], Contender](), []
    for ref in refs:
        contender = _contender(letters[len(found)], ref, workspace)
        first = found.setdefault((contender.run, contender.trial), contender)
        if first is not contender:
            repeated.append(f"{ref} is trial {first.trial} of {first.run}, which is {first.name} already")
    return list(found.values()), repeated


def _check_metric(metric: str | None, contenders: Sequence[Contender]) -> None:
    known = list(dict.fromkeys(name for c in contenders for name in c.metrics))
    if metric is not None and metric not in known:
        raise UsageError(f"none of them has the metric {metric!r}", hint=did_you_mean(metric, known))


# --- one of them -------------------------------------------------------------------------------------------------


def _contender(name: str, ref: str, workspace: str | Path | None) -> Contender:
    run, number = _parted(ref)
    record, trials = look_up(run, with_trials=number is not None, workspace=workspace)
    if number is None:  # its best one by its scores, whereas a trial by its number was chosen by whoever asks
        return contender_of(name, record)
    leaves = _leaves(record)
    record = replace(record, params=winner_params(record, leaves))
    if record.best is not None and record.best.trial == number:
        return _best(name, record, leaves)
    return _trial(name, record, _found(record, trials, number), leaves)


def contender_of(name: str, record: RunRecord) -> Contender:
    """Return the best trial of a run, or of the run that a version is of, ready to be compared.

    Raises
    ------
    UsageError
        It has no scores.
    """
    leaves = _leaves(record)
    best = _best(name, replace(record, params=winner_params(record, leaves)), leaves)
    return replace(best, chosen_from=max(1, record.counts.completed))


def _parted(ref: str) -> tuple[str, int | None]:
    """Return the run and the trial that a reference names; a trial's number stands after the last ``#``."""
    run, mark, number = ref.rpartition("#")
    if not mark or "/" in number:  # a folder may have a # in its name
        return ref, None
    if not (number.isascii() and number.isdigit() and run):
        raise UsageError(f"{ref!r}: after # stands the number of a trial", hint=f"{run or 'latest'}#0")
    return run, int(number)


def _leaves(record: RunRecord) -> Mapping[str, Any]:
    try:
        return config_leaves(record)
    except ConfigError:  # scores can be compared all the same
        return {}


def _setting(leaves: Mapping[str, Any]) -> dict[str, Any]:
    known = {key: leaves[key] for key in (*PARTING, *SCORING) if key in leaves}
    return known | {OWN_METRIC + name: definition for name, definition in own_metrics(leaves).items()}


def _base(name: str, record: RunRecord, leaves: Mapping[str, Any]) -> Contender:
    """Return what all trials of a run have in common."""
    directions = dict(record.directions)
    if record.primary is not None and record.direction is not None:
        directions.setdefault(record.primary, record.direction)
    return Contender(
        name=name,
        label=record.id,
        run=record.id,
        trial=-1,
        metrics={},
        directions=directions,
        params={},
        primary=record.primary or "",
        splits=record.splits,
        data=record.dataset,
        setting=_setting(leaves),
        status=record.status,
        task=record.task,
    )


def _best(name: str, record: RunRecord, leaves: Mapping[str, Any]) -> Contender:
    if record.best is None or not record.metrics:
        raise UsageError(f"{record.id} has no scores: it is {record.status}", hint=f"mlops runs show {record.id}")
    params = of_task(record.params, record.task) or _of_trial(record, record.best.params, leaves)
    return replace(_base(name, record, leaves), trial=record.best.trial, metrics=record.metrics, params=params)


def _found(record: RunRecord, trials: Sequence[TrialResult], number: int) -> TrialResult:
    trial = next((t for t in trials if t.trial == number), None)
    if trial is None:
        last = f"0 to {trials[-1].trial}" if trials else "none"
        raise UsageError(f"{record.id} has no trial {number}", hint=f"its trials: {last}")
    if trial.state is not TrialState.COMPLETED:
        hint = f"mlops runs show {record.id}"
        raise UsageError(f"trial {number} of {record.id} has no scores: it is {trial.state}", hint=hint)
    return trial


def _trial(name: str, record: RunRecord, trial: TrialResult, leaves: Mapping[str, Any]) -> Contender:
    swept = record.best.params if record.best is not None else {}
    # The record tells the splits of the best trial: those of another one are known where it splits in the same way.
    splits = record.splits if split_alike(swept, trial.params) else None
    return replace(
        _base(name, record, leaves),
        label=f"{record.id}#{trial.trial}",
        trial=trial.trial,
        metrics={metric: _summary(scores) for metric, scores in trial.scores.items() if scores},
        params=_of_trial(record, trial.params, leaves),
        splits=splits,
    )


def _summary(scores: tuple[float, ...]) -> MetricSummary:
    return replace(summarize(scores, test_share=0.0), ci95=None)  # an interval takes the sizes of the splits


def _of_trial(record: RunRecord, own: Mapping[str, Any], leaves: Mapping[str, Any]) -> dict[str, Any]:
    """Return all parameters of a trial: its own, those that it shares with the best one, and the config's.

    Where the two chose different options of a group (``model=svm``), nothing that belongs to the other's is taken.
    """
    swept = record.best.params if record.best is not None else {}
    chosen = {key for key in {*swept, *own} if "." not in key and swept.get(key) != own.get(key)}
    configured = {
        key: leaves[key] for key in swept if key not in own and key in leaves and key.partition(".")[0] not in chosen
    }
    return {**shared_params(record, own), **configured, **own}


# --- for Python --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, repr=False)
class Compared:
    """Trials of runs against the first one.

    Parameters
    ----------
    found : Comparison
        All that is known of it.
    """

    found: Comparison

    def __repr__(self) -> str:
        labels = [f"{c.name}  {c.label}" for c in (self.found.first, *(p.other for p in self.found.pairings))]
        return "\n".join([*labels, *self.sentences])

    @property
    def sentences(self) -> tuple[str, ...]:
        """What each pair comes to by the primary metric."""
        return tuple(sentence(pairing, self.found) for pairing in self.found.pairings)

    @property
    def table(self) -> pd.DataFrame:
        """One row per pair and metric, shape (pairs × metrics, 12).

        Columns: ``metric``, ``first`` and ``other`` (labels), ``first_mean``, ``first_std``, ``other_mean``,
        ``other_std``, ``difference`` (other minus first), ``low`` and ``high`` (of its 95 % interval), ``p``,
        ``verdict`` (``unpaired`` where they cannot be paired).
        """
        import pandas as pd

        return pd.DataFrame([row for pairing in self.found.pairings for row in _rows(self.found.first, pairing)])


def _rows(first: Contender, pairing: Pairing) -> list[dict[str, Any]]:
    by_metric = {found.metric: found for found in pairing.differences}
    names_of = dict.fromkeys([*first.metrics, *pairing.other.metrics])
    return [_row(name, first, pairing.other, by_metric.get(name)) for name in names_of]


def _row(name: str, first: Contender, other: Contender, found: PairedDifference | None) -> dict[str, Any]:
    a, b = first.metrics.get(name), other.metrics.get(name)
    low, high = (found.ci95 if found is not None else None) or (None, None)
    return {
        "metric": name,
        "first": first.label,
        "other": other.label,
        "first_mean": a.mean if a is not None else None,
        "first_std": a.std if a is not None else None,
        "other_mean": b.mean if b is not None else None,
        "other_std": b.std if b is not None else None,
        "difference": found.difference if found is not None else None,
        "low": low,
        "high": high,
        "p": found.p if found is not None else None,
        "verdict": str(found.verdict) if found is not None else "unpaired",
    }
