"""A data profile, as it stands in an 80-column terminal."""

from mlops_cli.records import ColumnProfile, DataProfile, Kind
from mlops_cli.views.profile import profile_table

COLUMNS = (
    ColumnProfile("survived", "int64", Kind.NUMERIC, "target", 891, 0, 2, top=(("0", 549), ("1", 342))),
    ColumnProfile(
        "age",
        "float64",
        Kind.NUMERIC,
        "feature",
        714,
        177,
        88,
        29.699,
        14.5265,
        (0.42, 4.0, 20.1, 28.0, 38.0, 56.0, 80.0),
        tuple(float(n) for n in range(0, 85, 5)),
        (40, 22, 16, 86, 114, 106, 95, 72, 48, 41, 32, 16, 15, 4, 6, 1),
        association=0.0512,
    ),
    ColumnProfile(
        "sex", "str", Kind.CATEGORICAL, "feature", 891, 0, 2, top=(("male", 577), ("female", 314)), association=0.5421
    ),
    ColumnProfile("deck", "str", Kind.CATEGORICAL, "feature", 890, 1, 7, top=(("[/x]\x1b[2J", 400), ("C", 300))),
    ColumnProfile("a_column_with_a_very_long_name", "str", Kind.TEXT, "feature", 891, 0, 891),
    ColumnProfile(
        "day",
        "datetime64[us]",
        Kind.DATETIME,
        "time",
        891,
        0,
        300,
        1.6e9,
        1e6,
        (1577836800.0, 1580000000.0, 1590000000.0),
        (1.57e9, 1.58e9, 1.59e9),
        (500, 391),
    ),
    ColumnProfile("[/b]\x07", "str", Kind.CATEGORICAL, "id", 891, 0, 891),
)


def test_each_column_has_a_line(shown):
    assert (
        shown(profile_table(DataProfile(891, COLUMNS)))
        == """\
891 rows × 7 columns

column               missing              values   distribution           target
────────────────────────────────────────────────────────────────────────────────
survived target            -          2 distinct   0 62 %, 1 38 %
age                     20 %       29.70 ± 14.53   ▃▂▁▆█▇▇▅▃▃▂▁▁▁▁▁         0.05
sex                        -          2 distinct   male 65 %, female 3…     0.54
deck                   < 1 %          7 distinct   [/x]\\x1b[2J 45 %, C…
a_column_with_a_ve         -        891 distinct
ry_long_name
day time                   -   2020-01 … 2020-05   █▆
[/b]\\x07 id                -        891 distinct
target: how strongly a feature goes with the target, from 0 to 1"""
    )


def test_what_is_left_out_and_sampled_is_said(shown):
    head = shown(profile_table(DataProfile(60_000, COLUMNS, left_out=93, sampled=50_000))).splitlines()[0]
    assert head == "60,000 rows × 100 columns, the first 7 are described; distributions are those of 50,000"[:80]
