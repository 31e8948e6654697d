"""What ``mlops serve --export`` writes starts from its own folder, and installs from its own wheel."""

from __future__ import annotations

import io
import json
import re
import shlex
import subprocess
import sys
import zipfile
from contextlib import redirect_stdout
from pathlib import PurePosixPath

import pytest
import yaml

from mlops_cli.cli.app import invoke
from mlops_cli.errors import UsageError
from mlops_cli.web.serving.container import export_container
from mlops_cli.web.serving.tokens import Role, add_token

from .asking import as_rows, served


@pytest.fixture(scope="module")
def exported(shop, tmp_path_factory):
    place, said = tmp_path_factory.mktemp("away") / "people", io.StringIO()
    with pytest.MonkeyPatch.context() as patched, redirect_stdout(said):
        patched.chdir(shop)
        patched.setattr(sys, "argv", ["mlops", "serve", "people@champion", "--export", str(place)])
        assert invoke() == 0
    assert said.getvalue().strip() == str(place)
    return place


def docker(exported):
    """Return the instructions of the Dockerfile."""
    text = (exported / "Dockerfile").read_text().replace("\\\n", " ")
    return [line.split(maxsplit=1) for line in text.splitlines() if line and not line.startswith("#")]


def test_the_dockerfile_copies_what_is_there_and_runs_as_nobody_of_power(exported):
    instructions = docker(exported)
    for word, rest in instructions:
        if word == "COPY":
            assert (exported / shlex.split(rest)[-2]).exists()
    assert [rest for word, rest in instructions if word == "USER"] == ["serve"]
    assert any(word == "HEALTHCHECK" and "/health" in rest for word, rest in instructions)
    assert re.fullmatch(r"python:3\.\d+-slim", next(rest for word, rest in instructions if word == "FROM"))


def test_its_command_serves_the_model_from_that_folder(exported, table, tmp_path):
    (command,) = [json.loads(rest) for word, rest in docker(exported) if word == "CMD"]
    assert command[:3] == ["mlops", "serve", "people@champion"]
    token = add_token(tmp_path / "tokens.json", "shop", Role.PREDICT)
    options = [str(tmp_path / "tokens.json") if "tokens.json" in word else word for word in command[3:]]
    del options[options.index("--port") : options.index("--port") + 2]
    with served(exported / "workspace", command[2], *options) as server:
        answer = server.ask(as_rows(table.head(3)), headers={"authorization": f"Bearer {token}"})
    assert answer.json()["model"] == "people/1"
    assert len(answer.json()["predictions"]) == 3


def test_the_compose_file_is_one_and_mounts_the_tokens_where_the_command_looks(exported):
    (service,) = yaml.safe_load((exported / "compose.yaml").read_text())["services"].values()
    (command,) = [json.loads(rest) for word, rest in docker(exported) if word == "CMD"]
    tokens = PurePosixPath(command[command.index("--tokens") + 1])
    mounted = [volume.split(":")[1] for volume in service["volumes"]]
    assert str(tokens.parent) in mounted, "a file that is mounted stays what it was when tokens are replaced by rename"
    assert service["ports"] == ["127.0.0.1:8000:8000"]
    assert service["read_only"] is True


def test_every_package_has_a_version_and_the_wheel_is_beside_them(exported, tmp_path):
    lines = [x for x in (exported / "requirements.txt").read_text().splitlines() if not x.startswith("#")]
    names = {line.partition("==")[0] for line in lines}
    assert all("==" in line for line in lines)
    assert {"mlops-cli", "fastapi", "uvicorn", "prometheus-client", "scikit-learn", "skops", "pandas"} <= names
    (wheel,) = (exported / "wheels").iterdir()
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    assert (tmp_path / "mlops_cli" / "conf").is_dir()
    code = "import mlops_cli.cli.app as a; print(a.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith(str(tmp_path))


def test_nothing_is_overwritten(shop, exported, tmp_path):
    with pytest.raises(UsageError, match="nothing is overwritten"):
        export_container("people/1", exported, workspace=shop)


def test_a_run_has_to_be_registered_first(shop, tmp_path):
    with pytest.raises(UsageError, match="is a run, and a registered version is served from a container"):
        export_container("people:latest", tmp_path / "out", workspace=shop)
    assert not (tmp_path / "out").exists()
