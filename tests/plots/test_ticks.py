"""Logarithmic axes have at least two labelled ticks, and not many."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rednd_core.plots.ticks import log_axis


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([0.02, 14.0], ["0.1", "1", "10"]),
        ([0.13, 14.0, math.nan, 0.0], ["1", "10"]),
        ([0.15, 0.9], ["0.2", "0.5"]),
        ([0.68, 0.695], ["0.68", "0.685", "0.69", "0.695"]),
        ([3.0], ["1", "10"]),
        ([150.0, 12_000.0], ["1,000", "10,000"]),
        ([1e-9, 1.0], ["10<sup>-9</sup>", "10<sup>-7</sup>", "10<sup>-5</sup>", "0.001", "0.1"]),
    ],
)
def test_ticks_are_decades_or_finer(values: list[float], texts: list[str]) -> None:
    assert log_axis(values)["ticktext"] == texts


def test_there_are_two_to_seven_ticks_within_any_values() -> None:
    rng = np.random.default_rng(0)
    for _ in range(500):
        low = 10 ** rng.uniform(-9, 4)
        high = low * 10 ** (10 ** rng.uniform(-4, 1))
        ticks = log_axis([low, high])["tickvals"]
        assert 2 <= len(ticks) <= 7
        assert low * (1 - 1e-8) <= min(ticks) < max(ticks) <= high * (1 + 1e-8)


def test_without_a_positive_value_plotly_chooses() -> None:
    assert log_axis([0.0, -1.0, math.nan]) == {"type": "log"}
