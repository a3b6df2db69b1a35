"""Figures say what their data says: counts, ranks, parts, intervals; and never run foreign HTML."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from rednd_core.plots.explanation import history_figure, parts_figure
from rednd_core.plots.recommendations import mix_figure, ranks_figure, standing_figure
from rednd_core.plots.slices import slices_figure

HOSTILE = "<b onclick=x>Kettle</b> & co"


def test_the_histogram_counts_every_user_and_marks_one() -> None:
    values = np.array([0.0, 0.0, 0.5, 1.0])
    figure = standing_figure(values, 0.5, "recall@20")
    assert sum(figure.data[0].y) == 4
    assert figure.data[0].y[0] == 2
    assert figure.data[0].y[-1] == 1
    assert figure.layout.shapes[0].x0 == 0.5
    assert "0.50" in figure.layout.annotations[0].text
    assert figure.layout.yaxis.title.text == "users (of 4)"


@pytest.fixture
def ranks() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "item": [4, 9, 4, 9],
            "title": [HOSTILE, "Mug", HOSTILE, "Mug"],
            "model": ["a", "a", "b", "b"],
            "rank": [3, 412, 90, 20],
        }
    )


def test_ranks_are_filled_where_listed_and_each_model_has_its_symbol(ranks: pd.DataFrame) -> None:
    figure = ranks_figure(ranks, 20, 588)
    first, second = figure.data
    assert list(first.x) == [3, 412]
    assert list(first.marker.symbol) == ["circle", "circle-open"]
    assert list(second.marker.symbol) == ["diamond-open", "diamond"]
    assert list(first.y) == list(second.y) == [0, 1]  # one row an item
    assert figure.layout.xaxis.type == "log"
    assert "588" in figure.layout.xaxis.title.text
    low, high = figure.layout.xaxis.range
    assert low <= 0
    assert high >= np.log10(588)
    assert figure.layout.shapes[0].x1 == 20.5


def test_two_items_of_one_title_keep_two_rows() -> None:
    table = pd.DataFrame(
        {"item": [1, 2], "title": ["Mug", "Mug"], "model": ["a", "a"], "rank": [1, 2]}
    )
    figure = ranks_figure(table, 20, 50)
    assert list(figure.data[0].y) == [0, 1]
    assert figure.layout.showlegend is False


def test_the_mix_divides_each_list_by_its_own_length() -> None:
    figure = mix_figure({"history": ["Mugs", "Mugs", "Kites", ""], "recommended": ["Kites"]})
    shares = {bar.name: list(bar.x) for bar in figure.data}
    assert shares == {"Mugs": [50, 0], "Kites": [25, 100], "no category": [25, 0]}
    assert "(n = 4)" in figure.data[0].y[0]


def test_parts_stack_to_the_scores() -> None:
    figure = parts_figure(
        {"this": {"image": 0.5, "text": -0.2}, "that": {"image": 1.0, "text": 2.0}}
    )
    assert {bar.name: list(bar.x) for bar in figure.data} == {
        "image": [0.5, 1.0],
        "text": [-0.2, 2.0],
    }
    assert figure.layout.barmode == "relative"
    shapes = [bar.marker.pattern.shape for bar in figure.data]
    assert len(set(shapes)) == 2  # not by colour alone


def test_the_history_shows_negative_cosines_whole() -> None:
    figure = history_figure(["Mug", "Kite"], np.array([0.9, -0.4]), 7)
    assert list(figure.data[0].x) == [0.9, -0.4]
    assert figure.layout.xaxis.range[0] <= -0.4
    assert "2 of 7" in figure.layout.xaxis.title.text


def test_the_title_below_the_history_fits_beside_its_labels_on_a_phone() -> None:
    figure = history_figure(["Mug"], np.array([0.9]), 12_345)
    lines = figure.layout.xaxis.title.text.split("<br>")
    assert lines[-1] == "(1 of 12,345 train items)"
    assert max(map(len, lines)) <= 26


def test_slices_have_a_panel_a_group_and_their_intervals() -> None:
    rows = [
        (group, name, model, n, 9, mean, mean - 0.1, mean + 0.2)
        for group, name, n, mean in (("users", "cold", 12, 0.3), ("items", "head", 30, 0.5))
        for model in ("a", "b")
    ]
    columns = ["group", "slice", "model", "n_users", "n_held_out", "mean", "low", "high"]
    figure = slices_figure(pd.DataFrame(rows, columns=columns), "ndcg@20")
    assert [trace.name for trace in figure.data] == ["a", "b", "a", "b"]
    assert [trace.yaxis for trace in figure.data] == ["y", "y", "y2", "y2"]
    assert [trace.showlegend for trace in figure.data] == [True, True, False, False]
    assert figure.data[0].error_x.array[0] == pytest.approx(0.2)
    assert figure.data[0].error_x.arrayminus[0] == pytest.approx(0.1)
    assert figure.data[0].marker.symbol != figure.data[1].marker.symbol
    assert "n = 12" in figure.layout.yaxis.ticktext[0]
    assert figure.data[0].y[0] != figure.data[1].y[0]  # side by side, not on each other


@pytest.mark.parametrize(
    "draw",
    [
        lambda: mix_figure({HOSTILE: [HOSTILE]}),
        lambda: parts_figure({HOSTILE: {HOSTILE: 1.0}}),
        lambda: history_figure([HOSTILE], np.array([0.1]), 1),
        lambda: ranks_figure(
            pd.DataFrame({"item": [0], "title": [HOSTILE], "model": [HOSTILE], "rank": [1]}), 5, 9
        ),
    ],
)
def test_no_figure_passes_foreign_html_on(draw) -> None:
    figure: go.Figure = draw()
    assert "<b onclick" not in str(figure.to_dict())
    assert "&lt;b" in str(figure.to_dict())
