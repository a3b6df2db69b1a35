"""Panels in rows and columns, as plain parts of a layout.

A figure that is made in one step from dictionaries takes a tenth of the time of ``make_subplots`` and
a dozen updates, and a page has two or three figures.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate
from typing import Any

Part = dict[str, Any]  # of a figure: a trace, an axis, an annotation, a shape, or several axes

TITLE_SHIFT = 4  # pixels between a panel's title and its frame


@dataclass(frozen=True)
class Cell:
    """One panel.

    Attributes:
        number: counted from 0, row by row.
        x, y: from and to, as shares of the plot's width from the left and of its height from below.
    """

    number: int
    x: tuple[float, float]
    y: tuple[float, float]

    @property
    def suffix(self) -> str:
        """What follows ``x`` and ``y`` in the names of its axes."""
        return str(self.number + 1) if self.number else ""

    @property
    def of_trace(self) -> Part:
        """The axes of a trace in this panel."""
        return {"xaxis": f"x{self.suffix}", "yaxis": f"y{self.suffix}"}

    def axes(self, x: Mapping[str, Any], y: Mapping[str, Any]) -> Part:
        """The panel's two axes, for the layout."""
        return {
            f"xaxis{self.suffix}": {"domain": self.x, "anchor": f"y{self.suffix}", **x},
            f"yaxis{self.suffix}": {"domain": self.y, "anchor": f"x{self.suffix}", **y},
        }

    def title(self, text: str) -> Part:
        """An annotation centred above the panel, wherever the browser puts it."""
        note = {
            "text": text,
            "x": 0.5,
            "y": 1,
            "xanchor": "center",
            "yanchor": "bottom",
            "yshift": TITLE_SHIFT,
            "showarrow": False,
        }
        return self.inside(note)

    def inside(self, note: Mapping[str, Any]) -> Part:
        """An annotation or shape whose x and y are shares of the panel, unless it says otherwise."""
        references = {"xref": f"x{self.suffix} domain", "yref": f"y{self.suffix} domain"}
        return references | dict(note)

    def along_x(self, note: Mapping[str, Any]) -> Part:
        """An annotation or shape at x of the panel's own axis, and a share of its height."""
        return self.inside({"xref": f"x{self.suffix}", **note})


@dataclass(frozen=True)
class Squares:
    """Square panels. Their height follows from the width, so the browser arranges them anew.

    ``layout.meta`` carries this to ``app/charts/squares.js``; a layout with it has all
    four margins, and what lies below the panels at a negative ``y``.

    Attributes:
        n, columns: panels, and how many of them at most in a row.
        side: pixels of a panel where there is room.
        least: pixels of the narrowest panel; a row has fewer instead.
        above: pixels of the titles above a panel.
        gap: pixels between two panels, and between a panel and the titles below it.
    """

    n: int
    columns: int
    side: int
    least: int
    above: int
    gap: int = 16

    @property
    def inner(self) -> int:
        """Pixels from the first row's upper edge to the last one's lower edge."""
        rows = math.ceil(self.n / self.columns)
        return rows * self.side + (rows - 1) * (self.above + self.gap)

    @property
    def meta(self) -> Part:
        return {"squares": asdict(self)}

    def cells(self) -> list[Cell]:
        """Where they stand until the browser knows the width."""
        width = self.columns * (self.side + self.gap) - self.gap
        return cells(
            self.n,
            self.columns,
            horizontal=self.gap / width,
            vertical=(self.above + self.gap) / self.inner,
        )


def cells(
    n: int,
    columns: int,
    *,
    horizontal: float = 0.0,
    vertical: float = 0.0,
    heights: Sequence[float] | None = None,
) -> list[Cell]:
    """``n`` panels, ``columns`` in a row, from the upper left.

    Args:
        horizontal, vertical: space between two panels, as shares of the plot's width and height.
        heights: (rows,) relative to each other; None makes all rows alike.
    """
    rows = math.ceil(n / columns)
    width = (1 - horizontal * (columns - 1)) / columns
    shares = [1.0] * rows if heights is None else list(heights)
    scale = (1 - vertical * (rows - 1)) / sum(shares)
    # Where each row begins, measured from the top.
    starts = [0.0, *accumulate(share * scale + vertical for share in shares)]
    found = []
    for number in range(n):
        row, column = divmod(number, columns)
        left, top = column * (width + horizontal), 1 - starts[row]
        lower = max(0.0, top - shares[row] * scale)  # no rounding below the edge
        found.append(Cell(number, (left, min(1.0, left + width)), (lower, top)))
    return found
