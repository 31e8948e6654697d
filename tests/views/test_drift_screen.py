"""What ``mlops drift`` prints on a terminal of 80 columns."""

from dataclasses import replace

import pytest
from rich.console import Console

from mlops_cli.records import (
    ColumnDrift,
    Direction,
    Drifted,
    DriftKind,
    DriftReport,
    Kind,
    MetricDrift,
    Notice,
    Shift,
)
from mlops_cli.views.drift import drift_report

AGE = ColumnDrift(Shift("age", Kind.NUMERIC, "ks", 0.4, 1e-9, 1.07, 0.99, (0.2, 0.34)), drifted=True)
TOWN = ColumnDrift(Shift("town", Kind.CATEGORICAL, "chi2", 3.0, 0.4, 0.05, 0.01), drifted=False, new_share=0.005)
REPORT = DriftReport(
    model="shop/3",
    data="june.csv",
    version="0",
    at="2027-06-01T06:00:00+00:00",
    reference="the reference of shop/3",
    rows=1200,
    reference_rows=891,
    columns=(AGE, TOWN),
    metrics=(MetricDrift("roc_auc", Direction.MAXIMIZE, 0.9, 0.8, -0.1, (-0.15, -0.05), drifted=True),),
    findings=(Drifted(DriftKind.DISTRIBUTION, "age", "age: mean 29.5 → 44.9"),),
    notices=(Notice("columns-new", "training did not have 'colour'"),),
)


def printed(report, **options):
    console = Console(width=80, highlight=False)
    with console.capture() as captured:
        console.print(drift_report(report, **options))
    return [line.rstrip() for line in captured.get().splitlines()]


def test_what_moved_comes_first_and_every_finding_is_a_sentence():
    assert printed(REPORT) == [
        "shop/3 on june.csv, 1,200 rows, against the reference of shop/3 (891)",
        "drift: 1 finding, 1 of 2 features drifted",
        "",
        "    column      moved    PSI         p       missing     new",
        "────────────────────────────────────────────────────────────",
        "●   age      1.07 std   0.99   < 0.001   20 % → 34 %",
        "    town          5 %   0.01     0.400                 < 1 %",
        "moved: of numbers Wasserstein's distance in standard deviations, of categories",
        "the share that moved; PSI: population stability index; p: Kolmogorov-Smirnov, χ²",
        "or Fisher, adjusted for all tests",
        "",
        "    metric      training     here    change       95 % interval",
        "───────────────────────────────────────────────────────────────",
        "●   roc_auc ↑     0.9000   0.8000   -0.1000   -0.1500 … -0.0500",
        "",
        "values  age: mean 29.5 → 44.9",
        "try: mlops drift shop/3 june.csv --html drift.html",
        "",
        "! columns-new: training did not have 'colour'",
    ]


def test_no_drift_is_one_line():
    calm = DriftReport("shop/3", "june.csv", "0", "", "the reference of shop/3", 10, 20)
    assert printed(calm) == [
        "shop/3 on june.csv, 10 rows, against the reference of shop/3 (20)",
        "no drift found",
    ]


def test_too_few_rows_are_no_verdict():
    few = DriftReport("shop/3", "june.csv", "0", "", "the reference of shop/3", 1, 20, judged=False)
    assert printed(few) == [
        "shop/3 on june.csv, 1 row, against the reference of shop/3 (20)",
        "too few rows to be judged",
    ]


@pytest.mark.parametrize(
    ("changed", "step"),
    [
        ({"labelled": 9}, "mlops retrain shop --data 'a b.csv'"),
        ({"labelled": 9, "unread": ("height",)}, "mlops models card shop/3"),
        ({}, "mlops drift shop/3 'a b.csv' --html drift.html"),
        ({"model": "shop/20270601-060000-abcdef"}, "mlops drift shop/20270601-060000-abcdef 'a b.csv' --html"),
    ],
)
def test_a_finding_is_followed_by_the_command_that_comes_next(changed, step):
    text = " ".join(printed(replace(REPORT, data="a b.csv", **changed)))
    assert f"try: {step}" in text


def test_columns_that_are_lacking_count_as_drifted():
    assert "drift: 1 finding, 2 of 3 features drifted" in printed(replace(REPORT, unread=("height",)))


def test_of_many_columns_those_that_have_not_moved_are_counted():
    many = tuple(ColumnDrift(Shift(f"c{i}", Kind.NUMERIC), drifted=False) for i in range(50))
    report = DriftReport("shop/3", "june.csv", "0", "", "r", 10, 20, columns=(AGE, *many))
    assert "30 other columns unmoved; --all shows them" in printed(report)
    assert len(printed(report, every=True)) > 50


def test_text_of_the_data_is_text():
    nasty = "[bold]x\x1b[31m\u202e" * 5
    shift = Shift(nasty, Kind.CATEGORICAL, "chi2", 1.0, 1e-9, 0.5, 0.5, new=(nasty,))
    finding = Drifted(DriftKind.CATEGORIES, nasty, nasty)
    report = DriftReport(nasty, nasty, "0", "", nasty, 1, 1, (ColumnDrift(shift, drifted=True),), findings=(finding,))
    text = "\n".join(printed(report))
    assert not {"\x1b", "\u202e"} & set(text)
    assert "[bold]x\\x1b[31m" in text
    assert max(map(len, text.splitlines())) <= 80
