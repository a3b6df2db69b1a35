"""The maps and lines of the first picture."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from rednd_core.errors import DataError
from rednd_core.plots.home import layer_maps, mad_lines
from rednd_core.plots.smoothness import SIDE_STYLES

NODES = np.array([0, 1, 5, 7])


def draw(n_layers: int, **changes):
    rng = np.random.default_rng(0)
    settings = {
        "coords": rng.normal(size=(n_layers, 4, 2)).astype(np.float32),
        "nodes": NODES,
        "layer_names": [f"layer {k}" for k in range(n_layers)],
        "mads": [(0.5, 0.0002)] * n_layers,
        "n_users": 5,
        "hover": list("abcd"),
    } | changes
    return layer_maps(**settings)


def test_each_panel_has_users_and_items_in_the_colours_of_their_lines() -> None:
    figure = draw(3)
    assert len(figure.data) == 6
    users, items = figure.data[:2]
    assert (users.customdata.tolist(), items.customdata.tolist()) == ([0, 1], [5, 7])
    assert (list(users.text), list(items.text)) == (["a", "b"], ["c", "d"])
    assert users.marker.color == SIDE_STYLES["users"].color
    assert items.marker.color == SIDE_STYLES["items"].color


def test_the_browser_knows_how_to_arrange_the_panels() -> None:
    assert draw(4).layout.meta["squares"] == {
        "n": 4, "columns": 4, "side": 168, "least": 96, "above": 74, "gap": 16
    }  # fmt: skip
    two = draw(6, run_names=["without", "with"])
    assert two.layout.meta["squares"]["columns"] == 3
    titles = [note.text for note in two.layout.annotations]
    assert [("without" in t, "with<" in t) for t in titles] == [(True, False)] * 3 + [
        (False, True)
    ] * 3


def test_all_panels_share_one_square_range_that_holds_every_point() -> None:
    figure = draw(6)
    ranges = {(tuple(axis.range)) for axis in figure.select_xaxes()}
    assert len(ranges) == 1
    low, high = ranges.pop()
    assert len(list(figure.select_xaxes())) == 6
    assert all(low < x < high for trace in figure.data for x in trace.x)
    heights = {round(axis.range[1] - axis.range[0], 5) for axis in figure.select_yaxes()}
    assert heights == {round(high - low, 5)}


def test_another_map_is_another_picture() -> None:
    """Or the browser would keep what the axes showed of the one before."""
    coords = np.zeros((2, 4, 2), dtype=np.float32)
    first, again, other = (draw(2, coords=each) for each in (coords, coords, coords + 1))
    assert first.layout.uirevision == again.layout.uirevision != other.layout.uirevision


def test_titles_tell_small_values_from_none_and_from_zero() -> None:
    title = draw(1, mads=[(0.0002, None)]).layout.annotations[0].text
    assert "layer 0" in title
    assert "users 0.0002" in title
    assert "items –" in title


def test_a_wrong_number_of_names_or_texts_is_refused() -> None:
    for wrong in ({"hover": ["a"]}, {"mads": []}, {"layer_names": ["x"]}):
        with pytest.raises(DataError, match="layer names"):
            draw(2, **wrong)


def test_two_runs_differ_by_dash_and_the_untrained_part_is_shaded() -> None:
    table = pd.DataFrame(
        {"layer": [0, 0, 9, 9], "side": ["users", "items"] * 2, "value": [1, 0.9, 0.1, 0.2], "n": 4}
    )
    figure = mad_lines([("A", table), ("B", table)], trained_depth=3)
    drawn = {trace.name: trace for trace in figure.data}
    assert set(drawn) == {"A · users", "A · items", "B · users", "B · items"}
    assert drawn["A · users"].line.dash != drawn["B · users"].line.dash
    assert drawn["A · users"].line.color == drawn["B · users"].line.color
    assert list(drawn["B · items"].y) == [0.9, 0.2]
    assert (figure.layout.shapes[0].x0, figure.layout.shapes[0].x1) == (3, 9)
    assert not mad_lines([("A", table)], trained_depth=9).layout.shapes
