from __future__ import annotations

import json

import numpy as np
import pytest

from rednd_core.errors import DataError
from rednd_core.plots import theme
from rednd_core.plots.embedding import (
    HEAD_HEIGHT,
    embedding_figure,
    panel_title,
)
from rednd_core.plots.points import DIMMED, MOST_RINGS

N = 30
QUALITY = {
    "trustworthiness": 0.812,
    "continuity": 0.9,
    "k": 15,
    "n_points": 2000,
    "n": 26495,
    "n_zero": 0,
    "spread": 0.968,
    "mad": 0.9,
    "mad_users": 0.931,
    "mad_items": 0.857,
}


@pytest.fixture
def parts():
    rng = np.random.default_rng(0)
    return {
        "coords": rng.normal(size=(3, N, 2)).astype(np.float32),
        "nodes": np.arange(100, 100 + N),
        "layer_names": ["layer 0", "layer 2", "layer 8"],
        "quality": [QUALITY] * 3,
        "collapsed": [False, False, True],
    }


def panel_of(trace):
    return trace.xaxis


def points(figure, name=None):
    """(panel, node) -> (x, y) over the traces called ``name``."""
    found = {}
    for trace in figure.data:
        if name is None or trace.name == name:
            for node, x, y in zip(trace.customdata, trace.x, trace.y, strict=True):
                found[panel_of(trace), int(node)] = (x, y)
    return found


def test_one_figure_with_a_webgl_panel_a_layer(parts):
    figure = embedding_figure(**parts)
    assert {trace.type for trace in figure.data} == {"scattergl"}
    assert sorted(map(panel_of, figure.data)) == ["x", "x2", "x3"]


def test_the_node_id_stays_with_its_point_across_coloured_traces(parts):
    colors = np.array(["user", "item", "new"])[np.arange(N) % 3]
    figure = embedding_figure(**parts, color=colors)
    assert len(figure.data) == 9
    found = points(figure)
    for panel, axis in enumerate(("x", "x2", "x3")):
        for place, node in enumerate(parts["nodes"]):
            assert found[axis, node] == tuple(parts["coords"][panel, place])
    for trace in figure.data:
        assert {colors[node - 100] for node in trace.customdata} == {trace.name}


def test_ids_travel_as_plain_numbers_and_coordinates_as_binary(parts):
    sent = json.loads(embedding_figure(**parts).to_json())["data"][0]
    assert sent["customdata"]["dtype"] in {"i1", "u1", "i2", "i4"}
    assert "shape" not in sent["customdata"], "one number a point, not a list"
    assert sent["x"]["dtype"] == "f4"


def test_titles_carry_the_measures_of_the_input(parts):
    figure = embedding_figure(**parts, title="PCA")
    title = figure.layout.annotations[1].text
    assert "layer 2" in title
    for told in ("MAD users 0.931", "MAD items 0.857", "spread 0.968", "trustworthiness 0.812"):
        assert f">{told}</span>" in title
    assert "k = 15, 2,000 of 26,495 points" in figure.layout.title.text
    assert embedding_figure(**parts).layout.title.text is None


def test_titles_show_a_collapse_and_unknown_values():
    low = {**QUALITY, "mad_users": 0.0031, "mad_items": None}
    assert "MAD users 0.00310</span>" in panel_title("layer 16", low)
    assert "MAD items –</span>" in panel_title("layer 16", low)
    both = {key: value for key, value in QUALITY.items() if not key.startswith("mad_")}
    assert "MAD 0.900</span>" in panel_title("layer 1", both)


def test_only_the_collapsed_panel_is_warned_about(parts):
    figure = embedding_figure(**parts)
    warnings = [note for note in figure.layout.annotations if "collapsed" in note.text]
    assert [note.xref for note in warnings] == ["x3 domain"]


def test_all_panels_share_one_fixed_square_range(parts):
    parts["coords"][1] *= 0.01
    parts["coords"][0, :, 0] += 5
    figure = embedding_figure(**parts)
    x_ranges = {tuple(axis.range) for axis in figure.select_xaxes()}
    y_ranges = {tuple(axis.range) for axis in figure.select_yaxes()}
    assert len(x_ranges) == len(y_ranges) == 1
    (x_range,), (y_range,) = x_ranges, y_ranges
    assert x_range[1] - x_range[0] == pytest.approx(y_range[1] - y_range[0])
    for axis, (low, high) in enumerate((x_range, y_range)):
        assert low < parts["coords"][..., axis].min()
        assert high > parts["coords"][..., axis].max()
    for axis in figure.select_yaxes():
        assert axis.scaleanchor == axis.plotly_name.replace("yaxis", "x")


