"""What calls commands without a person is read from files of CI and schedules, and from nothing else."""

from __future__ import annotations

import pytest

from mlops_cli.workflows.assess.unattended import automation_around

WORKFLOW = """\
name: mlops run every night
on: {schedule: [{cron: '0 3 * * *'}]}
jobs:
  ml:
    steps:
      - name: mlops retrain
      # mlops audit --verify
      - run: pip install mlops-cli
      - run: |
          .venv/bin/mlops run config=iris model.C=1
          uv run mlops monitor log titanic@champion $FILE || true
"""
MAKEFILE = """\
CONFIG ?= iris
BIN := .venv/bin

all: check run-wine
run:
\t$(BIN)/mlops run config=$(CONFIG)
run-%:
\t@mlops run config=$*
check:
\tmlops audit --verify
"""


def put(root, name, text):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def verbs(found):
    return [(call.place, call.verb) for call in found.calls if call.is_unattended]


@pytest.mark.parametrize(
    "name",
    [".github/workflows/ml.yml", ".gitlab-ci.yml", "azure-pipelines.yml", ".circleci/config.yml", ".ci/run", "crontab"],
)
def test_a_line_that_calls_a_command_counts_and_comments_and_titles_do_not(tmp_path, name):
    put(tmp_path, name, WORKFLOW)
    found = automation_around(tmp_path)
    assert verbs(found) == [(f"{name}:10", "run"), (f"{name}:11", "monitor log")]


def test_a_call_is_of_what_it_names_or_leaves_open(tmp_path):
    put(tmp_path, ".github/workflows/ml.yml", WORKFLOW + "          mlops retrain $MODEL --if-needed\n")
    found = automation_around(tmp_path)
    assert found.of("run", about="iris") is not None
    assert found.of("run", about="wine") is None
    assert found.of("monitor log", about="titanic") is not None
    assert found.of("monitor log", about="iris") is None
    assert found.of("retrain", about="whatever") is not None
    assert found.of("serve") is None


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("make run", ["iris"]),
        ("make run CONFIG=wine", ["wine"]),
        ("make -j2 run-titanic", ["titanic"]),
        ("make", ["wine"]),
        ("cmake run", []),
    ],
)
def test_a_target_of_the_makefile_is_followed(tmp_path, line, named):
    put(tmp_path, "Makefile", MAKEFILE)
    put(tmp_path, ".github/workflows/ml.yml", f"jobs:\n  ml:\n    steps:\n      - run: {line}\n")
    found = automation_around(tmp_path)
    assert [name for name in ("iris", "wine", "titanic") if found.of("run", about=name)] == named
    assert (found.of("audit") is not None) == (line == "make")


def test_a_makefile_alone_is_started_by_a_person(tmp_path):
    put(tmp_path, "Makefile", MAKEFILE)
    found = automation_around(tmp_path)
    assert found.of("run") is None
    assert found.by_hand("run", about="iris").place == "Makefile:6"


def test_a_makefile_that_needs_itself_ends(tmp_path):
    put(tmp_path, "Makefile", "a: b\n\tmlops run config=iris\nb: a\n\tmlops audit\n")
    put(tmp_path, ".ci/run", "make a\n")
    assert sorted(call.verb for call in automation_around(tmp_path).calls if call.is_unattended) == ["audit", "run"]


def test_a_makefile_of_any_shape_is_gone_through_at_once(tmp_path):
    spaces = "A=" + 20_000 * " " + "$\n" + "a" + 20_000 * " " + "\n"
    diamonds = "".join(f"a{n}: b{n} c{n}\nb{n}: a{n + 1}\nc{n}: a{n + 1}\n" for n in range(40))
    chain = "".join(f"d{n}: d{n + 1}\n" for n in range(3000))
    put(tmp_path, "Makefile", spaces + diamonds + chain + "a40: d0\nd3000:\n\tmlops run config=iris\n")
    put(tmp_path, ".ci/run", "make a0\n")
    assert verbs(automation_around(tmp_path)) == [(".ci/run:1", "run")]


def test_the_repository_around_the_workspace_counts_and_what_is_around_that_does_not(tmp_path):
    put(tmp_path, "crontab", "0 3 * * * mlops audit --verify\n")
    put(tmp_path, "repo/.github/workflows/ml.yml", "- run: cd work && mlops run config=iris\n")
    (tmp_path / "repo" / ".git").mkdir()
    (tmp_path / "repo" / "work").mkdir()
    found = automation_around(tmp_path / "repo" / "work")
    assert [call.verb for call in found.calls] == ["run"]


def test_files_that_cannot_be_read_are_gone_over(tmp_path):
    (tmp_path / "crontab").write_bytes(b"\xff\xfe\x00 mlops run config=iris\n")
    (tmp_path / ".gitlab-ci.yml").mkdir()
    (tmp_path / "Jenkinsfile").symlink_to(tmp_path / "nowhere")
    assert [call.verb for call in automation_around(tmp_path).calls] == ["run"]
