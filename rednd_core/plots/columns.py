"""A column of a table, which is text, as colours of points: numbers by a scale, other text by category."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,2})?\s*", re.ASCII)


def column_colors(texts: Sequence[str]) -> NDArray[Any]:
    """Values for the argument ``color`` of a map: (n,) float64, or (n,) strings; missing for ``""``.

    A column is numeric if every text in it that is not empty is a decimal number; then missing is NaN,
    else None. ``"1,5"``, ``"nan"`` and ``"0x1F"`` are text.
    """
    if all(map(_NUMBER.fullmatch, filter(None, texts))):
        return np.array([float(text) if text else np.nan for text in texts])
    values = np.full(len(texts), None, dtype=object)
    for place, text in enumerate(texts):
        if text:
            values[place] = str(text)
    return values


def obstacle(texts: Sequence[str]) -> str | None:
    """Why no colour could tell anything about the column; None where one can."""
    counts = Counter(filter(None, texts))
    if not counts:
        return "no values"
    if len(counts) == 1:
        return "one value only"
    if max(counts.values()) == 1 and not all(map(_NUMBER.fullmatch, counts)):
        return "no value twice"
    return None
