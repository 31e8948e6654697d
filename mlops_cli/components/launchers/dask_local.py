"""A Dask cluster on this machine: a scheduler in this process, and worker processes that Dask's nannies start again."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from typing import TYPE_CHECKING, Any

from mlops_cli.components.launchers.limits import THREAD_VARIABLES, workers
from mlops_cli.components.launchers.provided import cache_folder, sweep

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import ExitStack

    from mlops_cli.records import LauncherSpec

RESTART_S = 60
"""How long a worker may take to come back."""

OPTIONS = frozenset({"host", "interface", "local_directory", "memory_limit", "protocol"})
"""What a config may say of a local cluster. Others, such as ``preload``, would run whatever a config names."""

_ENVIRONMENT = {
    **dict.fromkeys(THREAD_VARIABLES, "1"),
    "DASK_LOGGING__DISTRIBUTED": "critical",
    "MALLOC_TRIM_THRESHOLD_": "65536",  # Dask's own default, which these stand in for
}
"""Of workers on this machine, from before their first import."""


def start_local(spec: LauncherSpec, resources: ExitStack) -> tuple[Any, str]:
    """Start a cluster, and return it and the folder for what its workers write.

    Parameters
    ----------
    spec : LauncherSpec
        With the number of workers.
    resources : ExitStack
        Ends the cluster and removes the folder.
    """
    import dask
    from distributed import LocalCluster

    sweep()
    folder = tempfile.mkdtemp(prefix="dask-", dir=cache_folder())
    resources.callback(shutil.rmtree, folder, ignore_errors=True)
    resources.callback(_restore, dict(os.environ))
    with dask.config.set({"distributed.nanny.pre-spawn-environ": _ENVIRONMENT}):
        return resources.enter_context(LocalCluster(**_parameters(spec, folder))), folder


def _parameters(spec: LauncherSpec, folder: str) -> dict[str, Any]:
    return {
        "memory_limit": None,  # Dask would pause workers that hold much, and the run would stand still
        "local_directory": folder,
        **spec.options,
        "threads_per_worker": 1,  # a process that dies takes one call along
        "n_workers": workers(spec),
        "silence_logs": logging.CRITICAL,
        "scheduler_kwargs": {
            "allowed_failures": 0,  # whoever kills a worker is tried again by us, alone
            "dashboard": False,
            "dashboard_address": "127.0.0.1:0",  # Dask serves its health there all the same: on any free port
        },
        "death_timeout": RESTART_S,
    }


def _restore(environment: Mapping[str, str]) -> None:
    """Undo what Dask sets for its workers in this process, so that they have it from their start."""
    for name in {*_ENVIRONMENT, "PYTHONHASHSEED", "__DASK_PARENT_PID"}:
        if name in environment:
            os.environ[name] = environment[name]
        else:
            os.environ.pop(name, None)
