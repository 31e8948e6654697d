"""A version that may be promoted, opened once for all its gates, and the case that is judged."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_cli.errors import DataError, MlopsError
from mlops_cli.records import CHAMPION, GateResult, MetricSpec
from mlops_cli.workflows.applying.model import registered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from mlops_cli.components.metrics import ResolvedMetric
    from mlops_cli.config.workspace import Workspace
    from mlops_cli.records import ExperimentSpec, ModelStatus, ModelVersion
    from mlops_cli.workflows.applying.incoming import Opened
    from mlops_cli.workflows.applying.labelled import Labelled
    from mlops_cli.workflows.applying.model import Model
    from mlops_cli.workflows.data.load import Loaded


@dataclass(frozen=True)
class Judged:
    """A version that may be promoted; what several gates need of it is made once, when the first of them asks."""

    version: ModelVersion
    workspace: Workspace
    allow_pickle: bool = False

    @cached_property
    def spec(self) -> ExperimentSpec:
        """The experiment that it is of."""
        from mlops_cli.workflows.applying.incoming import config_of

        return config_of(registered(self.version))

    @cached_property
    def model(self) -> Model:
        """The model itself."""
        return registered(self.version).open(allow_pickle=self.allow_pickle)

    @cached_property
    def opened(self) -> Opened:
        """The model with its config."""
        from mlops_cli.workflows.applying.incoming import Opened

        return Opened(registered(self.version), self.model, self.spec, self.workspace)

    @cached_property
    def loaded(self) -> Loaded:
        """The very rows that its run saw."""
        from mlops_cli.workflows.data.seen_rows import rows_of_run

        return rows_of_run(self.spec, self.version.record, self.workspace)

    def rows(self, data: str) -> Labelled:
        """Return labelled rows as it takes them; a relative path starts from the workspace."""
        from mlops_cli.workflows.applying.labelled import labelled
        from mlops_cli.workflows.data.tables import HowRead

        place = self.workspace.root / Path(data).expanduser()
        return labelled(str(place) if place.exists() else data, self.opened, HowRead())

    def metric(self, name: str) -> ResolvedMetric:
        """Return a metric, as its run means it where that has one of the name."""
        from mlops_cli.components.metrics import resolve_metrics

        own = {metric.name: metric for metric in self.spec.evaluation.metrics}
        signature = self.opened.model.signature
        wanted = [own.get(name, MetricSpec(name))]
        positive = self.spec.data.positive
        self.require_known(name)
        return resolve_metrics(wanted, signature.task, signature.classes, positive, self.workspace.trust)[0]

    def require_known(self, name: str) -> None:
        """Refuse a function of the run's own under the name of a known metric: the run would say what is asked of it.

        Raises
        ------
        DataError
            It is one.
        """
        from mlops_cli.components.metric_names import metric_names

        for metric in self.spec.evaluation.metrics:
            if metric.name == name and metric.component is not None and name in metric_names():
                target = metric.component.target
                raise DataError(f"{self.version.ref} means a function of its own by {name}: {target}")


@dataclass(frozen=True)
class Case:
    """Who is to be promoted over whom."""

    version: Judged
    status: ModelStatus
    champion: Judged | None
    alias: str = CHAMPION
    fault: str = ""  # why the champion cannot be read


def or_unknown(
    compute: Callable[[], Iterable[GateResult]], otherwise: Callable[[str], Sequence[GateResult]]
) -> list[GateResult]:
    """Return gates, or why they cannot be computed: whatever a model, a metric or data may raise."""
    try:
        return list(compute())
    except MlopsError as error:
        return list(otherwise(str(error)))
    except Exception as error:  # noqa: BLE001 - a gate that cannot be computed has failed, and hides no other
        said = " ".join(str(error).split())
        return list(otherwise(f"{type(error).__name__}: {said}" if said else type(error).__name__))
