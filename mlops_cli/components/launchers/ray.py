"""Calls on a Ray cluster, started here or running already: an actor for each CPU, which takes one batch after another.

Actors and not tasks: whoever dies takes only its own batches along, and a process in which a call goes on past its
limit can be ended by its name.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import math
import os
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from mlops_cli.components.launchers.clusters import ClusterLauncher
from mlops_cli.components.launchers.limits import workers
from mlops_cli.components.launchers.machines import Ended, check_options, due
from mlops_cli.components.launchers.provided import NotProvidedError, forget, parts_of
from mlops_cli.components.launchers.verdicts import raised
from mlops_cli.components.launchers.work import work
from mlops_cli.errors import ConfigError, ExecutionError, MissingExtraError
from mlops_cli.records import ErrorInfo

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mlops_cli.components.launchers.provided import ProvidedFile
    from mlops_cli.components.launchers.work import Answers, Batch
    from mlops_cli.records import LauncherSpec

FETCH_S = 60
"""How long a part of a file may take to come."""

LOOK_S = 1.0
"""How often Ray is asked for its CPUs."""

FORGET_S = 5
"""How long workers are waited for that remove what they fetched."""

OPTIONS = frozenset({"namespace", "object_store_memory"})
"""What a config may say to ``ray.init``. Others, such as ``runtime_env``, would run whatever a config names."""

_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".",  # it prints on stdout whenever a worker dies; read when Ray is imported
}


class RayLauncher(ClusterLauncher):
    """Computes calls on a Ray cluster.

    Parameters
    ----------
    spec : LauncherSpec
        With ``address`` the cluster that runs there, else one on this machine of ``n_jobs`` workers.
    preload : sequence of str
        Modules that calls will need.

    Raises
    ------
    MissingExtraError
        Ray is not installed.
    ConfigError
        An option is unknown, or a cluster is to be started that is none of Ray's.
    """

    def __init__(self, spec: LauncherSpec, preload: Sequence[str] = ()) -> None:
        if importlib.util.find_spec("ray") is None:
            raise MissingExtraError("ray", "ray", "launcher=ray")
        if spec.cluster is not None:
            hint = "ray up starts a cluster; launcher.address says where it is"
            raise ConfigError("a cluster cannot be named for Ray", key="launcher.cluster", hint=hint)
        check_options(spec, OPTIONS)
        is_local = spec.address is None
        super().__init__(
            RayMachines(spec, preload),
            spec,
            workers=workers(spec) if is_local else None,
            shares_files=is_local,
        )


class Worker:
    """What runs in an actor's process."""

    def __init__(self, preload: Sequence[str]) -> None:
        for module in preload:
            with suppress(ImportError):
                importlib.import_module(module)

    def run(self, batch: Batch) -> Answers:
        """Compute a batch."""
        import ray

        actor = ray.get_runtime_context().get_actor_id()
        return replace(work(batch, _fetch, lambda: 1), worker=actor)

    def forget(self, run: str) -> None:
        """Remove what was fetched."""
        forget(run)


def _fetch(part: Any) -> bytes:
    import ray

    try:
        content: bytes = ray.get(part, timeout=FETCH_S)
    except ray.exceptions.RayError as error:
        raise NotProvidedError(str(error)) from error
    return content


@dataclass(frozen=True)
class _Sent:
    reference: Any
    actor: Any
    batch: Batch
    due: float = math.inf  # when it is to have been answered: not known before its actor runs


