"""The users table: aligned with dense ids, strict about its key."""

from pathlib import Path

import pytest

from rednd_core.config import ColumnNames
from rednd_core.data import load_dataset
from rednd_core.data.schema import Dataset
from rednd_core.data.users import user_table, users_file
from rednd_core.errors import DataError

INTERACTIONS = "userID,itemID,x_label\nbob,i,0\nann,i,0\nann,j,1\nann,k,2\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "shop.csv").write_text(INTERACTIONS)
    return tmp_path


@pytest.fixture
def dataset(folder: Path) -> Dataset:
    return load_dataset(folder)


def test_rows_follow_the_dense_ids_and_gaps_are_empty(dataset: Dataset, folder: Path) -> None:
    (folder / "users.tsv").write_text("userID\tname\nann\tAnn\nzoe\tNobody's user\n")
    table = user_table(dataset)
    assert table.to_dict("list") == {"user_id": ["bob", "ann"], "name": ["", "Ann"]}


def test_without_a_file_there_are_ids_only(dataset: Dataset) -> None:
    assert users_file(dataset) is None
    assert user_table(dataset).to_dict("list") == {"user_id": ["bob", "ann"]}


def test_the_key_may_be_called_as_in_the_interactions(dataset: Dataset, folder: Path) -> None:
    (folder / "users.csv").write_text("who,name\nbob,Bob\n")
    assert user_table(dataset, ColumnNames(user="who"))["name"].tolist() == ["Bob", ""]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("name\nAnn\n", "userID"),
        ("userID\tuser_id\nann\tann\n", "one column of user ids"),
        ("userID\tname\nann\tAnn\nann\tAnna\n", "every user once"),
    ],
)
def test_a_doubtful_table_is_refused(
    dataset: Dataset, folder: Path, content: str, complaint: str
) -> None:
    (folder / "users.tsv").write_text(content)
    with pytest.raises(DataError, match=complaint):
        user_table(dataset)


def test_two_tables_are_refused(dataset: Dataset, folder: Path) -> None:
    for name in ("users.tsv", "users.csv"):
        (folder / name).write_text("userID\nann\n")
    with pytest.raises(DataError, match="one users table"):
        users_file(dataset)


def test_a_users_table_is_not_taken_for_the_interactions(folder: Path) -> None:
    (folder / "users.csv").write_text("userID,name\nann,Ann\n")
    assert user_table(load_dataset(folder))["name"].tolist() == ["", "Ann"]
