"""``rednd recommend``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rednd_core.data import load_dataset
from rednd_core.runs import RunStore


def test_recommend_by_original_id(rednd, trained: RunStore, planted_folder: Path) -> None:
    result = rednd("recommend", "--run", "done", "--user", "ann-7", "--k", 5, "--json")
    dataset = load_dataset(planted_folder)
    user = dataset.user_ids.tolist().index("ann-7")
    user_emb, item_emb = trained.open("done").embeddings()
    scores = np.array(user_emb)[user] @ np.array(item_emb).T
    own = dataset.train.items[dataset.train.users == user]
    scores[own] = -np.inf
    best = np.argsort(-scores)[:5]
    assert [row["item_id"] for row in result.json["recommended"]] == dataset.item_ids[best].tolist()
    assert [row["rank"] for row in result.json["recommended"]] == [1, 2, 3, 4, 5]
    numbers = [item.removeprefix("sku-") for item in dataset.item_ids[best]]
    assert [row["title"] for row in result.json["recommended"]] == [f"Thing {n}" for n in numbers]
    held_out = set(dataset.test.items[dataset.test.users == user].tolist())
    hits = [row["hit"] for row in result.json["recommended"]]
    assert hits == [item in held_out for item in best]
    assert len(result.json["missed"]) == len(held_out) - sum(hits)
    assert all(row["rank"] > 5 for row in result.json["missed"])
    text = rednd("recommend", "--run", "done", "--user", "ann-7")
    assert "user ann-7" in text.out
    assert "Thing" in text.out


def test_a_user_without_history_is_told_so(rednd, tmp_path: Path, quick) -> None:
    """Users 3 and 4 are in the test part only."""
    rows = ["1 1 0", "1 2 0", "2 2 0", "2 3 0", "1 3 1", "2 1 2", "3 1 2", "4 3 2"]
    folder = tmp_path / "cold"
    folder.mkdir()
    lines = ["userID itemID x_label", *rows]
    (folder / "cold.inter").write_text("".join(f"{line}\n".replace(" ", "\t") for line in lines))
    done = rednd("train", "--data", folder, "--model", "lightgcn", "--run", "cold", *quick)
    assert done.code == 0, done.err
    sentence = (
        "The model never saw this user choose anything: what it lists comes from parameters that no "
        "interaction of this user has moved."
    )
    for user, n_history, notice in (("3", 0, sentence), ("1", 2, None)):
        found = rednd("recommend", "--run", "cold", "--user", user, "--json").json
        assert (found["n_history"], found["notice"]) == (n_history, notice)
        text = rednd("recommend", "--run", "cold", "--user", user).out
        assert (sentence in text) == (notice is not None)
    out = tmp_path / "lists.csv"
    assert (
        "2 users without a train pair"
        in rednd("recommend", "--run", "cold", "--all", "--k", 2, "--out", out).out
    )


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_lists_of_all_users_as_a_file(
    rednd, trained: RunStore, planted_folder: Path, tmp_path: Path, ending: str
) -> None:
    out = tmp_path / f"lists.{ending}"
    done = rednd("recommend", "--run", "done", "--all", "--k", 25, "--out", out)
    assert (done.code, "Lists of 40 users" in done.out) == (0, True), done.err
    table = pd.read_csv(out) if ending == "csv" else pd.read_parquet(out)
    assert list(table.columns) == ["user_id", "rank", "item_id", "title", "score", "hit"]
    dataset = load_dataset(planted_folder)
    user_emb, item_emb = map(np.array, trained.open("done").embeddings())
    held_out = set(zip(dataset.test.users.tolist(), dataset.test.items.tolist(), strict=True))
    for user, of in enumerate(dataset.user_ids):
        scores = user_emb[user] @ item_emb.T
        own = dataset.train.items[dataset.train.users == user]
        scores[own] = -np.inf
        best = np.argsort(-scores, kind="stable")[: min(25, dataset.n_items - len(own))]
        rows = table[table["user_id"] == of]
        assert rows["rank"].tolist() == list(range(1, len(best) + 1))
        assert rows["item_id"].tolist() == dataset.item_ids[best].tolist()
        numbers = [item.removeprefix("sku-") for item in dataset.item_ids[best]]
        assert rows["title"].tolist() == [f"Thing {number}" for number in numbers]
        assert rows["hit"].tolist() == [(user, item) in held_out for item in best.tolist()]
        np.testing.assert_allclose(rows["score"], scores[best], atol=1e-7)
    assert table["hit"].any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "but found neither"),
        (["--all"], "but found --all"),
        (["--all", "--user", "ann-7", "--out", "lists.csv"], "but found --user --all --out"),
        (["--all", "--out", "lists.csv", "--json"], "without --json"),
        (["--all", "--out", "lists.txt"], ".csv or .parquet"),
        (["--all", "--out", "lists.csv", "--k", "0"], "k of at least 1"),
    ],
)
def test_other_choices_are_refused(
    rednd, trained: RunStore, tmp_path: Path, monkeypatch, options, message
) -> None:
    monkeypatch.chdir(tmp_path)
    refused = rednd("recommend", "--run", "done", "--runs-dir", trained.root, *options)
    assert (refused.code, message in refused.err) == (1, True), refused.err
    assert not list(tmp_path.glob("lists*"))
