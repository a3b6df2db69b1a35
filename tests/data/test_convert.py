"""The canonical folder is the same data set as its source, in every layout."""

from __future__ import annotations

import numpy as np
import pytest

from rednd_core.config import DataConfig
from rednd_core.data import load_dataset
from rednd_core.data.convert import convert
from tests.data.layouts.instances import LAYOUTS
from tests.data.layouts.test_layouts import world


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_same_digest(name, tmp_path):
    source, canonical = tmp_path / "source", tmp_path / "canonical"
    source.mkdir(), canonical.mkdir()
    place = LAYOUTS[name].write(world(name), source)
    was = convert(DataConfig(path=str(place)), canonical)
    found = load_dataset(canonical)
    assert found.digest == was.digest == load_dataset(place).digest
    assert found.items.drop(columns="item_id").to_dict("list") == was.items.drop(
        columns="item_id"
    ).to_dict("list")
    assert found.left_out == ()


def test_features_users_and_titles_of_several_lines(csv_shop, tmp_path):
    (csv_shop / "items.csv").write_text(
        'itemID,title,note\nmug,"A, B","two\nlines"\ntea,,x\n007,"""7""",\n'
    )
    (csv_shop / "users.csv").write_text('userID,name\nann,"A\nnn"\n')
    (tmp_path / "new").mkdir()
    was = convert(DataConfig(path=str(csv_shop)), tmp_path / "new")
    found = load_dataset(tmp_path / "new")
    assert found.digest == was.digest
    assert found.items["title"].tolist() == ['"7"', "A, B", "tea"]
    assert found.items["note"].tolist() == ["", "two\nlines", "x"]
    assert np.array_equal(found.features["text"], was.features["text"])


def test_choices_are_in_what_is_written(tmp_path, write):
    rows = [
        f"u{u},i{i},{1 + (u * i) % 5},{100 * u + i}" for u in range(12) for i in range(u % 7 + 1)
    ]
    file = write("log.csv", "user,item,stars,time\n" + "\n".join(rows) + "\n")
    config = DataConfig(path=str(file), rating_threshold=2, min_interactions=3, split="global_time")
    (tmp_path / "new").mkdir()
    was = convert(config, tmp_path / "new")
    found = load_dataset(tmp_path / "new")
    pairs = [{(was.user_ids[u], was.item_ids[i]) for u, i in zip(p.users, p.items, strict=True)}
             for p in (was.train, was.valid, was.test)]  # fmt: skip
    again = [{(found.user_ids[u], found.item_ids[i]) for u, i in zip(p.users, p.items, strict=True)}
             for p in (found.train, found.valid, found.test)]  # fmt: skip
    assert pairs == again
