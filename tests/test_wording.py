"""How amounts are said: literals, written by hand."""

from __future__ import annotations

import math

import pytest

from rednd_core import wording


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.9437, "0.944"),
        (0.9, "0.900"),
        (0.99951, "1.00"),
        (0.0462, "0.0462"),
        (0.000154, "0.000154"),
        (0.0000015, "0.00000150"),
        (0.00000015, "1.50e-7"),
        (0.0, "0"),
        (-0.25, "-0.250"),
        (62.345, "62.3"),
        (999.7, "1,000"),
        (1234.5, "1,230"),
        (None, "–"),
        (math.nan, "–"),
    ],
)
def test_measures_have_three_significant_digits(value, text):
    assert wording.measure(value) == text


def test_metrics_and_cosines():
    assert wording.metric(0.07543) == "0.0754"
    assert wording.metric(math.nan) == "–"
    assert wording.cosine(0.876) == "0.88"
    assert wording.cosine(None) == "–"
    assert wording.duration(3 * 3600 + 62) == "3 h 01 min"
