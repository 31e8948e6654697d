"""Files from the web and from object stores: fetched once, kept by content, checked, and never with a secret."""

import gzip
import hashlib
import json
import ssl
from dataclasses import replace

import pandas as pd
import pytest

from mlops_cli.components.sources import http
from mlops_cli.config.workspace import Workspace
from mlops_cli.errors import ConfigError, DataError, MissingExtraError
from mlops_cli.records import ComponentSpec, DataSpec, EvaluationSpec, ExperimentSpec, TrialSpec
from mlops_cli.store.layout import WorkspacePaths
from mlops_cli.store.remote import Remote, Wanted
from mlops_cli.store.transfer import Limits
from mlops_cli.workflows.data.load import load

CSV = b"id,x,y\n1,0.5,a\n2,0.25,b\n3,1.5,a\n4,2.5,b\n"
OTHER = b"id,x,y\n1,0.5,a\n2,0.25,b\n3,1.5,a\n4,9.5,b\n"
SOURCES = "mlops_cli.components.sources."


def spec(source="CsvSource", **params):
    component = ComponentSpec(SOURCES + source, params)
    public = {"data": {"_target_": component.target, **params}}
    return ExperimentSpec("e", DataSpec(component, target="y"), TrialSpec(ComponentSpec("m")), config=public)


def read(workspace, **params):
    return load(spec(**params), Workspace(workspace)).train


def refusal(workspace, kind=DataError, **params) -> str:
    with pytest.raises(kind) as caught:
        read(workspace, **params)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def codes(dataset):
    return [n.code for n in dataset.notices]


def validating(body):
    """Answer as a server that knows whether its file has changed."""
    tag = f'"{hashlib.md5(body).hexdigest()}"'

    def answer(path, headers):
        return (304, {"ETag": tag}, b"") if headers.get("If-None-Match") == tag else (200, {"ETag": tag}, body)

    return answer


def test_a_file_at_an_address_is_read_and_asked_for_again_only_if_it_changed(workspace, served):
    served.answers["/x.csv"] = validating(CSV)
    first = read(workspace, path=f"{served.url}/x.csv")
    again = read(workspace, path=f"{served.url}/x.csv")
    assert first.X.x.tolist() == [0.5, 0.25, 1.5, 2.5]
    assert first.version == again.version
    assert first.version.source == f"{served.url}/x.csv"
    assert [h.get("If-None-Match") is None for _, h in served.asked] == [True, False]
    served.answers["/x.csv"] = validating(OTHER)
    assert read(workspace, path=f"{served.url}/x.csv").X.x.tolist()[-1] == 9.5


def test_refresh_says_how_often_to_ask(workspace, served):
    served.answers["/x.csv"] = CSV
    for refresh in ("never", "never", "1d", "2h", "always", "always", None):
        read(workspace, path=f"{served.url}/x.csv", refresh=refresh)
    assert len(served.asked) == 1 + 2 + 1
    said = refusal(workspace, ConfigError, path=f"{served.url}/x.csv", refresh="daily")
    assert said.startswith("data.refresh: must be check, never, always, or an age such as 1d. Got 'daily'")


def test_without_the_network_the_kept_copy_is_used_aloud(workspace, served):
    served.answers["/x.csv"] = CSV
    first = read(workspace, path=f"{served.url}/x.csv")
    served.stop()
    again = read(workspace, path=f"{served.url}/x.csv")
    assert again.version == first.version
    assert "kept-copy" in codes(again)
    assert "nothing answers at 127.0.0.1" in refusal(workspace, path=f"{served.url}/x.csv", refresh="always")
    assert "nothing answers at 127.0.0.1" in refusal(workspace, path=f"{served.url}/other.csv")


def test_the_suffix_of_the_address_says_the_compression(workspace, served):
    served.answers["/a/x.csv.gz"] = gzip.compress(CSV)
    served.answers["/y.csv"] = lambda *_: (200, {"Content-Encoding": "gzip"}, gzip.compress(CSV))
    served.answers["/get"] = lambda *_: (
        200,
        {"Content-Disposition": 'attachment; filename="../x.csv.gz"'},
        gzip.compress(CSV),
    )
    for path in ("/a/x.csv.gz?v=1", "/y.csv", "/get?id=3"):
        assert len(read(workspace, path=served.url + path).X) == 4


def test_other_forms_and_lists_are_fetched_too(workspace, served):
    table = pd.DataFrame({"x": [1, 2], "y": ["a", "b"]})
    served.answers["/x.parquet"] = table.to_parquet()
    served.answers["/a.csv"] = served.answers["/b.csv"] = CSV
    assert read(workspace, source="ParquetSource", path=f"{served.url}/x.parquet").X.x.tolist() == [1, 2]
    both = [f"{served.url}/a.csv", f"{served.url}/b.csv"]
    assert len(read(workspace, path=both).X) == 8
    objects = list(Remote(WorkspacePaths(workspace)).objects.digests())
    assert len(objects) == 2  # a.csv and b.csv hold the same


