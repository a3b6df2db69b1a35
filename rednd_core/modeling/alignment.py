"""RedNⁿD's alignment (arXiv 2412.18962): every node is kept near to its own ego embedding."""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
from pydantic import Field
from torch import Tensor

from rednd_core.errors import ConfigError
from rednd_core.modeling.base import Hyperparameters
from rednd_core.modeling.contrast import Scope, Temperature, contrast
from rednd_core.modeling.rows import Distinct

PRECISIONS: dict[str, torch.dtype | None] = {"fp32": None, "bf16": torch.bfloat16}


class Comparison(NamedTuple):
    """How nodes are compared: t, and see :func:`rednd_core.modeling.contrast.contrast`."""

    temperature: float
    scope: Scope
    precision: torch.dtype | None = None


class AlignmentHyperparameters(Hyperparameters):
    """Settings of a model with the alignment."""

    alignment_weight: float = Field(
        1e-3, ge=0, le=10, title="Alignment weight", description="Weight of the alignment loss"
    )
    alignment_scope: Scope = Field(
        "batch", title="Alignment compares", description="Nodes that the alignment compares"
    )
    temperature: Temperature = Field(
        0.2, title="Alignment temperature", description="Temperature of the alignment"
    )
    alignment_precision: Literal["fp32", "bf16"] = Field(
        "fp32",
        title="Alignment precision",
        description="Products of the alignment; bf16: faster on CUDA, 1 % off at temperature 0.2",
    )

    @property
    def comparison(self) -> Comparison:
        precision = PRECISIONS[self.alignment_precision]
        return Comparison(self.temperature, self.alignment_scope, precision)


def require_neighbours(name: str, weight: float, n_layers: int) -> None:
    """Refuse an alignment of a model without layers.

    Args:
        name: of the loss.

    Raises:
        ConfigError: there are no neighbour layers that could be compared.
    """
    if weight and not n_layers:
        raise ConfigError(
            expected="n_layers of at least 1 with alignment, which compares a node with its layers",
            found=f"n_layers=0 and {name}_weight={weight:g}",
            remedy=f"set {name}_weight=0 or raise n_layers",
        )


def align(
    ego: Tensor,
    neighbours: Tensor,
    nodes: Distinct,
    comparison: Comparison,
) -> Tensor:
    """sum over m of InfoNCE(x_m^0, y_m), the mean over the nodes n of the scope of

        logsumexp_j( cos(x_m^0[n], y_m[j]) / t ) - cos(x_m^0[n], y_m[n]) / t

    Args:
        ego: x^0, (N, M, d), or (N, d) of one modality.
        neighbours: y, of the same shape: the sum or the mean of x^1 .. x^L, which cosines do not tell apart.
        nodes: the users and the positive items of a batch, each once.

    Returns:
        scalar.
    """
    return contrast(
        ego,
        neighbours,
        comparison.temperature,
        nodes=nodes,
        scope=comparison.scope,
        precision=comparison.precision,
    )
