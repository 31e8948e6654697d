"""``mlops data expect`` and ``data check``: a first version of what is expected of data, and data held against it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_cli.analysis.expect import breaches_of, count_of, refuse, sentence
from mlops_cli.components.sources.secrets import masked
from mlops_cli.config import find_workspace, load_experiment
from mlops_cli.config.catalogue import experiments
from mlops_cli.errors import ConfigError, UsageError
from mlops_cli.records import CheckedData
from mlops_cli.store.datasets import Datasets
from mlops_cli.store.layout import WorkspacePaths
from mlops_cli.workflows.data.tables import HowRead, file_spec, read_ref, read_source

if TYPE_CHECKING:
    import pandas as pd

    from mlops_cli.config.workspace import Workspace
    from mlops_cli.records import Breach, Column, DataSpec, Notice

_RULES = "data.expect"


# --- holding a table against rules -----------------------------------------------------------------------------------


def check_expected(table: pd.DataFrame, expect: Mapping[str, Any], workspace: Workspace) -> list[Notice]:
    """Refuse a table that breaks what a config expects of it, and return what is only to be said.

    Raises
    ------
    DataError
        Rules are broken: all of them are told.
    ConfigError
        A rule is unknown or is written wrongly.
    """
    return refuse(broken(table, expect, workspace))


def broken(table: pd.DataFrame, expect: Mapping[str, Any], workspace: Workspace) -> tuple[Breach, ...]:
    """Return everything that a table breaks: of the rules, and of a schema that ``_target_`` names beside them."""
    rules = {name: value for name, value in expect.items() if name != "_target_"}
    found = breaches_of(table, rules)
    if expect.get("_target_") is None:
        return found
    from mlops_cli.analysis.schema import schema_breaches

    name = str(expect["_target_"])
    return (*found, *schema_breaches(_schema(name, workspace), table, name))


def _schema(name: str, workspace: Workspace) -> Any:
    from mlops_cli.components.targets import check_name, import_target
    from mlops_cli.execution.job import make_importable

    key = f"{_RULES}._target_"
    make_importable(str(workspace.root), workspace.trust)
    check_name(name, workspace.trust, key=key)  # by name from the user's own module; what it finds there is pandera's
    found = import_target(name, (*workspace.trust, "pandera"), key=key)
    if not callable(getattr(found, "validate", None)):
        hint = "a pandera.DataFrameSchema, or a class made of pandera.DataFrameModel"
        raise ConfigError(f"{name} has no validate and so is no schema", key=key, hint=hint)
    return found


# --- the commands ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Opened:
    """Data that a command was pointed at."""

    called: str
    table: pd.DataFrame
    columns: tuple[Column, ...]
    expect: Mapping[str, Any]  # of the experiment, where it is one's
    workspace: Workspace


def open_data(source: str, *, how: HowRead | None = None, workspace: str | Path | None = None) -> Opened:
    """Read data as a user names it.

    Parameters
    ----------
    source : str
        A file, a glob or an address; a named data set, ``titanic`` or ``titanic@3``; or an experiment, whose data it
        is.
    how : HowRead, optional
        How a file is read; the rules of the experiment that it names hold.
    workspace : str or Path, optional
        The workspace; the current folder's where not given.

    Raises
    ------
    DataError
        It is none of these, or cannot be read.
    ConfigError
        The experiment's config is wrong.
    """
    found = find_workspace(workspace)
    spec = _experiment_data(source, how, found)
    if spec is None:
        table = read_ref(source, found, how=how)
        return Opened(masked(source), table.values, table.version.columns, {}, found)
    if how and how.config is None:
        raise UsageError(
            f"{source} is an experiment, which says how its data is read", hint="--read and --as are for files"
        )
    table = read_source(spec, found, masked(source))
    return Opened(masked(source), table.values, table.version.columns, spec.expect, found)


def _experiment_data(source: str, how: HowRead | None, workspace: Workspace) -> DataSpec | None:
    """Return how an experiment reads data, its own or a file like it; None where none is named."""
    if how and how.config is not None:
        return file_spec(source, how, workspace)
    is_data = Path(source).exists() or source in Datasets(WorkspacePaths(workspace.root)).names()
    if source.endswith((".yaml", ".yml")) or (not is_data and source in experiments(workspace)):
        return load_experiment(source, (), workspace).spec.data
    return None


def suggest_rules(
    source: str, *, how: HowRead | None = None, strict: bool = False, workspace: str | Path | None = None
) -> str:
    """Return a first version of ``data.expect`` as YAML, which the data itself satisfies.

    Parameters
    ----------
    source, how, workspace
        As in `open_data`.
    strict : bool
        Without room for other values than those that are there.
    """
    from mlops_cli.analysis.suggest import suggest
    from mlops_cli.views.expectations import as_yaml

    opened = open_data(source, how=how, workspace=workspace)
    return as_yaml(suggest(opened.table, opened.columns, strict=strict), opened.called)


def check_data(
    source: str, rules: Path | None = None, *, how: HowRead | None = None, workspace: str | Path | None = None
) -> CheckedData:
    """Hold data against rules.

    Parameters
    ----------
    source, how, workspace
        As in `open_data`.
    rules : Path, optional
        A YAML file; the rules of the experiment where not given.

    Raises
    ------
    UsageError
        There are no rules.
    ConfigError
        A rule is unknown or is written wrongly.
    """
    given = None if rules is None else read_rules(rules)
    opened = open_data(source, how=how, workspace=workspace)
    expect = given if given is not None else opened.expect
    if not expect:
        raise UsageError(
            f"nothing is expected of {opened.called}",
            hint=f"mlops data expect {opened.called} -o rules.yaml, and --expect rules.yaml",
        )
    breaches = broken(opened.table, expect, opened.workspace)
    shape = opened.table.shape
    return CheckedData(opened.called, shape[0], shape[1], count_of(expect), breaches)


def sentences(found: CheckedData) -> list[str]:
    """Return each breach in words."""
    return [sentence(breach) for breach in found.breaches]


def read_rules(path: Path) -> Mapping[str, Any]:
    """Return the rules of a YAML file: alone, below ``expect``, or below ``data.expect`` as in a config.

    Raises
    ------
    ConfigError
        The file cannot be read, or is not such a file.
    """
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    from mlops_cli.config.yaml_guard import read_text

    try:
        found: Any = OmegaConf.to_container(OmegaConf.create(read_text(path, str(path))), resolve=False)
    except (OmegaConfBaseException, ValueError) as error:
        raise ConfigError(str(error).splitlines()[0], file=str(path)) from error
    for key in ("data", "expect"):
        if isinstance(found, Mapping) and key in found:
            found = found[key]
    if not isinstance(found, Mapping) or not found:
        raise ConfigError("holds no rules", file=str(path), hint="expect: {columns: {NAME: {missing: 0}}}")
    return found
