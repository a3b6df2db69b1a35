"""Figures of the page Explain and of the dialog "Why?": the numbers that they draw, and hostile names."""

from __future__ import annotations

import numpy as np
import pandas as pd

from rednd_core.evaluation.verdicts import OTHER, VERDICTS
from rednd_core.plots.attribution import layer_pairs_figure, moves_figure, parts_bars
from rednd_core.plots.matrix import matrix_figure
from rednd_core.plots.verdicts import verdicts_figure

EVIL = "<a href='x'>pot</a>"


def texts(figure) -> str:
    return figure.to_json()


def test_bars_end_with_the_sum_of_each_modality_and_the_score():
    parts = pd.DataFrame({"image": [1.0, -0.5], "text": [0.25, 0.0]}, index=["own", EVIL])
    figure = parts_bars(parts, 0.75)
    assert [list(bar.x) for bar in figure.data] == [[1.0, -0.5, 0.5], [0.25, 0.0, 0.25]]
    assert [note.text for note in figure.layout.annotations] == ["+1.250", "-0.500", "+0.750"]
    assert "<a" not in texts(figure)
    assert not parts_bars(parts[["image"]], 0.5).layout.showlegend


def test_a_square_a_pair_of_layers_and_a_column_for_the_item_graph():
    pairs = np.array([[1.0, -2.0], [0.5, 0.25]])
    figure = layer_pairs_figure({"image": pairs, EVIL: pairs}, {"image": np.array([0.1, 0.2])})
    first, second = figure.data
    np.testing.assert_array_equal(first.z, [[1.0, -2.0, 0.1], [0.5, 0.25, 0.2]])
    assert list(first.x) == ["0", "1", "item graph"]
    np.testing.assert_array_equal(second.z, pairs)
    assert (first.zmin, first.zmax) == (-2.0, 2.0)  # Zero is in the middle of the colours.
    assert "sum +0.050" in figure.layout.annotations[0].text
    assert "<a" not in texts(figure)


def test_an_item_without_a_rank_has_one_end_only():
    figure = moves_figure(
        ["a", EVIL], np.array([3, 0]), np.array([1, 7]), np.array([True, False]), k=5
    )
    assert list(figure.data[0].y) == [3, 1]
    assert list(figure.data[1].y) == [None, 7]
    assert figure.data[0].line.width > figure.data[1].line.width
    assert "<a" not in texts(figure)


def test_a_bar_a_class_gives_the_class():
    classes = [*VERDICTS, OTHER]
    counts = pd.DataFrame({"verdict": classes, "n_first": range(8), "n": range(8, 16)})
    figure = verdicts_figure({"one": counts, EVIL: counts.assign(n_first=9)}, "near miss")
    assert [list(bar.x) for bar in figure.data] == [list(range(8)), [9] * 8]
    assert list(figure.data[0].customdata) == classes
    assert "<b>near miss</b>" in figure.layout.yaxis.ticktext
    assert "<a" not in texts(figure)


def test_a_cell_has_mean_and_interval_and_a_small_slice_has_none():
    table = pd.DataFrame(
        {
            "slice": ["all", "all", EVIL, EVIL],
            "model": ["a", "b", "a", "b"],
            "n_trainings": [1, 3, 1, 3],
            "n_users": [50, 50, 4, 4],
            "mean": [0.25, 0.5, np.nan, np.nan],
            "low": [0.2, 0.4, np.nan, np.nan],
            "high": [0.3, 0.6, np.nan, np.nan],
        }
    )
    (heat,) = matrix_figure(table, "recall@20").data
    assert heat.text[0][1] == "<b>0.5000</b><br>0.400 to 0.600"
    assert list(heat.text[1]) == ["", ""]
    assert "50 users, trainings: 3" in heat.customdata[0][1]
    assert "<a" not in texts(matrix_figure(table, "recall@20"))
