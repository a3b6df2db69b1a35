"""No pickle is ever opened, under whatever name it comes."""

from __future__ import annotations

import io
import pickle
from pathlib import Path

import numpy as np
import pytest

from rednd_core.runs import RunStore
from tests.runs.transfer.archives import files_of, pack, refuse


class Bomb:
    """Unpickling this would create a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


@pytest.mark.parametrize("suffix", ["pt", "pth", "pkl", "bin", "PT"])
def test_pickles_are_refused_unopened(zipped, target: RunStore, tmp_path, suffix: str) -> None:
    content = pickle.dumps(Bomb(tmp_path / "pwned"))
    files = files_of(zipped) | {f"done/checkpoints/best.{suffix}": content}
    refuse(pack(files), target, "is never opened")
    assert not (tmp_path / "pwned").exists()


def test_a_torch_checkpoint_and_a_bare_pickle(target: RunStore, tmp_path: Path) -> None:
    content = pickle.dumps(Bomb(tmp_path / "pwned"))
    refuse(pack({"archive/data.pkl": content, "archive/version": b"3"}), target, "never opened")
    refuse(content, target, "a zip archive of a run folder")
    assert not (tmp_path / "pwned").exists()


def test_object_arrays_are_never_unpickled(zipped: bytes, target: RunStore, tmp_path) -> None:
    buffer = io.BytesIO()
    np.save(buffer, np.array([[Bomb(tmp_path / "pwned")]], dtype=object), allow_pickle=True)
    for name in ("done/layers/id_1.npy", "done/layers/users.npy"):
        refuse(pack(files_of(zipped) | {name: buffer.getvalue()}), target, "a float32 matrix")
    refuse(
        pack(files_of(zipped) | {"done/layers/id_1.npy": pickle.dumps(Bomb(tmp_path / "pwned"))}),
        target,
        "a float32 matrix",
    )
    assert not (tmp_path / "pwned").exists()
