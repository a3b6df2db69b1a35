"""How many users each verdict has."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import plotly.graph_objects as go

from rednd_core.plots import theme
from rednd_core.plots.grid import Part
from rednd_core.plots.item_axis import rows_axis
from rednd_core.plots.text import literal

ROW = 40  # pixels of a class


def verdicts_figure(counts: Mapping[str, pd.DataFrame], chosen: str | None = None) -> go.Figure:
    """Failing users by verdict, a bar a class and run; a click on a bar gives the class.

    Args:
        counts: run -> the counts of :class:`rednd_core.evaluation.verdicts.Verdicts`, for at most two runs.
        chosen: the class that is written in bold.
    """
    classes = next(iter(counts.values()))["verdict"].tolist()
    several = len(counts) > 1
    bars: list[Part] = []
    for number, (run, table) in enumerate(counts.items()):
        of = table.set_index("verdict").loc[classes]
        bars.append(
            {
                "type": "bar",
                "orientation": "h",
                "y": list(range(len(classes))),
                "x": of["n_first"].tolist(),
                "name": literal(run),
                "offsetgroup": str(number),
                "marker": {
                    "color": theme.PLAIN[number],
                    "pattern": {
                        "shape": ("", "/")[number],
                        "fgcolor": theme.PAPER,
                        "fgopacity": 0.3,
                    },
                },
                "text": of["n_first"].map("{:,}".format),
                "textposition": "outside",
                "cliponaxis": False,
                "customdata": classes,
                "meta": of["n"].tolist(),
                "hovertext": [
                    f"{name}: the verdict of {first:,} users, holds for {holds:,}"
                    for name, first, holds in of[["n_first", "n"]].itertuples()
                ],
                "hovertemplate": f"%{{hovertext}}<extra>{literal(run)}</extra>",
            }
        )
    most = max(int(table["n_first"].max()) for table in counts.values())
    layout = {
        "template": theme.template(),
        "barmode": "group",
        "bargap": 0.25,
        "height": (ROW + 16 * several) * len(classes) + (96 if several else 56),
        "margin": {"t": 44 if several else 8, "b": 8, "l": 8, "r": 8},
        "legend": {"orientation": "h", "y": 1, "yanchor": "top", "yref": "container", "x": 0},
        "showlegend": several,
        "xaxis": {
            "title": {"text": "failing users whose verdict it is"},
            "range": [0, max(1, most) * 1.15],
        },
        "yaxis": rows_axis([f"<b>{name}</b>" if name == chosen else name for name in classes]),
    }
    return go.Figure(data=bars, layout=layout)
