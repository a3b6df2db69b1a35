"""Archives within budgets, first lines that say nothing, tables without a header, other encodings."""

from __future__ import annotations

import gzip
import zipfile

import pytest

from rednd_core.data import check, load_dataset
from rednd_core.data.interactions import read_interactions
from rednd_core.data.layouts import source
from rednd_core.errors import DataError


@pytest.fixture
def small_budgets(monkeypatch):
    monkeypatch.setattr(source, "FREE_BYTES", 1 << 20)


def test_a_gzip_bomb_is_not_unpacked(tmp_path, small_budgets):
    file = tmp_path / "log.csv.gz"
    file.write_bytes(gzip.compress(b"user,item\n" + b"a,b\n" * 2_000_000))
    assert file.stat().st_size < 40_000
    with pytest.raises(DataError, match=r"an archive of log\.csv that unpacks to at most [1-7] MB"):
        read_interactions(file)


def test_a_zip_bomb_is_not_unpacked_whatever_its_directory_says(tmp_path, small_budgets):
    place = tmp_path / "log.zip"
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("log.csv", b"user,item\n" + b"a,b\n" * 2_000_000)
    (error,) = check(place).errors
    assert "unpacks to at most" in error


@pytest.mark.parametrize("cut", [5, 30, 200])
def test_damaged_archives_are_sentences(tmp_path, cut):
    whole = gzip.compress(
        ("user,item\n" + "".join(f"u{k},i{k * 7 % 90}\n" for k in range(900))).encode()
    )
    (tmp_path / "log.csv.gz").write_bytes(whole[:-cut])
    (error,) = check(tmp_path / "log.csv.gz").errors
    assert error.startswith("Expected a ")
    (tmp_path / "log.zip").write_bytes(b"PK\x03\x04" + whole[cut:])
    (error,) = check(tmp_path / "log.zip").errors
    assert error.startswith("Expected a readable file log.zip")


def test_an_archive_of_several_data_sets_is_refused(tmp_path):
    place = tmp_path / "both.zip"
    with zipfile.ZipFile(place, "w") as archive:
        for folder in "ab":
            archive.writestr(f"{folder}/log.csv", "user,item\na,b\n")
    with pytest.raises(
        DataError, match=r"one data set in both\.zip, but found log\.csv in several"
    ):
        read_interactions(place)


def test_first_lines_that_begin_with_a_hash(write):
    text = "# made in May\n# by hand\nuser,item\nann,tea\n#bob,mug\n"
    assert read_interactions(write("log.csv", text)).user_ids.tolist() == ["#bob", "ann"]
    text = "# user\titem\nann\ttea\nbob\tmug\n"
    assert read_interactions(write("log.tsv", text)).user_ids.tolist() == ["ann", "bob"]


def test_a_table_without_a_header_loses_no_row(write):
    table = read_interactions(write("log.csv", "ann,tea,5\nann,mug,3\nbob,tea,1\n"))
    assert len(table.users) == 3
    said = load_dataset(
        write("more.csv", "".join(f"{u},{i},1\n" for u in "ab" for i in "xyz"))
    ).recognised
    assert "without a header: users in 'column 1', items in 'column 2'" in said


def test_what_may_be_a_header_or_a_row_is_asked(write):
    file = write("log.csv", "person,thing\nann,tea\nbob,mug\n")
    with pytest.raises(DataError, match="'person, thing', which may be either"):
        read_interactions(file)
    dataset = check(file, layout="headerless", split="random")
    assert dataset.preview[0] == {"user": "person", "item": "thing"}
    assert check(file, columns={"user": "person", "item": "thing"}).preview[0]["user"] == "ann"


def test_columns_without_names_are_named_by_number(write):
    rows = "".join(
        f"{k},i{i},x,u{u}\n" for k, (u, i) in enumerate((u, i) for u in range(4) for i in range(4))
    )
    dataset = load_dataset(write("log.csv", rows), columns={"user": "4", "item": "2"})
    assert set(dataset.user_ids) == {"u0", "u1", "u2", "u3"}
    assert set(dataset.item_ids) == {"i0", "i1", "i2", "i3"}


def test_amazon_of_2018_has_the_product_first(write):
    rows = [f"B00000000{i},A{u}XYZ{u}LONGID,5.0,15000000{u}{i}" for u in range(5) for i in range(4)]
    dataset = load_dataset(write("Toys.csv", "\n".join(rows)), split="leave_last_out")
    assert (dataset.n_users, dataset.n_items) == (5, 4)
    assert dataset.item_ids[0] == "B000000000"


def test_latin_1_is_read_and_said(write):
    file = write("log.csv", "userID,itemID\nzoë,b\nann,b\n".encode("latin-1"))
    table = read_interactions(file)
    assert table.user_ids.tolist() == ["ann", "zoë"]
    assert [n.message for n in table.notices] == [
        "log.csv is not UTF-8: its letters were read as Latin-1."
    ]


def test_items_are_found_by_their_ids_whatever_their_file_is_called(write):
    rows = [f"u{u},i{(u + k) % 7}" for u in range(6) for k in range(4)]
    folder = write("log.csv", "user,item\n" + "\n".join(rows) + "\n").parent
    stock = "".join(f"Name {k};i{k};x|y\n" for k in range(7))
    write("stock 2024.csv", "name;item;labels\n" + stock)
    write("other.csv", "item,weight\nz1,3\nz2,4\n")
    dataset = load_dataset(folder / "log.csv")
    assert dataset.items["title"].tolist() == [f"Name {k}" for k in range(7)]
    assert dataset.items["labels"].tolist() == ["x, y"] * 7
    assert "other.csv" in dataset.left_out
