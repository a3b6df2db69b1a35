"""Interaction files: what they mean, and one clear sentence for each way of being wrong."""

from __future__ import annotations

import os

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from rednd_core.config import ColumnNames
from rednd_core.data import load_dataset
from rednd_core.data.interactions import read_interactions
from rednd_core.data.layouts.recognise import recognise
from rednd_core.data.layouts.source import open_source
from rednd_core.data.users import user_table
from rednd_core.errors import DataError


def pairs(table):
    return list(zip(table.user_ids[table.users], table.item_ids[table.items], strict=True))


def test_ids_are_labels_with_numbers_in_their_order(inter):
    table = read_interactions(inter((9, 10, 0), (2, 4, 1), (9, 4, 2)))
    assert table.user_ids.tolist() == ["2", "9"]
    assert table.item_ids.tolist() == ["4", "10"]
    assert (table.users.tolist(), table.items.tolist()) == ([0, 1, 1], [0, 0, 1])
    assert table.users.dtype == table.items.dtype == np.int32
    assert table.labels.tolist() == [1, 2, 0]
    assert table.timestamps is None
    assert table.notices == ()


def test_texts_stay_as_they_are_but_for_spaces_around_them(write):
    table = read_interactions(write("a.csv", "itemID,userID\n007,zoë\nNA,zoë\n007, 1.0 \nnull,b\n"))
    assert table.user_ids.tolist() == ["1.0", "b", "zoë"]
    assert table.item_ids.tolist() == ["007", "NA", "null"]
    assert pairs(table) == [("1.0", "007"), ("b", "null"), ("zoë", "007"), ("zoë", "NA")]
    assert table.labels is None


def test_quoted_cells_and_other_column_names(write):
    file = write("a.csv", '"who","what","when"\n"Doe, J","x ""y""",5\n')
    table = read_interactions(file, ColumnNames(user="who", item="what", timestamp="when"))
    assert pairs(table) == [("Doe, J", 'x "y"')]
    assert table.timestamps.tolist() == [5]


def test_names_mean_the_same_after_a_run_has_stored_them(write):
    """A stored configuration spells every column, also the optional ones that the file does not have."""
    file = write("a.csv", "who,itemID\na,x\nb,y\n")
    names = ColumnNames.model_validate_json(ColumnNames(user="who").model_dump_json())
    assert pairs(read_interactions(file, names)) == [("a", "x"), ("b", "y")]


@pytest.mark.parametrize("text", ["\ufeffuserID\titemID\r\n0\t1\r\n\r\n1\t0\r\n"])
def test_byte_order_mark_windows_line_ends_and_blank_lines(write, text):
    table = read_interactions(write("a.inter", text))
    assert table.users.tolist() == [0, 1]
    assert table.items.tolist() == [1, 0]


def test_dates_become_microseconds(write):
    file = write("a.csv", "userID,itemID,timestamp\na,x,1970-01-02\na,y,1970-01-01T00:01:00Z\n")
    assert read_interactions(file).timestamps.tolist() == [86_400_000_000, 60_000_000]


def test_duplicates_are_kept_once_with_a_count(inter):
    table = read_interactions(inter((0, 0, 0), (1, 1, 0), (0, 0, 0), (0, 0, 0), (0, 1, 1)))
    assert pairs(table) == [("0", "0"), ("0", "1"), ("1", "1")]
    assert [(n.code, n.count) for n in table.notices] == [("duplicate_pairs", 2)]
    assert "2 repeated rows" in table.notices[0].message


def test_of_two_labels_the_earliest_stays(inter):
    table = read_interactions(inter((0, 0, 2), (1, 0, 0), (0, 0, 1), (1, 1, 2), (1, 1, 2)))
    assert pairs(table) == [("0", "0"), ("1", "0"), ("1", "1")]
    assert table.labels.tolist() == [1, 0, 2]
    assert {n.code: n.count for n in table.notices} == {
        "duplicate_pairs": 2,
        "conflicting_labels": 1,
    }


def test_of_two_times_the_earliest_stays(write):
    file = write("a.csv", "userID,itemID,timestamp\na,x,9\na,y,5\na,x,3\n")
    table = read_interactions(file)
    assert pairs(table) == [("a", "x"), ("a", "y")]
    assert table.timestamps.tolist() == [3, 5]


def test_the_label_decides_before_the_time(write):
    header = "userID,itemID,x_label,timestamp\n"
    table = read_interactions(write("a.csv", header + "a,x,2,1\na,x,0,9\na,x,0,8\n"))
    assert (table.labels.tolist(), table.timestamps.tolist()) == ([0], [8.0])


