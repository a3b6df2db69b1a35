"""A process that is killed, silent or failing ends both, in time and with one sentence."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
import torch

from rednd_core.data.layouts import source
from rednd_core.models import mf
from rednd_core.runs import Run
from rednd_core.training import distributed
from tests.training.distributed.pair import END_SECONDS, LONG, NEEDS_FORK, Pair, cli, wait_for

pytestmark = NEEDS_FORK


@pytest.fixture
def running(pair, planted_folder: Path, tmp_path: Path, quick_settings):
    """``running(**environment)``: a pair whose run ``one`` has begun, and that run."""

    def start(**environment: str) -> tuple[Pair, Run]:
        started = pair(
            lambda rank: cli("train", "--data", planted_folder, "--model", "lightgcn",
                             "--run", "one", *quick_settings, *LONG),
            **environment,
        )  # fmt: skip
        folder = tmp_path / "runs" / "one"
        wait_for(lambda: folder.exists() and Run(folder).status.epoch > 1)
        return started, Run(folder)

    return start


def sentences(pair: Pair) -> list[str]:
    """What both have told the user of the end."""
    return [line for text in pair.text("err") for line in text.splitlines() if "rednd:" in line]


def test_a_killed_process_ends_the_first(running) -> None:
    started, run = running()
    began = time.monotonic()
    started.processes[1].kill()
    assert started.codes() == [1, -signal.SIGKILL]
    assert time.monotonic() - began < 20
    (sentence,) = sentences(started)
    assert "Expected 2 processes to train together, but found that one is gone" in sentence
    assert "Traceback" not in "".join(started.text("err"))
    assert run.status.state == "failed"
    assert run.status.message in sentence


def test_the_others_speak_where_the_first_is_killed(running) -> None:
    started, _ = running()
    began = time.monotonic()
    started.processes[0].kill()
    assert started.codes() == [-signal.SIGKILL, 1]
    assert time.monotonic() - began < 20
    (sentence,) = sentences(started)
    assert "but found that one is gone" in sentence


def test_a_silent_process_ends_the_first_in_time(running) -> None:
    started, run = running(REDND_PEER_TIMEOUT="3")
    began = time.monotonic()
    os.kill(started.processes[1].pid, signal.SIGSTOP)
    wait_for(lambda: not started.processes[0].is_alive())
    assert time.monotonic() - began < 20
    started.processes[1].kill()
    assert started.codes() == [1, -signal.SIGKILL]
    (sentence,) = sentences(started)
    assert "gone or silent" in sentence
    assert run.status.state == "failed"


def test_the_first_tells_why_another_ended(
    pair, planted_folder: Path, tmp_path: Path, quick_settings, monkeypatch
) -> None:
    """The other machine has no such data."""

    def work(rank: int) -> None:
        if rank:
            distributed.TELLER_SECONDS = END_SECONDS
            elsewhere = tmp_path / "elsewhere"  # the same path on another disk
            monkeypatch.setattr(source, "resolve_data_path", lambda _: elsewhere)
        cli("train", "--data", planted_folder, "--model", "mf", "--run", "one", *quick_settings)

    started = pair(work)
    assert started.codes() == [1, 1]
    (sentence,) = sentences(started)
    assert sentence in started.text("err")[0]
    assert "but found that process 1 ended with: Expected" in sentence
    assert not (tmp_path / "runs" / "one").exists(), "refused before it trained"


def test_what_fails_in_both_is_said_once(
    pair, planted_folder: Path, quick_settings, monkeypatch
) -> None:
    def work(rank: int) -> None:
        monkeypatch.setattr(mf, "bpr_loss", lambda *_, **__: torch.tensor(torch.nan))
        cli("train", "--data", planted_folder, "--model", "mf", *quick_settings)

    started = pair(work)
    assert started.codes() == [1, 1]
    (sentence,) = sentences(started)
    assert "Expected finite losses and parameters in epoch 1" in sentence
