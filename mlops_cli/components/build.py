"""The door to everything that makes an object from a spec; see the modules named here for how."""

from mlops_cli.components.construct import build, check_names, spec_from
from mlops_cli.components.estimators import check_before_fit, check_task, check_values, takes_sample_weight
from mlops_cli.components.splitters import build_splitter
from mlops_cli.components.wrap import wrap_calibration, wrap_target, wrap_threshold

__all__ = [
    "build",
    "build_splitter",
    "check_before_fit",
    "check_names",
    "check_task",
    "check_values",
    "spec_from",
    "takes_sample_weight",
    "wrap_calibration",
    "wrap_target",
    "wrap_threshold",
]
