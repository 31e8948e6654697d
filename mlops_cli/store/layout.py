"""Every file name of a workspace, a run and a model: the one place that spells them.

Pure names: nothing here touches the disk, and nothing outside ``store`` joins such a name by hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mlops_cli.store.layout_of_models import BatchPaths, ModelPaths, VersionPaths
from mlops_cli.store.names import check_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["BatchPaths", "ModelPaths", "RunPaths", "VersionPaths", "WorkspacePaths"]


@dataclass(frozen=True)
class RunPaths:
    """The files of one run, whose root is ``<workspace>/runs/<experiment>/<stamp>-<hex>``."""

    root: Path

    @property
    def id(self) -> str:
        """The run's id as its place says it."""
        return f"{self.root.parent.name}/{self.root.name}"

    @property
    def workspace(self) -> WorkspacePaths:
        """The workspace that the run lies in."""
        return WorkspacePaths(self.root.parents[2])

    @property
    def run_json(self) -> Path:
        """The record; the last file that a run writes."""
        return self.root / "run.json"

    @property
    def config(self) -> Path:
        """The resolved config, itself runnable."""
        return self.root / "config.yaml"

    @property
    def overrides(self) -> Path:
        """What was asked on the command line."""
        return self.root / "overrides.yaml"

    @property
    def journal(self) -> Path:
        """One line per finished trial; whoever writes the run holds this file's lock."""
        return self.root / "trials.jsonl"

    @property
    def curves(self) -> Path:
        """One line per split of a trial whose fit went step by step; not there where none did."""
        return self.root / "curves.jsonl"

    @property
    def work(self) -> Path:
        """Where trials without a table keep what they write while they run: a folder each."""
        return self.root / "work"

    @property
    def artifacts(self) -> Path:
        """What the best of such trials wrote: a folder for each repetition."""
        return self.root / "artifacts"

    @property
    def checkpoints(self) -> Path:
        """Where fits that can be taken up again keep how far they are, until the run has ended."""
        return self.root / "checkpoints"

    @property
    def trials_csv(self) -> Path:
        """The journal, flat, for people and spreadsheets."""
        return self.root / "trials.csv"

    @property
    def metrics(self) -> Path:
        """The best trial's metrics."""
        return self.root / "metrics.json"

    @property
    def predictions(self) -> Path:
        """Out-of-fold predictions of the best trial."""
        return self.root / "predictions.parquet"

    @property
    def test_predictions(self) -> Path:
        """Predictions of the refitted model on the held-out rows."""
        return self.root / "predictions_test.parquet"

    @property
    def model_dir(self) -> Path:
        """The refitted best trial."""
        return self.root / "model"

    @property
    def model(self) -> ModelPaths:
        """The files inside `model_dir`."""
        return ModelPaths(self.model_dir)

    @property
    def profile(self) -> Path:
        """What the training data looked like."""
        return self.root / "data_profile.json"

    @property
    def reference(self) -> Path:
        """The distributions of what the model was trained on and of what it said of it, for later comparison."""
        return self.root / "reference.parquet"

    @property
    def plots(self) -> Path:
        """The folder of plots."""
        return self.root / "plots"

    def plot(self, name: str, suffix: str = "svg") -> Path:
        """Return the file of one plot."""
        return self.plots / f"{check_name(name, 'plot')}.{suffix}"

    @property
    def source_diff(self) -> Path:
        """Changes that git had no commit of."""
        return self.root / "source.diff"

    @property
    def log(self) -> Path:
        """What was said while the run went."""
        return self.root / "run.log"

    @property
    def tracked(self) -> Path:
        """Where else the run was told of; not there where it was told to nobody."""
        return self.root / "tracked.json"

    @property
    def scratch(self) -> Path:
        """Memory-mapped arrays and other things that end with the run; outside it, so that a copy stays small."""
        return self.workspace.scratch / self.root.parent.name / self.root.name


