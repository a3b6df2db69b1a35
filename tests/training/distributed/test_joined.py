"""How processes find each other: who is refused, who is not waited for, and one process alone."""

from __future__ import annotations

import time

import pytest
import torch

from rednd_core.errors import ConfigError, DataError, TrainingError
from rednd_core.training.distributed import ALONE, joined
from tests.training.distributed.pair import NEEDS_FORK

pytestmark = NEEDS_FORK


def test_machines_with_other_data_are_refused(pair) -> None:
    def work(rank: int) -> str:
        with joined() as world:
            with pytest.raises(TrainingError) as refused:
                world.agree(torch.device("cpu"), {"the data set": f"digest-{rank}"})
            world.agree(torch.device("cpu"), {"the data set": "same"})
            return str(refused.value)

    first, second = pair(work).results()
    assert first == second
    assert "Expected the data set of process 0 (digest-0) in process 1" in first
    assert "found digest-1" in first


def test_a_missing_process_is_not_waited_for_for_ever(pair) -> None:
    def work(rank: int) -> str:
        if rank:
            return ""
        with pytest.raises(ConfigError) as refused, joined():
            pass
        return str(refused.value)

    began = time.monotonic()
    message, _ = pair(work, REDND_PEER_TIMEOUT="2").results()
    assert "Expected 2 processes to find each other" in message
    assert time.monotonic() - began < 20


@pytest.mark.parametrize("seconds", ["soon", "0", "nan", "inf"])
def test_the_time_limit_is_a_number(monkeypatch, seconds: str) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("REDND_PEER_TIMEOUT", seconds)
    with pytest.raises(ConfigError, match="REDND_PEER_TIMEOUT"), joined():
        pass


@pytest.mark.parametrize("size", [None, "1"])
def test_alone_nothing_is_joined(monkeypatch, size: str | None) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    if size:
        monkeypatch.setenv("WORLD_SIZE", size)
    with joined() as world:
        assert world is ALONE
        assert not torch.distributed.is_initialized()
    with pytest.raises(DataError), joined():
        raise DataError(expected="this", found="that", remedy="pass it on")
