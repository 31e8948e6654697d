"""``mlops serve --export``: all that a container needs to serve one registered version, as a folder.

The version is copied whole into a small workspace, this package goes along as a wheel, and every other package is named
in the version that the model was made with, or that serves it here.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import os
import string
import sys
import zipfile
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import TYPE_CHECKING

import mlops_cli
from mlops_cli.config.workspace import find_workspace
from mlops_cli.errors import StoreError, UsageError
from mlops_cli.records import Aliases, AliasMove
from mlops_cli.store.audit import this_user
from mlops_cli.store.exporting import folder_beside, settle
from mlops_cli.store.files import json_bytes, read_bytes, sha256
from mlops_cli.store.layout import VersionPaths, WorkspacePaths
from mlops_cli.store.packages import installed_for, plain_name
from mlops_cli.store.registry.json import aliases_to_json
from mlops_cli.store.values import stamp
from mlops_cli.workflows.applying.model import find_model

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mlops_cli.records import ModelVersion

TOKENS = "/etc/mlops/tokens.json"
"""Where the container finds who may ask."""

_NEEDED = ("mlops-cli", "fastapi", "uvicorn", "prometheus-client")
_TEMPLATES = Path(mlops_cli.__file__).parent / "templates" / "_serve"
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Exported:
    """A folder that was written, and what to do with it."""

    folder: Path
    said: tuple[str, ...]


def export_container(ref: str, folder: Path, *, workspace: Path | None = None) -> Exported:
    """Write a Dockerfile, a compose file, the packages and the model.

    Parameters
    ----------
    ref : str
        A registered version: ``titanic@champion``, ``titanic/3``.
    folder : Path
        Where to; it must not be there.
    workspace : Path, optional
        The workspace; the current folder's where not given.

    Raises
    ------
    UsageError
        The folder is there already, or the model is not a registered version.
    StoreError
        The version is damaged, or the disk refuses; nothing is written then.
    """
    folder = folder.absolute()
    if os.path.lexists(folder):
        raise UsageError(f"{folder} is there already, and nothing is overwritten", hint="choose another name")
    saved = find_model(ref, workspace=workspace)
    if saved.version is None:
        hint = f"mlops models register {saved.label}"
        raise UsageError(f"{saved.label} is a run, and a registered version is served from a container", hint=hint)
    saved.open().features  # noqa: B018  what cannot be opened here cannot be there
    files = {
        **_templates(_called(ref, saved.version), saved.version),
        "requirements.txt": _requirements(saved.version).encode(),
        **_wheel(),
        **{f"workspace/{name}": data for name, data in _workspace(saved.version, _alias(ref), workspace).items()},
    }
    with folder_beside(folder, files) as temp:
        settle(temp, folder, force=False)
    return Exported(
        folder,
        (
            f"cd {folder}",
            "mkdir tokens",
            "mlops tokens add NAME --role predict --file tokens/tokens.json",
            "docker compose up --build -d",
        ),
    )


def command(called: str) -> list[str]:
    """Return what the container runs."""
    return ["mlops", "serve", called, "--host", "0.0.0.0", "--port", "8000", "--tokens", TOKENS, "--quiet"]  # noqa: S104  a container's own


def _alias(ref: str) -> str:
    return ref.partition("@")[2]


def _called(ref: str, version: ModelVersion) -> str:
    return f"{version.name}@{alias}" if (alias := _alias(ref)) else version.ref


def _templates(called: str, version: ModelVersion) -> dict[str, bytes]:
    python = ".".join(str(version.record.environment.get("python", "")).split(".")[:2])
    here = f"{sys.version_info[0]}.{sys.version_info[1]}"
    told = {"MODEL": version.ref, "PYTHON": python or here, "COMMAND": json.dumps(command(called))}
    names = {"Dockerfile": "Dockerfile", "compose.yaml": "compose.yaml", "dockerignore": ".dockerignore"}
    texts = {name: (_TEMPLATES / source).read_text(encoding="utf-8") for source, name in names.items()}
    return {name: string.Template(text).safe_substitute(told).encode() for name, text in texts.items()}


# --- the model ---------------------------------------------------------------------------------------------------


def _workspace(version: ModelVersion, alias: str, workspace: Path | None) -> dict[str, bytes]:
    """Return the files of a workspace that has this version alone."""
    trust = find_workspace(workspace).trust
    inside = WorkspacePaths(Path())
    place = inside.model_version(version.name, version.number).root
    files = {(place / name).as_posix(): data for name, data in _files(version)}
    files["pyproject.toml"] = f"[tool.mlops]\ntrust = {json.dumps(list(trust))}\n".encode()
    if alias:
        number = version.number
        move = AliasMove(alias, number, None, stamp(), this_user(), "export")
        aliases = Aliases({alias: number}, (move,), number)
        files[inside.aliases(version.name).as_posix()] = json_bytes(aliases_to_json(aliases))
    return files


def _files(version: ModelVersion) -> Iterator[tuple[str, bytes]]:
    for path in sorted(version.path.rglob("*")):
        if path.is_symlink() or not path.is_file() or "__pycache__" in path.parts:
            continue
        name, data = path.relative_to(version.path).as_posix(), read_bytes(path)
        if version.files.get(name, digest := sha256(data)) != digest:
            raise StoreError(f"{path} is not the file that was registered", hint=f"mlops models verify {version.ref}")
        yield name, data


# --- the packages ------------------------------------------------------------------------------------------------


def _requirements(version: ModelVersion) -> str:
    """Return every package in one version: that of the model's making, else the one that is installed here."""
    recorded = read_bytes(VersionPaths(version.path).requirements).decode().splitlines()
    made = {plain_name(line.partition("==")[0]): line for line in recorded if "==" in line and not line.startswith("#")}
    here = {name: f"{name}=={found}" for name, found in installed_for(_NEEDED).items()}
    lines = [line for _, line in sorted({**here, **made}.items())]
    return "\n".join(["# mlops-cli itself is in wheels/", *lines]) + "\n"


def _wheel() -> dict[str, bytes]:
    """Return this package as a wheel, made of the very files that run here."""
    found = distribution("mlops-cli")
    name = f"mlops_cli-{found.version}"
    root = Path(mlops_cli.__file__).parent
    paths = [p for p in sorted(root.rglob("*")) if p.is_file() and "__pycache__" not in p.parts and p.suffix != ".pyc"]
    files = {f"{root.name}/{p.relative_to(root).as_posix()}": p.read_bytes() for p in paths}
    files |= {f"{name}.dist-info/{key}": data for key, data in _told(found).items()}
    record = f"{name}.dist-info/RECORD"
    files[record] = _record(files, record)
    return {f"wheels/{name}-py3-none-any.whl": _zipped(files)}


def _told(found: Distribution) -> dict[str, bytes]:
    wheel = "Wheel-Version: 1.0\nGenerator: mlops\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    texts = {"METADATA": found.read_text("METADATA"), "entry_points.txt": found.read_text("entry_points.txt")}
    return {"WHEEL": wheel.encode(), **{name: text.encode() for name, text in texts.items() if text}}


def _record(files: Mapping[str, bytes], own: str) -> bytes:
    buffer = io.StringIO()
    rows = csv.writer(buffer, lineterminator="\n")
    for name, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        rows.writerow([name, f"sha256={digest}", len(data)])
    rows.writerow([own, "", ""])
    return buffer.getvalue().encode()


def _zipped(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            member = zipfile.ZipInfo(name, _EPOCH)
            member.compress_type, member.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(member, data)
    return buffer.getvalue()