def test_held_out_rows_may_be_at_an_address(workspace, served):
    served.answers["/x.csv"], served.answers["/t.csv"] = CSV, OTHER
    asked = replace(spec(path=f"{served.url}/x.csv"), evaluation=EvaluationSpec(test=f"{served.url}/t.csv"))
    assert load(asked, Workspace(workspace)).test.X.x.tolist()[-1] == 9.5


# --- what it must be -------------------------------------------------------------------------------------------


def test_another_content_than_expected_is_refused_with_both_digests(workspace, served):
    served.answers["/x.csv"] = CSV
    (workspace / "data" / "x.csv").write_bytes(CSV)
    right, wrong = hashlib.sha256(CSV).hexdigest(), hashlib.sha256(OTHER).hexdigest()
    for path in (f"{served.url}/x.csv", "data/x.csv"):
        assert len(read(workspace, path=path, sha256=right).X) == 4
        said = refusal(workspace, path=path, sha256=wrong)
        assert right in said
        assert wrong in said
    assert "64 hexadecimal digits" in refusal(workspace, ConfigError, path="data/x.csv", sha256="abc")


def test_what_is_kept_under_the_expected_digest_is_not_asked_for(workspace, served):
    served.answers["/x.csv"] = CSV
    read(workspace, path=f"{served.url}/x.csv")
    served.stop()
    kept = read(workspace, path=f"{served.url}/x.csv", sha256=hashlib.sha256(CSV).hexdigest())
    assert codes(kept) == codes(read(workspace, path=f"{served.url}/x.csv", refresh="never"))
    assert "kept-copy" not in codes(kept)


def damage(workspace):
    (digest,) = Remote(WorkspacePaths(workspace)).objects.digests()
    path = Remote(WorkspacePaths(workspace)).objects.path(digest)
    path.chmod(0o644)
    path.write_bytes(OTHER)


@pytest.mark.parametrize(
    "policy", [{"sha256": hashlib.sha256(CSV).hexdigest()}, {"refresh": "never"}, {"refresh": "check"}]
)
def test_a_kept_copy_that_was_damaged_is_never_read_but_fetched_again(workspace, served, policy):
    served.answers["/x.csv"] = validating(CSV)
    first = read(workspace, path=f"{served.url}/x.csv")
    damage(workspace)
    assert read(workspace, path=f"{served.url}/x.csv", **policy).version == first.version
    damage(workspace)
    served.stop()
    assert "nothing answers at" in refusal(workspace, path=f"{served.url}/x.csv", **policy)


def test_a_web_page_in_place_of_data_is_refused_by_its_address(workspace, served):
    served.answers["/x.csv"] = b"<!DOCTYPE html><html><body>Log in</body></html>"
    assert refusal(workspace, path=f"{served.url}/x.csv").startswith(f"{served.url}/x.csv: is a web page")


def test_a_file_larger_than_allowed_is_refused(workspace, served):
    served.answers["/x.csv"] = CSV
    assert "is larger than the 10 bytes" in refusal(workspace, path=f"{served.url}/x.csv", max_bytes=10)
    served.answers["/x.csv"] = lambda *_: (200, {"Content-Length": "", "Connection": "close"}, CSV)
    assert "is larger than the 10 bytes" in refusal(workspace, path=f"{served.url}/x.csv", max_bytes=10)
    assert list(Remote(WorkspacePaths(workspace)).objects.digests()) == []


def test_half_a_file_is_not_kept(workspace, served):
    served.answers["/x.csv"] = lambda *_: (200, {"Content-Length": "1000", "Connection": "close"}, CSV)
    assert "broke off" in refusal(workspace, path=f"{served.url}/x.csv")
    assert list(Remote(WorkspacePaths(workspace)).objects.digests()) == []


@pytest.mark.parametrize(
    ("status", "says"), [(404, "404"), (403, "do not suffice"), (401, "~/.netrc"), (410, "gone for good")]
)
def test_a_refusal_says_why(workspace, served, status, says):
    served.answers["/x.csv"] = lambda *_: (status, {}, b"")
    assert says in refusal(workspace, path=f"{served.url}/x.csv")
    assert len(served.asked) == 1


def test_a_passing_failure_is_asked_again_as_the_server_says(workspace, served):
    answers = iter([(503, {"Retry-After": "0"}, b""), (429, {"Retry-After": "0"}, b""), (200, {}, CSV)])
    served.answers["/x.csv"] = lambda *_: next(answers)
    assert len(read(workspace, path=f"{served.url}/x.csv").X) == 4


