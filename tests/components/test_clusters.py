"""Calls on real clusters: schedulers and workers are processes that each test starts, kills and misses."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections import Counter
from contextlib import closing, suppress
from importlib.util import find_spec
from pathlib import Path
from textwrap import dedent

import psutil
import pytest

from mlops_cli.components.launchers import clusters, make_launcher
from mlops_cli.components.launchers.clusters import ClusterLauncher
from mlops_cli.components.launchers.provided import cache_folder
from mlops_cli.components.launchers.ray import RayMachines
from mlops_cli.config import load_experiment
from mlops_cli.config.workspace import find_workspace
from mlops_cli.contracts import Call
from mlops_cli.errors import ConfigError, ExecutionError, MissingExtraError, TrustError
from mlops_cli.records import ComponentSpec, LauncherSpec
from mlops_cli.testing import check_launcher
from mlops_cli.workflows.init import init_workspace

pytest.importorskip("distributed")

MIB = 2**20
PID = "__import__('os').getpid()"
CRASH = "__import__('ctypes').string_at(0)"
SLOW = f"__import__('time').sleep(0.1) or {PID}"
HANG = "__import__('time').sleep(1000)"
HOG = "[bytearray(20 * 2**20) for _ in range(1000)]"
LOCK = "sum(iter(int, 1))"  # never gives the interpreter's lock back
PROVIDED = (
    "__import__('mlops_cli.components.launchers.provided', fromlist=['provided'])"
    ".provided(__import__('pathlib').Path({!r}))"
)


def on_dask(**options):
    return make_launcher(LauncherSpec(backend="dask", **options), inline=False)


@pytest.fixture
def dask(request):
    """Makes launchers, which are closed also where the test fails."""

    def make(**options):
        launcher = on_dask(**options)
        request.addfinalizer(lambda: launcher.close(kill=True))
        return launcher

    return make


def submit(launcher, expressions):
    """Submit what Python computes from a text, under the text's number."""
    for key, expression in enumerate(expressions):
        launcher.submit(Call(key, eval, expression))


def collected(launcher, count):
    """Return so many answers by their keys, and hold that there are no more and none twice."""
    answers = []
    while len(answers) < count:
        ended = launcher.wait(120)
        assert ended, f"{len(answers)} of {count} came back"
        answers += ended
    assert Counter(a.key for a in answers).most_common(1)[0][1] == 1
    assert not launcher.wait(0)
    return {a.key: a for a in answers}


def computed(launcher, expressions):
    submit(launcher, expressions)
    return collected(launcher, len(expressions))


def lost_as(answers):
    return {key: a.lost.type for key, a in answers.items() if a.lost is not None}


def own_processes():
    """Return the processes below this one; Python's own one that minds semaphores stays as long as it does."""
    children = psutil.Process().children(recursive=True)
    return {c for c in children if not any("resource_tracker" in part for part in _command(c))}


def _command(process):
    try:
        return process.cmdline()
    except psutil.Error:
        return []


@pytest.fixture(scope="module", autouse=True)
def no_orphans():
    """Hold that all processes of these tests end with them."""
    before = own_processes()
    yield
    _, alive = psutil.wait_procs(own_processes() - before, timeout=10)
    assert not alive


@pytest.fixture(scope="module")
def local():
    with closing(on_dask(n_jobs=2)) as launcher:
        yield launcher


