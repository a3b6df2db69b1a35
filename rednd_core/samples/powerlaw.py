"""Heavy tails: how many items a user has, and how often an item is drawn."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rednd_core.errors import ConfigError


def activity(n: int, total: int, exponent: float, most: int) -> NDArray[np.int64]:
    """Degrees of ``n`` users, largest first, that sum to ``total``, (n,).

    The quantiles of a power law p(d) ~ d^-exponent: the user of rank k = 0.. has
    min(most, d_min * ((k + 1/2) / n)^(-1 / (exponent - 1))) items, rounded down and at least 1; d_min is
    the scale at which the sum is ``total``, and what rounding leaves over is spread one by one.

    Raises:
        ConfigError: ``total`` outside n .. n * most.
    """
    if not n <= total <= n * most:
        raise ConfigError(
            expected=f"between {n:,} and {n * most:,} interactions (1 to {most:,} a user)",
            found=f"{total:,}",
            remedy="change the number of users, items or interactions",
        )
    shape = ((np.arange(n) + 0.5) / n) ** (-1.0 / (exponent - 1.0))

    def degrees(scale: float) -> NDArray[np.int64]:
        return np.clip(scale * shape, 1, most).astype(np.int64)

    low, high = 0.0, float(most)  # at low everyone has 1, at high everyone has the most
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if int(degrees(middle).sum()) <= total else (low, middle)
    found = degrees(low)
    while left := total - int(found.sum()):
        room = np.flatnonzero(found < most)[:left]
        found[room] += 1
    return found


def popularity(n: int, exponent: float, offset: float) -> NDArray[np.float64]:
    """Weights of ``n`` items by rank r = 0.., largest first, that sum to 1, (n,).

    Zipf and Mandelbrot: (r + offset)^-exponent. The degrees that this rank law gives are power-law
    distributed with exponent 1 + 1 / exponent.
    """
    weights = (np.arange(n) + offset) ** -exponent
    normalised: NDArray[np.float64] = weights / weights.sum()
    return normalised
