"""What the plots of a run are drawn from: each part is read or computed when a plot first asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mlops_cli.components.metrics import positive_class
from mlops_cli.errors import MlopsError, StoreError
from mlops_cli.records import Direction, Task, TrialState
from mlops_cli.store.find import read_trials
from mlops_cli.store.imported import refuse_without_config
from mlops_cli.store.layout import RunPaths
from mlops_cli.store.tables import read_predictions
from mlops_cli.views.plots.style import UnsuitableError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import pandas as pd

    from mlops_cli.records import Curve, RunRecord, Trial, TrialResult
    from mlops_cli.views.plots.predictions import Classified
    from mlops_cli.views.plots.swept import Sweep
    from mlops_cli.workflows.running.prepare import Composed, Prepared


@dataclass(frozen=True)
class Material:
    """What a run has, and what can be computed from its own config.

    Parameters
    ----------
    record : RunRecord
        The run.
    at_hand : Prepared, optional
        The run as it was prepared, where it is this process that runs it.
    fitted : Pipeline, optional
        The winner fitted on all training rows, likewise.
    """

    record: RunRecord
    at_hand: Prepared | None = None
    fitted: Any = None

    @cached_property
    def paths(self) -> RunPaths:
        """The run's files."""
        return RunPaths(self.record.path)

    # --- what was recorded ---------------------------------------------------------------------------------------

    @cached_property
    def trials(self) -> tuple[TrialResult, ...]:
        """The trials in order."""
        return tuple(sorted(read_trials(self.record.path), key=lambda t: t.trial))

    @property
    def metric(self) -> str:
        """The primary metric."""
        return self.record.primary or ""

    @property
    def direction(self) -> Direction:
        """Its good end."""
        return self.record.direction or Direction.MAXIMIZE

    @cached_property
    def sweep(self) -> Sweep:
        """The completed trials with what differs between them."""
        from mlops_cli.views.plots.swept import sweep_of

        return sweep_of(self.trials, self.metric, self.direction)

    @cached_property
    def importances(self) -> Mapping[str, float]:
        """How much of the variance of the scores each parameter explains, the greatest first.

        Raises
        ------
        UnsuitableError
            All trials score the same.
        MissingExtraError
            Optuna is not installed.
        """
        from mlops_cli.components.samplers.importances import param_importances

        done = [t for t in self.trials if t.state is TrialState.COMPLETED and t.scores.get(self.metric)]
        # a few hopeless trials would be all of the variance
        scores = self.sweep.scores.clip(*self.sweep.window).tolist()
        found = param_importances([t.params for t in done], scores, self.record.seed or 0)
        if not found:
            raise UnsuitableError("all trials score the same, so no parameter matters")
        return found

    @cached_property
    def leading_params(self) -> tuple[str, ...]:
        """The two parameters that matter most, where that can be known; else the first two that differ.

        One that few trials have is taken only where there is no other.
        """
        known = [param.key for param in self.sweep.params]
        common = [param.key for param in self.sweep.params if param.present.mean() >= 0.5]
        try:
            return tuple([key for key in self.importances if key in (common if len(common) > 1 else known)][:2])
        except MlopsError:
            return tuple(known[:2])

    @cached_property
    def curves(self) -> tuple[Curve, ...]:
        """How the fits of the best trial went, one for each split that has a curve."""
        from mlops_cli.store.curves import read_curves

        best = self.record.best
        found = {} if best is None else read_curves(self.paths.curves).get(best.trial, {})
        return tuple(found[split] for split in sorted(found))

    @cached_property
    def predictions(self) -> pd.DataFrame:
        """The out-of-fold predictions of the winner."""
        found = _table(self.paths.predictions)
        if found is None:
            raise UnsuitableError("the run has no predictions", hint="run it with artifacts.predictions=true")
        return found

    @cached_property
    def test_predictions(self) -> pd.DataFrame | None:
        """The predictions on held-out rows, where there are any."""
        return _table(self.paths.test_predictions)

    @cached_property
    def classified(self) -> Classified:
        """The out-of-fold predictions as those of classes."""
        from mlops_cli.views.plots.predictions import classified

        self.require(Task.CLASSIFICATION)
        return classified(self.predictions)

    @cached_property
    def test_classified(self) -> Classified | None:
        """Likewise those on held-out rows."""
        from mlops_cli.views.plots.predictions import classified

        return None if self.test_predictions is None else classified(self.test_predictions)

    def require(self, *tasks: Task) -> None:
        """Refuse a plot that is for other tasks.

        Raises
        ------
        UnsuitableError
            The run's task is none of these.
        """
        if self.record.task not in tasks:
            raise UnsuitableError(f"the plot is for {' and '.join(tasks)}, and the run's task is {self.record.task}")

    def require_table(self) -> None:
        """Refuse a plot of fits on rows, where nothing was read as a table.

        Raises
        ------
        UnsuitableError
            The run's task has no table.
        """
        if self.record.task is not None and not self.record.task.has_table:
            raise UnsuitableError(f"the plot is of fits on rows of a table, and the run's task is {self.record.task}")

    # --- what is composed and prepared again ---------------------------------------------------------------------

    @cached_property
    def composed(self) -> Composed:
        """The run's own config, resolved."""
        from mlops_cli.config.workspace import trusted_workspace
        from mlops_cli.workflows.running.prepare import RunOptions, compose
        from mlops_cli.workflows.running.recording import ignore

        if self.at_hand is not None:
            return self.at_hand.composed
        root = trusted_workspace(self.record.path).root
        refuse_without_config(self.record)
        return compose(str(self.paths.config), [], RunOptions(workspace=root), ignore)

    @cached_property
    def positive(self) -> str | None:
        """Of two classes the one that metrics look for, as text."""
        import numpy as np

        from mlops_cli.views.plots.predictions import target_of

        if not self.classified.is_binary:
            return None
        if self.at_hand is not None:
            return str(self.at_hand.plan.positive)
        return str(positive_class(np.unique(target_of(self.predictions)), _asked_positive(self.paths.config)))

    @cached_property
    def prepared(self) -> Prepared:
        """The run prepared again, from its own config, over the same data.

        Raises
        ------
        StoreError
            The data has changed since: what would be computed now is not of this run.
        """
        from mlops_cli.workflows.running.prepare import prepare
        from mlops_cli.workflows.running.recording import ignore

        if self.at_hand is not None:
            return self.at_hand
        prepared = prepare(self.composed, ignore, is_run=False)
        before, now = self.record.dataset, prepared.dataset.version
        if before is not None and before.version != now.version:
            text = (
                f"the data has changed since the run {self.record.id}: {before.version[:12]} is now {now.version[:12]}"
            )
            hint = f"mlops run config={self.paths.config} makes a run on the data of now"
            raise StoreError(text, hint=hint)
        return prepared

    @cached_property
    def winner(self) -> Trial:
        """The best trial, ready to be fitted.

        Raises
        ------
        UnsuitableError
            No trial has completed.
        """
        best = self.record.best
        if best is None:
            raise UnsuitableError(f"no trial of the run {self.record.id} has completed")
        return self.prepared.trial(best.trial, best.params)

    @cached_property
    def model(self) -> Any:
        """The winner fitted on all training rows: as it was saved, else fitted anew."""
        from mlops_cli.workflows.applying.model import saved_by
        from mlops_cli.workflows.running.refit import refit

        if self.fitted is not None:
            return self.fitted
        try:
            return saved_by(self.record).open().pipeline
        except MlopsError:  # none was kept, or it is a pickle
            return refit(self.prepared, self.winner).model


def _asked_positive(config: Path) -> Any:
    """Return ``data.positive`` as a run's config has it.

    The config is not composed for it: that would let code of the run's workspace be imported.
    """
    from omegaconf import OmegaConf

    from mlops_cli.config.yaml_guard import read_text

    said = OmegaConf.to_container(OmegaConf.create(read_text(config, config.name)), resolve=False)
    data = said.get("data") if isinstance(said, dict) else None
    return data.get("positive") if isinstance(data, dict) else None


def _table(path: Path) -> pd.DataFrame | None:
    return read_predictions(path) if path.is_file() else None
