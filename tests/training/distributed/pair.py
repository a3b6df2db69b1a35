"""Two processes that train together over gloo on loopback.

They are forked from this one, which has already imported torch and most of what they need.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from rednd_core.cli import main

NEEDS_FORK = pytest.mark.skipif(
    not hasattr(os, "fork") or not torch.distributed.is_available(),
    reason="needs fork and torch.distributed",
)

END_SECONDS = 60.0
"""Within which every pair must have ended, on a busy machine; most take about a second."""

LONG = ("--set", "epochs=100000", "--set", "patience=10000")


def wait_for(what: Callable[[], object]) -> None:
    until = time.monotonic() + END_SECONDS
    while not what():
        assert time.monotonic() < until, "nothing happened"
        time.sleep(0.05)


class Pair:
    """Two forked processes that run ``work(rank)`` in the environment that torchrun would set.

    The store through which they find each other lives here, as it does in torchrun.
    """

    def __init__(self, folder: Path, work: Callable[[int], object], **environment: str) -> None:
        self._folder = folder
        self._store = torch.distributed.TCPStore(
            "127.0.0.1", 0, is_master=True, wait_for_workers=False
        )
        self._environment = environment | {
            "WORLD_SIZE": "2",
            "LOCAL_WORLD_SIZE": "2",
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(self._store.port),
            "TORCHELASTIC_USE_AGENT_STORE": "True",
        }
        fork = multiprocessing.get_context("fork")
        self.processes = [fork.Process(target=self._child, args=(work, rank)) for rank in (0, 1)]
        for process in self.processes:
            process.start()

    def _child(self, work: Callable[[int], object], rank: int) -> None:
        os.environ.update(self._environment, RANK=str(rank), LOCAL_RANK=str(rank))
        for number, name in ((1, "out"), (2, "err")):
            os.dup2(os.open(self._folder / f"{rank}.{name}", os.O_WRONLY | os.O_CREAT), number)
        sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
        code: int | str | None = 0
        try:
            (self._folder / f"{rank}.result").write_bytes(pickle.dumps(work(rank)))
        except SystemExit as ending:
            code = ending.code
        except BaseException:
            traceback.print_exc()
            code = 70
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else 0)

    def codes(self) -> list[int | None]:
        """Exit codes; waits for the end."""
        until = time.monotonic() + END_SECONDS
        for process in self.processes:
            process.join(max(until - time.monotonic(), 0.1))
        return [process.exitcode for process in self.processes]

    def results(self) -> list:
        assert self.codes() == [0, 0], self.text("err")
        return [pickle.loads((self._folder / f"{rank}.result").read_bytes()) for rank in (0, 1)]

    def text(self, name: str) -> list[str]:
        return [(self._folder / f"{rank}.{name}").read_text() for rank in (0, 1)]

    def end(self) -> None:
        for process in self.processes:
            process.kill()
            process.join()


def cli(*arguments: object) -> None:
    sys.argv = ["rednd", *map(str, arguments)]
    main()
