"""Ids that are made when asked for read as the object array of the same strings."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from rednd_core.data.ids import NumberIds, id_column, id_lookup, json_blocks

N = 1234


@pytest.fixture
def plain() -> np.ndarray:
    return np.array([str(k) for k in range(N)], dtype=object)


INDICES = [
    0,
    -1,
    np.int32(7),
    slice(None),
    slice(-3, None),
    slice(10, 2, -3),
    [3, 1, 1],
    [],
    np.array([[0, 1233], [-1234, -1]]),
    np.array([5, 6], dtype=np.uint8),
    np.arange(N) % 7 == 0,
    np.zeros(N, dtype=bool),
]


@pytest.mark.parametrize("index", INDICES, ids=str)
def test_indexing(plain, index):
    got, want = NumberIds(N)[index], plain[index]
    assert type(got) is type(want)
    if isinstance(want, str):
        assert got == want
    else:
        assert (got.dtype, got.shape, got.tolist()) == (want.dtype, want.shape, want.tolist())


@pytest.mark.parametrize("index", [N, -N - 1, [0, N], np.ones(3, dtype=bool), 1.0, "0"], ids=str)
def test_what_numpy_refuses(plain, index):
    for ids in (NumberIds(N), plain):
        with pytest.raises(IndexError):
            ids[index]


def test_as_a_sequence_and_an_array(plain):
    ids = NumberIds(N)
    assert len(ids) == N
    assert list(ids) == ids.tolist() == plain.tolist()
    assert np.concatenate([ids, plain[:2]]).tolist() == [*plain, "0", "1"]
    assert ids.astype(str).dtype == plain.astype(str).dtype
    pd.testing.assert_frame_equal(pd.DataFrame({"a": ids}), pd.DataFrame({"a": plain}))


@pytest.mark.parametrize(
    "text", ["0", "1233", "1234", "007", "-1", "", "x", "1.0", "٣", "9" * 9999]
)
def test_looking_for_one_id(plain, text):
    ids = NumberIds(N)
    np.testing.assert_array_equal(ids == text, plain == text)
    assert (text in ids) == (text in plain)


def test_comparing_with_many(plain):
    plain[5] = "other"
    assert np.flatnonzero((NumberIds(N) == plain) == 0).tolist() == [5]


@pytest.mark.parametrize("n", [0, 1, 70_000])
def test_columns_and_json_are_those_of_the_strings(n):
    ids, plain = NumberIds(n), np.array([str(k) for k in range(n)], dtype=object)
    pd.testing.assert_series_equal(id_column(ids), id_column(plain), check_dtype=n > 0)
    for each in (ids, plain):
        assert b"".join(json_blocks(each)) == json.dumps(plain.tolist()).encode()
    odd = np.array(['a"b', "ä", ", "], dtype=object)
    assert b"".join(json_blocks(odd)) == json.dumps(odd.tolist()).encode()


@pytest.mark.parametrize("ids", [NumberIds(30), np.array([f"a{k}" for k in range(30)], object)])
def test_looking_ids_up(ids):
    find = id_lookup(ids)
    assert [find(each) for each in ids] == list(range(30))
    assert [find(text) for text in ("", "30", "-1", "01", "a30", "A1")] == [None] * 6
