"""Files in an object store: a real S3 interface, served on this machine by moto."""

from __future__ import annotations

import pytest

import mlops_cli
from mlops_cli.errors import DataError

pytest.importorskip("s3fs")
pytest.importorskip("moto")

SECRET = "never-to-be-seen"
CONFIG = """
defaults: [experiment, {data: csv}, {model: logistic_regression}, _self_]
data: {path: s3://shop/sales/0.csv, target: y}
artifacts: {keep: none, predictions: false, plots: none}
"""


def part(seed: int, rows: int = 40) -> bytes:
    lines = [f"{(i * 7 + seed) % 11},{(i * 3 + seed) % 5},{'u' if (i + seed) % 2 else 'v'}" for i in range(rows)]
    return "\n".join(["a,b,y", *lines, ""]).encode()


@pytest.fixture(scope="module")
def server():
    from moto.server import ThreadedMotoServer

    running = ThreadedMotoServer(port=0, ip_address="127.0.0.1", verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        running.stop()


@pytest.fixture
def bucket(server, workspace, monkeypatch):
    """A bucket with three parts, and an experiment on the first."""
    import boto3
    from s3fs import S3FileSystem

    for name, value in {
        "AWS_ACCESS_KEY_ID": "somebody",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": server,
    }.items():
        monkeypatch.setenv(name, value)
    S3FileSystem.clear_instance_cache()
    client = boto3.client("s3", endpoint_url=server)
    client.create_bucket(Bucket="shop")
    for number in range(3):
        client.put_object(Bucket="shop", Key=f"sales/{number}.csv", Body=part(number))
    (workspace / "configs/e.yaml").write_text(CONFIG)
    yield client
    for found in client.list_objects_v2(Bucket="shop").get("Contents", []):
        client.delete_object(Bucket="shop", Key=found["Key"])
    client.delete_bucket(Bucket="shop")
    client.close()


def run(*overrides: str):
    return mlops_cli.run("e", list(overrides), n_jobs=1).record


def test_a_file_a_glob_and_a_folder_of_a_bucket_are_read(bucket):
    assert run().dataset.rows == 40
    assert run("data.path='s3://shop/sales/*.csv'").dataset.rows == 120
    assert run("data.path=s3://shop/sales/").dataset.rows == 120


def test_an_object_that_has_changed_is_fetched_again_and_what_a_run_saw_can_be_seen_again(bucket):
    before = run()
    bucket.put_object(Bucket="shop", Key="sales/0.csv", Body=part(5, rows=60))
    assert run().dataset.rows == 60
    bucket.delete_object(Bucket="shop", Key="sales/0.csv")
    again = run(f"data.snapshot={before.dataset.version}")
    assert again.dataset.version == before.dataset.version


def test_what_is_not_there_is_named_in_one_line(bucket):
    for path in ("s3://shop/nothing.csv", "s3://nobody/sales/0.csv"):
        with pytest.raises(DataError, match=path) as caught:
            run(f"data.path={path}")
        assert "\n" not in str(caught.value)


def test_the_secret_is_written_nowhere(bucket, workspace):
    run()
    kept = [path for path in workspace.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]
    assert kept == []
