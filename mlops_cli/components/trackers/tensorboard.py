"""``tracker=tensorboard``: a run as event files: metrics over the trials' numbers, curves, hyperparameters, the card.

Each trial of a sweep has a folder of its own, which is how TensorBoard's HPARAMS page knows them; each split with a
curve has one in that. Nothing is sent anywhere: ``tensorboard --logdir FOLDER`` shows it. Told twice, the files of a
run are written anew. The files are written by TensorBoard's own writer, without TensorFlow.
"""

from __future__ import annotations

import shutil
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops_cli.components.trackers import require
from mlops_cli.components.trackers.flat import metrics_of, params_of, points_of, scores_of, tags_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_cli.contracts import Ended
    from mlops_cli.records import RunRecord, TrialResult


class TensorBoard:
    """Writes what TensorBoard shows of a run.

    Parameters
    ----------
    folder : str
        Where to, from the workspace: a folder for each experiment in it, and one for each run in that.
    root : str
        The workspace's folder.

    Raises
    ------
    MissingExtraError
        TensorBoard's package is not installed.
    """

    def __init__(self, *, folder: str = "tensorboard", root: str = ".") -> None:
        require("tensorboard", "tensorboard")
        self._folder = Path(root, folder)
        self._place = self._folder
        self._events: Any = None

    def start(self, record: RunRecord, config: Mapping[str, Any]) -> None:  # noqa: ARG002 - the files have it
        """Begin the run's folder, in the place of what was told of it before."""
        self._place = self._folder / record.id
        for old in [*self._place.glob("events.out.tfevents.*"), *self._place.glob("trial-*")]:
            shutil.rmtree(old) if old.is_dir() else old.unlink()
        self._events = _Events(self._place, _seconds(record.started))

    def log_trial(self, record: RunRecord, result: TrialResult) -> None:
        """Add the trial's metrics, its hyperparameters and its curves."""
        scores = scores_of(result)
        for name, mean in scores.items():
            self._events.number(f"trials/{name}", mean, result.trial)
        folder, since = self._place / f"trial-{result.trial:04d}", _seconds(record.started)
        if result.params:
            with closing(_Events(folder, since)) as events:
                events.hyperparameters({**result.params}, record.id, result)
                for name, mean in scores.items():
                    events.number(name, mean, 0)
        for split, curve in result.curves.items():
            with closing(_Events(folder / f"split-{split}", since)) as events:
                for step, values in points_of(curve):
                    for name, value in values.items():
                        events.number(f"curves/{name}", value, step)

    def finish(self, ended: Ended) -> str | None:
        """Add the best trial's metrics and parameters, the tags and the card; return the folder."""
        record = ended.record
        for name, value in metrics_of(record).items():
            self._events.number(f"best/{name}", value, 0)
        self._events.text("params", _rows(params_of(record)))
        self._events.text("tags", _rows(tags_of(record)))
        for path, place in ended.files.items():
            if path.endswith((".md", ".yaml")):
                text = place.read_text(encoding="utf-8", errors="replace")
                self._events.text(path, text if path.endswith(".md") else _indented(text))
        self.close()
        return str(self._place)

    def close(self) -> None:
        """Write what is left."""
        if self._events is not None:
            self._events.close()
            self._events = None


class _Events:
    """One event file, begun in a folder."""

    def __init__(self, folder: Path, seconds: float) -> None:
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        self._writer = EventFileWriter(str(folder))
        self._seconds = seconds  # of every event: what is told twice is the same

    def number(self, tag: str, value: float, step: int) -> None:
        self._add(step, tag=tag, simple_value=value)

    def text(self, tag: str, markdown: str) -> None:
        from tensorboard.compat.proto.tensor_pb2 import TensorProto
        from tensorboard.plugins.text.plugin_data_pb2 import TextPluginData

        content = TensorProto(dtype="DT_STRING", string_val=[markdown.encode()])
        metadata = _metadata("text", TextPluginData(version=0))
        self._add(0, tag=f"{tag}/text_summary", tensor=content, metadata=metadata)

    def hyperparameters(self, params: Mapping[str, Any], group: str, result: TrialResult) -> None:
        from tensorboard.plugins.hparams.metadata import SESSION_END_INFO_TAG, SESSION_START_INFO_TAG
        from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData, SessionEndInfo, SessionStartInfo

        begun = SessionStartInfo(group_name=f"{group} {result.trial}", start_time_secs=self._seconds)
        for key, value in params.items():
            if isinstance(value, bool):
                begun.hparams[key].bool_value = value
            elif isinstance(value, int | float):
                begun.hparams[key].number_value = value
            else:
                begun.hparams[key].string_value = str(value)
        status = "STATUS_FAILURE" if result.state.has_failed else "STATUS_SUCCESS"
        over = SessionEndInfo(status=status, end_time_secs=self._seconds + result.fit_s + result.score_s)
        for tag, data in (
            (SESSION_START_INFO_TAG, HParamsPluginData(version=0, session_start_info=begun)),
            (SESSION_END_INFO_TAG, HParamsPluginData(version=0, session_end_info=over)),
        ):
            self._add(0, tag=tag, metadata=_metadata("hparams", data))

    def _add(self, step: int, **value: Any) -> None:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary

        summary = Summary(value=[Summary.Value(**value)])
        self._writer.add_event(Event(step=step, wall_time=self._seconds, summary=summary))

    def close(self) -> None:
        self._writer.close()


def _metadata(plugin: str, content: Any) -> Any:
    from tensorboard.compat.proto.summary_pb2 import SummaryMetadata

    data = SummaryMetadata.PluginData(plugin_name=plugin, content=content.SerializeToString())
    return SummaryMetadata(plugin_data=data)


def _seconds(stamp: str) -> float:
    return datetime.fromisoformat(stamp).timestamp()


def _rows(values: Mapping[str, Any]) -> str:
    """Return names and values as text that is shown as it is."""
    return _indented("\n".join(f"{key}: {value}" for key, value in values.items()))


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())