@pytest.mark.parametrize("name", ["rating", "stars", "overall", "plays", "weight"])
def test_ratings_are_noted_whatever_they_are_called(inter, name):
    table = read_interactions(inter((0, 0, 5), (0, 1, 1), header=f"userID itemID {name}"))
    (notice,) = table.notices
    assert notice.code == "ratings_unused"
    assert f"every row is a like: the ratings in '{name}', from 1 to 5" in notice.message.lower()


def test_equal_ratings_say_nothing(inter):
    assert (
        read_interactions(inter((0, 0, 1), (0, 1, 1), header="userID itemID weight")).notices == ()
    )


def test_ratings_that_are_no_numbers_do_not_stop_the_reading(write):
    table = read_interactions(write("a.csv", "userID,itemID,rating\na,b,good\nb,b,5\n"))
    assert [n.code for n in table.notices] == ["ratings_unused"]
    assert "expected numbers in column 'rating'" in table.notices[0].message


INTER = "userID\titemID\tx_label\n"
BAD_FILES = {
    "missing column": (
        "a.inter",
        "person\titemID\n0\t0\n",
        ["'userID'", "columns person, itemID", "with --column user=", "(in the app"],
    ),
    "nearly right": (
        "a.csv",
        "my_users,itemid2\n1,2\n2,3\n",
        ["columns my_users, itemid2", "did you mean 'my_users' and 'itemid2'?", "user=my_users"],
    ),
    "repeated column": ("a.csv", "userID,itemID,userID\na,b,c\n", ["userID more than once"]),
    "spaces around names": (
        "a.inter",
        " aD\tbD \t\n0\t0\t\n",
        ["' aD', 'bD ', ''"],
    ),
    "empty string id": (
        "a.csv",
        "userID,itemID\na,\n,b\n",
        ["'userID'", "id in every row", "1 emp"],
    ),
    "missing among numbers of pandas": (
        "a.inter",
        INTER + "0.0\t1.0\t0\nnan\t1.0\t1\n",
        ["'userID'", "id in every row", "'nan' in data row 2"],
    ),
    "label 3": ("a.inter", INTER + "0\t0\t3\n0\t1\t0\n", ["'x_label'", "1 other", "'3'"]),
    "label empty": ("a.inter", INTER + "0\t0\t\n", ["'x_label'", "1 empty"]),
    "bad time": ("a.csv", "userID,itemID,timestamp\na,b,1\na,c,soon\n", ["ISO 8601", "'soon'"]),
    "infinite time": ("a.csv", "userID,itemID,timestamp\na,b,1\na,c,inf\n", ["ISO 8601", "'inf'"]),
    "short row": (
        "a.inter",
        INTER + "0\t0\t0\n1\t0\n",
        ["3 cells in every row", "2 in data row 2"],
    ),
    "long row": ("a.inter", INTER + "0\t0\t0\t0\n", ["3 cells in every row", "4 in data row 1"]),
    "an id of two lines": (
        "a.csv",
        'userID,itemID\n"a\nb",c\n\nd,e\n',
        ["closed in its own line", "spans lines, in line 2"],
    ),
    "open quote": ("a.csv", 'userID,itemID,"x_label\n0,0,"0\n', ["a whole cell", "line 1"]),
    "open quote in a row": ("a.csv", 'userID,itemID\na,b\n"c,d\n', ["never closed, in line 3"]),
    "text after a quote": ("a.csv", 'userID,itemID\na,"b"c\n', ["a whole cell", "in line 2"]),
    "two open quotes": (
        "a.csv",
        'userID,itemID,note\na,b,x\nc,d,"x\ne,f,x\ng,h,x"\ni,j,x\n',
        ["spans lines, in line 3"],
    ),
    "two open quotes in neighbouring rows": (
        "a.csv",
        'userID,itemID,note\na,b,x\nc,d,"x\ng,h,x"\ni,j,x\n',
        ["spans lines, in line 3"],
    ),
    "empty": ("a.inter", "", ["data in a.inter", "an empty file"]),
    "header only": ("a.inter", INTER, ["at least one row", "no row"]),
    "blank lines": ("a.inter", "\n \n", ["a table in a.inter", "blank lines"]),
    "binary": ("a.inter", bytes(range(256)), ["UTF-8 text", "binary data"]),
    "UTF-16": ("a.csv", "userID,itemID\na,b\n".encode("utf-16"), ["UTF-8", "another encoding"]),
    "Latin-1 beside UTF-8": (
        "a.csv",
        b"userID,itemID\nzo\xc3\xab,b\nzo\xeb,b\n",
        ["UTF-8", "in line 3"],
    ),
    "Latin-1 further down": (
        "a.csv",
        ("userID,itemID\n" + "a,b\n" * 40_000 + "zoë,b\n").encode("latin-1"),
        ["UTF-8", "0xEB in line 40,002"],
    ),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_bad_files_get_one_clear_sentence(write, case):
    name, content, key_words = BAD_FILES[case]
    with pytest.raises(DataError) as raised:
        read_interactions(write(name, content))
    message = str(raised.value)
    assert message.startswith("Expected ")
    assert message.endswith(".")
    assert "\n" not in message
    assert len(message) < 400
    for words in (*key_words, name):
        assert words in message


def test_two_roles_need_two_columns(write):
    file = write("a.csv", "who,itemID\na,b\nc,b\n")
    with pytest.raises(DataError, match=r"user in 'who', item in 'who'; give each role another"):
        read_interactions(file, ColumnNames(user="who", item="who"))


def test_a_named_optional_column_must_be_there(write):
    file = write("a.csv", "userID,itemID\na,b\n")
    with pytest.raises(DataError, match=r"'when'.*--column timestamp=NAME"):
        read_interactions(file, ColumnNames(timestamp="when"))


def test_column_names_are_strict():
    with pytest.raises(ValidationError):
        ColumnNames(usr="who")


def test_files_beyond_the_limit_are_refused_before_reading(write):
    file = write("a.inter", INTER)
    os.truncate(file, 4 * 2**30 + 1)  # sparse: takes no room
    with pytest.raises(DataError, match=r"at most 4 GiB in a\.inter.*sample"):
        read_interactions(file)


def chosen(path):
    return [file.name for file in recognise(open_source(path)).files]


def test_which_file_a_folder_means(write):
    csv = write("ratings.csv", "userID,itemID\na,b\n")
    write("items.csv", "itemID\nb\n")
    write("._shop.inter", "junk of another system")
    assert chosen(csv.parent) == chosen(csv) == ["ratings.csv"]


def test_several_or_no_interaction_files(write):
    folder = write("items.csv", "itemID\nb\n").parent
    with pytest.raises(DataError, match=r"one table of users and items.*none of them"):
        chosen(folder)
    write("a.inter", INTER)
    write("b.inter", INTER)
    with pytest.raises(DataError, match=r"a\.inter, b\.inter; name the file itself"):
        chosen(folder)


def test_two_tables_that_both_fit(write):
    write("a.csv", "userID,itemID\na,b\n")
    folder = write("b.csv", "userID,itemID\na,b\n").parent
    with pytest.raises(DataError, match=r"a\.csv, b\.csv; name the file itself"):
        chosen(folder)


@pytest.mark.parametrize("name", ["SHOP.INTER", "Shop.Inter"])
def test_endings_in_capitals(write, name):
    content = "userID\titemID\tx_label\n0\t4\t0\n2\t1\t1\n"
    file = write(name, content)
    assert chosen(file.parent) == chosen(file) == [name]
    in_capitals = read_interactions(file)
    assert in_capitals.users.tolist() == read_interactions(write("b.inter", content)).users.tolist()


def test_tables_in_capitals(csv_shop):
    whole = load_dataset(csv_shop)
    for name in ("interactions.csv", "items.csv", "text_feat.npy"):
        stem, _, ending = name.partition(".")
        (csv_shop / name).rename(csv_shop / f"{stem}.{ending.upper()}")
    (csv_shop / "USERS.CSV").write_text("userID,name\nann,Ann\n")
    loaded = load_dataset(csv_shop)
    assert loaded.digest == whole.digest
    assert list(loaded.features) == ["text"]
    assert user_table(loaded)["name"].tolist() == ["Ann", ""]


def test_parquet_in_capitals(tmp_path):
    table = pd.DataFrame({"userID": [0, 0, 1, 1], "itemID": [0, 1, 1, 2], "x_label": [0, 1, 0, 2]})
    table.to_parquet(tmp_path / "CLICKS.PARQUET")
    assert len(read_interactions(tmp_path).users) == 4


@pytest.mark.parametrize("name", ["absent", "x" * 5000, "nul\0byte"])
def test_impossible_paths(tmp_path, name):
    with pytest.raises(DataError, match="data folder or file"):
        open_source(str(tmp_path / name))


def test_other_file_types_are_refused(write):
    with pytest.raises(DataError, match=r"a table .*a\.docx"):
        chosen(write("a.docx", "x"))
