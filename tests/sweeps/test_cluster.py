"""A real scheduler and two worker processes on loopback: the same results as one after the other."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from distributed import Client, KilledWorker

from rednd_core.config import PROJECT_ROOT
from rednd_core.errors import ConfigError, EngineError
from rednd_core.runs import RunStore
from rednd_core.sweeps import cluster, local_workers
from rednd_core.sweeps.cluster import DaskPool
from rednd_core.sweeps.local_workers import gpus, worker_options
from rednd_core.sweeps.sweep import run_sweep
from rednd_core.training.memory import MEMORY_SHARE

from .conftest import Diary, SerialPool

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals")
PATIENCE = 120


class Cluster:
    """``dask scheduler`` and ``dask worker`` as somebody starts them on a shell."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._processes = folder, []
        address_file = folder / "address"
        self._start("scheduler", "--host", "127.0.0.1", "--port", "0", "--no-show",
                    "--dashboard-address", "127.0.0.1:0", "--pid-file", str(address_file))  # fmt: skip
        self.address = self._said("scheduler", "Scheduler at:").split()[-1]

    def add_worker(self, name: str, *options: str) -> int:
        """Start a worker without a nanny, which would start it again; returns its pid."""
        process = self._start(
            "worker", self.address, "--name", name, "--no-nanny", "--no-dashboard",
            "--local-directory", str(self._folder), *options,
        )  # fmt: skip
        return process.pid

    def _start(self, kind: str, *options: str) -> subprocess.Popen:
        log = (self._folder / f"{kind}-{len(self._processes)}.log").open("wb")
        process = subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.dask_{kind}", *options],
            stdout=log,
            stderr=subprocess.STDOUT,
            env=os.environ | {"PYTHONPATH": str(PROJECT_ROOT)},
        )
        self._processes.append(process)
        return process

    def _said(self, kind: str, what: str) -> str:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            for line in (self._folder / f"{kind}-0.log").read_text().splitlines():
                if what in line:
                    return line
            time.sleep(0.05)
        raise AssertionError((self._folder / f"{kind}-0.log").read_text())

    def kill_scheduler(self) -> None:
        self._processes[0].kill()
        self._processes[0].wait()

    def close(self) -> None:
        for process in reversed(self._processes):
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory) -> Iterator[Cluster]:
    started = Cluster(tmp_path_factory.mktemp("dask"))
    yield started
    started.close()


@pytest.fixture(scope="module")
def two(scheduler: Cluster) -> dict[str, int]:
    """Two workers, one of which says that it has a GPU: name -> pid."""
    one = "--nthreads", "1"
    return {
        "plain": scheduler.add_worker("plain", *one),
        "gpu": scheduler.add_worker("gpu", *one, "--resources", "GPU=1"),
    }


def process_of(store: RunStore, run: str) -> int:
    return store.open(run).status.process.pid


def wait_for_two(address: str) -> None:
    with Client(address) as client:
        client.wait_for_workers(2, timeout=PATIENCE)


def strip(record) -> list:
    """A record's points without what was measured with a clock."""
    timeless = {"seconds": None, "seconds_per_epoch": None}
    return [
        point.model_copy(update={"outcome": point.outcome.model_copy(update=timeless)})
        for point in record.points
    ]


def test_the_same_as_serial(make_plan, store, diary, tmp_path, scheduler, two) -> None:
    wait_for_two(scheduler.address)
    serial = RunStore(tmp_path / "serial")
    expected = run_sweep(make_plan(), serial, SerialPool(), Diary(), "s")
    with DaskPool(scheduler.address) as pool:
        record = run_sweep(make_plan(), store, pool, diary, "s")
    assert strip(record) == strip(expected)
    assert (record.best, record.state) == (expected.best, "finished")
    assert diary.begun_with == [(4, 2)]
    assert {process_of(store, point.run) for point in record.points} == set(two.values())
    for point in record.points:
        mine, theirs = store.open(point.run), serial.open(point.run)
        assert mine.evaluation() == theirs.evaluation()
        assert (mine.layers()["id"][-1] == theirs.layers()["id"][-1]).all()


