from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from rednd_core import atomic


def test_a_failed_write_keeps_the_old_file_and_leaves_nothing(tmp_path: Path) -> None:
    target = tmp_path / "a.json"
    atomic.write_json(target, {"x": 1})

    def half(file) -> None:
        file.write(b"{")
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        atomic.commit(atomic.stage(target, half), target)
    assert json.loads(target.read_text()) == {"x": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_open_files_keep_the_old_content(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    atomic.write_bytes(target, b"old")
    with target.open("rb") as held:
        atomic.write_bytes(target, b"new")
        assert held.read() == b"old"
    assert target.read_bytes() == b"new"


def test_a_briefly_locked_target_is_tried_again(tmp_path: Path, monkeypatch) -> None:
    refusals = [PermissionError(), PermissionError()]
    replace = Path.replace

    def busy(self: Path, target: Path) -> Path:
        if refusals:
            raise refusals.pop()
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", busy)
    monkeypatch.setattr(atomic.time, "sleep", lambda _: None)
    atomic.write_bytes(tmp_path / "a", b"x")
    assert not refusals
    assert (tmp_path / "a").read_bytes() == b"x"


def test_json_takes_numpy_and_turns_what_json_lacks_into_null() -> None:
    row = {"a": np.float32(0.5), "b": np.nan, "c": np.float32("inf"), "d": np.arange(2), "e": (1,)}
    assert json.loads(atomic.encode_json(row)) == {
        "a": 0.5,
        "b": None,
        "c": None,
        "d": [0, 1],
        "e": [1],
    }


def test_json_refuses_what_it_cannot_say() -> None:
    with pytest.raises(Exception, match="object has no JSON form"):
        atomic.encode_json({"a": object()})


def test_object_arrays_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Object arrays"):
        atomic.stage(tmp_path / "a.npy", atomic.npy(np.array([{}], dtype=object)))
    assert not list(tmp_path.iterdir())
