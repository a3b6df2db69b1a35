"""Columns as colours: many values, numbers, mixtures; the cases that were once left out in silence."""

from __future__ import annotations

import numpy as np
import pytest

from rednd_core.plots import theme
from rednd_core.plots.columns import column_colors, obstacle
from rednd_core.plots.points import point_groups


def test_numbers_are_a_scale():
    values = column_colors(["1.5", "", "-2", "3e2", " 7 ", ".5"])
    np.testing.assert_array_equal(values, [1.5, np.nan, -2, 300, 7, 0.5])
    (missing, known) = point_groups(values, 1, 6, name="price")
    assert missing.members.tolist() == [1]
    assert known.values is not None


@pytest.mark.parametrize("word", ["n/a", "1,5", "nan", "inf", "0x1F", "1_000", "٣", "1 2"])
def test_numbers_with_a_word_among_them_are_text(word):
    values = column_colors(["1", "2", word, ""])
    assert values.tolist() == ["1", "2", word, None]


def test_many_values_are_the_largest_by_name_and_other():
    """41 categories over 53 items, seven items without one."""
    names = [f"cat {k % 41}" for k in range(53)] + [""] * 7
    assert obstacle(names) is None
    groups = point_groups(column_colors(names), 1, 60, name="category", missing="no category")
    named = [group for group in groups if group.color != theme.OTHER]
    assert len(named) == len(theme.CATEGORICAL)
    assert {group.name for group in named} <= {
        f"cat {k}" for k in range(12)
    }  # those that occur twice
    other = next(group for group in groups if group.name.startswith("other"))
    assert other.name == "other (29 more)"
    missing = next(group for group in groups if group.name == "no category")
    assert len(missing.members) == 7
    assert sorted(node for group in groups for node in group.members) == list(range(60))


@pytest.mark.parametrize(
    ("texts", "why"),
    [
        (["", ""], "no values"),
        (["a", "a", ""], "one value only"),
        (["a", "b", "c"], "no value twice"),
        (["1.5", "2.5"], None),
        (["n/a", "n/a", "1", "2"], None),
    ],
)
def test_what_no_colour_can_show(texts, why):
    assert obstacle(texts) == why


def test_long_values_do_not_fill_the_legend():
    values = column_colors(["word " * 60, "word " * 60, "b"])
    names = [group.name for group in point_groups(values, 1, 3, name="text")]
    assert max(map(len, names)) <= 40
    assert any(name.endswith("…") for name in names)
