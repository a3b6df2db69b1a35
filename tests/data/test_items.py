"""The items table: titles for people, pictures that stay inside the folder."""

from __future__ import annotations

import numpy as np
import pytest

from rednd_core.config import ColumnNames
from rednd_core.data import items as items_module
from rednd_core.data import load_dataset
from rednd_core.data.items import align_items, image_path
from rednd_core.data.layouts.recognise import recognise
from rednd_core.data.layouts.side import find_side_table
from rednd_core.data.layouts.source import open_source
from rednd_core.data.numbering import IdColumn
from rednd_core.errors import DataError


def read_items(file, columns=None, own_ids=("a",)):
    """The items table ``file``, read beside interactions with ``own_ids``."""
    item = (columns or ColumnNames()).item
    rows = "".join(f"u,{each}\n" for each in own_ids)
    file.with_name("interactions.csv").write_text(f"userID,{item}\n{rows}")
    source = open_source(file.parent)
    ids_there = IdColumn(np.arange(len(own_ids)), np.array(own_ids, dtype=object))
    found = find_side_table(source, recognise(source, names=columns), "item", ids_there)
    return items_module.read_items(found)[0]


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
    "empty key": ("itemID,title\n,A\nb,B\n", ["an id in every row", "1 row without"]),
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


def test_a_stray_quote_in_tabs_is_a_character(write):
    items = read_items(write("items.tsv", 'itemID\ttitle\na\t"A\nb\tB\nc\tC" long\n'))
    assert items["title"].tolist() == ['"A', "B", 'C" long']


def test_stray_quotes_in_commas_are_refused_with_their_line(write):
    file = write("items.csv", 'itemID,title\na,"A\nb,B\nc,C"\nd,D\n')
    with pytest.raises(DataError, match="spans lines, in line 2"):
        read_items(file)


def test_rows_inside_a_cell_are_text_where_every_text_is_quoted(write):
    file = write("items.csv", '"itemID","title","price"\n"a","A\nb,B,3\nc",7\n"d","D",1\n')
    assert read_items(file)["title"].tolist() == ["A\nb,B,3\nc", "D"]


def test_lists_become_categories(write):
    rows = 'a,Action|War,"[""x"", ""y""]"\nb,Drama|War,"[""z""]"\nc,(no genres listed),[]\n'
    items = read_items(
        write("items.csv", "movieId,genres,labels\n" + rows), own_ids=("a", "b", "c")
    )
    assert items["category"].tolist() == ["Action", "Drama", ""]
    assert items["genres"].tolist() == ["Action, War", "Drama, War", ""]
    assert items["labels"].tolist() == ["x, y", "z", ""]


def test_what_every_item_has_is_no_category(write):
    items = read_items(write("items.csv", "itemID,categories\na,Baby|Toys\nb,Baby|Food|Tea\n"))
    assert items["category"].tolist() == ["Toys", "Food"]


def test_two_items_tables(write):
    write("items.csv", "itemID\na\n")
    folder = write("items.tsv", "itemID\na\n").parent
    with pytest.raises(DataError, match=r"items\.csv, items\.tsv"):
        read_items(folder / "items.tsv")


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
    assert dataset.item_ids.tolist() == ["007", "mug", "tea"]
    assert dataset.items["image"].tolist()[1] == "thumbs/mug.png"
    assert image_path(dataset, 1) == str(picture.resolve())
    assert image_path(dataset, 2) == "https://x.org/t.png"
    assert image_path(dataset, 0) is None
    assert image_path(pictured("thumbs\\mug.png"), 1) == str(picture.resolve())


@pytest.mark.parametrize("image", ["gone.png", "x" * 300, "file:///etc/passwd", "."])
def test_pictures_that_are_not_there(pictured, image):
    assert image_path(pictured(image), 1) is None


def test_links_do_not_lead_out(pictured, csv_shop, tmp_path):
    (tmp_path / "secret.png").write_bytes(b"png")
    (csv_shop / "mug.png").symlink_to(tmp_path / "secret.png")
    with pytest.raises(DataError, match="lead out"):
        image_path(pictured("mug.png"), 1)


def test_a_data_set_without_pictures(mmrec):
    assert image_path(load_dataset(mmrec), 0) is None