def test_an_unknown_host_and_a_long_wait_are_one_line(served):
    asking = http.Asking(retries=0)
    with (
        pytest.raises(http.Unreachable, match=r"the host nowhere\.invalid is not known"),
        http.answer("http://nowhere.invalid/x", asking),
    ):
        pass
    served.answers["/x"] = lambda *_: (429, {"Retry-After": "86400"}, b"")
    with pytest.raises(DataError, match="Retry-After 86400"), http.answer(f"{served.url}/x", http.Asking()):
        pass
    assert len(served.asked) == 1


def test_tls_with_the_wrong_partner_is_one_line(workspace, served):
    said = refusal(workspace, path=served.url.replace("http:", "https:") + "/x.csv")
    assert "no encrypted connection" in said


def test_a_certificate_that_is_not_trusted_is_named():
    error = ssl.SSLCertVerificationError(1, "self-signed certificate")
    error.verify_message = "self-signed certificate"
    said = str(http._unreachable("https://h/x", error, http.Asking()))
    assert "the server's certificate is not trusted: self-signed certificate" in said


# --- secrets -----------------------------------------------------------------------------------------------------


def kept_text(workspace) -> bytes:
    files = [p for p in workspace.rglob("*") if p.is_file()]
    return b"".join(str(p).encode() + p.read_bytes() for p in files)


def test_a_password_in_an_address_is_refused_and_not_repeated(workspace):
    said = refusal(workspace, ConfigError, path="https://me:hunter2@example.org/x.csv")
    assert said.startswith("data.path: holds a password")
    assert "hunter2" not in said


def test_secrets_of_an_address_from_the_environment_are_written_nowhere(workspace, served):
    served.answers["/x.csv"] = CSV
    secret = f"{served.url}/x.csv?signature=hunter2"
    asked = spec(path=secret)
    asked = replace(asked, config={"data": {"path": "${oc.env:PLACE}"}})
    dataset = load(asked, Workspace(workspace)).train
    assert dataset.version.source == "${oc.env:PLACE}"
    assert served.paths() == ["/x.csv?signature=hunter2"]
    assert b"hunter2" not in kept_text(workspace)


def test_addresses_that_differ_in_secrets_alone_are_told_apart(workspace, served):
    served.answers["/x.csv?part=1"], served.answers["/x.csv?part=2"] = CSV, OTHER
    both = [f"{served.url}/x.csv?part={i}" for i in (1, 2)]
    first = read(workspace, path=both)
    again = read(workspace, path=both, snapshot=first.version.version)
    assert again.version == first.version


def test_credentials_do_not_follow_a_redirect_to_another_host(served):
    served.answers["/away"] = lambda *_: (302, {"Location": served.url.replace("127.0.0.1", "localhost") + "/x"}, b"")
    served.answers["/here"] = lambda *_: (302, {"Location": "/x"}, b"")
    served.answers["/x"] = CSV
    asking = http.Asking(secrets={"Authorization": "Bearer hunter2"})
    for path, sent in (("/away", None), ("/here", "Bearer hunter2")):
        with http.answer(served.url + path, asking) as answer:
            assert answer.read() == CSV
        assert served.asked[-1][1].get("Authorization") == sent
        assert served.asked[-2][1]["Authorization"] == "Bearer hunter2"
    assert "hunter2" not in repr(asking)


def test_headers_that_may_be_secret_do_not_follow_a_redirect_to_another_host(served):
    served.answers["/away"] = lambda *_: (302, {"Location": served.url.replace("127.0.0.1", "localhost") + "/x"}, b"")
    served.answers["/x"] = CSV
    asking = http.Asking({"Authorization": "Bearer hunter2", "Cookie": "c=hunter2", "X-Key": "k", "Accept": "text/csv"})
    with http.answer(f"{served.url}/away", asking):
        pass
    (_, first), (_, second) = served.asked
    assert (first["Authorization"], first["X-Key"]) == ("Bearer hunter2", "k")
    assert not {"Authorization", "Cookie", "X-Key"} & set(second)
    assert second["Accept"] == "text/csv"


def test_user_and_password_of_an_address_are_sent_and_neither_written_nor_shown(workspace, served):
    served.answers["/x.csv"] = CSV
    secret = served.url.replace("//", "//me:hunter%2F2@")
    asked = spec(path=f"{secret}/x.csv", sha256=hashlib.sha256(CSV).hexdigest())
    for _ in range(2):
        load(replace(asked, config={"data": {"path": "${oc.env:PLACE}"}}), Workspace(workspace))
    assert served.asked[0][1]["Authorization"] == http.basic("me", "hunter/2")
    assert b"hunter" not in kept_text(workspace)