def test_auto_takes_the_worker_with_a_gpu(make_plan, store, diary, scheduler, two) -> None:
    """``device=auto`` trains on the CPU here, but asks for the resource as where there is a GPU."""
    wait_for_two(scheduler.address)
    plan = make_plan(settings={"device": "auto"})
    with DaskPool(scheduler.address) as pool:
        record = run_sweep(plan, store, pool, diary, "s")
    assert record.n_finished == 4
    assert {process_of(store, point.run) for point in record.points} == {two["gpu"]}
    assert diary.begun_with == [(4, 1)]


def test_cuda_runs_go_to_the_worker_with_a_gpu(make_plan, store, scheduler, two) -> None:
    """The worker only says that it has one, so what it finds is that there is none."""
    wait_for_two(scheduler.address)
    plan = make_plan(settings={"device": "cuda"}, n_layers=(1,))
    with DaskPool(scheduler.address) as pool, pytest.raises(EngineError):
        run_sweep(plan, store, pool, Diary(), "s")
    assert process_of(store, "s-n_layers_1") == two["gpu"]


def test_a_killed_worker(make_plan, store, tmp_path, scheduler, two) -> None:
    """One of two workers is killed in the middle of a run, which the other one ends."""
    wait_for_two(scheduler.address)
    plan = make_plan(settings={"epochs": 40, "patience": 40}, n_layers=(1, 2))
    serial = RunStore(tmp_path / "serial")
    expected = run_sweep(plan, serial, SerialPool(), Diary(), "s")
    killed: list[str] = []

    def kill() -> None:
        deadline = time.monotonic() + PATIENCE
        while not killed and time.monotonic() < deadline:
            for entry in store.list():
                metrics = entry.run.layout.metrics
                training = metrics.exists() and metrics.stat().st_size and entry.status.is_live
                if training and entry.status.process.pid == two["plain"]:
                    os.kill(two["plain"], signal.SIGKILL)
                    killed.append(entry.name)
                    return
            time.sleep(0.01)

    killer = threading.Thread(target=kill)
    killer.start()
    with DaskPool(scheduler.address) as pool:
        record = run_sweep(plan, store, pool, Diary(), "s")
    killer.join()
    assert len(killed) == 1, "nothing was killed in time"
    assert strip(record) == strip(expected)
    assert record.best == expected.best
    run = store.open(killed[0])
    assert process_of(store, killed[0]) == two["gpu"]
    assert [event["event"] for event in run.events()] in ([], ["continued"])
    columns = [c for c in run.metrics() if "seconds" not in c]
    assert run.metrics()[columns].equals(serial.open(killed[0]).metrics()[columns])


def test_a_gpu_that_nobody_has(make_plan, store, tmp_path) -> None:
    own = Cluster(tmp_path)
    try:
        own.add_worker("plain", "--nthreads", "1")
        plan = make_plan(settings={"device": "cuda"})
        with DaskPool(own.address) as pool, pytest.raises(EngineError, match="GPU=1"):
            run_sweep(plan, store, pool, Diary(), "s")
        assert list(store.list()) == []
        own.add_worker("wide", "--nthreads", "3")
        wait_for_two(own.address)
        with DaskPool(own.address) as pool, pytest.raises(ConfigError, match="--nworkers 3"):
            run_sweep(make_plan(), store, pool, Diary(), "s")
    finally:
        own.close()


def test_a_killed_scheduler_is_one_sentence_and_the_same_command_goes_on(
    make_plan, store, tmp_path
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    own, after = Cluster(tmp_path / "a"), Cluster(tmp_path / "b")
    own.add_worker("plain", "--nthreads", "1")
    after.add_worker("plain", "--nthreads", "1")
    plan = make_plan(settings={"epochs": 60, "patience": 60}, n_layers=(1, 2, 3))

    class Killer(Diary):
        def point(self, point, progress) -> None:
            super().point(point, progress)
            own.kill_scheduler()

    try:
        diary = Killer()
        with DaskPool(own.address) as pool:
            with pytest.raises(ConfigError, match=r"scheduler is gone; .*same command again"):
                run_sweep(plan, store, pool, diary, "s")
            with pytest.raises(ConfigError, match="scheduler is gone"):
                run_sweep(plan, store, pool, diary, "s")  # nor is anything asked of it again
        assert len(diary.points) < 3
        with DaskPool(after.address) as pool:
            record = run_sweep(plan, store, pool, Diary(), "s")
        assert (record.state, record.n_finished) == ("finished", 3)
    finally:
        own.close()
        after.close()


def test_no_scheduler(make_plan, store, monkeypatch) -> None:
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 0.5)
    with DaskPool("tcp://127.0.0.1:9") as pool, pytest.raises(ConfigError, match="dask scheduler"):
        run_sweep(make_plan(), store, pool, Diary(), "s")


