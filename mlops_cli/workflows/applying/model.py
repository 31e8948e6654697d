"""A saved model as its users meet it: columns are matched by name, and what does not fit is said in one line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_cli.components.rows import as_table
from mlops_cli.components.tables import conform
from mlops_cli.config.workspace import find_workspace, trusted_workspace
from mlops_cli.errors import StoreError, UsageError, did_you_mean
from mlops_cli.execution.job import make_importable
from mlops_cli.records import OUT_OF_USE, Notice, Task
from mlops_cli.store.find import find_run, run_folders
from mlops_cli.store.imported import NO_FILES, refuse_imported
from mlops_cli.store.layout import RunPaths, VersionPaths, WorkspacePaths
from mlops_cli.store.models import load_model, load_signature
from mlops_cli.store.registry import Registry
from mlops_cli.workflows.applying.own_code import changed_code, copied_code, has_own_code

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    import pandas as pd

    from mlops_cli.records import ModelVersion, RunRecord, Signature
    from mlops_cli.store.layout import ModelPaths


@dataclass(frozen=True)
class Model:
    """A fitted Pipeline with what it takes and gives.

    Parameters
    ----------
    pipeline : sklearn.pipeline.Pipeline
        The steps and the model; scikit-learn's own, so that everything of scikit-learn works on it.
    signature : Signature
        The columns that it was trained on, and what it predicts.
    """

    pipeline: Any
    signature: Signature

    def predict(self, table: pd.DataFrame) -> np.ndarray[Any, Any]:
        """Return a prediction for each row, shape (rows,).

        Parameters
        ----------
        table : DataFrame, or list of mapping
            Has the columns of the training data, in any order; others are ignored.

        Raises
        ------
        DataError
            Columns are missing, with the nearest names, or hold values of another kind.
        """
        predicted: np.ndarray[Any, Any] = self.pipeline.predict(self.features(table))
        return predicted

    def predict_proba(self, table: pd.DataFrame) -> np.ndarray[Any, Any]:
        """Return the probability of each class for each row, shape (rows, classes); see `Signature.classes`.

        Raises
        ------
        DataError
            As in `predict`.
        UsageError
            The model gives no probabilities.
        """
        if not hasattr(self.pipeline, "predict_proba"):
            name = type(self.pipeline[-1]).__name__
            raise UsageError(f"{name} gives no probabilities", hint="run it with calibration=sigmoid")
        probabilities: np.ndarray[Any, Any] = self.pipeline.predict_proba(self.features(table))
        return probabilities

    def features(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return the table in the form of the training data: by name, in order, with the same types."""
        return conform(as_table(table), self.signature.inputs)


@dataclass(frozen=True)
class SavedModel:
    """A model on disk, of a run or registered, that is not opened yet.

    Parameters
    ----------
    label : str
        What it is called: ``titanic/3``, or the run's id.
    record : RunRecord
        How it was made.
    paths : ModelPaths
        Its files.
    hashes : mapping of str to str
        File name → sha256, as the record or the registry keeps it.
    version : ModelVersion, optional
        Where it is a registered one.
    """

    label: str
    record: RunRecord
    paths: ModelPaths
    hashes: Mapping[str, str]
    version: ModelVersion | None = None

    def signature(self) -> Signature:
        """Return what it takes and gives, after the file is checked."""
        self._check_kept()
        return load_signature(self.paths, self.hashes)

    def notices(self) -> tuple[Notice, ...]:
        """Return what is to be said of it before it answers."""
        said = () if self.version is None else _out_of_use(self.version)
        if self.version is not None and has_own_code(self.version):
            return said
        return (*said, *changed_code(find_workspace(self.paths.root).root, self.record))

    def open(self, *, allow_pickle: bool = False) -> Model:
        """Open it, after its files are checked.

        Parameters
        ----------
        allow_pickle : bool
            Open a model that was saved by ``artifacts.model_format: joblib``; a pickle can run any code.

        Raises
        ------
        StoreError
            There is no model, or its files are not those that were recorded.
        ConfigError
            It is of another workspace, which trusts modules that this one does not.
        """
        self._check_kept()
        workspace = trusted_workspace(self.paths.root)
        copied = None if self.version is None else copied_code(self.version)
        make_importable(str(copied or workspace.root), workspace.trust)
        pipeline = load_model(self.paths, self.hashes, trust=workspace.trust, allow_pickle=allow_pickle)
        return Model(pipeline, self.signature())

    def _check_kept(self) -> None:
        """Refuse a run that was imported, or learned from no table: it has something else than a model."""
        if self.version is None:
            refuse_imported(self.record, NO_FILES)
        task = self.record.task
        if task is None or task.has_table:
            return
        if task is Task.REINFORCEMENT:
            hint = f'in Python: mlops.load_agent("{self.label}").act(observation)'
            raise StoreError(f"{self.label} has an agent, and no model that is asked about rows", hint=hint)
        written = RunPaths(self.record.path).artifacts
        where = f"what its script has written is in {written}" if written.is_dir() else None
        raise StoreError(f"{self.label} has no model: task: {task}", hint=where)


def _out_of_use(version: ModelVersion) -> tuple[Notice, ...]:
    """Say of a version that was rejected or archived that it was."""
    status = Registry(WorkspacePaths(find_workspace(version.path).root)).status(version)
    if status.approval not in OUT_OF_USE:
        return ()
    last = status.sign_offs[-1]
    note = f": {last.note}" if last.note else ""
    return (Notice("out-of-use", f"{version.ref} is {status.approval} by {last.by}{note}"),)


def saved_by(record: RunRecord) -> SavedModel:
    """Return the model of a run."""
    return SavedModel(record.id, record, RunPaths(record.path).model, _of_model(record.files))


def registered(version: ModelVersion) -> SavedModel:
    """Return the model of a registered version."""
    paths = VersionPaths(version.path).model
    return SavedModel(version.ref, version.record, paths, _of_model(version.files), version)


def find_model(ref: str, *, workspace: str | Path | None = None) -> SavedModel:
    """Return the model that ``ref`` means.

    Parameters
    ----------
    ref : str
        ``titanic/3``, ``titanic@champion``, ``titanic`` (the champion, else the newest version); or a run: an id, a
        unique beginning of one, a path, ``latest``, ``titanic:latest``, ``titanic:best``.
    workspace : str or Path, optional
        The workspace; the current folder's where not given.

    Raises
    ------
    StoreError
        Nothing is meant, or several.
    """
    paths = WorkspacePaths(find_workspace(workspace).root)
    registry = Registry(paths)
    name = ref.partition("@")[0].partition("/")[0]
    # An id of a run has its experiment before the /, which may be a model's name too: then a number tells them apart.
    is_version = "@" in ref or "/" not in ref or ref.rpartition("/")[2].isdecimal()
    if is_version and registry.is_known(name):
        return registered(registry.find(ref))
    try:
        return saved_by(find_run(paths, ref))
    except StoreError as error:
        if not is_version or ":" in ref:
            raise
        known = [*registry.names(), *sorted({place.parent.name for place in run_folders(paths)})]
        hint = did_you_mean(ref, known) if known else "mlops run makes one"
        raise StoreError(f"'{ref}' is neither a registered model nor a run", hint=hint) from error


def _of_model(files: Mapping[str, str]) -> dict[str, str]:
    return {name.removeprefix("model/"): digest for name, digest in files.items() if name.startswith("model/")}
