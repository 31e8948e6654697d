"""A trial's spec → the objects that it is made of: its layout, its model, its splitter, the whole Pipeline.

The one place where the parts of a trial are put together, so that what workers score and what is saved are the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mlops_cli.components import build as factory
from mlops_cli.components.layout import Layout, lay_out, resampling, untouched
from mlops_cli.components.pipeline import Builder, to_estimator
from mlops_cli.components.targets import Role
from mlops_cli.errors import ConfigError
from mlops_cli.records import Kind, Task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_cli.records import Column, TransformSpec, TrialSpec


@dataclass(frozen=True)
class Assembly:
    """Makes the parts of one trial.

    Parameters
    ----------
    spec : TrialSpec
        What to make.
    task : Task
        What is learned: it decides between a classifier and a regressor of the same name.
    columns : tuple of Column
        The features of the data, in order.
    trust : tuple of str
        Modules of the user's own that components may come from.
    positive : object, optional
        The class that a probability threshold speaks of.
    """

    spec: TrialSpec
    task: Task
    columns: tuple[Column, ...]
    trust: tuple[str, ...] = ()
    positive: Any = None

    @property
    def _shared(self) -> dict[str, Any]:
        return {"task": self.task, "seed": self.spec.seed, "trust": self.trust}

    @cached_property
    def builder(self) -> Builder:
        """Makes the transformers of this trial's steps."""
        return Builder(self._transformer)

    def _transformer(self, step: TransformSpec) -> Any:
        return factory.build(step.component, role=Role.TRANSFORMER, key=f"transforms.{step.name}", **self._shared)

    def model(self) -> Any:
        """Return the unfitted model with its target transform, calibration and threshold around it."""
        model = factory.build(self.spec.model, role=Role.ESTIMATOR, key="model", **self._shared)
        if self.spec.target_transform is not None:
            model = factory.wrap_target(model, self.spec.target_transform, **self._shared)
        if self.spec.calibration is not None:
            model = factory.wrap_calibration(model, self.spec.calibration, **self._shared)
        if self.spec.threshold is not None:
            model = factory.wrap_threshold(model, self.spec.threshold, self.positive, task=self.task)
        return model

    @cached_property
    def layout(self) -> Layout:
        """The tree of fits of this trial's steps."""
        from sklearn.utils import get_tags

        takes_sparse = bool(get_tags(self.model()).input_tags.sparse)
        return lay_out(self.spec.transforms, self.columns, self.builder.traits, dense=not takes_sparse)

    def pipeline(self) -> Any:
        """Return the whole unfitted Pipeline: the steps and the model."""
        return to_estimator(self.layout.root, self.builder, self.model(), [c.name for c in self.columns])

    def splitter(self, columns: dict[str, Any]) -> Any:
        """Return the splitter; ``columns`` are those that a predefined split can be read from."""
        return factory.build_splitter(self.spec.split, columns=columns, key="split", **self._shared)

    def problems(self) -> str | None:
        """Return scikit-learn's own sentence about a parameter value that it will refuse, or None."""
        built = [self.model(), *(self._transformer(s) for s in self.spec.transforms if not _is_word(s))]
        return next((text for text in map(factory.check_values, built) if text), None)


def _is_word(step: TransformSpec) -> bool:
    return step.component.target in {"drop", "passthrough"}


def unsuitable(assembly: Assembly) -> ConfigError | None:
    """Return why a trial's model cannot take what its steps give it, as far as that is known before a fit.

    Of scikit-learn's own models their tags tell; a user's own is taken at its word.
    """
    from sklearn.utils import get_tags

    if assembly.task is not Task.CLASSIFICATION and (wrong := _of_classes(assembly)):
        return wrong
    target = str(assembly.spec.model.target_for(assembly.task))
    if not target.startswith("sklearn."):
        return None
    tags = get_tags(assembly.model()).input_tags
    raw = set(untouched(assembly.layout.root))
    columns = [c for c in assembly.columns if c.name in raw]
    takes_categories = "HistGradientBoosting" in target  # its tags do not tell
    raw_kinds = {Kind.CATEGORICAL, Kind.TEXT, Kind.DATETIME}
    texts = [c for c in columns if c.kind in raw_kinds and not (takes_categories and c.dtype == "category")]
    if texts and not (tags.categorical or tags.string):
        return _misfit(assembly, texts, "takes numbers, and no step turns {} into numbers", "tabular, tree or text")
    gaps = [c for c in columns if c.missing and c not in texts]
    if gaps and not tags.allow_nan:
        return _misfit(assembly, gaps, "takes no missing values, and no step fills those of {}", "tabular")
    return None


def _of_classes(assembly: Assembly) -> ConfigError | None:
    """Return why a step of imbalanced-learn's cannot resample what has no classes; a user's own may."""
    for step in resampling(assembly.layout.root):
        if str(step.component.target).startswith("imblearn."):
            message = f"{step.component.target} evens out classes; the task is {assembly.task}"
            return ConfigError(message, key=f"transforms.{step.name}", hint=f"transforms.{step.name}=null")
    return None


def _misfit(assembly: Assembly, columns: Sequence[Column], text: str, options: str) -> ConfigError:
    shown = ", ".join(f"{c.name} ({c.kind})" for c in columns[:5]) + (" …" if len(columns) > 5 else "")
    model = str(assembly.spec.model.target_for(assembly.task)).rpartition(".")[2]
    hint = f"choose transforms={options}, add a step, or leave the columns out by data.drop"
    return ConfigError(f"{model} {text.format(shown)}", key="transforms", hint=hint)
