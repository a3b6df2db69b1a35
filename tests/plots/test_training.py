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
    assert list(figure.layout.yaxis.ticktext) == ["0.5", "1", "2"]
    assert len({trace.line.dash for trace in figure.data}) == 2, "told apart without colour"


def test_validation_skips_epochs_without_it_and_stars_the_best() -> None:
    line, star = plots.validation_figure(epochs(), "recall@20", 3).data
    assert list(line.x) == [1, 3]
    assert list(star.x) == [3]
    np.testing.assert_allclose(star.y, [0.3], rtol=1e-6)


@pytest.mark.parametrize(
    "draw",
    [
        plots.loss_figure,
        lambda table, changes: plots.weight_figure(table, "alignment", changes),
        lambda table, changes: plots.validation_figure(table, "recall@20", None, changes),
        lambda table, changes: plots.measure_figure(table, "mad", "MAD", "text", changes),
    ],
)
def test_before_the_first_epoch_a_chart_says_so(draw) -> None:
    figure = draw(pd.DataFrame(), changes=CHANGES)
    assert len(figure.data) == len(figure.layout.shapes) == 0
    (note,) = figure.layout.annotations
    assert "first epoch" in note.text
    axes = [*figure.select_xaxes(), *figure.select_yaxes()]
    assert len(axes) >= 2
    for axis in axes:  # their ranges would be invented; what they would show is in the note
        assert axis.visible is False
        assert axis.title.text in note.text or axis.title.text == "epoch"


def test_axes_come_with_the_first_epoch() -> None:
    figure = plots.measure_figure(epochs().iloc[:1], "mad", "MAD", "text")
    assert [axis.visible for axis in (*figure.select_xaxes(), *figure.select_yaxes())] == [True] * 3
    assert not figure.layout.annotations


def test_what_is_not_measured_every_epoch_does_not_wait_for_the_first_one() -> None:
    table = epochs().drop(columns="valid.recall@20")
    (note,) = plots.validation_figure(table, "recall@20", None).layout.annotations
    assert "Not measured yet" in note.text
    assert "first epoch" not in note.text


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
    assert len({trace.marker.symbol for trace in figure.data}) == 3, "told apart without colour"


def test_the_weight_is_a_step_that_also_shows_zero() -> None:
    figure = plots.weight_figure(epochs(), "alignment", CHANGES)
    (step,) = figure.data
    assert list(step.customdata) == [0.0, 0.1, 0.1]
    assert list(step.y) == [plots.ZERO_SHOWN_AT, 0.1, 0.1]
    assert step.line.shape == "hvh"
    assert figure.layout.yaxis.ticktext[0] == "0"
    assert figure.layout.annotations[0].text == "0.1"
    low, high = figure.layout.yaxis.range
    assert low < math.log10(plots.ZERO_SHOWN_AT)
    assert high >= math.log10(10)


def label_places(
    changes: list[WeightChange], n_epochs: int = 40
) -> list[tuple[str, float, float, float]]:
    """(text, left, right, height) of each label in pixels; the plot is 180 wide."""
    figure = plots.weight_figure(epochs(n_epochs), "alignment", changes)
    found = []
    for note in figure.layout.annotations:
        left = (note.x - 1) / (max(n_epochs, changes[-1].epoch + 0.5) - 1) * 180 + note.xshift
        width = 7.8 * len(note.text)  # of a digit at this size
        assert note.xanchor == "left"
        assert left + width <= 180 + figure.layout.margin.r
        found.append((note.text, left, left + width, note.yshift))
    return found


@pytest.mark.parametrize("epochs_of_moves", [(7, 8, 10), (1, 20, 39), (36, 38, 39), (40, 40, 40)])
def test_labels_of_close_moves_are_apart_and_inside_the_figure(
    epochs_of_moves: tuple[int, ...],
) -> None:
    values = (0.003, 0.01, 0.0003)
    changes = [WeightChange(*move) for move in zip(epochs_of_moves, values, strict=True)]
    labels = label_places(changes)
    assert sorted(text for text, *_ in labels) == ["0.0003", "0.003", "0.01"]
    for text, left, right, height in labels:
        for other, its_left, its_right, its_height in labels:
            if other != text and abs(height - its_height) < plots.theme.TICK_SIZE:
                assert right <= its_left or its_right <= left, (text, other)


def test_of_a_crowd_of_moves_the_latest_are_labelled() -> None:
    crowd = [WeightChange(10, value) for value in (0.003, 0.01, 0.03, 0.1, 0.3)]
    labels = label_places([WeightChange(1, 0.5), *crowd])
    assert [text for text, *_ in labels] == ["0.3", "0.1", "0.03", "0.5"]
    assert (
        len(plots.weight_figure(epochs(40), "alignment", crowd).layout.shapes) == 5
    )  # every mark is there


def test_a_model_without_alignment_has_no_weight_line() -> None:
    assert len(plots.weight_figure(epochs(), "contrast").data) == 0


def test_few_epochs_are_marked_whole() -> None:
    def step(n_epochs: int) -> float | None:
        return plots.loss_figure(epochs(n_epochs)).layout.xaxis.dtick

    assert [step(3), step(6)] == [1, 1]  # Plotly's own ticks would be 1, 1.5, 2 ...
    assert step(100) is None


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
    assert [note.text for note in figure.layout.annotations] == ["<b>a</b>", "<b>b</b>", "<b>c</b>"]
    # Panels do not overlap: the second is right of the first, the third below it.
    layout = figure.layout
    assert layout.xaxis.domain[1] < layout.xaxis2.domain[0]
    assert layout.yaxis.domain[0] > layout.yaxis3.domain[1]


def test_a_wider_range_forgets_the_zoom() -> None:
    coords = np.zeros((1, 2, 2), dtype=np.float32)
    keys = [layers_figure(coords, 1, ["a"], r).layout.uirevision for r in (1.0, 1.0, 2.0)]
    assert keys[0] == keys[1] != keys[2]
