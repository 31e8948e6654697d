"""Files of Kaggle and data sets of OpenML by what they answer, from servers on this machine."""

import base64
import gc
import gzip
import hashlib
import io
import json
import socket
import threading
import urllib.request
import zipfile
from importlib import resources

import pytest

from mlops_cli.components.dataset import read_table
from mlops_cli.components.sources import KaggleSource, OpenmlSource
from mlops_cli.errors import ConfigError, DataError
from mlops_cli.records import ComponentSpec, DataSpec


def refusal(source, kind=(DataError, ConfigError)) -> str:
    with pytest.raises(kind) as caught:
        source.load()
    assert "\n" not in str(caught.value)
    return str(caught.value)


# --- Kaggle ------------------------------------------------------------------------------------------------------


@pytest.fixture
def kaggle(monkeypatch, tmp_path):
    for name in ("KAGGLE_USERNAME", "KAGGLE_KEY", "KAGGLE_API_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("KAGGLE_CONFIG_DIR", str(tmp_path))
    return tmp_path


def test_without_credentials_kaggle_is_not_asked(served, kaggle):
    said = refusal(KaggleSource("train.csv", competition="titanic", base_url=served.url))
    assert "Kaggle titanic train.csv: there are no credentials for Kaggle (export KAGGLE_USERNAME=" in said
    assert served.asked == []


@pytest.mark.parametrize("packed", [False, True])
def test_a_file_of_a_competition_or_data_set_is_read(served, kaggle, monkeypatch, packed):
    body = b"a,b\n1,x\n2,y\n"
    if packed:
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("train.csv", body)
        body = file.getvalue()
    served.answers["/stored"] = body
    away = served.url.replace("127.0.0.1", "localhost") + "/stored"
    served.answers["/api/v1/competitions/data/download/titanic/train.csv"] = lambda *_: (302, {"Location": away}, b"")
    served.answers["/api/v1/datasets/download/me/set/train.csv"] = body
    monkeypatch.setenv("KAGGLE_USERNAME", "me")
    monkeypatch.setenv("KAGGLE_KEY", "hunter2")
    for place in ({"competition": "titanic"}, {"dataset": "me/set"}):
        assert KaggleSource("train.csv", **place, base_url=served.url).load().a.tolist() == [1, 2]
    sent = {path: headers.get("Authorization") for path, headers in served.asked}
    assert sent["/stored"] is None
    assert sent["/api/v1/datasets/download/me/set/train.csv"] == "Basic " + base64.b64encode(b"me:hunter2").decode()


def test_kaggles_own_file_of_credentials_is_taken(served, kaggle):
    (kaggle / "kaggle.json").write_text('{"username": "me", "key": "hunter2"}')
    served.answers["/api/v1/datasets/download/me/set/x.csv"] = b"a,b\n1,2\n"
    assert len(KaggleSource("x.csv", dataset="me/set", base_url=served.url).load()) == 1


@pytest.mark.parametrize(
    ("status", "says"), [(403, "accept the competition's rules"), (404, "check the names"), (401, "KAGGLE_KEY")]
)
def test_what_kaggle_refuses_is_explained(served, kaggle, monkeypatch, status, says):
    monkeypatch.setenv("KAGGLE_API_TOKEN", "hunter2")
    served.answers["/api/v1/competitions/data/download/titanic/train.csv"] = lambda *_: (status, {}, b"")
    said = refusal(KaggleSource("train.csv", competition="titanic", base_url=served.url))
    assert says in said
    assert "hunter2" not in said


def test_codes_of_a_file_of_kaggle_keep_their_zeros(served, kaggle, monkeypatch):
    monkeypatch.setenv("KAGGLE_API_TOKEN", "hunter2\n")
    served.answers["/api/v1/competitions/data/download/titanic/train.csv"] = b"code,y\n007,1\n010,0\n"
    source = KaggleSource("train.csv", competition="titanic", base_url=served.url)
    table, notices = read_table(source, DataSpec(ComponentSpec("k")))
    assert table.code.tolist() == [7, 10]
    assert [n.code for n in notices] == ["leading-zeros"]
    assert len(served.asked) == 1  # though it is read and inspected
    assert served.asked[0][1]["Authorization"] == "Bearer hunter2"
    table, notices = read_table(source, DataSpec(ComponentSpec("k"), dtypes={"code": "str"}))
    assert table.code.tolist() == ["007", "010"]
    assert notices == ()


def test_what_was_downloaded_of_kaggle_goes_with_its_source(served, kaggle, monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("KAGGLE_API_TOKEN", "hunter2")
    served.answers["/api/v1/datasets/download/me/set/x.csv"] = b"a,b\n1,2\n"
    source = KaggleSource("x.csv", dataset="me/set", base_url=served.url)
    source.load()
    assert len(list(tmp_path.glob("mlops-*"))) == 1
    del source
    gc.collect()
    assert list(tmp_path.glob("mlops-*")) == []


def test_a_file_of_kaggle_may_not_be_larger_than_allowed(served, kaggle, monkeypatch):
    monkeypatch.setenv("KAGGLE_API_TOKEN", "hunter2")
    served.answers["/api/v1/datasets/download/me/set/x.csv"] = b"a,b\n" + b"1,2\n" * 1000
    said = refusal(KaggleSource("x.csv", dataset="me/set", base_url=served.url, max_bytes=1000))
    assert "answers with more than 1,000 bytes (`data.max_bytes` allows more)" in said


def test_a_file_of_kaggle_needs_a_known_form():
    with pytest.raises(ConfigError, match=r"data\.file: model\.bin: the suffix '\.bin'"):
        KaggleSource("model.bin", competition="titanic")
    with pytest.raises(ConfigError, match="owner/name"):
        KaggleSource("a.csv", dataset="set")


# --- OpenML ------------------------------------------------------------------------------------------------------


@pytest.fixture
def openml(served, monkeypatch):
    """OpenML's answers as scikit-learn recorded them for its own tests, from a server on this machine."""
    from sklearn.datasets import _openml

    recorded = resources.files("sklearn.datasets.tests.data.openml") / "id_61"
    if not recorded.is_dir():
        pytest.skip("scikit-learn came without its tests")
    files = {f.name: gzip.decompress(f.read_bytes()) for f in recorded.iterdir() if f.name.endswith(".gz")}
    served.answers |= {
        "/api/v1/json/data/61": next(body for name, body in files.items() if "jd-61" in name),
        "/api/v1/json/data/features/61": next(body for name, body in files.items() if "jdf-61" in name),
        "/api/v1/json/data/qualities/61": next(body for name, body in files.items() if "jdq-61" in name),
    }
    arff = next(body for name, body in files.items() if name.startswith("data-v1-dl-61"))
    description = json.loads(served.answers["/api/v1/json/data/61"])
    description["data_set_description"]["url"] = f"{served.url}/data/v1/download/61"
    description["data_set_description"]["md5_checksum"] = hashlib.md5(arff).hexdigest()
    served.answers["/api/v1/json/data/61"] = json.dumps(description).encode()
    served.answers["/data/v1/download/61"] = served.answers["/data/v1/download/61/iris.arff"] = arff

    def here(request, *rest):
        request.full_url = request.full_url.replace("https://www.openml.org", served.url)
        return urllib.request.urlopen(request, *rest)

    monkeypatch.setattr(_openml, "urlopen", here)
    return served


def test_a_data_set_of_openml_is_one_table_with_its_target(openml):
    table = OpenmlSource(61).load()
    assert table.columns.tolist() == ["sepallength", "sepalwidth", "petallength", "petalwidth", "class"]
    assert str(table["class"].dtype) == "category"
    assert len(table) == 150


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_what_openml_has_not_is_one_line(openml):
    assert "OpenML 62: there is no such data set" in refusal(OpenmlSource(62, retries=1))
    gc.collect()  # scikit-learn leaves the answers open that it tries again after
    openml.stop()
    assert "OpenML 61: cannot be reached" in refusal(OpenmlSource(61, retries=1))
    with pytest.raises(ConfigError, match=r"data\.data_id"):
        OpenmlSource("iris")


def test_an_openml_that_is_silent_is_left_after_the_time_allowed(openml):
    answered = threading.Event()

    def silent(*_):
        answered.wait(30)
        return 200, {}, b""

    openml.answers["/api/v1/json/data/61"] = silent
    try:
        said = refusal(OpenmlSource(61, retries=1, timeout=0.1))
    finally:
        answered.set()
    assert "OpenML 61: cannot be reached: timed out" in said
    assert socket.getdefaulttimeout() is None
    with pytest.raises(ConfigError, match=r"data\.timeout"):
        OpenmlSource(61, timeout=0)
