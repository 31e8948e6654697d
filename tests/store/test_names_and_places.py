from __future__ import annotations

import random
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_cli.errors import StoreError
from mlops_cli.store.layout import RunPaths, WorkspacePaths
from mlops_cli.store.names import check_name, is_run_name, new_run_id


@pytest.mark.parametrize("name", ["titanic", "titanic-2", "a.b", "_x", "0", "A" * 100])
def test_a_plain_name_is_taken_as_it_is(name):
    assert check_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        *("", ".", "..", "../x", "a/b", "a\\b", "-rf", ".hidden", "a b", "a\nb", "a\n", "a\0", "ä", "x" * 101, "dot."),
        *("latest", "BEST", "con", "NUL", "com1.txt", "aux.csv", "[/x]", "$(id)", "a:b", "\u202egnp"),
    ],
)
def test_a_name_that_could_leave_its_folder_or_mislead_is_refused_by_name(name):
    with pytest.raises(StoreError) as caught:
        check_name(name, "experiment")
    assert repr(name) in caught.value.message
    assert "experiment" in caught.value.message
    assert "allowed" in caught.value.hint


@settings(deadline=None)
@given(st.text(max_size=30))
def test_no_accepted_name_leaves_the_folder_that_it_is_put_in(name):
    try:
        check_name(name)
    except StoreError:
        return
    assert Path("/ws/runs").joinpath(name).resolve().parent == Path("/ws/runs")


def test_an_id_is_the_experiment_the_local_time_and_six_hex_digits():
    run_id = new_run_id("iris", datetime(2026, 3, 1, 9, 8, 7), random.Random(0))
    experiment, name = run_id.split("/")
    assert experiment == "iris"
    assert name.startswith("20260301-090807-")
    assert is_run_name(name)


@settings(deadline=None)
@given(st.integers(), st.datetimes(min_value=datetime(1000, 1, 1)))
def test_every_id_is_known_again_as_one_and_leads_to_its_own_folder(seed, now):
    run_id = new_run_id("iris", now, random.Random(seed))
    paths = WorkspacePaths(Path("/ws")).run(run_id)
    assert is_run_name(paths.root.name)
    assert paths.id == run_id
    assert paths.workspace == WorkspacePaths(Path("/ws"))


@pytest.mark.parametrize("run_id", ["iris", "iris/../../x", "../iris/x", "iris/a/b", "/etc/passwd", ""])
def test_an_id_that_is_no_id_leads_nowhere(run_id):
    with pytest.raises(StoreError):
        WorkspacePaths(Path("/ws")).run(run_id)


def test_every_file_of_a_run_lies_in_its_folder_and_scratch_does_not():
    paths = RunPaths(Path("/ws/runs/iris/20260301-090807-abcdef"))
    names = ["run_json", "config", "overrides", "journal", "trials_csv", "metrics", "predictions", "test_predictions"]
    names += ["model_dir", "plots", "source_diff", "log"]
    assert all(getattr(paths, name).parent == paths.root for name in names)
    assert len({getattr(paths, name) for name in names}) == len(names)
    assert paths.model.skops == paths.root / "model" / "model.skops"
    assert paths.scratch.is_relative_to("/ws/.mlops")
