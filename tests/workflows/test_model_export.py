"""A model that leaves the workspace says what it said there, with nothing of this package beside it."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace

import joblib
import numpy as np
import pandas as pd
import pytest

import mlops_cli as mlops
from mlops_cli.cli.app import invoke
from mlops_cli.components.made_rows import made_rows
from mlops_cli.errors import MissingExtraError, StoreError, UsageError
from mlops_cli.records import ExportFormat
from mlops_cli.store.files import sha256
from mlops_cli.workflows.applying.model import find_model
from mlops_cli.workflows.models.export_model import ExportOptions, export

CONFIG = """
defaults:
  [experiment, {data: csv}, {transforms: tabular}, {model: logistic_regression}, {split: stratified_kfold}, _self_]
name: mixed
seed: 1
data: {path: data/mixed.csv, target: bought, id: id, drop: [price], dtypes: {seen: datetime, size: categorical}}
split: {n_splits: 2}
artifacts: {plots: none, predictions: false}
"""
OWN = """
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin

class Doubler(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        self.n_features_in_ = X.shape[1]
        return self
    def transform(self, X):
        return np.asarray(X, dtype=float) * 2

class Most(ClassifierMixin, BaseEstimator):
    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self
    def predict(self, X):
        return np.full(X.shape[0], self.classes_[0])
"""
DOUBLE = "+transforms.double={_target_: my_steps.Doubler, columns: numeric}"
PRICE = ["task=regression", "data.target=price", "data.drop=[bought]", "split=kfold"]


def mixed_table(rows: int = 240) -> pd.DataFrame:
    """Numbers, whole numbers, categories that look like numbers, truths, dates and texts, most with gaps."""
    rng = np.random.default_rng(3)
    table = pd.DataFrame(
        {
            "id": [f"{i:04d}" for i in range(rows)],
            "age": rng.normal(40, 12, rows).round(1),
            "rooms": rng.integers(1, 9, rows),
            "kind": rng.choice(["red", "blue", "007"], rows),
            "size": rng.choice(["s", "m", "l"], rows),
            "old": rng.random(rows) > 0.4,
            "seen": pd.date_range("2024-01-03", periods=rows, freq="17h").strftime("%Y-%m-%d"),
            "odd name!": rng.exponential(3, rows).round(3),
            "note": [f"a {word} house, number {i}" for i, word in enumerate(rng.choice(["good", "bad", "Fine"], rows))],
        }
    )
    table["price"] = table["age"] * 2 + table["rooms"] * 10 + rng.normal(size=rows)
    table["bought"] = np.where(table["price"] + 20 * (table["kind"] == "red") > 130, "yes", "no")
    for name in ("age", "kind", "size", "seen", "old"):
        table[name] = table[name].astype(object).where(rng.random(rows) > 0.1)
    return table


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    place = tmp_path_factory.mktemp("export")
    for folder in ("configs", "data"):
        (place / folder).mkdir()
    (place / "configs" / "mixed.yaml").write_text(CONFIG)
    (place / "pyproject.toml").write_text('[tool.mlops]\ntrust = ["my_steps"]\n')
    (place / "my_steps.py").write_text(OWN)
    mixed_table().to_csv(place / "data" / "mixed.csv", index=False)
    return place


@pytest.fixture
def ws(root, monkeypatch):
    monkeypatch.chdir(root)
    monkeypatch.setenv("COLUMNS", "100")
    return root


@pytest.fixture
def model(ws):
    """Make a run, once for each set of overrides, and return its reference."""

    def run(*overrides: str) -> str:
        return mlops.run("mixed", list(overrides), n_jobs=1, workspace=ws).id

    return run


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    """What is installed here, without this package."""
    site = tmp_path_factory.mktemp("site")
    for entry in Path(pd.__file__).parents[1].iterdir():
        if "mlops" not in entry.name and entry.suffix != ".pth":
            (site / entry.name).symlink_to(entry)

    def predict(folder: Path, table: Path) -> SimpleNamespace:
        begin = f"import sys; sys.path.insert(0, {str(site)!r}); sys.argv = sys.argv[1:]; import runpy\n"
        code = f"{begin}runpy.run_path(sys.argv[0], run_name='__main__')"
        command = [sys.executable, "-I", "-S", "-B", "-c", code, str(folder / "predict.py"), str(table)]
        done = subprocess.run(command, cwd=folder.parent, capture_output=True, text=True, check=False)
        return SimpleNamespace(code=done.returncode, out=done.stdout, err=done.stderr)

    return predict


@pytest.fixture
def call(capsys, monkeypatch):
    def run(*arguments: str) -> SimpleNamespace:
        monkeypatch.setattr(sys, "argv", ["mlops", *arguments])
        code = invoke()
        printed = capsys.readouterr()
        return SimpleNamespace(code=int(code), out=printed.out, err=printed.err)

    return run


def answers_of(ref: str, *, allow_pickle: bool = False) -> SimpleNamespace:
    opened = find_model(ref).open(allow_pickle=allow_pickle)
    table = pd.read_csv("data/mixed.csv", dtype={"id": str, "kind": str})
    has = hasattr(opened.pipeline, "predict_proba")
    return SimpleNamespace(
        table=opened.features(table),
        predictions=opened.predict(table),
        probabilities=opened.predict_proba(table) if has else None,
        classes=getattr(opened.pipeline, "classes_", ()),
    )


# --- a folder ----------------------------------------------------------------------------------------------------


FOLDERS = {
    "dates, texts and own code": ["transforms=everything", DOUBLE, "model=random_forest", "model.n_estimators=5"],
    "a pickle of trees": ["transforms=tree", "model=hist_gradient_boosting", "artifacts.model_format=joblib"],
    "amounts": [*PRICE, "model=ridge", "data.id=null"],
}


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_predicts_the_same_where_this_package_is_not_installed(name, model, elsewhere, tmp_path, ws):
    ref = model(*FOLDERS[name])
    done = export(ref, tmp_path / "out", ExportOptions(allow_pickle=True))
    assert done.check.difference < 1e-12
    (tmp_path / "moved").mkdir()
    folder = (tmp_path / "out").rename(tmp_path / "moved" / "model")
    found = elsewhere(folder, ws / "data" / "mixed.csv")
    assert (found.code, found.err) == (0, "")
    said = pd.read_csv(io.StringIO(found.out), dtype={"id": str})
    expected = answers_of(ref, allow_pickle=True)
    if expected.probabilities is None:
        assert list(said.columns) == ["prediction"]
        np.testing.assert_allclose(said["prediction"], expected.predictions, rtol=1e-12)
        return
    assert said["id"].tolist() == [f"{i:04d}" for i in range(len(said))]
    assert said["prediction"].tolist() == expected.predictions.tolist()
    proba = said[[f"proba_{label}" for label in expected.classes]]
    np.testing.assert_allclose(proba, expected.probabilities, rtol=1e-12)


ASKED = {
    "no such file": (None, "No such file or directory"),
    "nothing in it": ("", "No columns to parse from file"),
    "a header alone": ("{header}\n", "has no rows"),
    "other columns": ("ages,rooms\n1,2\n", "lacks columns that the model takes: age, "),
    "a word for a number": (
        "{header}\n0,forty,,,,,,,,,\n",
        "'age' holds something else than in training (numeric, float64): ",
    ),
}


@pytest.mark.parametrize("name", ASKED)
def test_what_is_wrong_with_the_input_of_a_folder_is_said_in_a_line(name, folder, elsewhere, tmp_path, ws):
    text, said = ASKED[name]
    header = (ws / "data" / "mixed.csv").read_text().splitlines()[0]
    if text is not None:
        (tmp_path / "in.csv").write_text(text.format(header=header))
    found = elsewhere(folder, tmp_path / "in.csv")
    assert (found.code, found.out) == (1, "")
    assert found.err.startswith(f"{tmp_path / 'in.csv'}: ")
    assert said in found.err
    assert found.err.count("\n") == 1


@pytest.fixture(scope="module")
def exported(root, tmp_path_factory):
    """A version with a step of this package in it, as a folder."""
    place = tmp_path_factory.mktemp("exported") / "out"
    run = mlops.run("mixed", ["transforms=dates"], n_jobs=1, workspace=root)
    version = mlops.register(run, "dated", workspace=root)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        export(version.ref, place)
    return SimpleNamespace(place=place, version=version)


@pytest.fixture
def folder(exported, ws, tmp_path):
    """A copy of it."""
    shutil.copytree(exported.place, tmp_path / "out")
    return tmp_path / "out"


def test_a_folder_holds_what_is_needed_and_no_more(folder, exported):
    files = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    packages = {f"code/mlops_cli/{name}__init__.py" for name in ("", "components/", "components/transforms/")}
    assert files == packages | {
        *("card.md", "example.csv", "exported.json", "model.skops", "predict.py", "requirements.txt", "signature.json"),
        *("code/mlops_cli/LICENSE", "code/mlops_cli/components/transforms/dates.py"),
    }
    record = exported.version.record
    lines = (folder / "requirements.txt").read_text().splitlines()
    wanted = ("numpy", "pandas", "scikit-learn", "skops")
    pinned = [line for line in lines if not line.startswith("#")]
    assert [p for p in pinned if p.partition("==")[0] in wanted] == [
        f"{name}=={record.environment['packages'][name]}" for name in wanted
    ]
    assert not any("mlops" in line or "hydra" in line for line in lines)
    assert "Copyright" in (folder / "code/mlops_cli/LICENSE").read_text()


def test_the_example_is_made_and_holds_no_training_row_and_no_rare_word(folder, ws):
    example = pd.read_csv(folder / "example.csv")
    rows = set(mixed_table().drop(columns=["id", "bought", "price"]).astype(str).apply(tuple, axis=1))
    assert len(example) == 5
    assert rows.isdisjoint(example.astype(str).apply(tuple, axis=1))
    assert set(example["note"]) == {"some words as an example"}
    assert set(example["size"].dropna()) <= {"s", "m", "l"}
    gaps = [name for name in example if example[name].iloc[-1:].isna().all()]
    assert gaps == ["age", "kind", "size", "old", "seen"]


def test_made_rows_show_neither_extremes_nor_what_few_rows_have(model):
    saved = find_model(model("transforms=dates"))
    from mlops_cli.store.layout import RunPaths
    from mlops_cli.store.profiles import read_profile

    profile = read_profile(RunPaths(saved.record.path).profile)
    made = made_rows(saved.signature(), profile, 500)
    table = mixed_table()
    assert made["odd name!"].max() <= table["odd name!"].quantile(0.96)
    assert made["rooms"].dtype.kind == "i"
    assert made["seen"].dropna().dt.normalize().equals(made["seen"].dropna())
    assert made.equals(made_rows(saved.signature(), profile, 500))


def test_a_changed_model_file_is_not_opened_by_the_loader(folder, elsewhere):
    (folder / "model.skops").write_bytes(b"other")
    done = elsewhere(folder, folder / "example.csv")
    assert done.code == 1
    assert done.err == "model.skops is not the file that was exported: its sha256 differs\n"


def test_the_loader_says_which_columns_are_missing(folder, elsewhere, tmp_path):
    (tmp_path / "few.csv").write_text("age,rooms\n1,2\n")
    done = elsewhere(folder, tmp_path / "few.csv")
    assert done.code == 1
    assert "lacks columns that the model takes: kind, size, old, seen, odd name!, note" in done.err


def test_files_are_read_as_the_training_data_was(model, elsewhere, tmp_path, ws):
    mixed_table().to_csv("data/semi.csv", index=False, sep=";", decimal=",")
    ref = model("data.path=data/semi.csv", "data.read={sep: ';', decimal: ','}")
    export(ref, tmp_path / "out")
    assert ";" in (tmp_path / "out" / "example.csv").read_text().splitlines()[0]
    done = elsewhere(tmp_path / "out", ws / "data" / "semi.csv")
    said = pd.read_csv(io.StringIO(done.out))
    assert said["prediction"].tolist() == answers_of(ref).predictions.tolist()


def test_own_code_that_has_changed_is_not_given_along(model, tmp_path, ws):
    ref = model(DOUBLE)
    (ws / "my_steps.py").write_text(OWN + "# another\n")
    try:
        with pytest.raises(StoreError, match=r"my_steps\.py has changed since the run"):
            export(ref, tmp_path / "out")
    finally:
        (ws / "my_steps.py").write_text(OWN)
    assert list(tmp_path.iterdir()) == []


def test_a_registered_version_gives_its_own_code_and_card(model, tmp_path, ws):
    version = mlops.register(model(DOUBLE), "doubled").ref
    mlops.models.describe(version, "for the exhibition")
    (ws / "my_steps.py").write_text(OWN + "# another\n")
    try:
        export(version, tmp_path / "out")
    finally:
        (ws / "my_steps.py").write_text(OWN)
    assert (tmp_path / "out/code/my_steps.py").read_text() == OWN
    assert "for the exhibition" in (tmp_path / "out/card.md").read_text()


def test_a_zip_is_the_folder_in_one_file_and_the_same_bytes_each_time(folder, exported, tmp_path):
    first = export(exported.version.ref, tmp_path / "a.zip")
    second = export(exported.version.ref, tmp_path / "b.zip")
    assert first.sha256 == second.sha256 == sha256((tmp_path / "a.zip").read_bytes())
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert [member.filename for member in archive.infolist()] == [f"dated-1/{name}" for name in first.files]
        assert {member.date_time for member in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        unpacked = {name.partition("/")[2]: archive.read(name) for name in archive.namelist()}
    assert unpacked == {name: (folder / name).read_bytes() for name in first.files}


# --- pickles -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("suffix", "load"), [(".joblib", joblib.load), (".pkl", pd.read_pickle)])
def test_a_pickle_is_scikit_learns_pipeline_and_is_warned_of(suffix, load, model, tmp_path, call):
    ref = model()
    done = call("models", "export", ref, "-o", str(tmp_path / f"model{suffix}"))
    assert done.code == 0
    assert "a pickle runs whatever code is in it" in " ".join(done.err.split())
    assert f"sha256 {sha256((tmp_path / f'model{suffix}').read_bytes())}" in done.out.splitlines()
    expected = answers_of(ref)
    assert load(tmp_path / f"model{suffix}").predict(expected.table).tolist() == expected.predictions.tolist()


def test_a_pickle_says_which_code_it_needs(model, tmp_path):
    done = export(model(DOUBLE, "transforms=dates"), tmp_path / "model.joblib")
    assert done.notices[1].message == "to be opened it needs mlops-cli, my_steps"


def test_a_model_that_is_a_pickle_is_opened_only_where_that_is_allowed(model, tmp_path):
    ref = model("artifacts.model_format=joblib")
    with pytest.raises(StoreError, match="is a pickle") as caught:
        export(ref, tmp_path / "out")
    assert "--allow-pickle" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


# --- ONNX --------------------------------------------------------------------------------------------------------


ONNX = {
    "numbers and categories": [],
    "a forest": ["model=random_forest", "model.n_estimators=20"],
    "trees with missing values": ["transforms=tree", "model=hist_gradient_boosting", "model.max_iter=20"],
    "texts": ["transforms=text"],
    "rare categories": ["transforms=rare"],
    "logarithms": ["transforms=[tabular,log]"],
    "limits": ["transforms=[tabular,clip]"],
    "ratios": ["transforms=[ratios,tabular]"],
    "a threshold": ["threshold=0.8"],
    "a threshold for the first class": ["threshold=0.8", "data.positive=no"],
    "a chosen threshold": ["threshold=balanced_accuracy"],
    "calibrated": ["model=linear_svm", "calibration=sigmoid"],
    "votes": ["model=voting"],
    "amounts": [*PRICE, "model=ridge"],
    "logarithms of amounts": [*PRICE, "model=ridge", "target_transform=log"],
    "scaled amounts": [*PRICE, "model=gradient_boosting", "target_transform=standard"],
}


def fed(session, table: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return a table as the inputs of a session, as somebody would who knows nothing of how it was made."""
    types = {"tensor(string)": None, "tensor(double)": "float64", "tensor(float)": "float32"}
    return {
        given.name: (
            table[[given.name]].astype(object).fillna("").to_numpy()
            if types[given.type] is None
            else table[[given.name]].to_numpy(dtype=types[given.type])
        )
        for given in session.get_inputs()
    }


@pytest.mark.parametrize("name", ONNX)
def test_onnx_says_what_the_pipeline_says(name, model, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    ref = model(*ONNX[name])
    done = export(ref, tmp_path / "model.onnx")
    assert (done.check.of, done.check.rows) == ("training rows", 240)
    assert done.check.difference < 1e-6
    session = onnxruntime.InferenceSession(str(tmp_path / "model.onnx"), providers=["CPUExecutionProvider"])
    expected = answers_of(ref)
    names = [given.name for given in session.get_inputs()]
    assert {"age", "odd name!", "kind"} <= set(names)
    assert "seen" not in names
    for rows in (len(expected.table), 1):
        found = session.run(None, fed(session, expected.table.iloc[:rows]))
        if expected.probabilities is None:
            np.testing.assert_allclose(found[0].ravel(), expected.predictions[:rows], rtol=1e-5)
        else:
            assert found[0].tolist() == expected.predictions[:rows].tolist()
            np.testing.assert_allclose(found[1], expected.probabilities[:rows], atol=1e-6)


def test_an_onnx_file_says_what_it_is(model, tmp_path):
    onnx = pytest.importorskip("onnx")
    ref = model()
    version = mlops.register(ref, "told").ref
    export(version, tmp_path / "model.onnx")
    told = {item.key: item.value for item in onnx.load(tmp_path / "model.onnx").metadata_props}
    assert (told["name"], told["version"], told["run"], told["output"]) == ("told", "1", ref, "bought")
    assert json.loads(told["classes"]) == ["no", "yes"]
    assert json.loads(told["inputs"]) == ["age", "rooms", "kind", "size", "old", "odd name!"]


def test_where_a_step_has_no_form_in_onnx_the_model_behind_it_goes_alone(model, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    ref = model("transforms=dates")
    done = export(ref, tmp_path / "model.onnx")
    (notice,) = done.notices
    assert notice.code == "onnx-model-alone"
    assert "since dates (DateParts) has no form in ONNX; its input 'features' is the" in notice.message
    session = onnxruntime.InferenceSession(str(tmp_path / "model.onnx"), providers=["CPUExecutionProvider"])
    expected = answers_of(ref)
    made = find_model(ref).open().pipeline[:-1].transform(expected.table)
    assert session.run(None, {"features": made})[0].tolist() == expected.predictions.tolist()


WORDS = "transforms=text", "transforms.vectorize_text.columns=note"


def test_words_that_a_pattern_picks_out_are_picked_out_in_onnx_too(model, tmp_path):
    pytest.importorskip("onnxruntime")
    ref = model(*WORDS, r"transforms.vectorize_text.token_pattern='([a-z]+)\,'")
    done = export(ref, tmp_path / "model.onnx")
    assert done.check.difference < 1e-6
    assert "onnx-model-alone" not in [notice.code for notice in done.notices]


def test_a_pattern_whose_group_onnx_cannot_pick_out_is_named_and_the_model_goes_alone(model, tmp_path):
    pytest.importorskip("onnxruntime")
    done = export(model(*WORDS, "transforms.vectorize_text.token_pattern='a ([a-z]+) house'"), tmp_path / "model.onnx")
    (notice,) = done.notices
    assert notice.code == "onnx-model-alone"
    assert "(TfidfVectorizer of a ([a-z]+) house) has no form in ONNX" in notice.message


def test_onnx_that_is_too_far_off_is_not_written(model, tmp_path):
    pytest.importorskip("onnxruntime")
    with pytest.raises(UsageError, match="apart on 240 training rows, and 1e-12 is allowed") as caught:
        export(
            model("model=random_forest", "model.n_estimators=20"), tmp_path / "x.onnx", ExportOptions(tolerance=1e-12)
        )
    assert "--format folder" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_a_model_without_a_form_in_onnx_is_named(model, tmp_path):
    pytest.importorskip("onnxruntime")
    ref = model("+model={_target_: my_steps.Most}")
    with pytest.raises(UsageError, match=r"^model \(Most\) has no form in ONNX"):
        export(ref, tmp_path / "model.onnx")
    assert list(tmp_path.iterdir()) == []


def test_without_the_training_data_made_rows_are_compared(model, tmp_path, ws):
    pytest.importorskip("onnxruntime")
    version = mlops.register(model(), "alone").ref
    (ws / "data/mixed.csv").rename(ws / "data/gone.csv")
    try:
        done = export(version, tmp_path / "model.onnx")
    finally:
        (ws / "data/gone.csv").rename(ws / "data/mixed.csv")
    assert (done.check.of, done.check.rows) == ("rows made from the data profile", 1000)


def test_without_the_packages_it_is_said_what_brings_them(model, tmp_path, monkeypatch):
    ref = model()
    monkeypatch.setitem(sys.modules, "skl2onnx", None)
    with pytest.raises(MissingExtraError) as caught:
        export(ref, tmp_path / "model.onnx")
    assert caught.value.hint == 'pip install "mlops-cli[onnx]"'


# --- places ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["model.joblib", "out"])
def test_nothing_is_overwritten_but_what_was_exported_and_where_asked_for(name, model, folder, tmp_path):
    ref = model()
    (tmp_path / "model.joblib").write_bytes(b"old")
    with pytest.raises(UsageError, match="is there already") as caught:
        export(ref, tmp_path / name)
    assert caught.value.hint == "--force replaces it"
    export(ref, tmp_path / name, ExportOptions(force=True))
    assert (tmp_path / "model.joblib").read_bytes() != b"old" or not (folder / "code").exists()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["model.joblib", "out"]


def test_a_folder_of_somebody_else_stays_even_where_it_is_forced(model, tmp_path):
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "thesis.txt").write_text("x")
    with pytest.raises(UsageError, match=r"holds what was not exported there: thesis\.txt"):
        export(model(), tmp_path / "precious", ExportOptions(force=True))
    with pytest.raises(UsageError, match="is a folder, and a file is to be written"):
        export(model(), tmp_path / "precious", ExportOptions(ExportFormat.JOBLIB, force=True))
    (tmp_path / "link").symlink_to(tmp_path / "precious")
    with pytest.raises(UsageError, match="is a link"):
        export(model(), tmp_path / "link", ExportOptions(force=True))
    assert [p.name for p in (tmp_path / "precious").iterdir()] == ["thesis.txt"]


def test_a_place_that_says_no_format_needs_one(model, tmp_path, call):
    ref = model()
    done = call("models", "export", ref, "-o", str(tmp_path / "titanic.v2"))
    assert done.code == 2
    assert "does not end in the name of a format" in done.err
    done = call("models", "export", ref, "-o", str(tmp_path / "titanic.v2"), "--format", "joblib", "-q")
    assert (done.code, done.out) == (0, f"{tmp_path / 'titanic.v2'}\n")


def test_the_command_tells_all_as_json(model, tmp_path, call):
    ref = model()
    told = json.loads(call("models", "export", ref, "-o", str(tmp_path / "a.joblib"), "--json").out)
    assert (told["model"], told["format"], told["path"]) == (ref, "joblib", str(tmp_path / "a.joblib"))
    assert told["sha256"] == sha256((tmp_path / "a.joblib").read_bytes())
    assert [notice["code"] for notice in told["warnings"]] == ["pickle"]


def test_the_library_exports_too(model, tmp_path, ws):
    ref = model()
    done = mlops.models.export(ref, tmp_path / "a.model", format="joblib", workspace=ws)
    assert (done.format, done.size) == ("joblib", (tmp_path / "a.model").stat().st_size)
    with pytest.raises(UsageError, match="takes no 'foce'") as caught:
        mlops.models.export(ref, tmp_path / "a.model", foce=True)
    assert "did you mean 'force'?" in caught.value.hint
    with pytest.raises(UsageError, match="not exported as 'onxx'"):
        mlops.models.export(ref, tmp_path / "a", format="onxx")


def test_a_changed_model_is_not_exported(model, tmp_path):
    version = mlops.register(model(), "changed")
    file = version.path / "model" / "model.skops"
    file.chmod(0o644)
    file.write_bytes(file.read_bytes() + b"x")
    with pytest.raises(StoreError, match="sha256 differs"):
        export(version.ref, tmp_path / "out")
    shutil.rmtree(version.path)
    assert list(tmp_path.iterdir()) == []
