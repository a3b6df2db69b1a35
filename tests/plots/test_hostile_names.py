"""Every figure shows hostile names as they stand: no tag, template or formula of theirs is left in it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from rednd_core.plots.cohesion import cohesion_figure
from rednd_core.plots.embedding import embedding_figure
from rednd_core.plots.embedding_animation import AnimatedMap, embedding_animation
from rednd_core.plots.explanation import history_figure, parts_figure
from rednd_core.plots.home import layer_maps, mad_lines
from rednd_core.plots.lines import Line, Panel, Style, line_figure
from rednd_core.plots.live_layers import layers_figure
from rednd_core.plots.recommendations import mix_figure, ranks_figure, standing_figure
from rednd_core.plots.slices import slices_figure
from rednd_core.plots.smoothness import PanelText, epoch_lines, layer_lines, measure_panels
from rednd_core.plots.training import loss_figure, measure_figure, validation_figure

EVIL = "<u>x</u>%{y}$a$"  # a tag, a hover template and a formula, short enough for every label
N = 6
QUALITY = {
    "trustworthiness": 0.9,
    "continuity": 0.9,
    "k": 2,
    "n_points": N,
    "n": N,
    "n_zero": 0,
    "spread": 0.9,
    "mad": 0.9,
}


def smoothness_table() -> pd.DataFrame:
    rows = [(EVIL, k, side, EVIL, 0.5, np.nan, 4) for k in (0, 1) for side in ("users", "items")]
    columns = ["run", "layer", "side", "measure", "value", "ci", "n"]
    return pd.concat(
        [pd.DataFrame(rows, columns=columns), pd.DataFrame(rows, columns=columns).assign(run="b")]
    )


def maps(**more):
    return {
        "nodes": np.arange(N),
        "layer_names": [EVIL, EVIL],
        "hover": [EVIL] * N,
        "color_name": EVIL,
        **more,
    }


COORDS = np.random.default_rng(0).normal(size=(2, N, 2)).astype(np.float32)
EPOCHS = pd.DataFrame({"epoch": [1, 2], f"losses.{EVIL}": [1.0, 2.0], f"valid.{EVIL}": [0.1, 0.2]})
SLICES = pd.DataFrame(
    {
        "group": [EVIL],
        "slice": [EVIL],
        "model": [EVIL],
        "n_users": [3],
        "n_held_out": [4],
        "mean": [0.5],
        "low": [0.4],
        "high": [0.6],
    }
)
RANKS = pd.DataFrame({"item": [1], "title": [EVIL], "model": [EVIL], "rank": [3]})
PANEL = Panel(
    EVIL,
    [Line(EVIL, [EVIL], np.array([1.0]), Style("#000000"), np.array([0.1]), [EVIL])],
    EVIL,
    y_title=EVIL,
    note=EVIL,
)
NUMBERED = Panel("", [Line("a", [0, 2], np.ones(2), Style("#000000"))], "k", shade_from=1.0)


FIGURES = {
    "categories": lambda: embedding_figure(
        COORDS, quality=[QUALITY] * 2, collapsed=[True] * 2, title=EVIL, **maps(color=[EVIL] * N)
    ),
    "numbers": lambda: embedding_figure(
        COORDS,
        quality=[QUALITY] * 2,
        collapsed=[True] * 2,
        title=EVIL,
        **maps(color=np.array([np.nan, 1, 2, 3, 4, 5]), missing=EVIL),
    ),
    "animation": lambda: embedding_animation(
        [AnimatedMap(EVIL, COORDS, [QUALITY] * 2, [True] * 2)], **maps(color=[EVIL] * N)
    ),
    "home": lambda: layer_maps(
        COORDS, np.arange(N), [EVIL] * 2, [(0.1, None)] * 2, n_users=3, hover=[EVIL] * N
    ),
    "mad": lambda: mad_lines([(EVIL, smoothness_table().query("run == 'b'"))], trained_depth=1),
    "cohesion": lambda: cohesion_figure([EVIL], [0.5], [None], n_selected=2, n_all=9),
    "layer lines": lambda: layer_lines(smoothness_table(), EVIL, title=EVIL),
    "panels": lambda: measure_panels(
        smoothness_table(), [PanelText(EVIL, EVIL, EVIL)], trained_depth=0
    ),
    "epochs": lambda: epoch_lines(smoothness_table().assign(epoch=1), title=EVIL, best_epoch=1),
    "lines": lambda: line_figure([PANEL], title=EVIL),
    "marks": lambda: line_figure(
        [
            Panel(
                "", NUMBERED.lines, "k", shade_from=1.0, shade_label=EVIL, x_mark=1, mark_label=EVIL
            )
        ]
    ),
    "live layers": lambda: layers_figure(COORDS, 3, [EVIL, f"a\n{EVIL}"], 1.0),
    "losses": lambda: loss_figure(EPOCHS),
    "validation": lambda: validation_figure(EPOCHS, EVIL, 1),
    "waiting": lambda: measure_figure(EPOCHS, "mad", EVIL, "id"),
    "parts": lambda: parts_figure({EVIL: {EVIL: 1.0}}),
    "history": lambda: history_figure([EVIL], np.array([0.5]), 1),
    "standing": lambda: standing_figure(np.array([0.5]), 0.5, EVIL),
    "mix": lambda: mix_figure({EVIL: [EVIL, EVIL]}),
    "ranks": lambda: ranks_figure(RANKS, 2, 9),
    "slices": lambda: slices_figure(SLICES, EVIL),
}


def texts(part: object) -> list[str]:
    """All strings of a figure."""
    if isinstance(part, dict):
        return [text for value in part.values() for text in texts(value)]
    if isinstance(part, list | tuple | np.ndarray):
        return [text for value in part for text in texts(value)]
    return [part] if isinstance(part, str) else []


@pytest.mark.parametrize("name", FIGURES)
def test_no_label_of_a_figure_is_read_as_html(name):
    found = texts(FIGURES[name]().to_dict())
    assert any("&lt;u&gt;x&lt;/u&gt;&#37;{y}&#36;a&#36;" in text for text in found), "shown nowhere"
    for text in found:
        assert "<u>" not in text
        assert "x</u>" not in text
        assert "%{y}$" not in text
        assert "$a$" not in text
