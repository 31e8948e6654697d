"""Steps that skl2onnx has no converter for, or one that does not do what scikit-learn does, as nodes of ONNX.

Text that is missing is the empty string in ONNX, which has no other word for it. Numbers stay in the type that they
come in. Knows nothing of whole pipelines.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Converter = Callable[[Any, Any, Any], None]
    Shaper = Callable[[Any], None]

MISSING = ""
"""A missing text."""

_ML = "ai.onnx.ml"


@dataclass(frozen=True)
class _Nodes:
    """Adds nodes to the graph that is being made; ``operator`` is skl2onnx's word for the step."""

    scope: Any
    operator: Any
    container: Any

    @property
    def step(self) -> Any:
        """The fitted transformer or model."""
        return self.operator.raw_operator

    @property
    def dtype(self) -> np.dtype[Any]:
        """What numbers are kept in: float64 where they come so, else float32."""
        from skl2onnx.common.data_types import DoubleTensorType

        kinds = [variable.type for variable in self.operator.inputs]
        return np.dtype("float64" if any(isinstance(kind, DoubleTensorType) for kind in kinds) else "float32")

    @property
    def is_text(self) -> bool:
        """Whether the step is given texts."""
        from skl2onnx.common.data_types import StringTensorType

        return isinstance(self.operator.inputs[0].type, StringTensorType)

    def add(self, kind: str, *inputs: str, out: str | None = None, domain: str = "", **attributes: Any) -> str:
        """Add a node and return the name of what it gives."""
        name = out or self.scope.get_unique_variable_name(kind.lower())
        version = {"op_version": 2} if domain else {}
        self.container.add_node(
            kind, list(inputs), [name], op_domain=domain, name=self.scope.get_unique_operator_name(kind), **version,
            **attributes,
        )  # fmt: skip
        return name

    def constant(self, values: Any, dtype: Any = None) -> str:
        """Add numbers or texts and return their name."""
        from onnx import helper

        array = np.asarray(values, dtype=dtype or self.dtype)
        is_text = array.dtype.kind in "OU"
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(object) if is_text else array.dtype)
        flat = [str(value).encode() for value in array.ravel()] if is_text else array.ravel().tolist()
        name: str = self.scope.get_unique_variable_name("constant")
        self.container.add_initializer(name, kind, list(array.shape), flat)
        return name

    def cast(self, name: str, dtype: Any = None) -> str:
        """Return numbers in another type."""
        from onnx import helper

        return self.add("Cast", name, to=helper.np_dtype_to_tensor_dtype(np.dtype(dtype or self.dtype)))

    def matrix(self) -> str:
        """Return all inputs side by side, numbers in one type."""
        parts = [variable.full_name for variable in self.operator.inputs]
        parts = parts if self.is_text else [self.cast(part) for part in parts]
        return parts[0] if len(parts) == 1 else self.add("Concat", *parts, axis=1)

    def columns(self, matrix: str, count: int) -> list[str]:
        """Return each column of a matrix, shape (rows, 1)."""
        return [
            self.add("Gather", matrix, self.constant([place], "int64"), axis=1) if count > 1 else matrix
            for place in range(count)
        ]

    def give(self, name: str) -> None:
        """Say that this is what the step gives."""
        self.add("Identity", name, out=self.operator.outputs[0].full_name)


# --- steps of scikit-learn ---------------------------------------------------------------------------------------


def _impute(nodes: _Nodes) -> None:
    filled = np.asarray(nodes.step.statistics_)
    matrix = nodes.matrix()
    if nodes.step.add_indicator:
        raise NotImplementedError("SimpleImputer with add_indicator")
    if nodes.is_text:
        gaps = nodes.add("Equal", matrix, nodes.constant([MISSING], object))
        nodes.give(nodes.add("Where", gaps, nodes.constant(filled.reshape(1, -1), object), matrix))
        return
    if np.isnan(filled.astype("float64")).any():
        raise NotImplementedError("SimpleImputer that leaves out columns without any value")
    gaps = nodes.add("IsNaN", matrix)
    nodes.give(nodes.add("Where", gaps, nodes.constant(filled.astype("float64").reshape(1, -1)), matrix))


def _encode_ordinal(nodes: _Nodes) -> None:
    step, matrix = nodes.step, nodes.matrix()
    if getattr(step, "_infrequent_enabled", False):
        raise NotImplementedError("OrdinalEncoder with rare categories as one")
    unknown = np.nan if step.unknown_value is None else float(step.unknown_value)
    missing = float(step.encoded_missing_value)
    columns = nodes.columns(matrix, len(step.categories_))
    made = [
        _codes(nodes, column, _coded(categories, missing), unknown)
        for column, categories in zip(columns, step.categories_, strict=True)
    ]
    nodes.give(made[0] if len(made) == 1 else nodes.add("Concat", *made, axis=1))


def _coded(categories: Sequence[Any], missing: float) -> dict[Any, float]:
    return {c: missing if _is_missing(c) else float(place) for place, c in enumerate(categories)}


