"""The second sample: the same bytes for the same seed, planted tastes and wrong texts."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rednd_core.config import PROJECT_ROOT
from rednd_core.data import load_dataset
from rednd_core.errors import ConfigError, DataError
from rednd_core.samples import make_music
from rednd_core.samples.files import files_digest
from rednd_core.samples.music import GENRES, GROUPS, music_files

SIZE = {"seed": 11, "n_users": 480, "n_items": 300}


@pytest.fixture(scope="module")
def made() -> tuple[dict[str, bytes], pd.DataFrame]:
    return music_files(**SIZE)


def test_the_bundled_files_are_those_of_the_default_seed(made) -> None:
    files, _ = made
    assert files_digest(music_files(**SIZE)[0]) == files_digest(files)
    for name, content in files.items():
        assert (PROJECT_ROOT / "sample_data" / "music" / name).read_bytes() == content, name


def test_another_seed_makes_another_world(made) -> None:
    assert files_digest(music_files(**SIZE | {"seed": 12})[0]) != files_digest(made[0])


def planted(files: dict[str, bytes]) -> dict[str, np.ndarray]:
    with np.load(BytesIO(files["truth.npz"]), allow_pickle=False) as arrays:
        return dict(arrays)


def test_listeners_play_what_they_like(made) -> None:
    files, history = made
    truth = planted(files)
    liked = truth["user_groups"][history["userID"]]
    group = truth["item_group"][history["itemID"]]
    assert 0.4 < (liked == group[:, None]).any(axis=1).mean() < 0.9


def test_a_third_of_the_texts_misleads_and_no_sound_does(made) -> None:
    files, _ = made
    truth, told = planted(files), json.loads(files["truth.json"])
    kind = truth["text_kind"]
    assert told["misleading"] == "text"
    assert 0.3 < (kind > 0).mean() < 0.4
    genre = np.array([list(GENRES).index(name) for name, _ in GROUPS])
    mixed = kind == told["text_kinds"].index("mixed_up")
    assert (genre[truth["text_group"][mixed]] != genre[truth["item_group"][mixed]]).all()
    assert (truth["text_group"][~mixed] == truth["item_group"][~mixed]).all()
    for name, wrong in (("text", 0.25), ("audio", 1.0)):
        rows = np.load(BytesIO(files[f"{name}_feat.npy"]), allow_pickle=False)
        cosines = rows @ rows.T
        np.fill_diagonal(cosines, -1)
        same = genre[truth["item_group"][cosines.argmax(axis=1)]] == genre[truth["item_group"]]
        assert same[~mixed].mean() > 0.6
        assert same[mixed].mean() < wrong or name == "audio"


def test_a_few_artists_have_most_of_the_plays(made) -> None:
    counts = np.sort(made[1]["itemID"].value_counts())[::-1]
    assert counts[:30].sum() > 0.25 * counts.sum()


def test_parts_follow_the_time_of_each_listener(made) -> None:
    history = made[1].sort_values(["userID", "timestamp"])
    assert (history.groupby("userID")["x_label"].diff().dropna() >= 0).all()
    assert not history.duplicated(["userID", "itemID"]).any()


def test_it_is_read_like_any_data_set(tmp_path: Path) -> None:
    summary = make_music(tmp_path / "music", n_users=60, n_items=40)
    data = load_dataset(summary.path)
    assert (data.n_users, data.n_items) == (60, 40)
    assert set(data.features) == {"audio", "text"}
    with pytest.raises(DataError, match="does not exist yet"):
        make_music(summary.path)
    again = make_music(summary.path, n_users=60, n_items=40, overwrite=True)
    assert again.digest == summary.digest


@pytest.mark.parametrize("wrong", [{"n_users": 3}, {"n_items": 10}, {"seed": -1}])
def test_sizes_out_of_range_are_named(tmp_path: Path, wrong) -> None:
    with pytest.raises(ConfigError):
        make_music(tmp_path / "music", **wrong)
    assert not (tmp_path / "music").exists()
