"""Foreign files are looked at by a process that has a deadline and a bound of memory."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import psutil
import pytest

from rednd_core import confined
from rednd_core.errors import CheckpointError, DataError

pytestmark = pytest.mark.confined
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="other systems bound no memory")
HERE = "tests.test_confined"


def add(first: str, second: str) -> int:
    return int(first) + int(second)


def refuse() -> None:
    raise CheckpointError(expected="a good file", found="a bad one", remedy="choose another")


def use_memory() -> int:
    return len(bytearray(200 << 20))


def sleep(file: str) -> None:
    Path(file).write_text(str(os.getpid()))
    time.sleep(600)


def trip() -> None:
    raise LookupError("no such part")


def abort() -> None:
    os.abort()


def test_its_answer_is_returned() -> None:
    assert confined.run(f"{HERE}:add", "2", "3", what="the sum") == 5


def test_its_refusal_is_raised_as_it_was() -> None:
    with pytest.raises(CheckpointError) as caught:
        confined.run(f"{HERE}:refuse", what="the file")
    assert caught.value.args == ("Expected a good file, but found a bad one; choose another.",)


@LINUX
def test_more_memory_than_it_may_have_is_a_sentence() -> None:
    assert confined.run(f"{HERE}:use_memory", what="the file") == 200 << 20
    with pytest.raises(DataError, match="the file to be read with little time and memory"):
        confined.run(f"{HERE}:use_memory", what="the file", memory_bytes=100 << 20)


def test_more_time_than_it_may_have_is_a_sentence_and_ends_it(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no end within 5 seconds"):
        confined.run(f"{HERE}:sleep", str(tmp_path / "pid"), what="the file", seconds=5)
    assert not psutil.pid_exists(int((tmp_path / "pid").read_text()))


@pytest.mark.parametrize("fault", ["trip", "abort"])
def test_a_reader_that_breaks_down_takes_nobody_along(fault: str) -> None:
    with pytest.raises(DataError, match="the file to be readable, but found that its reader"):
        confined.run(f"{HERE}:{fault}", what="the file")
