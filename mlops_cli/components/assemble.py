"""A trial's spec → the objects that it is made of: its layout, its model, its splitter, the whole Pipeline.

The one place where the parts of a trial are put together, so that what workers score and what is saved are the same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mlops_cli.components import build as factory
from mlops_cli.components.forecasting import HORIZON
from mlops_cli.components.layout import (
    Columns,
    Layout,
    last_column,
    lay_out,
    resampling,
    step_nodes,
    steps_of,
    untouched,
)
from mlops_cli.components.pipeline import Builder, to_estimator
from mlops_cli.components.splitters import TimeSplit
from mlops_cli.components.targets import Role
from mlops_cli.contracts import BeforeFit
from mlops_cli.errors import ConfigError
from mlops_cli.records import Kind, Task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_cli.records import Column, ComponentSpec, TransformSpec, TrialSpec


CONTINUED = "mlops_cli.components.continued.Continued"
NETWORKS = "mlops_cli.components.networks."
PER_VALUE = "mlops_cli.components.forecasters.PerValue"
_BOOSTERS = "mlops_cli.components.boosters."


def begins_elsewhere(model: ComponentSpec) -> bool:
    """Whether a model begins where a registered version stands: it goes on learning, or has that one's weights."""
    return model.target == CONTINUED or isinstance(model.params.get("start"), Mapping)


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
    start : object, optional
        What a model begins with: a fitted Pipeline, frozen, that goes on learning; or the weights of a network.
    """

    spec: TrialSpec
    task: Task
    columns: tuple[Column, ...]
    trust: tuple[str, ...] = ()
    positive: Any = None
    start: Any = None

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
        """Return the unfitted model with its target transform, calibration and threshold around it.

        Where `fits_steps`, the steps are in it too.
        """
        model = self._bare()
        if self.fits_steps:
            model = to_estimator(self.steps.root, self.builder, model, self._names)
        return self._wrapped(model)

    def _core(self) -> Any:
        model = factory.build(self.spec.model, role=Role.ESTIMATOR, key="model", **self._shared)
        if self.start is not None and begins_elsewhere(self.spec.model):
            model.set_params(start=self.start)
        return model

    def _bare(self) -> Any:
        return factory.wrap_target(self._core(), self.spec.target_transform, **self._shared)

    def _wrapped(self, model: Any) -> Any:
        calibrated = factory.wrap_calibration(model, self.spec.calibration, **self._shared)
        return factory.wrap_threshold(calibrated, self.spec.threshold, self.positive, task=self.task)

    @property
    def _names(self) -> tuple[str, ...]:
        return tuple(c.name for c in self.columns)

    @cached_property
    def input_tags(self) -> Any:
        """What scikit-learn's tags say that the model itself takes."""
        from sklearn.utils import get_tags

        return get_tags(self._wrapped(self._bare())).input_tags

    @cached_property
    def fits_steps(self) -> bool:
        """Whether calibration or a tuned threshold fits the steps anew in each of its folds.

        It does where a step may read the target, or makes other rows: fitted outside, such a step would have seen the
        rows that probabilities are calibrated on, which would then look better there than they are.
        """
        has_folds = self.spec.calibration is not None or isinstance(self.spec.threshold, str)
        return has_folds and any(self.builder.traits(s).reads_target for s in steps_of(self.steps.root))

    @cached_property
    def steps(self) -> Layout:
        """The tree that the steps make of the columns."""
        dense = not self.input_tags.sparse
        return lay_out(self.spec.transforms, self.columns, self.builder.traits, dense=dense)

    @cached_property
    def layout(self) -> Layout:
        """The tree of fits that the model is fitted on; the columns as they are where the model fits the steps."""
        return replace(self.steps, root=Columns(self._names)) if self.fits_steps else self.steps

    def pipeline(self) -> Any:
        """Return the whole unfitted Pipeline: the steps and the model."""
        return to_estimator(self.layout.root, self.builder, self.model(), self._names)

    def splitter(self, columns: dict[str, Any], origins: Any = None) -> Any:
        """Return the splitter.

        Parameters
        ----------
        columns : dict of str to Series
            Those that a predefined split can be read from.
        origins : Series, optional
            Of a forecast, when each row is forecast.
        """
        splitter = factory.build_splitter(self.spec.split, columns=columns, key="split", **self._shared)
        if isinstance(splitter, TimeSplit):
            splitter.origins = origins
        return splitter

    def problem(self, classes: int | None = None, *, is_here: bool = True) -> ConfigError | None:
        """Return why every fit would fail, as far as parameters and columns tell; None where they tell nothing.

        Parameters
        ----------
        classes : int, optional
            How many the target has.
        is_here : bool
            Whether fits are done on this machine.
        """
        whole = {column.name for column in self.columns if not column.missing}
        known = BeforeFit(self.builder.width(self.steps.root, whole), classes, is_here)
        if text := factory.check_values(self.model()) or factory.check_before_fit(self._core(), known):
            return _refused(text, "model", self.spec.model)
        for spec in self.spec.transforms:
            if not _is_word(spec) and (text := factory.check_values(self._transformer(spec))):
                return _refused(text, f"transforms.{spec.name}", spec.component)
        for step in step_nodes(self.steps.root):
            known = BeforeFit(self.builder.width(step.source, whole), classes, is_here)
            if not _is_word(step.spec) and (text := factory.check_before_fit(self._transformer(step.spec), known)):
                return _refused(text, f"transforms.{step.spec.name}", step.spec.component)
        return None


