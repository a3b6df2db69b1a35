"""Numbers as text for people: one function a kind of quantity, so that its digits are the same everywhere."""

from __future__ import annotations

import math

UNDEFINED = "–"


def measure(value: float | None) -> str:
    """A smoothness or map measure in three significant digits: 0.944, 0.0462, 0.000154, 62.3, 1,230.

    ``None`` and NaN, where a measure is not defined, are a dash.
    """
    if value is None or math.isnan(value):
        return UNDEFINED
    digits, exponent = f"{value:.2e}".split("e")
    power = int(exponent)
    if value and power < -6:
        return f"{digits}e{power}"
    return f"{float(f'{value:.2e}'):,.{max(0, 2 - power) if value else 0}f}"


def metric(value: float | None) -> str:
    """A ranking metric, such as recall, in four decimals, as the field's tables have it."""
    return UNDEFINED if value is None or math.isnan(value) else f"{value:.4f}"


def cosine(value: float | None) -> str:
    """A cosine or another share of 1 between two nodes, in two decimals."""
    return UNDEFINED if value is None or math.isnan(value) else f"{value:.2f}"


def duration(seconds: float) -> str:
    """1 h 05 min, 3 min 20 s, or 12 s."""
    whole = round(seconds)
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    if whole >= 60:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole} s"
