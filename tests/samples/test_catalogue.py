from __future__ import annotations

import numpy as np
import pytest

from rednd_core.errors import ConfigError
from rednd_core.samples.catalogue import SMALLEST_GROUP, items_table, make_catalogue
from rednd_core.samples.silhouettes import SILHOUETTES
from rednd_core.samples.vocabulary import CATEGORIES, N_LOOKS, groups


def test_vocabulary_has_the_promised_breadth():
    assert 10 <= len(CATEGORIES) <= 14
    assert all(2 <= len(category.styles) <= 4 for category in CATEGORIES)
    assert {category.name for category in CATEGORIES} == set(SILHOUETTES)
    for category in CATEGORIES:
        for style in category.styles:
            assert len(set(style.looks)) == len(style.looks) == N_LOOKS
            assert len(set(style.nouns)) == len(style.nouns)


def test_every_group_has_items_and_sizes_add_up():
    catalogue = make_catalogue(np.random.default_rng(0), 601)
    sizes = np.bincount(catalogue.group, minlength=len(groups()))
    assert sizes.sum() == 601
    assert sizes.min() >= SMALLEST_GROUP
    assert sizes.max() > sizes.min()


def test_titles_are_distinct_and_begin_with_the_look_of_their_style():
    catalogue = make_catalogue(np.random.default_rng(1), 600)
    assert len(set(catalogue.titles)) == 600
    for group, look, title in zip(catalogue.group, catalogue.look, catalogue.titles, strict=True):
        c, s = groups()[group]
        assert title.startswith(CATEGORIES[c].styles[s].looks[look] + " ")
        assert title.endswith(tuple(f", {detail}" for detail in CATEGORIES[c].details))


def test_category_agrees_with_group_and_does_not_follow_the_item_order():
    catalogue = make_catalogue(np.random.default_rng(1), 600)
    assert [groups()[g][0] for g in catalogue.group] == catalogue.category.tolist()
    changes = np.count_nonzero(np.diff(catalogue.category))
    assert changes > 400  # sorted items would change category 11 times


def test_items_table_row_is_item():
    table = items_table(make_catalogue(np.random.default_rng(1), 200))
    assert table.columns.tolist() == [
        "itemID", "sku", "title", "category", "style", "price", "image",
    ]  # fmt: skip
    assert table["itemID"].tolist() == list(range(200))
    assert table.loc[42, ["sku", "image"]].tolist() == ["SH-0042", "thumbnails/0042.png"]
    assert table["price"].astype(float).min() > 0


@pytest.mark.parametrize("n_items", [0, 4 * 37 - 1, 60 * 37 + 1])
def test_impossible_sizes_name_the_range(n_items):
    with pytest.raises(ConfigError, match="between 148 and 2220 items") as caught:
        make_catalogue(np.random.default_rng(0), n_items)
    assert str(n_items) in str(caught.value)
