"""How a run is spoken of, by what its task learns from: the one place that decides these terms."""

from __future__ import annotations

from dataclasses import dataclass, replace

from mlops_cli.records.base import Task


@dataclass(frozen=True)
class Terms:
    """What the parts of a run are called; where nothing else is said, those of a task with a table."""

    part: str = "split"  # what a trial has one score of each metric on
    fit: str = "fit"  # what is done once for each part of each trial
    fit_s: str = "fit s"  # the head of a column: how long that took
    apart: str = "split otherwise or read other data"  # why scores cannot be paired
    unlike: str = "are not of the same rows"  # parts of the same number, in runs that cannot be paired
    unknown: str = "how the rows of {name} were split"  # what a run that was killed does not tell
    several: str = "split=kfold split.n_splits=5"  # what gives enough parts to tell a difference from chance
    more: str = "splits or rows"  # what there may be more of to that end
    fresh: str = "scores of held-out rows (evaluation.test)"  # what luck in choosing a trial has no part in
    test: str = "corrected resampled t-test (Nadeau & Bengio)"  # that judges paired differences
    draws: str = "an estimator that draws without random_state"  # why the same may not come out again
    no_curve: str = "the fits of this run left no curve: they do not go step by step, or tell nothing of it"
    predicting: str = "predicting with the winner"  # the step of a run that has what the winner made
    saving: str = "saving the model"  # the step of a run that keeps it


OF_TABLE = Terms()
"""Where nothing is known of the task."""

OF_REPETITIONS = Terms(
    part="repetition",
    fit="repetition",
    fit_s="took s",
    apart="repeated otherwise or did something else",
    unlike="are not of the same work by the same seed",
    unknown="by which seeds {name} was repeated",
    several="evaluation.repetitions=5",
    more="repetitions",
    fresh="scores by other seeds (seed=1000)",
    test="paired t-test",  # what the corrected one comes to where no two parts share anything
    draws="a script that draws without its seed",
    no_curve="nothing was logged step by step: run.log(step, loss=…), or lines such as step=1 loss=0.5",
    predicting="running the best trial again for its files",
    saving="keeping the files of the best trial",
)
"""Of a task that is repeated where others are split."""

_REINFORCEMENT = replace(
    OF_REPETITIONS,
    draws="an agent or an environment that draws without its seed",
    no_curve="the agents were evaluated once, at the end: training.evaluate_every=100 gives a curve",
    predicting="training the agents of the best trial again",
    saving="keeping the agents of the best trial",
)


def terms_of(task: Task | None) -> Terms:
    """Return how a run of a task is spoken of; one whose task is not known as one with a table.

    Examples
    --------
    >>> terms_of(Task.REGRESSION).part, terms_of(Task.SCRIPT).part, terms_of(None).fit
    ('split', 'repetition', 'fit')
    """
    if task is None or task.has_table:
        return OF_TABLE
    return _REINFORCEMENT if task is Task.REINFORCEMENT else OF_REPETITIONS
