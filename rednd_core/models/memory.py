"""What training a model takes, estimated before anything large is built.

Counts of float32 numbers, from a model's settings and the data's sizes. Parameters are held five times:
values, gradients, Adam's two moments, and the best checkpoint. What a step needs beyond them was
measured as the growth of a process's peak memory and is given in tables of all nodes, (N, D): most are
temporaries of which a few more or less may be alive, so read the result as "about".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

COPIES_OF_PARAMETERS = 5
MEASURING_TABLES = 4
"""Beyond the layers themselves, while their smoothness is measured."""
FIXED_BYTES = 100 * 2**20
"""A batch's own tensors, buffers of the libraries."""
GRAPH_BYTES = 32
"""For a train pair: both directions, int32, for a product and its gradient, and DGL's own formats."""


@dataclass(frozen=True)
class Sizes:
    """Of a data set: users, items, train pairs, and columns of each modality's features."""

    n_users: int
    n_items: int
    n_train: int
    feature_dims: Mapping[str, int]

    @property
    def n_nodes(self) -> int:
        return self.n_users + self.n_items


@dataclass(frozen=True)
class Footprint:
    """float32 numbers that a model needs.

    Attributes:
        parameters: trained numbers, exactly.
        table: numbers in one table of all nodes, N * D.
        step_tables: tables alive at the peak of a step, beyond the copies of the parameters.
        layers: layers that are measured after an epoch, x^0 included.
    """

    parameters: int
    table: int = 0
    step_tables: float = 0
    layers: int = 1

    def n_bytes(self, sizes: Sizes, *, recorded: bool = False) -> int:
        """At the peak of training, beyond libraries, data and features.

        Args:
            recorded: steps are replayed as a CUDA graph, which keeps the tables of one for itself.
        """
        tables = max(self.step_tables, self.layers + MEASURING_TABLES)
        tables += self.step_tables if recorded else 0
        numbers = COPIES_OF_PARAMETERS * self.parameters + tables * self.table
        return FIXED_BYTES + GRAPH_BYTES * sizes.n_train + round(4 * numbers)
