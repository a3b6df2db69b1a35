"""Pictures of lessons as plain JSON, which the scripts in ``browser/`` draw in the size of the screen."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rednd_core.stage.payload import STEPS, packed

Picture = dict[str, Any]


def line(label: str, values: Iterable[float], color: str, *, dash: bool = False) -> dict[str, Any]:
    """One line of :func:`lines`; values that are not defined become gaps.

    Args:
        color: a name among ``rednd_core.lessons.COLORS``.
    """
    return {
        "label": label,
        "values": [number(value) for value in values],
        "color": color,
        "dash": dash,
    }


def lines(
    title: str, series: Sequence[dict[str, Any]], *, x: str = "layer", beyond: int | None = None
) -> Picture:
    """Lines over 0, 1, 2, ... on one axis from 0 up.

    Args:
        x: what the horizontal axis counts.
        beyond: the area to the right of this place is shaded, e.g. layers that were not trained.
    """
    return {"kind": "lines", "title": title, "x": x, "series": list(series), "beyond": beyond}


def cut(picture: Picture, last: int) -> Picture:
    """The lines of a picture up to the place ``last``, on the axes of the whole picture."""
    series = [
        {**one, "values": [v if k <= last else None for k, v in enumerate(one["values"])]}
        for one in picture["series"]
    ]
    return {**picture, "series": series, "top": highest(picture)}


def highest(picture: Picture) -> float:
    """The largest value of all lines."""
    return max(float(v) for one in picture["series"] for v in one["values"] if v is not None)


def values(picture: Picture, label: str) -> list[float]:
    """The values of the line called ``label``, without gaps."""
    (found,) = [one for one in picture["series"] if one["label"] == label]
    return [value for value in found["values"] if value is not None]


def bars(title: str, of: Mapping[str, float], *, colors: Sequence[str] = ("one",)) -> Picture:
    """A horizontal bar each, with its value; all start at 0."""
    made = [
        {"label": label, "value": number(value), "color": colors[k % len(colors)]}
        for k, (label, value) in enumerate(of.items())
    ]
    return {"kind": "bars", "title": title, "bars": made}


def bar(picture: Picture, label: str) -> float:
    """The value of the bar called ``label``."""
    (found,) = [one["value"] for one in picture["bars"] if one["label"] == label]
    return float(found)


def scatter(title: str, panels: Sequence[dict[str, Any]], n_users: int) -> Picture:
    """Maps side by side (see :func:`panel`); the first ``n_users`` points of each are users."""
    return {"kind": "scatter", "title": title, "panels": list(panels), "n_users": n_users}


def panel(
    title: str, coords: NDArray[np.float32], half: float, numbers: Mapping[str, float]
) -> dict[str, Any]:
    """One map.

    Args:
        coords: (n, 2), packed as one depth of a stage's map.
        half: from the middle of the map to its edge, in units of the map.
        numbers: measures of the vectors, by what they are called.
    """
    steps = np.clip(np.rint(coords / half * STEPS), -STEPS, STEPS).astype(np.int16)
    return {
        "title": title,
        "coords": packed(steps[None]),
        "numbers": {name: number(value) for name, value in numbers.items()},
    }


def switch(controls: Mapping[str, Sequence[str]], pictures: Mapping[str, Picture]) -> Picture:
    """Several pictures, of which buttons choose one.

    Args:
        controls: by label the options of a row of buttons.
        pictures: by the numbers of the chosen options, such as ``"0-2"``; the first one is shown first.
    """
    rows = [{"label": label, "options": list(options)} for label, options in controls.items()]
    return {"kind": "switch", "controls": rows, "pictures": dict(pictures)}


def cards(title: str, columns: Mapping[str, Sequence[dict[str, Any]]]) -> Picture:
    """Lists side by side; a card has ``text``, a ``note`` below and a ``mark`` (hit, wrong, or "")."""
    return {
        "kind": "cards",
        "title": title,
        "columns": [{"title": head, "cards": list(of)} for head, of in columns.items()],
    }


def card(text: str, note: str = "", mark: str = "") -> dict[str, Any]:
    return {"text": text, "note": note, "mark": mark}


def number(value: float) -> float | None:
    """Six digits, as the page shows no more; None for what is not defined, as JSON has no NaN."""
    return float(f"{value:.6g}") if math.isfinite(value) else None
