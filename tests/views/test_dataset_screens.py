"""Named data sets, as they stand in an 80-column terminal."""

from datetime import datetime
from pathlib import Path

from mlops_cli.records import (
    Column,
    DatasetFile,
    DatasetPage,
    DatasetSummary,
    DatasetVersion,
    Direction,
    Kind,
    MetricSummary,
    NamedDataset,
    RunRecord,
    RunStatus,
)
from mlops_cli.views.datasets import headline, listing, listing_json, page, page_json

NOW = datetime.fromisoformat("2026-11-21T16:00:00+00:00")
COLUMNS = (
    Column("passenger_id", "int64", Kind.NUMERIC, unique=891),
    Column("a[bold]ge\x1b[31m", "float64", Kind.NUMERIC, missing=177, unique=88),
)
FILE = DatasetFile("titanic.csv", "ab" * 32, 57_018)
VERSION = NamedDataset(
    name="titanic",
    number=3,
    files=(FILE,),
    is_folder=False,
    option="csv",
    table=DatasetVersion("0123456789abcdef", 891, COLUMNS, source="data/titanic.csv"),
    read={"sep": "\t", "na_values": ["?", "-"], "header": None},
    origin="data/titanic.csv",
    added="2026-11-20T15:02:03+00:00",
    note="as [red]downloaded\x1b[2J",
    key="passenger_id",
)
PARTS = NamedDataset(
    "sales",
    1,
    tuple(DatasetFile(f"2026/{n:02d}[/x].parquet", f"{n:02d}" * 32, 1 << 20) for n in range(12)),
    True,
    "parquet",
    DatasetVersion("fedcba9876543210", 1_200_000, COLUMNS[:1]),
    origin="data/sales",
    added="2025-01-02T00:00:00+00:00",
)
RUN = RunRecord(
    "titanic/20261121-093000-abcdef",
    Path("/w/runs/titanic/20261121-093000-abcdef"),
    "titanic",
    RunStatus.COMPLETED,
    "2026-11-21T09:30:00+00:00",
    primary="roc_auc",
    direction=Direction.MAXIMIZE,
    metrics={"roc_auc": MetricSummary(0.8612, 0.02, (0.8, 0.9), (0.8, 0.9))},
    dataset=DatasetVersion("0123456789abcdef", 891, COLUMNS, source="titanic@3"),
)


def test_the_line_that_says_what_was_added():
    assert headline(VERSION) == "titanic@3  891 rows × 2 columns  55.7 kB"


def test_the_list(shown):
    first = DatasetSummary("sales", (PARTS,), {})
    second = DatasetSummary("titanic", (VERSION,), {"clean": 3, "raw": 1})
    assert (
        shown(listing([first, second], NOW))
        == """\
data set   versions          newest      size   tags            added
───────────────────────────────────────────────────────────────────────────────
sales             1   1,200,000 × 1   12.0 MB                   2025-01-02
titanic           1         891 × 2   55.7 kB   clean@3 raw@1   yesterday 15:02"""
    )


def test_a_version_in_full(shown):
    found = DatasetPage(VERSION, ("clean",), (1, 3), (RUN,))
    assert (
        shown(page(found, NOW))
        == """\
titanic@3  891 rows × 2 columns  55.7 kB

from     data/titanic.csv
added    2026-11-20 15:02:03 +00:00
read as  csv sep='\\t' na_values=[?,-] header=null
key      passenger_id
note     as [red]downloaded\\x1b[2J
tags     clean
content  0123456789ab
file     titanic.csv, sha256 abababababab
others   @1

column              type      kind      missing   distinct
──────────────────────────────────────────────────────────
passenger_id        int64     numeric         -        891
a[bold]ge\\x1b[31m   float64   numeric       177         88

run                              when          status               score
─────────────────────────────────────────────────────────────────────────
titanic/20261121-093000-abcdef   today 09:30   completed   roc_auc 0.8612"""
    )


def test_a_folder_in_full(shown):
    text = shown(page(DatasetPage(PARTS, (), (1,), ()), NOW))
    assert text.splitlines()[0] == "sales@1  1,200,000 rows × 1 column  12.0 MB"
    assert (
        text[text.index("file ") :]
        == """\
file                    size   sha256
───────────────────────────────────────────
2026/00[/x].parquet   1.0 MB   000000000000
2026/01[/x].parquet   1.0 MB   010101010101
2026/02[/x].parquet   1.0 MB   020202020202
2026/03[/x].parquet   1.0 MB   030303030303
2026/04[/x].parquet   1.0 MB   040404040404
2026/05[/x].parquet   1.0 MB   050505050505
2026/06[/x].parquet   1.0 MB   060606060606
2026/07[/x].parquet   1.0 MB   070707070707
2026/08[/x].parquet   1.0 MB   080808080808
2026/09[/x].parquet   1.0 MB   090909090909
… and 2 more files

no run has read it yet"""
    )


def test_plain_data_has_all_versions_and_the_runs():
    (told,) = listing_json([DatasetSummary("titanic", (VERSION,), {"clean": 3})])
    assert (told["name"], told["tags"], told["versions"][0]["number"]) == ("titanic", {"clean": 3}, 3)
    assert page_json(DatasetPage(VERSION, ("clean",), (3,), (RUN,)))["runs"] == [RUN.id]
