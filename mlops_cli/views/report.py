"""Runs as one page of HTML that stands alone: styles, scripts, plots and data are inside it, and it loads nothing."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_cli.analysis.aggregate import failures
from mlops_cli.records import RunStatus, Terms, of_task, terms_of
from mlops_cli.store.imported import is_imported
from mlops_cli.views import pages
from mlops_cli.views.baselines import against_baselines
from mlops_cli.views.beside import beside
from mlops_cli.views.chosen import doings, learner
from mlops_cli.views.pages.tables import columns_table, direction_of, profile_table, score, trials_table
from mlops_cli.views.pages.words import moment, size
from mlops_cli.views.runs import MOST_KINDS
from mlops_cli.views.text import arrow, interval, number, plural, seconds, setting, spread

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlops_cli.records import Report, RunContents, RunRecord, TrialResult
    from mlops_cli.views.pages.tables import Cell

MARK = "mlops report"
"""What a page says of itself in its first lines: by it a report is known from another file."""

_STATUS = {RunStatus.COMPLETED: "good", RunStatus.FAILED: "bad", RunStatus.INTERRUPTED: "warn", RunStatus.RUNNING: ""}
_SHOWN_NUMBERS = 20


def page(report: Report) -> str:
    """Return the report as HTML.

    Parameters
    ----------
    report : Report
        One run, or several with their comparison.
    """
    style, scripts = pages.static("style.css"), [pages.static(name) for name in ("table.js", "page.js")]
    runs = [run_section(run, f"r{i}-" if len(report.runs) > 1 else "") for i, run in enumerate(report.runs, start=1)]
    return (
        pages.environment()
        .get_template("report/page.html")
        .render(
            mark=MARK,
            policy=pages.policy([style], scripts),
            style=style,
            scripts=scripts,
            made=moment(report.made),
            title=title(report),
            runs=runs,
            beside=beside(report) if len(runs) > 1 else None,
        )
    )


def title(report: Report) -> str:
    """Return what the page is about."""
    if len(report.runs) == 1:
        return report.runs[0].record.id
    names = list(dict.fromkeys(run.record.experiment for run in report.runs))
    return f"{len(report.runs)} runs of {names[0]}" if len(names) == 1 else " against ".join(names)


# --- one run -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RunSection:
    """What a template is given of one run; every name in it begins with ``prefix``, so that runs share a page."""

    prefix: str
    run: RunContents
    status: str  # the class of its colour
    terms: Terms
    headline: Mapping[str, Any]
    metrics: tuple[tuple[str, ...], tuple[tuple[Cell, ...], ...]]
    splits: tuple[tuple[str, ...], tuple[tuple[Cell, ...], ...]] | None
    baselines: Sequence[str]  # a line for each naive forecast
    trials: Any
    work: Sequence[tuple[str, str]]  # what was done without a table; nothing where there is one
    columns: Any
    plots: Mapping[str, str]
    failures: tuple[Failure, ...]
    more_failures: str  # how many further kinds there are, in words
    facts: Mapping[str, Sequence[tuple[str, str]]]
    commands: Sequence[tuple[str, str]]
    files: tuple[tuple[Cell, ...], ...]


def run_section(run: RunContents, prefix: str = "") -> RunSection:
    """Return everything that a page says of one run.

    Parameters
    ----------
    run : RunContents
        The run.
    prefix : str
        What the names of its parts begin with.
    """
    record, kinds = run.record, failures(run.trials)
    return RunSection(
        prefix=prefix,
        run=run,
        status=_STATUS[record.status],
        terms=terms_of(record.task),
        headline=headline(record),
        metrics=metrics(record),
        splits=per_split(record),
        baselines=against_baselines(record),
        trials=trials_table(record, run.trials, f"{prefix}trials-rows") if run.trials else None,
        work=doings(run.work),
        columns=_columns(run, prefix),
        plots={name.replace("_", " "): pages.data_url("image/svg+xml", svg) for name, svg in run.plots.items()},
        failures=tuple(_failure(*kind) for kind in kinds[:MOST_KINDS]),
        more_failures=plural(len(kinds) - MOST_KINDS, "more kind") if len(kinds) > MOST_KINDS else "",
        facts={"asked": asked(run), "came from": provenance(record)},
        commands=reproduce(run),
        files=tuple((file.path, size(file.size), file.sha256) for file in run.files),
    )


def _columns(run: RunContents, prefix: str) -> Any:
    if run.profile is not None:
        return profile_table(run.profile, f"{prefix}columns-rows")
    return columns_table(run.record.dataset, f"{prefix}columns-rows") if run.record.dataset is not None else None


def headline(record: RunRecord) -> Mapping[str, Any]:
    """Return the few figures that come first."""
    best = record.metrics.get(record.primary or "")
    counts = record.counts
    parts = {"failed": counts.failed, "pruned": counts.pruned, "reused": counts.reused}
    done = ", ".join(f"{count:,} {word}" for word, count in parts.items() if count)
    return {
        "primary": None if best is None else f"{record.primary} {arrow(record.direction)}".strip(),
        "score": None if best is None else spread(best),
        "interval": None if best is None or best.ci95 is None else f"95 % interval {interval(best)}",
        "test": None if best is None or best.test is None else number(best.test),
        "trials": plural(counts.trials, "trial"),
        "ended": done or ("all completed" if counts.completed == counts.trials else f"{counts.completed:,} completed"),
        "took": seconds(record.duration_s),
        "started": moment(record.started),
        "host": record.environment.get("host") or (record.process.host if record.process else None),
        "best": _best(record),
    }


def _best(record: RunRecord) -> list[tuple[str, str]]:
    """Return what the winner is, and what was swept of it."""
    if record.best is None:
        return []
    group, name = learner(of_task(record.params, record.task))
    named = {group: name} if name else {}
    return [(key, setting(value)) for key, value in (named | dict(record.best.params)).items()]


def metrics(record: RunRecord) -> tuple[tuple[str, ...], tuple[tuple[Cell, ...], ...]]:
    """Return headers and rows of the best trial's metrics."""
    has_test = any(item.test is not None for item in record.metrics.values())
    headers = ("metric", ">mean ± std", ">95 % interval", *((">test",) if has_test else ()))
    rows = tuple(
        (
            f"{name} {arrow(direction_of(record, name))}".strip(),
            spread(item),
            interval(item),
            *((score(item.test),) if has_test else ()),
        )
        for name, item in record.metrics.items()
    )
    return headers, rows


