"""Feature steps that scikit-learn has no class for; each a plain transformer, one file for each idea."""

from mlops_cli.components.transforms.categories import GroupRare
from mlops_cli.components.transforms.dates import DateParts
from mlops_cli.components.transforms.numbers import Clip, ColumnPairs, Log
from mlops_cli.components.transforms.tensors import Reshape

__all__ = ["Clip", "ColumnPairs", "DateParts", "GroupRare", "Log", "Reshape"]
