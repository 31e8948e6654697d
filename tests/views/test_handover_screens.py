"""What a model's owner answered, as it stands in a terminal."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from mlops_cli.records import Handover, HandoverFile, HandoverItem, KeptHandover
from mlops_cli.views.handover import answers, begun, handover_json, kept, lacking, summary

NOW = datetime.fromisoformat("2026-11-21T16:00:00+00:00")
ITEMS = (
    HandoverItem("business_owner", "Who asked for it?", must=True, answer="[red]Ann[/]\x1b[31m\nof sales"),
    HandoverItem("failure", "What is the fallback?", must=True),
    HandoverItem("licence", "Which licence?", must=False),
    HandoverItem("launch", "On which [b]days\x07?", must=True, answer="mondays"),
)
FOUND = Handover("titanic", 2, ITEMS, "2026-11-21T15:02:03+00:00", "ann\x1b", "configs/handover/titanic.yaml")


def test_every_question_stands_above_its_answer_and_nothing_in_either_acts(shown):
    assert shown(answers(FOUND, "titanic/3", NOW), 100).splitlines() == [
        "titanic/3  2 of 4 questions answered by ann\\x1b, today 15:02:03, 2026-11-21, for titanic/2; not",
        "answered: failure",
        "",
        "business_owner  Who asked for it?",
        "  [red]Ann[/]\\x1b[31m",
        "  of sales",
        "",
        "failure  What is the fallback?",
        "  not answered, and must be",
        "",
        "licence  Which licence?",
        "  not answered",
        "",
        "launch  On which [b]days\\x07?",
        "  mondays",
    ]


def test_of_its_own_answers_no_other_version_is_named():
    assert summary(FOUND, "titanic/2", NOW).startswith("2 of 4 questions answered by ann\\x1b, today 15:02:03")
    assert "for titanic" not in summary(FOUND, "titanic/2", NOW)


def test_what_lacks_is_said_with_its_place():
    found = KeptHandover(FOUND, ((ITEMS[1], "configs/handover/titanic.yaml:7"),))
    assert kept(found) == "titanic/2 has answers to 2 of 4 questions"
    assert lacking(found) == ["configs/handover/titanic.yaml:7: failure: not answered: What is the fallback?"]


def test_a_file_that_is_begun_or_was_there_is_named():
    assert begun(HandoverFile(Path("/w/x.yaml"), is_new=True)) == "/w/x.yaml has the questions"
    assert begun(HandoverFile(Path("/w/x.yaml"), is_new=False)) == "/w/x.yaml is there, and stays as it is"


def test_as_plain_data_it_has_every_question_and_what_lacks():
    told = handover_json(FOUND)
    assert (told["ref"], told["missing"], told["by"], told["audit"]) == ("titanic/2", ["failure"], "ann\x1b", None)
    assert told["items"][2] == {"key": "licence", "question": "Which licence?", "must": False, "answer": ""}