def per_split(record: RunRecord) -> tuple[tuple[str, ...], tuple[tuple[Cell, ...], ...]] | None:
    """Return headers and rows of the best trial's scores on each split; None where there is one split."""
    count = max((len(item.splits) for item in record.metrics.values()), default=0)
    if count < 2:
        return None
    rows = tuple((name, *(score(v) for v in item.splits)) for name, item in record.metrics.items())
    return (terms_of(record.task).part, *(f">{i}" for i in range(count))), rows


def asked(run: RunContents) -> list[tuple[str, str]]:
    """Return what the user said of the run."""
    record = run.record
    found = [("about", record.description), ("note", record.note), ("task", str(record.task or "-"))]
    return [(k, v) for k, v in [*found, ("seed", "" if record.seed is None else str(record.seed))] if v]


def provenance(record: RunRecord) -> list[tuple[str, str]]:
    """Return where the run came from: data, code, machine."""
    data, code, machine = record.dataset, record.git, record.environment
    found: list[tuple[str, object]] = []
    if data is not None:
        shape = f"{plural(data.rows, 'row')} × {plural(len(data.columns), 'column')}"
        found += [("data", f"{data.source}, {shape}"), ("data version", data.version), ("target", data.target)]
    if record.splits is not None:
        found.append((f"{terms_of(record.task).part}s", f"{record.splits.count}, digest {record.splits.digest}"))
    found += [("git commit", code.commit), ("uncommitted", {True: "yes, see below", False: "no"}.get(bool(code.dirty)))]
    if code.commit is None:
        found = [*found[:-1], ("git commit", "none: not in a git repository, or before its first commit")]
    system = " ".join(str(machine[k]) for k in ("implementation", "python") if machine.get(k))
    found += [("python", system), ("platform", machine.get("platform")), ("host", machine.get("host"))]
    found += [("cores", machine.get("cpus")), ("seed", record.seed), ("fingerprint", record.fingerprint)]
    found += [("started", record.started), ("ended", record.ended), ("directory", record.path)]
    return [(label, str(value)) for label, value in found if value not in {None, ""}]


@dataclass(frozen=True)
class Failure:
    """Trials that failed for one kind of reason."""

    reason: str
    count: int
    trials: str
    traceback: str  # of the first of them
    params: tuple[tuple[str, str], ...]


def _failure(reason: str, those: Sequence[TrialResult]) -> Failure:
    which = ", ".join(str(t.trial) for t in those[:_SHOWN_NUMBERS]) + (" …" if len(those) > _SHOWN_NUMBERS else "")
    error = those[0].error
    text = "" if error is None else error.traceback or error.message
    return Failure(reason, len(those), which, text, tuple((k, setting(v)) for k, v in those[0].params.items()))


def reproduce(run: RunContents) -> list[tuple[str, str]]:
    """Return commands, each with what it is for, for a shell in the workspace."""
    record = run.record
    place = f"runs/{record.id}"
    packages = record.environment.get("packages")
    code = f"git checkout {shlex.quote(record.git.commit)}" if record.git.commit else ""
    if run.diff and code:
        code += f"\ngit apply {shlex.quote(f'{place}/source.diff')}"
    found = [("the same code", code)]
    if isinstance(packages, dict) and packages:
        names = " ".join(shlex.quote(f"{name}=={version}") for name, version in packages.items())
        found.append(("the same libraries", f"pip install {names}"))
    if not is_imported(record):  # the config of one names what may not be here
        found.append(("run it again", f"mlops run config={shlex.quote(f'{place}/config.yaml')} --force"))
    found += [
        ("look at it", f"mlops runs show {shlex.quote(record.id)}"),
        ("in Python", f"import mlops_cli as mlops\nrun = mlops.find_run({record.id!r})\nrun.trials, run.metrics"),
    ]
    return [(label, text) for label, text in found if text]
