"""What tasks without a table are measured by: the names that are known, and which end of each is the good one."""

from __future__ import annotations

import re

from mlops_cli.records import Direction

BUILT_IN = {"reinforcement": ("return", "length")}
"""What a task gives by itself: the mean return of an episode, and the mean number of its steps."""

ALL = {"reinforcement": ("return", "length", "episodes", "steps")}
"""All that a task can be measured by, where that is known: also how many episodes and steps were learned from."""

_LESS = re.compile(
    r"(^|_)(loss|error|err|rmse|mse|mae|mape|perplexity|cost|regret|time|latency|seconds|wer|cer|fid)($|_)"
)
_MORE = re.compile(
    r"(^|_)(accuracy|acc|f1|auc|roc_auc|precision|recall|r2|score|return|reward|success|iou|dice|bleu|rouge|map|ndcg|mcc"
    r"|likelihood|throughput)($|_)"
)


def direction_of(name: str) -> Direction | None:
    """Return the good end of a measure by its name; None where that does not say it.

    Examples
    --------
    >>> direction_of("valid_loss"), direction_of("accuracy"), direction_of("beta")
    (<Direction.MINIMIZE: 'minimize'>, <Direction.MAXIMIZE: 'maximize'>, None)
    """
    less, more = _LESS.search(name.lower()), _MORE.search(name.lower())
    if bool(less) == bool(more):
        return None
    return Direction.MINIMIZE if less else Direction.MAXIMIZE
