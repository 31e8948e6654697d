"""``tracker=comet``: a run as one experiment of Comet, online with the user's key, or offline as a zip in a folder.

The metrics of trials are curves over the trials' numbers, ``trials/accuracy``; the best trial's are the experiment's.
Offline no connection is made at all: ``comet upload FILE.zip`` sends it, whenever that is. Told twice, a zip is
written anew; online the experiment is found by its key, and what has one value has the last one.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_cli.components.trackers import clean_word, require
from mlops_cli.components.trackers.flat import (
    BestCurves,
    key_of,
    metrics_of,
    params_of,
    points_of,
    scores_of,
    tags_of,
)
from mlops_cli.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_cli.contracts import Ended
    from mlops_cli.records import RunRecord, TrialResult

KEY = "COMET_API_KEY"
_LONGEST = 1000

_SETTINGS = {
    "COMET_ERROR_TRACKING_ENABLE": "false",  # it connects
    "COMET_DISABLE_AUTO_LOGGING": "1",  # it changes the methods of scikit-learn
    "COMET_LOGGING_CONSOLE": "CRITICAL",
    "COMET_TIMEOUT_CLEANING": "60",  # its own hour would hold the end of the process
    "COMET_TIMEOUT_UPLOAD": "600",
}
"""Read by Comet when it is imported. What the user has set stands."""

_NOTHING_BY_ITSELF = {
    **dict.fromkeys(("log_code", "log_graph", "parse_args", "auto_param_logging", "auto_metric_logging"), False),
    **dict.fromkeys(("log_env_details", "log_git_metadata", "log_git_patch", "auto_output_logging"), False),
    "display_summary_level": 0,
}
"""What Comet would collect of the process."""


class Comet:
    """Tells Comet of a run.

    Parameters
    ----------
    online : bool
        Whether it is sent as the run goes, with the key in ``COMET_API_KEY`` or in Comet's own ``.comet.config``.
    project : str, optional
        Of Comet's; the name of the experiment where not given.
    workspace : str, optional
        Of Comet's; the user's own where not given.
    folder : str
        Where zips go, from the workspace.
    root : str
        The workspace's folder.

    Raises
    ------
    ConfigError
        There is no key.
    MissingExtraError
        Comet's package is not installed.
    """

    def __init__(
        self,
        *,
        online: bool = True,
        project: str | None = None,
        workspace: str | None = None,
        folder: str = "comet",
        root: str = ".",
    ) -> None:
        require("comet_ml", "comet")
        if online and not _has_key():
            hint = f"export {KEY}=…, or tracker.online=false, which writes a zip"
            raise ConfigError("there is no key of Comet's", key="tracker.online", hint=hint)
        self._online = online
        self._names = {"project_name": project, "workspace": workspace}
        self._folder = Path(root, folder)
        self._curves = BestCurves()
        self._experiment: Any = None

    def start(self, record: RunRecord, config: Mapping[str, Any]) -> None:  # noqa: ARG002 - it is among the files
        """Begin the experiment, or go on with the one of this run."""
        for name, value in _SETTINGS.items():
            os.environ.setdefault(name, value)
        names = {**self._names, "project_name": self._names["project_name"] or record.experiment}
        self._experiment = self._online_experiment(record, names) if self._online else self._zip(record, names)
        self._experiment.set_name(record.id)
        self._experiment.log_others({"mlops.run": record.id})

    def _zip(self, record: RunRecord, names: Mapping[str, str | None]) -> Any:
        import comet_ml

        self._folder.mkdir(parents=True, exist_ok=True)
        return comet_ml.OfflineExperiment(
            offline_directory=str(self._folder), experiment_key=key_of(record), **names, **_NOTHING_BY_ITSELF
        )

    def _online_experiment(self, record: RunRecord, names: Mapping[str, str | None]) -> Any:
        import comet_ml

        made = comet_ml.start(
            experiment_key=key_of(record),
            mode="get_or_create",
            online=True,
            project_name=names["project_name"],
            workspace=names["workspace"],
            experiment_config=comet_ml.ExperimentConfig(**_NOTHING_BY_ITSELF),
        )
        if not made.alive:
            raise ConnectionError("Comet did not take the experiment: it cannot be reached, or refuses the key")
        return made

    def log_trial(self, record: RunRecord, result: TrialResult) -> None:
        """Add the trial's metrics as points over the trials' numbers."""
        self._curves.take(record, result)
        for name, mean in scores_of(result).items():
            self._experiment.log_metric(f"trials/{name}", mean, step=result.trial)

    def finish(self, ended: Ended) -> str | None:
        """Tell the best trial's parameters, metrics and curves, and send the files; return where it is."""
        record, made = ended.record, self._experiment
        made.log_parameters({key: _short(value) for key, value in params_of(record).items()})
        for name, value in metrics_of(record).items():
            made.log_metric(name, value)
        made.log_others(tags_of(record))
        made.add_tags([f"{key}={value}" for key, value in record.tags.items()])
        self._send_curves()
        for path, place in ended.files.items():
            if path.startswith("plots/"):
                made.log_image(str(place), name=path, overwrite=True)
            else:
                made.log_asset(str(place), file_name=path, overwrite=True)
        made.end()
        return str(made.url) if self._online else str(self._folder / f"{key_of(record)}.zip")

    def _send_curves(self) -> None:
        for split, curve in self._curves.curves.items():
            for step, values in points_of(curve):
                for name, value in values.items():
                    self._experiment.log_metric(f"curves/split_{split}/{name}", value, step=step)

    def close(self) -> None:
        """End the experiment, where that has not been."""
        if self._experiment is not None and self._experiment.alive:
            self._experiment.end()


def _short(value: Any) -> Any:
    return clean_word(value, _LONGEST) if isinstance(value, str) else value


def _has_key() -> bool:
    """Whether Comet will find a key, as far as can be told without importing it, which takes a second."""
    own = os.environ.get("COMET_CONFIG")
    files = [Path(own)] if own else [Path(".comet.config"), Path.home() / ".comet.config"]
    return bool(os.environ.get(KEY)) or any(f.is_file() and "api_key" in f.read_text("utf-8", "replace") for f in files)
