"""Where points are trained: processes of this machine, or the workers of a Dask scheduler."""

from __future__ import annotations

import logging
import queue
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import Any

import torch
from dask.system import CPU_COUNT
from distributed import Client, Future, KilledWorker
from distributed.utils import silence_logging_cmgr

from rednd_core.errors import ConfigError, EngineError, RedndError
from rednd_core.sweeps.campaign import Job
from rednd_core.sweeps.campaign_files import Outcome
from rednd_core.sweeps.local_workers import GPU, gpus, local_workers, worker_options
from rednd_core.sweeps.worker import ensure_run
from rednd_core.training.memory import free_memory

RETRIES = 2  # after an exception; Dask itself repeats the job of a dead worker
CONNECT_SECONDS = 30.0
POLL_SECONDS = 0.5


class DaskPool:
    """Runs jobs on a cluster, which is started, or connected to, when the first job comes.

    Args:
        scheduler: address of a running scheduler; None starts workers on this machine.
        n_workers: how many of them; by default one a core, or one a GPU where jobs may use it.
    """

    def __init__(self, scheduler: str | None = None, n_workers: int | None = None) -> None:
        self._scheduler, self._n_workers = scheduler, n_workers
        self._stack = ExitStack()
        self._client: Client | None = None
        self._n_local = 0
        self._stop = threading.Event()

    def __enter__(self) -> DaskPool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    @property
    def stopping(self) -> bool:
        return self._stop.is_set()

    def stop(self) -> None:
        """Begin no more jobs and stop those in training within a batch. A signal handler may call it."""
        self._stop.set()

    def n_parallel(self, jobs: Sequence[Job]) -> int:
        """How many of ``jobs`` are trained at once; connects to the cluster.

        Raises:
            EngineError: a job needs a GPU that no worker has.
            ConfigError: no scheduler or no worker answers, or workers have several threads.
        """
        workers = _workers(self._connect(jobs))
        on_gpu = [job for job in jobs if _wants_gpu(job, workers)]
        n_gpus = int(sum(worker["resources"].get(GPU, 0) for worker in workers))
        if on_gpu and not n_gpus:
            raise EngineError(
                expected=f"a worker with the resource {GPU}=1, as device=cuda was asked for",
                found=f"none among {len(workers)} workers",
                remedy=f'start one with `dask worker ADDRESS --nthreads 1 --resources "{GPU}=1"`, '
                "or set device=cpu",
            )
        return min(len(jobs), n_gpus if len(on_gpu) == len(jobs) else len(workers))

    def run(self, jobs: Sequence[Job], done: Callable[[Job, Outcome | RedndError], None]) -> None:
        """Run all jobs; ``done`` is called in this thread, in the order in which jobs finish.

        Raises:
            ConfigError: the scheduler is gone.
        """
        client = self._connect(jobs)
        workers = _workers(client)
        finished: queue.SimpleQueue[Future[Any]] = queue.SimpleQueue()
        pending: dict[Future[Any], Job] = {}
        for job in jobs:
            future = client.submit(
                ensure_run,
                *job.arguments,
                key=f"{job.point.run}-{uuid.uuid4().hex[:8]}",
                pure=False,
                retries=RETRIES,
                resources={GPU: 1} if _wants_gpu(job, workers) else None,
            )
            pending[future] = job
            future.add_done_callback(finished.put)
        while pending:
            if self.stopping:
                for job in pending.values():
                    job.ask_to_stop()
            try:
                future = finished.get(timeout=POLL_SECONDS)
            except queue.Empty:
                _require_scheduler(client)
                continue
            if future.cancelled():  # only the loss of the scheduler cancels a future
                raise _gone()
            job = pending.pop(future)
            done(job, _outcome(future))

    def _connect(self, jobs: Sequence[Job]) -> Client:
        if self._scheduler is not None:
            if self._client is None:
                self._client = self._stack.enter_context(_remote(self._scheduler))
            return self._client
        gpu_names = gpus() if any(job.device != "cpu" for job in jobs) else []
        wanted = min(len(jobs), self._n_workers or len(gpu_names) or CPU_COUNT)
        if (
            self._client is None or wanted > self._n_local
        ):  # a later stage of a search may have more points
            self._stack.close()
            options = worker_options(wanted, gpu_names, free_memory(torch.device("cpu")))
            self._client = self._stack.enter_context(local_workers(options))
            self._n_local = wanted
        return self._client


@contextmanager
def _remote(address: str) -> Iterator[Client]:
    try:
        client = Client(address, timeout=CONNECT_SECONDS)
    except (OSError, ValueError) as error:
        raise ConfigError(
            expected=f"a Dask scheduler at {address}",
            found=str(error).splitlines()[0][:200].rstrip(".") or "no answer",
            remedy="start one with `dask scheduler`, or leave out --scheduler",
        ) from None
    # Failures are reported here in one sentence; Dask would log them as tracebacks.
    with silence_logging_cmgr(logging.CRITICAL), client:
        try:
            client.wait_for_workers(1, timeout=CONNECT_SECONDS)
        except TimeoutError:
            raise ConfigError(
                expected=f"workers at the scheduler {address}",
                found=f"none within {CONNECT_SECONDS:.0f} seconds",
                remedy=f"start some with `dask worker {address} --nthreads 1`",
            ) from None
        threads = max(worker["nthreads"] for worker in _workers(client))
        if threads > 1:
            raise ConfigError(
                expected="workers with one thread, as a process trains one run at a time",
                found=f"one with {threads}",
                remedy=f"start them with `dask worker {address} --nworkers {threads} --nthreads 1`",
            )
        yield client


def _workers(client: Client) -> list[dict[str, Any]]:
    _require_scheduler(client)
    # The entry is missing if the scheduler went away a moment ago.
    found: dict[str, dict[str, Any]] | None = client.scheduler_info(n_workers=-1).get("workers")
    if found is None:
        raise _gone()
    return list(found.values())


def _require_scheduler(client: Client) -> None:
    """Refuse a client that lost its scheduler: a scheduler that comes back does not know the jobs."""
    if client.status != "running":
        raise _gone()


def _gone() -> ConfigError:
    return ConfigError(
        expected="a Dask scheduler until the last run is over",
        found="that the scheduler is gone",
        remedy="start it again and give the same command again to continue",
    )


def _wants_gpu(job: Job, workers: Sequence[dict[str, Any]]) -> bool:
    """``auto`` takes a GPU if a worker has one."""
    if job.device == "auto":
        return any(worker["resources"].get(GPU) for worker in workers)
    return job.device == "cuda"


def _outcome(future: Future[Any]) -> Outcome | RedndError:
    error = future.exception()
    if error is None:
        return Outcome.model_validate_json(future.result())
    if isinstance(error, RedndError):
        return error
    if isinstance(error, KilledWorker):
        return Outcome(
            state="failed",
            message="Expected a worker that lives until the run is over, but found that several workers "
            "died during it; look for a lack of memory, and try fewer --workers.",
        )
    return Outcome(state="failed", message=f"{type(error).__name__}: {error}")
