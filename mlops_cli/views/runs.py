"""Runs as tables: the summary at the end of one, the list, one in full."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from mlops_cli.records import RunStatus, TrialState
from mlops_cli.views.text import arrow, clean, interval, notice, number, params, plain, plural, seconds, spread

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from rich.console import RenderableType

    from mlops_cli.records import Notice, RunRecord, TrialResult

STATUS_STYLE = {
    RunStatus.RUNNING: "cyan",
    RunStatus.COMPLETED: "green",
    RunStatus.FAILED: "red",
    RunStatus.INTERRUPTED: "yellow",
}
STATE_STYLE = {TrialState.FAILED: "red", TrialState.LOST: "red", TrialState.PRUNED: "dim"}
TOP = 10
SHOWN_METRICS = 3
WIDE = 100


def table(*headers: str) -> Table:
    """Return an empty table in the one style that all have."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for header in headers:
        made.add_column(
            header.removeprefix(">"), justify="right" if header.startswith(">") else "left", overflow="fold"
        )
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
    blocks: list[RenderableType] = [headline(record)]
    if record.metrics:
        blocks += [Text(), scores(record)]
    if record.counts.trials > 1 and record.metrics:
        blocks += [Text(), leaderboard(record, trials)]
    if any(t.state.has_failed for t in trials):
        blocks += [Text(), *failed(trials, tracebacks=tracebacks)]
    elif record.error is not None:
        blocks += [Text(), plain(f"{record.error.type}: {record.error.message}", "red")]
    left = [w for w in record.warnings if w not in said]
    if left:
        blocks += [Text(), *(notice(w) for w in left)]
    return Group(*blocks)


def headline(record: RunRecord) -> Text:
    """Return one line: which run, how it stands, how many trials, how long."""
    counts = record.counts
    done = plural(counts.trials, "trial")
    if record.status is RunStatus.INTERRUPTED:
        done = f"{counts.completed + counts.failed + counts.pruned} of {done}"
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
        cells = [number(result.mean(n)) if complete else str(result.state) for n in names]
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
    scored = [t for t in trials if t.state is TrialState.COMPLETED]
    rest = sorted((t for t in trials if t.state is not TrialState.COMPLETED), key=lambda t: t.trial)
    return [*sorted(scored, key=lambda t: (sign * t.mean(primary), t.trial)), *rest]


def failed(trials: Sequence[TrialResult], *, tracebacks: bool = False) -> list[Text]:
    """Return why trials failed, each reason once with the trials that it took."""
    numbers: dict[str, list[TrialResult]] = {}
    for trial in trials:
        if trial.error is not None and trial.state.has_failed:
            reason = f"{trial.error.type}: {trial.error.message.splitlines()[0]}"
            numbers.setdefault(reason, []).append(trial)
    ordered = sorted(numbers.items(), key=lambda item: (-len(item[1]), item[0]))
    lines = [Text(f"{sum(map(len, numbers.values()))} of {plural(len(trials), 'trial')} failed:", style="red")]
    for reason, those in ordered:
        which = ", ".join(str(t.trial) for t in those[:TOP]) + (" …" if len(those) > TOP else "")
        what = "trial" if len(those) == 1 else "trials"
        lines.append(Text.assemble((f"  {len(those)} × ", "red"), clean(reason), (f"  {what} {which}", "dim")))
        if tracebacks and those[0].error is not None:
            lines += [plain(f"    {line}", "dim") for line in those[0].error.traceback.splitlines()]
    if not tracebacks and any(t.error is not None and t.error.traceback for t in trials):
        lines.append(Text("  --verbose shows where", style="dim"))
    return lines


def listing(records: Sequence[RunRecord], *, width: int = 80) -> Table:
    """Return runs as rows, newest first; in a narrow terminal without the winner's parameters.

    Parameters
    ----------
    records : sequence of RunRecord
        The runs.
    width : int
        Columns of the terminal.
    """
    wide = width >= WIDE
    made = table("run", "status", ">trials", "score", *(["best"] if wide else []))
    made.columns[0].no_wrap = True  # an id that is broken over two lines cannot be copied
    for record in records:
        found = record.metrics.get(record.primary or "")
        value = "-" if found is None else spread(found) if wide else number(found.mean)
        score = f"{clean(record.primary or '')} {value}".strip()
        best = [Text(params(record.best.params)) if record.best is not None else "-"] if wide else []
        status = Text(str(record.status), style=STATUS_STYLE[record.status])
        made.add_row(plain(record.id), status, _trials(record), score, *best)
    return made


def _trials(record: RunRecord) -> str:
    """Return how many trials a run has; of one that did not end, how many of those that it was to have."""
    counts = record.counts
    if record.status is not RunStatus.INTERRUPTED:
        return str(counts.trials)
    return f"{counts.completed + counts.failed + counts.pruned}/{counts.trials}"


def page(record: RunRecord, trials: Sequence[TrialResult], *, tracebacks: bool = False) -> RenderableType:
    """Return everything about one run."""
    return Group(summary(record, trials, tracebacks=tracebacks), Text(), facts(record))


def facts(record: RunRecord) -> RenderableType:
    """Return where the run came from: data, code, environment, files."""
    made = Table.grid(padding=(0, 2))
    made.add_column(style="dim", no_wrap=True)
    made.add_column(overflow="fold")
    for label, value in _facts(record):
        made.add_row(label, plain(value))
    return Padding(made, (0, 0, 0, 0))


def _facts(record: RunRecord) -> list[tuple[str, str]]:
    found = [("task", str(record.task)), ("seed", str(record.seed)), ("started", record.started)]
    if record.description:
        found.insert(0, ("about", record.description))
    if record.note:
        found.append(("note", record.note))
    if record.tags:
        found.append(("tags", " ".join(f"{k}={v}" for k, v in record.tags.items())))
    if record.dataset is not None:
        size = f"{plural(record.dataset.rows, 'row')} × {plural(len(record.dataset.columns), 'column')}"
        found.append(("data", f"{record.dataset.source}  {size}  {record.dataset.version[:12]}"))
    if record.git.commit:
        found.append(
            ("code", record.git.commit[:12] + (", uncommitted changes in source.diff" if record.git.dirty else ""))
        )
    python = record.environment.get("python")
    if python:
        found.append(("python", str(python)))
    return [*found, ("fingerprint", record.fingerprint[:12]), ("files", str(record.path))]


def next_steps(record: RunRecord, *, nothing: str | None = None) -> list[str]:
    """Return where the run is and the command that comes next; or why nothing was done."""
    where = f"in {clean(record.path)}"
    if nothing is not None:
        return [where, nothing]
    if record.status is RunStatus.INTERRUPTED:
        done = plural(record.counts.completed, "finished trial")
        kept = f"interrupted: {done} {'is' if record.counts.completed == 1 else 'are'} kept"
        return [where, f"{kept}; mlops resume {record.id} runs the others"]
    return [where, f"next: mlops runs show {record.experiment}:latest"]
