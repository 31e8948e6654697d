"""Joins by key: no row is lost or multiplied without having been declared, and what is wrong is shown by example."""

import pandas as pd
import pytest

from mlops_cli.components.sources import CsvSource, JoinSource
from mlops_cli.config import load_experiment
from mlops_cli.config.workspace import Workspace
from mlops_cli.errors import ConfigError, DataError
from mlops_cli.workflows.data.load import load

LEFT = "id,x\n3,0.3\n1,0.1\n2,0.2\n"
RIGHT = "id,y\n1,a\n2,b\n3,c\n"


@pytest.fixture
def join(write):
    def join(left=LEFT, right=RIGHT, *more, **options):
        files = [CsvSource(write(f"{i}.csv", text)) for i, text in enumerate((left, right, *more))]
        rest = files[1:] if more else files[1]
        return JoinSource(files[0], rest, **({"key": "id"} | options))

    return join


def refusal(source, kind=(DataError, ConfigError)) -> str:
    with pytest.raises(kind) as caught:
        source.load()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_rows_come_in_the_order_of_the_left(join):
    table = join().load()
    assert table.to_dict("list") == {"id": [3, 1, 2], "x": [0.3, 0.1, 0.2], "y": ["c", "a", "b"]}
    assert table.index.tolist() == [0, 1, 2]


def test_a_key_may_have_other_names_and_several_columns(join):
    by_name = join(right=RIGHT.replace("id", "key"), key=None, left_key="id", right_key="key").load()
    assert by_name.columns.tolist() == ["id", "x", "y"]
    two = join("a,b,x\n1,1,p\n1,2,q\n", "a,b,y\n1,2,s\n1,1,r\n", key=["a", "b"]).load()
    assert two.y.tolist() == ["r", "s"]


def test_several_sources_are_joined_one_after_the_other(join):
    table = join(LEFT, RIGHT, "id,z\n1,7\n2,8\n3,9\n").load()
    assert table.columns.tolist() == ["id", "x", "y", "z"]
    assert table.z.tolist() == [9, 7, 8]
    assert table.z.dtype == "int64"


def test_rows_that_would_be_lost_are_counted_and_shown(join):
    less = "id,y\n1,a\n9,z\n"
    said = refusal(join(right=less))
    assert "2 of the 3 rows of data.left have no partner in data.right and would be lost (such as 3, 2)" in said
    assert "data.allow_loss=true" in said
    assert join(right=less, allow_loss=True).load().id.tolist() == [1]
    more = "id,y\n1,a\n2,b\n3,c\n4,d\n"
    assert "1 of the 4 rows of data.right have no partner in data.left" in refusal(join(right=more))
    assert len(join(right=more, validate="many_to_one").load()) == 3  # a table that is looked up in


def test_a_left_join_keeps_rows_and_says_how_many_found_nothing(join):
    source = join(right="id,y\n1,a\n", how="left")
    table = source.load()
    assert table.y.isna().tolist() == [True, False, True]
    assert table.id.dtype == "int64"
    (said,) = [n for n in source.inspect(table) if n.code == "unmatched-rows"]
    assert said.message.startswith("2 of 3 rows")


def test_rows_that_would_be_multiplied_are_counted_and_shown(join):
    twice = RIGHT + "3,d\n3,e\n"
    said = refusal(join(right=twice))
    assert "data.right: 1 keys come more than once, such as 3 (3 times)" in said
    assert "data.validate=one_to_many" in said
    assert len(join(right=twice, validate="one_to_many").load()) == 5
    assert len(join(right=twice, validate=None).load()) == 5
    assert "data.left: 1 keys come more than once" in refusal(join(left=LEFT + "3,9\n"))
    assert len(join(left=LEFT + "3,9\n", validate="many_to_one").load()) == 4


def test_rows_of_the_right_that_nobody_asks_for_are_said_where_no_count_is_declared(join):
    more = "id,y\n1,a\n1,b\n2,b\n3,c\n4,d\n5,e\n"
    source = join(right=more, validate=None)
    (said,) = [n for n in source.inspect(source.load()) if n.code == "unmatched-rows"]
    assert said.message == "2 of the 6 rows of data.right have no partner in data.left and are left out"
    declared = join(right=more, validate=None, allow_loss=True)
    assert [n for n in declared.inspect(declared.load()) if n.code == "unmatched-rows"] == []


def test_missing_keys_are_refused_though_pandas_would_match_them(join):
    assert "the key 'id' is missing in 1 of 4 rows" in refusal(join(left=LEFT + ",9\n", right=RIGHT + ",d\n"))


def test_keys_of_different_types_are_refused_with_the_mend(join):
    said = refusal(join(right="id,y\nA1,a\nB2,b\n"))
    assert "the key 'id' is numbers in data.left and text in data.right" in said
    texts = join("id,x\n007,1\n1,2\n", "id,y\n007,a\n1,b\n").reading_as_text(["id"])
    assert texts.load().id.tolist() == ["007", "1"]


def test_columns_of_one_name_are_refused(join):
    assert "both have the column 'x'" in refusal(join(right="id,y,x\n1,a,1\n2,b,1\n3,c,1\n"))


