"""Files of a run: a fixed few are served, and no name, link or encoding leads to another one."""

from contextlib import closing
from http.client import HTTPConnection

import pytest

SVG = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


NAMES = [
    "run.json",
    "trials.jsonl",
    "model/model.skops",
    "plots",
    "plots/",
    "plots/roc.png",
    "plots/none.svg",
    "plots/sub/roc.svg",
    "plots/.svg",
    "plots/../config.yaml",
    "plots/..%2Fsecret.svg",
    "..%2f..%2f..%2fsecret.svg",
    "%2e%2e/%2e%2e/secret.svg",
    "plots%2f..%2f..%2f..%2f..%2fsecret.svg",
    "plots/roc.svg%00",
    "plots/%00.svg",
    "%00",
    "config.yaml%0a",
    "plots\\..\\config.yaml",
    "//etc/passwd",
    "CONFIG.YAML",
    "",
]
EXPERIMENTS = ["..", "%2e%2e", "iris%2f..", ".new", "latest", "%00", "iris%00", "-rf", "a" * 300]


@pytest.fixture
def record(finished):
    made = finished(0.9)
    (made.path / "plots").mkdir()
    (made.path / "plots" / "roc.svg").write_text(SVG)
    return made


def test_a_plot_is_a_picture_that_can_do_nothing(server, record):
    answer = server.get(f"/runs/{record.id}/files/plots/roc.svg")
    assert answer.text == SVG
    assert answer.headers["content-type"] == "image/svg+xml"
    policy = answer.headers["content-security-policy"]
    assert "sandbox" in policy
    assert "script-src" not in policy
    assert "default-src 'none'" in policy


def test_the_trials_are_a_download(server, record):
    answer = server.get(f"/runs/{record.id}/files/trials.csv")
    assert answer.text.startswith("trial,state,params.model.C")
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"].startswith('attachment; filename="iris-')


def test_the_config_is_plain_text(server, record):
    (record.path / "config.yaml").write_text("name: <script>alert(1)</script>\n")
    answer = server.get(f"/runs/{record.id}/files/config.yaml")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_no_other_name_leads_to_a_file(server, workspace, record):
    (workspace / "secret.svg").write_text("what no one may see")
    (record.path / "model").mkdir(exist_ok=True)
    (record.path / "model" / "model.skops").write_text("what no one may see")
    answers = {name: raw(server, f"/runs/{record.id}/files/{name}") for name in NAMES}
    assert {name for name, (status, _) in answers.items() if status != 404} == set()
    assert {name for name, (_, body) in answers.items() if b"see" in body} == set()


def raw(server, path):
    """Ask for a path as it is: other clients would tidy it up first."""
    with closing(HTTPConnection("127.0.0.1", server.port, timeout=30)) as line:
        line.putrequest("GET", path)
        line.endheaders()
        answer = line.getresponse()
        return answer.status, answer.read()


@pytest.mark.parametrize(
    "experiment", ["..", "%2e%2e", "iris%2f..", ".new", "latest", "%00", "iris%00", "-rf", "a" * 300]
)
def test_no_experiment_leads_out_of_the_runs(server, record, experiment):
    name = record.id.partition("/")[2]
    for path in (
        f"/runs/{experiment}/{name}",
        f"/api/runs/{experiment}/{name}",
        f"/runs/{experiment}/{name}/files/config.yaml",
    ):
        assert raw(server, path)[0] == 404


@pytest.mark.parametrize("place", ["config.yaml", "trials.csv", "plots/roc.svg"])
def test_a_link_in_the_place_of_a_file_is_not_followed(server, workspace, record, place):
    secret = workspace / "secret"
    secret.write_text("secret")
    (record.path / place).unlink()
    (record.path / place).symlink_to(secret)
    answer = server.get(f"/runs/{record.id}/files/{place}")
    assert answer.status_code == 404
    assert "secret" not in answer.text


def test_a_link_in_the_place_of_the_plots_is_not_followed(server, workspace, record):
    (record.path / "plots").rename(workspace / "elsewhere")
    (record.path / "plots").symlink_to(workspace / "elsewhere")
    assert server.get(f"/runs/{record.id}/files/plots/roc.svg").status_code == 404


def test_a_link_in_the_place_of_a_run_or_an_experiment_is_not_followed(server, workspace, record):
    outside = workspace / "outside"
    record.path.rename(outside)
    record.path.symlink_to(outside)
    assert server.get(f"/runs/{record.id}").status_code == 404
    record.path.unlink()
    (workspace / "runs" / "iris").rename(workspace / "all")
    outside.rename(workspace / "all" / record.path.name)
    (workspace / "runs" / "iris").symlink_to(workspace / "all")
    assert server.get(f"/runs/{record.id}").status_code == 404
    assert server.get(f"/runs/{record.id}/files/config.yaml").status_code == 404


def test_a_workspace_that_is_itself_reached_by_a_link_is_served(tmp_path, finished, workspace):
    from .serving import serving

    record = finished(0.9)
    link = tmp_path.parent / f"{tmp_path.name}-link"
    link.symlink_to(workspace)
    with serving(link) as server:
        assert server.get(f"/runs/{record.id}/files/config.yaml").status_code == 200
