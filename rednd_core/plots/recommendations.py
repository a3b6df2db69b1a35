"""Charts of one user's recommendations and of where a model works: data in, a figure out.

Text from files is escaped: Plotly reads a subset of HTML in labels. Hits and misses, and two models,
differ by shape as well as by colour.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from rednd_core.plots import theme

ROW_HEIGHT = 34  # pixels of one bar or dot row
N_BINS = 20
LABEL_LENGTH = 20  # characters of a title beside an axis; the full title is in the hover text
SYMBOLS = ("circle", "diamond")
LEGEND_ON_TOP = {"orientation": "h", "y": 1, "yanchor": "top", "yref": "container", "x": 0}
MODEL_COLORS = theme.CATEGORICAL[:2]


def standing_figure(values: NDArray[np.float64], value: float, metric: str) -> go.Figure:
    """Histogram of a metric over all users, a line where one of them stands.

    Args:
        values: (n_users,) in 0..1. value: the one user's.
    """
    counts, edges = np.histogram(values, bins=N_BINS, range=(0.0, 1.0))
    figure = go.Figure(
        go.Bar(
            x=(edges[:-1] + edges[1:]) / 2,
            y=counts,
            width=1 / N_BINS,
            marker={"color": theme.CATEGORICAL[0], "opacity": 0.55},
            customdata=np.column_stack([edges[:-1], edges[1:]]),
            hovertemplate="%{customdata[0]:.2f} to %{customdata[1]:.2f}: %{y:,} users"
            "<extra></extra>",
        )
    )
    figure.add_vline(x=value, line={"color": theme.ACCENT, "width": 3})
    figure.add_annotation(
        x=value,
        y=1.0,
        yref="paper",
        yanchor="bottom",
        xanchor="left" if value < 0.5 else "right",
        showarrow=False,
        text=f"<b>this user {value:.2f}</b>",
        font={"color": theme.ACCENT},
    )
    figure.update_layout(
        template=theme.template(), height=230, margin={"t": 28, "b": 8, "l": 8}, showlegend=False
    )
    figure.update_xaxes(title=f"{metric} of a user", range=[-0.03, 1.03])
    figure.update_yaxes(title=f"users (of {len(values):,})", nticks=4)
    return figure


def mix_figure(mixes: Mapping[str, Sequence[str]]) -> go.Figure:
    """One stacked bar a list: how its items divide into categories.

    Args:
        mixes: name of the list -> category of every item in it; empty lists are drawn empty.
    """
    every = [category for categories in mixes.values() for category in categories]
    colors = theme.category_colors(every)
    shares = {
        name: pd.Series(list(categories), dtype=object).value_counts()
        for name, categories in mixes.items()
    }
    names = [f"{html.escape(name)}<br>(n = {len(mixes[name]):,})" for name in mixes]
    figure = go.Figure()
    for category, color in colors.items():
        counts = [int(shares[name].get(category, 0)) for name in mixes]
        totals = [max(1, len(mixes[name])) for name in mixes]
        label = html.escape(category or "no category")
        figure.add_bar(
            x=[100 * count / total for count, total in zip(counts, totals, strict=True)],
            y=names,
            orientation="h",
            name=label,
            marker={"color": color, "line": {"color": "rgba(128,128,128,0.6)", "width": 1}},
            text=[f"{label} {count}" if count else "" for count in counts],
            textposition="inside",
            insidetextanchor="middle",
            textangle=0,
            hovertemplate=f"{label}: %{{customdata}} items, %{{x:.0f}} %<extra></extra>",
            customdata=counts,
        )
    figure.update_layout(
        template=theme.template(),
        barmode="stack",
        height=180 + 58 * len(mixes),
        margin={"t": 8, "b": 8, "l": 8},
        legend={"orientation": "h", "y": -0.3, "yanchor": "top", "x": 0, "traceorder": "normal"},
        uniformtext={"minsize": 12, "mode": "hide"},  # the legend names what is too narrow
    )
    figure.update_xaxes(title="share of the list (%)", range=[0, 100])
    figure.update_yaxes(autorange="reversed")
    return figure


def ranks_figure(table: pd.DataFrame, k: int, n_candidates: int) -> go.Figure:
    """Where the held-out items ended up, one row an item and one symbol a model.

    Args:
        table: ``item``, ``title``, ``model``, ``rank`` (1 = best); one row an item and model, of at
            most two models.
        k: length of the list; a symbol is filled where the item is listed.
        n_candidates: items that were ranked.
    """
    figure = go.Figure()
    items = list(dict.fromkeys(table["item"]))
    titles = dict(zip(table["item"], table["title"], strict=True))
    for number, (model, part) in enumerate(table.groupby("model", sort=False)):
        listed = part["rank"] <= k
        figure.add_scatter(
            x=part["rank"],
            y=[items.index(item) for item in part["item"]],
            mode="markers",
            name=html.escape(str(model)),
            marker={
                "size": 15,
                "color": MODEL_COLORS[number],
                "symbol": [SYMBOLS[number] + ("" if hit else "-open") for hit in listed],
                "line": {"width": 3, "color": MODEL_COLORS[number]},
            },
            cliponaxis=False,  # the last ranks touch the frame
            text=[html.escape(title) for title in part["title"]],
            hovertemplate="%{text}<br>rank %{x:,}<extra>%{fullData.name}</extra>",
        )
    figure.add_vrect(x0=0.8, x1=k + 0.5, fillcolor=theme.CATEGORICAL[2], opacity=0.14, line_width=0)
    figure.add_annotation(
        x=0,
        xref="x domain",
        y=1,
        yref="y domain",
        xanchor="left",
        yanchor="bottom",
        showarrow=False,
        text=f"listed: rank 1 to {k}",
    )
    top = max(n_candidates, k + 1)
    several = table["model"].nunique() > 1
    figure.update_layout(
        template=theme.template(),
        height=(210 if several else 150) + ROW_HEIGHT * len(items),
        margin={"t": 100 if several else 40, "b": 8, "l": 8},  # two lines of legend on a phone
        legend=LEGEND_ON_TOP,
        showlegend=several,
    )
    figure.update_xaxes(
        title=f"rank of {n_candidates:,} (log scale)",
        type="log",
        range=[float(np.log10(0.8)), float(np.log10(top * 1.15))],
        tickvals=[10**power for power in range(8) if 10**power <= top],
        tickangle=0,
    )
    figure.update_yaxes(
        tickvals=list(range(len(items))),
        ticktext=[_label(titles[item]) for item in items],
        range=[len(items) - 0.4, -0.6],
    )
    return figure


def parts_figure(parts: Mapping[str, Mapping[str, float]]) -> go.Figure:
    """Scores of a few items, divided into the parts of their modalities.

    Args:
        parts: title of the item -> modality -> its part of the score.
    """
    modalities = list(dict.fromkeys(name for part in parts.values() for name in part))
    labels = [_label(title) for title in parts]
    figure = go.Figure()
    for number, modality in enumerate(modalities):
        name = html.escape(modality)
        figure.add_bar(
            x=[part.get(modality, 0.0) for part in parts.values()],
            y=list(range(len(labels))),
            orientation="h",
            name=name,
            text=[f"{name} {part.get(modality, 0.0):+.2f}" for part in parts.values()],
            textposition="inside",
            textangle=0,
            marker={
                "color": theme.CATEGORICAL[number % len(theme.CATEGORICAL)],
                "pattern": {
                    "shape": ("", "/", ".", "x")[number % 4],
                    "fillmode": "overlay",
                    "fgcolor": "#FFFFFF",
                    "fgopacity": 0.3,
                },
            },
            hovertemplate=f"{name}: %{{x:+.3f}}<extra></extra>",
        )
    figure.update_layout(
        template=theme.template(),
        barmode="relative",
        uniformtext={"minsize": 12, "mode": "hide"},
        height=130 + 46 * len(labels),
        margin={"t": 40, "b": 8, "l": 8},
        legend={"orientation": "h", "y": 1, "yanchor": "bottom", "x": 0},
    )
    figure.update_xaxes(title="score (inner product, no unit)")
    figure.update_yaxes(
        tickvals=list(range(len(labels))), ticktext=labels, range=[len(labels) - 0.4, -0.6]
    )
    return figure


def history_figure(
    titles: Sequence[str], cosines: NDArray[np.float64], n_history: int
) -> go.Figure:
    """Cosine of train items with the explained item, most similar first.

    Args:
        titles: (n,) of the drawn items. cosines: (n,) in -1..1. n_history: train items in all.
    """
    places = list(range(len(titles)))
    figure = go.Figure(
        go.Bar(
            x=cosines,
            y=places,
            orientation="h",
            marker={"color": theme.CATEGORICAL[0], "opacity": 0.75},
            text=[f"{value:.2f}" for value in cosines],
            textposition="auto",
            customdata=[html.escape(title) for title in titles],
            hovertemplate="%{customdata}<br>cosine %{x:.3f}<extra></extra>",
        )
    )
    low = min(0.0, float(np.min(cosines, initial=0.0)))
    figure.update_layout(
        template=theme.template(),
        height=90 + ROW_HEIGHT * len(titles),
        margin={"t": 8, "b": 8, "l": 8},
    )
    figure.update_xaxes(
        title=f"cosine with this item ({len(titles)} of {n_history} train items)",
        range=[low * 1.05, 1.02],
    )
    figure.update_yaxes(
        tickvals=places,
        ticktext=[_label(title) for title in titles],
        range=[len(titles) - 0.4, -0.6],
    )
    return figure


def slices_figure(table: pd.DataFrame, metric: str) -> go.Figure:
    """Mean and 95 % interval on every slice, a panel a group of slices.

    Args:
        table: as :func:`rednd_core.evaluation.overview.slice_overview` returns it.
    """
    groups = list(dict.fromkeys(table["group"]))
    models = list(dict.fromkeys(table["model"]))
    sizes = [table.loc[table["group"] == group, "slice"].nunique() for group in groups]
    figure = make_subplots(
        rows=len(groups),
        cols=1,
        shared_xaxes=True,
        row_heights=[size + 0.6 for size in sizes],
        vertical_spacing=0.1,
        subplot_titles=[f"<b>{html.escape(group)}</b>" for group in groups],
    )
    for row, group in enumerate(groups, start=1):
        panel = table[table["group"] == group]
        names = list(dict.fromkeys(panel["slice"]))
        for number, model in enumerate(models):
            part = panel[panel["model"] == model]
            shift = (number - (len(models) - 1) / 2) * 0.28
            figure.add_scatter(
                x=part["mean"],
                y=[names.index(name) + shift for name in part["slice"]],
                error_x=_error(part),
                mode="markers",
                name=html.escape(str(model)),
                legendgroup=str(number),
                showlegend=row == 1,
                marker={"size": 13, "symbol": SYMBOLS[number], "color": MODEL_COLORS[number]},
                customdata=part[["low", "high", "n_users", "n_held_out"]].to_numpy(),
                hovertemplate=f"{metric} %{{x:.4f}} [%{{customdata[0]:.4f}}, "
                "%{customdata[1]:.4f}]<br>%{customdata[2]:,} users, "
                "%{customdata[3]:,} held-out items<extra>%{fullData.name}</extra>",
                row=row,
                col=1,
            )
        n_users = panel.drop_duplicates("slice").set_index("slice")["n_users"]
        figure.update_yaxes(
            tickvals=list(range(len(names))),
            ticktext=[f"{name}<br>n = {n_users[name]:,} users" for name in names],
            range=[len(names) - 0.4, -0.6],
            row=row,
            col=1,
        )
    figure.update_layout(
        template=theme.template(),
        height=200 + 66 * sum(sizes),
        margin={"t": 104, "b": 8, "l": 8},
        legend=LEGEND_ON_TOP,
    )
    figure.update_xaxes(rangemode="tozero")
    figure.update_xaxes(title=f"{metric} (mean, 95 % interval)", row=len(groups), col=1)
    return figure


def _error(part: pd.DataFrame) -> dict[str, Any]:
    return {
        "type": "data",
        "symmetric": False,
        "array": part["high"] - part["mean"],
        "arrayminus": part["mean"] - part["low"],
        "thickness": 2.5,
        "width": 6,
    }


def _label(title: str) -> str:
    """A title beside an axis: short, with nothing that Plotly would read as HTML."""
    short = title if len(title) <= LABEL_LENGTH else title[: LABEL_LENGTH - 1].rstrip() + "…"
    return html.escape(short)
