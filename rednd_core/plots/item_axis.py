"""Charts with a row an item: the height of a row, and titles from files beside the axis."""

from __future__ import annotations

from rednd_core.plots.text import shortened

ROW_HEIGHT = 34  # pixels of one bar or dot row
LABEL_LENGTH = 20  # characters; the full title is in the hover text


def axis_label(title: str) -> str:
    """A title short enough for an axis, with nothing that Plotly would read as HTML."""
    return shortened(title, LABEL_LENGTH)


def rows_axis(titles: list[str]) -> dict[str, object]:
    """A y axis with a row a title, the first one on top; row k is at y = k."""
    return {
        "tickvals": list(range(len(titles))),
        "ticktext": titles,
        "range": [len(titles) - 0.4, -0.6],
    }