def test_a_key_that_is_no_column_is_named_with_the_nearest(join):
    assert "did you mean 'id'?" in refusal(join(key="idd"))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"key": None}, r"data\.key: name the key"),
        ({"key": None, "left_key": ["a", "b"], "right_key": "a"}, r"data\.key: name the key"),
        ({"how": "outer"}, r"data\.how"),
        ({"validate": "many_to_many"}, r"data\.validate: .*null"),
    ],
)
def test_a_wrong_join_is_refused_before_anything_is_read(options, says):
    with pytest.raises(ConfigError, match=says):
        JoinSource(None, None, **({"key": "id"} | options))


# --- declared in YAML ------------------------------------------------------------------------------------------


def experiment(workspace, text):
    head = "defaults: [experiment, {data: join}, {model: logistic_regression}, _self_]\n"
    (workspace / "configs" / "e.yaml").write_text(head + text)
    return load_experiment("e", [], Workspace(workspace)).spec


def test_a_join_is_declared_by_paths(workspace):
    (workspace / "data" / "features.csv").write_text(LEFT)
    pd.DataFrame({"id": [1, 2, 3], "y": ["a", "b", "a"]}).to_parquet(workspace / "data" / "labels.parquet")
    spec = experiment(
        workspace, "data: {left: data/features.csv, right: {path: data/labels.parquet}, key: id, target: y, id: id}"
    )
    dataset = load(spec, Workspace(workspace)).train
    assert dataset.X.x.tolist() == [0.3, 0.1, 0.2]
    assert dataset.y.tolist() == ["a", "a", "b"]
    assert dataset.ids.tolist() == [3, 1, 2]


def test_each_side_may_be_any_source_elsewhere_too(workspace, served):
    served.answers["/labels.csv"] = RIGHT.encode()
    (workspace / "data" / "features.csv").write_text(LEFT.replace(",", ";"))
    text = f"""
data:
  left: {{_target_: mlops_cli.components.sources.CsvSource, path: data/features.csv, read: {{sep: ";"}}}}
  right: [{{path: "{served.url}/labels.csv", refresh: never}}]
  key: id
  target: y
"""
    first = load(experiment(workspace, text), Workspace(workspace)).train
    assert load(experiment(workspace, text), Workspace(workspace)).train.version == first.version
    assert len(served.asked) == 1


def test_what_mends_a_file_inside_a_join_is_said_of_that_file(workspace):
    (workspace / "data" / "a.csv").write_text("id,x\n1,2\n2,3\n")
    (workspace / "data" / "b.csv").write_text("id;y\n1;u\n2;v\n")
    (workspace / "data" / "c.csv").write_text("id;z\n1;1,5\n2;2,5\n")
    source = JoinSource(CsvSource(workspace / "data" / "a.csv"), CsvSource(workspace / "data" / "b.csv"), "id")
    assert "`data.right: {path: …, read: {sep: ';'}}`" in refusal(source)
    several = [CsvSource(workspace / "data" / f"{n}.csv", {"sep": ";"}) for n in "bc"]
    source = JoinSource(CsvSource(workspace / "data" / "a.csv"), several, "id")
    (notice,) = source.inspect(source.load())
    assert "`data.right[1]: {path: …, read: {decimal: ','}}`" in notice.message


def test_a_file_inside_a_join_that_is_not_there_is_named_by_its_key(workspace):
    (workspace / "data" / "a.csv").write_text(LEFT)
    for right, says in (
        ("data/b.csv", "data/b.csv: no such file"),
        ("data/b.bin", "data.right: data/b.bin: the suffix"),
    ):
        spec = experiment(workspace, f"data: {{left: data/a.csv, right: {right}, key: id, target: y}}")
        with pytest.raises((DataError, ConfigError), match=says):
            load(spec, Workspace(workspace))


def test_an_untrusted_source_inside_a_join_is_refused(workspace):
    with pytest.raises(ConfigError, match="not trusted"):
        experiment(workspace, "data: {left: {_target_: os.system}, right: data/a.csv, key: id, target: y}")


def test_held_out_rows_of_a_join_are_read_from_a_file_by_its_suffix(workspace):
    rows = range(40)
    (workspace / "data" / "features.csv").write_text("id,x\n" + "".join(f"{i},{i % 7}\n" for i in rows))
    (workspace / "data" / "labels.csv").write_text("id,y\n" + "".join(f"{i},{i % 2}\n" for i in rows))
    (workspace / "data" / "test.csv").write_text("id,x,y\n100,1,0\n101,2,1\n")
    (workspace / "data" / "test.bin").write_text("id,x,y\n100,1,0\n")
    text = """
data: {left: data/features.csv, right: data/labels.csv, key: id, target: y, id: id}
evaluation: {test: data/test.csv}
"""
    loaded = load(experiment(workspace, text), Workspace(workspace))
    assert loaded.train.rows == 40
    assert loaded.test.ids.tolist() == [100, 101]
    with pytest.raises(ConfigError, match=r"evaluation\.test: data/test\.bin: the suffix '\.bin' does not tell"):
        load(experiment(workspace, text.replace("test.csv", "test.bin")), Workspace(workspace))
