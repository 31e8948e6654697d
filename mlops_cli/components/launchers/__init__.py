"""Where calls are computed: here, in threads, in processes, on a cluster. Nothing in here knows of machine learning."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops_cli.components.launchers.limits import workers

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from mlops_cli.contracts import Launcher
    from mlops_cli.records import LauncherSpec

__all__ = ["make_launcher", "workers"]


def make_launcher(
    spec: LauncherSpec, *, inline: bool, preload: Sequence[str] = (), trust: Collection[str] = ()
) -> Launcher:
    """Return the launcher that a config asks for.

    Parameters
    ----------
    spec : LauncherSpec
        The backend, the number of workers, and what one call may take.
    inline : bool
        Whether calls may run in this process where that is quicker. Not for code that could end the process, and not
        where there are limits, since a call can be ended only with the process that it runs in.
    preload : sequence of str
        Modules that workers import as they start.
    trust : collection of str
        The modules that the workspace's owner trusts: a cluster that the config names has to be of one.
    """
    if spec.backend == "dask":
        from mlops_cli.components.launchers.dask import DaskLauncher

        return DaskLauncher(spec, preload, trust=trust)
    if spec.backend == "ray":
        from mlops_cli.components.launchers.ray import RayLauncher

        return RayLauncher(spec, preload)
    return _on_this_machine(spec, inline=inline, preload=preload)


def _on_this_machine(spec: LauncherSpec, *, inline: bool, preload: Sequence[str]) -> Launcher:
    if spec.backend == "sequential":
        from mlops_cli.components.launchers.inline import Inline

        return Inline()
    if spec.backend == "threading":
        from mlops_cli.components.launchers.threads import Threads

        return Threads(workers(spec))
    from mlops_cli.components.launchers.processes import Processes

    return Processes(spec, inline=inline, preload=preload)
