"""A folder that was exported may be replaced; anything else stays as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mlops_cli.errors import UsageError
from mlops_cli.store.exporting import MARK, check_free, folder_beside, settle

if TYPE_CHECKING:
    from pathlib import Path


def export(path: Path, text: bytes, *, force: bool = False) -> None:
    with folder_beside(path, {"predict.py": text, "code/own.py": b"own"}) as made:
        settle(made, path, force=force)


def test_an_exported_folder_is_replaced_where_that_is_asked_for(tmp_path):
    export(tmp_path / "out", b"first")
    with pytest.raises(UsageError, match="is there already"):
        export(tmp_path / "out", b"second")
    (tmp_path / "out/code/__pycache__").mkdir()  # as running it leaves one
    (tmp_path / "out/code/__pycache__/own.pyc").touch()
    export(tmp_path / "out", b"second", force=True)
    assert (tmp_path / "out/predict.py").read_bytes() == b"second"
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_a_folder_that_only_looks_like_an_export_stays(tmp_path):
    project = tmp_path / "project"
    (project / ".git").mkdir(parents=True)
    (project / "predict.py").write_text("my own")
    with pytest.raises(UsageError, match=r"holds what was not exported there: \.git, predict\.py"):
        check_free(project, folder=True, force=True)
    with pytest.raises(UsageError, match="was not exported"):
        export(project, b"other", force=True)
    assert (project / "predict.py").read_text() == "my own"
    assert (project / ".git").is_dir()


@pytest.mark.parametrize("name", ["thesis.tex", "code/more.py", "empty"])
def test_what_was_put_into_an_export_is_not_lost(tmp_path, name):
    export(tmp_path / "out", b"first")
    place = tmp_path / "out" / name
    place.mkdir() if name == "empty" else place.write_text("years of work")
    with pytest.raises(UsageError, match=name):
        export(tmp_path / "out", b"second", force=True)
    assert place.exists()


def test_a_mark_that_is_damaged_marks_nothing(tmp_path):
    export(tmp_path / "out", b"first")
    (tmp_path / "out" / MARK).write_text("{")
    with pytest.raises(UsageError, match="was not exported"):
        export(tmp_path / "out", b"second", force=True)
