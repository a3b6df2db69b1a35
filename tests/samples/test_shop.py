from __future__ import annotations

import json
import re
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from rednd_core.data import load_dataset
from rednd_core.errors import ConfigError, DataError
from rednd_core.samples import make_shop
from rednd_core.samples.shop import files_digest, shop_files

SHIPPED = Path(__file__).parents[2] / "sample_data" / "shop"
SMALL = {"n_users": 60, "n_items": 150}


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_same_seed_same_bytes_other_seed_other_bytes(small_shop):
    again, _ = shop_files(seed=3, **SMALL)
    assert again == contents(small_shop.path)
    assert files_digest(again) == small_shop.digest
    other, _ = shop_files(seed=4, **SMALL)
    same = {name for name in again if again[name] == other[name]}
    assert same == {"recommended.toml"}, "settings do not depend on the seed"


def test_digest_sees_names_contents_and_their_border():
    base = files_digest({"a": b"xy", "b": b""})
    assert base == files_digest({"b": b"", "a": b"xy"})
    assert len({base, files_digest({"a": b"x", "b": b"y"}), files_digest({"a": b"xy"})}) == 3


def test_folder_obeys_the_layout(shop_path, small_shop):
    history = pd.read_csv(shop_path / "shop.inter", sep="\t")
    items = pd.read_csv(shop_path / "items.tsv", sep="\t")
    assert history.columns.tolist() == ["userID", "itemID", "x_label", "timestamp"]
    assert set(history["x_label"]) == {0, 1, 2}
    assert history["itemID"].max() + 1 == history["itemID"].nunique() == len(items) == 150
    assert history["userID"].max() + 1 == history["userID"].nunique() == 60
    assert items["itemID"].tolist() == list(range(150))
    for modality in ("text", "image"):
        features = np.load(shop_path / f"{modality}_feat.npy", allow_pickle=False)
        assert features.shape == (150, 64)
        assert features.dtype == np.float32
    assert all((shop_path / image).is_file() for image in items["image"])
    assert small_shop.n_interactions == len(history)
    assert small_shop.n_bytes == sum(map(len, contents(shop_path).values()))


def test_the_loader_keeps_the_dense_order(shop_path):
    dataset = load_dataset(shop_path)
    history = pd.read_csv(shop_path / "shop.inter", sep="\t")
    titles = pd.read_csv(shop_path / "items.tsv", sep="\t")["title"]
    assert (dataset.n_users, dataset.n_items) == (60, 150)
    assert dataset.item_ids.tolist() == [str(item) for item in range(150)]
    assert dataset.items["title"].tolist() == titles.tolist()
    assert len(dataset.train) == (history["x_label"] == 0).sum()
    np.testing.assert_array_equal(
        dataset.features["text"], np.load(shop_path / "text_feat.npy", allow_pickle=False)
    )


def test_truth_agrees_with_the_tables(shop_path):
    truth = json.loads((shop_path / "truth.json").read_text())
    items = pd.read_csv(shop_path / "items.tsv", sep="\t")
    users = pd.read_csv(shop_path / "users.tsv", sep="\t")
    history = pd.read_csv(shop_path / "shop.inter", sep="\t")
    names = [group["name"] for group in truth["groups"]]
    with np.load(shop_path / "truth.npz", allow_pickle=False) as arrays:
        group, liked = arrays["item_group"], arrays["user_groups"]
        kind, look = arrays["picture_kind"], arrays["item_look"]
    assert (items["category"] + "/" + items["style"]).tolist() == [names[g] for g in group]
    assert users["tastes"].tolist() == ["; ".join(names[g] for g in r if g >= 0) for r in liked]
    assert users["segment"].tolist() == [truth["groups"][g]["department"] for g in liked[:, 0]]
    assert np.bincount(kind, minlength=3).tolist() == truth["picture_counts"]
    for title, g, which in zip(items["title"], group, look, strict=True):
        assert title.startswith(truth["groups"][g]["looks"][which])
    train = history[history["x_label"] == 0]
    assert truth["isolated_items"] == sorted(set(range(150)) - set(train["itemID"]))
    assert truth["unseen_users"] == sorted(set(range(60)) - set(train["userID"]))
    assert truth["unseen_users"] == users.index[users["cohort"] == "unseen"].tolist()
    assert set(truth["new_arrivals"]) <= set(truth["isolated_items"])


def test_readme_states_the_figures_of_this_shop(shop_path, small_shop):
    text = (shop_path / "README.md").read_text()
    assert f"60 users, 150 items, {small_shop.n_interactions:,} interactions" in text
    assert "seed 3" in text
    assert "CC0" in text
    assert not re.search(r"[{}]", text)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_users": 49}, "between 50 and 10000 users"),
        ({"n_users": 10_001}, "between 50 and 10000 users"),
        ({"n_items": 10}, "items for 37 styles"),
        ({"seed": -1}, "a seed of 0 or more"),
    ],
)
def test_bad_settings_write_nothing(tmp_path, change, message):
    with pytest.raises(ConfigError, match=message):
        make_shop(tmp_path / "shop", **{"seed": 0, **SMALL, **change})
    assert list(tmp_path.iterdir()) == []


def test_existing_folder_is_refused_before_anything_is_drawn(tmp_path, monkeypatch):
    monkeypatch.setattr("rednd_core.samples.shop.draw_thumbnails", pytest.fail)
    (tmp_path / "shop").mkdir()
    with pytest.raises(DataError, match="a folder that does not exist yet"):
        make_shop(tmp_path / "shop", seed=0, **SMALL)


def test_import_needs_no_torch():
    code = "import sys, rednd_core.samples; print(sorted({'torch', 'umap'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_shipped_shop_is_what_the_generator_makes():
    """All but the pictures byte by byte; pictures by their pixels, as zlib may pack them otherwise."""
    truth = json.loads((SHIPPED / "truth.json").read_text())
    files, _ = shop_files(seed=truth["seed"], n_users=truth["n_users"], n_items=truth["n_items"])
    for name, content in files.items():
        shipped = (SHIPPED / name).read_bytes()
        if name.endswith(".png"):
            ours, theirs = (Image.open(BytesIO(png)).convert("RGB") for png in (content, shipped))
            assert ours.tobytes() == theirs.tobytes(), name
        else:
            assert content == shipped, name
    assert sum(map(len, files.values())) < 2_000_000
    thumbnails = {path.name for path in (SHIPPED / "thumbnails").iterdir()}
    assert thumbnails == {Path(name).name for name in files if name.startswith("thumbnails/")}
