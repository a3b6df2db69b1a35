"""The palette is measured: as seen with each colour vision deficiency, and on light and dark pages."""

from __future__ import annotations

import itertools

import numpy as np
import plotly.graph_objects as go
import pytest

from rednd_core.plots import theme

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
PAGES = {"white": "#FFFFFF", "dark": "#0E1117"}


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
    assert nearest_pair((*theme.PLAIN, theme.USERS, theme.ITEMS), deficiency) > 20


@pytest.mark.parametrize("n", [2, 4, 9])
def test_layers_go_from_light_to_dark_away_from_users_and_items(n):
    colors = theme.layer_colors(n)
    lightness = [lab(linear(color))[0] for color in colors]
    assert lightness == sorted(lightness, reverse=True)
    assert lightness[0] - lightness[-1] > 35
    for deficiency in DEFICIENCIES:
        for color in colors:
            for side in (theme.USERS, theme.ITEMS):
                assert nearest_pair((color, side), deficiency) > 30
    assert len(theme.layer_colors(1)) == 1


def test_the_measure_fails_for_plotly_default_colours():
    plotly_default = ["#636EFA", "#EF553B", "#00CC96", "#AB63FA", "#FFA15A", "#19D3F3"]
    assert min(nearest_pair(plotly_default, name) for name in DEFICIENCIES) < 15


@pytest.mark.parametrize("page", PAGES)
def test_ink_and_accents_read_on_light_and_dark(page):
    assert contrast(theme.INK, PAGES[page]) > 4.2
    for color in (theme.ACCENT, theme.WARNING, theme.OTHER):
        assert contrast(color, PAGES[page]) > 3
    assert min(contrast(color, PAGES[page]) for color in theme.CATEGORICAL) > 1.6
    assert min(contrast(color, PAGES[page]) for color in theme.CATEGORICAL[:3]) > 2.9
    assert min(contrast(color, PAGES[page]) for color in theme.PLAIN) > 2.3
    assert min(contrast(color, PAGES[page]) for color in theme.layer_colors(9)) > 1.8


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
