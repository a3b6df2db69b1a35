"""Parquet interactions: the same table as from text, the same sentences, and hostile files."""

from __future__ import annotations

import datetime
from dataclasses import fields

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rednd_core.config import ColumnNames
from rednd_core.data import check, load_dataset
from rednd_core.data.interactions import read_interactions
from rednd_core.data.layouts import binary
from rednd_core.errors import DataError


@pytest.fixture
def store(tmp_path):
    """Write columns as ``shop.parquet``; keyword arguments go to the writer."""

    def write(columns, **options):
        file = tmp_path / "shop.parquet"
        pq.write_table(
            columns if isinstance(columns, pa.Table) else pa.table(columns), file, **options
        )
        return file

    return write


def ids(*values, kind=pa.int32()):
    return pa.array(values, type=kind)


def assert_same_table(found, want):
    for field in fields(want):
        a, b = getattr(found, field.name), getattr(want, field.name)
        if field.name in ("users", "items", "labels"):
            assert a.dtype == b.dtype
        assert (a is None) == (b is None)
        assert a is None or list(a) == list(b), field.name


RNG = np.random.default_rng(3)
ROWS = np.stack([RNG.integers(0, 50, 900), RNG.integers(0, 80, 900), RNG.integers(0, 3, 900)])


@pytest.mark.parametrize("kind", [pa.int32(), pa.int64(), pa.uint16(), pa.uint64()], ids=str)
def test_the_same_as_the_inter_file(store, inter, kind):
    """Shuffled rows with repeated pairs and conflicting labels, in several row groups."""
    columns = dict(zip(("userID", "itemID", "x_label"), ROWS, strict=True))
    file = store({name: pa.array(c).cast(kind) for name, c in columns.items()}, row_group_size=100)
    want = read_interactions(inter(*ROWS.T))
    assert {notice.code for notice in want.notices} == {"duplicate_pairs", "conflicting_labels"}
    assert_same_table(read_interactions(file), want)


def test_the_same_data_set_as_the_inter_folder(mmrec):
    want = load_dataset(mmrec)
    text = (mmrec / "shop.inter").read_text().split("\n")[1:-1]
    rows = np.array([line.split("\t") for line in text], dtype=np.int32).T
    (mmrec / "shop.inter").unlink()
    names = ("userID", "itemID", "x_label")
    pq.write_table(pa.table(dict(zip(names, rows, strict=True))), mmrec / "log.parquet")
    found = load_dataset(mmrec)
    assert found.digest == want.digest
    assert (found.n_users, found.n_items) == (3, 4)
    assert found.train.users.dtype == np.int64
    assert found.items.equals(want.items)
    assert check(mmrec).ok


@pytest.mark.parametrize(
    ("values", "points"),
    [
        (pa.array([5, 7]), [5, 7]),
        (pa.array([5.5, 7.25]), [5.5, 7.25]),
        (pa.array([" 1970-01-02", "1970-01-01T00:01:00Z"]), [86_400_000_000, 60_000_000]),
        (pa.array([datetime.date(1970, 1, 2), datetime.date(1970, 1, 1)]), [86_400_000_000, 0]),
        (pa.array([60_500_000, 0], type=pa.timestamp("us")), [60_500_000, 0]),
        (pa.array([60, 0], type=pa.timestamp("s", tz="Europe/Berlin")), [60_000_000, 0]),
    ],
)
def test_times(store, values, points):
    table = read_interactions(
        store({"userID": ids(0, 0), "itemID": ids(0, 1), "timestamp": values})
    )
    assert table.timestamps.tolist() == points


def test_other_columns_and_names(store):
    junk = pa.array([[{"a": 1}], None])
    file = store({"who": ids(0, 1), "what": ids(2, 0), "rating": junk, "userID": junk})
    table = read_interactions(file, ColumnNames(user="who", item="what"))
    assert (table.users.tolist(), table.item_ids[table.items].tolist()) == ([0, 1], ["2", "0"])
    assert [notice.code for notice in table.notices] == ["ratings_unused"]


