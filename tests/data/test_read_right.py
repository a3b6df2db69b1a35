"""Small inputs that were read wrongly in silence: what is right, in every reader that they concern."""

from __future__ import annotations

import json
import random

import numpy as np
import pytest

from rednd_core.data import check, load_dataset
from rednd_core.data.interactions import read_interactions

ITEMS = [4, 6, 2, 7, 3, 5]  # of every user: four to train on, one to validate, one to test
LABELS = [0, 0, 0, 0, 1, 2]


def inter_lines(n_users, review):
    """Rows of an ``.inter`` file with a text column; ``review`` gives the text of a row."""
    lines = ["userID\titemID\tx_label\treview"]
    for user in range(n_users):
        for item, label in zip(ITEMS, LABELS, strict=True):
            lines.append(f"{user}\t{item}\t{label}\t{review(len(lines))}")
    return lines


@pytest.mark.parametrize(("n_users", "open_at"), [(4, (7, 16)), (12, (6, 53))])
def test_a_quote_among_tabs_is_a_character(write, n_users, open_at):
    lines = inter_lines(n_users, lambda row: '"very nice' if row in open_at else "nice")
    report = check(write("shop.inter", "\n".join(lines) + "\n"))
    figures = report.interactions
    assert (figures.n_users, figures.n_items) == (n_users, 6)
    assert (figures.n_train, figures.n_valid, figures.n_test) == (4 * n_users, n_users, n_users)
    assert (report.notices, report.left_out) == ((), ("column review of shop.inter",))


def test_rows_between_two_open_quotes_of_a_csv_are_not_lost(write):
    rows = [
        f"u{user},i{item},{label}"
        for user in range(12)
        for item, label in zip(ITEMS, LABELS, strict=True)
    ]
    rows[18], rows[30] = f'"{rows[18]}', f'"{rows[30]}'
    report = check(write("interactions.csv", "\n".join(["userID,itemID,x_label", *rows]) + "\n"))
    (error,) = report.errors
    assert "closed in its own line, but found a quote" in error
    assert "in line 20;" in error


def test_no_users_and_items_between_the_ids(inter):
    rows = [
        (user, item, label)
        for user in (1, 2, 3)
        for item, label in zip((10, 20, 30, 40), (0, 0, 1, 2), strict=True)
    ]
    dataset = load_dataset(inter(*rows))
    assert (dataset.n_users, dataset.n_items) == (3, 4)
    assert dataset.user_ids.tolist() == ["1", "2", "3"]
    assert dataset.item_ids.tolist() == dataset.items["title"].tolist() == ["10", "20", "30", "40"]
    assert dataset.user_degrees.tolist() == [2, 2, 2]


@pytest.mark.parametrize("layout", ["csv", "inter", "parquet", "json"])
def test_the_order_of_rows_changes_nothing(tmp_path, layout):
    """The same rows in three orders: one digest, also where times are equal and the split looks at them."""
    import pandas as pd

    rows = [
        (f"u-{u}", f"p{i}", t + 10 * u) for u in range(6) for i, t in enumerate((5, 5, 5, 7, 1))
    ]
    digests = set()
    for seed in range(3):
        shuffled = random.Random(seed).sample(rows, len(rows))
        frame = pd.DataFrame(shuffled, columns=["userID", "itemID", "timestamp"])
        file = tmp_path / f"{seed}.{layout}"
        if layout == "parquet":
            frame.to_parquet(file)
        elif layout == "json":
            frame.to_json(file, orient="records", lines=True)
        else:
            frame.to_csv(file, sep="\t" if layout == "inter" else ",", index=False)
        for how in ("leave_last_out", "random", "global_time"):
            digests.add((how, load_dataset(file, split=how).digest))
    assert len(digests) == 3


def test_times_beyond_2_to_the_53_keep_their_order(write):
    start = 2**60
    rows = "".join(f"u,i{k},{start + time}\n" for k, time in enumerate((2, 0, 3, 1)))
    file = write("log.csv", "userID,itemID,timestamp\n" + rows)
    assert read_interactions(file).timestamps.tolist() == [start + 2, start, start + 3, start + 1]
    dataset = load_dataset(file, split="leave_last_out")
    assert dataset.item_ids[dataset.test.items].tolist() == ["i2"]
    assert dataset.item_ids[dataset.valid.items].tolist() == ["i0"]


def test_ids_beyond_2_to_the_53_are_not_one(tmp_path):
    lines = [{"user_id": 2**60 + k, "item_id": str(2**63 + k), "rating": 1} for k in range(3)]
    file = tmp_path / "log.jsonl"
    file.write_text("\n".join(map(json.dumps, lines)))
    table = read_interactions(file)
    assert table.user_ids.tolist() == [str(2**60 + k) for k in range(3)]
    assert table.item_ids.tolist() == [str(2**63 + k) for k in range(3)]


@pytest.mark.parametrize(
    ("one", "other"), [("zo\u00eb", "zoe\u0308"), ("anna", "an\u200bna"), ("\ufeffbob", "bob")]
)
def test_ids_that_look_alike_are_named(write, one, other):
    rows = f"{one},x\n{other},y\ncleo,x\nzoé,y\n"
    table = read_interactions(write("log.csv", "userID,itemID\n" + rows))
    assert len(table.user_ids) == 4
    (notice,) = table.notices
    assert (notice.code, notice.count) == ("lookalike_ids", 1)
    assert "look the same" in notice.message
    assert ascii(other) in notice.message


def test_dates_of_the_first_year_are_read(write):
    file = write(
        "log.csv", "userID,itemID,timestamp\na,x,0001-01-01\na,y,2020-01-01\na,z,1999-12-31\n"
    )
    dataset = load_dataset(file, split="leave_last_out")
    assert dataset.item_ids[dataset.train.items].tolist() == ["x"]
    assert dataset.item_ids[dataset.test.items].tolist() == ["y"]


def test_rows_of_nan_mean_that_an_item_has_no_such_modality(mmrec):
    values = np.array([[1, 2], [np.nan, np.nan], [3, 4], [0, 0]], dtype=np.float32)
    np.save(mmrec / "image_feat.npy", values)
    report = check(mmrec)
    image = report.features[0]
    assert (image.n_missing_rows, image.n_zero_rows) == (1, 1)
    assert "image: 1 item without it (a row of NaN): taken as zeros." in [
        notice.message for notice in report.notices
    ]
    assert load_dataset(mmrec).features["image"].tolist() == [[1, 2], [0, 0], [3, 4], [0, 0]]
    values[1, 0] = 1
    np.save(mmrec / "image_feat.npy", values)
    assert "1 NaN" in check(mmrec).errors[0]
