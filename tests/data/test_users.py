"""The users table: aligned with dense ids, strict about its key."""

from pathlib import Path

import pytest

from rednd_core.config import ColumnNames
from rednd_core.data import load_dataset
from rednd_core.data.users import user_table
from rednd_core.errors import DataError

INTERACTIONS = "userID,itemID,x_label\nbob,i,0\nann,i,0\nann,j,1\nann,k,2\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "shop.csv").write_text(INTERACTIONS)
    return tmp_path


def test_rows_follow_the_dense_ids_and_gaps_are_empty(folder: Path) -> None:
    (folder / "users.tsv").write_text("userID\tname\nbob\tBob\nzoe\tNobody's user\n")
    table = user_table(load_dataset(folder))
    assert table.to_dict("list") == {"user_id": ["ann", "bob"], "name": ["", "Bob"]}


def test_without_a_file_there_are_ids_only(folder: Path) -> None:
    dataset = load_dataset(folder)
    assert dataset.users_table is None
    assert user_table(dataset).to_dict("list") == {"user_id": ["ann", "bob"]}


def test_the_key_may_be_called_as_in_the_interactions(folder: Path) -> None:
    (folder / "shop.csv").write_text(INTERACTIONS.replace("userID", "who"))
    (folder / "users.csv").write_text("who,name\nbob,Bob\n")
    dataset = load_dataset(folder, columns=ColumnNames(user="who"))
    assert user_table(dataset)["name"].tolist() == ["", "Bob"]


def test_the_table_may_be_called_otherwise(folder: Path) -> None:
    (folder / "members.csv").write_text("id,name\nbob,Bob\nann,Ann\n")
    assert user_table(load_dataset(folder))["name"].tolist() == ["Ann", "Bob"]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("name\tage\nAnn\t3\n", "userID"),
        ("userID\tuser_id\nann\tann\n", "one column of user ids"),
        ("userID\tname\nann\tAnn\nann\tAnna\n", "every user once"),
    ],
)
def test_a_doubtful_table_is_refused(folder: Path, content: str, complaint: str) -> None:
    (folder / "users.tsv").write_text(content)
    with pytest.raises(DataError, match=complaint):
        user_table(load_dataset(folder))


def test_two_tables_are_refused(folder: Path) -> None:
    for name in ("users.tsv", "users.csv"):
        (folder / name).write_text("userID\nann\n")
    dataset = load_dataset(folder)  # the names are refused, the interactions are not
    assert (
        "one users table"
        in {notice.code: notice for notice in dataset.notices}["users_table"].message
    )
    with pytest.raises(DataError, match="one users table"):
        user_table(dataset)


def test_a_stray_quote_in_tabs_is_a_character(folder: Path) -> None:
    (folder / "users.tsv").write_text('userID\tname\nann\t"Ann\nbob\tBob"\n')
    assert user_table(load_dataset(folder))["name"].tolist() == ['"Ann', 'Bob"']
