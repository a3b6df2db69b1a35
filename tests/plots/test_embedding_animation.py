from __future__ import annotations

import numpy as np
import pytest

from rednd_core.errors import DataError
from rednd_core.plots.embedding_animation import STEPS, AnimatedMap, embedding_animation
from rednd_core.plots.points import DIMMED

N = 12
QUALITY = {
    "trustworthiness": 0.8,
    "k": 5,
    "n_points": N,
    "n": N,
    "spread": 0.9,
    "mad_users": 0.93,
    "mad_items": 0.86,
}
NAMES = ["layer 0", "layer 1", "layer 2"]


def draw(n_maps: int = 2, **changes):
    rng = np.random.default_rng(0)
    maps = [
        AnimatedMap(
            name=f"M{number}",
            coords=(rng.normal(size=(3, N, 2)) * 10.0**number).astype(np.float32),
            quality=[QUALITY, QUALITY, {**QUALITY, "mad_users": 0.01}],
            collapsed=[False, False, True],
        )
        for number in range(n_maps)
    ]
    settings = {"nodes": np.arange(100, 100 + N), "layer_names": NAMES} | changes
    return maps, embedding_animation(maps, **settings)


def test_the_slider_stops_at_the_layers_of_every_map() -> None:
    maps, figure = draw()
    frames = {frame.name: frame for frame in figure.frames}
    steps = figure.layout.sliders[0].steps
    assert [step.label for step in steps] == NAMES
    for layer, step in enumerate(steps):
        frame = frames[step.args[0][0]]
        assert [len(frame.data), list(frame.traces)] == [2, [0, 1]]
        for each, drawn in zip(maps, frame.data, strict=True):
            np.testing.assert_array_equal(drawn.x, each.coords[layer, :, 0])
            np.testing.assert_array_equal(drawn.y, each.coords[layer, :, 1])
    for each, drawn in zip(maps, figure.data, strict=True):
        np.testing.assert_array_equal(drawn.x, each.coords[0, :, 0])
        assert list(drawn.customdata) == list(range(100, 100 + N))


def test_between_two_layers_points_travel_straight() -> None:
    maps, figure = draw()
    frames = {frame.name: frame for frame in figure.frames}
    assert len(frames) == 3 + 2 * (STEPS - 1)
    half = frames[f"1+{STEPS // 2}"].data[0]
    wanted = maps[0].coords[1:3, :, 0].mean(axis=0)
    np.testing.assert_allclose(half.x, wanted, rtol=1e-5, atol=1e-6)


def test_play_visits_every_frame_in_order() -> None:
    _, figure = draw(1)
    tour = figure.layout.updatemenus[0].buttons[0].args[0]
    assert list(dict.fromkeys(tour)) == [frame.name for frame in figure.frames]


def test_titles_and_warnings_belong_to_the_layer() -> None:
    _, figure = draw()
    frames = {frame.name: frame for frame in figure.frames}
    first, last = ([note.text for note in frames[name].layout.annotations] for name in ("0", "2"))
    assert [text.split("</b>")[0] for text in first] == ["<b>M0, layer 0", "<b>M1, layer 0"]
    assert "MAD users 0.010" in last[0]
    assert [text for text in last if "collapsed" in text] == [
        "<span style='color:#D95F02'>⚠</span> nearly collapsed"
    ] * 2
    assert [note.xref for note in frames["2"].layout.annotations][2:] == ["x domain", "x2 domain"]


def test_every_map_keeps_one_range_for_all_layers() -> None:
    maps, figure = draw()
    for axis, each in zip(("xaxis", "xaxis2"), maps, strict=True):
        low, high = figure.layout[axis].range
        assert low < each.coords[..., 0].min()
        assert high > each.coords[..., 0].max()
    assert figure.layout.xaxis.range != figure.layout.xaxis2.range


def test_colours_that_differ_by_layer_change_with_it() -> None:
    _, figure = draw(1, color=np.arange(3 * N, dtype=float).reshape(3, N))
    frames = {frame.name: frame for frame in figure.frames}
    assert [frames[name].data[0].marker.color[0] for name in "012"] == [0, N, 2 * N]


def test_the_ring_travels_with_its_node() -> None:
    maps, figure = draw(1, selected=[103, 999])
    ring = figure.frames[-1].data[1]
    assert (list(ring.x), list(ring.y)) == tuple([value] for value in maps[0].coords[2, 3])
    assert figure.data[1].name == "selected"


def test_play_goes_on_where_it_was_paused_and_begins_anew_at_the_end() -> None:
    _, figure = draw(1)
    play, pause = figure.layout.updatemenus[0].buttons
    assert "Pause" in pause.label
    tour, settings = play.args
    assert settings["fromcurrent"]
    assert tour.count(tour[-1]) == 1


def test_points_outside_a_large_selection_stay_dimmed_in_every_frame() -> None:
    nodes = np.arange(40)
    coords = np.random.default_rng(0).normal(size=(3, 40, 2)).astype(np.float32)
    each = AnimatedMap("M", coords, [{**QUALITY, "n": 40, "n_points": 40}] * 3, [False] * 3)
    figure = embedding_animation([each], nodes, NAMES, selected=range(30))
    assert [trace.marker.opacity for trace in figure.data] == [DIMMED, 0.75]
    assert list(figure.data[0].customdata) == list(range(30, 40))
    for frame in figure.frames:
        assert [len(drawn.x) for drawn in frame.data] == [10, 30]
        assert all(drawn.marker.opacity is None for drawn in frame.data), "the trace's own stays"
    np.testing.assert_array_equal(figure.frames[-1].data[0].x, coords[2, 30:, 0])


def test_parts_that_do_not_fit_are_refused() -> None:
    with pytest.raises(DataError, match="layer_names"):
        draw(layer_names=["a"])
    with pytest.raises(DataError, match="hover"):
        draw(hover=["a"])


def test_buttons_stand_above_the_titles_and_the_slider_above_the_legend() -> None:
    _, figure = draw()
    layout = figure.layout
    buttons, slider = layout.updatemenus[0], layout.sliders[0]
    squares = layout.meta["squares"]
    assert (buttons.y, buttons.yanchor) == (1, "bottom")
    assert buttons.pad.b >= squares["above"], "panels have titles of that height"
    assert layout.margin.t >= buttons.pad.b + 36, "a button's height"
    assert buttons.direction == "right"
    assert slider.y == 0
    inner = layout.height - layout.margin.t - layout.margin.b
    assert -layout.legend.y * inner >= slider.pad.t + 60
    assert squares["n"] == 2