def test_local_workers(make_plan, store, diary) -> None:
    """By default: processes of their own, one thread each, gone at the end."""
    plan = make_plan(n_layers=(1, 2))
    with DaskPool(n_workers=5) as pool:
        record = run_sweep(plan, store, pool, diary, "s")
        pids = {process_of(store, point.run) for point in record.points}
        assert os.getpid() not in pids
    assert record.state == "finished"
    assert diary.begun_with == [(2, 2)]
    deadline = time.monotonic() + 90
    while any(map(psutil.pid_exists, pids)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(psutil.pid_exists, pids))


def test_options_of_local_workers() -> None:
    on_cpu = worker_options(2, [], 1000)
    assert {options["env"][MEMORY_SHARE] for options in on_cpu} == {"500"}
    assert [options["resources"] for options in on_cpu] == [{}, {}]
    assert {options["nthreads"] for options in on_cpu} == {1}
    assert {options["env"]["OMP_NUM_THREADS"] for options in on_cpu} == {"1"}
    assert "CUDA_VISIBLE_DEVICES" not in on_cpu[0]["env"]
    on_gpu = worker_options(3, ["2", "GPU-5f"], 1000)
    assert [o["env"]["CUDA_VISIBLE_DEVICES"] for o in on_gpu] == ["2", "GPU-5f", "2"]
    assert [o["resources"] for o in on_gpu] == [{"GPU": 1}] * 3


def test_local_workers_do_not_run_the_script_of_this_process_again(tmp_path) -> None:
    """A script needs no ``if __name__ == "__main__"``, and a page of the app may stand in its place."""
    script = tmp_path / "script.py"
    script.write_text(
        "import os\n"
        "from rednd_core.sweeps.local_workers import local_workers, worker_options\n"
        "print('begun')\n"
        "with local_workers(worker_options(1, [], 10**9)) as client:\n"
        "    pid = client.submit(os.getpid).result(timeout=60)\n"
        "print('elsewhere' if pid != os.getpid() else 'here')\n"
    )
    result = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=PATIENCE,
        env=os.environ | {"PYTHONPATH": str(PROJECT_ROOT)},
    )  # fmt: skip
    assert (result.stdout.split(), result.returncode) == (["begun", "elsewhere"], 0), result.stderr


def test_a_worker_that_cannot_start_is_one_sentence(make_plan, store, monkeypatch) -> None:
    own = local_workers.worker_options
    broken = {"preload": ["no_such_module"]}
    monkeypatch.setattr(cluster, "worker_options", lambda *args: [o | broken for o in own(*args)])
    with DaskPool(n_workers=1) as pool, pytest.raises(EngineError, match="ended as it started"):
        run_sweep(make_plan(), store, pool, Diary(), "s")


def test_workers_that_start_too_slowly_are_one_sentence(make_plan, store, monkeypatch) -> None:
    monkeypatch.setattr(local_workers, "START_SECONDS", 0.01)
    with DaskPool(n_workers=1) as pool, pytest.raises(EngineError, match="that they need longer"):
        run_sweep(make_plan(), store, pool, Diary(), "s")


def test_local_workers_share_the_memory(make_plan, store, monkeypatch) -> None:
    """Each is told its part of what was free before any of them began."""
    monkeypatch.setattr(cluster, "free_memory", lambda device: 2_000_000)
    with DaskPool(n_workers=2) as pool, pytest.raises(ConfigError, match="one of several workers"):
        run_sweep(make_plan(n_layers=(1, 2)), store, pool, Diary(), "s")


def test_what_kills_every_worker_is_a_failure_with_advice() -> None:
    class Killed:
        def exception(self):
            return KilledWorker("ensure_run", None, 3)

    outcome = cluster._outcome(Killed())
    assert outcome.state == "failed"
    assert "fewer --workers" in outcome.message


def test_names_of_gpus(monkeypatch) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert gpus() == ["0", "1"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,GPU-5f")
    assert gpus() == ["3", "GPU-5f"]
