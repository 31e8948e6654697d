"""Pages in a real Chromium without a network, and runs whose every text would like to be more than text."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from mlops_cli.records import (
    BestTrial,
    Column,
    ColumnProfile,
    Counts,
    DataProfile,
    DatasetVersion,
    Direction,
    ErrorInfo,
    GitState,
    Kind,
    MetricSummary,
    Notice,
    RunRecord,
    RunStatus,
    SplitsInfo,
    Task,
    TrialResult,
    TrialState,
)
from mlops_cli.store.layout import RunPaths, WorkspacePaths
from mlops_cli.store.plots import write_plots
from mlops_cli.store.profiles import write_profile
from mlops_cli.store.runs import RunSources, RunWriter

CONTRAST = """
() => {
  const channel = (v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const behind = (at) => {
    for (; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const found = {};
  for (const at of document.querySelectorAll("main *, header *")) {
    const own = [...at.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || !at.checkVisibility() || at.closest("svg")) continue;
    const [a, b] = [light(parse(getComputedStyle(at).color)), light(behind(at))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const kind = at.tagName + "." + at.className;
    found[kind] = Math.min(found[kind] ?? 99, ratio);
  }
  return found;
}
"""
"""Kind of element → the least contrast of its text with what is behind it."""

NASTY = (
    '<img src=x onerror="window.hurt=1">\'`</script><script>window.hurt=1</script><!--<script>'
    "&amp;{{7*7}}\x1b[31m\u202e"
)
"""Markup, the end of a script, quotes, an entity, a template, a terminal's colour, text that runs backwards."""


@pytest.fixture
def contrast():
    """The script that measures how well each kind of text on a page can be read."""
    return CONTRAST


@pytest.fixture
def nasty():
    """The text that stands wherever foreign text can in the run ``hostile``."""
    return NASTY


@dataclass
class Visit:
    """An open page, and what happened in it that should not have."""

    page: Any
    requests: list[str] = field(default_factory=list)  # but for those that the page's own data answers
    problems: list[str] = field(default_factory=list)  # console errors, uncaught ones, dialogs

    def width(self) -> int:
        """How wide the page is, where it may be wider than the window."""
        return self.page.evaluate("document.documentElement.scrollWidth")

    def rows(self, table: str) -> list[list[str]]:
        """The rows of a table as they are shown."""
        return self.page.evaluate(
            "id => [...document.querySelectorAll(`[data-table='${id}'] tbody tr`)]"
            ".map(row => [...row.cells].map(cell => cell.textContent))",
            table,
        )

    def column(self, table: str, name: str) -> list[str]:
        """The cells of one column."""
        heads = self.page.eval_on_selector_all(
            f"[data-table='{table}'] thead th", "all => all.map(th => th.textContent)"
        )
        return [row[heads.index(name)] for row in self.rows(table)]


@pytest.fixture
def visit(chromium):
    """Open an address in a window: ``visit(url, width=400, scheme="dark", offline=False)``."""
    contexts = []

    def call(
        url: str, *, width: int = 1400, scheme: str = "light", offline: bool = True, scripts: bool = True
    ) -> Visit:
        context = chromium.new_context(
            offline=offline,
            color_scheme=scheme,
            viewport={"width": width, "height": 900},
            java_script_enabled=scripts,
        )
        contexts.append(context)
        made = Visit(context.new_page())
        made.page.on("request", lambda r: None if r.url.startswith("data:") else made.requests.append(r.url))
        made.page.on("console", lambda m: made.problems.append(m.text) if m.type in {"error", "warning"} else None)
        made.page.on("pageerror", lambda error: made.problems.append(str(error)))
        made.page.on("dialog", lambda dialog: (made.problems.append(dialog.message), dialog.dismiss()))
        made.page.goto(url)
        return made

    yield call
    for context in contexts:
        context.close()


# --- runs --------------------------------------------------------------------------------------------------------


def draft(experiment: str = "iris", **more) -> RunRecord:
    """What is known of a run when it begins."""
    columns = (Column("x", "float64", Kind.NUMERIC, 0, 40), Column("y", "str", Kind.CATEGORICAL, 0, 2))
    known = {
        "task": Task.CLASSIFICATION,
        "primary": "accuracy",
        "direction": Direction.MAXIMIZE,
        "dataset": DatasetVersion("d" * 64, 150, columns, "y", "data/iris.csv"),
        "environment": {"python": "3.11.7", "host": "here", "packages": {"scikit-learn": "1.6.0"}},
        "fingerprint": "f" * 64,
    }
    started = "2026-03-01T12:00:00+01:00"
    return RunRecord("", Path(), experiment, RunStatus.RUNNING, started, **{**known, **more})


def finish(
    workspace: Path,
    begun: RunRecord,
    trials: list[TrialResult],
    *,
    sources: RunSources | None = None,
    **more,
) -> RunRecord:
    """Record a run as the tool itself does; the best trial is the one with the greatest mean of the primary metric."""
    with RunWriter.create(WorkspacePaths(workspace), begun, sources or RunSources("name: iris\n")) as writer:
        for trial in trials:
            writer.append(trial)
        done = [t for t in trials if t.state is TrialState.COMPLETED]
        best = max(done, key=lambda t: t.mean(begun.primary))
        metrics = {name: MetricSummary(best.mean(name), 0.01, None, values) for name, values in best.scores.items()}
        final = replace(
            writer.record,
            status=RunStatus.COMPLETED,
            best=BestTrial(best.trial, best.params),
            params=best.params,
            metrics=metrics,
            counts=Counts.of_results(trials),
            ended="2026-03-01T12:00:09+01:00",
            duration_s=9.0,
            **more,
        )
        return writer.finish(final)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A workspace, and the current folder."""
    (tmp_path / "configs").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def swept(folder):
    """A run of 250 trials, of which each fiftieth failed."""

    def trial(n: int) -> TrialResult:
        params = {"model.C": round(0.001 * (n + 1), 3), "model": "svm" if n % 2 else "knn"}
        if n % 50 == 49:
            error = ErrorInfo(
                "ValueError", f"C is too odd\nin trial {n}", "Traceback\n  line 1\nValueError: C is too odd"
            )
            return TrialResult(n, TrialState.FAILED, params, error=error)
        mean = 0.5 + ((n * 37) % 250) / 600
        return TrialResult(n, TrialState.COMPLETED, params, {"accuracy": (mean - 0.01, mean + 0.01)}, fit_s=0.1)

    return finish(folder, draft(), [trial(n) for n in range(250)])


@pytest.fixture
def hostile(folder):
    """A run that has markup and control characters wherever text can come from outside."""
    error = ErrorInfo("E" + NASTY, NASTY, f"Traceback {NASTY}\n  javascript:window.hurt=1")
    trials = [
        TrialResult(0, TrialState.COMPLETED, {NASTY: NASTY}, {"accuracy": (0.8, 0.9), NASTY: (1.0, 2.0)}, reused=NASTY),
        TrialResult(1, TrialState.FAILED, {NASTY: "javascript:window.hurt=1"}, error=error),
    ]
    column = Column(NASTY, NASTY, Kind.CATEGORICAL, 1, 2)
    begun = draft(
        dataset=DatasetVersion("d" * 64, 2, (column,), NASTY, NASTY),
        environment={"python": NASTY, "host": NASTY, "packages": {NASTY: NASTY}},
        git=GitState(NASTY, dirty=True),
        description=NASTY,
        note=NASTY,
        tags={"t" + NASTY: NASTY},
    )
    # The writer refuses what JSON and YAML cannot hold, and nothing of this is such.
    sources = RunSources(f"name: iris # {NASTY}\n", [NASTY, "javascript:window.hurt=1"], NASTY.encode())
    record = finish(folder, begun, trials, sources=sources, warnings=(Notice("code" + NASTY, NASTY),))
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10" onload="parent.hurt=1">'
        '<script>parent.hurt=1</script><image href="http://127.0.0.1:9/x.png"/><rect width="5" height="5"/></svg>'
    )
    write_plots(record.path, {"roc": {"svg": svg.encode()}})
    profile = ColumnProfile(NASTY, NASTY, Kind.CATEGORICAL, NASTY, 1, 1, 2, top=((NASTY, 1),), association=0.5)
    write_profile(RunPaths(record.path).profile, DataProfile(2, (profile,)))
    RunPaths(record.path).log.write_text(NASTY, encoding="utf-8")
    return record


@pytest.fixture
def pair(folder):
    """Two runs over the same splits, the second of which is better by more than chance."""
    splits = SplitsInfo("a" * 64, 5, 0.25)
    runs = []
    for mean in (0.8, 0.9):
        scores = tuple(mean + shift for shift in (-0.02, -0.01, 0.0, 0.01 + mean / 100, 0.02))
        trial = TrialResult(0, TrialState.COMPLETED, {"model.C": mean}, {"accuracy": scores})
        begun = draft(directions={"accuracy": Direction.MAXIMIZE})
        runs.append(finish(folder, begun, [trial], splits=splits))
    return runs