class Cluster:
    """A scheduler and workers on this machine, as processes that were started by hand."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._processes = []
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{port}"
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard")

    def worker(self, *options):
        return self._start("worker", self.address, "--nthreads", "1", "--no-dashboard", *options)

    def _start(self, role, *arguments):
        process = subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.dask_{role}", *arguments],
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._processes.append(process)
        return process

    def end(self):
        """Kill them all: those that are asked to end ask the others first."""
        own = [psutil.Process(p.pid) for p in self._processes if p.poll() is None]
        for process in {*own, *(child for one in own for child in one.children(recursive=True))}:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        for process in self._processes:
            process.wait(30)


@pytest.fixture
def cluster(tmp_path):
    started = Cluster(tmp_path)
    yield started
    started.end()


# --- a cluster on this machine ---------------------------------------------------------------------------------------


def test_each_call_is_answered_once_by_one_of_the_workers(local):
    answers = computed(local, [f"({n}, {PID})" for n in range(300)])
    assert [answers[n].value[0] for n in range(300)] == list(range(300))
    assert len({a.value[1] for a in answers.values()} - {os.getpid()}) == local.workers == 2


def test_a_local_cluster_sees_the_files_of_this_machine(local, tmp_path):
    assert local.shares_files
    local.provide(tmp_path / "x")
    assert computed(local, [PROVIDED.format("x")])[0].value == Path("x")


def test_libraries_are_limited_to_one_thread(local):
    assert computed(local, ["__import__('os').environ['OMP_NUM_THREADS']"])[0].value == "1"


def test_only_the_call_that_kills_its_worker_is_lost(local):
    answers = computed(local, [SLOW, SLOW, CRASH, SLOW, "__import__('os')._exit(3)", SLOW, SLOW])
    assert lost_as(answers) == {2: "WorkerLost", 4: "WorkerLost"}
    assert "Segmentation fault" in answers[2].lost.traceback


def test_a_call_that_raises_is_lost_with_what_it_raised(local):
    answers = computed(local, ["1 / 0", "__import__('sys').exit('no')", "lambda: 0", "2"])
    assert lost_as(answers) == {0: "ZeroDivisionError", 1: "SystemExit", 2: "PicklingError"}
    assert "1 / 0" in answers[0].lost.traceback or "division" in answers[0].lost.traceback
    assert answers[3].value == 2


def test_an_argument_that_cannot_travel_loses_its_own_call(local):
    local.submit(Call("bad", len, (n for n in "ab")))
    local.submit(Call("good", len, "ab"))
    answers = collected(local, 2)
    assert answers["bad"].lost.type == "TypeError"
    assert answers["good"].value == 2


def test_what_calls_print_stays_with_those_that_are_lost(local, capfd):
    printing = "print('x' * 100_000) or print('the end') or __import__('os').abort()"
    answers = computed(local, [printing, "print('fine')"])
    assert answers[0].output.endswith("the end\n")
    assert len(answers[0].output) < 10_000
    assert capfd.readouterr() == ("", "")


def test_calls_that_have_not_begun_can_be_dropped(local, tmp_path):
    submit(local, [f"open({str(tmp_path)!r} + '/{n}', 'w').close()" for n in range(3000)])
    dropped = local.cancel({*range(1000, 3000), "unknown"})
    assert 2999 in dropped
    assert set(collected(local, 3000 - len(dropped))) == set(range(3000)) - dropped
    assert {int(path.name) for path in tmp_path.iterdir()} == set(range(3000)) - dropped


def test_there_is_nothing_to_wait_for_where_nothing_is_under_way(local):
    assert not local.wait()


def test_limits_end_the_call_that_breaks_them_and_no_other(dask):
    launcher = dask(n_jobs=2, trial_timeout=1.5, trial_memory=500 * MIB)
    answers = computed(launcher, ["1", HANG, SLOW, HOG, LOCK, *[SLOW] * 6])
    launcher.close()
    assert lost_as(answers) == {1: "TimeLimit", 3: "MemoryLimit", 4: "TimeLimit"}
    assert "1.5 s" in answers[1].lost.message
    assert "500 MiB" in answers[3].lost.message


def test_the_environment_is_left_as_it_was(dask):
    before = dict(os.environ)
    with closing(dask(n_jobs=1)) as launcher:
        computed(launcher, ["1"])
    assert dict(os.environ) == before


def test_closing_ends_calls_that_nobody_waits_for(dask):
    launcher = dask(n_jobs=1)
    submit(launcher, [PID, HANG])
    worker = psutil.Process(launcher.wait(60)[0].value)
    launcher.close(kill=True)
    launcher.close()
    assert psutil.wait_procs([worker], timeout=10)[1] == []


@pytest.mark.parametrize("backend", ["dask"])
def test_workers_end_with_a_parent_that_is_killed(backend, tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(
        dedent(f"""
        import sys
        from mlops_cli.components.launchers import make_launcher
        from mlops_cli.contracts import Call
        from mlops_cli.records import LauncherSpec

        if __name__ == "__main__":
            launcher = make_launcher(LauncherSpec(backend={backend!r}, n_jobs=1), inline=False)
            launcher.submit(Call(0, eval, {PID!r}))
            print(launcher.wait()[0].value, flush=True)
            launcher.submit(Call(1, eval, {HANG!r}))
            launcher.wait()
        """)
    )
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE) as parent:
        worker = psutil.Process(int(parent.stdout.readline()))
        children = psutil.Process(parent.pid).children(recursive=True)
        assert worker in children
        parent.kill()
    assert psutil.wait_procs(children, timeout=20)[1] == []


def test_a_local_cluster_keeps_the_contract(dask):
    check_launcher(lambda **limits: dask(n_jobs=2, **limits))


# --- a cluster that runs already -------------------------------------------------------------------------------------


def test_a_worker_that_is_killed_loses_and_repeats_nothing(cluster, dask):
    for _ in range(3):
        cluster.worker("--no-nanny")
    launcher = dask(address=cluster.address)
    submit(launcher, [SLOW] * 40)
    first = launcher.wait(60)
    os.kill(first[0].value, signal.SIGKILL)
    answers = {a.key: a for a in first} | collected(launcher, 40 - len(first))
    launcher.close()
    assert set(answers) == set(range(40))
    assert lost_as(answers) == {}


def test_a_call_that_kills_workers_is_begun_twice_whatever_the_scheduler_allows(cluster, tmp_path, dask):
    for _ in range(3):
        cluster.worker("--no-nanny")
    begun = tmp_path / "begun"
    launcher = dask(address=cluster.address)
    while launcher.workers < 3:
        computed(launcher, [SLOW])
    mark = f"open({str(begun)!r}, 'a').write('x') and __import__('os')._exit(1)"
    answers = computed(launcher, [mark, *[SLOW] * 5])
    launcher.close()
    assert lost_as(answers) == {0: "WorkerLost"}
    assert begun.read_text() == "xx"


def test_a_hanging_call_is_lost_where_no_nanny_can_restart_its_worker(cluster, dask):
    cluster.worker("--no-nanny")
    launcher = dask(address=cluster.address, trial_timeout=0.5)
    answers = computed(launcher, [HANG.replace("1000", "3"), SLOW])
    launcher.close()
    assert lost_as(answers) == {0: "TimeLimit"}


def test_of_calls_that_share_a_process_the_one_that_holds_too_much_is_lost(cluster, dask):
    cluster.worker("--nanny", "--nthreads", "3")
    launcher = dask(address=cluster.address, trial_memory=500 * MIB)
    assert lost_as(computed(launcher, ["1", SLOW, HOG, *[SLOW] * 8])) == {2: "MemoryLimit"}


def test_workers_that_join_are_used(cluster, dask):
    cluster.worker("--no-nanny")
    launcher = dask(address=cluster.address)
    computed(launcher, [SLOW])
    cluster.worker("--no-nanny")
    while launcher.workers < 2:
        computed(launcher, [SLOW])
    assert len({a.value for a in computed(launcher, [SLOW] * 12).values()}) == 2
    launcher.close()


def test_a_file_that_workers_do_not_see_reaches_them_and_goes_with_the_launcher(cluster, tmp_path, monkeypatch, dask):
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)  # the workers are in the folder above: a relative path means nothing to them
    Path("rows.bin").write_bytes(b"rows" * 1000)
    for _ in range(2):
        cluster.worker("--nanny")
    launcher = dask(address=cluster.address)
    assert not launcher.shares_files
    launcher.provide(Path("rows.bin"))
    found = {a.value for a in computed(launcher, [PROVIDED.format("rows.bin")] * 4).values()}
    (copy,) = found
    assert copy.is_relative_to(cache_folder())
    assert copy.read_bytes() == b"rows" * 1000
    launcher.close()
    assert not copy.exists()


def test_a_file_that_workers_see_is_not_sent(cluster, tmp_path, dask):
    cluster.worker("--no-nanny")
    (tmp_path / "rows.bin").write_bytes(b"rows")
    launcher = dask(address=cluster.address)
    launcher.provide(tmp_path / "rows.bin")
    assert computed(launcher, [PROVIDED.format(str(tmp_path / "rows.bin"))])[0].value == tmp_path / "rows.bin"
    launcher.close()


def test_a_scheduler_that_dies_is_one_error_and_no_hang(cluster, dask):
    cluster.worker("--no-nanny", "--death-timeout", "1")
    launcher = dask(address=cluster.address)
    submit(launcher, [SLOW] * 50)
    assert launcher.wait(60)
    cluster.scheduler.kill()
    with pytest.raises(ExecutionError, match=r"connection to the Dask scheduler at tcp://127.0.0.1:.* is lost"):
        collected(launcher, 50)
    launcher.close(kill=True)


def test_an_address_without_a_scheduler_is_one_error(monkeypatch, dask):
    monkeypatch.setattr("mlops_cli.components.launchers.dask.CONNECT_S", 1)
    launcher = dask(address="tcp://127.0.0.1:1")
    submit(launcher, ["1"])
    with pytest.raises(ExecutionError, match=r"no Dask scheduler at tcp://127.0.0.1:1"):
        launcher.wait()
    launcher.close()


def test_workers_with_other_versions_are_refused(cluster, monkeypatch, dask):
    cluster.worker("--no-nanny")
    monkeypatch.setattr(clusters, "versions", lambda: (("scikit-learn", "0.1"),))
    launcher = dask(address=cluster.address)
    submit(launcher, ["1"])
    with pytest.raises(ExecutionError, match=r"scikit-learn .* here it is 0.1"):
        launcher.wait(60)
    launcher.close(kill=True)


# --- a cluster that a config names -----------------------------------------------------------------------------------

NAMED = ComponentSpec("distributed.LocalCluster", {"n_workers": 1, "threads_per_worker": 1, "dashboard_address": ":0"})


def test_a_cluster_is_started_from_its_spec_if_its_package_is_trusted():
    spec = LauncherSpec(backend="dask", cluster=NAMED)
    with closing(make_launcher(spec, inline=False, trust=("distributed",))) as launcher:
        assert computed(launcher, ["1", "2"])[1].value == 2
        assert not launcher.shares_files


def test_a_cluster_of_a_package_that_is_not_trusted_is_refused(dask):
    with pytest.raises(TrustError, match=r"launcher\.cluster\._target_"):
        dask(cluster=NAMED)


@pytest.mark.parametrize("backend", ["dask", "ray"])
def test_options_that_would_run_code_are_refused(backend):
    if not find_spec(backend):
        pytest.skip(f"{backend} is not installed")
    with pytest.raises(ConfigError, match=r"launcher\.options: 'preload' is no option here"):
        make_launcher(LauncherSpec(backend=backend, options={"preload": "evil.py"}), inline=False)


@pytest.mark.parametrize(("backend", "package"), [("dask", "distributed"), ("ray", "ray")])
def test_a_missing_package_is_named_with_its_extra(backend, package, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=rf'{package}.*pip install "mlops-cli\[{backend}\]"'):
        make_launcher(LauncherSpec(backend=backend), inline=False)


# --- what docs/clusters.md says -------------------------------------------------------------------------------------

GUIDE = (Path(__file__).resolve().parents[2] / "docs" / "clusters.md").read_text(encoding="utf-8")


def shown(language):
    return re.findall(rf"^```{language}\n(.*?)^```", GUIDE, flags=re.DOTALL | re.MULTILINE)


@pytest.fixture
def started(tmp_path):
    """A new workspace that trusts what the guide says, with a class in place of the batch system's."""
    init_workspace(tmp_path)
    (tmp_path / "dask_jobqueue.py").write_text(
        "class SLURMCluster:\n    def scale(self): ...\n    def close(self): ...\n"
    )
    (tmp_path / "pyproject.toml").write_text(shown("toml")[0])
    (tmp_path / "configs" / "slurm.yaml").write_text(shown("yaml")[0])
    return find_workspace(tmp_path)


