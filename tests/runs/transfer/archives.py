"""Zip archives taken apart and put together, safetensors files that lie, and how both are refused."""

from __future__ import annotations

import io
import json
import pickle
import struct
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest

from rednd_core.errors import CheckpointError
from rednd_core.runs import RunStore, import_archive


def files_of(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive_:
        return {name: archive_.read(name) for name in archive_.namelist()}


def pack(files: dict[str | zipfile.ZipInfo, bytes] | list, **options) -> bytes:
    buffer = io.BytesIO()
    pairs = files.items() if isinstance(files, dict) else files
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", **options) as archive_:
        warnings.simplefilter("ignore")  # duplicate names are meant
        for name, content in pairs:
            archive_.writestr(name, content)
    return buffer.getvalue()


def npy(array: np.ndarray) -> bytes:
    """An array as a file, object arrays as a pickle."""
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def refuse(content: bytes | Path, store: RunStore, sentence: str) -> None:
    """``content`` is refused in one sentence that contains ``sentence``; nothing remains of it."""
    before = sorted(path.as_posix() for path in store.root.parent.rglob("*"))
    with pytest.raises(CheckpointError) as caught:
        import_archive(content, store)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)
    assert ".tmp" not in str(caught.value), "a folder that is gone"
    assert any(words in caught.value.remedy for words in ("export the run again", "checkpoint"))
    assert sorted(path.as_posix() for path in store.root.parent.rglob("*")) == before


def header(text: bytes, size: int | None = None, data: bytes = b"") -> bytes:
    return struct.pack("<Q", len(text) if size is None else size) + text + data


def two_tensors(first: list[int], second: list[int]) -> bytes:
    entry = {"dtype": "F32", "shape": [1]}
    tensors = {
        "__metadata__": {"format": "rednd-1", "model": "lightgcn", "epoch": "2"},
        "a": entry | {"data_offsets": first},
        "b": entry | {"data_offsets": second},
    }
    return header(json.dumps(tensors).encode(), data=bytes(8))


HOSTILE_SAFETENSORS = {
    "empty": b"",
    "huge header": header(b"{}", size=2**62),
    "header beyond the file": header(b"{}", size=100),
    "not json": header(b"{{{{"),
    "overlapping": two_tensors([0, 4], [0, 4]),
    "hole": two_tensors([0, 2], [4, 8]),
    "beyond the end": two_tensors([0, 4], [4, 400]),
    "pickle": pickle.dumps({"state_dict": 1}),
    "zip": pack({"archive/data.pkl": b"x"}),
}
