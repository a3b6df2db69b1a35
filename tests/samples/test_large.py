"""The large graph: what was planted is there, whole, once, and the same every time."""

from __future__ import annotations

import json

import numpy as np
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from rednd_core.cli.app import app
from rednd_core.data import check, load_dataset
from rednd_core.errors import ConfigError, DataError
from rednd_core.samples import communities, large, make_graph, parse_modalities

SIZES = {"n_users": 3000, "n_items": 1000, "n_interactions": 60_000, "n_communities": 8}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make_graph(tmp_path_factory.mktemp("graph") / "big", **SIZES)


@pytest.fixture(scope="module")
def dataset(made):
    return load_dataset(made.path)


def contents(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_the_sizes_asked_for(made, dataset):
    assert check(made.path).errors == ()
    assert dataset.notices == ()  # no repeated pair, no user without train
    assert (dataset.n_users, dataset.n_items) == (3000, 1000)
    assert len(dataset.train) + len(dataset.valid) + len(dataset.test) == 60_000
    assert made.n_bytes == sum(map(len, contents(made.path).values()))
    table = pq.read_table(made.path / "interactions.parquet")
    types = {field.name: str(field.type) for field in table.schema}
    assert types == {"userID": "int32", "itemID": "int32", "x_label": "int8"}
    key = table["userID"].to_numpy() * 1000 + table["itemID"].to_numpy()
    assert len(np.unique(key)) == 60_000
    assert (np.diff(key) > 0).all(), "sorted, so that loading need not sort"


def test_labels(dataset):
    shares = [len(part) / 60_000 for part in (dataset.train, dataset.valid, dataset.test)]
    assert shares == pytest.approx([0.8, 0.1, 0.1], abs=0.01)
    assert dataset.user_degrees.min() >= 1


def test_user_activity_is_the_planned_power_law(made):
    users = pq.read_table(made.path / "interactions.parquet")["userID"].to_numpy()
    degrees = np.sort(np.bincount(users, minlength=3000))[::-1]
    want = communities.activity(3000, 60_000, communities.ACTIVITY_EXPONENT, 100)
    np.testing.assert_array_equal(degrees, np.sort(want)[::-1])


def test_item_popularity_falls_with_its_exponent(dataset):
    """Rank and degree on log axes, beyond the offset of the law and where no item is saturated."""
    degrees = np.sort(dataset.item_degrees)[::-1]
    ranks = np.arange(60, 900)
    shifted = np.log(ranks + communities.POPULARITY_OFFSET)
    slope = np.polyfit(shifted, np.log(degrees[ranks]), 1)[0]
    assert slope == pytest.approx(-communities.POPULARITY_EXPONENT, abs=0.15)


def test_users_prefer_their_community(made, dataset):
    user_community = np.load(made.path / "user_community.npy")
    item_community = np.load(made.path / "item_community.npy")
    own = user_community[dataset.train.users] == item_community[dataset.train.items]
    by_chance = communities.AFFINITY + (1 - communities.AFFINITY) / 8
    assert 0.55 < own.mean() < by_chance + 0.01  # below: heavy users empty their community
    light = dataset.user_degrees[dataset.train.users] < 15
    assert own[light].mean() == pytest.approx(by_chance, abs=0.05)


def test_features_tell_the_communities(made, dataset):
    community = np.load(made.path / "item_community.npy")
    for values in dataset.features.values():
        assert values.shape == (1000, 64)
        rows = values / np.linalg.norm(values, axis=1, keepdims=True)
        nearest = (rows @ rows.T - 2 * np.eye(1000)).argmax(axis=1)
        assert (community[nearest] == community).mean() > 0.99
    assert not np.array_equal(dataset.features["image"], dataset.features["text"])


def test_the_same_arguments_give_the_same_bytes(made, tmp_path):
    again = make_graph(tmp_path / "other name", **SIZES)
    assert contents(again.path) == contents(made.path)
    assert again.digest == made.digest
    other = make_graph(tmp_path / "other seed", **SIZES, seed=8)
    assert other.digest != made.digest
    assert contents(other.path)["text_feat.npy"] != contents(made.path)["text_feat.npy"]
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize("block", [1, 700, 10**9])
def test_blocks_keep_degrees_and_distinctness(monkeypatch, block):
    monkeypatch.setattr(communities, "_BLOCK_PAIRS", block)
    plan = communities.plan_graph(
        n_users=200, n_items=300, n_interactions=3000, n_communities=4, seed=1
    )
    blocks = list(communities.draw_blocks(plan))
    users, items = (
        np.concatenate([getattr(b, name) for b in blocks]) for name in ("users", "items")
    )
    np.testing.assert_array_equal(np.bincount(users, minlength=200), plan.degrees)
    assert len({*zip(users.tolist(), items.tolist(), strict=True)}) == 3000
    assert len(blocks) == {1: 200, 700: len(blocks), 10**9: 1}[block]


def test_what_rounds_leave_missing_is_filled(monkeypatch):
    """With one round nearly every user lacks items; they still get distinct ones, popular ones first."""
    plan = communities.plan_graph(
        n_users=400, n_items=100, n_interactions=3600, n_communities=2, seed=1
    )
    monkeypatch.setattr(communities, "_ROUNDS", 1)
    (block,) = communities.draw_blocks(plan)
    np.testing.assert_array_equal(np.bincount(block.users), plan.degrees)
    assert len({*zip(block.users.tolist(), block.items.tolist(), strict=True)}) == 3600
    popular = np.argsort(-np.diff(plan.bounds))[:20]
    counts = np.bincount(block.items, minlength=100)
    assert counts[plan.shelf[popular]].mean() > 1.3 * counts.mean()


def test_every_user_keeps_a_train_pair(tmp_path, monkeypatch):
    monkeypatch.setattr(communities, "HELD_OUT", 0.49)
    made = make_graph(
        tmp_path / "g", n_users=500, n_items=50, n_interactions=900, n_communities=2, modalities={}
    )
    dataset = load_dataset(made.path)
    assert dataset.notices == ()
    assert dataset.user_degrees.min() == 1
    assert dataset.features == {}


def test_half_precision_and_blocks_of_features(tmp_path, monkeypatch):
    monkeypatch.setattr(large, "_BLOCK_ROWS", 7)
    made = make_graph(tmp_path / "g", **SIZES, modalities={"sound": 5}, float16=True)
    stored = np.load(made.path / "sound_feat.npy")
    assert (stored.dtype, stored.shape) == (np.float16, (1000, 5))
    assert stored.astype(np.float32).std(axis=0).min() > 0.5  # no block was left at zero


def test_the_truth_is_stated(made):
    truth = json.loads((made.path / "truth.json").read_text())
    assert truth["n_interactions"] == 60_000
    assert truth["settings"]["activity_exponent"] == communities.ACTIVITY_EXPONENT


BAD = {
    "users": ({"n_users": 0}, "1 and 9,999,999 users, but found 0"),
    "items": ({"n_items": 9}, "10 and 9,999,999 items, but found 9"),
    "communities": ({"n_communities": 1001}, "1 and 1,000 communities"),
    "too many": ({"n_interactions": 300_001}, "3,000 and 300,000 interactions"),
    "too few": ({"n_interactions": 2999}, "3,000 and 300,000 interactions"),
    "seed": ({"seed": -1}, "seed, but found -1"),
    "reserved": ({"modalities": {"id": 4}}, "found id:4"),
    "reserved in capitals": ({"modalities": {"ID": 4}}, "found ID:4"),
    "path": ({"modalities": {"../x": 4}}, "found ../x:4"),
    "dimensions": ({"modalities": {"x": 0}}, "found x:0"),
}


@pytest.mark.parametrize("case", BAD)
def test_impossible_arguments_write_nothing(tmp_path, case):
    change, words = BAD[case]
    with pytest.raises(ConfigError) as raised:
        make_graph(tmp_path / "g", **{**SIZES, **change})
    assert words in str(raised.value)
    assert list(tmp_path.iterdir()) == []


def test_an_interruption_leaves_nothing_behind(tmp_path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(large, "_write_features", interrupt)
    with pytest.raises(KeyboardInterrupt):
        make_graph(tmp_path / "g", **SIZES)
    assert list(tmp_path.iterdir()) == []


def test_an_existing_folder_is_refused_before_any_work(tmp_path, monkeypatch):
    monkeypatch.setattr(large, "plan_graph", lambda **_: pytest.fail("worked"))
    with pytest.raises(DataError, match="does not exist yet"):
        make_graph(tmp_path, **SIZES)


def test_modalities_as_text():
    assert parse_modalities(" image:64,text:32 ") == {"image": 64, "text": 32}
    assert parse_modalities("") == {}
    for text in ("image", "image:", "image:x", "image:-1", "a:1,a:2", "a:٣"):
        with pytest.raises(ConfigError, match="name:dimensions"):
            parse_modalities(text)


def test_the_command(tmp_path):
    args = ["data", "make-graph", "--out", str(tmp_path / "g"), "--users", "50", "--items", "40"]
    args += ["--interactions", "150", "--communities", "2", "--modalities", "text:3", "--seed", "1"]
    result = CliRunner().invoke(app, args)
    assert result.exit_code == 0, result.output
    assert "50 users, 40 items, 150 interactions" in result.output
    assert load_dataset(tmp_path / "g").features["text"].shape == (40, 3)
