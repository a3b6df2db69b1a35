"""The cache: keys that depend on everything, files that are whole or absent."""

from __future__ import annotations

import io
import os
import threading
import time
import zipfile

import numpy as np
import pytest

from rednd_core import atomic
from rednd_core import cache as cache_module
from rednd_core.cache import ArrayCache, content_key, library_versions
from rednd_core.errors import ConfigError

X = np.arange(6, dtype=np.float32).reshape(2, 3)
BASE = {"name": "knn", "arrays": [X], "params": {"k": 15}, "versions": {"numpy": "2.0"}}


def key(**change):
    return content_key(**{**BASE, **change})


@pytest.mark.parametrize(
    "change",
    [
        {"name": "layout"},
        {"arrays": [X + np.float32(1e-6)]},
        {"arrays": [X.reshape(3, 2)]},
        {"arrays": [X.astype(np.float64)]},
        {"arrays": [X, X]},
        {"arrays": []},
        {"params": {"k": 16}},
        {"params": {"k": "15"}},
        {"params": {"k": 15, "min_dist": 0.1}},
        {"versions": {"numpy": "2.1"}},
    ],
)
def test_key_changes_with_everything(change):
    assert key(**change) != key()


def test_key_ignores_order_of_parameters_and_memory_layout():
    assert key(params={"a": 1, "b": 2}) == key(params={"b": 2, "a": 1})
    assert key(arrays=[np.asfortranarray(X)]) == key()
    assert len(key()) == 40


@pytest.mark.parametrize("value", [float("nan"), np.zeros(2), object()])
def test_key_refuses_what_it_cannot_say_exactly(value):
    with pytest.raises(ConfigError, match="cache parameters"):
        key(params={"k": value})


def test_versions_drop_the_local_tag(monkeypatch):
    monkeypatch.setattr(cache_module.metadata, "version", lambda name: "2.5.0+cpu")
    assert library_versions("torch") == {"torch": "2.5.0"}


def test_round_trip_and_miss(tmp_path):
    cache = ArrayCache(tmp_path / "deep" / "cache")
    assert cache.get("a") is None
    cache.put("a", {"x": X, "text": np.array("ü")})
    found = cache.get("a")
    assert found is not None
    assert np.array_equal(found["x"], X)
    assert found["x"].dtype == np.float32
    assert found["text"].item() == "ü"
    assert cache.get("b") is None


@pytest.mark.parametrize("keep", [0, 10, 100, -1])
def test_truncated_entry_is_a_miss_and_is_replaced(tmp_path, keep, caplog):
    cache = ArrayCache(tmp_path)
    cache.put("a", {"x": X})
    path = tmp_path / "a.npz"
    path.write_bytes(path.read_bytes()[:keep])
    assert cache.get("a") is None
    assert "a.npz" in caplog.text
    cache.put("a", {"x": X + 1})
    assert np.array_equal(cache.get("a")["x"], X + 1)


def test_flipped_bit_is_a_miss(tmp_path):
    cache = ArrayCache(tmp_path)
    cache.put("a", {"x": np.zeros(1000)})
    path = tmp_path / "a.npz"
    content = bytearray(path.read_bytes())
    content[4000] ^= 1
    path.write_bytes(content)
    assert cache.get("a") is None


def test_pickles_and_compressed_members_are_never_read(tmp_path):
    cache = ArrayCache(tmp_path)
    np.savez(tmp_path / "pickle.npz", x=np.array([{"a": 1}], dtype=object))
    np.savez_compressed(tmp_path / "bomb.npz", x=np.zeros(10**6))
    assert cache.get("pickle") is None
    assert cache.get("bomb") is None


def test_header_that_claims_a_huge_array_is_a_miss(tmp_path):
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000000,), }"
    header = header.ljust(117) + b"\n"
    member = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("x.npy", member)
    assert ArrayCache(tmp_path).get("a") is None


def test_interrupted_write_leaves_the_old_entry_and_no_rubbish(tmp_path, monkeypatch):
    cache = ArrayCache(tmp_path)
    cache.put("a", {"x": X})

    def half(stream, **arrays):
        stream.write(b"PK half a file")
        raise KeyboardInterrupt

    monkeypatch.setattr(cache_module.np, "savez", half)
    with pytest.raises(KeyboardInterrupt):
        cache.put("a", {"x": X + 1})
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]
    assert np.array_equal(cache.get("a")["x"], X)


def test_a_write_is_invisible_until_it_is_whole(tmp_path, monkeypatch):
    cache = ArrayCache(tmp_path)
    real, seen = np.savez, []

    def slow(stream, **arrays):
        real(stream, **arrays)
        seen.append(cache.get("a"))

    monkeypatch.setattr(cache_module.np, "savez", slow)
    cache.put("a", {"x": X})
    assert seen == [None]
    assert cache.get("a") is not None


