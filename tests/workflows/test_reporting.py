"""``mlops report``: which runs it tells of, where the page goes, and what it will not overwrite."""

from __future__ import annotations

import os

import pytest

import mlops_cli
from mlops_cli.records import RunFile
from mlops_cli.workflows.runs.report import gather

CONFIG = """
defaults: [experiment, {data: csv}, {transforms: tabular}, {model: logistic_regression}, _self_]
name: points
data: {path: data/points.csv, target: label}
evaluation: {metrics: [roc_auc, accuracy]}
artifacts: {plots: []}
"""


@pytest.fixture
def points(workspace):
    """A workspace with two runs over the same data."""
    rows = ["x,y,kind,label"]
    rows += [f"{i % 7 + (i % 2)},{(i * 37) % 11},{'ab'[i % 3 == 0]},{i % 2}" for i in range(60)]
    (workspace / "data" / "points.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (workspace / "configs" / "points.yaml").write_text(CONFIG, encoding="utf-8")
    return workspace, [mlops_cli.run("points", [f"model.C={c}"], note="a < b") for c in (1, 5)]


def test_a_page_is_named_after_its_run_and_the_path_is_printed(mlops, points):
    folder, (run, _) = points
    done = mlops("report", run.id, cwd=folder)
    name = f"{run.id.replace('/', '-')}.html"
    assert (done.returncode, done.stdout) == (0, f"{name}\n")
    text = (folder / name).read_text(encoding="utf-8")
    assert "a &lt; b" in text
    assert f"mlops runs show {run.id}" in text


def test_the_library_writes_the_same_page(points):
    folder, (run, _) = points
    assert run.report("a.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert run.report() == (folder / f"{run.id.replace('/', '-')}.html").relative_to(folder)


def test_a_comparison_is_named_after_its_runs(mlops, points):
    folder, runs = points
    done = mlops("report", *(run.id for run in runs), cwd=folder)
    assert done.stdout == "{}-vs-{}.html\n".format(*(run.id.replace("/", "-") for run in runs))
    assert "B" in (folder / done.stdout.strip()).read_text(encoding="utf-8")


def test_a_run_named_twice_is_one_run(points):
    _, (first, second) = points
    assert [run.record.id for run in gather([first.id, "points:latest", second.id]).runs] == [first.id, second.id]


def test_all_that_a_run_left_is_gathered(points):
    _, (run, _) = points
    found = gather([run.id]).runs[0]
    assert found.overrides == ("model.C=1",)
    assert "name: points" in found.config
    assert "trial 0 completed" in found.log
    assert found.trials == run.results
    recorded = {file.path: file.sha256 for file in found.files if file.sha256}
    assert recorded == dict(run.record.files)
    assert RunFile("run.json", (run.path / "run.json").stat().st_size) in found.files


def test_a_report_is_written_again_over_itself_but_over_nothing_else(mlops, points):
    folder, (run, _) = points
    assert [mlops("report", run.id, "-o", "a.html", cwd=folder).returncode for _ in range(2)] == [0, 0]
    (folder / "mine.html").write_text("<p>my own", encoding="utf-8")
    done = mlops("report", run.id, "-o", "mine.html", cwd=folder)
    assert done.returncode == 2
    assert done.stderr == (
        "error: mine.html is there, and is no report\n  try: another -o, or --force to overwrite it\n"
    )
    assert (folder / "mine.html").read_text(encoding="utf-8") == "<p>my own"
    assert mlops("report", run.id, "-o", "mine.html", "--force", cwd=folder).returncode == 0


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("data", "error: data is a folder\n  try: -o data/report.html\n"),
        ("no/such.html", "error: there is no folder no\n  try: mkdir -p no\n"),
    ],
)
def test_a_place_that_is_none_is_one_message(mlops, points, place, said):
    folder, (run, _) = points
    done = mlops("report", run.id, "-o", place, cwd=folder)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", said)


def test_a_folder_that_may_not_be_written_is_one_message(mlops, points):
    folder, (run, _) = points
    locked = folder / "locked"
    locked.mkdir(mode=0o500)
    if os.access(locked, os.W_OK):
        pytest.skip("the superuser may write anywhere")
    done = mlops("report", run.id, "-o", "locked/a.html", cwd=folder)
    assert done.returncode == 2
    assert "you may not write in" in done.stderr


def test_a_run_that_is_not_there_leaves_no_page(mlops, points):
    folder, _ = points
    done = mlops("report", "pionts:latest", "-o", "a.html", cwd=folder)
    assert done.returncode == 2
    assert "did you mean 'points'?" in done.stderr
    assert not (folder / "a.html").exists()


def test_a_page_is_opened_in_the_browser_that_is_set(mlops, points, tmp_path):
    folder, (run, _) = points
    seen = tmp_path / "seen"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {seen}\n', encoding="utf-8")
    browser.chmod(0o700)
    done = mlops("report", run.id, "-o", "a.html", "--open", cwd=folder, env={"BROWSER": f"{browser} %s"})
    assert done.returncode == 0
    assert seen.read_text(encoding="utf-8").strip() == (folder / "a.html").resolve().as_uri()