def test_ids_kept_as_a_dictionary(store):
    table = read_interactions(
        store({"userID": ids(0, 4, 4).dictionary_encode(), "itemID": ids(1, 1, 0)})
    )
    assert table.user_ids.tolist() == ["0", "4"]
    assert (table.users.tolist(), table.items.tolist()) == ([0, 1, 1], [1, 0, 1])


def test_ids_may_be_texts_or_numbers_with_a_point_zero(store):
    file = store({"userID": pa.array(["b", "007"]), "itemID": pa.array([3.0, 10.0])})
    table = read_interactions(file)
    assert (table.user_ids.tolist(), table.item_ids.tolist()) == (["007", "b"], ["3", "10"])


def test_huge_ids_cost_nothing(store):
    file = store({"userID": ids(0, 9_999_999), "itemID": ids(0, 2**62, kind=pa.int64())})
    table = read_interactions(file)
    assert table.user_ids.tolist() == ["0", "9999999"]
    assert table.item_ids.tolist() == ["0", str(2**62)]


OK = ids(0, 1)
BAD_COLUMNS = {
    "missing column": (
        {"person": OK, "itemID": OK},
        ["column 'userID'", "the columns person, itemID"],
    ),
    "one column": ({"a,b": OK}, ["'userID' and column 'itemID'", "the columns a,b"]),
    "repeated column": (
        pa.Table.from_arrays([OK, OK, OK], names=["userID", "itemID", "userID"]),
        ["userID more than once"],
    ),
    "missing value": (
        {"userID": OK, "itemID": ids(None, 1)},
        ["'itemID'", "1 other cell", "1 empty; the first is '' in data row 1"],
    ),
    "nothing but missing": (
        {"userID": OK, "itemID": ids(None, None)},
        ["2 other cells", "2 empty"],
    ),
    "float": (
        {"userID": pa.array([0.5, 1.0]), "itemID": OK},
        ["whole numbers or texts", "'0.5' in data row 1"],
    ),
    "text of other bytes": (
        {"userID": OK, "itemID": pa.array([b"a", b"\xff"]).cast(pa.binary())},
        ["'itemID'", "that have no text"],
    ),
    "list": ({"userID": pa.array([[0], [1]]), "itemID": OK}, ["type list"]),
    "nested": ({"userID": pa.array([{"itemID": 1}, {"itemID": 2}]), "itemID": OK}, ["type struct"]),
    "null type": ({"userID": pa.nulls(2), "itemID": OK}, ["an id in every row", "2 empty"]),
    "label 3": (
        {"userID": OK, "itemID": OK, "x_label": ids(0, 3)},
        ["labels 0 (train), 1 (validation) or 2 (test)", "1 other cell", "'3' in data row 2"],
    ),
    "label missing": ({"userID": OK, "itemID": OK, "x_label": ids(0, None)}, ["1 empty"]),
    "label float": (
        {"userID": OK, "itemID": OK, "x_label": pa.array([0.5, 1.0])},
        ["labels 0 (train)", "'0.5' in data row 1"],
    ),
    "bad time": ({"userID": OK, "itemID": OK, "timestamp": pa.array(["1", "soon"])}, ["'soon'"]),
    "infinite time": (
        {"userID": OK, "itemID": OK, "timestamp": pa.array([1.0, np.inf])},
        ["numbers or ISO 8601 dates", "'inf'"],
    ),
    "time missing": ({"userID": OK, "itemID": OK, "timestamp": ids(1, None)}, ["1 empty"]),
    "time of lists": (
        {"userID": OK, "itemID": OK, "timestamp": pa.array([[1], [2]])},
        ["type list"],
    ),
    "no row": ({"userID": ids(), "itemID": ids()}, ["at least one row", "no row"]),
    "no column": (pa.table({}), ["row"]),
}


