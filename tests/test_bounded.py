from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from rednd_core.bounded import open_plain, read_plain, require_plain

PIPES = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are POSIX")


def test_a_plain_file_is_read_up_to_its_limit(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"four")
    assert read_plain(path, 4) == b"four"
    with pytest.raises(OSError, match="4 bytes, where at most 3 are read") as caught:
        read_plain(path, 3)
    assert caught.value.errno == errno.EFBIG


def test_what_is_missing_is_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_plain(tmp_path / "a", 3)


@PIPES
@pytest.mark.parametrize("read", [open_plain, require_plain])
def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path, read, in_time) -> None:
    os.mkfifo(tmp_path / "pipe")
    with in_time(), pytest.raises(OSError, match="no plain file"):
        read(tmp_path / "pipe")


def test_a_folder_and_a_device_are_refused(tmp_path: Path, in_time) -> None:
    for path in (tmp_path, Path(os.devnull), Path("/dev/zero")):
        if path.exists():
            with in_time(), pytest.raises(OSError, match=r"no plain file|directory"):
                read_plain(path, 10)


def test_a_link_to_a_pipe_and_to_itself(tmp_path: Path, in_time) -> None:
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        (tmp_path / "link").symlink_to(tmp_path / "pipe")
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    for name in ("link", "circle"):
        with in_time(), pytest.raises(OSError, match=name):
            read_plain(tmp_path / name, 10)
