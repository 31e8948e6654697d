"""Reads where trials run, and what one trial may take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops_cli.config import readers as read
from mlops_cli.config.component import read_component
from mlops_cli.errors import ConfigError
from mlops_cli.records import LauncherSpec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlops_cli.records import ComponentSpec

BACKENDS = ("loky", "threading", "sequential", "dask", "ray")
"""Where trials can run."""

_UNKILLABLE = ("threading", "sequential")
_CLUSTERS = ("dask", "ray")
_LIMITS = ("trial_timeout", "trial_memory")
_OF_CLUSTERS = ("address", "cluster", "options")


def read_launcher(value: object, key: str) -> LauncherSpec:
    """Return where trials run.

    Raises
    ------
    ConfigError
        With the key at fault.
    """
    node = read.mapping(value, key)
    read.only(node, key, ("backend", "n_jobs", *_LIMITS, *_OF_CLUSTERS))
    launcher = LauncherSpec(
        backend=read.choice(node.get("backend", "loky"), f"{key}.backend", BACKENDS),
        n_jobs=_n_jobs(node.get("n_jobs", -1), f"{key}.n_jobs"),
        trial_timeout=read.seconds(node.get("trial_timeout"), f"{key}.trial_timeout"),
        trial_memory=read.size(node.get("trial_memory"), f"{key}.trial_memory"),
        address=None if node.get("address") is None else read.text(node["address"], f"{key}.address"),
        cluster=_cluster(node.get("cluster"), f"{key}.cluster"),
        options=read.mapping(node.get("options"), f"{key}.options"),
    )
    _check_together(launcher, key)
    return launcher


def useless(backend: str) -> tuple[str, ...]:
    """Return the keys that a backend has no use for."""
    limits = _LIMITS if backend in _UNKILLABLE else ()
    return (*limits, *_OF_CLUSTERS) if backend not in _CLUSTERS else limits


def _n_jobs(value: object, key: str) -> int:
    n_jobs = read.integer(value, key)
    if n_jobs == 0:
        raise read.wrong(0, key, "-1 for all cores, or 1 or more")
    return n_jobs


def _cluster(value: object, key: str) -> ComponentSpec | None:
    node: Mapping[str, Any] = read.mapping(value, key)
    return read_component(node, key) if node else None


def _check_together(launcher: LauncherSpec, key: str) -> None:
    backend = launcher.backend
    for name in _LIMITS if backend in _UNKILLABLE else ():
        if getattr(launcher, name) is not None:
            message = f"with launcher.backend {backend} a trial cannot be ended from outside"
            raise ConfigError(message, key=f"{key}.{name}", hint="remove it, or choose launcher=loky")
    for name in _OF_CLUSTERS if backend not in _CLUSTERS else ():
        if getattr(launcher, name):
            message = f"launcher.backend {backend} is no cluster"
            raise ConfigError(message, key=f"{key}.{name}", hint="remove it, or choose launcher=dask or launcher=ray")
    _check_cluster(launcher, key)


def _check_cluster(launcher: LauncherSpec, key: str) -> None:
    """Refuse what would have no use: a cluster is found by its address, or started, in one way."""
    if launcher.cluster is not None and launcher.backend == "ray":
        raise ConfigError("Ray takes the address of a cluster", key=f"{key}.cluster", hint="launcher.address=auto")
    if launcher.cluster is not None and launcher.address is not None:
        raise ConfigError("there is an address too", key=f"{key}.cluster", hint="remove one of them")
    if launcher.options and launcher.backend == "dask" and (launcher.address or launcher.cluster):
        hint = "parameters of a cluster stand beside its _target_" if launcher.cluster else "remove them"
        raise ConfigError("are for the local cluster, and none is started", key=f"{key}.options", hint=hint)
