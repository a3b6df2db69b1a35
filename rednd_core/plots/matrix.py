"""A metric of several models on slices: a square a slice and model."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from rednd_core.plots import theme
from rednd_core.plots.text import literal, shortened

ROW = 54  # pixels of a slice
LABEL_LENGTH = 24
LIGHT = ((0.0, "#F3EEF9"), (1.0, "#B58CFF"))  # dark text can be read on all of it


def matrix_figure(table: pd.DataFrame, metric: str) -> go.Figure:
    """Means with their intervals, darker where higher; a slice that is too small is empty.

    Args:
        table: as :func:`rednd_core.evaluation.matrix.slice_matrix` returns it.
    """
    slices, models = (list(dict.fromkeys(table[name])) for name in ("slice", "model"))
    by = table.set_index(["slice", "model"])
    means = np.array([[by.loc[(s, m), "mean"] for m in models] for s in slices], dtype=float)
    known = means[~np.isnan(means)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    texts, hovers = [], []
    for name in slices:
        for model in models:
            cell = by.loc[(name, model)]
            texts.append(_cell(cell))
            hovers.append(
                f"{literal(name)}<br>{literal(model)}<br>{int(cell['n_users']):,} users, trainings: "
                f"{int(cell['n_trainings'])}"
            )
    sizes = table.drop_duplicates("slice").set_index("slice")["n_users"]
    layout = {
        "template": theme.template(),
        "height": 80 + ROW * len(slices),
        "margin": {"t": 56, "b": 8, "l": 8, "r": 8},
        "xaxis": {
            "side": "top",
            "tickvals": list(range(len(models))),
            "ticktext": [shortened(model, LABEL_LENGTH) for model in models],
            "range": [-0.5, len(models) - 0.5],
            "showgrid": False,
        },
        "yaxis": {
            "tickvals": list(range(len(slices))),
            "ticktext": [
                f"{shortened(name, LABEL_LENGTH)}<br>n = {int(sizes[name]):,}" for name in slices
            ],
            "range": [len(slices) - 0.5, -0.5],
            "showgrid": False,
        },
    }
    heat = {
        "type": "heatmap",
        "z": means,
        "x": list(range(len(models))),
        "y": list(range(len(slices))),
        "zmin": low,
        "zmax": high if high > low else low + 1e-9,
        "colorscale": LIGHT,
        "showscale": False,
        "xgap": 3,
        "ygap": 3,
        "hoverongaps": False,
        "text": np.array(texts, dtype=object).reshape(means.shape),
        "texttemplate": "%{text}",
        "textfont": {"color": theme.PRINT, "size": theme.TICK_SIZE},
        "customdata": np.array(hovers, dtype=object).reshape(means.shape),
        "hovertemplate": f"%{{customdata}}<br>{literal(metric)} %{{z:.4f}}<extra></extra>",
    }
    return go.Figure(data=[heat], layout=layout)


def _cell(cell: pd.Series) -> str:
    if math.isnan(cell["mean"]):
        return ""
    return f"<b>{cell['mean']:.4f}</b><br>{cell['low']:.3f} to {cell['high']:.3f}"
