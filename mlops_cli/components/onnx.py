"""A fitted pipeline as an ONNX model, and what that model says of rows.

As much of the pipeline goes into it as can be told in ONNX: all of it, with an input for each column, or else the model
behind its transforms. Whoever asks compares what both say before anything is kept.
"""

from __future__ import annotations

import copy
import json
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mlops_cli.components.onnx_steps import MISSING, as_tuned, converters, shapers
from mlops_cli.components.onnx_words import as_matched, picks_otherwise
from mlops_cli.errors import MissingExtraError, UsageError
from mlops_cli.records import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd

    from mlops_cli.records import Column

    Array = np.ndarray[Any, Any]

FEATURES = "features"
"""The one input of a model without its transforms."""

_LOCALE = "C.UTF-8"
"""In the place of en_US.UTF-8, ONNX Runtime's own choice, which small containers do not have."""

_NUMBERS = (("float64", False), ("float64", True), ("float32", False))
"""In which type numbers are computed, and whether the model is given float32. Of linear models float64 agrees to the
last digits; trees of scikit-learn compare float32, and some rows take other branches where steps round before them."""


@dataclass(frozen=True)
class OnnxModel:
    """A pipeline in ONNX.

    Parameters
    ----------
    data : bytes
        The file.
    inputs : tuple of str
        The columns that it takes, each shape (rows, 1); or `FEATURES` alone.
    dtype : str
        What numbers are given in: ``float64`` or ``float32``.
    texts : tuple of str
        The inputs that are text.
    without : tuple of str
        The steps that are not in it.
    """

    data: bytes
    inputs: tuple[str, ...]
    dtype: str
    texts: tuple[str, ...] = ()
    without: tuple[str, ...] = ()


class NotConvertedError(UsageError):
    """ONNX cannot tell what a pipeline does."""


def require_onnx() -> None:
    """Refuse to go on without the packages.

    Raises
    ------
    MissingExtraError
        With the command that brings them.
    """
    from importlib.util import find_spec

    for package in ("onnx", "skl2onnx", "onnxruntime"):
        if find_spec(package) is None:
            raise MissingExtraError(package, "onnx", "exporting to ONNX")


def conversions(pipeline: Any, columns: Sequence[Column], about: Mapping[str, str]) -> Iterator[OnnxModel]:
    """Yield the pipeline in ONNX, the closest form first: of all of it, then of the model behind its transforms.

    Parameters
    ----------
    pipeline : Pipeline
        Fitted.
    columns : sequence of Column
        What it takes.
    about : mapping of str to str
        What is written into the file beside the model.

    Raises
    ------
    NotConvertedError
        There is no form; the message says which steps have none.
    """
    reasons: list[str] = []
    found = False
    for without, part, inputs in _parts(pipeline, columns):
        for dtype, is_cast in _NUMBERS:
            try:
                data = _loadable(_with_cast(part) if is_cast else part, inputs, dtype, about)
            except Exception as error:  # noqa: BLE001 - whatever a converter raises
                reasons.append(_reason(error))
                continue
            found = True
            texts = tuple(name for name, text in inputs.items() if text)
            yield OnnxModel(data, tuple(inputs), dtype, texts, without)
    if found:
        return
    unknown = ", ".join(unsupported(pipeline))
    what = f"{unknown} has no form in ONNX" if unknown else f"the model has no form in ONNX: {reasons[-1]}"
    raise NotConvertedError(what, hint="--format folder keeps the whole pipeline")


def unsupported(pipeline: Any) -> list[str]:
    """Return the steps that have no form in ONNX, each by its name and class."""
    from skl2onnx._supported_operators import sklearn_operator_name_map

    known = {cls.__name__ for cls in (*sklearn_operator_name_map, *converters()) if cls is not None}
    steps = [(name, step) for name, step in _leaves(pipeline) if hasattr(step, "fit")]
    return [_called(name, step) for name, step in steps if type(step).__name__ not in known or picks_otherwise(step)]


