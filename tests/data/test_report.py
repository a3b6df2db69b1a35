"""The report: figures by hand, several problems at once, and no exception whatever the bytes."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from rednd_core.data.report import check, gini
from rednd_core.errors import ConfigError


def test_figures_by_hand(mmrec):
    np.save(mmrec / "image_feat.npy", np.array([[3, 4], [0, 0], [0, 1], [6, 8]], dtype=np.float64))
    report = check(mmrec)
    assert report.ok
    figures = report.interactions
    assert (figures.n_users, figures.n_items) == (3, 4)
    assert (figures.n_train, figures.n_valid, figures.n_test) == (4, 1, 1)
    assert figures.density == pytest.approx(6 / 12)
    assert (figures.users.min, figures.users.median, figures.users.max) == (1, 1.0, 2)
    assert (figures.items.min, figures.items.median, figures.items.max) == (0, 1.0, 2)
    assert (figures.users.n_isolated, figures.items.n_isolated) == (0, 2)
    assert figures.gini == pytest.approx(0.5)  # degrees 0, 0, 2, 2
    image = report.features[0]
    assert (image.modality, image.rows, image.dim, image.dtype) == ("image", 4, 2, "float64")
    assert (image.n_zero_rows, image.mean_norm) == (1, pytest.approx(4.0))
    codes = [notice.code for notice in report.notices]
    assert codes == ["items_beyond_interactions", "zero_features"]


def test_titles_are_counted(csv_shop):
    report = check(csv_shop)
    assert (report.item_columns, report.n_titles) == (("title",), 2)


def test_what_was_understood_is_shown(csv_shop):
    (csv_shop / "notes.txt").write_text("bought in May")
    report = check(csv_shop)
    assert report.recognised == (
        "interactions.csv, text with commas between the columns: users in 'userID', items in 'itemID', "
        "parts in 'x_label'. Table of items: items.csv, ids in 'itemID'."
    )
    assert report.preview[1] == {"user": "ann", "item": "mug", "part": "validation"}
    assert report.left_out == ("notes.txt",)


def test_gini_against_all_pairs():
    counts = np.random.default_rng(0).integers(0, 30, 40)
    naive = np.abs(counts[:, None] - counts[None, :]).sum() / (2 * len(counts) * counts.sum())
    assert gini(counts) == pytest.approx(naive)
    assert gini(np.array([5, 5, 5])) == pytest.approx(0.0)
    assert gini(np.zeros(3, dtype=np.int64)) == 0.0


def test_independent_problems_come_together(mmrec):
    file = mmrec / "shop.inter"
    unlabelled = [line.rsplit("\t", 1)[0] for line in file.read_text().splitlines()]
    file.write_text("\n".join(unlabelled) + "\n")
    np.save(mmrec / "image_feat.npy", np.full((4, 2), np.nan))
    (mmrec / "items.csv").write_text("name\nx\n")
    report = check(mmrec, split="given")
    assert not report.ok
    assert len(report.errors) == 3
    joined = " | ".join(report.errors)
    for words in ("items.csv", "image_feat.npy", "no label column"):
        assert words in joined
    assert [f.modality for f in report.features] == ["text"]  # what is sound is still described


def test_figures_survive_features_that_do_not_fit(mmrec):
    np.save(mmrec / "image_feat.npy", np.ones((9, 2)))
    report = check(mmrec)
    assert len(report.errors) == 1
    assert "9 feature rows for text" in report.errors[0]
    assert report.interactions.n_train == 4
    assert len(report.features) == 2


def test_json_round_trip(mmrec):
    plain = check(mmrec).to_dict()
    assert json.loads(json.dumps(plain, allow_nan=False))["ok"] is True
    assert plain["interactions"]["items"]["n_isolated"] == 2
    assert check(mmrec / "absent").to_dict()["ok"] is False


def test_settings_still_raise(mmrec):
    with pytest.raises(ConfigError):
        check(mmrec, split="by_colour")


@pytest.mark.parametrize("seed", range(120))
def test_no_bytes_make_it_raise(mmrec, seed):
    """Cut, overwrite or insert bytes in one file of a sound folder."""
    rng = np.random.default_rng(seed)
    (mmrec / "items.csv").write_text("itemID,title,image\n0,Tea,a.png\n1,Mug,b.png\n")
    files = sorted(mmrec.iterdir())
    file = files[rng.integers(len(files))]
    content = bytearray(file.read_bytes())
    for _ in range(rng.integers(1, 6)):
        at = int(rng.integers(len(content)))
        how = rng.integers(3)
        junk = bytes(rng.integers(0, 256, int(rng.integers(1, 9)), dtype=np.uint8))
        content[at : [len(content), at + len(junk), at][how]] = b"" if how == 0 else junk
        if not content:
            break
    file.write_bytes(bytes(content))
    report = check(mmrec)
    assert report.ok == (not report.errors)
    assert all(error.startswith("Expected ") for error in report.errors)


@pytest.mark.parametrize("path", ["~nobody-of-that-name/x", "bad\0name", "/" + "x" * 300])
def test_a_path_that_cannot_be_is_a_report(path):
    (error,) = check(path).errors
    assert error.startswith("Expected ")


def test_only_items_of_the_data_count_as_titled(write):
    place = write("pairs.csv", "user,item\nann,1\nann,2\nbob,2\nbob,3\n")
    write("movies.csv", "item,title\n1,One\n2,\n3,Three\n4,Nobody's\n5,Nobody's\n")
    assert check(place).n_titles == 2


@pytest.mark.parametrize("suffix", ["csv", "parquet", "ns.parquet"])
def test_dates_are_shown_as_dates(write, tmp_path, suffix):
    text = "user,item,date\nann,1,2020-03-01 12:30:00\nann,2,2021-03-01 00:00:00\nbob,1,2022-03-01 00:00:00\n"
    place = write("pairs.csv", text)
    if suffix != "csv":
        frame = pd.read_csv(place, dtype={"item": str})
        frame["date"] = pd.to_datetime(frame["date"]).astype(
            "datetime64[ns]" if suffix.startswith("ns") else "datetime64[ms]"
        )
        place = tmp_path / "times.parquet"
        frame.to_parquet(place)
    assert [row["time"] for row in check(place).preview][:2] == [
        "2020-03-01 12:30:00",
        "2021-03-01 00:00:00",
    ]


def test_columns_that_pandas_wrote_without_a_name(write):
    place = write("pairs.csv", ",user,item\n0,ann,x1\n1,ann,x2\n2,bob,x2\n3,bob,x1\n")
    write("things.csv", ",item,title\n0,x1,One\n1,x2,Two\n")
    report = check(place)
    assert report.left_out == ("column without a name of pairs.csv",)
    assert report.item_columns == ("title",)


def test_a_folder_of_folders_says_which(tmp_path):
    (tmp_path / "ml-100k").mkdir()
    (error,) = check(tmp_path).errors
    assert error == (
        f"Expected files of one data set in {tmp_path.name}, but found only a folder ml-100k; "
        "name the folder that holds the files."
    )