def test_concurrent_writers_and_readers_see_whole_entries(tmp_path):
    cache = ArrayCache(tmp_path)
    values = [np.full(20_000, number) for number in range(4)]
    cache.put("a", {"x": values[0]})
    broken, done = [], threading.Event()

    def write(value):
        for _ in range(10):
            cache.put("a", {"x": value})

    def read():
        while not done.is_set():
            found = cache.get("a")
            if found is None or len(set(found["x"].tolist())) != 1:
                broken.append(found)

    writers = [threading.Thread(target=write, args=(value,)) for value in values]
    reader = threading.Thread(target=read)
    reader.start()
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    done.set()
    reader.join()
    assert not broken
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]


def test_bundled_roots_are_read_and_never_written(tmp_path):
    bundled = ArrayCache(tmp_path / "run" / "projections")
    bundled.put("a", {"x": X})
    before = {path: path.read_bytes() for path in bundled.root.iterdir()}
    cache = ArrayCache(tmp_path / "own", [tmp_path / "absent", bundled.root])
    assert np.array_equal(cache.get("a")["x"], X)
    cache.put("b", {"x": X})
    cache.put("a", {"x": X + 1})
    assert np.array_equal(cache.get("a")["x"], X + 1), "the writable root comes first"
    assert {path: path.read_bytes() for path in bundled.root.iterdir()} == before


def test_damaged_own_entry_falls_through_to_the_bundled_one(tmp_path):
    ArrayCache(tmp_path / "bundled").put("a", {"x": X})
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "a.npz").write_bytes(b"rubbish")
    cache = ArrayCache(tmp_path / "own", [tmp_path / "bundled"])
    assert np.array_equal(cache.get("a")["x"], X)


def test_without_a_writable_root_nothing_is_written(tmp_path):
    cache = ArrayCache(None, [tmp_path])
    cache.put("a", {"x": X})
    assert cache.get("a") is None
    assert not list(tmp_path.iterdir())


def test_unwritable_root_warns_and_goes_on(tmp_path, caplog):
    (tmp_path / "file").write_text("not a folder")
    ArrayCache(tmp_path / "file").put("a", {"x": X})
    assert "cannot be written" in caplog.text


def test_least_recently_used_entries_go_first(tmp_path):
    cache = ArrayCache(tmp_path, max_bytes=3 * 8500)
    for number, name in enumerate("abc"):
        cache.put(name, {"x": np.zeros(1000)})
        os.utime(tmp_path / f"{name}.npz", (number, number))
    cache.get("a")
    cache.put("d", {"x": np.zeros(1000)})
    assert {path.stem for path in tmp_path.iterdir()} == {"a", "c", "d"}
    ArrayCache(tmp_path, max_bytes=1).put("e", {"x": X})
    assert [path.stem for path in tmp_path.iterdir()] == ["e"]


def test_what_a_killed_process_left_goes_after_a_day(tmp_path, monkeypatch):
    cache = ArrayCache(tmp_path)
    old, young = tmp_path / ".a.0123.tmp", tmp_path / ".b.0123.tmp"
    for path in (old, young):
        path.touch()
    later = time.time() + atomic.ABANDONED_SECONDS + 1
    monkeypatch.setattr(atomic.time, "time", lambda: later)
    os.utime(young, (later, later))
    cache.put("a", {"x": X})
    assert (old.exists(), young.exists()) == (False, True)


def npz(header: bytes, data: bytes = b"", flags: int = 0, version: int = 20) -> bytes:
    """An archive with one array ``a``, whose header may say anything."""
    member = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + data
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.npy", member)
    content = bytearray(buffer.getvalue())
    at = content.rindex(b"PK\x01\x02")
    content[at + 6] = version
    content[at + 8] |= flags
    return bytes(content)


HEADER = b"{'descr': '<f4', 'fortran_order': False, 'shape': (%s)}\n"
HOSTILE = {
    "encrypted": npz(HEADER % b"1,", bytes(4), flags=1),
    "a version that nobody reads": npz(HEADER % b"1,", bytes(4), version=99),
    "no shape": npz(b"{'descr': '<f4'}\n"),
    "a shape beyond memory": npz(HEADER % b"10**9"),
    "a shape beyond any number": npz(HEADER % (b"9" * 40 + b",")),
    "a negative shape": npz(HEADER % b"-1,"),
    "true as a shape": npz(HEADER % b"True,", bytes(4)),
    "a type that is a list": npz(b"{'descr': [1], 'fortran_order': False, 'shape': (1,)}\n"),
    "a header that is not closed": npz(b"{'descr': (((((((\n"),
    "a deep header": npz(b"(" * 5_000 + b")" * 5_000),
    "a null in the header": npz(b"{'descr': '<f4\0'}\n"),
    "objects": npz(b"{'descr': '|O', 'fortran_order': False, 'shape': (1,)}\n", b"cos\n"),
    "half a file": npz(HEADER % b"1,", bytes(4))[:-10],
    "nothing": b"",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_no_file_makes_a_look_into_the_cache_raise(tmp_path, kind):
    (tmp_path / "k.npz").write_bytes(HOSTILE[kind])
    assert ArrayCache(None, bundled=[tmp_path]).get("k") is None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are POSIX")
def test_a_pipe_in_the_cache_is_not_waited_for(tmp_path, in_time):
    os.mkfifo(tmp_path / "k.npz")
    with in_time():
        assert ArrayCache(tmp_path).get("k") is None
