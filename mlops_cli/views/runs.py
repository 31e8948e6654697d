"""Runs as tables: the summary at the end of one, the list, one in full."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from mlops_cli.analysis.aggregate import failures
from mlops_cli.records import RunStatus, TrialState
from mlops_cli.views.text import arrow, clean, interval, notice, number, params, plain, plural, seconds, spread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from mlops_cli.records import RunRecord, TrialResult

STATUS_STYLE = {
    RunStatus.RUNNING: "cyan",
    RunStatus.COMPLETED: "green",
    RunStatus.FAILED: "red",
    RunStatus.INTERRUPTED: "yellow",
}
STATE_STYLE = {TrialState.FAILED: "red", TrialState.LOST: "red", TrialState.PRUNED: "dim"}
TOP = 10
SHOWN_METRICS = 3


def table(*headers: str) -> Table:
    """Return an empty table in the one style that all have."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for header in headers:
        made.add_column(
            header.removeprefix(">"), justify="right" if header.startswith(">") else "left", overflow="fold"
        )
    return made


def summary(record: RunRecord, trials: Sequence[TrialResult]) -> RenderableType:
    """Return what a run comes to: its scores, the leaderboard of a sweep, failures, warnings, where it is."""
    blocks: list[RenderableType] = [headline(record)]
    if record.metrics:
        blocks += [Text(), scores(record)]
    if record.counts.trials > 1:
        blocks += [Text(), leaderboard(record, trials)]
    blocks += [Text(), *failed(trials)] if record.counts.failed else []
    if record.error is not None:
        blocks += [Text(), plain(f"{record.error.type}: {record.error.message}", "red")]
    if record.warnings:
        blocks += [Text(), *(notice(w) for w in record.warnings)]
    return Group(*blocks)


def headline(record: RunRecord) -> Text:
    """Return one line: which run, how it stands, how many trials, how long."""
    done = plural(record.counts.trials, "trial")
    if record.counts.failed:
        done += f", {record.counts.failed} failed"
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
        cells = [number(result.mean(n)) if result.scores else str(result.state) for n in names]
        best = record.best is not None and result.trial == record.best.trial
        style = "bold" if best else STATE_STYLE.get(result.state, "")
        made.add_row(str(result.trial), *cells, Text(params(result.params)), style=style)
    left = len(ranked) - (top or len(ranked))
    return Group(made, plain(f"… and {plural(left, 'more trial')} in trials.csv", "dim")) if left > 0 else made


def rank(record: RunRecord, trials: Sequence[TrialResult]) -> list[TrialResult]:
    """Return the trials, best by the primary metric first."""
    primary = record.primary or ""
    sign = -1 if str(record.direction) == "maximize" else 1
    scored = [t for t in trials if t.state is TrialState.COMPLETED]
    rest = sorted((t for t in trials if t.state is not TrialState.COMPLETED), key=lambda t: t.trial)
    return [*sorted(scored, key=lambda t: (sign * t.mean(primary), t.trial)), *rest]


def failed(trials: Sequence[TrialResult]) -> list[Text]:
    """Return why trials failed, each reason once with its count."""
    reasons = failures(trials)
    total = plural(sum(n for _, n in reasons), "trial")
    return [
        Text(f"{total} failed:", style="red"),
        *(Text.assemble((f"  {n} × ", "red"), clean(reason)) for reason, n in reasons),
    ]


def listing(records: Sequence[RunRecord]) -> Table:
    """Return runs as rows, newest first."""
    made = table("run", "status", ">trials", "metric", ">mean ± std", "best")
    for record in records:
        best = record.metrics.get(record.primary or "")
        made.add_row(
            plain(record.id),
            Text(str(record.status), style=STATUS_STYLE[record.status]),
            str(record.counts.trials),
            plain(record.primary or "-"),
            spread(best) if best is not None else "-",
            Text(params(record.best.params)) if record.best is not None else "-",
        )
    return made


def page(record: RunRecord, trials: Sequence[TrialResult]) -> RenderableType:
    """Return everything about one run."""
    return Group(summary(record, trials), Text(), facts(record))


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
        size = f"{record.dataset.rows:,} rows × {len(record.dataset.columns)} columns"
        found.append(("data", f"{record.dataset.source}  {size}  {record.dataset.version[:12]}"))
    if record.git.commit:
        found.append(
            ("code", record.git.commit[:12] + (", uncommitted changes in source.diff" if record.git.dirty else ""))
        )
    python = record.environment.get("python")
    if python:
        found.append(("python", str(python)))
    return [*found, ("fingerprint", record.fingerprint[:12]), ("files", str(record.path))]


def next_steps(record: RunRecord, *, reused: bool) -> list[str]:
    """Return where the run is and the command that comes next."""
    where = f"in {clean(record.path)}"
    if reused:
        return [where, "this run was there already, with the same config, data and code; --force runs it again"]
    if record.status is RunStatus.INTERRUPTED:
        return [where, f"interrupted with {plural(record.counts.completed, 'finished trial')}, which are kept"]
    return [where, f"next: mlops runs show {record.experiment}:latest"]
