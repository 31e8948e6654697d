"""The sets that come with scikit-learn, as one table each with a column named ``target``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlops_cli.errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    import pandas as pd

BUNDLED = ("breast_cancer", "diabetes", "digits", "iris", "wine")
"""Those with a single target; no download is needed for any."""


@dataclass(frozen=True)
class SklearnSource:
    """A set bundled with scikit-learn.

    Column names are in snake_case; ``target`` holds the classes' names where the set has them.

    Parameters
    ----------
    dataset : {"breast_cancer", "diabetes", "digits", "iris", "wine"}
        Which one.
    """

    dataset: str

    def __post_init__(self) -> None:
        if self.dataset not in BUNDLED:
            raise ConfigError(
                f"scikit-learn bundles no set '{self.dataset}' with one target",
                key="data.dataset",
                hint=did_you_mean(str(self.dataset), BUNDLED),
            )

    def load(self) -> pd.DataFrame:
        """Return the features and the target as one table."""
        import sklearn.datasets

        bunch: Any = getattr(sklearn.datasets, f"load_{self.dataset}")(as_frame=True)
        table: pd.DataFrame = bunch.data.rename(columns=_snake_case)
        return table.assign(target=_named_classes(bunch))


def _snake_case(name: str) -> str:
    """Return a plain name.

    Examples
    --------
    >>> _snake_case("sepal length (cm)")
    'sepal_length_cm'
    """
    return re.sub(r"\W+", "_", name).strip("_").lower()


def _named_classes(bunch: Any) -> Any:
    names = getattr(bunch, "target_names", None)
    if names is None or not all(isinstance(name, str) for name in names):
        return bunch.target
    return bunch.target.map(dict(enumerate(map(str, names))))
