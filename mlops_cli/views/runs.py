"""Runs as tables: the summary at the end of one, the list, one in full."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from mlops_cli.analysis.aggregate import failures
from mlops_cli.records import RunStatus, TrialState
from mlops_cli.views.baselines import against_baselines
from mlops_cli.views.text import arrow, clean, interval, notice, number, params, plain, plural, seconds, spread

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from rich.console import RenderableType

    from mlops_cli.records import Notice, RunRecord, TrialResult

STATUS_STYLE = {
    RunStatus.RUNNING: "cyan",
    RunStatus.COMPLETED: "green",
    RunStatus.FAILED: "red",
    RunStatus.INTERRUPTED: "magenta",  # yellow is lost on white
}
STATE_STYLE = {TrialState.FAILED: "red", TrialState.LOST: "red", TrialState.PRUNED: "dim"}
TOP = 10
SHOWN_METRICS = 3
MOST_KINDS = 20
"""Reasons for which trials failed that are told one by one."""


def table(*headers: str) -> Table:
    """Return an empty table in the one style that all have."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for header in headers:
        justify: Literal["left", "right"] = "right" if header.startswith(">") else "left"
        made.add_column(plain(header.removeprefix(">")), justify=justify, overflow="fold")
    return made


def summary(
    record: RunRecord, trials: Sequence[TrialResult], *, said: Collection[Notice] = (), tracebacks: bool = False
) -> RenderableType:
    """Return what a run comes to: its scores, the leaderboard of a sweep, failures, warnings.

    Parameters
    ----------
    record : RunRecord
        The run.
    trials : sequence of TrialResult
        Its trials.
    said : collection of Notice
        Warnings that were shown before.
    tracebacks : bool
        Show one of each reason that trials failed for.
    """
    return Group(*results(record, trials), *troubles(record, trials, said=said, tracebacks=tracebacks))


def results(record: RunRecord, trials: Sequence[TrialResult]) -> list[RenderableType]:
    """Return what a run came to: its scores, and the leaderboard of a sweep."""
    blocks: list[RenderableType] = [headline(record)]
    if record.metrics:
        blocks += [Text(), scores(record)]
    if record.baselines:
        blocks += [Text(), *map(plain, against_baselines(record))]
    if record.counts.trials > 1 and record.metrics:
        blocks += [Text(), leaderboard(record, trials)]
    return blocks


def troubles(
    record: RunRecord, trials: Sequence[TrialResult], *, said: Collection[Notice] = (), tracebacks: bool = False
) -> list[RenderableType]:
    """Return what went wrong, and what is worth saying of the data and the fits."""
    blocks: list[RenderableType] = []
    if any(t.state.has_failed for t in trials):
        blocks += [Text(), *failed(trials, tracebacks=tracebacks)]
    elif record.error is not None:
        blocks += [Text(), plain(record.error.text, "red")]
    left = [w for w in record.warnings if w not in said]
    if left:
        blocks += [Text(), *(notice(w) for w in left)]
    return blocks


def headline(record: RunRecord) -> Text:
    """Return one line: which run, how it stands, how many trials, how long."""
    counts = record.counts
    done = plural(counts.trials, "trial")
    if record.status is RunStatus.INTERRUPTED:
        done = f"{counts.ended} of {done}"
    if record.counts.failed:
        done += f", {record.counts.failed} failed"
    if record.counts.pruned:
        done += f", {record.counts.pruned} pruned"
    if record.counts.reused:
        done += f", {record.counts.reused} reused"
    return Text.assemble(
        (clean(record.id), "bold"),
        "  ",
        (str(record.status), STATUS_STYLE[record.status]),
        f"  {done}  {seconds(record.duration_s)}",
    )


def scores(record: RunRecord) -> Table:
    """Return the metrics of the best trial with their spread."""
    made = table("metric", ">mean ± std", ">95 % interval", *([">test"] if _has_test(record) else []))
    for name, item in record.metrics.items():
        label = Text(clean(name), style="bold" if name == record.primary else "")
        label.append(f" {arrow(record.direction)}" if name == record.primary else "")
        test = [number(item.test)] if _has_test(record) else []
        made.add_row(label, spread(item), interval(item), *test)
    return made


def _has_test(record: RunRecord) -> bool:
    return any(item.test is not None for item in record.metrics.values())