def _codes(nodes: _Nodes, column: str, codes: Mapping[Any, float], unknown: float) -> str:
    """Return the number of each category of a column."""
    keys: dict[str, Any]
    if nodes.is_text:
        keys = {"keys_strings": [MISSING if _is_missing(c) else str(c) for c in codes]}
    else:
        column, keys = nodes.cast(column, "float32"), {"keys_floats": [float(c) for c in codes]}
    coded = nodes.add(
        "LabelEncoder", column, domain=_ML, values_floats=[*codes.values()], default_float=unknown, **keys
    )
    return nodes.cast(coded)


def _is_missing(value: Any) -> bool:
    return value is None or value == MISSING or (isinstance(value, float) and np.isnan(value))


def _threshold(nodes: _Nodes) -> None:
    """Say the positive class from the threshold on; skl2onnx's own converter leaves the threshold out."""
    from skl2onnx._supported_operators import sklearn_operator_name_map

    step = nodes.step
    inner = nodes.scope.declare_local_operator(sklearn_operator_name_map[type(step.estimator_)], step.estimator_)
    inner.inputs = nodes.operator.inputs
    outputs = nodes.operator.outputs
    made = [nodes.scope.declare_local_variable(name, out.type) for name, out in zip("lp", outputs, strict=True)]
    inner.outputs.extend(made)
    probabilities = nodes.add("Identity", made[1].full_name, out=outputs[1].full_name)
    positive = _positive(step)
    column = nodes.add("Gather", probabilities, nodes.constant([positive], "int64"), axis=1)
    bound = nodes.constant([step.best_threshold_], "float32")
    at_least = nodes.add("Not", nodes.add("Less", nodes.cast(column, "float32"), bound))
    labels = np.asarray(step.classes_)
    kind = "int64" if labels.dtype.kind in "iub" else object
    said = nodes.add("Where", at_least, *(nodes.constant([labels[i]], kind) for i in (positive, 1 - positive)))
    nodes.add("Reshape", said, nodes.constant([-1], "int64"), out=outputs[0].full_name)


def _positive(step: Any) -> int:
    """Return the place of the class that the threshold is for; the second one unless another was named."""
    label = step._curve_scorer._get_pos_label()
    return 1 if label is None else np.asarray(step.classes_).tolist().index(label)


def _original_scale(nodes: _Nodes) -> None:
    """Predict the transformed target, and undo that."""
    from skl2onnx._supported_operators import sklearn_operator_name_map

    step = nodes.step
    inner = nodes.scope.declare_local_operator(sklearn_operator_name_map[type(step.regressor_)], step.regressor_)
    inner.inputs = nodes.operator.inputs
    made = nodes.scope.declare_local_variable("transformed", nodes.operator.outputs[0].type)
    inner.outputs.append(made)
    nodes.give(_undone(nodes, nodes.add("Identity", made.full_name), step.transformer_))


def _undone(nodes: _Nodes, values: str, transformer: Any) -> str:
    kind = type(transformer).__name__
    if kind == "StandardScaler" and transformer.with_mean and transformer.with_std:
        scaled = nodes.add("Mul", values, nodes.constant(transformer.scale_))
        return nodes.add("Add", scaled, nodes.constant(transformer.mean_))
    inverse = getattr(transformer, "inverse_func", None)
    if inverse is np.exp:
        return nodes.add("Exp", values)
    if inverse is np.expm1:
        return nodes.add("Sub", nodes.add("Exp", values), nodes.constant([1.0]))
    raise NotImplementedError(f"a target transformed by {kind}")


@dataclass(frozen=True)
class _Positive:
    """What of a scorer the threshold is read with."""

    label: Any

    def _get_pos_label(self) -> Any:
        return self.label


def as_tuned(step: Any) -> Any:
    """Return a classifier with a fixed threshold in the form of a tuned one, which is all that skl2onnx knows."""
    from sklearn.model_selection import TunedThresholdClassifierCV

    tuned = TunedThresholdClassifierCV(step.estimator)
    tuned.estimator_ = step.estimator_
    tuned.best_threshold_ = 0.5 if step.threshold == "auto" else float(step.threshold)
    tuned._curve_scorer = _Positive(step.pos_label)
    tuned.n_features_in_ = step.n_features_in_
    return tuned


# --- steps of this package ---------------------------------------------------------------------------------------


def _clip(nodes: _Nodes) -> None:
    """Draw in; what is missing stays so, since it is neither below nor above."""
    matrix = nodes.matrix()
    for limit, beyond in ((nodes.step.lower_, "Less"), (nodes.step.upper_, "Greater")):
        bound = nodes.constant(np.asarray(limit).reshape(1, -1))
        matrix = nodes.add("Where", nodes.add(beyond, matrix, bound), bound, matrix)
    nodes.give(matrix)


