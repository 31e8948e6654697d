"""A file of questions about platforms: what may stand in it, and how what may not is told."""

import pytest

from mlops_cli.config.assess import read_assessment
from mlops_cli.config.declared import of_file
from mlops_cli.config.platforms import chart_of, read_evaluation
from mlops_cli.errors import ConfigError
from mlops_cli.records import Answer, Level, Mark

QUESTIONS = """\
name: Which one?
processes: processes.yaml
platforms:
  ours: {name: Ours, date: 2026-11-22, note: version 3}
  other_one: {levels: {training: semi-automated, tune: automated}}
concerns: {cost: Cost, security: null}
questions:
  price:
    concern: cost
    ask: Is it cheap?
    weight: 2
    answers:
      ours: 🟢
      other_one: {answer: 🟡, note: in the first year}
  safe: {concern: security, ask: Is it safe?, must: true, answers: {ours: }}
"""

CHART = {
    "actors": ["scientist"],
    "phases": ["collection", "training"],
    "processes": {
        "collect": {"phase": "collection", "actor": "scientist", "level": "manual"},
        "tune": {"phase": "training", "actor": "scientist", "level": "manual"},
        "fit": {"phase": "training", "actor": "scientist", "level": "manual"},
    },
}


def evaluated(tmp_path, text, *, chart=True):
    path = tmp_path / "platforms.yaml"
    path.write_text(text, encoding="utf-8")
    assessment = read_assessment(CHART, ()) if chart else None
    return of_file(path, "platforms.yaml", lambda value, _: read_evaluation(value, assessment))


def test_a_file_says_who_asks_what_of_whom(tmp_path):
    found = evaluated(tmp_path, QUESTIONS)
    assert (found.name, dict(found.concerns)) == ("Which one?", {"cost": "Cost", "security": "Security"})
    ours, other = found.platforms
    assert (ours.key, ours.name, ours.date, ours.note) == ("ours", "Ours", "2026-11-22", "version 3")
    assert (other.name, other.date) == ("Other one", "")
    price, safe = found.questions
    assert (price.text, price.concern, price.weight, price.must) == ("Is it cheap?", "cost", 2, False)
    assert price.answers == {"ours": Answer(Mark.GREEN), "other_one": Answer(Mark.YELLOW, "in the first year")}
    assert (safe.weight, safe.must, safe.answers) == (1, True, {})
    assert safe.mark("ours") is None


def test_a_level_of_a_phase_is_that_of_its_processes_but_for_those_that_have_their_own(tmp_path):
    ours, other = evaluated(tmp_path, QUESTIONS).platforms
    assert ours.levels == {}
    assert other.levels == {"tune": Level.AUTOMATED, "fit": Level.SEMI_AUTOMATED}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("  other_one: {l", '  "o\\e[31m": {l', r"platforms.o.\[31m: is no key"),
        ("  safe:", "  '=1+1':", r"questions.=1\+1: is no key"),
        ("security: null", "'a b': null", "concerns.a b: is no key"),
        ("weight: 2", "weight: 1.0e+308", r"weight: found 1e\+308, must be a number of 0 or more, at most 1,000,000"),
    ],
)
def test_keys_are_words_and_weights_can_be_summed(tmp_path, old, new, said):
    assert old in QUESTIONS
    with pytest.raises(ConfigError, match=said):
        evaluated(tmp_path, QUESTIONS.replace(old, new))


def test_the_file_of_processes_is_named_by_a_path():
    assert chart_of({"processes": "processes.yaml"}) == "processes.yaml"
    assert chart_of({}) is None
    with pytest.raises(ConfigError, match=r"processes: found 3, must be text"):
        chart_of({"processes": 3})


@pytest.mark.parametrize(
    ("written", "mark"),
    [
        *(("🟢", Mark.GREEN), ("🟢\ufe0f", Mark.GREEN), ("green", Mark.GREEN), ("'yes'", Mark.GREEN)),
        *(("true", Mark.GREEN), ("🟡", Mark.YELLOW), ("Yellow", Mark.YELLOW), ("partly", Mark.YELLOW)),
        *(("🔴", Mark.RED), ("red", Mark.RED), ("'No'", Mark.RED), ("false", Mark.RED)),
        *(("", None), ("null", None), ("{answer: , note: asked them}", None), ("{note: asked them}", None)),
    ],
)
def test_an_answer_may_be_a_sign_a_colour_a_word_or_not_known_yet(tmp_path, written, mark):
    found = evaluated(tmp_path, QUESTIONS.replace("ours: 🟢", f"ours: {written}"))
    assert found.questions[0].mark("ours") is mark


