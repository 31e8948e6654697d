"""Calls on a Dask cluster: one started here, one that runs already, or one that a batch system starts.

Futures of Dask's own client, not joblib's backend: that one hangs where a worker dies with no failures allowed.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import queue
import signal
import time
from collections import Counter
from concurrent.futures import CancelledError, ThreadPoolExecutor, wait
from contextlib import ExitStack, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mlops_cli.components.launchers.clusters import ClusterLauncher
from mlops_cli.components.launchers.dask_local import OPTIONS, RESTART_S, start_local
from mlops_cli.components.launchers.limits import workers
from mlops_cli.components.launchers.machines import MUTE_S, Ended, check_options, due
from mlops_cli.components.launchers.provided import forget, parts_of
from mlops_cli.components.launchers.verdicts import raised
from mlops_cli.errors import ConfigError, ExecutionError, MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from mlops_cli.components.launchers.provided import ProvidedFile
    from mlops_cli.components.launchers.work import Answers, Batch
    from mlops_cli.records import ComponentSpec, LauncherSpec

CONNECT_S = 15
"""How long a scheduler may take to answer."""

_TICK_S = 0.2

LOOK_S = 1.0
"""How often the scheduler is asked for its workers."""


class DaskLauncher(ClusterLauncher):
    """Computes calls on a Dask cluster.

    Parameters
    ----------
    spec : LauncherSpec
        With ``address`` the cluster that runs there, with ``cluster`` one that this object starts, with neither one
        on this machine of ``n_jobs`` workers.
    preload : sequence of str
        Modules that calls will need.
    trust : collection of str
        The modules that the workspace's owner trusts; ``cluster`` has to be of one of them.

    Raises
    ------
    MissingExtraError
        Dask is not installed.
    ConfigError
        An option is unknown, or the cluster cannot be imported or is not trusted.
    """

    def __init__(self, spec: LauncherSpec, preload: Sequence[str] = (), *, trust: Collection[str] = ()) -> None:
        if importlib.util.find_spec("distributed") is None:
            raise MissingExtraError("distributed", "dask", "launcher=dask")
        is_local = spec.address is None and spec.cluster is None
        if is_local:
            check_options(spec, OPTIONS)
        if spec.cluster is not None:
            _import(spec.cluster, trust)
        super().__init__(
            DaskMachines(spec, preload, trust),
            spec,
            workers=workers(spec) if is_local else None,
            shares_files=is_local,
        )


def _refuse_idle(cluster: Any) -> None:
    """Raise if a cluster could submit none of its jobs: it logs that and no more, and the run would wait for good."""
    from distributed import Status

    async def submitted() -> None:
        await cluster

    cluster.sync(submitted)
    states = [getattr(worker, "status", None) for worker in cluster.workers.values()]
    if states and all(state is Status.created for state in states):
        raise ConfigError("the cluster cannot start workers; above is what it says", key="launcher.cluster")


def _import(cluster: ComponentSpec, trust: Collection[str]) -> None:
    """Import a cluster's class: some packages set signal handlers then, which only the main thread may."""
    from mlops_cli.components.targets import Role, resolve

    resolve(str(cluster.target), Role.CLUSTER, trust, key="launcher.cluster._target_")