def test_an_address_without_a_path_leaves_no_password_in_a_name(workspace, served):
    remote, digest = Remote(WorkspacePaths(workspace)), hashlib.sha256(CSV).hexdigest()
    with remote.objects.writing() as writer:
        writer.write(CSV)
    remote.fetch(Wanted(served.url.replace("//", "//me:hunter2@"), sha256=digest))
    assert b"hunter2" not in b"".join(str(p).encode() for p in workspace.rglob("*"))


@pytest.mark.parametrize(
    "address", ["http://me:hunter2@127.0.0.1:9", "http://me:hun/ter2@127.0.0.1/x", "http://[::1/x"]
)
def test_what_goes_wrong_at_an_address_with_a_password_does_not_show_it(address):
    with pytest.raises(DataError) as caught, http.answer(address, http.Asking(retries=0)):
        pass
    assert "hun" not in str(caught.value)


def test_a_redirect_to_what_is_no_address_is_one_line_without_its_password(served):
    served.answers["/x"] = lambda *_: (302, {"Location": "http://me:hun/ter2@127.0.0.1/x"}, b"")
    with pytest.raises(DataError, match="no web address") as caught, http.answer(f"{served.url}/x", http.Asking()):
        pass
    assert "hun" not in str(caught.value)


def test_no_other_scheme_can_be_reached_by_a_redirect(served, workspace):
    served.answers["/x.csv"] = lambda *_: (302, {"Location": "file:///etc/passwd"}, b"")
    refusal(workspace, path=f"{served.url}/x.csv")


# --- object stores -------------------------------------------------------------------------------------------------


@pytest.fixture
def bucket():
    fsspec = pytest.importorskip("fsspec")
    memory = fsspec.filesystem("memory")
    memory.store.clear()
    yield memory
    memory.store.clear()


def test_a_file_of_an_object_store_is_fetched_when_it_changes(workspace, bucket):
    bucket.pipe("/b/x.csv", CSV)
    assert len(read(workspace, path="memory://b/x.csv").X) == 4
    before = set(Remote(WorkspacePaths(workspace)).objects.digests())
    read(workspace, path="memory://b/x.csv")
    assert set(Remote(WorkspacePaths(workspace)).objects.digests()) == before
    bucket.pipe("/b/x.csv", OTHER)
    assert read(workspace, path="memory://b/x.csv").X.x.tolist()[-1] == 9.5


def test_globs_and_folders_of_an_object_store_are_parts(workspace, bucket):
    bucket.pipe({"/b/p/1.csv": CSV, "/b/p/0.csv": OTHER, "/b/p/_SUCCESS": b"", "/b/q.txt": b"?"})
    for path in ("memory://b/p/*.csv", "memory://b/p/"):
        assert read(workspace, path=path).X.x.tolist() == [0.5, 0.25, 1.5, 9.5, 0.5, 0.25, 1.5, 2.5]


def test_what_an_object_store_has_not_is_one_line(workspace, bucket):
    bucket.pipe("/b/x.csv", CSV)
    assert "memory://b/y.csv: no such file" in refusal(workspace, path="memory://b/y.csv")
    assert "no such files" in refusal(workspace, path="memory://b/*.tsv")
    assert "is a folder" in refusal(workspace, path="memory://b")
    assert "did you mean 's3'?" in refusal(workspace, ConfigError, path="s33://b/x.csv")


@pytest.mark.parametrize(("url", "extra"), [("s3://b/x.csv", "s3"), ("gs://b/x.csv", "gcs"), ("az://b/x.csv", "azure")])
def test_a_missing_package_is_named_with_its_extra(workspace, monkeypatch, url, extra):
    import sys

    pytest.importorskip("fsspec")
    for name in ("s3fs", "gcsfs", "adlfs"):
        monkeypatch.setitem(sys.modules, name, None)
    assert f"mlops-cli[{extra}]" in refusal(workspace, MissingExtraError, path=url)


# --- what is kept ----------------------------------------------------------------------------------------------------


def test_a_damaged_record_of_an_address_is_only_a_lost_cache(workspace, served):
    served.answers["/x.csv"] = CSV
    read(workspace, path=f"{served.url}/x.csv")
    (record,) = (workspace / ".mlops" / "datasets" / "remote").iterdir()
    record.write_text("{")
    assert len(read(workspace, path=f"{served.url}/x.csv").X) == 4
    assert json.loads(record.read_text())["size"] == len(CSV)


def test_fetching_leaves_nothing_beside_the_objects(workspace, served):
    served.answers["/x.csv"] = CSV
    fetched = Remote(WorkspacePaths(workspace)).fetch(Wanted(f"{served.url}/x.csv"), Limits())
    assert fetched.path.name == "x.csv"
    assert fetched.path.read_bytes() == CSV
    assert not list((workspace / ".mlops" / "datasets" / "objects" / ".new").iterdir())
