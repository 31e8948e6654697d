"""Files of questions about platforms, read as users have them: alone, side by side, with the team's own processes."""

import json
import shutil

import pytest

from mlops_cli.errors import ConfigError, UsageError
from mlops_cli.records import Level
from mlops_cli.workflows.assess import platforms
from mlops_cli.workflows.assess.init import begin
from mlops_cli.workflows.assess.platforms import read_platforms, scores
from mlops_cli.workflows.assess.processes import read_processes
from mlops_cli.workflows.init import TEMPLATES

PROCESSES = """\
actors: [scientist]
phases: [training]
processes:
  fit: {phase: training, actor: scientist, level: manual}
"""

FILE = """\
platforms: {{{platform}}}
concerns: [cost]
questions:
  price: {{concern: cost, ask: Is it cheap?, weight: 2, answers: {{mlops: {price}}}}}
  open: {{concern: cost, ask: Is it open?, answers: {{mlops: green}}}}
"""


def written(workspace, name, *, platform="mlops: {date: 2026-01-31}", price="red", more="", **changed):
    text = FILE.format(platform=platform, price=price) + more
    for old, new in changed.items():
        text = text.replace(old, new)
    (workspace / name).write_text(text)
    return name


def test_the_file_to_begin_with_asks_at_least_45_questions_of_every_concern(workspace):
    begin()
    found = read_platforms(["configs/assess/platforms.yaml"])
    asked = [one.concern for one in found.questions]
    assert len(asked) >= 45
    assert min(asked.count(concern) for concern in found.concerns) >= 5
    assert {"scientists", "analysts", "curators", "security", "legal", "cost", "operations"} <= set(found.concerns)
    assert 5 <= sum(one.must for one in found.questions) <= 15
    assert all(one.text.endswith("?") for one in found.questions)
    assert len({one.text for one in found.questions}) == len(asked)
    assert found.assessment is not None


def test_the_file_to_begin_with_has_a_place_for_every_answer_and_none_is_given(workspace):
    begin()
    found = scores(read_platforms(["configs/assess/platforms.yaml"]))
    assert [one.overall.answered for one in found] == [0, 0]
    text = (TEMPLATES / "_assess" / "platforms.yaml").read_text(encoding="utf-8")
    filled = text.replace("today: , candidate: ", "today: 🟢, candidate: 🟡")
    (workspace / "configs" / "assess" / "platforms.yaml").write_text(filled, encoding="utf-8")
    today, candidate = scores(read_platforms(["configs/assess/platforms.yaml"]))
    assert (today.overall.score, candidate.overall.score) == (1, 0.5)
    assert today.overall.answered == today.overall.questions


def test_levels_are_of_the_teams_own_processes_beside_the_file(workspace):
    (workspace / "team").mkdir()
    (workspace / "team" / "processes.yaml").write_text(PROCESSES)
    platform = "mlops: {levels: {training: automated}}"
    name = written(workspace, "team/which.yaml", platform=platform, more="processes: processes.yaml\n")
    found = read_platforms([name])
    assert found.platforms[0].levels == {"fit": Level.AUTOMATED}
    assert found.assessment.process("fit").now is Level.MANUAL


@pytest.mark.parametrize("said", ["nowhere.yaml", "x" * 5000])
def test_processes_that_are_not_there_are_told_by_the_line_that_names_them(workspace, said):
    name = written(workspace, "which.yaml", more=f"processes: {said}\n")
    with pytest.raises(
        ConfigError, match=r"^which.yaml:6: processes: there is no file (nowhere.yaml|x{5000}) \(a path"
    ):
        read_platforms([name])


def test_a_file_that_came_from_elsewhere_opens_none_of_another_folder(workspace, tmp_path_factory):
    away = tmp_path_factory.mktemp("away")
    (away / "keys.txt").write_text("secret of another\n")
    (workspace / "link.yaml").symlink_to(away / "keys.txt")
    for said in (str(away / "keys.txt"), f"../{'../' * 20}{str(away / 'keys.txt')[1:]}", "link.yaml"):
        name = written(workspace, "which.yaml", more=f"processes: {said}\n")
        with pytest.raises(ConfigError, match=r"which.yaml:6: processes: .* leads out of the workspace") as caught:
            read_platforms([name])
        assert "secret" not in str(caught.value)
    (away / "processes.yaml").write_text(PROCESSES)
    beside = written(away, "which.yaml", more="processes: processes.yaml\n")
    assert read_platforms([away / beside]).assessment is not None


def test_what_is_wrong_in_the_processes_is_told_by_their_own_file(workspace):
    (workspace / "processes.yaml").write_text(PROCESSES.replace("manual", "manul"))
    name = written(workspace, "which.yaml", more="processes: processes.yaml\n")
    with pytest.raises(
        ConfigError, match=r"^processes.yaml:4: processes.fit.level: found 'manul' .did you mean 'manual'"
    ):
        read_platforms([name])


def test_a_file_that_is_not_there_and_no_file_at_all_are_told(workspace):
    with pytest.raises(UsageError, match=r"there is no file wich.yaml"):
        read_platforms(["wich.yaml"])
    with pytest.raises(UsageError, match="no file of questions is given"):
        read_platforms([])


