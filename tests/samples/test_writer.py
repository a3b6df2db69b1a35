from __future__ import annotations

from pathlib import Path

import pytest

from rednd_core.errors import DataError
from rednd_core.samples.writer import publish

OLD = {
    "truth.json": b'{"format": "rednd-shop 1"}',
    "shop.inter": b"old",
    "thumbnails/gone.png": b"",
}
NEW = {"truth.json": b'{"format": "rednd-shop 1"}', "shop.inter": b"new", "thumbnails/a.png": b"a"}


def tree(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_new_folder_is_complete_and_nothing_else_is_left(tmp_path):
    publish(NEW, tmp_path / "deep" / "shop", overwrite=False)
    assert tree(tmp_path / "deep" / "shop") == NEW
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["shop"]


def test_existing_shop_is_refused_without_overwrite(tmp_path):
    publish(OLD, tmp_path / "shop", overwrite=False)
    with pytest.raises(DataError, match="allow overwriting"):
        publish(NEW, tmp_path / "shop", overwrite=False)
    assert tree(tmp_path) == {f"shop/{name}": content for name, content in OLD.items()}


def test_overwrite_exchanges_its_own_files_and_keeps_runs(tmp_path):
    publish(OLD, tmp_path / "shop", overwrite=False)
    run = tmp_path / "shop" / "runs" / "first" / "config.json"
    run.parent.mkdir(parents=True)
    run.write_bytes(b"run")
    publish(NEW, tmp_path / "shop", overwrite=True)
    assert tree(tmp_path / "shop") == {**NEW, "runs/first/config.json": b"run"}
    assert [path.name for path in tmp_path.iterdir()] == ["shop"]


@pytest.mark.parametrize("marker", [None, b"not json", b"[]", b'{"format": "something else"}'])
def test_overwrite_never_touches_a_foreign_folder(tmp_path, marker):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "letter.txt").write_bytes(b"dear")
    if marker is not None:
        (tmp_path / "home" / "truth.json").write_bytes(marker)
    before = tree(tmp_path)
    with pytest.raises(DataError, match="a sample to overwrite"):
        publish(NEW, tmp_path / "home", overwrite=True)
    assert tree(tmp_path) == before


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
def test_failed_exchange_restores_the_old_shop_with_its_runs(tmp_path, monkeypatch, error):
    publish(OLD, tmp_path / "shop", overwrite=False)
    (tmp_path / "shop" / "runs").mkdir()
    (tmp_path / "shop" / "runs" / "log.txt").write_bytes(b"run")
    before = tree(tmp_path)
    rename = Path.rename

    def failing(self, target):
        if self.name == "new":
            raise error
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    expected = DataError if isinstance(error, OSError) else KeyboardInterrupt
    with pytest.raises(expected):
        publish(NEW, tmp_path / "shop", overwrite=True)
    assert tree(tmp_path) == before


def test_interrupted_writing_leaves_nothing(tmp_path, monkeypatch):
    def full(self, content):
        raise OSError("disk full")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(DataError, match="disk full"):
        publish(NEW, tmp_path / "shop", overwrite=False)
    assert list(tmp_path.iterdir()) == []


def test_parent_that_is_a_file_is_reported(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DataError, match="a folder that you may write to"):
        publish(NEW, tmp_path / "file" / "shop", overwrite=False)