class RayMachines:
    """A Ray cluster as `ClusterLauncher` uses it."""

    def __init__(self, spec: LauncherSpec, preload: Sequence[str]) -> None:
        self._spec = spec
        self._preload = tuple(preload)
        self.patient = False
        self.logs: str | None = None
        self._is_ours = False  # whether Ray was started, or connected to, by this object
        self._actor_class: Any = None
        self._load: dict[Any, set[int]] = {}  # actor → what it has to do
        self._starting: dict[Any, Any] = {}  # what is there once an actor runs → the actor
        self._sent: dict[int, _Sent] = {}
        self._holds_files = False
        self._slots = 0
        self._looked = -LOOK_S

    # --- start and end ---------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Connect, and start workers where they are ours to start."""
        for name, value in _QUIET.items():
            os.environ.setdefault(name, value)  # read by Ray's own processes too
        import ray

        if not ray.is_initialized():
            self._init()
            self._is_ours = True
        self._actor_class = ray.remote(num_cpus=1, max_restarts=0, max_task_retries=0)(Worker)

    def _init(self) -> None:
        import ray

        where: dict[str, Any] = {"address": self._spec.address}
        if self._spec.address is None:
            where = {"address": "local", "num_cpus": workers(self._spec), "include_dashboard": False}
        try:
            ray.init(**self._spec.options, **where, log_to_driver=False, logging_level=logging.CRITICAL)
        except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
            raise ExecutionError(
                f"there is no Ray cluster at {self._spec.address or 'this machine'}: {error}",
                hint="ray start --head starts one; launcher.address says where it is",
            ) from error

    def close(self, run: str, *, kill: bool) -> None:
        """End what was started, and remove what workers fetched."""
        if self._actor_class is None:
            return
        import ray

        with suppress(Exception):  # whatever state the cluster is in, the rest has to end too
            if not kill and self._holds_files:
                ray.wait([a.forget.remote(run) for a in self._load], num_returns=len(self._load), timeout=FORGET_S)
            for actor in self._load:
                ray.kill(actor)
        self._load.clear()
        self._sent.clear()
        if self._is_ours:
            ray.shutdown()

    # --- work ------------------------------------------------------------------------------------------------------

    def slots(self, *, fresh: bool = False) -> int:
        """Return how many CPUs the cluster has now."""
        if fresh or time.monotonic() - self._looked >= LOOK_S:
            import ray

            try:
                self._slots = int(ray.cluster_resources().get("CPU", 0))
            except Exception as error:
                raise self._lost(error) from error
            self._looked = time.monotonic()
        return self._slots

    def send(self, ticket: int, batch: Batch) -> None:
        """Have a batch computed by the actor that has least to do."""
        actor = self._idlest()
        try:
            sent = _Sent(actor.run.remote(batch), actor, batch)
        except Exception as error:
            raise self._lost(error) from error
        self._sent[ticket] = self._timed(sent)
        self._load[actor].add(ticket)

    def _timed(self, sent: _Sent) -> _Sent:
        fetches = any(file.parts for file in sent.batch.files)
        if fetches or sent.actor in self._starting.values():
            return sent
        return replace(sent, due=due(sent.batch))

    def _idlest(self) -> Any:
        actor = min(self._load, key=lambda a: len(self._load[a]), default=None)
        if actor is None or (self._load[actor] and len(self._load) < self._most()):
            actor = self._actor_class.remote(self._preload)
            self._load[actor] = set()
            self._starting[actor.__ray_ready__.remote()] = actor
        return actor

    def _most(self) -> int:
        return min(self._slots, self._spec.n_jobs) if self._spec.n_jobs > 0 else self._slots

    def ended(self, timeout: float) -> Sequence[Ended]:
        """Wait at most so long, and return what has ended."""
        import ray

        if not self._sent:
            time.sleep(timeout)
            return []
        self._note_started()
        tickets = {sent.reference: ticket for ticket, sent in self._sent.items()}
        try:
            done, left = ray.wait(list(tickets), num_returns=1, timeout=timeout)
            if left:
                done += ray.wait(left, num_returns=len(left), timeout=0)[0]
        except Exception as error:
            raise self._lost(error) from error
        return [*(self._told(tickets[reference]) for reference in done), *self._muted()]

    def _note_started(self) -> None:
        import ray

        started = (
            ray.wait(list(self._starting), num_returns=len(self._starting), timeout=0)[0] if self._starting else []
        )
        for actor in [self._starting.pop(reference) for reference in started]:
            self._sent.update((t, self._timed(sent)) for t, sent in list(self._sent.items()) if sent.actor is actor)

    def _muted(self) -> Iterator[Ended]:
        """Yield the batches past their time, whose actors cannot even say so, and end these."""
        now = time.monotonic()
        for ticket in [ticket for ticket, sent in self._sent.items() if sent.due < now]:
            self._end(self._sent.pop(ticket).actor)
            yield Ended(ticket, mute=True)

    def _end(self, actor: Any) -> None:
        import ray

        ray.kill(actor)
        self._load.pop(actor, None)

    def _told(self, ticket: int) -> Ended:
        import ray

        sent = self._sent.pop(ticket)
        self._load.get(sent.actor, set()).discard(ticket)
        try:
            return Ended(ticket, ray.get(sent.reference))
        except ray.exceptions.RayActorError as error:
            self._load.pop(sent.actor, None)
            if "ModuleNotFoundError" in str(error):  # the actor could not even be made
                return Ended(ticket, failed=ErrorInfo("ModuleNotFoundError", str(error)))
            return Ended(ticket, died=True)
        except (ray.exceptions.WorkerCrashedError, ray.exceptions.OutOfMemoryError, ray.exceptions.ObjectLostError):
            return Ended(ticket, died=True)
        except Exception as error:  # noqa: BLE001 - a worker could not even read the batch
            return Ended(ticket, failed=raised(error))

    def renew(self, answers: Answers) -> None:
        """End the actor that computed a batch; what else it had to do comes back as died, and is tried again."""
        for actor in [a for a in self._load if a._actor_id.hex() == answers.worker]:
            self._end(actor)

    def supply(self, file: ProvidedFile) -> ProvidedFile:
        """Put the content of a file into Ray's store."""
        if file.parts:
            return file
        import ray

        self._holds_files = True
        return replace(file, parts=tuple(ray.put(part) for part in parts_of(file.path)))

    def _lost(self, why: BaseException) -> ExecutionError:
        text = " ".join(str(why).split()) or type(why).__name__
        return ExecutionError(
            f"the connection to the Ray cluster is lost ({text})",
            hint="what has ended is kept: resume the run once it is back",
        )
