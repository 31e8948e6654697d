from pathlib import Path

import pytest

from mlops_cli.config import Workspace, find_workspace
from mlops_cli.config.workspace import trusted_workspace
from mlops_cli.errors import ConfigError


def test_the_workspace_is_the_nearest_folder_with_configs(tmp_path: Path) -> None:
    (tmp_path / "a" / "configs").mkdir(parents=True)
    deep = tmp_path / "a" / "b" / "c"
    deep.mkdir(parents=True)
    assert find_workspace(deep) == Workspace(tmp_path / "a")


def test_a_pyproject_with_settings_marks_a_workspace_too(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.mlops]\ntrust = ["mine", "lab.models"]\n')
    (tmp_path / "deep").mkdir()
    assert find_workspace(tmp_path / "deep") == Workspace(tmp_path, ("mine", "lab.models"))


def test_a_pyproject_of_another_tool_does_not_mark_a_workspace(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.ruff]\n")
    (tmp_path / "deep").mkdir()
    assert find_workspace(tmp_path / "deep").root == tmp_path / "deep"


def test_without_any_sign_the_workspace_is_where_one_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_workspace().root == tmp_path


def test_places_follow_from_the_root(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    assert workspace.configs == tmp_path / "configs"
    assert workspace.data == tmp_path / "data"
    assert workspace.runs == tmp_path / "runs"
    assert workspace.models == tmp_path / "models"
    assert workspace.internal == tmp_path / ".mlops"


def test_runs_on_another_disk_are_of_the_workspace_that_links_to_them(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "pyproject.toml").write_text('[tool.mlops]\ntrust = ["mine"]\n')
    (tmp_path / "disk" / "e" / "1").mkdir(parents=True)
    (tmp_path / "home" / "runs").symlink_to(tmp_path / "disk")
    monkeypatch.chdir(tmp_path / "home")
    home = Workspace(tmp_path / "home", ("mine",))
    assert trusted_workspace(Path("runs/e/1")) == trusted_workspace(tmp_path / "home" / "runs" / "e" / "1") == home


def test_what_lies_in_another_workspace_is_no_runs_of_this_one_however_it_is_named(tmp_path: Path, monkeypatch) -> None:
    for name in ("here", "there"):
        (tmp_path / name / "runs" / "e" / "1").mkdir(parents=True)
        (tmp_path / name / "pyproject.toml").write_text('[tool.mlops]\ntrust = ["mine"]\n')
    monkeypatch.chdir(tmp_path / "here")
    for place in (tmp_path / "there" / "runs" / "e" / "1", Path("runs/../../there/runs/e/1")):
        with pytest.raises(ConfigError, match="is code of the run's own workspace"):
            trusted_workspace(place)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[tool.mlops]\ntrust = "mine"\n', "must be a list"),
        ('[tool.mlops]\ntrust = ["os"]\n', "standard library"),
        ('[tool.mlops]\ntrust = ["subprocess.run"]\n', "standard library"),
        ('[tool.mlops]\ntrust = ["../x"]\n', "not the dotted name"),
        ('[tool.mlops]\ntrust = ["class"]\n', "not the dotted name"),
        ("[tool.mlops]\ntrust = [3]\n", "not the dotted name"),
        ("[tool.mlops]\ntrsut = []\n", "did you mean 'trust'"),
        ("[tool]\nmlops = 3\n", "must be a table"),
    ],
)
def test_wrong_settings_are_one_line_that_names_the_file(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        find_workspace(tmp_path)
    assert "pyproject.toml" in str(caught.value)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("[a]\n[tool.mlops]\ntrust = []\n[tool.mlops]\n", 4, "[tool.mlops] is there twice, first in line 2"),
        ("[tool.mlops]\ntrust = []\n[tool]\nmlops.commands = []\n", 4, "put the keys of both under one [tool.mlops]"),
        ("[tool.mlops]\ntrust = []\ntrust = []\n", 3, "a key is set twice"),
        ("[tool.mlops]\ntrust = [mine]\n", 2, "text stands in quotes"),
        ('[tool.mlops]\ntrust = "mine\n', 2, "a text is not closed in its line"),
        ('[tool.mlops]\ntrust: ["mine"]\n', 2, "there is no '=' after a key"),
        ("[tool.mlops\n", 1, "a table's name has no ']'"),
        ("[tool.mlops]\n<<<<<<< HEAD\n", 2, "a merge is not settled here"),
        ('[tool.mlops]\ntrust = ["mine"\n', None, "it ends in the middle of a list or a text"),
        ("[tool.mlops]\nx = 'a\x00'\n", 2, "character '\\x00'"),
        ("x = " + "[" * 20_000, None, "maximum recursion depth"),
    ],
)
def test_a_file_that_is_no_toml_is_one_line_with_the_place_and_what_mends_it(tmp_path, text, line, said):
    (tmp_path / "pyproject.toml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        find_workspace(tmp_path)
    place = tmp_path / "pyproject.toml"
    assert str(caught.value).startswith(f"{place}:{line}: is not" if line else f"{place}: is not")
    assert said in str(caught.value)
    assert str(caught.value).isprintable()


def test_a_file_in_another_encoding_is_said_to_be_with_its_line(tmp_path):
    (tmp_path / "pyproject.toml").write_bytes(b"[tool.mlops]\n# \xe9\n")
    with pytest.raises(ConfigError, match=r"pyproject.toml:2: is not UTF-8 \(save it as UTF-8\)"):
        find_workspace(tmp_path)
