"""What a sampler is told before its first point: the trials of an earlier run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_cli.errors import ConfigError, StoreError
from mlops_cli.planning.fingerprint import fingerprint
from mlops_cli.records import Notice, TrialState
from mlops_cli.store.find import find_run, read_trials
from mlops_cli.store.layout import WorkspacePaths

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mlops_cli.config.workspace import Workspace
    from mlops_cli.records import SweepSpec, TrialResult


@dataclass(frozen=True)
class Earlier:
    """Completed trials of an earlier run."""

    run: str | None = None  # its full id
    trials: tuple[TrialResult, ...] = ()
    notices: tuple[Notice, ...] = ()

    def values(self, objectives: Sequence[str]) -> list[tuple[Mapping[str, Any], list[float]]]:
        """Return each point with the mean of each objective, where the trial has all of them."""
        return [
            (trial.params, [trial.mean(name) for name in objectives])
            for trial in self.trials
            if all(name in trial.scores for name in objectives)
        ]

    @property
    def digest(self) -> str | None:
        """What identifies them; None where there are none."""
        return fingerprint({"trials": [t.fingerprint for t in self.trials]}) if self.trials else None


def earlier_points(sweep: SweepSpec, workspace: Workspace) -> Earlier:
    """Return the trials that a sweep starts from.

    Raises
    ------
    ConfigError
        There is no such run.
    """
    if sweep.warm_start is None:
        return Earlier()
    try:
        record = find_run(WorkspacePaths(workspace.root), sweep.warm_start)
        trials = tuple(t for t in read_trials(record.path) if t.state is TrialState.COMPLETED)
    except StoreError as error:
        raise ConfigError(error.message, key="sweep.warm_start", hint=error.hint) from error
    spaces = [{dimension.key for dimension in subspace} for subspace in sweep.subspaces]
    fitting = tuple(trial for trial in trials if set(trial.params) in spaces)
    if not fitting:
        text = f"none of the {len(trials)} completed trials of {record.id} lies in this space"
        raise ConfigError(text, key="sweep.warm_start", hint="both runs have to sweep the same keys")
    text = f"the sampler starts from {len(fitting)} of {len(trials)} completed trials of {record.id}"
    return Earlier(record.id, fitting, (Notice("warm-start", text),))