def test_a_point_cloud_without_extent_is_not_magnified(parts):
    parts["coords"][:] = 1e-16
    figure = embedding_figure(**parts)
    low, high = figure.layout.xaxis.range
    assert high - low > 1e-4


def test_categories_share_one_legend_and_the_thirteenth_is_other(parts):
    labels = [f"c{min(place, 13):02d}" for place in range(N)]
    labels[-3:] = [None, float("nan"), "c00"]
    figure = embedding_figure(**parts, color=labels, color_name="category")
    listed = [trace.name for trace in figure.data if trace.showlegend]
    assert len(listed) == len(set(listed)) == 14
    assert {"no value", "other (2 more)"} <= set(listed)
    assert "c13" in listed, "the most frequent category has its own colour"
    assert figure.layout.legend.title.text == "category"
    assert all(trace.legendgroup == trace.name for trace in figure.data)
    colors = {trace.name: trace.marker.color for trace in figure.data}
    assert colors["no value"] == colors["other (2 more)"] == theme.OTHER
    assert len(points(figure)) == 3 * N


def test_names_from_files_bring_no_markup_into_legends_and_titles(parts):
    hostile, shown = '<a href="x">Mugs</a>', '&lt;a href="x"&gt;Mugs&lt;/a&gt;'
    figure = embedding_figure(**parts, color=[hostile] * N, color_name=hostile)
    assert {trace.name for trace in figure.data} == {shown}
    assert {trace.legendgroup for trace in figure.data} == {shown}
    assert figure.layout.legend.title.text == shown
    figure = embedding_figure(**parts, color=np.arange(N), color_name=hostile)
    assert {trace.name for trace in figure.data} == {shown}
    assert figure.layout.coloraxis.colorbar.title.text == shown
    assert "<a" not in figure.to_json()


def test_numbers_share_one_colour_bar_and_missing_ones_are_grey(parts):
    values = np.arange(N, dtype=float)
    values[4] = np.nan
    figure = embedding_figure(**parts, color=values, color_name="degree", colorscale="Cividis")
    assert list(points(figure, "no value")) == [("x", 104), ("x2", 104), ("x3", 104)]
    scaled = [trace for trace in figure.data if trace.name == "degree"]
    assert {trace.marker.coloraxis for trace in scaled} == {"coloraxis"}
    assert scaled[0].marker.color[3] == 3
    assert scaled[0].marker.color[4] == 5
    assert figure.layout.coloraxis.colorbar.title.text == "degree"
    assert figure.layout.coloraxis.colorscale[0][1] == "#00224e"


def test_selected_nodes_are_ringed_in_every_panel(parts):
    figure = embedding_figure(**parts, selected=[105, 129, 999], hover=[f"n{i}" for i in range(N)])
    rings = points(figure, "selected")
    assert set(rings) == {(axis, node) for axis in ("x", "x2", "x3") for node in (105, 129)}
    assert rings["x2", 105] == tuple(parts["coords"][1, 5])
    assert [trace.showlegend for trace in figure.data if trace.name == "selected"] == [
        True,
        False,
        False,
    ]
    assert [list(t.text) for t in figure.data if t.name == "selected"] == [["n5", "n29"]] * 3
    assert not points(embedding_figure(**parts, selected=[999]), "selected")


def test_hover_text_belongs_to_its_point(parts):
    hover = [f"title {node}" for node in parts["nodes"]]
    colors = np.where(np.arange(N) % 2, "user", "item")
    for trace in embedding_figure(**parts, color=colors, hover=hover).data:
        assert list(trace.text) == [f"title {node}" for node in trace.customdata]


def test_numbers_may_differ_by_layer_and_a_gap_in_one_is_grey_in_all(parts):
    values = np.arange(3 * N, dtype=float).reshape(3, N)
    values[1, 4] = np.nan
    figure = embedding_figure(**parts, color=values, missing="isolated")
    assert set(points(figure, "isolated")) == {(axis, 104) for axis in ("x", "x2", "x3")}
    scaled = {panel_of(t): t.marker.color for t in figure.data if t.marker.coloraxis}
    assert [scaled[axis][0] for axis in ("x", "x2", "x3")] == [0, N, 2 * N]


