"""Whether the scores of two trials were taken on the same rows in the same way; if not, what differs and its mend.

Pure and plain Python.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from mlops_cli.components.commands import program_of
from mlops_cli.records import RunStatus, terms_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mlops_cli.records import Contender

REACH = (
    "data.forecast.horizon",
    "data.forecast.lags",
    "data.forecast.differences",
    "data.forecast.rolling.window",
    "data.forecast.by",
)
"""Of these, those by which a row of a series needs so much past that the first ones are left out."""

PARTING = ("data.target", "data.missing_target", "data.group", "data.time", "evaluation.test", *REACH)
"""Keys of a config, besides ``split`` and ``seed``, that say which rows stand in which part."""

SCORING = ("data.positive", "data.weight")
"""Keys that change what every score means on the same rows."""

OWN_METRIC = "evaluation.metrics."
"""What stands before the name of a metric of the user's own: one name may mean two things."""

WORK = ("env", "script", "command")
"""Sections of a config that say what is done where no table is read: other work gives other scores."""

_ABSENT = object()


def shared_metrics(first: Contender, other: Contender) -> list[str]:
    """Return the metrics that two contenders have on the same splits, and mean the same by."""
    return [
        name
        for name, summary in first.metrics.items()
        if name in other.metrics
        and first.directions.get(name) is not None
        and first.directions.get(name) is other.directions.get(name)
        and first.setting.get(OWN_METRIC + name) == other.setting.get(OWN_METRIC + name)
        and summary.splits
        and len(summary.splits) == len(other.metrics[name].splits)
    ]


def obstacle(first: Contender, other: Contender, metric: str | None = None) -> str:
    """Return why two contenders cannot be paired, with the mend; nothing where they can.

    Parameters
    ----------
    first, other : Contender
        Called by their names.
    metric : str, optional
        The one that they are to be compared by.
    """
    if not _same_rows(first, other):
        return _parted(first, other)
    scored = {k: (a, b) for k in SCORING if (a := first.setting.get(k)) != (b := other.setting.get(k))}
    scored |= _other_work(first.params, other.params)
    if scored:
        return f"{_named(scored, first, other)}, so their scores do not mean the same; {_mend(scored, other)}"
    return _no_metric(first, other, metric)


def _no_metric(first: Contender, other: Contender, metric: str | None) -> str:
    shared = shared_metrics(first, other)
    if (metric is None and shared) or metric in shared:
        return ""
    wanted = [metric] if metric is not None else sorted({*first.metrics} & {*other.metrics})
    both = [name for name in wanted if name in first.metrics and name in other.metrics]
    endless = [name for name in both if not any(name in c.directions for c in (first, other))]
    if endless:
        return f"neither end of {', '.join(endless)} is said to be the good one; compare by another metric"
    if both:
        return f"they mean different things by {', '.join(both)}; give one of them another name"
    has = " and ".join(f"{c.name} has {', '.join(c.metrics) or 'none'}" for c in (first, other))
    lacking = [metric] if metric is not None else list(first.metrics)
    return f"they share no metric: {has}; run {other.name} again with evaluation.metrics=[{','.join(lacking)}]"


# --- rows --------------------------------------------------------------------------------------------------------


def split_alike(*params: Mapping[str, object]) -> bool:
    """Whether trials of one run have the same splits: what they have of ``split`` and ``seed`` is equal."""
    parts = [{k: v for k, v in swept.items() if k.partition(".")[0] in {"split", "seed"}} for swept in params]
    return all(a == b for a, b in pairwise(parts))


def known_share(contender: Contender) -> float | None:
    """Return the test rows per training row of a contender's splits; None where nothing tells.

    Of trials whose splits are not recorded, those of a run that was killed for one, the parameters tell: of k folds one
    is tested on, of a hold-out its share.
    """
    if contender.splits is not None:
        return contender.splits.test_share
    if contender.task is not None and not contender.task.has_table:
        return 0.0  # repetitions share nothing
    params = contender.params
    classes = [str(v) for k, v in params.items() if k.startswith("split._target_")]
    folds, share = params.get("split.n_splits"), params.get("split.test_size")
    if classes and all(name.endswith("KFold") for name in classes) and isinstance(folds, int) and folds > 1:
        return 1 / (folds - 1)
    return share / (1 - share) if isinstance(share, float) and 0 < share < 1 else None


