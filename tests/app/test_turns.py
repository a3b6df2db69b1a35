"""Turns of pages: few at a time, and nobody waits without a bound."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from app import turns


def test_few_run_at_a_time_and_all_run() -> None:
    running, most, lock = 0, 0, threading.Lock()

    def page(_: int) -> None:
        nonlocal running, most
        with turns.turn():
            with lock:
                running += 1
                most = max(most, running)
            threading.Event().wait(0.01)
            with lock:
                running -= 1

    with ThreadPoolExecutor(8) as visitors:
        list(visitors.map(page, range(24)))
    assert most == turns.AT_ONCE


def test_a_page_that_fails_gives_its_turn_back() -> None:
    for _ in range(turns.AT_ONCE + 1):
        with pytest.raises(ValueError, match="page"), turns.turn():
            raise ValueError("page")
    assert turns._turns.acquire(timeout=0)
    turns._turns.release()


def test_who_waits_too_long_goes_on_without_a_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "MOST_SECONDS", 0.01)
    held = [turns.turn() for _ in range(turns.AT_ONCE)]
    for each in held:
        each.__enter__()
    with turns.turn():
        pass
    for each in held:
        each.__exit__(None, None, None)
    for _ in range(turns.AT_ONCE):  # none was given back twice
        assert turns._turns.acquire(timeout=0)
    assert not turns._turns.acquire(timeout=0)
    for _ in range(turns.AT_ONCE):
        turns._turns.release()
