"""Records of a JSON API, however it pages; Kaggle and OpenML by what they answer, from servers on this machine."""

import base64
import email.utils
import gc
import gzip
import hashlib
import io
import json
import time
import urllib.parse
import urllib.request
import zipfile
from importlib import resources

import pytest

from mlops_cli.components.sources import ApiSource, KaggleSource, OpenmlSource, http
from mlops_cli.errors import ConfigError, DataError

ROWS = [{"id": i, "owner": {"name": f"n{i}"}, "v": i / 2} for i in range(7)]


def refusal(source, kind=(DataError, ConfigError)) -> str:
    with pytest.raises(kind) as caught:
        source.load()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def query(path):
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(path).query))


def answers(value, **headers):
    return 200, {"Content-Type": "application/json", **headers}, json.dumps(value).encode()


def test_records_inside_an_answer_are_rows_with_flat_names(served):
    served.answers["/items"] = json.dumps({"data": {"items": ROWS}}).encode()
    table = ApiSource(f"{served.url}/items", {"q": "a b"}, record_path="data.items").load()
    assert table.columns.tolist() == ["id", "v", "owner.name"]
    assert len(table) == 7
    assert query(served.paths()[0]) == {"q": "a b"}


def by_page(path, headers):
    page, size = int(query(path)["page"]), int(query(path)["limit"])
    return answers(ROWS[(page - 1) * size : page * size])


def by_offset(path, headers):
    start = int(query(path)["skip"])
    return answers(ROWS[start : start + 3])


def by_cursor(path, headers):
    start = int(query(path).get("after", 0))
    following = str(start + 3) if start + 3 < len(ROWS) else None
    return answers({"items": ROWS[start : start + 3], "meta": {"next": following}})


def by_link(path, headers):
    start = int(query(path).get("p", 0))
    link = f'</items?p={start + 3}>; rel="next", </items?p=0>; rel="first"' if start + 3 < 7 else ""
    return answers(ROWS[start : start + 3], Link=link)


@pytest.mark.parametrize(
    ("answer", "options", "pages"),
    [
        (by_page, {"paging": {"by": "page", "size": 3}}, 3),
        (by_offset, {"paging": {"by": "offset", "param": "skip"}}, 4),
        (
            by_cursor,
            {"paging": {"by": "cursor", "param": "after", "cursor_path": "meta.next"}, "record_path": "items"},
            3,
        ),
        (by_link, {"paging": {"by": "link"}}, 3),
    ],
)
def test_all_pages_are_read_once(served, answer, options, pages):
    served.answers["/items"] = answer
    table = ApiSource(f"{served.url}/items?keep=1", **options).load()
    assert table.id.tolist() == list(range(7))
    assert len(served.asked) == pages


def test_more_pages_than_allowed_are_an_error_not_an_end(served):
    served.answers["/items"] = by_page
    source = ApiSource(f"{served.url}/items", paging={"by": "page", "size": 3}, max_pages=2)
    assert "has more than 2 pages (data.max_pages)" in refusal(source)


def test_a_service_that_goes_in_circles_is_left(served):
    served.answers["/items"] = lambda *_: answers(ROWS, Link='</items>; rel="next"')
    assert "was given before" in refusal(ApiSource(f"{served.url}/items", paging={"by": "link"}))


def test_a_next_page_elsewhere_is_not_asked_for(served):
    served.answers["/items"] = lambda *_: answers(ROWS, Link='<http://169.254.0.1/x>; rel="next"')
    assert "is at another place" in refusal(ApiSource(f"{served.url}/items", paging={"by": "link"}))


def test_secret_headers_come_from_the_environment(served, monkeypatch):
    served.answers["/items"] = json.dumps(ROWS).encode()
    source = ApiSource(f"{served.url}/items", headers={"X-Kind": "a"}, headers_env={"Authorization": "API_TOKEN"})
    assert refusal(source).startswith("data.headers_env.Authorization: the environment variable API_TOKEN is not set")
    monkeypatch.setenv("API_TOKEN", "Bearer hunter2")
    source.load()
    assert served.asked[0][1]["Authorization"] == "Bearer hunter2"
    assert served.asked[0][1]["X-Kind"] == "a"
    assert "hunter2" not in repr(source)


def test_passing_failures_are_asked_again(served):
    tries = iter([(500, {}, b""), (429, {"Retry-After": "0"}, b""), answers(ROWS)])
    served.answers["/items"] = lambda *_: next(tries)
    assert len(ApiSource(f"{served.url}/items", backoff=0.001).load()) == 7
    served.answers["/items"] = lambda *_: (500, {}, b"")
    said = refusal(ApiSource(f"{served.url}/items?key=hunter2", backoff=0.001, retries=2))
    assert "the server answered 500 Internal Server Error 3 times" in said
    assert "hunter2" not in said


def test_retry_after_may_be_a_number_or_a_date():
    assert http._wait("7", 1) == 7
    assert http._wait(email.utils.formatdate(time.time() - 60, usegmt=True), 1) == 0
    assert http._wait("soon", 1) == 1
    assert http._wait(None, 3) == 3


@pytest.mark.parametrize(
    ("body", "options", "says"),
    [
        (b"<html>", {}, "answers with a web page"),
        (b"{", {}, "answers with no JSON"),
        (b"[1, 2]", {}, "the answer itself is no list of records"),
        (b'{"rows": [], "n": 1}', {}, "data.record_path=rows"),
        (b'{"n": 1}', {"record_path": "a.b"}, "'a.b' is no list of records"),
        (b"[]", {}, "has no records"),
    ],
)
def test_what_is_no_list_of_records_is_one_line(served, body, options, says):
    served.answers["/items"] = body
    assert says in refusal(ApiSource(f"{served.url}/items", **options))


def test_a_wrong_paging_is_named():
    with pytest.raises(ConfigError, match=r"data\.paging\.by: .*did you mean 'page'"):
        ApiSource("https://h", paging={"by": "pages"})
    with pytest.raises(ConfigError, match=r"data\.paging\.parm: .*did you mean 'param'"):
        ApiSource("https://h", paging={"parm": "x"})
    with pytest.raises(ConfigError, match="cursor_path"):
        ApiSource("https://h", paging={"by": "cursor"})
    with pytest.raises(ConfigError, match=r"data\.url"):
        ApiSource("file:///etc/passwd")


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