def test_two_platforms_in_two_files_stand_side_by_side(workspace):
    other = {"platform": "other: {}", "mlops:": "other:"}
    found = read_platforms([written(workspace, "a.yaml"), written(workspace, "b.yaml", price="green", **other)])
    assert [one.key for one in found.platforms] == ["mlops", "other"]
    assert [one.overall.score for one in scores(found)] == pytest.approx([1 / 3, 1])
    assert found.notices == ()


def test_one_platform_at_two_dates_is_told_apart_by_them(workspace):
    later = written(workspace, "b.yaml", platform="mlops: {date: 2026-11-22}", price="green")
    found = read_platforms([written(workspace, "a.yaml"), later])
    assert [(one.key, one.name) for one in found.platforms] == [
        ("mlops@2026-01-31", "Mlops"),
        ("mlops@2026-11-22", "Mlops"),
    ]
    assert [str(found.questions[0].mark(one.key)) for one in found.platforms] == ["red", "green"]


@pytest.mark.parametrize(
    ("platform", "when"), [("mlops: {date: 2026-01-31}", "as of 2026-01-31"), ("mlops: ", "without")]
)
def test_one_platform_of_the_same_date_in_two_files_is_an_error_with_the_mend(workspace, platform, when):
    names = [written(workspace, name, platform=platform) for name in ("a.yaml", "b.yaml")]
    with pytest.raises(
        ConfigError, match=rf"^b.yaml:1: platforms.mlops: a.yaml has it too, {when}.*give each its date"
    ):
        read_platforms(names)


def test_a_question_that_one_file_alone_has_is_said_and_open_for_the_others(workspace):
    new = "  fast: {concern: cost, ask: Is it fast?, answers: {other: green}}\n"
    other = {"platform": "other: {}", "mlops:": "other:"}
    found = read_platforms([written(workspace, "a.yaml"), written(workspace, "b.yaml", more=new, **other)])
    assert [one.key for one in found.questions] == ["price", "open", "fast"]
    assert [one.overall.answered for one in scores(found)] == [2, 3]
    assert [(one.code, one.message) for one in found.notices] == [
        ("question-alone", "b.yaml alone asks fast; of other files it is open"),
    ]


def test_text_and_weight_are_those_of_the_first_file_and_a_difference_is_said(workspace):
    other = {"platform": "other: {}", "mlops:": "other:", "weight: 2": "weight: 9"}
    found = read_platforms([written(workspace, "a.yaml"), written(workspace, "b.yaml", **other)])
    assert found.questions[0].weight == 2
    (notice,) = found.notices
    assert notice.message == "b.yaml asks or weighs price otherwise; the first file counts"


def test_files_that_name_other_processes_are_said(workspace):
    (workspace / "one.yaml").write_text(PROCESSES)
    (workspace / "two.yaml").write_text(PROCESSES.replace("manual", "absent"))
    a = written(workspace, "a.yaml", more="processes: one.yaml\n")
    b = written(workspace, "b.yaml", platform="mlops: ", more="processes: two.yaml\n")
    found = read_platforms([a, b])
    assert found.assessment.process("fit").now is Level.MANUAL
    assert [one.code for one in found.notices] == ["processes-differ"]
    shutil.copy(a, "c.yaml")
    assert (
        read_platforms(
            ["c.yaml", written(workspace, "d.yaml", platform="mlops: ", more="processes: one.yaml\n")]
        ).notices
        == ()
    )


def test_processes_that_several_files_name_are_read_once_by_whichever_path(workspace, monkeypatch):
    read = []
    monkeypatch.setattr(platforms, "read_processes", lambda *given: read.append(given) or read_processes(*given))
    (workspace / "one.yaml").write_text(PROCESSES)
    (workspace / "link.yaml").symlink_to("one.yaml")
    a = written(workspace, "a.yaml", more="processes: one.yaml\n")
    b = written(workspace, "b.yaml", platform="mlops: ", more="processes: link.yaml\n")
    assert read_platforms([a, b]).notices == ()
    assert len(read) == 1


def test_what_programs_are_given_is_plain_json_and_a_row_for_each_question_and_platform(workspace):
    from mlops_cli.views.assess.platforms_data import evaluation_json, evaluation_rows

    later = written(workspace, "b.yaml", platform="mlops: {date: 2026-11-22}", price="{answer: , note: asked}")
    found = read_platforms([written(workspace, "a.yaml"), later])
    told = json.loads(json.dumps(evaluation_json(found, scores(found)), allow_nan=False))
    assert [(one["platform"], one["place"]) for one in told["platforms"]] == [
        ("mlops@2026-01-31", None),  # the newest is ranked
        ("mlops@2026-11-22", 1),
    ]
    assert told["platforms"][1]["overall"] == {
        "mark": "green", "score": 1.0, "answered": 1, "questions": 2, "between": [pytest.approx(1 / 3), 1.0],
    }  # fmt: skip
    assert told["settled"] is True
    rows = evaluation_rows(found)
    assert [(row["question"], row["platform"], row["answer"], row["points"]) for row in rows] == [
        ("price", "mlops@2026-01-31", "red", 0.0),
        ("price", "mlops@2026-11-22", "", None),
        ("open", "mlops@2026-01-31", "green", 1.0),
        ("open", "mlops@2026-11-22", "green", 1.0),
    ]
    assert rows[1]["note"] == "asked"
