"""Tokens: shown once, kept as hashes, asked for by the server, taken away while it runs."""

from __future__ import annotations

import json

import httpx
import pytest

from mlops_cli.errors import StoreError, UsageError
from mlops_cli.web.serving.tokens import Doorkeeper, Role, add_token, open_to_all, read_tokens, remove_token

from .asking import as_rows, bearer, until


def test_a_token_is_nowhere_in_its_file(tmp_path):
    token = add_token(tmp_path / "t.json", "shop", Role.PREDICT)
    assert len(token) > 40
    assert token.removeprefix("mlops_") not in (tmp_path / "t.json").read_text()
    assert Doorkeeper(tmp_path / "t.json").role_of(token) is Role.PREDICT
    assert Doorkeeper(tmp_path / "t.json").role_of(token + "x") is None


def test_what_anyone_may_write_is_found(tmp_path):
    file = tmp_path / "own" / "t.json"
    file.parent.mkdir(mode=0o755)
    add_token(file, "shop", Role.PREDICT)
    file.chmod(0o644)
    assert open_to_all(file) is None
    file.chmod(0o666)
    assert open_to_all(file) == file
    file.chmod(0o644)
    file.parent.chmod(0o777)
    assert open_to_all(file) == file.parent
    file.parent.chmod(0o1777)  # as /tmp: only its owner may replace a file
    assert open_to_all(file) is None


def test_a_name_is_given_once(tmp_path):
    add_token(tmp_path / "t.json", "shop", Role.PREDICT)
    with pytest.raises(UsageError, match="has a token 'shop' already"):
        add_token(tmp_path / "t.json", "shop", Role.ADMIN)
    with pytest.raises(UsageError, match="cannot be a name"):
        add_token(tmp_path / "t.json", "../x\n", Role.ADMIN)
    with pytest.raises(UsageError, match="did you mean 'shop'"):
        remove_token(tmp_path / "t.json", "shpo")


@pytest.mark.parametrize(
    "content", ["", "{", '{"schema_version": 1}', '{"schema_version": 1, "tokens": [{"name": "a", "role": "king"}]}']
)
def test_a_damaged_file_is_refused(tmp_path, content):
    (tmp_path / "t.json").write_text(content)
    with pytest.raises(StoreError, match="damaged"):
        Doorkeeper(tmp_path / "t.json")


def test_the_commands_add_list_and_remove(workspace, mlops):
    added = mlops("tokens", "add", "shop")
    assert added.returncode == 0
    assert added.stderr.endswith("next: mlops serve MODEL --tokens tokens.json\n")
    assert added.stdout.startswith("mlops_")
    assert added.stdout.strip() not in (workspace / "tokens.json").read_text()
    assert json.loads(mlops("tokens", "ls", "--json").stdout)[0]["role"] == "predict"
    assert "shop" in mlops("tokens", "ls").stdout
    gone = mlops("tokens", "rm", "shop")
    assert gone.stdout == "shop may no longer predict\n"
    assert gone.stderr.endswith("next: mlops tokens add NAME --role predict --file tokens.json\n")
    assert read_tokens(workspace / "tokens.json") == ()


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/health", {None, Role.PREDICT, Role.ADMIN}),
        ("/ready", {None, Role.PREDICT, Role.ADMIN}),
        ("/docs", {None, Role.PREDICT, Role.ADMIN}),
        ("/docs/serve.js", {None, Role.PREDICT, Role.ADMIN}),
        ("/model", {Role.PREDICT, Role.ADMIN}),
        ("/openapi.json", {Role.PREDICT, Role.ADMIN}),
        ("/metrics", {Role.ADMIN}),
    ],
)
def test_each_role_gets_what_is_its_own(guarded, keys, path, allowed):
    for role in (None, *Role):
        headers = bearer(keys[role]) if role is not None else {}
        expected = 200 if role in allowed else 401 if role is None else 403
        assert guarded.get(path, headers=headers).status_code == expected


@pytest.mark.parametrize("path", ["/metrics%0a", "/metrics/", "//metrics", "/Metrics", "/metrics%2f", "/./metrics"])
def test_no_other_way_of_writing_leads_around_a_role(guarded, keys, path):
    with httpx.Client(headers=bearer(keys[Role.PREDICT])) as client:
        answer = client.send(
            httpx.Request("GET", httpx.URL(guarded.url).copy_with(raw_path=path.encode()), headers=client.headers)
        )
    assert answer.status_code in {403, 404}
    assert "mlops_requests" not in answer.text


def test_predicting_needs_a_token(guarded, keys, table):
    row = as_rows(table.drop(columns="died").head(1))[0]
    assert guarded.ask(row).status_code == 401
    assert guarded.ask(row, headers=bearer(keys[Role.PREDICT])).status_code == 200
    assert httpx.post(guarded.url + "/model/reload", headers=bearer(keys[Role.PREDICT])).status_code == 403


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer mlops_wrong", "Basic abc", "bearer\tx", "Bearer " + "x" * 4000, "Bearer é"],
)
def test_a_wrong_token_is_told_what_is_needed(guarded, header):
    answer = guarded.get("/model", headers=[(b"authorization", header.encode())])
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert "people" not in answer.text


def test_the_file_is_followed_while_the_server_runs(guarded, file):
    token = add_token(file, "late", Role.PREDICT)
    until(lambda: guarded.get("/model", headers=bearer(token)).status_code == 200)
    remove_token(file, "late")
    until(lambda: guarded.get("/model", headers=bearer(token)).status_code == 401)


def test_a_file_that_is_gone_admits_nobody(guarded, file, keys):
    kept = file.read_bytes()
    file.unlink()
    until(lambda: guarded.get("/model", headers=bearer(keys[Role.ADMIN])).status_code == 401)
    file.write_bytes(kept)
    until(lambda: guarded.get("/model", headers=bearer(keys[Role.ADMIN])).status_code == 200)


def test_any_host_may_be_named_where_tokens_are_asked_for_on_all_networks(guarded):
    assert guarded.get("/health", headers={"host": "models.example.org"}).status_code == 200
