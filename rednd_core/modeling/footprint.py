"""What training a model takes, estimated before anything large is built.

The model is built on torch's ``meta`` device, where tensors have shapes and no numbers: so its parameters and
its layers are counted exactly, by its own code. Parameters are held five times: values, gradients, Adam's two
moments, and the best checkpoint. What a step needs beyond them was measured as the growth of a process's peak
memory and is given in tables of all nodes, (N, D): most are temporaries of which a few more or less may be
alive, so read the result as "about".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from rednd_core.data.schema import Interactions
from rednd_core.graph.bipartite import bipartite_graph
from rednd_core.graph.normalize import SparseMatrix
from rednd_core.graph.propagator import Propagate, Propagator
from rednd_core.modeling.base import Hyperparameters
from rednd_core.modeling.inputs import ModelInputs
from rednd_core.modeling.registry import model_class

COPIES_OF_PARAMETERS = 5
MEASURING_TABLES = 4
"""Tables of all nodes that are alive beyond the layers while the smoothness of the layers is measured."""
FIXED_BYTES = 100 * 2**20
"""What the tensors of a batch and the buffers of the libraries take."""
GRAPH_BYTES = 32
"""Bytes of a train pair: both directions in int32, for a product and its gradient, and DGL's own formats."""


@dataclass(frozen=True)
class Sizes:
    """Sizes of a data set: users, items, train pairs, and columns of each modality's features."""

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
    table: int
    step_tables: float
    layers: int

    def n_bytes(self, sizes: Sizes, *, recorded: bool = False) -> int:
        """At the peak of training, beyond libraries, data and features.

        Args:
            recorded: steps are replayed as a CUDA graph, which keeps the tables of one for itself.
        """
        tables = max(self.step_tables, self.layers + MEASURING_TABLES)
        tables += self.step_tables if recorded else 0
        numbers = COPIES_OF_PARAMETERS * self.parameters + tables * self.table
        return FIXED_BYTES + GRAPH_BYTES * sizes.n_train + round(4 * numbers)


def footprint(name: str, settings: Hyperparameters, sizes: Sizes) -> Footprint:
    """Count what the model ``name`` with ``settings`` takes on a data set of these sizes.

    Raises:
        ConfigError: settings that the model refuses for this data set.
    """
    meta = torch.device("meta")
    nothing = Interactions(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))
    inputs = _Shapes(
        n_users=sizes.n_users,
        n_items=sizes.n_items,
        train=nothing,
        features={
            m: torch.empty(sizes.n_items, d, device=meta) for m, d in sizes.feature_dims.items()
        },
        graph=bipartite_graph(nothing, 1, 1),
        device=meta,
    )
    with meta, _NothingDrawn(), torch.no_grad():
        model = model_class(name)(inputs, settings)
        layers = model.layers()
    return Footprint(
        parameters=sum(values.numel() for values in model.parameters()),
        table=sum(max(x.numel() for x in states) for states in layers.values()),
        step_tables=model.step_tables(),
        layers=max(map(len, layers.values())),
    )


class _NothingDrawn(TorchFunctionMode):
    """Initial values are not drawn: a tensor on ``meta`` has none.

    torch would import its compiler for it, which takes more than a second.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        if func.__name__ in ("normal_", "uniform_"):
            return kwargs["tensor"] if "tensor" in kwargs else args[0]
        return func(*args, **kwargs)


class _ShapePropagator:
    """Stands for a product with any graph: it has the right shape and no numbers."""

    def __call__(self, x: Tensor) -> Tensor:
        return torch.empty_like(x)

    def power_sum(self, x: Tensor, n: int) -> Tensor:
        return torch.empty_like(x)

    def power_sum_rows(self, x: Tensor, n: int, nodes: Tensor) -> tuple[Tensor, Tensor]:
        own = x.index_select(0, nodes)
        return own, own


class _Shapes(ModelInputs):
    """Inputs of a model that is built to be counted. Its graph has no edges and two nodes."""

    def bind(self, matrix: SparseMatrix) -> Propagator:
        return _ShapePropagator()

    def item_graph(self, knn_k: int, fusion_weights: Mapping[str, float]) -> Propagate:
        return _ShapePropagator()

    @property
    def generator_device(self) -> torch.device:
        return torch.device("cpu")
