"""Splitters from their specs, those that read their folds from a column of the data too."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mlops_cli.components.construct import build
from mlops_cli.components.targets import Role
from mlops_cli.errors import ConfigError, did_you_mean
from mlops_cli.records import Task

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import numpy as np
    import pandas as pd

    from mlops_cli.records import ComponentSpec

_ALWAYS_TRAIN = -1  # scikit-learn's word for rows that are in no test fold
_TRAIN_WORDS = frozenset({"", "train", "training"})


def build_splitter(
    spec: ComponentSpec,
    *,
    task: Task | None = None,
    seed: int | None = None,
    columns: Mapping[str, Any],
    trust: Collection[str] = (),
    key: str = "split",
) -> Any:
    """Build the splitter of an experiment.

    Parameters
    ----------
    spec : ComponentSpec
        Its target may depend on the task. A ``column`` among the parameters of PredefinedSplit names the column
        that holds the folds, see `fold_numbers`.
    task : Task, optional
        What is learned.
    seed : int, optional
        Given to a splitter that shuffles and has no ``random_state``.
    columns : mapping of str to Series
        The columns of the data that a fold may be read from.
    trust : collection of str
        The modules that the workspace's owner trusts.
    key : str
        Where the spec stands.

    Raises
    ------
    ConfigError
        A parameter or column does not exist, or the splitter stratifies what has no classes.
    """
    target = str(spec.target_for(task))
    if "Stratified" in target and task not in {Task.CLASSIFICATION, None}:
        name = target.rpartition(".")[2]
        raise ConfigError(f"{name} stratifies by class; the task is {task}", key=key, hint="choose split=kfold")
    if "column" in spec.params and target.endswith(".PredefinedSplit"):
        spec = _with_folds(spec, columns, f"{key}.column")
    if spec.params.get("shuffle") is False:  # then scikit-learn refuses a seed
        spec = replace(spec, params={k: v for k, v in spec.params.items() if k != "random_state"})
    return build(spec, role=Role.SPLITTER, task=task, seed=seed, trust=trust, key=key)


def _with_folds(spec: ComponentSpec, columns: Mapping[str, Any], key: str) -> ComponentSpec:
    name = spec.params["column"]
    if name not in columns:
        hint = did_you_mean(str(name), columns)
        raise ConfigError(f"the data has no column {name!r}", key=key, hint=hint)
    try:
        folds = fold_numbers(columns[name])
    except ValueError as error:
        raise ConfigError(f"column {name!r} holds no folds: {error}", key=key) from None
    if (folds == _ALWAYS_TRAIN).all():
        raise ConfigError(f"column {name!r} puts no row in a test fold", key=key)
    rest = {k: v for k, v in spec.params.items() if k != "column"}
    return replace(spec, params={**rest, "test_fold": folds})


def fold_numbers(column: pd.Series[Any]) -> np.ndarray[Any, Any]:
    """Return each row's test fold, -1 for rows that are always trained on.

    Numbers are folds as they stand, -1 included; True is the one test fold and False trains; of texts, each value is
    a fold but ``train`` (or nothing), which trains. A missing value trains.

    Raises
    ------
    ValueError
        A number is not whole.

    Examples
    --------
    >>> import pandas as pd
    >>> fold_numbers(pd.Series(["train", "test", None, "test"])).tolist()
    [-1, 0, -1, 0]
    """
    import numpy as np
    import pandas as pd

    values = pd.Series(column).reset_index(drop=True)
    known = values.notna()
    folds = np.full(len(values), _ALWAYS_TRAIN, dtype=np.intp)
    if pd.api.types.is_bool_dtype(values.dtype):
        folds[known & values.eq(True)] = 0
    elif pd.api.types.is_numeric_dtype(values.dtype):
        numbers = values[known].astype(float)
        if (numbers % 1 != 0).any():
            raise ValueError(f"{numbers[numbers % 1 != 0].iloc[0]} is not a whole number")
        folds[known] = numbers.astype(np.intp)
    else:
        texts = values.astype("string").str.strip()
        tested = known & ~texts.str.lower().isin(_TRAIN_WORDS)
        folds[tested] = pd.factorize(texts[tested], sort=True)[0]
    return folds
