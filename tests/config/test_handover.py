"""What a model's owner answers is read from a file; what is wrong with it is said by file, line and key."""

from __future__ import annotations

import pytest

from mlops_cli.config.declared import of_file
from mlops_cli.config.handover import QUESTIONS, blank_handover, read_handover
from mlops_cli.errors import ConfigError


@pytest.fixture
def answered(tmp_path):
    """The answers in a text, by key."""

    def read(text):
        path = tmp_path / "titanic.yaml"
        path.write_text(text)
        return {item.key: item for item in of_file(path, "handover/titanic.yaml", read_handover)}

    return read


@pytest.mark.parametrize(
    ("written", "answer"),
    [
        ("Ann Lee, sales", "Ann Lee, sales"),
        ("  '  spaces around  '", "spaces around"),
        ("|\n  first\n  second\n", "first\nsecond"),
        ("[Ann, 'Bob: nights', , 3]".replace(" ,", ""), "Ann; Bob: nights; 3"),
        ("99.5", "99.5"),
        ("2026-01-31", "2026-01-31"),
        ("true", "yes"),
        ("false", "no"),
        ("", ""),
        ("[]", ""),
        ("TODO", ""),
        ("tbd", ""),
        ("'TBD: ask Ann'", ""),
        ("'??'", ""),
        ("[TODO, Ann]", "Ann"),
        ("Todos are kept by Ann", "Todos are kept by Ann"),
    ],
)
def test_an_answer_is_text_a_number_a_day_yes_or_no_or_a_list_of_these(answered, written, answer):
    assert answered(f"purpose: which\nbusiness_owner: {written}\n")["business_owner"].answer == answer


def test_every_question_is_there_in_its_order_whether_it_is_answered_or_not(answered):
    found = answered("next_work: more rows\n")
    assert list(found) == [item.key for item in QUESTIONS]
    assert [item.key for item in found.values() if item.answer] == ["next_work"]


def test_own_questions_are_answered_by_their_keys_and_must_be(answered):
    found = answered("questions:\n  opening: On which  days?\n  cost: How much?\nopening: mondays\n")
    assert [(found[key].question, found[key].answer, found[key].must) for key in ("opening", "cost")] == [
        ("On which days?", "mondays", True),
        ("How much?", "", True),
    ]


def test_a_blank_file_asks_every_question_and_takes_answers_where_it_asks(answered):
    text = blank_handover("titanic")
    with pytest.raises(ConfigError, match="nothing is answered"):
        answered(text)
    for item in QUESTIONS:
        assert f"# {item.question}{'' if item.must else ' (may stay open)'}\n{item.key}:\n" in text
        text = text.replace(f"\n{item.key}:\n", f"\n{item.key}: of {item.key}\n")
    text = text.replace("#  launch", "   launch") + "launch: never\n"
    assert {key: item.answer for key, item in answered(text).items()} == {
        **{item.key: f"of {item.key}" for item in QUESTIONS},
        "launch": "never",
    }


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("purpose: x\nsensitvity: none\n", "2: sensitvity", "did you mean 'sensitivity'?"),
        ("questions: {opening: When?}\npurpose: x\nopenin: now\n", "3: openin", "did you mean 'opening'?"),
        ("purpose: {a: b}", "1: purpose", "found a mapping, {a: 'b'}, must be text, or a list of texts"),
        ("purpose: [[a]]", "1: purpose[0]", "must be text, or a list of texts"),
        ("purpose: x\nquestions:\n  purpose: Why?\n", "3: questions.purpose", "is asked already"),
        ("purpose: x\nquestions:\n  questions: Why?\n", "3: questions.questions", "is asked already"),
        ("purpose: x\nquestions:\n  a b: Why?\n", "3: questions.a b", "is no word"),
        ('purpose: x\nquestions:\n  "a\\e[31m": Why?\n', "3: questions.a\x1b[31m", "is no word"),
        ("purpose: x\nquestions:\n  opening:\n", "3: questions.opening", "must be text"),
        ("purpose: x\nquestions:\n  opening: ' '\n", "3: questions.opening", "asks nothing"),
        ("purpose: x\nquestions: [When?]\n", "2: questions", "must be a mapping"),
        ("- purpose", "", "must be a mapping"),
        ("", "", "nothing is answered"),
        ("purpose: ' '\n", "", "nothing is answered"),
        ("purpose: no", "", "YAML reads no as false"),
        ("purpose: a: b", "", "is not valid YAML"),
    ],
)
def test_what_is_wrong_is_said_with_file_line_and_key(answered, text, place, message):
    with pytest.raises(ConfigError) as raised:
        answered(text)
    assert str(raised.value).startswith(f"handover/titanic.yaml{f':{place}: ' if place else ':'}")
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)