def work_alike(*params: Mapping[str, object]) -> bool:
    """Whether trials that read no table did the same work: in one environment, by one script or program."""
    return not any(_other_work(a, b) for a, b in pairwise(params))


def _other_work(a: Mapping[str, Any], b: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return what two did otherwise, by key; what a program is told is no other work."""
    keys = [key for key in {**a, **b} if key.partition(".")[0] in WORK]
    differing = _differing(a, b, keys)
    if "command" not in differing or _ABSENT in differing["command"]:
        return differing
    one, two = map(_program, differing.pop("command"))
    return differing if one == two else {**differing, "command": (one, two)}


def _program(command: Any) -> str:
    try:
        return " ".join(program_of(command))
    except (TypeError, ValueError, AttributeError):  # a record of others may say anything
        return str(command)


def _repeats(contender: Contender) -> bool:
    return known_share(contender) == 0


def _knows_work(contender: Contender) -> bool:
    """Whether all is known that a trial without a table did: a run that was killed knows what was swept alone."""
    return "seed" in contender.params and any(key.partition(".")[0] in WORK for key in contender.params)


def _reseeded(first: Contender, other: Contender) -> dict[str, tuple[Any, Any]]:
    counts = [max((len(m.splits) for m in c.metrics.values()), default=0) for c in (first, other)]
    often = {"evaluation.repetitions": (counts[0], counts[1])} if counts[0] != counts[1] else {}
    seeds = _differing(first.params, other.params, ["seed"])
    return {key: pair for key, pair in seeds.items() if _ABSENT not in pair} | often


def _same_rows(first: Contender, other: Contender) -> bool:
    if _repeats(first) and _repeats(other):
        if first.task is not other.task or _reseeded(first, other):
            return False
        if first.run == other.run or (_knows_work(first) and _knows_work(other)):
            return True  # whatever else differs is said by its key
    if first.splits is not None and other.splits is not None:
        return first.splits.digest == other.splits.digest
    return first.run == other.run and split_alike(first.params, other.params) and known_share(first) is not None


def _parted(first: Contender, other: Contender) -> str:
    """Return what made the rows of their splits differ, or whose splits are not known."""
    repeated = [c for c in (first, other) if _repeats(c)]
    if repeated:
        return _repeated(first, other, repeated)
    unknown = next((c for c in (first, other) if c.splits is None), None)
    if unknown is not None:
        return _settled(first, other) or _unknown(unknown)
    if first.data is not None and other.data is not None and first.data.version != other.data.version:
        return f"their data differs: {_data(first)}, {_data(other)}; run both on the same data"
    differing = _asked(first, other)
    nothing = (None, _ABSENT)
    reaching = {
        key: (a, b) for key, (a, b) in differing.items() if key in REACH and not (a in nothing and b in nothing)
    }
    rest = {key: pair for key, pair in differing.items() if key not in REACH}
    if reaching and (not rest or _rows(first) != _rows(other)):
        return _of_series(reaching, first, other)
    if rest:
        return f"their rows were split differently: {_named(rest, first, other)}; {_mend(rest, other)}"
    counts = _counts(first, other)
    return f"their rows were split differently ({counts}), though their configs say the same; run both again"


def _repeated(first: Contender, other: Contender, repeated: list[Contender]) -> str:
    """Return why what two tasks without a table did cannot be paired, or that one of the two has a table."""
    if len(repeated) == 1:
        return f"{repeated[0].name} reads no table, and the other one learned from one"
    if first.task is not other.task:
        return f"{first.name} is of task {first.task} and {other.name} of task {other.task}; compare runs of one task"
    if reseeded := _reseeded(first, other):
        return f"they were repeated otherwise: {_named(reseeded, first, other)}; {_mend(reseeded, other)}"
    unknown = next((c for c in (first, other) if c.splits is None), None)
    if unknown is not None:
        return _unknown(unknown)
    return (
        f"they do not repeat the same thing by the same seeds; run {other.name} again with the config of {first.name}"
    )


def _of_series(reaching: Mapping[str, tuple[Any, Any]], first: Contender, other: Contender) -> str:
    """Return that rows see another past, with the mend: the same one, of which a step leaves columns out."""
    told = ", ".join(
        f"{key} is {_word(a)} in {first.name} and {_word(b)} in {other.name}" for key, (a, b) in reaching.items()
    )
    has = f" ({_counts(first, other)}, those with a whole past)" if _rows(first) != _rows(other) else ""
    mend = f"run {other.name} again with data.forecast as in {first.name}"
    if {*reaching} - {"data.forecast.horizon"}:
        mend += ", and leave columns out by a step: transforms.away={_target_: drop, columns: …}"
    return f"their rows were split differently{has}: {told}; {mend}"


def _counts(first: Contender, other: Contender) -> str:
    return f"{first.name} has {_splits(first)}{_rows(first)}, {other.name} {_splits(other)}{_rows(other)}"


def _rows(contender: Contender) -> str:
    rows = None if contender.splits is None else contender.splits.rows
    return "" if rows is None else f" of {rows:,} rows"


def _asked(first: Contender, other: Contender) -> dict[str, tuple[Any, Any]]:
    keys = _split_keys(first, other)
    return _differing(first.params, other.params, keys) | _differing(first.setting, other.setting, PARTING)


def _settled(first: Contender, other: Contender) -> str:
    """Return what both say otherwise; what one of them says nothing of is no reason."""
    asked = _asked(first, other)
    differing = {key: pair for key, pair in asked.items() if _ABSENT not in pair and key not in REACH}
    if not differing:
        return ""
    return f"their rows were split differently: {_named(differing, first, other)}; {_mend(differing, other)}"


def _unknown(contender: Contender) -> str:
    mend = {
        RunStatus.INTERRUPTED: f"mlops resume {contender.run}",
        RunStatus.RUNNING: "wait for it to end",
    }.get(contender.status, f"run {contender.name} again with --force")
    return f"nothing tells {terms_of(contender.task).unknown.format(name=contender.name)}; {mend}"


def _splits(contender: Contender) -> str:
    if contender.splits is None:
        return "none"
    return f"{contender.splits.count} split" + ("" if contender.splits.count == 1 else "s")


def _data(contender: Contender) -> str:
    if contender.data is None:
        return f"{contender.name} has none"
    return (
        f"{contender.name} has {contender.data.source} {contender.data.version[:8]} with {contender.data.rows:,} rows"
    )


def _split_keys(first: Contender, other: Contender) -> list[str]:
    """Return the keys of ``split`` and ``seed``, without those that only follow from another one."""
    keys = [k for k in {**first.params, **other.params} if k == "seed" or k.partition(".")[0] == "split"]
    follows = "split.random_state"
    if all(c.params.get(follows) == c.params.get("seed") for c in (first, other)):
        keys = [k for k in keys if k != follows]
    if first.params.get("split") != other.params.get("split"):  # the option's name says what its class would
        keys = [k for k in keys if not k.startswith("split._target_")]
    return keys


def _differing(a: Mapping[str, Any], b: Mapping[str, Any], keys: Iterable[str]) -> dict[str, tuple[Any, Any]]:
    pairs = {key: (a.get(key, _ABSENT), b.get(key, _ABSENT)) for key in keys}
    return {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}


def _named(differing: Mapping[str, tuple[Any, Any]], first: Contender, other: Contender) -> str:
    both = [(key, a, b) for key, (a, b) in differing.items() if _ABSENT not in (a, b)] or [
        (key, a, b) for key, (a, b) in differing.items()
    ]
    return ", ".join(f"{key} is {_word(a)} in {first.name} and {_word(b)} in {other.name}" for key, a, b in both)


def _mend(differing: Mapping[str, tuple[Any, Any]], other: Contender) -> str:
    asked = [f"{key}={_word(a)}" for key, (a, b) in differing.items() if _ABSENT not in (a, b) and key != "command"]
    section = next(iter(differing)).partition(".")[0]
    same = f"the same {section if section in WORK else 'split'}"
    return f"run {other.name} again with {' '.join(asked) or same}"


def _word(value: Any) -> str:
    if value is _ABSENT:
        return "not there"
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)
