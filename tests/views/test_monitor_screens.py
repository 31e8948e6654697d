"""A model over time as it stands in a terminal of 80 columns."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from mlops_cli.records import (
    Batch,
    ColumnDrift,
    Direction,
    Drifted,
    DriftKind,
    DriftReport,
    Kind,
    MetricDrift,
    Shift,
)
from mlops_cli.views.monitor import batch_json, joined, largest_psi, logged, row_of, sparkline, trend

NOW = datetime.fromisoformat("2026-03-04T15:00:00+00:00")


def column(name, psi, *, drifted=False):
    p = 1e-6 if psi > 0.05 else 0.2
    return ColumnDrift(Shift(name, Kind.NUMERIC, "ks", 0.1, p, psi, psi, psi_by_chance=0.01), drifted)


def batch(day, psi, score=None, *, number=3, name=None, fell=False):
    drifted = psi >= 0.2
    found = (Drifted(DriftKind.DISTRIBUTION, "age", f"age: PSI {psi}"),) if drifted else ()
    report = DriftReport(
        f"titanic/{number}",
        f"data/{day}.csv",
        "v",
        "2026-03-01T10:00:00+00:00",
        "the reference",
        1200,
        5000,
        (column("age", psi, drifted=drifted), column("fare", 0.01)),
        (column("prediction", psi / 2, drifted=psi > 0.4),),
        findings=found,
    )
    metrics = ()
    if score is not None:
        change = score - 0.9
        ends = (change - 0.05, change + 0.05)
        metrics = (MetricDrift("roc_auc", Direction.MAXIMIZE, 0.9, score, change, ends, drifted=fell),)
    return Batch(
        f"202603{day}-101500-000000",
        "titanic",
        number,
        name or f"{day}.csv",
        report,
        f"2026-03-{day}T10:15:00+00:00",
        "me",
        "id",
        "labels.csv" if metrics else None,
        700 if metrics else 0,
        metrics,
        "c",
    )


BATCHES = [
    batch("01", 0.03, 0.91, number=2),
    batch("02", 0.08),
    batch("03", 0.25, 0.88),
    batch("04", 0.61, 0.71, fell=True, name="a name that is much too long for it"),
]


TREND = """\
titanic  9 batches, the newest 4, 2 with drift

  batch     logged            by    rows   drifted     psi   outputs   roc_auc ↑
────────────────────────────────────────────────────────────────────────────────
  01.csv    Mar 1 10:15        2   1,200       0/2       0         0      0.9100
  02.csv    Mar 2 10:15        3   1,200       0/2   0.070         0           -
● 03.csv    yesterday 10:15    3   1,200       1/2   0.240     0.115      0.8800
● a name    today 10:15        3   1,200       1/2   0.600     0.295      0.7100
that is
mu…
● drift; psi, outputs: the largest stability index of a feature and of an
output, beyond chance

largest psi   ▁▁▄█   0.0000 … 0.6000
of outputs    ▁▁▄█   0.0000 … 0.2950
roc_auc       █ ▇▁   0.7100 … 0.9100

in a name that is much too long for it
  age: PSI 0.61
  roc_auc fell from 0.9 to 0.71 (worse): -0.19, 95 % interval -0.24 … -0.14
try: mlops retrain titanic --data LABELLED.csv"""

LOGGED = """\
a name that is much too long for it  1,200 rows for titanic/3: drift found
  age: PSI 0.61
  it was logged before, as 20260304-101500-000000; nothing is changed
try: mlops monitor show titanic"""

JOINED = """\
1,400 of 1,500 labels are of 2 batches, 700 of them new

batch              labelled   metric      training     here   95 % of the change
────────────────────────────────────────────────────────────────────────────────
01.csv            700/1,200   roc_auc ↑     0.9000   0.9100    -0.0400 … +0.0600
a name that is    700/1,200   roc_auc ↑     0.9000   0.7100    -0.2400 … -0.1400
mu…

a name that is much too long for it: roc_auc fell from 0.9 to 0.71 (worse):
-0.19, 95 % interval -0.24 … -0.14
try: mlops retrain titanic --data LABELLED.csv"""


def test_the_trend(shown):
    assert shown(trend("titanic", BATCHES, 9, NOW)) == TREND


def test_a_batch_that_was_logged_before(shown):
    assert shown(logged(BATCHES[3], is_new=False)) == LOGGED


def test_what_labels_came_to(shown):
    assert shown(joined([BATCHES[0], BATCHES[3]], 1500, 1400, 700)) == JOINED


def test_of_batches_of_different_size_and_kind_the_trend_is_what_is_beyond_chance(shown):
    """Of many categories and few rows the index is large without any drift."""
    many = ColumnDrift(Shift("street", Kind.CATEGORICAL, "chi2", 0.1, 0.6, 0.3, 4.2, psi_by_chance=4.0), drifted=False)
    less = ColumnDrift(Shift("town", Kind.CATEGORICAL, "chi2", 9.0, 1e-5, 0.3, 1.9, psi_by_chance=1.5), drifted=True)
    calm = replace(BATCHES[0], report=replace(BATCHES[0].report, columns=(many,)))
    moved = replace(BATCHES[0], report=replace(BATCHES[0].report, columns=(many, less)))
    assert [largest_psi(calm), largest_psi(moved)] == [(0.0, ""), (pytest.approx(0.4), "town")]
    assert "largest psi   ▁█" in shown(trend("titanic", [calm, moved], 2, NOW))
    assert batch_json(calm)["psi"] == {"street": 4.2}


def test_a_batch_of_too_few_rows_is_marked(shown):
    few = replace(BATCHES[0], report=replace(BATCHES[0].report, judged=False))
    assert shown(logged(few, is_new=True)).startswith("01.csv  1,200 rows for titanic/2: too few rows to be judged")
    text = shown(trend("titanic", [few], 1, NOW))
    assert "○ 01.csv" in text
    assert "○ too few rows to be judged" in text


def test_no_batches_yet(shown):
    assert shown(trend("titanic", [], 0, NOW)) == "titanic  0 batches, 0 with drift"


@pytest.mark.parametrize("width", [60, 80, 120])
def test_hostile_names_are_text_and_nothing_is_wider_than_the_terminal(shown, width):
    nasty = "[/x]\x1b[31m\u202e" * 10
    odd = batch("05", 0.3, 0.7, name=nasty)
    text = shown(trend(nasty, [odd, odd], 2, NOW), width) + shown(logged(odd, is_new=True), width)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "[/x]" in text


def test_sparklines_leave_gaps_and_are_cut_to_the_last():
    assert sparkline([None, 1.0, 2.0, None, 3.0]) == " ▁▅ █"
    assert len(sparkline([float(n) for n in range(100)])) == 40
    assert sparkline([float("nan"), None]) == ""


def test_a_batch_as_a_row_and_as_plain_data():
    row = row_of(BATCHES[3])
    assert (row["psi"], row["psi_of"], row["features"], row["metrics.roc_auc"]) == (0.6, "age", ["age"], 0.71)
    told = batch_json(BATCHES[3])
    assert (told["version"], told["drifted"], told["psi"]) == ("titanic/3", True, {"age": 0.61, "fare": 0.01})
    assert told["metrics"][0]["metric"] == "roc_auc"
