"""``rednd train`` in two processes, forked or started by torchrun: one speaks, a stop ends both."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from rednd_core.config import PROJECT_ROOT
from rednd_core.runs import Command, Run, RunStore, send
from tests.training.distributed.pair import END_SECONDS, LONG, NEEDS_FORK, cli, wait_for

pytestmark = NEEDS_FORK


def test_one_speaks_and_a_signal_to_any_stops_both(
    pair, planted_folder: Path, tmp_path: Path, quick_settings
) -> None:
    """SIGTERM to process 1 alone, as when its machine is wanted back."""
    started = pair(
        lambda rank: cli("train", "--data", planted_folder, "--model", "lightgcn", "--run", "both",
                         "--json", *quick_settings, *LONG)
    )  # fmt: skip
    run = RunStore(tmp_path / "runs")
    wait_for(lambda: (tmp_path / "runs" / "both").exists() and run.open("both").status.epoch > 1)
    os.kill(started.processes[1].pid, signal.SIGTERM)
    assert started.codes() == [0, 0]
    out, err = started.text("out"), started.text("err")
    assert json.loads(out[0])["state"] == "stopped"
    assert "epoch 2 " in err[0]
    assert "stopped" in err[0]
    assert out[1] == ""
    assert "epoch" not in err[1]
    opened = run.open("both")
    assert opened.status.state == "stopped"
    assert opened.evaluation().has_test


@pytest.fixture
def torchrun(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen]]:
    started: list[subprocess.Popen] = []

    def start(*arguments: object) -> subprocess.Popen:
        command = [sys.executable, "-m", "torch.distributed.run", "--standalone",
                   "--nproc-per-node", "2", "-m", "--", "rednd_core", *map(str, arguments)]  # fmt: skip
        started.append(
            subprocess.Popen(
                command, cwd=PROJECT_ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
        )
        return started[-1]

    yield start
    for process in started:
        children = psutil.Process(process.pid).children() if process.poll() is None else []
        for each in (*children, process):
            each.kill()
        process.communicate()


def test_torchrun_train(torchrun, planted_folder: Path, tmp_path: Path, quick_settings) -> None:
    """It just works, stop included. (``--`` keeps torchrun from taking --run for its own.)"""
    process = torchrun("train", "--data", planted_folder, "--model", "lightgcn", "--json",
                       "--run", "both", *quick_settings, *LONG)  # fmt: skip
    folder = tmp_path / "runs" / "both"
    wait_for(lambda: folder.exists() and Run(folder).status.epoch > 1)
    send(Run(folder), Command(command="stop"))
    out, err = process.communicate(timeout=2 * END_SECONDS)
    assert process.returncode == 0, err
    (line,) = out.splitlines()
    found = json.loads(line)
    assert (found["run"], found["state"]) == ("both", "stopped")
    assert [err.count(f"epoch {number} ") for number in (1, 2)] == [1, 1]
    assert Run(folder).record.provenance.processes == 2
