"""Registered models, as they stand in an 80-column terminal."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from mlops_cli.records import (
    Aliases,
    AliasMove,
    Approval,
    DatasetVersion,
    Direction,
    GitState,
    MetricSummary,
    ModelStatus,
    ModelVersion,
    RegisteredModel,
    RunFile,
    RunRecord,
    RunStatus,
    SignOff,
    Task,
    VersionCheck,
    VersionPage,
)
from mlops_cli.views.models import faults, listing, page, registered, verdict, version_json, versions

NOW = datetime.fromisoformat("2026-11-21T16:00:00+00:00")
RECORD = RunRecord(
    "titanic/20261121-093000-abcdef",
    Path("/w/models/titanic/2"),
    "titanic",
    RunStatus.COMPLETED,
    "2026-11-21T09:30:00+00:00",
    task=Task.CLASSIFICATION,
    primary="roc_auc",
    direction=Direction.MAXIMIZE,
    metrics={"roc_auc": MetricSummary(0.8612, 0.0212, (0.84, 0.88), (0.84, 0.88), test=0.85)},
    params={"model": "svm", "model.C": 2.0},
    dataset=DatasetVersion("0123456789abcdef", 891, (), source="titanic@3"),
    git=GitState("f" * 40, dirty=True),
    code={"mine.py": "0" * 64, "other.py": "1" * 64},
    environment={"python": "3.11.7"},
)
FILES = {"model/model.skops": "ab" * 32, "code/mine.py": "cd" * 32}


def version(number, created):
    return ModelVersion("titanic", number, Path(f"/w/models/titanic/{number}"), created, "ann", RECORD, FILES, 61_400)


MODEL = RegisteredModel(
    "titanic",
    (version(1, "2026-11-20T15:02:03+00:00"), version(2, "2026-11-21T15:02:03+00:00")),
    Aliases({"champion": 1, "challenger": 2}, last=2),
    {
        1: ModelStatus(sign_offs=(SignOff("bob", "2026-11-21T08:00:00+00:00", Approval.APPROVED, "[b]fine\x1b[2J"),)),
        2: ModelStatus("for the map", {"team": "a[/]"}),
    },
)


def test_what_was_registered():
    assert registered(MODEL.versions[0]) == ["titanic/1  2 files, 60.0 kB", "in /w/models/titanic/1"]


def test_the_list_of_models(shown):
    assert (
        shown(listing([MODEL], NOW, 100)[0], 100)
        == """\
model     versions   newest      score              aliases                     registered
───────────────────────────────────────────────────────────────────────────────────────────
titanic          2   titanic/2   roc_auc ↑ 0.8612   @challenger=2 @champion=1   today 15:02"""
    )


def test_the_list_of_versions(shown):
    assert (
        shown(versions(MODEL, NOW, 100)[0], 100)
        == """\
version     aliases       status     roc_auc ↑   data        run      registered
─────────────────────────────────────────────────────────────────────────────────────
titanic/2   @challenger   pending       0.8612   titanic@3   abcdef   today 15:02
titanic/1   @champion     approved      0.8612   titanic@3   abcdef   yesterday 15:02"""
    )


def test_what_a_narrow_terminal_has_no_room_for_is_left_out_and_nothing_is_broken(shown):
    made, left = listing([MODEL], NOW, 80)
    assert (
        shown(made)
        == """\
model     newest      score              aliases                     registered
────────────────────────────────────────────────────────────────────────────────
titanic   titanic/2   roc_auc ↑ 0.8612   @challenger=2 @champion=1   today 15:02"""
    )
    assert left == 1
    made, left = versions(MODEL, NOW, 80)
    assert (
        shown(made)
        == """\
version     aliases       status     roc_auc ↑   data        registered
────────────────────────────────────────────────────────────────────────────
titanic/2   @challenger   pending       0.8612   titanic@3   today 15:02
titanic/1   @champion     approved      0.8612   titanic@3   yesterday 15:02"""
    )
    assert left == 1


@pytest.mark.parametrize("width", [20, 40, 60, 80])
def test_many_aliases_are_cut_and_take_no_room_from_what_matters_more(shown, width):
    called = {f"an-alias-of-many-{i}": 2 for i in range(9)}
    made, _ = versions(replace(MODEL, aliases=Aliases(called, last=2)), NOW, width)
    assert len(made.columns) > 1 or width == 20
    assert len(shown(made, width).splitlines()) == 4


def test_a_champion_by_override_does_not_look_like_any_other(shown):
    move = AliasMove("champion", 1, None, "2026-11-21T10:00:00+00:00", "bob", "promotion", "for the [b]show\x1b[2J")
    found = VersionPage(MODEL.versions[0], ("champion", "fit"), MODEL.statuses[1], (1,), (), (move,))
    text = shown(page(found, NOW), 120)
    assert text.splitlines()[0] == "titanic/1  @champion (overridden)  @fit  approved"
    how = "by override of bob, today 10:00:00, 2026-11-21, although gates had failed: for the [b]show\\x1b[2J"
    assert f"@champion   {how}" in text
    assert version_json(found)["overridden"] == {"champion": move.override}


def test_answers_that_cannot_be_read_are_not_shown_as_none(shown):
    found = VersionPage(MODEL.versions[0], (), MODEL.statuses[1], (1,), unread="damaged: [b]x\x1b")
    assert "handover    cannot be read: damaged: [b]x\\x1b\n" in shown(page(found, NOW), 120)
    told = version_json(found)
    assert (told["handover"], told["handover_unread"]) == (None, "damaged: [b]x\x1b")


def test_a_version_in_full(shown):
    files = (RunFile("card.md", 2048), RunFile("model/model.skops", 5000, "ab" * 32))
    found = VersionPage(MODEL.versions[0], ("champion",), MODEL.statuses[1], (1, 2), files)
    assert (
        shown(page(found, NOW))
        == """\
titanic/1  @champion  approved

metric           mean ± std     95 % interval     test
──────────────────────────────────────────────────────
roc_auc ↑   0.8612 ± 0.0212   0.8400 … 0.8800   0.8500
over 2 splits, each scored by a model that had not seen its rows

approved    by bob, today 08:00:00, 2026-11-21: [b]fine\\x1b[2J
model       svm  C=2
task        classification
data        titanic@3  891 rows × 0 columns  0123456789ab
run         titanic/20261121-093000-abcdef
code        ffffffffffff, uncommitted changes in source.diff
own code    mine.py
own code    other.py, which had changed and is not kept
python      3.11.7
registered  yesterday 15:02:03, 2026-11-20 by ann
in          /w/models/titanic/1
others      titanic/2

file                  size   sha256
─────────────────────────────────────────
card.md             2.0 kB   -
model/model.skops   4.9 kB   abababababab"""
    )


def test_what_a_check_found():
    checks = [VersionCheck("titanic", 1, 0, ()), VersionCheck("titanic/1", 9, 1 << 20, ("x\x1b: is gone",))]
    assert faults(checks) == ["titanic/1: x\\x1b: is gone"]
    assert verdict(checks) == "1 version as registered, 1.0 MB read"
