"""What a running server says: predictions as ``mlops predict`` has them, and what there is to know of it."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pandas as pd
import pytest

import mlops_cli as mlops
from mlops_cli.config.workspace import find_workspace
from mlops_cli.web.serving.limits import Limits
from mlops_cli.web.serving.served import serve_version
from mlops_cli.workflows.applying.model import find_model

from .asking import as_rows


@pytest.fixture
def inputs(table):
    return table.drop(columns="died")


def test_a_batch_is_answered_as_mlops_predict_answers_it_to_the_bit(server, shop, inputs, tmp_path):
    inputs.to_csv(tmp_path / "new.csv", index=False)
    mlops.predict("people@champion", tmp_path / "new.csv", tmp_path / "out.parquet", proba=True, workspace=shop)
    expected = pd.read_parquet(tmp_path / "out.parquet")
    answer = server.ask(as_rows(inputs), "?proba=true").json()
    assert answer["model"] == "people/1"
    found = pd.DataFrame(
        {
            "key": [p["id"] for p in answer["predictions"]],
            "prediction": [p["prediction"] for p in answer["predictions"]],
            **{f"proba_{k}": [p["proba"][k] for p in answer["predictions"]] for k in ("no", "yes")},
        }
    )
    pd.testing.assert_frame_equal(found, expected[list(found)], check_exact=True, check_dtype=False)


def test_a_row_alone_is_answered_as_the_library_answers_it_to_the_bit(server, shop, inputs, monkeypatch):
    monkeypatch.chdir(shop)
    for place in (0, 7, 8):
        row = inputs.iloc[[place]]
        expected = mlops.predict("people@champion", row, proba=True).iloc[0]
        (found,) = server.ask(as_rows(row)[0], "?proba=true").json()["predictions"]
        assert found["id"] == expected["key"]
        assert found["prediction"] == expected["prediction"]
        assert found["proba"] == {"no": expected["proba_no"], "yes": expected["proba_yes"]}


def test_probabilities_come_when_they_are_asked_for(server, inputs):
    (found,) = server.ask(as_rows(inputs.head(1))).json()["predictions"]
    assert set(found) == {"id", "prediction"}


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("?prob=true", "prob: no such parameter; did you mean 'proba'? allowed: proba"),
        ("?proba=true&x=1", "x: no such parameter; allowed: proba"),
        ("?proba=yes", "proba: Input should be 'true' or 'false'"),
    ],
)
def test_a_parameter_that_is_none_is_refused_with_the_nearest(server, inputs, query, said):
    answer = server.ask(as_rows(inputs.head(1)), query)
    assert answer.status_code == 422
    assert answer.json()["error"]["message"] == said


def test_a_category_that_training_did_not_have_is_answered(server, inputs):
    row = {**as_rows(inputs.head(1))[0], "port": "a port of the moon", "the age": None}
    assert server.ask(row).status_code == 200


def test_a_wrong_value_is_answered_with_its_field(server, inputs):
    answer = server.ask({**as_rows(inputs.head(1))[0], "größe (cm)": "tall"})
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert error["fields"] == [{"row": 0, "field": "größe (cm)", "message": "a number or null is expected"}]
    assert "tall" not in answer.text


def test_more_rows_than_allowed_are_refused(server, inputs):
    answer = server.ask([{}] * 501)
    assert answer.status_code == 422


def test_it_says_that_it_lives_and_which_model_answers(server):
    assert server.get("/health").json() == {"status": "ok"}
    assert server.get("/ready").json() == {"ready": True, "model": "people/1", "problem": None}


def test_the_model_is_described_without_a_path_or_a_person(server, shop):
    answer = server.get("/model")
    told = answer.json()
    assert told["asked"] == "people@champion"
    assert told["lineage"]["run"].startswith("people/")
    assert told["lineage"]["data"]["rows"] == 240
    assert told["metrics"]["accuracy"]["mean"] > 0.5
    assert [c["name"] for c in told["columns"]] == ["the age", "class", "größe (cm)", "alone", "port", "since"]
    assert told["columns"][1]["examples"] != []
    for secret in (str(shop), str(shop.parent), ".csv", "root@"):
        assert secret not in answer.text


def test_requests_rows_and_the_version_are_counted(server, inputs):
    before = server.metric('mlops_rows_total{model="people/1"}')
    server.ask(as_rows(inputs.head(5)))
    server.get("/nowhere/at/all")
    assert server.metric('mlops_rows_total{model="people/1"}') == before + 5
    assert server.metric('mlops_model_info{asked="people@champion",model="people/1"}') == 1
    assert server.metric('mlops_requests_total{method="GET",path="other",status="404"}') >= 1
    assert "nowhere" not in server.get("/metrics").text


def test_openapi_tells_the_columns_under_their_own_names(server):
    document = server.get("/openapi.json").json()
    row = document["components"]["schemas"]["Row"]
    assert {"the age", "größe (cm)"} <= set(row["properties"])
    assert "key" not in row["required"]
    assert row["properties"]["class"]["examples"]
    example = document["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]["examples"]
    assert server.ask(example["row"]["value"]).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/predict", 405), ("GET", "/docs/../app.py", 404), ("GET", "/docs/style.css%0a", 404), ("GET", "/x", 404)],
)
def test_what_is_not_there_is_said_in_the_same_form(server, method, path, status):
    import httpx

    answer = httpx.request(method, server.url + path)
    assert answer.status_code == status
    assert set(answer.json()) == {"error"}


def test_each_load_is_in_the_audit_log(server, shop):
    entries = [json.loads(line) for line in (shop / ".mlops" / "audit.jsonl").read_text().splitlines()]
    (loaded,) = [e for e in entries if e["action"] == "loaded" and e["details"]["port"] == server.port]
    assert loaded["subject"] == "people/1"
    assert loaded["details"]["host"] == "127.0.0.1"


# --- what a model takes ------------------------------------------------------------------------------------------


@pytest.fixture
def strict(workspace, table):
    """A model whose encoder refuses new categories, and whose steps refuse missing values."""
    table[["the age", "class", "died"]].fillna(40).to_csv(workspace / "data" / "strict.csv", index=False)
    config = {
        "defaults": ["experiment", {"data": "csv"}, {"model": "logistic_regression"}, {"split": "hold_out"}, "_self_"],
        "data": {"path": "data/strict.csv", "target": "died"},
        "transforms": {"encode": {"_target_": "sklearn.preprocessing.OneHotEncoder", "columns": "categorical"}},
        "evaluation": {"metrics": ["accuracy"]},
        "artifacts": {"plots": "none"},
    }
    (workspace / "configs" / "strict.yaml").write_text(json.dumps(config))
    run = mlops.run("strict", n_jobs=1)
    return serve_version(find_model(str(run.path)), find_workspace(), Limits())


def test_what_the_model_refuses_is_refused_by_the_schema(strict):
    age, kind = strict.form.columns
    assert not age.nullable
    assert set(kind.allowed) == {"first", "second", "third"}
    assert set(strict.form.row_schema()["properties"]["class"]["enum"]) == {"first", "second", "third"}
    body = strict.answer(b'{"the age": 3, "class": "first"}', proba=False).body
    assert json.loads(body)["predictions"][0]["prediction"] in {"yes", "no"}


class Broken:
    """A pipeline that fails in a way that tells of the machine."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __getitem__(self, _place):
        return self

    def predict(self, _X):
        raise self.error