class DaskMachines:
    """A Dask cluster as `ClusterLauncher` uses it."""

    def __init__(self, spec: LauncherSpec, preload: Sequence[str], trust: Collection[str]) -> None:
        self._spec = spec
        self._preload = tuple(preload)
        self._trust = trust
        self._is_local = spec.address is None and spec.cluster is None
        self.patient = spec.cluster is not None
        self.logs: str | None = None
        self._resources = ExitStack()
        self._asker = ThreadPoolExecutor(1, thread_name_prefix="mlops-dask")
        self._client: Any = None
        self._futures: dict[int, Any] = {}
        self._parts: list[Any] = []  # Dask keeps scattered data while somebody has its future
        self._ended: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._threads: dict[str, int] = {}  # of each worker that takes calls
        self._present: frozenset[str] = frozenset()  # those that take none for now too
        self._ending: set[str] = set()  # those that are as good as gone
        self._left: set[str] = set()  # those that went as was meant: their time was up, or the cluster shrank
        self._names: dict[str, object] = {}
        self._nannies: dict[str, str | None] = {}
        self._at: dict[int, str] = {}  # ticket → worker
        self._due: dict[int, float] = {}  # ticket → when it is to have been answered
        self._beats: dict[str, tuple[float, float]] = {}  # worker → its last heartbeat, and when that was news here
        self._looked = -LOOK_S

    # --- start and end ---------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Connect, and start workers where they are ours to start."""
        from distributed.utils import silence_logging_cmgr

        self._resources.enter_context(silence_logging_cmgr(logging.CRITICAL))  # verdicts are told by us
        if self._is_local:
            cluster, self.logs = start_local(self._spec, self._resources)
            self._connect(cluster)
            self._settle_local()
        elif self._spec.cluster is not None:
            self._connect(self._own_cluster())
        else:
            self._connect(self._spec.address)
        self._client.subscribe_topic("all", self._heard)
        if not self._is_local and self._preload:
            from mlops_cli.components.launchers.dask_worker import import_all

            with suppress(Exception):  # a worker that lacks a module says so when it matters
                self._client.run(import_all, self._preload, wait=False)

    def _connect(self, to: Any) -> None:
        from distributed import Client

        try:
            client = Client(to, timeout=CONNECT_S, set_as_default=False)
        except (OSError, ValueError) as error:
            raise ExecutionError(
                f"there is no Dask scheduler at {to}: {error or type(error).__name__}",
                hint="dask scheduler starts one; launcher.address says where it is",
            ) from error
        self._client = self._resources.enter_context(client)

    def _settle_local(self) -> None:
        from mlops_cli.components.launchers.dask_worker import Settle

        self._client.register_plugin(Settle(os.getpid(), str(self.logs), self._preload))

    def _own_cluster(self) -> Any:
        """Build the cluster that the config names, and have it start workers."""
        from distributed import SpecCluster

        from mlops_cli.components.construct import build
        from mlops_cli.components.targets import Role

        spec = self._spec
        if spec.cluster is None:
            raise ConfigError("no cluster is named", key="launcher.cluster")
        cluster = build(spec.cluster, role=Role.CLUSTER, trust=self._trust, key="launcher.cluster")
        self._resources.enter_context(cluster)
        if spec.n_jobs > 0:
            cluster.scale(spec.n_jobs)
        elif not getattr(cluster, "worker_spec", True):
            hint = "launcher.n_jobs=20 asks it for 20"
            raise ConfigError("this cluster starts no workers by itself", key="launcher.n_jobs", hint=hint)
        if isinstance(cluster, SpecCluster):
            _refuse_idle(cluster)
        return cluster

    def close(self, run: str, *, kill: bool) -> None:
        """End what was started, and remove what workers fetched."""
        if self._client is not None and self._client.status == "running":
            with suppress(Exception):  # whatever state the cluster is in, the rest has to end too
                self._leave(run, kill=kill)
        self._futures.clear()
        parts, self._parts = self._parts, []
        parts.clear()
        with suppress(Exception):
            self._resources.close()
        self._asker.shutdown(wait=False)

    def _leave(self, run: str, *, kill: bool) -> None:
        self._client.unsubscribe_topic("all")
        if kill and self._is_local:
            self._kill_local()
        elif kill and self._futures:
            self._client.cancel(list(self._futures.values()), force=True)
        if self._parts:
            self._client.run(forget, run, on_error="ignore")

    def _own_nannies(self) -> list[Any]:
        return list(self._client.cluster.workers.values()) if self._is_local else []

    def _kill_local(self) -> None:
        for nanny in self._own_nannies():
            nanny.auto_restart = False
            if nanny.pid is not None:
                with suppress(ProcessLookupError):
                    os.kill(nanny.pid, signal.SIGKILL)

    # --- work ------------------------------------------------------------------------------------------------------

    def slots(self, *, fresh: bool = False) -> int:
        """Return how many threads the workers have now."""
        if fresh or time.monotonic() - self._looked >= LOOK_S:
            self._looked = time.monotonic()
            known = self._asked(self._client.scheduler_info, n_workers=-1)["workers"]
            self._present = frozenset(known)
            self._take_pulse(known)
            self._names.update((address, worker["name"]) for address, worker in known.items())
            self._nannies = {address: worker["nanny"] for address, worker in known.items()}
            taking = (a for a, w in known.items() if w.get("status", "running") == "running" and a not in self._ending)
            self._threads = {address: known[address]["nthreads"] for address in taking}
        return sum(self._threads.values())

    def _take_pulse(self, known: Mapping[str, Any]) -> None:
        now = time.monotonic()
        for address, worker in known.items():
            if self._beats.get(address, (None,))[0] != worker["last_seen"]:
                self._beats[address] = (worker["last_seen"], now)

    def _heard(self, event: tuple[float, Any]) -> None:
        """Take note of a worker that goes. Dask calls this in a thread of its own."""
        message = event[1]
        if isinstance(message, dict) and message.get("action") == "remove-worker":
            if message.get("expected"):
                self._left.add(message["worker"])
            self._looked = -LOOK_S

    def send(self, ticket: int, batch: Batch) -> None:
        """Have a batch computed by the worker that has least to do, and by no other.

        Dask would otherwise give a call that kills workers to as many as the scheduler's ``allowed-failures`` says.
        """
        from mlops_cli.components.launchers.dask_worker import run_batch

        load = Counter(self._at.values())
        worker = min(self._threads, key=lambda address: load[address] / self._threads[address])
        key = f"mlops-{batch.run}-{ticket}"
        place = {"workers": [worker], "allow_other_workers": False}
        future = self._asked(self._client.submit, run_batch, batch, key=key, pure=False, retries=0, **place)
        self._futures[ticket], self._at[ticket], self._due[ticket] = future, worker, due(batch)
        future.add_done_callback(lambda _: self._ended.put(ticket))

    def ended(self, timeout: float) -> Sequence[Ended]:
        """Wait at most so long, and return what has ended."""
        tickets = list(self._drained(timeout))
        self._check_connection()
        futures = {ticket: self._taken(ticket) for ticket in tickets if ticket in self._futures}
        done = {future.key: ticket for ticket, future in futures.items() if future.status == "finished"}
        answered = [Ended(ticket, answers) for ticket, answers in self._values(done)]
        settled = {one.ticket for one in answered}
        told = [self._told(ticket, future) for ticket, future in futures.items() if ticket not in settled]
        return [*answered, *told, *self._stranded(), *self._muted()]

    def _values(self, keys: dict[str, int]) -> Iterator[tuple[int, Answers]]:
        """Yield the answers that workers still have: `Client.gather` would wait for those that died with them."""
        wanted = list(keys)
        while wanted:
            reply = self._asked(self._client.sync, self._client.scheduler.gather, keys=wanted)
            if reply["status"] == "OK":
                yield from ((keys[key], reply["data"][key]) for key in wanted)
                return
            wanted = [key for key in wanted if key not in reply["keys"]]

    def _taken(self, ticket: int) -> Any:
        del self._at[ticket], self._due[ticket]
        return self._futures.pop(ticket)

    def _stranded(self) -> list[Ended]:
        """Return the batches whose worker is gone: Dask keeps them until it comes back."""
        self.slots()
        stranded = [(t, at) for t, at in self._at.items() if at not in self._present]
        futures = [self._taken(ticket) for ticket, _ in stranded]
        if futures:
            self._asked(self._client.cancel, futures, force=True)
        return [self._left_by(ticket, at) for ticket, at in stranded]

    def _muted(self) -> Iterator[Ended]:
        """Yield the batches past their time whose worker has no heartbeat any more, and end these workers."""
        now = time.monotonic()
        for ticket in [ticket for ticket, until in self._due.items() if until < now]:
            worker = self._at[ticket]
            if now - self._beats[worker][1] > MUTE_S:
                self._asked(self._client.cancel, [self._taken(ticket)], force=True)
                self._restart(worker)
                yield Ended(ticket, mute=True)

    def _restart(self, worker: str) -> None:
        """Have a worker end and start again where it has a nanny; else what it runs goes on there."""
        own = [nanny for nanny in self._own_nannies() if nanny.worker_address == worker and nanny.pid is not None]
        if own:
            self._ending.add(worker)
            os.kill(own[0].pid, signal.SIGKILL)  # at once, even if it cannot hear; its nanny starts another one
        elif self._nannies.get(worker):
            self._ending.add(worker)
            with suppress(KeyError):  # it is gone already
                self._asked(self._client.restart_workers, [worker], timeout=RESTART_S, raise_for_error=False)
        self._looked = -LOOK_S

    def _left_by(self, ticket: int, worker: str) -> Ended:
        if worker in self._left:
            return Ended(ticket, left=True)
        return Ended(ticket, died=True, log=self._log_of(worker))

    def _drained(self, timeout: float) -> Iterator[int]:
        try:
            yield self._ended.get(timeout=timeout) if timeout > 0 else self._ended.get_nowait()
            while True:
                yield self._ended.get_nowait()
        except queue.Empty:
            return

    def _told(self, ticket: int, future: Any) -> Ended:
        """Return what a future says that has no value."""
        from distributed.scheduler import KilledWorker

        if future.status == "cancelled":
            raise self._lost("its futures are cancelled")
        if future.status != "error":  # it had a value, which its worker took along
            self._asked(self._client.cancel, [future], force=True)
            return Ended(ticket, left=True)
        error = future.exception()
        if isinstance(error, KilledWorker):
            self._ending.add(error.last_worker.address)
            self._looked = -LOOK_S
            return Ended(ticket, died=True, log=self._log_of(error.last_worker.address))
        return Ended(ticket, failed=raised(error))  # a worker could not even read the batch

    def _log_of(self, address: str) -> str:
        from mlops_cli.components.launchers.dask_worker import log_of, tail_of

        return "" if self.logs is None else tail_of(log_of(self.logs, self._names[address]))

    def renew(self, answers: Answers) -> None:
        """End the process that computed a batch."""
        if answers.worker is not None:
            self._restart(answers.worker)

    def supply(self, file: ProvidedFile) -> ProvidedFile:
        """Scatter the content of a file, once more if a worker died with some of it."""
        held = {part.key: part for part in self._parts}
        if file.parts and all(held[key].status == "finished" for key in file.parts):
            return file
        parts = [self._asked(self._client.scatter, part, hash=False) for part in parts_of(file.path)]
        self._parts += parts
        return replace(file, parts=tuple(part.key for part in parts))

    # --- the connection --------------------------------------------------------------------------------------------

    def _asked(self, ask: Any, *args: Any, **kwargs: Any) -> Any:
        """Ask the scheduler something, and do not wait for its answer once the connection is lost."""
        answer = self._asker.submit(ask, *args, **kwargs)
        while not wait([answer], timeout=_TICK_S).done:
            self._check_connection()
        try:
            return answer.result()
        except (OSError, CancelledError, RuntimeError) as error:  # a closed connection is an OSError
            raise self._lost(error) from error

    def _check_connection(self) -> None:
        if self._client.status != "running":
            raise self._lost(self._client.status)

    def _lost(self, why: object) -> ExecutionError:
        text = " ".join(str(why).split()) or type(why).__name__
        where = self._spec.address or self._client.scheduler.address
        return ExecutionError(
            f"the connection to the Dask scheduler at {where} is lost ({text})",
            hint="what has ended is kept: resume the run once it is back",
        )