def leaderboard(record: RunRecord, trials: Sequence[TrialResult], *, top: int | None = TOP) -> RenderableType:
    """Return the trials, best first; those without scores come last."""
    names = list(record.metrics)[:SHOWN_METRICS]
    made = table(">trial", *(f">{n}" for n in names), "params")
    ranked = rank(record, trials)
    for result in ranked[:top]:
        complete = result.state is TrialState.COMPLETED
        cells = [
            number(result.mean(n) if n in result.scores else None) if complete else str(result.state) for n in names
        ]
        best = record.best is not None and result.trial == record.best.trial
        style = "bold" if best else STATE_STYLE.get(result.state, "")
        front = "*" if result.trial in record.front else ""
        made.add_row(f"{front}{result.trial}", *cells, Text(params(result.params)), style=style)
    if record.front:
        of = " and ".join(clean(name) for name in record.objectives)
        made.caption = Text(f"* on the front: no other trial is better in {of} together", style="dim")
    left = len(ranked) - (top or len(ranked))
    return Group(made, plain(f"… and {plural(left, 'more trial')} in trials.csv", "dim")) if left > 0 else made


def rank(record: RunRecord, trials: Sequence[TrialResult]) -> list[TrialResult]:
    """Return the trials, best by the primary metric first."""
    primary = record.primary or ""
    sign = -1 if str(record.direction) == "maximize" else 1

    def place(trial: TrialResult) -> tuple[bool, float, int]:
        mean = trial.mean(primary)
        ranked = trial.state is TrialState.COMPLETED and not math.isnan(mean)
        return trial.state is not TrialState.COMPLETED, sign * mean if ranked else math.inf, trial.trial

    return sorted(trials, key=place)


def failed(trials: Sequence[TrialResult], *, tracebacks: bool = False) -> list[Text]:
    """Return why trials failed, each reason once with the trials that it took."""
    kinds = failures(trials)
    count = sum(trial.state.has_failed for trial in trials)
    lines = [Text(f"{count} of {plural(len(trials), 'trial')} failed" + (":" if kinds else ""), style="red")]
    for reason, those in kinds[:MOST_KINDS]:
        which = ", ".join(str(t.trial) for t in those[:TOP]) + (" …" if len(those) > TOP else "")
        what = "trial" if len(those) == 1 else "trials"
        lines.append(Text.assemble((f"  {len(those)} × ", "red"), clean(reason), (f"  {what} {which}", "dim")))
        if tracebacks and those[0].error is not None:
            lines += [plain(f"    {line}", "dim") for line in those[0].error.traceback.splitlines()]
    if len(kinds) > MOST_KINDS:
        lines.append(Text(f"  … and {plural(len(kinds) - MOST_KINDS, 'more kind')}, in trials.csv", style="dim"))
    if not tracebacks and any(t.error is not None and t.error.traceback for t in trials):
        lines.append(Text("  --verbose shows where", style="dim"))
    return lines


def next_steps(record: RunRecord, *, nothing: str | None = None, earlier: str | None = None) -> list[str]:
    """Return where the run is and what comes next, a command a line; or why nothing was done.

    Parameters
    ----------
    record : RunRecord
        A run that has ended.
    nothing : str, optional
        Why nothing was done, if so.
    earlier : str, optional
        The id of a run of the same experiment before this one.
    """
    where = f"in {clean(record.path)}"
    if nothing is not None:
        return [where, nothing]
    steps = _steps(record, None if earlier is None else _short(earlier))
    wide = max(len(command) for command, _ in steps)
    return [where, *(f"{'next:' if not i else '':5} {steps[i][0]:{wide}}  {steps[i][1]}" for i in range(len(steps)))]


def _steps(record: RunRecord, earlier: str | None) -> list[tuple[str, str]]:
    """Return at most two commands, the most useful one first, and what they do."""
    run, counts = _short(record.id), record.counts
    if record.status is RunStatus.INTERRUPTED:
        kept = plural(counts.completed, "finished trial")
        return [(f"mlops resume {run}", f"keeps {kept}, runs the others")]
    if counts.failed:
        again = (f"mlops resume {run} --retry-failed", "runs them again")
        why = (f"mlops runs show {run} --verbose", "shows where trials failed")
        return [why, again] if counts.lost < counts.failed else [(again[0], "runs the lost trials again"), why]
    steps = [(f"mlops runs compare {earlier} {run}", "is it better than the run before?")] if earlier else []
    return [*steps, (f"mlops report {run}", "writes all there is to see as one page")]


def _short(run_id: str) -> str:
    """Return the end of a run's id, which is enough to name it."""
    return run_id.rpartition("-")[2]
