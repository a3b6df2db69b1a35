from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import pytest

from rednd_core.errors import ConfigError, DataError, RunError
from rednd_core.writable import make_folder, require_output

linux = pytest.mark.skipif(sys.platform != "linux", reason="virtual file systems of Linux")


def closed(*args, **kwargs):
    raise PermissionError(13, "Permission denied")


def test_a_folder_is_made_with_its_parents_and_left_empty(tmp_path: Path) -> None:
    make_folder(tmp_path / "a" / "b")
    make_folder(tmp_path / "a" / "b")
    assert list((tmp_path / "a" / "b").iterdir()) == []


@pytest.mark.parametrize("below", [".", "runs", "runs/more"])
def test_a_file_where_a_folder_should_be(tmp_path: Path, below: str) -> None:
    (tmp_path / "notes").write_text("mine")
    with pytest.raises(RunError) as caught:
        make_folder(tmp_path / "notes" / below)
    assert caught.value.found == f"the file {tmp_path / 'notes'}"
    assert str(tmp_path / "notes" / below) in caught.value.expected
    assert "--runs-dir" in caught.value.remedy


@linux
@pytest.mark.parametrize("folder", ["/proc/nope", "/sys/fs", "/proc"])
def test_folders_that_no_user_can_write(folder: str) -> None:
    with pytest.raises(RunError, match=rf"folder at {folder} .*the system refuses it \(\w"):
        make_folder(Path(folder))


def test_a_folder_that_is_closed_to_this_user(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(tempfile, "TemporaryFile", closed)
    with pytest.raises(DataError, match=r"refuses it \(Permission denied\); ask the owner\."):
        make_folder(tmp_path, remedy="ask the owner", kind=DataError)
    with pytest.raises(ConfigError, match=r"refuses it \(Permission denied\)"):
        require_output(tmp_path / "map.csv")


def test_outputs(tmp_path: Path, monkeypatch) -> None:
    file = tmp_path / "map.csv"
    require_output(file)
    assert list(tmp_path.iterdir()) == []
    file.write_text("old")
    require_output(file)
    assert file.read_text() == "old"
    monkeypatch.chdir(tmp_path)
    require_output(Path("new.csv"))
    for bad, found in (
        (tmp_path / "nodir" / "map.csv", f"no folder {tmp_path / 'nodir'}"),
        (file / "map.csv", f"the file {file}"),
        (tmp_path, "a folder"),
        (tmp_path / ("x" * 300), "that the system refuses it (File name too long)"),
    ):
        with pytest.raises(ConfigError) as caught:
            require_output(bad)
        assert caught.value.found == found
        assert str(bad) in caught.value.expected
