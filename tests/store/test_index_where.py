"""The language of filters, over real runs."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlops_cli.errors import UsageError
from mlops_cli.records import BestTrial, Direction, GitState, MetricSummary, Query, RunStatus
from mlops_cli.store import index
from mlops_cli.store.index.dates import span
from mlops_cli.store.index.where import parse


@pytest.fixture
def four(start, workspace):
    """Runs that are told from each other by their seeds."""

    def make(seed, model, score, params, **more):
        writer = start(primary="roc_auc", direction=Direction.MAXIMIZE, seed=seed, **more)
        metric = MetricSummary(score, 0.01, None, (score,), 0.5)
        best = BestTrial(0, {"model": model, **params})
        done = replace(writer.record, status=RunStatus.COMPLETED, metrics={"roc_auc": metric}, best=best)
        writer.finish(done)

    make(1, "svm", 0.9, {"model.C": 0.5}, tags={"stage": "draft", "fold": "5"}, git=GitState("ab12cd34ef" * 4, True))
    make(2, "svm", 0.8, {"model.C": 5}, tags={"fold": "12"}, started="2026-03-02T08:00:00+01:00")
    make(3, "forest", 0.7, {"model.max_depth": None}, note="Keep This", git=GitState("0012cd3" * 5 + "00000", False))
    make(4, "forest", 0.6, {"model.max_depth": 3}, tags={"my key": "x' OR 1=1 --"})
    return workspace


def seeds(workspace, where, **more):
    from mlops_cli.store.find import read_run

    return [read_run(place).seed for place in index.find(workspace, Query(where=where, **more)).places]


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("", {1, 2, 3, 4}),
        ("roc_auc > 0.75", {1, 2}),
        ("metrics.roc_auc >= 0.8 and params.model.C < 1", {1}),
        ("model = svm or max_depth = 3", {1, 2, 4}),
        ("model = forest and not max_depth = 3", {3}),
        ("not (model = svm or seed = 3)", {4}),
        ("not model = svm and seed = 3 or seed = 1", {1, 3}),
        ("0.1 < model.C <= 5", {1, 2}),
        ("0.7 >= score", {3, 4}),
        ("seed in (1, 3, 9)", {1, 3}),
        ("seed not in (1, 3)", {2, 4}),
        ("model IN ('svm')", {1, 2}),
        ("NOT seed <> 2", {2}),
        ("C == 5", {2}),
        # a run without the field
        ("C < 1", {1}),
        ("not C < 1", {2, 3, 4}),
        ("C != 5", {1}),
        ("C = null", {3, 4}),
        ("C != null", {1, 2}),
        ("max_depth = null", {1, 2, 3}),
        ("max_depth in (null, 3)", {1, 2, 3, 4}),
        ("git.commit = null", {2, 4}),
        ("git.commit != ab12cd3", {3}),
        ("note != null", {3}),
        # that no run has
        ("seed = 1 and not tags.never = draft", {1}),
        ("params.svc.degree > 1 or metrics.never < 1", set()),
        ("tags.never = null", {1, 2, 3, 4}),
        # by kind
        ("note ~ keep", {3}),
        ("not note ~ 'KEEP this'", {1, 2, 4}),
        ("model ~ FOR", {3, 4}),
        ("tags.fold < 10", {1}),
        ("tags.fold = 5", {1}),
        ("tags.fold = '5'", {1}),
        ("tags.fold < '2'", {2}),
        ("fold in (5, 12)", {1, 2}),
        ("git.dirty = true", {1}),
        ("not git.dirty = true", {2, 3, 4}),
        ("git.commit = ab12cd3", {1}),
        ("git.commit = AB12CD34EF", {1}),
        ("git.commit = 0012cd3", {3}),
        ("git.commit = ab12c", set()),
        ("status = completed", {1, 2, 3, 4}),
        ("started > 2026-03-02", {2}),
        ("started = 2026-03-02", {2}),
        ("started <= 2026-03-01", {1, 3, 4}),
        ("2026-03-01 < started < 2026-03-02", {1, 3, 4}),
        ("started < 1d", {1, 2, 3, 4}),
        ("started > 2026-03-02T07:59:59+01:00", {2}),
        ("started = '2026-03-02 08:00:00+01:00'", {2}),
        ('`tags.my key` = "x\' OR 1=1 --"', {4}),
        ("roc_auc.test = .5", {1, 2, 3, 4}),
        ("metrics.roc_auc.std = 1e-2", {1, 2, 3, 4}),
        ("score < inf", {1, 2, 3, 4}),
        ("seed < 99999999999999999999999999", {1, 2, 3, 4}),
    ],
)
def test_a_filter_finds(four, where, expected):
    assert set(seeds(four, where)) == expected


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("rocauc > 1", "no run has a field 'rocauc', at the arrow: -->rocauc > 1 (did you mean 'metrics.roc_auc'?)"),
        ("tags = draft", "'tags' is no field by itself, at the arrow: -->tags = draft (tags.KEY)"),
        ("seed = 1 and scroe > 1", "seed = 1 and -->scroe > 1 (did you mean 'score'?)"),
        ("score >", "a value was expected, found the end, at the arrow: score >-->"),
        ("score", "an operator was expected, found the end"),
        ("score 0.8", "an operator was expected, found '0.8', at the arrow: score -->0.8"),
        ("(score > 1", "')' was expected"),
        ("score > 1)", "'and', 'or' or the end was expected, found ')'"),
        ("score > 1 seed = 2", "found 'seed'"),
        ("and score > 1", "a field was expected, found 'and'"),
        ("score > abc", "score is a number, at the arrow: score > -->abc"),
        ("status = complted", "did you mean 'completed'?"),
        ("started > soon", "started is a time"),
        ("started > 2026-13-01", "started is a time"),
        ("started > 99999999999999d", "started is a time"),
        ("started = 7d", "started > 7d is since then"),
        ("note = 'open", "a quote that is never closed, at the arrow: note = -->'open"),
        ("score ! 1", "'!' means nothing here"),
        ("score > null", "null is compared by = and !="),
        ("git.dirty = maybe", "git.dirty is true or false"),
        ("score < 1 < 2", "an interval is 0.1 < FIELD <= 1"),
        ("1 ~ score", "'~' takes the field first"),
        ("C < metrics.roc_auc", "a field is compared with values only"),
        ("seed in 1", "'(' was expected"),
        ("seed in (1", "',' or ')' was expected"),
        ("seed in ()", "a value was expected"),
        ("seed=1; DROP TABLE runs", "found 'DROP', at the arrow: seed=1; -->DROP TABLE runs"),
        ("(" * 100_000, "levels of 'not' and parentheses"),
        ("not " * 100_000, "levels of 'not' and parentheses"),
        (" or ".join(["score > 1"] * 5_000), "more than 200 comparisons"),
        ("seed in (" + ",".join(["1"] * 5_000) + ")", "more than 200 comparisons"),
    ],
)
def test_a_slip_is_told_with_its_place(four, where, said):
    with pytest.raises(UsageError) as caught:
        seeds(four, where)
    text = str(caught.value)
    assert said in text
    assert len(text) < 600
    assert "\n" not in text


def test_an_ending_that_several_fields_have_is_refused_with_their_names(four, start):
    start(tags={"C": "x"}).close()
    with pytest.raises(UsageError, match=r"'C' may be params\.model\.C, tags\.C"):
        seeds(four, "C = 1")


HOSTILE = [
    "' OR 1=1 --",
    '" OR 1=1 --',
    "x'); DROP TABLE runs; --",
    "1) OR (1=1",
    "%",
    "*",
    "?",
    ":a",
    "{v}",
    "\x00",
    "\ud800",
    "$1",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_sql_in_a_value_is_a_value(four, text):
    quoted = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    for op in ("=", "<", "~", "!="):
        found = seeds(four, f"note {op} {quoted}")
        assert found in ([], [3]), (op, found)
    assert set(seeds(four, f"not note = {quoted}")) == {1, 2, 3, 4}
    assert seeds(four, f"git.commit = {quoted}") == []
    assert seeds(four, "", experiment=text) == []


@pytest.mark.parametrize("text", [text for text in HOSTILE if "`" not in text])
def test_sql_in_a_name_is_no_field(four, text):
    with pytest.raises(UsageError, match="no run has a field"):
        seeds(four, f"`{text}` = 1")
    with pytest.raises(UsageError, match="no run has a field"):
        seeds(four, "", sort=text)
    with pytest.raises(UsageError, match="no run has a field"):
        seeds(four, "", columns=(text,))


def test_a_tag_whose_name_is_sql_can_be_asked_for(four, start):
    name = "a' OR 1=1 --\"); DROP TABLE vals"
    writer = start(tags={name: "here"}, seed=9)
    writer.finish(replace(writer.record, status=RunStatus.COMPLETED))
    assert seeds(four, f"`tags.{name}` = here") == [9]
    assert seeds(four, "", sort=f"tags.{name}")[0] == 9


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("", [2, 4, 3, 1]),
        ("score", [1, 2, 3, 4]),
        ("-score", [4, 3, 2, 1]),
        ("roc_auc", [4, 3, 2, 1]),
        ("model,-seed", [4, 3, 2, 1]),
        ("-model, seed", [1, 2, 3, 4]),
        ("C,seed", [1, 2, 3, 4]),
        ("-C,seed", [2, 1, 3, 4]),
        ("-started,seed", [2, 1, 3, 4]),
    ],
)
def test_runs_are_sorted(four, sort, expected):
    found = seeds(four, "", sort=sort)
    if sort:
        assert found == expected
    else:
        assert found[0] == 2  # the others began in one second


def test_the_best_come_first_whichever_end_is_good(finished, workspace):
    finished(0.5, direction=Direction.MINIMIZE)
    low = finished(0.1, direction=Direction.MINIMIZE)
    assert index.find(workspace, Query(sort="score")).places[0] == low.path


ATOMS = st.sampled_from(
    [
        "score > 0.75",
        "C < 1",
        "C != 5",
        "max_depth = null",
        "model = svm",
        "note ~ keep",
        "tags.fold < 10",
        "seed in (1, 4)",
    ]
)
FILTERS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        inner.map(lambda a: f"not ({a})"),
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda t: f"({t[0]}) {t[1]} ({t[2]})"),
    ),
    max_leaves=6,
)


@given(a=FILTERS, b=FILTERS)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_filters_obey_the_laws_of_logic(four, a, b):
    everything, left, right = {1, 2, 3, 4}, set(seeds(four, a)), set(seeds(four, b))
    assert set(seeds(four, f"not ({a})")) == everything - left
    assert set(seeds(four, f"({a}) and ({b})")) == left & right
    assert set(seeds(four, f"({a}) or ({b})")) == left | right


@given(st.text(max_size=40))
@settings(max_examples=300)
def test_any_text_is_a_filter_or_a_clear_error(text):
    with suppress(UsageError):
        parse(text)


NOW = datetime.fromisoformat("2026-11-21T15:30:00").astimezone()


@pytest.mark.parametrize(
    ("text", "begin", "end"),
    [
        ("today", "2026-11-21", "2026-11-22"),
        ("yesterday", "2026-11-20", "2026-11-21"),
        ("2026-01-31", "2026-01-31", "2026-02-01"),
        ("2026-01-31T14:00", "2026-01-31T14:00", "2026-01-31T14:01"),
        ("2026-01-31 14:00:05", "2026-01-31T14:00:05", "2026-01-31T14:00:06"),
        ("7d", "2026-11-14T15:30", "2026-11-14T15:30"),
        ("12h", "2026-11-21T03:30", "2026-11-21T03:30"),
        ("2w", "2026-11-07T15:30", "2026-11-07T15:30"),
        ("1.5h", "2026-11-21T14:00", "2026-11-21T14:00"),
    ],
)
def test_times_are_local_spans(text, begin, end):
    assert span(text, NOW) == tuple(datetime.fromisoformat(t).astimezone().timestamp() for t in (begin, end))
