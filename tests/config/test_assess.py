"""A file of processes is read as it is written; what is wrong with it is said by file, line and key."""

from __future__ import annotations

import pytest

from mlops_cli.config.assess import day, read_assessment, read_requirement
from mlops_cli.config.catalogue import experiments, groups
from mlops_cli.config.declared import of_file
from mlops_cli.config.workspace import Workspace
from mlops_cli.errors import ConfigError, UsageError
from mlops_cli.records import Flow, Level, Requirement
from mlops_cli.workflows.assess.processes import STARTING
from mlops_cli.workflows.assess.scan import CHECKS

FILE = """\
name: Ours
date: 2026-01-31
actors: {scientist: Data scientist, platform: null}
phases: [training, monitoring]
models: titanic
processes:
  train:
    phase: training
    actor: scientist
    scan: runs-recorded
  retrain_it:
    phase: monitoring
    actor: [platform, scientist]
    from: {train: a model}
    level: manual
    target: automated
    effort: 2
    gain: 3
"""


def read(tmp_path, text):
    path = tmp_path / "p.yaml"
    path.write_text(text, encoding="utf-8")
    return of_file(path, "p.yaml", lambda value, _: read_assessment(value, CHECKS))


def test_what_is_written_is_read(tmp_path):
    found = read(tmp_path, FILE)
    assert (found.name, found.date, found.models) == ("Ours", "2026-01-31", ("titanic",))
    assert found.actors == {"scientist": "Data scientist", "platform": "Platform"}
    assert found.phases == {"training": "Training", "monitoring": "Monitoring"}
    train, again = found.processes
    assert (train.name, train.scan, train.level, train.now) == ("Train", "runs-recorded", None, Level.ABSENT)
    assert (again.name, again.actors, again.flows) == (
        "Retrain it",
        ("platform", "scientist"),
        (Flow("train", "a model"),),
    )
    assert (again.now, again.aim, again.effort, again.gain) == (Level.MANUAL, Level.AUTOMATED, 2.0, 3.0)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "scan: runs-recorded",
            "scan: run-recorded",
            "p.yaml:10: processes.train.scan: .*did you mean 'runs-recorded'",
        ),
        ("scan: runs-recorded", "note: by night", "p.yaml:7: processes.train.level: there is none"),
        ("level: manual", "level: manuel", "p.yaml:15: processes.retrain_it.level: .*did you mean 'manual'"),
        ("level: manual", "levle: manual", "p.yaml:15: processes.retrain_it.levle: unknown key .*did you mean 'level'"),
        ("phase: monitoring", "phase: watching", "p.yaml:12: processes.retrain_it.phase: found 'watching'"),
        ("actor: scientist", "actor: sceintist", "p.yaml:9: processes.train.actor: .*did you mean 'scientist'"),
        ("actor: scientist", "purpose: x", "p.yaml:7: processes.train.actor: there is none"),
        ("{train: a model}", "{trian: a model}", "p.yaml:14: processes.retrain_it.from: .*did you mean 'train'"),
        ("{train: a model}", "[retrain_it]", "p.yaml:14: .*cannot come from itself"),
        ("effort: 2", "effort: 0", "p.yaml:17: processes.retrain_it.effort: .* of 0.001 or more, at most 1,000,000"),
        ("effort: 2", "effort: 1.0e-308", "p.yaml:17: processes.retrain_it.effort: "),
        ("gain: 3", "gain: 1.0e+308", "p.yaml:18: processes.retrain_it.gain: .* of 0 or more, at most 1,000,000"),
        ("effort: 2", "effort: -1", "p.yaml:17: processes.retrain_it.effort: .* of 0.001 or more"),
        ("  train:", "  training:", "p.yaml:7: processes.training: a phase has the same key"),
        ("  train:", '  "t\\e[31m\\n=1":', "is no key .letters, digits, _, - and ., 60 at most"),
        ("  train:", f"  {'t' * 61}:", "is no key"),
        ("{scientist:", "{'=1+1': X, scientist:", "p.yaml:3: actors.=1.1: is no key"),
        (
            "[training, monitoring]",
            "['', monitoring]",
            "p.yaml:4: phases.*: found '', must be the name of one of the ph",
        ),
        ("actor: scientist", "actor: ''", "p.yaml:9: processes.train.actor: found '', must be the name of an actor"),
        ("models: titanic", "models: ['']", "p.yaml:5: models.*: found '', must be the name of a model"),
        ("{train: a model}", "['']", "p.yaml:14: processes.retrain_it.from.*: .* must be the name of a process"),
        ("date: 2026-01-31", "date: 31.1.2026", "p.yaml:2: date: .*must be a day"),
        ("date: 2026-01-31", "date: 22.11.2026", "p.yaml:2: date: .*must be a day.*2026-11-22"),
        ("name: Ours", "name: 2026-11-22", "p.yaml:1: name: found 2026-11-22, must be text.*quote it"),
        ("name: Ours", "name: Ours: all", "p.yaml:1: is not valid YAML.*quote a text that has a colon"),
        ("effort: 2", "effort: 5 days", "p.yaml:17: processes.retrain_it.effort: .*the number alone: 5"),
        ("phases: [training, monitoring]", "phases: {}", "p.yaml:4: phases: there is none"),
        ("name: Ours", "name: !!python/object:os.system x", "p.yaml:1: the tag .* is not allowed"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path, old, new, said):
    assert old in FILE
    with pytest.raises(ConfigError, match=said.replace("(", r"\(")):
        read(tmp_path, FILE.replace(old, new, 1))


