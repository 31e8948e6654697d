"""The file names of saved models, registered versions and batches that one was watched on; part of `layout`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class ModelPaths:
    """The files of one saved model; the folder stands alone, so that it can be copied into the registry."""

    root: Path

    @property
    def skops(self) -> Path:
        """The model in skops' format, which runs no code when it is opened."""
        return self.root / "model.skops"

    @property
    def joblib(self) -> Path:
        """The model as a pickle, where the config asked for one."""
        return self.root / "model.joblib"

    @property
    def signature(self) -> Path:
        """What the model takes and gives."""
        return self.root / "signature.json"

    @property
    def card(self) -> Path:
        """What the model is, for people."""
        return self.root / "card.md"

    @property
    def hashes(self) -> Path:
        """The sha256 of each of the other files."""
        return self.root / "sha256.json"


@dataclass(frozen=True)
class VersionPaths:
    """The files of one registered version, ``<workspace>/models/<name>/<number>``; the folder stands alone."""

    root: Path

    @property
    def version_json(self) -> Path:
        """Which version it is, where it came from, and the sha256 of its files; the last file that is written."""
        return self.root / "version.json"

    @property
    def status(self) -> Path:
        """What people say of it; the one file beside the card that changes."""
        return self.root / "status.json"

    @property
    def card(self) -> Path:
        """What it is, for people: written from the record, with what its owner adds."""
        return self.root / "card.md"

    @property
    def run_json(self) -> Path:
        """The record of the run that made it, as it was then."""
        return self.root / "run.json"

    @property
    def config(self) -> Path:
        """The run's config, itself runnable."""
        return self.root / "config.yaml"

    @property
    def profile(self) -> Path:
        """What the training data looked like."""
        return self.root / "data_profile.json"

    @property
    def reference(self) -> Path:
        """The distributions of what the model was trained on and of what it said of it, for later comparison."""
        return self.root / "reference.parquet"

    @property
    def source_diff(self) -> Path:
        """Changes that git had no commit of."""
        return self.root / "source.diff"

    @property
    def packages(self) -> Path:
        """Every package that it was made with: versions, and what identifies the files of each."""
        return self.root / "packages.json"

    @property
    def requirements(self) -> Path:
        """The same, as pip reads it."""
        return self.root / "requirements.txt"

    @property
    def code(self) -> Path:
        """The user's own files that the model needs, as they were."""
        return self.root / "code"

    @property
    def model(self) -> ModelPaths:
        """The model itself."""
        return ModelPaths(self.root / "model")


@dataclass(frozen=True)
class BatchPaths:
    """The files of one batch that a model was watched on, ``<workspace>/models/<name>/batches/<id>``."""

    root: Path

    @property
    def batch_json(self) -> Path:
        """Which batch it is, and what its labels came to; the one file that changes."""
        return self.root / "batch.json"

    @property
    def report(self) -> Path:
        """How far it was from the training data."""
        return self.root / "report.json"

    @property
    def predictions(self) -> Path:
        """What the model said of each row, by its id; not there where it could not be asked."""
        return self.root / "predictions.parquet"

    @property
    def labels(self) -> Path:
        """The labels that came later, by id."""
        return self.root / "labels.parquet"