def _log(nodes: _Nodes) -> None:
    step = nodes.step
    shifted = nodes.add("Add", nodes.matrix(), nodes.constant(step.shift_.reshape(1, -1)))
    if step.shift == "auto":
        none = nodes.constant([0.0])
        shifted = nodes.add("Where", nodes.add("Less", shifted, none), none, shifted)
    nodes.give(nodes.add("Log", nodes.add("Add", shifted, nodes.constant([1.0]))))


def _pairs(nodes: _Nodes) -> None:
    step, matrix = nodes.step, nodes.matrix()
    columns = nodes.columns(matrix, step.n_features_in_)
    made = [_pair(nodes, step.operation, columns[a], columns[b]) for a, b in step.places_]
    nodes.give(nodes.add("Concat", matrix, *made, axis=1) if made else matrix)


def _pair(nodes: _Nodes, operation: str, a: str, b: str) -> str:
    kind = {"ratio": "Div", "difference": "Sub", "product": "Mul", "sum": "Add"}[operation]
    made = nodes.add(kind, a, b)
    if operation != "ratio":
        return made
    by_zero = nodes.add("Equal", b, nodes.constant([0.0]))
    return nodes.add("Where", by_zero, nodes.constant([np.nan]), made)


def _group(nodes: _Nodes) -> None:
    step = nodes.step
    if not nodes.is_text:
        raise NotImplementedError("GroupRare of numbers")
    columns = nodes.columns(nodes.matrix(), len(step.categories_))
    made = [_grouped(nodes, c, [str(v) for v in k], step.other) for c, k in zip(columns, step.categories_, strict=True)]
    nodes.give(made[0] if len(made) == 1 else nodes.add("Concat", *made, axis=1))


def _grouped(nodes: _Nodes, column: str, kept: Sequence[str], other: str) -> str:
    words = [*kept, MISSING]
    return nodes.add("LabelEncoder", column, domain=_ML, keys_strings=words, values_strings=words, default_string=other)


# --- as skl2onnx takes them --------------------------------------------------------------------------------------


def converters() -> dict[type, Converter]:
    """Return what makes nodes of a step, by its class."""
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.impute import SimpleImputer
    from sklearn.model_selection import TunedThresholdClassifierCV
    from sklearn.preprocessing import OrdinalEncoder

    made = {
        TransformedTargetRegressor: _original_scale,
        SimpleImputer: _impute,
        OrdinalEncoder: _encode_ordinal,
        TunedThresholdClassifierCV: _threshold,
    }
    own = {cls: make for cls, (make, _) in _own().items()}
    return {**{cls: _as_converter(make) for cls, make in {**made, **own}.items()}, **_plain_trees()}


def shapers() -> dict[type, Shaper]:
    """Return what tells the shape and type of what a step of this package gives, by its class."""
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.impute import SimpleImputer

    known = {SimpleImputer: _same, TransformedTargetRegressor: _one_number}
    return {**{cls: shape for cls, (_, shape) in _own().items()}, **known}


def _own() -> dict[type, tuple[Callable[[_Nodes], None], Shaper]]:
    from mlops_cli.components.transforms import Clip, ColumnPairs, GroupRare, Log

    return {Clip: (_clip, _same), Log: (_log, _same), ColumnPairs: (_pairs, _wider), GroupRare: (_group, _same)}


def _as_converter(make: Callable[[_Nodes], None]) -> Converter:
    def convert(scope: Any, operator: Any, container: Any) -> None:
        make(_Nodes(scope, operator, container))

    return convert


def _same(operator: Any) -> None:
    _shaped(operator, operator.raw_operator.n_features_in_)


def _wider(operator: Any) -> None:
    _shaped(operator, operator.raw_operator.n_features_in_ + len(operator.raw_operator.places_))


def _one_number(operator: Any) -> None:
    _shaped(operator, 1)


def _shaped(operator: Any, width: int) -> None:
    kind = type(operator.inputs[0].type)
    operator.outputs[0].type = kind([None, width])


def _plain_trees() -> dict[type, Converter]:
    """Return skl2onnx's own converters of histogram trees, told in plain numbers: protobuf refuses booleans as ints."""
    from skl2onnx.common._registration import get_converter
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    def of(alias: str) -> Converter:
        return lambda scope, operator, container: get_converter(alias)(scope, operator, _PlainNumbers(container))

    classes = (HistGradientBoostingClassifier, HistGradientBoostingRegressor)
    return {cls: of(f"Sklearn{cls.__name__}") for cls in classes}


class _PlainNumbers:
    """A container that is given Python's numbers in the place of booleans and of numpy's."""

    def __init__(self, container: Any) -> None:
        self._container = container

    def __getattr__(self, name: str) -> Any:
        return getattr(self._container, name)

    def add_node(self, kind: Any, inputs: Any, outputs: Any, **attributes: Any) -> None:
        """Add a node."""
        plain = {name: _plain(value) for name, value in attributes.items()}
        self._container.add_node(kind, inputs, outputs, **plain)


def _plain(value: Any) -> Any:
    return (
        [int(item) if isinstance(item, bool | np.bool_) else item for item in value]
        if isinstance(value, list)
        else value
    )
