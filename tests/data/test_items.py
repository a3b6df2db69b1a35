"""The items table: titles for people, pictures that stay inside the folder."""

from __future__ import annotations

import numpy as np
import pytest

from rednd_core.data.dataset import load_dataset
from rednd_core.data.interactions import ColumnNames
from rednd_core.data.items import align_items, image_path, items_file, read_items
from rednd_core.errors import DataError


def ids(*names):
    return np.array(names, dtype=object)


def test_entities_other_columns_and_image_url(write):
    file = write(
        "items.tsv",
        "asin\titemID\ttitle\tcategory\timage_url\n"
        "B7\t007\tTracker&reg; &amp; log\tA &gt; B\thttp://x.org/a&amp;b.jpg\nB1\t1\t\t\t\n",
    )
    items = read_items(file)
    assert items.columns.tolist() == ["item_id", "asin", "title", "category", "image"]
    assert items.iloc[0].tolist() == [
        "007",
        "B7",
        "Tracker® & log",
        "A > B",
        "http://x.org/a&amp;b.jpg",
    ]
    assert items.iloc[1].tolist() == ["1", "B1", "", "", ""]


def test_image_wins_over_image_url(write):
    items = read_items(write("items.csv", "item_id,image_url,image\na,http://x/1.png,1.png\n"))
    assert items.loc[0, "image"] == "1.png"
    assert items.loc[0, "image_url"] == "http://x/1.png"


def test_cells_with_line_breaks(write):
    items = read_items(write("items.csv", 'itemID,title\na,"two\nlines"\nb,B\n'))
    assert items["title"].tolist() == ["two\nlines", "B"]


def test_the_key_may_be_called_as_in_the_interactions(write):
    file = write("items.csv", "product,title\na,A\n")
    assert read_items(file, ColumnNames(item="product"))["item_id"].tolist() == ["a"]


def test_alignment_and_the_title_of_last_resort(write):
    listed = read_items(write("items.csv", "itemID,title,note\nc,Cup,x\na,,y\n"))
    items = align_items(listed, ids("a", "b", "c"))
    assert items["item_id"].tolist() == ["a", "b", "c"]
    assert items["title"].tolist() == ["a", "b", "Cup"]
    assert items["note"].tolist() == ["y", "", "x"]
    assert align_items(None, ids("a", "b"))["title"].tolist() == ["a", "b"]


BAD_TABLES = {
    "no key": ("name,title\na,A\n", ["'itemID'", "columns name, title"]),
    "two keys": ("itemID,item_id\na,b\n", ["one column of item ids", "itemID, item_id"]),
    "repeated item": ("itemID\na\nb\na\n", ["every item once", "1 repeated row"]),
    "empty key": ("itemID,title\n,A\nb,B\n", ["an id in every row", "1 empty"]),
    "semicolons": ("itemID;title\na;A\n", ["separated by commas", "semicolons"]),
    "empty": ("", ["an empty file"]),
    "binary": (b"\x89PNG\0\0", ["UTF-8 text"]),
    "climbs": ("itemID,image\na,ok.png\nb,../b.png\n", ["lead out", "1 that", "'../b.png'", "'b'"]),
    "climbs later": ("itemID,image\na,x/../../b.png\n", ["lead out"]),
    "absolute": ("itemID,image\na,/etc/passwd\n", ["lead out", "'/etc/passwd'"]),
    "Windows": ("itemID,image\na,..\\b.png\nb,C:\\b.png\n", ["2 that lead out"]),
}


@pytest.mark.parametrize("case", BAD_TABLES)
def test_bad_tables(write, case):
    content, key_words = BAD_TABLES[case]
    file = write("items.csv", content)
    with pytest.raises(DataError) as raised:
        read_items(file)
    for words in key_words:
        assert words in str(raised.value)


def test_two_items_tables(write):
    write("items.csv", "itemID\na\n")
    folder = write("items.tsv", "itemID\na\n").parent
    with pytest.raises(DataError, match=r"items\.csv, items\.tsv"):
        items_file(folder)


@pytest.fixture
def pictured(csv_shop, write):
    """A shop whose items have a local, a web and no picture; ``set_image`` changes the first."""

    def load(image: str):
        web = "https://x.org/t.png"
        write("items.csv", f"itemID,image\nmug,{image}\ntea,{web}\n007,\n")
        return load_dataset(csv_shop)

    return load


def test_where_pictures_are(pictured, csv_shop):
    (csv_shop / "thumbs").mkdir()
    picture = csv_shop / "thumbs" / "mug.png"
    picture.write_bytes(b"png")
    dataset = pictured("thumbs/mug.png")
    assert dataset.items["image"].tolist()[0] == "thumbs/mug.png"
    assert image_path(dataset, 0) == str(picture.resolve())
    assert image_path(dataset, 1) == "https://x.org/t.png"
    assert image_path(dataset, 2) is None
    assert image_path(pictured("thumbs\\mug.png"), 0) == str(picture.resolve())


@pytest.mark.parametrize("image", ["gone.png", "x" * 300, "file:///etc/passwd", "."])
def test_pictures_that_are_not_there(pictured, image):
    assert image_path(pictured(image), 0) is None


def test_links_do_not_lead_out(pictured, csv_shop, tmp_path):
    (tmp_path / "secret.png").write_bytes(b"png")
    (csv_shop / "mug.png").symlink_to(tmp_path / "secret.png")
    with pytest.raises(DataError, match="lead out"):
        image_path(pictured("mug.png"), 0)


def test_a_data_set_without_pictures(mmrec):
    assert image_path(load_dataset(mmrec), 0) is None
