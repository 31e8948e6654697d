"""Versions of named data sets where a config asks for data: which one is meant, and what reads its files."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mlops_cli.components.sources.secrets import masked
from mlops_cli.config.catalogue import PACKAGE_CONF
from mlops_cli.config.schema import ROLE_KEYS
from mlops_cli.errors import ConfigError, DataError, StoreError, did_you_mean
from mlops_cli.records import NAMED_DATASET, ComponentSpec
from mlops_cli.store.dataset_tags import LATEST
from mlops_cli.store.datasets import Datasets
from mlops_cli.store.layout import WorkspacePaths

if TYPE_CHECKING:
    from pathlib import Path

    from mlops_cli.config.workspace import Workspace
    from mlops_cli.records import ExperimentSpec, NamedDataset

_NEEDED = "???"
_REF = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*@[A-Za-z0-9_.-]+")
_OWN_KEYS = ("name", "version")
_ASKED = ("table", "query", "params")
"""What says which rows of a data base are read."""


def with_version(spec: ExperimentSpec, workspace: Workspace) -> ExperimentSpec:
    """Return an experiment with the number of the version that it means: ``latest`` is another one later.

    Raises
    ------
    ConfigError
        There is no such data set or version.
    """
    datasets, config = Datasets(WorkspacePaths(workspace.root)), spec.config
    source, evaluation = spec.data.source, spec.evaluation
    held_out = held_out_version(evaluation.test, source, workspace)
    if source.target == NAMED_DATASET:
        number = named_version(source, datasets, "data", is_pinned=False).number
        source = replace(source, params={**source.params, "version": number})
        config = {**config, "data": {**config["data"], "version": number}}
    if held_out is not None:
        ref = _held_out_ref(held_out, datasets)
        evaluation = replace(evaluation, test=ref)
        config = {**config, "evaluation": {**config["evaluation"], "test": ref}}
    return replace(spec, data=replace(spec.data, source=source), evaluation=evaluation, config=config)


def held_out_version(test: float | str | None, source: ComponentSpec, workspace: Workspace) -> ComponentSpec | None:
    """Return the data set that ``evaluation.test`` names, ``titanic@3``; None where it is no such thing.

    Parameters
    ----------
    test : float, str or None
        As the config has it; a file of that name comes first.
    source : ComponentSpec
        Of the data; where that is a named data set, its options of reading hold here too.
    workspace : Workspace
        Where files are looked for.
    """
    if not isinstance(test, str) or not _REF.fullmatch(test) or (workspace.root / test).exists():
        return None
    name, _, version = test.partition("@")
    said = source.params if source.target == NAMED_DATASET else {}
    return ComponentSpec(NAMED_DATASET, {**said, "name": name, "version": version})


def _held_out_ref(spec: ComponentSpec, datasets: Datasets) -> str:
    key = "evaluation.test"
    try:
        return named_version(spec, datasets, key, is_pinned=False).ref
    except ConfigError as error:
        raise ConfigError(error.message, key=key, hint=error.hint) from error


def named_version(spec: ComponentSpec, datasets: Datasets, key: str, *, is_pinned: bool = True) -> NamedDataset:
    """Return the version that a source names.

    Parameters
    ----------
    spec : ComponentSpec
        With ``name`` and ``version``.
    datasets : Datasets
        Where to look.
    key : str
        Where it stands in the config.
    is_pinned : bool
        Refuse ``latest`` and tags, which mean another version later.

    Raises
    ------
    ConfigError
        There is no such data set or version, or a path is said too.
    """
    name, version = spec.params["name"], spec.params.get("version", LATEST)
    if spec.params.get("path") is not None:
        raise ConfigError(
            "a data set has files of its own", key=f"{key}.path", hint=f"leave out path or name: ~{key}.path"
        )
    if not isinstance(name, str):
        raise ConfigError(f"must be the name of a data set. Got {name!r} instead.", key=f"{key}.name")
    if isinstance(version, bool) or not isinstance(version, int | str):
        raise ConfigError(f"must be a number, latest or a tag. Got {version!r} instead.", key=f"{key}.version")
    try:
        found = datasets.find(name, version)
    except StoreError as error:
        place = "version" if datasets.is_known(name) else "name"
        raise ConfigError(error.message, key=f"{key}.{place}", hint=error.hint) from error
    if is_pinned and str(version) != str(found.number):
        text = f"'{version}' means another version later, and only its number is sure to be seen again"
        raise ConfigError(text, key=f"{key}.version", hint=f"version: {found.number}")
    return found


def reader_of(version: NamedDataset, place: Path, said: Mapping[str, Any] | None = None) -> ComponentSpec:
    """Return the source that reads a version's files.

    Parameters
    ----------
    version : NamedDataset
        Says how it is read.
    place : Path
        Its file, or the folder with its files.
    said : mapping, optional
        What a config says of the source beside that.
    """
    is_glob = version.has_folder and not version.is_folder
    path = [str(place / file.path) for file in version.files] if is_glob else str(place)
    return reader(version.option, path, version.read, said)


def reader(option: str, path: Any, read: Mapping[str, Any], said: Mapping[str, Any] | None = None) -> ComponentSpec:
    """Return the source that reads files as an option of ``data`` does.

    Parameters
    ----------
    option : str
        csv, parquet …
    path : str or list of str
        The files.
    read : mapping
        Parameters of the source by their names, and options of its reader.
    said : mapping, optional
        Parameters of the source that come before those.

    Raises
    ------
    ConfigError
        There is no such option.
    """
    known = path_options()
    if option not in known:
        raise ConfigError(f"no option of data reads files as '{option}'", key="data", hint=did_you_mean(option, known))
    defaults = known[option]
    if option not in file_options():
        return asked_of(ComponentSpec(defaults["_target_"]), str(path), read)
    params = {k: v for k, v in defaults.items() if k not in {"_target_", "path", "read", *ROLE_KEYS}}
    own = {k: v for k, v in read.items() if k in params}
    more = {k: v for k, v in (said or {}).items() if k not in {"read", *_OWN_KEYS}}
    asked = (said or {}).get("read") or {}
    if not isinstance(asked, Mapping):
        raise ConfigError(f"must be a mapping of options. Got {asked!r} instead.", key="data.read")
    options = {**(defaults.get("read") or {}), **{k: v for k, v in read.items() if k not in own}, **asked}
    read_too = {"read": options} if options or "read" in defaults else {}
    return ComponentSpec(defaults["_target_"], {**params, **own, **more, **read_too, "path": path})


def asked_of(database: ComponentSpec, place: str, read: Mapping[str, Any]) -> ComponentSpec:
    """Return the source that asks a data base: the same as before, or what is said of it anew.

    Parameters
    ----------
    database : ComponentSpec
        What it was asked before, if anything.
    place : str
        Its file, or its address.
    read : mapping
        ``table``, or ``query`` and its ``params``; these take the place of all that it was asked before.

    Raises
    ------
    DataError
        It is not said what is read.
    ConfigError
        Something is said that no data base takes.
    """
    known = path_options()[option_for(database.target)].keys() & set(_ASKED)
    for name in read.keys() - known:
        raise ConfigError(
            "is nothing that a data base is asked", key=f"data.read.{name}", hint=did_you_mean(name, known)
        )
    before = {k: v for k, v in database.params.items() if k in known and v is not None}
    asked = {**(before if read.keys() <= {"params"} else {}), **read}
    if not asked.keys() & {"query", "table"}:
        ways = [f"`data.{name}: …`" for name in _ASKED[:2] if name in known]
        raise DataError(f"{masked(place)} is a data base: which of its rows are read?", hint=" or ".join(ways))
    return ComponentSpec(database.target, {**asked, "url" if "://" in place else "path": place})


@functools.cache
def file_options() -> dict[str, dict[str, Any]]:
    """Return the options of ``data`` that read files, with their keys."""
    return {name: value for name, value in path_options().items() if value["path"] == _NEEDED}


@functools.cache
def path_options() -> dict[str, dict[str, Any]]:
    """Return the options of ``data`` that read files, and those of data bases, which may be files too."""
    import yaml

    files = sorted((PACKAGE_CONF / "data").glob("*.yaml"))
    found = {file.stem: yaml.safe_load(file.read_text(encoding="utf-8")) for file in files}
    return {name: value for name, value in found.items() if "path" in value}


def option_for(target: Any) -> str:
    """Return the option of ``data`` that has a target."""
    return next(name for name, value in path_options().items() if value["_target_"] == target)
