"""Ticks of logarithmic axes: few, with whole numbers, and never fewer than two."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from rednd_core.plots.grid import Part

MOST_DECADES = 6
WRITTEN_OUT = range(-4, 6)  # powers of ten; others are shown as powers


def log_axis(values: ArrayLike) -> Part:
    """A logarithmic axis for what is positive among ``values``.

    Plotly's own ticks are of one size and crowded, or a single one where the values are close.
    """
    found = np.asarray(values, dtype=np.float64).ravel()
    found = found[np.isfinite(found) & (found > 0)]
    if not len(found):
        return {"type": "log"}
    ticks = _ticks(float(np.log10(found.min())), float(np.log10(found.max())))
    return {"type": "log", "tickvals": ticks, "ticktext": [_text(tick) for tick in ticks]}


def _ticks(low: float, high: float) -> list[float]:
    """Numbers between two base-10 logarithms: powers of ten, or 1, 2, 5, or even steps."""
    if high - low < 1e-6:  # Plotly draws a decade to either side
        low, high = low - 1, high + 1
    first, last = math.ceil(low - 1e-9), math.floor(high + 1e-9)
    if last > first:
        step = math.ceil((last - first + 1) / MOST_DECADES)
        return [float(f"1e{power}") for power in range(first, last + 1, step)]
    powers = range(math.floor(low), math.ceil(high) + 1)
    finer = [float(f"{digit}e{power}") for power in powers for digit in (1, 2, 5)]
    inside = [tick for tick in finer if low <= math.log10(tick) <= high]
    return inside if len(inside) > 1 else _even(10**low, 10**high)


def _even(low: float, high: float) -> list[float]:
    """Two to five multiples of 1, 2 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10((high - low) / 2))
    step = power * max(digit for digit in (1, 2, 5) if digit * power <= (high - low) / 2)
    count = range(math.ceil(low / step), math.floor(high / step) + 1)
    return [float(f"{number * step:.12g}") for number in count]


def _text(tick: float) -> str:
    power = round(math.log10(tick))
    if math.isclose(tick, 10.0**power) and power not in WRITTEN_OUT:
        return f"10<sup>{power}</sup>"
    return f"{tick:,.10g}"
