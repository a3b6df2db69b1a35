"""Charts of why one item is recommended: the parts of its score, and the history that is like it.

Text from files is escaped: Plotly reads a subset of HTML in labels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from rednd_core import wording
from rednd_core.plots import theme
from rednd_core.plots.item_axis import ROW_HEIGHT, axis_label, rows_axis
from rednd_core.plots.text import literal


def parts_figure(parts: Mapping[str, Mapping[str, float]]) -> go.Figure:
    """Scores of a few items, divided into the parts of their modalities.

    Args:
        parts: title of the item -> modality -> its part of the score.
    """
    modalities = list(dict.fromkeys(name for part in parts.values() for name in part))
    bars = []
    for number, modality in enumerate(modalities):
        name, color = literal(modality), theme.PLAIN[number % len(theme.PLAIN)]
        values = [part.get(modality, 0.0) for part in parts.values()]
        bars.append(
            {
                "type": "bar",
                "x": values,
                "y": list(range(len(parts))),
                "orientation": "h",
                "name": name,
                "text": [f"{name} {value:+.2f}" for value in values],
                "textposition": "inside",
                "textangle": 0,
                "insidetextfont": {"color": theme.text_on(color)},
                "marker": {
                    "color": color,
                    "pattern": {
                        "shape": ("", "/", ".", "x")[number % 4],
                        "fillmode": "overlay",
                        "fgcolor": theme.PAPER,
                        "fgopacity": 0.15,
                    },
                },
                "hovertemplate": f"{name}: %{{x:+.3f}}<extra></extra>",
            }
        )
    layout = {
        "template": theme.template(),
        "barmode": "relative",
        "uniformtext": {"minsize": 12, "mode": "hide"},
        "height": 130 + 46 * len(parts),
        "margin": {"t": 40, "b": 8, "l": 8},
        "legend": {"orientation": "h", "y": 1, "yanchor": "bottom", "x": 0},
        "xaxis": {"title": {"text": "score (inner product, no unit)"}},
        "yaxis": rows_axis([axis_label(title) for title in parts]),
    }
    return go.Figure(data=bars, layout=layout)


def history_figure(
    titles: Sequence[str], cosines: NDArray[np.float64], n_history: int
) -> go.Figure:
    """Cosine of train items with the explained item, most similar first.

    Args:
        titles: (n,) of the drawn items. cosines: (n,) in -1..1. n_history: train items in all.
    """
    bars = {
        "type": "bar",
        "x": cosines,
        "y": list(range(len(titles))),
        "orientation": "h",
        "marker": {"color": theme.ITEMS},
        "text": [wording.cosine(value) for value in cosines],
        "textposition": "auto",
        "insidetextfont": {"color": theme.text_on(theme.ITEMS)},
        "customdata": [literal(title) for title in titles],
        "hovertemplate": "%{customdata}<br>cosine %{text}<extra></extra>",
    }
    low = min(0.0, float(np.min(cosines, initial=0.0)))
    # Two short lines: beside the titles a phone leaves the axis half of its width.
    shown = f"cosine<br>({len(titles):,} of {n_history:,} train items)"
    layout = {
        "template": theme.template(),
        "height": 110 + ROW_HEIGHT * len(titles),
        "margin": {"t": 8, "b": 8, "l": 8},
        "xaxis": {"title": {"text": shown}, "range": [low * 1.05, 1.02]},
        "yaxis": rows_axis([axis_label(title) for title in titles]),
    }
    return go.Figure(data=[bars], layout=layout)
