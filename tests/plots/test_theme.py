"""The palette is measured: as seen with each colour vision deficiency, and on light and dark pages."""

from __future__ import annotations

import itertools
import re
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from rednd_core.plots import theme
from rednd_core.plots.embedding import embedding_figure
from rednd_core.plots.home import layer_maps, mad_lines
from rednd_core.plots.recommendations import standing_figure
from rednd_core.plots.smoothness import SIDE_STYLES

# Machado, Oliveira and Fernandes 2009, severity 1.0, on linear RGB.
DEFICIENCIES = {
    "none": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
PAGES = {"white": "#FFFFFF", "the app's dark": "#14121A", "Streamlit's dark": "#0E1117"}
ROOT = Path(__file__).parents[2]


def linear(color):
    value = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    xyz = TO_XYZ @ rgb.clip(0, 1) / (TO_XYZ @ np.ones(3))
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def contrast(first, second):
    high, low = sorted((float((TO_XYZ @ linear(c))[1]) for c in (first, second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def nearest_pair(colors, deficiency):
    seen = [lab(DEFICIENCIES[deficiency] @ linear(color)) for color in colors]
    return min(float(np.linalg.norm(a - b)) for a, b in itertools.combinations(seen, 2))


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
def test_categorical_colours_are_told_apart(deficiency):
    """CIELAB distance; 2.3 is just noticeable."""
    assert nearest_pair((*theme.CATEGORICAL, theme.OTHER), deficiency) > 22


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
def test_runs_and_losses_are_told_from_each_other_and_from_users_and_items(deficiency):
    assert nearest_pair((*theme.PLAIN, theme.USERS, theme.ITEMS), deficiency) > 25


@pytest.mark.parametrize("n", [2, 4, 9])
def test_layers_go_from_cold_to_hot_away_from_users_and_items(n):
    colors = theme.layer_colors(n)
    reds, blues = ([int(color[i : i + 2], 16) for color in colors] for i in (1, 5))
    assert reds == sorted(reds)
    assert blues == sorted(blues, reverse=True)
    assert min(nearest_pair((colors[0], colors[-1]), name) for name in DEFICIENCIES) > 60
    for deficiency in DEFICIENCIES:
        for color in colors:
            for side in (theme.USERS, theme.ITEMS):
                assert nearest_pair((color, side), deficiency) > 15
    assert len(theme.layer_colors(1)) == 1


def test_the_measure_fails_for_plotly_default_colours():
    plotly_default = ["#636EFA", "#EF553B", "#00CC96", "#AB63FA", "#FFA15A", "#19D3F3"]
    assert min(nearest_pair(plotly_default, name) for name in DEFICIENCIES) < 15


def test_the_measure_is_that_of_wcag():
    """Ratios that W3C's documents give: 21 for black on white, 4.54 for #767676 on white."""
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21, abs=0.01)
    assert contrast("#767676", "#FFFFFF") == pytest.approx(4.54, abs=0.01)


LINES = {
    "ink": theme.INK,
    "accent": theme.ACCENT,
    "warning": theme.WARNING,
    "other": theme.OTHER,
    **{f"run {number}": color for number, color in enumerate(theme.PLAIN)},
    **{name: style.color for name, style in SIDE_STYLES.items()},
    **{f"layer {k} of {n}": c for n in (2, 4, 9, 17) for k, c in enumerate(theme.layer_colors(n))},
}


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("name", LINES)
def test_lines_stand_out_from_light_and_dark_pages(name, page):
    assert contrast(LINES[name], PAGES[page]) >= 3


@pytest.mark.parametrize("page", PAGES)
def test_points_of_many_categories_can_be_seen(page):
    """Twelve colours that can be told apart cannot all have 3:1 on both pages; the first three have."""
    assert min(contrast(color, PAGES[page]) for color in theme.CATEGORICAL) > 1.6
    assert min(contrast(color, PAGES[page]) for color in theme.CATEGORICAL[:3]) >= 3


def test_text_can_be_read():
    """In a file, in hover labels, on bars; on a page it has the page's own colour."""
    layout = theme.template().layout
    assert contrast(theme.PRINT, theme.PAPER) >= 4.5
    assert contrast(layout.hoverlabel.font.color, layout.hoverlabel.bgcolor) >= 4.5
    for color in (*theme.PLAIN, *theme.CATEGORICAL, theme.OTHER):
        assert contrast(theme.text_on(color), color) >= 4.5
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    for scheme in ("light", "dark"):
        colors = config["theme"][scheme]
        assert contrast(colors["textColor"], colors["backgroundColor"]) >= 4.5


def test_no_text_of_a_figure_is_smaller_than_14_pixels_or_coloured():
    """Names, numbers and titles are in the page's ink: a colour is only ever on a sign beside them."""
    table = pd.DataFrame({"layer": [0, 1], "side": "users", "value": [1.0, 0.5], "n": 3})
    quality = {"mad_users": 1, "mad_items": 1, "spread": 1, "trustworthiness": 1, "k": 1}
    quality |= {"n_points": 3, "n": 3}
    coords = np.zeros((1, 3, 2), np.float32)
    figures = [
        layer_maps(coords, np.arange(3), ["a"], [(1, 1)], n_users=2, hover=["", "", ""]),
        embedding_figure(coords, np.arange(3), ["a"], [quality], [True], title="t"),
        mad_lines([("a", table)], trained_depth=0),
        standing_figure(np.array([0.5]), 0.5, "recall@20"),
    ]
    for figure in figures:
        sent = figure.to_plotly_json()
        for note in (*sent["layout"].get("annotations", []), sent["layout"].get("title") or {}):
            assert note.get("font", {}).get("size", 16) >= 14
            assert "color" not in note.get("font", {})
            text = note.get("text") or ""
            assert min(map(int, re.findall(r"font-size:(\d+)px", text)), default=16) >= 14
            for sign in re.findall(r"color:#\w+'>([^<]*)<", text):
                assert sign in ("●", "⚠")


def test_categories_by_frequency_then_name_then_other():
    values = ["b"] * 3 + ["a"] * 3 + ["z"] * 9
    assert list(theme.category_colors(values)) == ["z", "a", "b"]
    many = theme.category_colors([f"c{number:02d}" for number in range(15)])
    assert [many[f"c{number:02d}"] for number in range(12)] == list(theme.CATEGORICAL)
    assert {many[f"c{number:02d}"] for number in range(12, 15)} == {theme.OTHER}
    assert len(set(theme.CATEGORICAL)) == 12


def test_a_given_order_is_kept():
    assert theme.category_colors([], order=["x", "a"]) == {
        "x": theme.CATEGORICAL[0],
        "a": theme.CATEGORICAL[1],
    }


def test_users_and_items_keep_their_colours_as_categories():
    more_items = ["item", "item", "user"]
    assert theme.category_colors(more_items) == {"item": theme.ITEMS, "user": theme.USERS}


def test_template_is_transparent_and_large():
    figure = go.Figure(layout={"template": theme.template()})
    layout = figure.layout.template.layout
    assert layout.paper_bgcolor == layout.plot_bgcolor == "rgba(0,0,0,0)"
    assert layout.font.size >= 16
    assert layout.xaxis.tickfont.size >= 14
    assert tuple(layout.colorway) == theme.CATEGORICAL


def test_a_figure_for_a_file_is_dark_on_white_and_a_copy():
    note = {"text": "n", "x": 0, "y": 0, "font": {"color": theme.INK}}
    layout = {"template": theme.template(), "annotations": [note]}
    figure = go.Figure(data=[go.Scatter(y=[1], line={"color": theme.INK})], layout=layout)
    printed = theme.on_paper(figure)
    assert printed.layout.paper_bgcolor == printed.layout.plot_bgcolor == "#FFFFFF"
    assert printed.layout.template.layout.font.color == theme.PRINT
    assert printed.layout.annotations[0].font.color == theme.PRINT
    assert printed.data[0].line.color == theme.INK, "a line's colour means something"
    assert figure.layout.template.layout.font.color == theme.INK
    assert contrast(theme.PRINT, "#FFFFFF") > 15