@dataclass(frozen=True)
class WorkspacePaths:
    """The folders of one workspace."""

    root: Path

    @property
    def runs(self) -> Path:
        """All runs, a folder per experiment."""
        return self.root / "runs"

    @property
    def new_runs(self) -> Path:
        """Where a run directory is put together before it appears under its id in one rename."""
        return self.runs / ".new"

    @property
    def models(self) -> Path:
        """The registry."""
        return self.root / "models"

    @property
    def new_models(self) -> Path:
        """Where a version is put together before it appears under its number in one rename."""
        return self.models / ".new"

    @property
    def models_trash(self) -> Path:
        """Where a version goes in one rename before it is removed file by file."""
        return self.models / ".trash"

    @property
    def models_lock(self) -> Path:
        """Held by whoever changes the registry."""
        return self.locks / "models"

    def aliases(self, name: str) -> Path:
        """Return what a model's versions are called, and were called before."""
        return self.models / check_name(name, "model") / "aliases.json"

    def handover(self, name: str) -> Path:
        """Return what the owner of a model answered, and for which version each time."""
        return self.models / check_name(name, "model") / "handover.json"

    def model_version(self, name: str, number: int) -> VersionPaths:
        """Return the files of a registered version."""
        return VersionPaths(self.models / check_name(name, "model") / str(number))

    def batches(self, name: str) -> Path:
        """Return the folder of the batches of new data that a model was watched on."""
        return self.models / check_name(name, "model") / "batches"

    def batches_lock(self, name: str) -> Path:
        """Return what is held by whoever changes the batches of a model."""
        return self.locks / f"batches-{check_name(name, 'model')}"

    @property
    def internal(self) -> Path:
        """What is derived, or nobody's business."""
        return self.root / ".mlops"

    @property
    def index(self) -> Path:
        """The index over all runs; a cache."""
        return self.internal / "index.sqlite"

    @property
    def datasets(self) -> Path:
        """Snapshots of data, by content."""
        return self.internal / "datasets"

    @property
    def dataset_names(self) -> Path:
        """The named data sets, a folder each with a file for each version."""
        return self.datasets / "names"

    @property
    def dataset_files(self) -> Path:
        """Versions of data sets as files under their own names, made when somebody reads them."""
        return self.datasets / "files"

    @property
    def datasets_lock(self) -> Path:
        """Held by whoever adds to the data sets or takes away from them."""
        return self.locks / "datasets"

    @property
    def audit(self) -> Path:
        """Who did what, when."""
        return self.internal / "audit.jsonl"

    @property
    def audit_lock(self) -> Path:
        """Held by whoever adds to the audit log."""
        return self.locks / "audit"

    @property
    def locks(self) -> Path:
        """Locks of what several processes may change at once."""
        return self.internal / "locks"

    @property
    def index_lock(self) -> Path:
        """Held by whoever uses the index; exclusively by whoever removes the file."""
        return self.locks / "index"

    @property
    def amend_lock(self) -> Path:
        """Held by whoever changes the tags or the note of a run."""
        return self.locks / "amend"

    @property
    def trash(self) -> Path:
        """Where a run goes in one rename before it is removed file by file: on the same disk, which may be another."""
        return self.runs / ".trash"

    def version_files(self) -> Iterator[Path]:
        """Yield where each registered model version says what it was made from."""
        return (path for path in self.models.glob("[!.]*/*/version.json"))

    def retraining_lock(self, name: str) -> Path:
        """Return what is held by whoever makes a model anew."""
        return self.locks / f"retrain-{check_name(name, 'model')}"

    @property
    def scratch(self) -> Path:
        """Where each run has its scratch folder while it goes."""
        return self.internal / "scratch"

    def experiment(self, name: str) -> Path:
        """Return the folder of an experiment's runs."""
        return self.runs / check_name(name, "experiment")

    def run(self, run_id: str) -> RunPaths:
        """Return the files of the run with a full id."""
        experiment, _, name = run_id.partition("/")
        return RunPaths(self.experiment(experiment) / check_name(name, "run"))