def test_a_logarithmic_scale_is_labelled_in_the_original_unit(parts):
    values = np.geomspace(1, 100, N)
    values[0] = 0
    figure = embedding_figure(**parts, color=values, log_color=True)
    (first, *_) = [t for t in figure.data if t.marker.coloraxis]
    np.testing.assert_allclose(first.marker.color, np.log10(values[1:]), rtol=1e-6)
    assert len(points(figure, "no value")) == 3
    bar = figure.layout.coloraxis.colorbar
    assert list(bar.ticktext) == ["2", "5", "10", "20", "50", "100"]
    np.testing.assert_allclose(10 ** np.array(bar.tickvals), [2, 5, 10, 20, 50, 100])


def test_hover_text_from_files_is_literal(parts):
    hover = ["<b>x</b>\nitem 1", *["a & b"] * (N - 1)]
    text = embedding_figure(**parts, hover=hover).data[0].text
    assert text[0] == "&lt;b&gt;x&lt;/b&gt;<br>item 1"
    assert text[1] == "a &amp; b"


def test_of_many_selected_the_others_are_dimmed_and_none_is_ringed(parts):
    colors = np.where(np.arange(N) < 28, "user", "item")
    few = list(range(100, 100 + MOST_RINGS))
    ringed = embedding_figure(**parts, color=colors, selected=few)
    assert len(points(ringed, "selected")) == 3 * MOST_RINGS
    assert {t.marker.opacity for t in ringed.data if t.name != "selected"} == {0.75}
    many = [*few, 100 + MOST_RINGS]
    figure = embedding_figure(**parts, color=colors, selected=many)
    assert not points(figure, "selected")
    opacity = {
        (trace.xaxis, int(node)): trace.marker.opacity
        for trace in figure.data
        for node in trace.customdata
    }
    assert len(opacity) == 3 * N, "every point once"
    assert {key for key, value in opacity.items() if value == 0.75} == {
        (axis, node) for axis in ("x", "x2", "x3") for node in many
    }
    assert {value for value in opacity.values() if value != 0.75} == {DIMMED}
    listed = [trace.name for trace in figure.data if trace.showlegend]
    assert sorted(listed) == ["item", "user"], "once each, one of them without a selected point"
    (first, *_) = figure.data
    assert first.marker.opacity == DIMMED, "underneath"


def test_the_focus_keeps_its_ring_among_many(parts):
    figure = embedding_figure(**parts, selected=range(100, 128), focus=105)
    assert set(points(figure, "selected")) == {(axis, 105) for axis in ("x", "x2", "x3")}


def test_dimmed_numbers_keep_their_colours(parts):
    values = np.arange(3 * N, dtype=float).reshape(3, N)
    figure = embedding_figure(**parts, color=values, selected=range(102, 130))
    third = [trace for trace in figure.data if panel_of(trace) == "x3"]
    assert [trace.marker.opacity for trace in third] == [DIMMED, 0.75]
    assert [list(trace.marker.color)[:2] for trace in third] == [[60, 61], [62, 63]]


@pytest.mark.parametrize("layer_names", [["layer 0"], ["a<br>layer 0"]])
def test_the_head_has_room(parts, layer_names):
    one = {name: value[:1] for name, value in parts.items() if name != "nodes"}
    one |= {"nodes": parts["nodes"], "layer_names": layer_names}
    for title in ("PCA", ""):
        layout = embedding_figure(**one, title=title).layout
        lines = layout.annotations[0].text.count("<br>") + 1
        head = HEAD_HEIGHT if title else 0
        # So many pixels above the panels, however high the browser makes them.
        assert layout.title.yref == "paper"
        assert layout.title.pad.b >= 20 * lines
        assert layout.margin.t >= head + 20 * lines


@pytest.mark.parametrize(
    "change",
    [
        {"nodes": np.arange(N - 1)},
        {"layer_names": ["a"]},
        {"quality": [QUALITY]},
        {"collapsed": [True]},
        {"color": [1.0]},
        {"color": np.zeros((2, N))},
        {"hover": ["a"]},
    ],
    ids=lambda change: next(iter(change)),
)
def test_parts_that_do_not_fit_are_refused(parts, change):
    with pytest.raises(DataError, match=next(iter(change))):
        embedding_figure(**{**parts, **change})