def assert_one_sentence(message, key_words):
    assert message.startswith("Expected ")
    assert message.endswith(".")
    assert "\n" not in message
    assert len(message) < 400
    for words in (*key_words, "shop.parquet"):
        assert words in message


@pytest.mark.parametrize("case", BAD_COLUMNS)
def test_bad_columns_get_one_clear_sentence(store, case):
    columns, key_words = BAD_COLUMNS[case]
    with pytest.raises(DataError) as raised:
        read_interactions(store(columns))
    assert_one_sentence(str(raised.value), key_words)


def cut(content):
    return content[: len(content) // 2]


def torn(content):
    """The footer is whole and the pages are not."""
    return content[:4] + b"\xff" * 200 + content[204:]


DAMAGED = {
    "cut off": cut,
    "no end": lambda content: content[:-4],
    "torn pages": torn,
    "text": lambda content: b"userID\titemID\n0\t0\n",
    "magic alone": lambda content: b"PAR1PAR1",
    "footer beyond the file": lambda content: b"PAR1" + b"\xff\xff\xff\x7f" + b"PAR1",
    "junk footer": lambda content: b"PAR1" + b"\x99" * 64 + b"\x40\0\0\0PAR1",
}


@pytest.mark.parametrize("case", DAMAGED)
def test_damaged_files_get_one_clear_sentence(store, case):
    values = RNG.permutation(5000).astype(np.int32)
    file = store({"userID": values, "itemID": values[::-1]}, compression="zstd")
    file.write_bytes(DAMAGED[case](file.read_bytes()))
    with pytest.raises(DataError) as raised:
        read_interactions(file)
    assert_one_sentence(str(raised.value), ["write it again"])
    assert not check(file).ok


def test_an_empty_file(tmp_path):
    file = tmp_path / "shop.parquet"
    file.touch()
    with pytest.raises(DataError, match="an empty file"):
        read_interactions(file)


def test_rows_are_counted_before_they_are_unpacked(store, monkeypatch):
    file = store({"userID": np.zeros(100_000, np.int32), "itemID": np.arange(100_000)})
    monkeypatch.setattr(binary, "MAX_ROWS", 99_999)
    monkeypatch.setattr(binary, "_read_parquet", lambda *_: pytest.fail("read although too long"))
    with pytest.raises(DataError, match=r"at most 99,999 rows in shop\.parquet, .* found 100,000"):
        read_interactions(file)


def test_a_small_file_of_many_equal_rows_is_not_unpacked(store, monkeypatch):
    n = 5_000_000
    columns = {"userID": pa.array(np.zeros(n, np.int32)), "itemID": pa.array(np.zeros(n, np.int32))}
    file = store(columns, compression="zstd")
    assert file.stat().st_size < 60_000
    monkeypatch.setattr(binary, "_read_parquet", lambda *_: pytest.fail("read although a bomb"))
    with pytest.raises(DataError, match=r"at most 1,000,000 rows .* found 5,000,000"):
        read_interactions(file)


def test_text_times_of_other_bytes_are_a_sentence(store):
    broken = pa.array([b"2020-01-01", b"2020-\xff"]).cast(pa.binary())
    text = pa.Array.from_buffers(pa.string(), 2, broken.buffers())
    file = store({"userID": OK, "itemID": OK, "timestamp": text})
    with pytest.raises(DataError) as raised:
        read_interactions(file)
    assert_one_sentence(str(raised.value), [])


def test_a_folder_with_inter_and_parquet_means_the_inter_file(store, inter):
    inter((0, 0, 0), (0, 1, 1))
    file = store({"userID": OK, "itemID": OK})
    (file.parent / "shop" / "shop.parquet").write_bytes(file.read_bytes())
    found = load_dataset(file.parent / "shop")
    assert found.recognised.startswith("MMRec: shop.inter,")
    assert found.left_out == ("shop.parquet",)