def _refused(text: str, key: str, component: ComponentSpec) -> ConfigError:
    """Return what an estimator says, at the parameter that it begins with: ``The 'C' parameter of …``, ``'C': …``."""
    named = re.match(r"(?:The )?'(\w+)'", text)
    if named is None or named[1] not in component.params:
        return ConfigError(text, key=key)
    return ConfigError(text.removeprefix(f"'{named[1]}': "), key=f"{key}.{named[1]}")


def _is_word(step: TransformSpec) -> bool:
    return step.component.target in {"drop", "passthrough"}


def unsuitable(assembly: Assembly) -> ConfigError | None:
    """Return why a trial's model cannot take what its steps give it, as far as that is known before a fit.

    Of scikit-learn's own models their tags tell; a user's own is taken at its word.
    """
    if wrong := _of_classes(assembly) or _of_gaps(assembly):
        return wrong
    target = str(assembly.spec.model.target_for(assembly.task))
    if target == PER_VALUE:
        return _of_no_value(assembly)
    if not target.startswith(("sklearn.", _BOOSTERS, NETWORKS)):
        return None
    tags = assembly.input_tags
    raw = set(untouched(assembly.steps.root))
    columns = [c for c in assembly.columns if c.name in raw]
    takes_categories = "HistGradientBoosting" in target or target.startswith(_BOOSTERS)  # tags do not tell
    raw_kinds = {Kind.CATEGORICAL, Kind.TEXT, Kind.DATETIME}
    texts = [c for c in columns if c.kind in raw_kinds and not (takes_categories and c.dtype == "category")]
    if texts and (takes_categories or not (tags.categorical or tags.string)):
        return _of_words(assembly, texts, takes_categories=takes_categories)
    gaps = [c for c in columns if c.missing and c not in texts]
    if gaps and not tags.allow_nan:
        return _misfit(assembly, gaps, "takes no missing values, and no step fills those of {}", "tabular")
    return None


def _of_classes(assembly: Assembly) -> ConfigError | None:
    """Return why a step of imbalanced-learn's cannot resample what has no classes; a user's own may."""
    for step in resampling(assembly.steps.root) if assembly.task is not Task.CLASSIFICATION else ():
        if str(step.component.target).startswith("imblearn."):
            message = f"{step.component.target} evens out classes; the task is {assembly.task}"
            return ConfigError(message, key=f"transforms.{step.name}", hint=f"transforms.{step.name}=null")
    return None


def _of_gaps(assembly: Assembly) -> ConfigError | None:
    """Return why a step of imbalanced-learn's cannot resample numbers with gaps; of categories they are one more."""
    from sklearn.utils import get_tags

    for step in (s for s in step_nodes(assembly.steps.root) if s.resamples):
        raw = set(untouched(step.source))
        numbers = [c for c in assembly.columns if c.name in raw and c.kind in {Kind.NUMERIC, Kind.BOOLEAN}]
        gaps = [c.name for c in numbers if c.missing]
        name = str(step.spec.component.target)
        if (
            gaps
            and name.startswith("imblearn.")
            and not get_tags(assembly._transformer(step.spec)).input_tags.allow_nan
        ):
            shown = ", ".join(gaps[:5]) + (" …" if len(gaps) > 5 else "")
            message = (
                f"{name.rpartition('.')[2]} takes no missing numbers, and no step before it fills those of {shown}"
            )
            hint = "choose transforms=[tabular,smote], or put a step before it: sklearn.impute.SimpleImputer"
            return ConfigError(message, key=f"transforms.{step.spec.name}", hint=hint)
    return None


def _of_no_value(assembly: Assembly) -> ConfigError | None:
    """Return why there is no column of values to learn a model for each of, as the horizons of a forecast are."""
    wanted = assembly.spec.model.params.get("column", -1)
    horizon = HORIZON if HORIZON in assembly._names else None
    if isinstance(wanted, str):
        has_values = wanted in untouched(assembly.steps.root)
    else:
        last = last_column(assembly.steps.root)
        has_values = wanted != -1 or (last is not None and last == (horizon or last))
    if has_values:
        return None
    name = wanted if isinstance(wanted, str) else horizon or "the column of values"
    message = f"PerValue learns a model for each value of a column, and the steps change {name} or leave it not last"
    return ConfigError(message, key="transforms", hint="choose transforms=time_series")


def _of_words(assembly: Assembly, columns: Sequence[Column], *, takes_categories: bool) -> ConfigError:
    """Return why a model cannot take columns that are no numbers, nor marked as categories where it takes those."""
    if takes_categories:
        what = "takes numbers and columns marked as categories, and no step makes such of {}"
        return _misfit(assembly, columns, what, "native, tabular or tree")
    return _misfit(assembly, columns, "takes numbers, and no step turns {} into numbers", "tabular, tree or text")


def _misfit(assembly: Assembly, columns: Sequence[Column], text: str, options: str) -> ConfigError:
    shown = ", ".join(f"{c.name} ({c.kind})" for c in columns[:5]) + (" …" if len(columns) > 5 else "")
    model = str(assembly.spec.model.target_for(assembly.task)).rpartition(".")[2]
    hint = f"choose transforms={options}, add a step, or leave the columns out by data.drop"
    return ConfigError(f"{model} {text.format(shown)}", key="transforms", hint=hint)
