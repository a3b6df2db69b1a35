"""Remedies against over-smoothing, as settings of every model with propagation. All are off by default.

    DropEdge             A = D^-1/2 [[0,R],[R^T,0]] D^-1/2, in training without some edges of an epoch
    initial residual     y = (1 - a) A x^(l-1) + a x^0
    layer refinement     x^l = cos(s, x^0) s of every row, where s is what the model makes of y
    RedNⁿD's alignment   loss + alignment_weight * InfoNCE(x^0, mean over l = 1..L of x^l)

Sources: DropEdge, arXiv 1907.10903; APPNP, arXiv 1810.05997, and GCNII, arXiv 2007.02133; LayerGCN,
arXiv 2207.11088; RedNⁿD, arXiv 2412.18962. What was chosen where they are open: ``docs/remedies.md``.
"""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor
from torch.linalg import vecdot, vector_norm

from rednd_core.losses.info_nce import LEAST_TEMPERATURE
from rednd_core.modeling.alignment import Comparison
from rednd_core.modeling.base import Hyperparameters
from rednd_core.modeling.contrast import Scope


class LayerRemedies(Hyperparameters):
    """Settings of the remedies that act on the graph or on the layers."""

    edge_dropout: float = Field(
        0,
        ge=0,
        lt=1,
        title="Edge dropout",
        description="Share of the edges an epoch leaves out (DropEdge); 0: off",
    )
    initial_residual: float = Field(
        0,
        ge=0,
        le=1,
        title="Initial residual",
        description="Share of x^0 in what every layer reads (APPNP, GCNII); 0: off",
    )
    layer_refinement: Literal["off", "cosine"] = Field(
        "off",
        title="Layer refinement",
        description="cosine: every row is weighted by its cosine with x^0 (LayerGCN)",
    )

    @property
    def leave_layers_alone(self) -> bool:
        """Whether layers and readout are those of the model itself, on whatever graph."""
        return not self.initial_residual and self.layer_refinement == "off"


class RemedyHyperparameters(LayerRemedies):
    """Settings of all remedies, RedNⁿD's alignment among them."""

    alignment_weight: float = Field(
        0,
        ge=0,
        le=10,
        title="Alignment weight",
        description="Weight of RedNⁿD's alignment loss; 0: off",
    )
    alignment_scope: Scope = Field(
        "batch", title="Alignment compares", description="Nodes that the alignment compares"
    )
    alignment_temperature: float = Field(
        0.2,
        ge=LEAST_TEMPERATURE,
        le=10,
        title="Alignment temperature",
        description="Temperature of the alignment",
    )

    @property
    def comparison(self) -> Comparison:
        return Comparison(self.alignment_temperature, self.alignment_scope)


def with_residual(y: Tensor, ego: Tensor, share: float) -> Tensor:
    """(1 - a) y + a x^0, with a = ``share``; y and x^0 (N, ..., d)."""
    return torch.lerp(y, ego, share) if share else y


def refined(x: Tensor, ego: Tensor, length: Tensor) -> Tensor:
    """cos(x, x^0) x of every row; x and x^0 (N, ..., d), ``length`` |x^0|, (N, ...)."""
    weights: Tensor = vecdot(x, ego) / (vector_norm(x, dim=-1) * length).clamp_min(1e-12)
    return weights[..., None] * x
