"""What the charts of a training show, by literals."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from rednd_core.plots import training as plots
from rednd_core.plots.epochs import MAX_POINTS, WeightChange
from rednd_core.plots.live_layers import layers_figure


def epochs(n: int = 3) -> pd.DataFrame:
    number = np.arange(1, n + 1)
    table = {
        "epoch": number,
        "losses.bpr": 1.0 / number,
        "losses.alignment": [None, *([4.0] * (n - 1))],
    }
    table |= {"valid.recall@20": [0.1, None, *([0.3] * (n - 2))]}
    table["weights.alignment"] = [0.0, *([0.1] * (n - 1))]
    for layer in (0, 1, 10):
        for side, value in (("users", 0.5), ("items", 0.25)):
            table[f"smoothness.layer.text.{layer}.{side}.mad"] = value + layer
    table["smoothness.layer.image.0.users.mad"] = 9.0
    return pd.DataFrame(table)


CHANGES = [WeightChange(epoch=1, value=0.1)]


def test_losses_are_named_lines_with_gaps_and_marks() -> None:
    figure = plots.loss_figure(epochs(), CHANGES, revision="run-a")
    assert [trace.name for trace in figure.data] == ["bpr", "alignment"]
    np.testing.assert_allclose(figure.data[0].y, [1, 0.5, 1 / 3], rtol=1e-6)
    assert math.isnan(figure.data[1].y[0])
    assert [shape.x0 for shape in figure.layout.shapes] == [1.5]
    assert figure.layout.uirevision == "run-a"
    assert figure.layout.yaxis.type == "log"


def test_validation_skips_epochs_without_it_and_stars_the_best() -> None:
    line, star = plots.validation_figure(epochs(), "recall@20", 3).data
    assert list(line.x) == [1, 3]
    assert list(star.x) == [3]
    np.testing.assert_allclose(star.y, [0.3], rtol=1e-6)


@pytest.mark.parametrize(
    "draw",
    [
        plots.loss_figure,
        plots.weight_figure,
        lambda table: plots.validation_figure(table, "recall@20", None),
        lambda table: plots.measure_figure(table, "mad", "MAD", "text"),
    ],
)
def test_before_the_first_epoch_a_chart_says_so(draw) -> None:
    figure = draw(pd.DataFrame())
    assert len(figure.data) == 0
    assert "first epoch" in figure.layout.annotations[-1].text


def test_measures_are_a_line_a_layer_with_users_above_items() -> None:
    figure = plots.measure_figure(epochs(), "mad", "MAD", "text", CHANGES)
    shown = [(trace.name, trace.yaxis, float(trace.y[0])) for trace in figure.data]
    assert shown == [
        ("layer 0", "y", 0.5),
        ("layer 1", "y", 1.5),
        ("layer 10", "y", 10.5),
        ("layer 0", "y2", 0.25),
        ("layer 1", "y2", 1.25),
        ("layer 10", "y2", 10.25),
    ]
    assert figure.layout.yaxis.domain[0] > figure.layout.yaxis2.domain[1]
    assert [trace.showlegend for trace in figure.data] == [True] * 3 + [False] * 3


def test_the_weight_is_a_step_that_also_shows_zero() -> None:
    figure = plots.weight_figure(epochs(), CHANGES)
    (step,) = figure.data
    assert list(step.customdata) == [0.0, 0.1, 0.1]
    assert list(step.y) == [plots.ZERO_SHOWN_AT, 0.1, 0.1]
    assert step.line.shape == "hvh"
    assert figure.layout.yaxis.ticktext[0] == "0"
    assert figure.layout.annotations[0].text == "0.1"
    low, high = figure.layout.yaxis.range
    assert low < math.log10(plots.ZERO_SHOWN_AT)
    assert high >= math.log10(10)


def test_a_model_without_alignment_has_no_weight_line() -> None:
    assert len(plots.weight_figure(epochs().drop(columns="weights.alignment")).data) == 0


def test_long_histories_are_thinned_and_say_so() -> None:
    figure = plots.loss_figure(epochs(2_500))
    x = figure.data[0].x
    assert len(x) <= MAX_POINTS
    assert x[-1] == 2_500
    assert set(np.diff(x)) == {3}
    assert "1 of 3" in figure.layout.xaxis.title.text


def test_layers_share_one_fixed_square() -> None:
    coords = np.arange(3 * 4 * 2, dtype=np.float32).reshape(3, 4, 2)
    figure = layers_figure(coords, 3, ["a", "b", "c"], 1.5, revision="r")
    assert len(figure.data) == 6
    users, items = figure.data[2:4]  # of the second layer
    assert (users.name, items.name) == ("users", "items")
    np.testing.assert_array_equal(users.x, coords[1, :3, 0])
    np.testing.assert_array_equal(items.y, coords[1, 3:, 1])
    assert (users.xaxis, users.yaxis) == ("x2", "y2")
    for axis in (*figure.select_xaxes(), *figure.select_yaxes()):
        assert tuple(axis.range) == (-1.5, 1.5)
    assert [note.text for note in figure.layout.annotations] == ["a", "b", "c"]
    # Panels do not overlap: the second is right of the first, the third below it.
    layout = figure.layout
    assert layout.xaxis.domain[1] < layout.xaxis2.domain[0]
    assert layout.yaxis.domain[0] > layout.yaxis3.domain[1]


def test_a_wider_range_forgets_the_zoom() -> None:
    coords = np.zeros((1, 2, 2), dtype=np.float32)
    keys = [layers_figure(coords, 1, ["a"], r).layout.uirevision for r in (1.0, 1.0, 2.0)]
    assert keys[0] == keys[1] != keys[2]
