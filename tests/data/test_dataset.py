"""Whole data sets: which row is which item, what does not fit together, the digest, the real sets."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rednd_core.data import load_dataset
from rednd_core.errors import DataError

REAL = Path(__file__).resolve().parents[3] / "shared" / "data"


def test_mmrec_folder(mmrec):
    dataset = load_dataset(mmrec)
    assert (dataset.name, dataset.n_users, dataset.n_items) == ("shop", 3, 4)
    assert dataset.item_ids.tolist() == ["0", "1", "2", "3"]  # isolated items 2 and 3 stay
    assert dataset.item_degrees.tolist() == [2, 2, 0, 0]
    assert dataset.user_degrees.tolist() == [1, 1, 2]
    assert list(dataset.features) == ["image", "text"]
    assert dataset.features["image"].dtype == np.float32
    assert dataset.items["title"].tolist() == ["0", "1", "2", "3"]
    assert dataset.train_matrix.toarray().tolist() == [[1, 0, 0, 0], [0, 1, 0, 0], [1, 1, 0, 0]]


def test_features_of_a_csv_follow_its_items_table(csv_shop):
    dataset = load_dataset(csv_shop)
    assert dataset.item_ids.tolist() == ["007", "mug", "tea"]
    assert dataset.user_ids.tolist() == ["ann", "bob"]
    assert dataset.items["title"].tolist() == ["Bond", "Mug & saucer", "tea"]
    # the table lists mug, tea, 007, and feature row k is the k-th unit vector
    assert dataset.features["text"].tolist() == [[0, 0, 1], [1, 0, 0], [0, 1, 0]]
    train = zip(
        dataset.user_ids[dataset.train.users], dataset.item_ids[dataset.train.items], strict=True
    )
    assert list(train) == [("ann", "007"), ("ann", "tea"), ("bob", "mug")]


def test_a_named_file_brings_its_folder_along(mmrec):
    (mmrec / "other.inter").write_text("userID\titemID\tx_label\n0\t0\t0\n0\t1\t1\n")
    dataset = load_dataset(mmrec / "other.inter")
    assert (dataset.name, dataset.n_users, dataset.n_items) == ("other", 1, 4)
    assert sorted(dataset.features) == ["image", "text"]


def test_a_csv_alone(write):
    rows = "".join(f"u{u},i{i}\n" for u in range(3) for i in range(5))
    dataset = load_dataset(write("log.csv", "userID,itemID\n" + rows))
    assert (len(dataset.train), len(dataset.valid), len(dataset.test)) == (9, 3, 3)
    assert dataset.features == {}


def test_the_items_table_makes_no_items(inter):
    folder = inter((0, 0, 0), (0, 1, 1)).parent
    (folder / "items.csv").write_text("itemID,title\n4,Last\n0,First\n")
    dataset = load_dataset(folder)
    assert dataset.items["title"].tolist() == ["First", "1"]
    notice = next(n for n in dataset.notices if n.code == "listed_only")
    assert notice.count == 1
    assert "1 row of the items table without an interaction" in notice.message


def test_items_that_only_the_features_know_stay_and_are_counted(inter):
    folder = inter((0, 0, 0), (0, 1, 1), (0, 4, 2)).parent
    dataset = load_dataset(folder)
    assert (dataset.item_ids.tolist(), dataset.notices) == (["0", "1", "4"], ())
    values = np.arange(1, 13, dtype=np.float32).reshape(6, 2)
    np.save(folder / "text_feat.npy", values)
    dataset = load_dataset(folder)
    assert dataset.item_ids.tolist() == ["0", "1", "2", "3", "4", "5"]
    assert dataset.features["text"].tolist() == values.tolist()
    assert (dataset.valid.items.tolist(), dataset.test.items.tolist()) == ([1], [4])
    (notice,) = dataset.notices
    assert (notice.code, notice.count) == ("items_beyond_interactions", 3)
    assert "3 items of the features" in notice.message


def test_features_of_items_with_gaps_may_follow_an_items_table(inter):
    folder = inter((1, 10, 0), (1, 30, 1), (2, 20, 0)).parent
    (folder / "items.csv").write_text("itemID,title\n30,C\n10,A\n20,B\n")
    np.save(folder / "text_feat.npy", np.array([[3.0], [1.0], [2.0]], dtype=np.float32))
    dataset = load_dataset(folder)
    assert dataset.item_ids.tolist() == ["10", "20", "30"]
    assert dataset.features["text"].ravel().tolist() == [1, 2, 3]


def test_items_that_only_the_table_and_features_of_a_csv_know_stay(csv_shop):
    with (csv_shop / "items.csv").open("a") as table:
        table.write("never-sold,Tin\n")
    np.save(csv_shop / "text_feat.npy", np.eye(4, dtype=np.float32))
    dataset = load_dataset(csv_shop)
    assert dataset.item_ids.tolist() == ["007", "mug", "never-sold", "tea"]
    assert dataset.item_degrees.tolist() == [1, 1, 0, 1]


MISFITS = {
    "too few rows": ({"text": (1, 2)}, None, ["2 feature rows for text", "found 1"]),
    "modalities differ": ({"a": (3, 2), "b": (4, 2)}, None, ["3 feature rows for b", "found 4"]),
}


@pytest.mark.parametrize("case", MISFITS)
def test_inter_misfits(inter, case):
    shapes, items, key_words = MISFITS[case]
    folder = inter((0, 0, 0), (0, 1, 1)).parent
    for modality, shape in shapes.items():
        np.save(folder / f"{modality}_feat.npy", np.ones(shape))
    if items:
        (folder / "items.csv").write_text(items)
    with pytest.raises(DataError) as raised:
        load_dataset(folder)
    for words in key_words:
        assert words in str(raised.value)


def test_csv_features_need_an_items_table_that_lists_every_item(csv_shop):
    (csv_shop / "items.csv").write_text("itemID,title\nmug,M\ntea,T\n")
    np.save(csv_shop / "text_feat.npy", np.ones((2, 2)))
    with pytest.raises(DataError, match=r"3 feature rows for text, one for every item.*found 2"):
        load_dataset(csv_shop)
    (csv_shop / "items.csv").unlink()
    with pytest.raises(DataError, match=r"items table beside interactions\.csv"):
        load_dataset(csv_shop)


def test_notices_of_all_parts_arrive(inter):
    folder = inter((0, 0, 0), (0, 0, 0), (0, 1, 1), (1, 1, 2)).parent
    np.save(folder / "a_feat.npy", np.ones((2, 2), dtype=np.float16))
    codes = [notice.code for notice in load_dataset(folder).notices]
    assert codes == ["duplicate_pairs", "float16_features", "users_without_train", "no_test"]


def test_digest_ignores_the_order_of_rows_and_titles(mmrec):
    before = load_dataset(mmrec).digest
    file = mmrec / "shop.inter"
    header, *rows = file.read_text().splitlines()
    file.write_text("\n".join([header, *reversed(rows)]) + "\n")
    (mmrec / "items.csv").write_text("itemID,title\n0,Tea\n")
    assert load_dataset(mmrec).digest == before


def test_digest_sees_every_change_that_matters(mmrec, tmp_path):
    with (mmrec / "shop.inter").open("a") as file:
        file.writelines(f"3\t{item}\t0\n" for item in range(4))
    digests = [load_dataset(mmrec).digest]
    digests.append(load_dataset(mmrec, split="random").digest)
    digests.append(load_dataset(mmrec, split="random", split_seed=1).digest)
    (mmrec / "text_feat.npy").rename(mmrec / "words_feat.npy")
    digests.append(load_dataset(mmrec).digest)
    values = np.load(mmrec / "words_feat.npy")
    values[3, 0] += 1e-3
    np.save(mmrec / "words_feat.npy", values)
    digests.append(load_dataset(mmrec).digest)
    for first, second in (("ab", "x"), ("a", "bx")):  # the ids must not run together
        file = tmp_path / "log.csv"
        file.write_text(f"userID,itemID,x_label\n{first},y,0\n{second},y,1\n{second},z,0\n")
        digests.append(load_dataset(file).digest)
    assert len(set(digests)) == len(digests)


def test_importing_the_data_ground_imports_no_torch():
    code = "import rednd_core.data, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def real(name):
    folder = REAL / name
    if not folder.is_dir():
        pytest.skip(f"the real data set {name} is not at {folder}")
    return load_dataset(folder)


@pytest.mark.real_data
def test_baby_has_its_published_counts():
    baby = real("baby")
    assert (baby.n_users, baby.n_items) == (19445, 7050)
    assert (len(baby.train), len(baby.valid), len(baby.test)) == (118551, 21682, 20559)
    assert {name: f.shape for name, f in baby.features.items()} == {
        "image": (7050, 64),
        "text": (7050, 64),
    }
    assert int((baby.items["title"] != baby.items["item_id"]).sum()) == 3416
    assert baby.items.loc[0, "title"].startswith("Baby Tracker® - Daily")
    assert baby.items.loc[0, "image"].startswith("http://")
    assert baby.items.loc[0, "asin"] == "097293751X"
    assert baby.notices == ()


@pytest.mark.real_data
def test_tiktok_has_its_published_counts_but_for_ten_users_without_train():
    tiktok = real("tiktok")
    assert (tiktok.n_users, tiktok.n_items, len(tiktok.train)) == (9308, 6710, 59541)
    dropped = {notice.code: notice.count for notice in tiktok.notices}
    assert dropped == {"float16_features": 6710, "users_without_train": 10}
    assert (len(tiktok.valid), len(tiktok.test)) == (3051 - 5, 6130 - 5)
    assert {name: f.shape for name, f in tiktok.features.items()} == {
        "audio": (6710, 128),
        "image": (6710, 128),
    }
    assert all(np.isfinite(f.sum()) for f in tiktok.features.values())
