"""Values that make no sense are refused for what they are, with what would make sense."""

import pytest

from mlops_cli.errors import ConfigError
from mlops_cli.workflows.running.prepare import RunOptions
from mlops_cli.workflows.running.run import dry

CONFIG = """
defaults: [experiment, {data: csv}, {transforms: tabular}, {model: logistic_regression}, _self_]
data: {path: data/d.csv, target: y, id: who}
"""


@pytest.fixture
def workspace(workspace_of_its_own):
    """Hide the fixture of the other tests here."""
    return workspace_of_its_own


@pytest.fixture
def workspace_of_its_own(tmp_path, monkeypatch):
    """A workspace with one small experiment."""
    (tmp_path / "configs").mkdir()
    (tmp_path / "data").mkdir()
    rows = [f"{i * 37 % 11},{i * 3 % 5},{i % 2},{i % 60},{i // 2 % 4}" for i in range(900)]
    (tmp_path / "data" / "d.csv").write_text("\n".join(["a,b,y,many,who", *rows]) + "\n")
    (tmp_path / "data" / "comment.csv").write_text("# by hand\na,b,y,many,who\n" + "\n".join(rows) + "\n")
    (tmp_path / "configs" / "e.yaml").write_text(CONFIG)
    (tmp_path / "pyproject.toml").write_text('[tool.mlops]\ntrust = ["nothere"]\n')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def plan(*overrides):
    return dry("e", list(overrides), RunOptions())


@pytest.mark.usefixtures("workspace")
@pytest.mark.parametrize(
    ("override", "said", "hint"),
    [
        ("data.path=5", "data.path: found 5, must be the path of a file", "data.path=data/FILE.csv"),
        ("data.path=null", "data.path: found null, must be the path of a file", "data.path=data/FILE.csv"),
        ("data.path=[5]", "data.path: found 5, must be the path of a file", "data.path=data/FILE.csv"),
        ("data.positive='0'", "data.positive: '0' is no class of the target", "the classes are no text"),
        ("data.positive=7", "data.positive: 7 is no class of the target", "allowed: 0, 1"),
        ("model={_target_: nothere.M}", "there is no module nothere", "[tool.mlops] trust lists it: add nothere.py"),
        (
            "transforms=[tabular,none],[tree]",
            "transforms: its choices must all be names",
            "configs/transforms/NAME.yaml",
        ),
    ],
)
def test_an_odd_value_is_refused_with_its_key(override, said, hint):
    with pytest.raises(ConfigError) as caught:
        plan(override)
    assert said in str(caught.value)
    assert hint in caught.value.hint


@pytest.mark.usefixtures("workspace")
def test_classification_without_a_target_is_a_fault_of_the_config():
    with pytest.raises(ConfigError, match=r"data.target: classification needs a target, and none is named"):
        plan("data.target=null", "task=classification")


@pytest.mark.usefixtures("workspace")
def test_whole_numbers_that_may_be_codes_are_said_to_be_taken_as_amounts():
    prepared = plan("data.target=many", "model=ridge")
    (said,) = [n.message for n in prepared.notices if n.code == "task-guessed"]
    assert (
        said
        == "'many' has 60 distinct whole numbers, which are taken as amounts; `task=classification` if they are classes"
    )
    told = plan("data.target=many", "model=ridge", "task=regression")
    assert "task-guessed" not in {n.code for n in told.notices}


@pytest.mark.usefixtures("workspace")
def test_folds_may_be_read_from_the_id_column():
    assert plan("split=predefined", "split.column=who").plan.splits == 4


@pytest.mark.usefixtures("workspace")
def test_a_comment_before_the_header_is_named_as_what_it_may_be():
    from mlops_cli.errors import DataError

    with pytest.raises(DataError) as caught:
        plan("data.path=data/comment.csv")
    assert "`data.read.comment: '#'`" in caught.value.hint
    plan("data.path=data/comment.csv", "data.read={comment: '#'}")