def test_the_commands_of_the_guide_compose(started):
    commands = re.findall(r"mlops run config=iris ([^`\n]*)", GUIDE)
    assert len(commands) >= 4
    for command in commands:
        spec = load_experiment("iris", command.split(), started).spec.launcher
        assert spec.backend in {"dask", "ray"}


def test_the_config_of_the_guide_names_its_cluster(started):
    spec = load_experiment("slurm", [], started).spec.launcher
    assert spec.n_jobs == 20
    assert spec.cluster.params["walltime"] == "02:00:00"


# --- Ray -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ray():
    """Returns launchers on one Ray of this machine, which takes seconds to start."""
    if not find_spec("ray"):  # not imported here: it reads what it is to print when it is
        pytest.skip("Ray is not installed")

    def launcher(n_jobs=2, **limits):
        return make_launcher(LauncherSpec(backend="ray", n_jobs=n_jobs, **limits), inline=False)

    with closing(launcher(n_jobs=3)) as first:
        computed(first, ["1"])  # keeps one of three workers, and the others find the Ray that it has started
        yield launcher


def test_ray_keeps_the_contract(ray):
    check_launcher(ray)


def test_ray_gives_the_same_verdicts(ray, capfd):
    with closing(ray(trial_timeout=2, trial_memory=500 * MIB)) as launcher:
        answers = computed(launcher, [*[SLOW] * 6, HANG, CRASH, HOG, "1 / 0", "lambda: 0", LOCK, *[SLOW] * 6])
        assert launcher.workers == 2
    assert lost_as(answers) == {
        6: "TimeLimit",
        7: "WorkerLost",
        8: "MemoryLimit",
        9: "ZeroDivisionError",
        10: "PicklingError",
        11: "TimeLimit",
    }
    assert capfd.readouterr().out == ""


def test_a_file_reaches_ray(ray, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("rows.bin").write_bytes(b"rows" * 1000)
    launcher = ClusterLauncher(RayMachines(LauncherSpec(backend="ray"), ()), LauncherSpec(backend="ray"))
    with closing(launcher):  # as on another machine
        launcher.provide(Path("rows.bin"))
        copy = computed(launcher, [PROVIDED.format("rows.bin")])[0].value
        assert copy.is_relative_to(cache_folder())
        assert copy.read_bytes() == b"rows" * 1000
    assert not copy.exists()