def test_the_file_to_begin_with_reads_and_has_every_phase_peopled():
    found = of_file(STARTING, "processes.yaml", lambda value, _: read_assessment(value, CHECKS))
    assert len(found.phases) == 7
    assert len(found.actors) == 5
    assert all(found.of_phase(phase) for phase in found.phases)
    assert {one.actors[0] for one in found.processes} == set(found.actors)
    assert all(one.purpose and (one.scan or one.level) for one in found.processes)


def test_its_comment_names_every_check():
    text = STARTING.read_text(encoding="utf-8").replace("\n#", " ")
    assert {check for check in CHECKS if check not in text.split()} == set()


def test_a_level_is_required_of_a_phase_a_process_or_all(tmp_path):
    found = read(tmp_path, FILE)
    assert read_requirement("training=manual", found) == Requirement("training", Level.MANUAL)
    assert read_requirement("retrain_it=automated", found) == Requirement("retrain_it", Level.AUTOMATED)
    assert read_requirement("semi-automated", found) == Requirement("", Level.SEMI_AUTOMATED)
    with pytest.raises(UsageError, match=r"nothing stands before =.*--require manual asks it of all"):
        read_requirement("=manual", found)
    with pytest.raises(UsageError, match="did you mean 'training'"):
        read_requirement("trainign=manual", found)
    with pytest.raises(UsageError, match=r"no level 'auto'.*allowed: absent, automated"):
        read_requirement("training=auto", found)


def test_a_day_is_one_that_there_is():
    assert day("2026-02-28", "date") == "2026-02-28"
    with pytest.raises(ConfigError, match="date: found '2026-02-30', must be a day"):
        day("2026-02-30", "date")


def test_files_of_assessments_are_no_experiments_and_no_groups_of_options(tmp_path):
    for folder in ("assess", "handover", "promotion", "model"):
        (tmp_path / "configs" / folder).mkdir(parents=True)
        (tmp_path / "configs" / folder / "mine.yaml").write_text("a: 1\n")
    workspace = Workspace(tmp_path)
    assert experiments(workspace) == []
    assert {"assess", "handover", "promotion"}.isdisjoint(groups(workspace))
    assert "model" in groups(workspace)