def test_what_is_noted_of_an_answer_that_is_not_known_is_kept(tmp_path):
    found = evaluated(tmp_path, QUESTIONS.replace("ours: 🟢", "ours: {note: asked them}"))
    assert found.questions[0].answers["ours"] == Answer(None, "asked them")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("name: Which", "titel: Which", "platforms.yaml:1: titel: unknown key (allowed: "),
        (
            "concern: cost\n",
            "concern: costs\n",
            "platforms.yaml:9: questions.price.concern: found 'costs' (did you mean",
        ),
        ("    concern: cost\n", "", "platforms.yaml:8: questions.price.concern: there is none (one of cost, security)"),
        ("    ask: Is it cheap?\n", "", "platforms.yaml:8: questions.price.ask: there is none (a question that can"),
        (
            "weight: 2",
            "weight: -1",
            "platforms.yaml:11: questions.price.weight: found -1, must be a number of 0 or more",
        ),
        ("weight: 2", "wieght: 2", "platforms.yaml:11: questions.price.wieght: unknown key (did you mean 'weight'?"),
        ("must: true", "must: 1", "platforms.yaml:15: questions.safe.must: found 1, must be true or false"),
        (
            "ours: 🟢",
            "mine: 🟢",
            "platforms.yaml:13: questions.price.answers.mine: unknown key (allowed: other_one, ours)",
        ),
        (
            "ours: 🟢",
            "ours: blue",
            "platforms.yaml:13: questions.price.answers.ours: found 'blue', must be 🟢 (green, 'yes')",
        ),
        ("ours: 🟢", "ours: 1", "platforms.yaml:13: questions.price.answers.ours: found 1, must be 🟢"),
        ("note: in", "not: in", "platforms.yaml:14: questions.price.answers.other_one.not: unknown key (did you mean"),
        (
            "note: in",
            "weight: 2, note: in",
            (
                "platforms.yaml:14: questions.price.answers.other_one.weight: an answer has no weight of its own "
                "(questions.price.weight holds for all platforms: by different weights none can be compared)"
            ),
        ),
        (
            "in the first year}",
            "in the first year, at most}",
            (
                "platforms.yaml:14: questions.price.answers.other_one.at most: there is nothing of it "
                "(a text with a comma: '…, at most')"
            ),
        ),
        ("2026-11-22", "soon", "platforms.yaml:4: platforms.ours.date: found 'soon', must be a day"),
        (
            "tune: auto",
            "tuning: auto",
            "platforms.yaml:5: platforms.other_one.levels.tuning: unknown key (did you mean",
        ),
        ("semi-automated", "semi", "platforms.yaml:5: platforms.other_one.levels.training: found 'semi' (allowed: "),
        ("concerns: {cost: Cost, security: null}", "", "platforms.yaml: concerns: there is none"),
    ],
)
def test_what_is_wrong_is_told_by_file_line_and_key(tmp_path, old, new, message):
    assert old in QUESTIONS
    with pytest.raises(ConfigError) as caught:
        evaluated(tmp_path, QUESTIONS.replace(old, new, 1))
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("key", ["platforms", "questions"])
def test_a_file_without_platforms_or_questions_says_how_to_begin(tmp_path, key):
    node = {"platforms": {"ours": None}, "concerns": ["cost"], "questions": {"q": {"concern": "cost", "ask": "Q?"}}}
    read_evaluation(node)
    with pytest.raises(ConfigError, match=f"{key}: there is none .`mlops assess init` writes a file"):
        read_evaluation({**node, key: {}})


def test_levels_need_processes_that_they_are_of(tmp_path):
    with pytest.raises(
        ConfigError, match=r"platforms.other_one.levels: of which processes\? \(processes: processes.yaml"
    ):
        evaluated(tmp_path, QUESTIONS, chart=False)
