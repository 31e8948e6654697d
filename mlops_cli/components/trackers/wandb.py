"""``tracker=wandb``: a run as one run of Weights & Biases, offline in a folder, or online with the user's key.

The metrics of trials are drawn over the trials' numbers, ``trials/accuracy``; the best trial's are the summary.
Offline, which is the default, no connection is made: ``wandb sync FOLDER`` sends it, whenever that is. Told twice, a
run is one by its id: the folder is written anew, and online it is gone on with.
"""

from __future__ import annotations

import os
import shutil
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
from mlops_cli.errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_cli.contracts import Ended
    from mlops_cli.records import RunRecord, TrialResult

MODES = ("offline", "online")
_LONGEST_TAG = 64

_SETTINGS = {
    "silent": True,
    "console": "off",
    "x_disable_stats": True,  # nothing is collected of the machine, the code or the process
    "x_disable_meta": True,
    "x_disable_machine_info": True,
    "x_save_requirements": False,
    "disable_git": True,
    "disable_code": True,
    "save_code": False,
    "init_timeout": 30,
}


class Wandb:
    """Tells Weights & Biases of a run.

    Parameters
    ----------
    mode : str
        ``offline``, or ``online`` with the key in ``WANDB_API_KEY`` or the one that ``wandb login`` keeps.
    project : str, optional
        Of theirs; the name of the experiment where not given.
    entity : str, optional
        The user or team; the user's own where not given.
    folder : str
        Where it writes, from the workspace: runs are in the folder ``wandb`` there.
    root : str
        The workspace's folder.

    Raises
    ------
    ConfigError
        There is no such mode.
    MissingExtraError
        Its package is not installed.
    """

    def __init__(
        self,
        *,
        mode: str = "offline",
        project: str | None = None,
        entity: str | None = None,
        folder: str = ".",
        root: str = ".",
    ) -> None:
        require("wandb", "wandb")
        if mode not in MODES:
            raise ConfigError(f"found {mode!r}", key="tracker.mode", hint=did_you_mean(str(mode), MODES))
        self._mode: Any = mode
        self._project, self._entity = project, entity
        self._folder = Path(root, folder)
        self._curves = BestCurves()
        self._run: Any = None

    def start(self, record: RunRecord, config: Mapping[str, Any]) -> None:
        """Begin the run, or go on with the one that is there."""
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # it connects, offline too
        import wandb

        self._folder.mkdir(parents=True, exist_ok=True)
        for told_before in (self._folder / "wandb").glob(f"offline-run-*-{key_of(record)}"):
            shutil.rmtree(told_before)
        self._run = wandb.init(
            project=self._project or record.experiment,
            entity=self._entity,
            id=key_of(record),
            name=record.id,
            notes=record.note or record.description,
            tags=[clean_word(f"{key}={value}", _LONGEST_TAG) for key, value in record.tags.items()],
            config=dict(config),
            dir=str(self._folder),
            mode=self._mode,
            resume="allow" if self._mode == "online" else None,
            reinit="create_new",
            settings=wandb.Settings(**_SETTINGS),
        )
        self._run.define_metric("trial", hidden=True)
        self._run.define_metric("trials/*", step_metric="trial")

    def log_trial(self, record: RunRecord, result: TrialResult) -> None:
        """Add the trial's metrics as points over the trials' numbers."""
        self._curves.take(record, result)
        scores = {f"trials/{name}": mean for name, mean in scores_of(result).items()}
        if scores:
            self._run.log({"trial": result.trial, **scores})

    def finish(self, ended: Ended) -> str | None:
        """Tell the best trial's parameters, metrics and curves, and send the files; return where it is."""
        record, made = ended.record, self._run
        made.config.update({"best": params_of(record), "tags": tags_of(record)}, allow_val_change=True)
        self._send_curves()
        made.summary.update(metrics_of(record))
        self._send_files(ended)
        made.finish(exit_code=0 if record.status.is_finished else 1)
        if self._mode == "online":
            return str(made.url)
        return str(next((self._folder / "wandb").glob(f"offline-run-*-{key_of(record)}"), self._folder))

    def _send_curves(self) -> None:
        for split, curve in self._curves.curves.items():
            name = f"curves/{curve.unit}"
            self._run.define_metric(name, hidden=True)
            self._run.define_metric(f"curves/split_{split}/*", step_metric=name)
            for step, values in points_of(curve):
                points = {f"curves/split_{split}/{quantity}": value for quantity, value in values.items()}
                self._run.log({name: step, **points})

    def _send_files(self, ended: Ended) -> None:
        import wandb

        if not ended.files:
            return
        files = wandb.Artifact(f"files-{key_of(ended.record)}", "mlops-run")
        for path, place in ended.files.items():
            files.add_file(str(place), name=path)
        self._run.log_artifact(files)

    def close(self) -> None:
        """End the run, where that has not been."""
        if self._run is not None:
            self._run.finish(exit_code=1)