def _called(name: str, step: Any) -> str:
    pattern = f" of {step.token_pattern}" if picks_otherwise(step) else ""
    return f"{name} ({type(step).__name__}{pattern})"


def _leaves(step: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each step at any depth that is made of no others, with its name."""
    inner = _steps_in(step)
    if inner is None:
        yield name, step
        return
    for label, part in inner:
        yield from _leaves(part, label)


def _steps_in(step: Any) -> list[tuple[str, Any]] | None:
    from sklearn.compose import ColumnTransformer

    if isinstance(step, ColumnTransformer):
        return [(name, made) for name, made, _ in step.transformers_]
    return list(step.steps) if hasattr(step, "steps") else None


# --- what goes into it -------------------------------------------------------------------------------------------


def _parts(pipeline: Any, columns: Sequence[Column]) -> Iterator[tuple[tuple[str, ...], Any, dict[str, bool]]]:
    """Yield what is left out, what is converted, and its inputs with whether each is text; all of it first."""
    whole = _translated(pipeline, columns)
    used = [c for c in columns if c.name in _used(whole)]
    if not any(c.kind is Kind.DATETIME for c in used) and not any(map(picks_otherwise, _every(pipeline))):
        yield (), whole, {c.name: is_text(c) for c in used}
    if len(whole.steps) > 1:
        steps = tuple(_called(name, step) for name, step in _leaves(pipeline[:-1]) if hasattr(step, "fit"))
        yield steps, whole[-1:], {FEATURES: False}


def _translated(pipeline: Any, columns: Sequence[Column]) -> Any:
    """Return a copy whose first step picks columns, with "" for a missing text, and without what only fits use."""
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import Pipeline

    steps = [(name, step) for name, step in copy.deepcopy(pipeline).steps if not hasattr(step, "fit_resample")]
    if not isinstance(steps[0][1], ColumnTransformer):
        steps = [("inputs", _all_columns(columns)), *steps]
    if type(steps[-1][1]).__name__ == "FixedThresholdClassifier":
        steps = [*steps[:-1], (steps[-1][0], as_tuned(steps[-1][1]))]
    whole = Pipeline(steps)
    for step in _every(whole):
        if hasattr(step, "flatten_transform"):
            step.flatten_transform = False  # says how votes are handed on by transform, which nobody asks here
        if hasattr(step, "token_pattern"):
            as_matched(step)
        if hasattr(step, "categories_"):
            step.categories_ = [_with_empty(categories) for categories in step.categories_]
    return whole


def _all_columns(columns: Sequence[Column]) -> Any:
    import pandas as pd
    from sklearn.compose import ColumnTransformer

    names = [c.name for c in columns]
    return ColumnTransformer([("inputs", "passthrough", names)]).fit(pd.DataFrame([[0.0] * len(names)], columns=names))


def _every(step: Any) -> Iterator[Any]:
    yield step
    for _, part in _steps_in(step) or ():
        yield from _every(part)


def _with_empty(categories: Array) -> Array:
    if categories.dtype != object:
        return categories
    return np.array([MISSING if c is None or c != c else c for c in categories], dtype=object)  # noqa: PLR0124 - NaN


def _used(whole: Any) -> set[str]:
    """Return the columns that the first step hands on."""
    taken: set[str] = set()
    for _, made, names in whole.steps[0][1].transformers_:
        if not (isinstance(made, str) and made == "drop"):
            taken |= {names} if isinstance(names, str) else set(names)
    return taken


def is_text(column: Column) -> bool:
    """Whether ONNX is given a column as text."""
    return "str" in {column.dtype, column.categories}


# --- how it is converted -----------------------------------------------------------------------------------------


def _loadable(part: Any, inputs: Mapping[str, bool], dtype: str, about: Mapping[str, str]) -> bytes:
    """Return a file that ONNX Runtime opens."""
    data = _converted(part, inputs, dtype, about)
    try:
        _session(data)
    except Exception as error:
        if "locale" not in str(error).lower():
            raise
        data = _converted(part, inputs, dtype, about, locale=_LOCALE)
        _session(data)
    return data


def _converted(
    part: Any, inputs: Mapping[str, bool], dtype: str, about: Mapping[str, str], locale: str | None = None
) -> bytes:
    from onnx import helper
    from skl2onnx import convert_sklearn
    from skl2onnx.common import data_types

    number = data_types.DoubleTensorType if dtype == "float64" else data_types.FloatTensorType
    width = part[-1].n_features_in_ if FEATURES in inputs else 1
    types = [
        (name, data_types.StringTensorType([None, 1]) if text else number([None, width]))
        for name, text in inputs.items()
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = convert_sklearn(
            part,
            about["name"],
            types,
            options=_options(part, locale),
            custom_conversion_functions=converters(),
            custom_shape_calculators=shapers(),
        )
    _rename_inputs(model.graph, list(inputs))
    helper.set_model_props(model, {**about, "inputs": json.dumps(list(inputs)), "numbers": dtype})
    data: bytes = model.SerializeToString(deterministic=True)
    return data


def _options(part: Any, locale: str | None) -> dict[Any, dict[str, Any]]:
    """Return skl2onnx's options: probabilities as a matrix, and by whose rules text is made lower case."""
    options: dict[Any, dict[str, Any]] = {id(part): {"zipmap": False}} if hasattr(part, "classes_") else {}
    words = [step for step in _every(part) if locale is not None and hasattr(step, "vocabulary_")]
    return options | {id(step): {"locale": locale} for step in words}


def _with_cast(part: Any) -> Any:
    from skl2onnx.sklapi import CastTransformer
    from sklearn.pipeline import Pipeline

    return Pipeline([*part.steps[:-1], ("cast", CastTransformer(dtype=np.float32)), part.steps[-1]])


def _rename_inputs(graph: Any, names: Sequence[str]) -> None:
    """Call the inputs as the columns are called: skl2onnx puts _ in the place of what no identifier may have."""
    new = {given.name: name for given, name in zip(graph.input, names, strict=True)}
    for given in graph.input:
        given.name = new[given.name]
    for node in graph.node:
        for place, name in enumerate(node.input):
            node.input[place] = new.get(name, name)


def _reason(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return " ".join((lines[0] if lines else type(error).__name__).split())[:200]


# --- what it says ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Said:
    """What a model says of rows: shape (rows,), and (rows, classes) where it gives probabilities."""

    predictions: Array
    probabilities: Array | None = None


def said_in_onnx(model: OnnxModel, pipeline: Any, X: pd.DataFrame) -> Said:
    """Return what an ONNX model says of rows, by ONNX Runtime.

    Parameters
    ----------
    model : OnnxModel
        The model.
    pipeline : Pipeline
        That it was made of: its transforms come first where the model is without them.
    X : DataFrame
        In the form of the training data, shape (rows, columns).
    """
    found = _session(model.data).run(None, _fed(model, pipeline, X))
    probabilities = found[1] if len(found) > 1 and hasattr(pipeline, "predict_proba") else None
    return Said(np.asarray(found[0]).reshape(len(X), -1)[:, 0], probabilities)


def _session(data: bytes) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def _fed(model: OnnxModel, pipeline: Any, X: pd.DataFrame) -> dict[str, Array]:
    if model.without:
        made = pipeline[:-1].transform(X)
        return {FEATURES: np.asarray(made.toarray() if hasattr(made, "toarray") else made, dtype=model.dtype)}
    return {name: _input(X[name], None if name in model.texts else model.dtype) for name in model.inputs}


def _input(column: pd.Series[Any], dtype: str | None) -> Array:
    """Return a column as ONNX takes it, shape (rows, 1): text, "" where it is missing; or numbers."""
    values = column.to_numpy(dtype=dtype) if dtype else column.astype(object).where(column.notna(), MISSING).to_numpy()
    return np.asarray(values).reshape(-1, 1)