def test_what_a_step_raises_tells_nothing_of_the_machine(strict):
    from mlops_cli.web.serving.limits import Refused

    told = replace(strict, answers=replace(strict.answers, pipeline=Broken(ValueError("no /home/ann/secret.csv"))))
    with pytest.raises(Refused, match=r"^the model cannot take these rows$"):
        told.answer(b'{"the age": 3, "class": "first"}', proba=False)
    broken = replace(strict, answers=replace(strict.answers, pipeline=Broken(FileNotFoundError("/home/ann"))))
    with pytest.raises(FileNotFoundError):  # which is answered with 500 and nothing else
        broken.answer(b'{"the age": 3, "class": "first"}', proba=False)


# --- more --------------------------------------------------------------------------------------------------------


def test_the_python_of_the_documentation_works(server, repo):
    (code,) = re.findall(r"^```python\n(.*?)^```", (repo / "docs" / "serving.md").read_text(), re.DOTALL | re.MULTILINE)
    names = {"url": server.url}
    exec(code, names)
    assert names["answer"]["predictions"][0]["id"] == "a7"
    assert names["answer"]["predictions"][0]["prediction"] in {"yes", "no"}


def test_a_forecast_answers_the_rows_whose_target_is_missing(workspace):
    days = pd.date_range("2024-01-01", periods=60, freq="D").strftime("%Y-%m-%d")
    past = pd.DataFrame({"day": days, "sold": [float(n % 7 + n / 10) for n in range(60)]})
    past.to_csv(workspace / "data" / "sold.csv", index=False)
    config = {
        "defaults": ["experiment", {"data": "csv"}, {"model": "ridge"}, {"split": "forecast"}, "_self_"],
        "data": {"path": "data/sold.csv", "target": "sold", "time": "day", "forecast": {"horizon": 1, "lags": [1, 7]}},
        "evaluation": {"metrics": ["mae"]},
        "artifacts": {"plots": "none"},
    }
    (workspace / "configs" / "sold.yaml").write_text(json.dumps(config))
    run = mlops.run("sold", n_jobs=1)
    rows = [*past.to_dict("records"), {"day": "2024-03-01", "sold": None}]
    expected = mlops.predict(run, pd.DataFrame(rows))["prediction"].tolist()
    version = serve_version(find_model(str(run.path)), find_workspace(), Limits())
    found = version.answer(json.dumps(rows).encode(), proba=False)
    assert [p["prediction"] for p in json.loads(found.body)["predictions"]] == expected
    assert list(found.rows) == rows[-1:]
