"""Charts of smoothness: the right numbers on the right lines, told apart without colour."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from rednd_core.errors import DataError
from rednd_core.plots.lines import Line, Panel, Style, line_figure
from rednd_core.plots.smoothness import (
    PanelText,
    contrast_panels,
    epoch_lines,
    layer_lines,
    measure_panels,
    weight_lines,
)

VALUES = {"users": [1.0, 0.5, 0.7], "items": [0.9, 0.8, 1.25e-9]}


def table(measure: str = "mad", run: str | None = None, ci: float = np.nan) -> pd.DataFrame:
    rows = [
        {"layer": k, "side": side, "measure": measure, "value": value, "ci": ci, "n": 1234}
        for side, values in VALUES.items()
        for k, value in enumerate(values)
    ]
    frame = pd.DataFrame(rows).assign(n_excluded=0)
    return frame if run is None else frame.assign(run=run)


def lines_of(figure: go.Figure) -> dict[str, go.Scatter]:
    """Lines by name, bands left out."""
    return {trace.name: trace for trace in figure.data if trace.fill is None}


def look(trace: go.Scatter) -> tuple[str, str]:
    return trace.line.dash, trace.marker.symbol


def test_a_line_a_side_with_its_values() -> None:
    lines = lines_of(layer_lines(table(), "mad", title="MAD (0 to 1)"))
    assert list(lines) == ["users", "items"]
    for side, values in VALUES.items():
        assert list(lines[side].x) == [0, 1, 2]
        assert list(lines[side].y) == values
    assert look(lines["users"]) != look(lines["items"])
    assert "n = 1,234" in lines["users"].customdata[0]


def test_axes_have_titles() -> None:
    figure = layer_lines(table(), "mad", title="MAD (0 to 1)")
    assert figure.layout.xaxis.title.text == "layer k"
    assert figure.layout.yaxis.title.text == "MAD (0 to 1)"
    assert layer_lines(table(), "mad").layout.yaxis.title.text == "mad"


def test_only_the_wanted_measure_is_drawn() -> None:
    both = pd.concat([table("mad"), table("effective_rank").assign(value=9.0)])
    lines = lines_of(layer_lines(both, "effective_rank"))
    assert set(lines["users"].y) == {9.0}


def test_interval_is_a_band_around_the_line() -> None:
    figure = layer_lines(table(ci=0.1), "mad")
    bands = [trace for trace in figure.data if trace.fill == "toself"]
    assert len(bands) == 2
    np.testing.assert_allclose(bands[0].y[:3], np.array(VALUES["users"]) + 0.1)
    np.testing.assert_allclose(bands[0].y[:2:-1], np.array(VALUES["users"]) - 0.1)
    assert bands[0].legendgroup == "users"


def test_no_band_where_values_are_exact() -> None:
    assert all(trace.fill is None for trace in layer_lines(table(), "mad").data)


def test_band_covers_only_the_sampled_points() -> None:
    partly = table(ci=0.1)
    partly.loc[partly["layer"] == 0, "ci"] = np.nan
    bands = [trace for trace in layer_lines(partly, "mad").data if trace.fill == "toself"]
    assert list(bands[0].x) == [1, 2, 2, 1]


def test_runs_differ_in_colour_and_marker_and_sides_keep_their_dash() -> None:
    both = pd.concat([table(run="a"), table(run="b")])
    lines = lines_of(layer_lines(both, "mad", runs=["b", "a"]))
    assert list(lines) == ["b · users", "b · items", "a · users", "a · items"]
    assert lines["a · users"].line.color == lines["a · items"].line.color
    assert lines["a · users"].line.color != lines["b · users"].line.color
    assert len({look(line) for line in lines.values()}) == 4, "told apart without colour"
    assert lines["a · users"].line.dash == lines["b · users"].line.dash
    sides = {lines_of(layer_lines(table(), "mad"))[side].line.color for side in VALUES}
    assert not sides & {line.line.color for line in lines.values()}


def test_two_views_in_one_table_are_refused() -> None:
    with pytest.raises(DataError, match="several views"):
        layer_lines(pd.concat([table(), table()]), "mad")


def test_a_measure_that_is_not_there_is_refused() -> None:
    with pytest.raises(DataError, match="effective_rank"):
        layer_lines(table(), "effective_rank")


def two_measures(**kwargs: object) -> go.Figure:
    both = pd.concat([table("mad"), table("effective_rank")])
    texts = [PanelText("mad", "MAD", "0 = one direction"), PanelText("effective_rank", "Rank")]
    return measure_panels(both, texts, **kwargs)  # type: ignore[arg-type]


def test_small_multiples_share_one_legend_entry_a_line() -> None:
    figure = two_measures()
    assert sum(bool(trace.showlegend) for trace in figure.data) == 2
    assert len({trace.xaxis for trace in figure.data}) == 2
    titles = " ".join(annotation.text for annotation in figure.layout.annotations)
    assert "MAD" in titles
    assert "0 = one direction" in titles
    assert "Rank" in titles


def shades(figure: go.Figure) -> Sequence[go.layout.Shape]:
    return [shape for shape in figure.layout.shapes if shape.type == "rect"]


def test_beyond_the_trained_depth_is_shaded_and_labelled() -> None:
    figure = two_measures(trained_depth=1)
    assert [(shape.x0, shape.x1) for shape in shades(figure)] == [(1, 2), (1, 2)]
    labels = [a.text for a in figure.layout.annotations if "beyond" in a.text]
    assert labels == ["beyond the<br>trained depth"]


def test_nothing_is_shaded_within_the_trained_depth() -> None:
    assert not shades(two_measures(trained_depth=2))
    assert not shades(two_measures())


def test_contrast_draws_the_misleading_line_and_both_sides_of_the_trusted() -> None:
    wrong = pd.DataFrame(
        {"layer": [0, 1], "side": "all", "measure": "mad_all", "value": [1.0, 0.0], "ci": np.nan}
    ).assign(n=10, n_excluded=0)
    pair = (PanelText("mad_all", "MAD, all"), PanelText("mad", ""), True)
    figure = contrast_panels(pd.concat([table(), wrong]), [pair])
    lines = lines_of(figure)
    assert list(lines) == ["misleading, all nodes", "to trust, users", "to trust, items"]
    assert len({look(line) for line in lines.values()}) == 3
    assert figure.layout.yaxis.type == "log"
    assert np.isnan(lines["misleading, all nodes"].y[1])  # 0 has no place on a logarithmic axis
    assert lines["to trust, items"].y[2] == 1.25e-9


def epochs(run: str | None = None) -> pd.DataFrame:
    rows = [
        {"epoch": epoch, "layer": layer, "side": side, "value": epoch + 10 * layer}
        for side, layer, epoch in itertools.product(["users", "items"], [0, 1], [1, 2, 3])
    ]
    frame = pd.DataFrame(rows)
    return frame if run is None else frame.assign(run=run)


def test_epochs_have_a_panel_a_side_and_a_line_a_layer() -> None:
    figure = epoch_lines(epochs(), title="MAD", best_epoch=2)
    assert len(figure.data) == 4
    users = {trace.name: trace for trace in figure.data if trace.xaxis == "x"}
    assert list(users["layer 1"].x) == [1, 2, 3]
    assert list(users["layer 1"].y) == [11, 12, 13]
    assert users["layer 0"].marker.symbol != users["layer 1"].marker.symbol
    titles = [a.text for a in figure.layout.annotations]
    assert "<b>MAD, users</b>" in titles
    assert "<b>MAD, items</b>" in titles
    assert {shape.x0 for shape in figure.layout.shapes if shape.type == "line"} == {2}


def test_epochs_of_several_runs_differ_in_dash() -> None:
    figure = epoch_lines(pd.concat([epochs("a"), epochs("b")]), title="MAD")
    names = {trace.name: trace for trace in figure.data}
    assert names["a · layer 1"].line.dash != names["b · layer 1"].line.dash
    assert names["a · layer 1"].line.color == names["b · layer 1"].line.color


def test_weights_are_categories_in_numeric_order() -> None:
    frame = pd.concat(
        [
            table(run=f"w{weight:g}").query("layer == 2").assign(weight=weight)
            for weight in (0.1, 0.0, 0.01)
        ]
    )
    figure = weight_lines(frame, [PanelText("mad", "MAD")], x_title="alignment weight")
    users = lines_of(figure)["users"]
    assert list(users.x) == ["0", "0.01", "0.1"]
    assert "w0.01" in users.customdata[1]
    assert figure.layout.xaxis.type == "category"


def test_lines_of_unequal_length_are_refused() -> None:
    with pytest.raises(DataError, match="2 values"):
        Line("users", [0, 1], np.zeros(3), Style("#000000"))


def test_a_figure_needs_a_panel() -> None:
    with pytest.raises(DataError, match="choose a measure"):
        line_figure([])


def test_height_grows_with_the_rows() -> None:
    line = Line("users", [0, 1], np.ones(2), Style("#000000"))
    panels = [Panel(str(number), [line], "layer k") for number in range(3)]
    assert line_figure(panels).layout.height > line_figure(panels[:2]).layout.height
