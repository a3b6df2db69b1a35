"""Where the panels of a figure lie."""

from __future__ import annotations

import plotly.graph_objects as go
import pytest
from plotly.subplots import make_subplots

from rednd_core.plots.grid import Squares, cells


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (2, 2), (3, 2), (1, 3)])
def test_full_rows_lie_where_plotly_itself_puts_them(rows: int, columns: int) -> None:
    theirs = make_subplots(rows, columns, horizontal_spacing=0.04, vertical_spacing=0.1).layout
    ours = cells(rows * columns, columns, horizontal=0.04, vertical=0.1)
    for cell in ours:
        assert cell.x == pytest.approx(theirs[f"xaxis{cell.suffix}"].domain)
        assert cell.y == pytest.approx(theirs[f"yaxis{cell.suffix}"].domain)


def test_rows_may_differ_in_height() -> None:
    theirs = make_subplots(2, 1, row_heights=[1.6, 4.6], vertical_spacing=0.1).layout
    first, second = cells(2, 1, vertical=0.1, heights=[1.6, 4.6])
    assert first.y == pytest.approx(theirs.yaxis.domain)
    assert second.y == pytest.approx(theirs.yaxis2.domain)


def test_an_unfinished_row_has_no_empty_panel() -> None:
    first, second, third = cells(3, 2, vertical=0.2)
    assert third.x == first.x
    assert third.y[1] == pytest.approx(second.y[0] - 0.2)


def test_parts_name_the_axes_of_their_panel() -> None:
    first, second = cells(2, 2, horizontal=0.2)
    assert first.of_trace == {"xaxis": "x", "yaxis": "y"}
    layout = second.axes({"type": "log"}, {"title": {"text": "share"}})
    layout["annotations"] = [
        second.title("two"),
        second.inside({"text": "corner", "x": 0, "y": 0}),
        second.along_x({"text": "here", "x": 7, "y": 1}),
    ]
    figure = go.Figure(data=[{"type": "scatter", "y": [1]} | second.of_trace], layout=layout)
    assert figure.data[0].xaxis == "x2"
    assert (figure.layout.xaxis2.type, figure.layout.xaxis2.anchor) == ("log", "y2")
    assert figure.layout.yaxis2.title.text == "share"
    title, corner, here = figure.layout.annotations
    assert (title.xref, title.yref, title.x, title.y) == ("x2 domain", "y2 domain", 0.5, 1)
    assert (corner.xref, corner.yref) == ("x2 domain", "y2 domain")
    assert (here.xref, here.yref) == ("x2", "y2 domain")


def test_square_panels_are_square_until_the_browser_arranges_them() -> None:
    squares = Squares(n=5, columns=2, side=200, least=100, above=50, gap=10)
    width, height = 410, squares.inner
    assert height == 3 * 200 + 2 * 60
    for cell in squares.cells():
        assert (cell.x[1] - cell.x[0]) * width == pytest.approx(200)
        assert (cell.y[1] - cell.y[0]) * height == pytest.approx(200)
    assert squares.meta["squares"]["columns"] == 2
