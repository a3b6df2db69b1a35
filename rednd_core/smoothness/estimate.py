"""A measured value with its uncertainty, and the names of the sides of the graph."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Side = Literal["users", "items", "all"]

Z95 = 1.96  # half-width of a 95 % interval in standard errors


@dataclass(frozen=True)
class Estimate:
    """One value of one measure.

    Attributes:
        value: NaN where the measure is not defined (e.g. no pair of nodes).
        n: nodes, pairs, edges or rows that entered.
        ci: half-width of the 95 % interval; NaN where ``exact``.
        exact: computed from everything rather than from a sample.
    """

    value: float
    n: int
    ci: float = math.nan
    exact: bool = True
