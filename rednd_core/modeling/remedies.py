"""Remedies against over-smoothing, as settings of every model with propagation. All are off by default.

    DropEdge             A = D^-1/2 [[0,R],[R^T,0]] D^-1/2, in training without some edges of an epoch
    initial residual     y = (1 - a) A x^(l-1) + a x^0
    layer refinement     x^l = cos(s, x^0) s of every row, where s is what the model makes of y
    PairNorm             x^l = s (r - mean r) / sqrt(mean |r - mean r|^2), r the refined rows of a side
    identity mapping     y W becomes (1 - b) y + b y W, b = ln(lambda / l + 1), in models with weights
    jumping knowledge    z = x^1 .. x^L side by side, or their largest entries
    decorrelation        loss + decorrelation_weight * how correlated columns are (AFDGCF)
    RedNⁿD's alignment   loss + plugin_alignment_weight * InfoNCE(x^0, mean over l = 1..L of x^l)

Sources: DropEdge, arXiv 1907.10903; APPNP, arXiv 1810.05997; GCNII, arXiv 2007.02133; LayerGCN, arXiv
2207.11088; PairNorm, arXiv 1909.12223; JK networks, arXiv 1806.03536; AFDGCF, arXiv 2403.17416; RedNⁿD, arXiv
2412.18962. What was chosen where they are open: ``docs/remedies.md``.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor
from torch.linalg import vecdot, vector_norm

from rednd_core.modeling.alignment import Comparison
from rednd_core.modeling.base import Hyperparameters
from rednd_core.modeling.contrast import Scope, Temperature


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
    pair_norm: float = Field(
        0,
        ge=0,
        le=100,
        title="PairNorm",
        description="Root mean square length of the rows of a side, in every layer (PairNorm); 0: off",
    )
    jumping_knowledge: Literal["off", "concat", "max"] = Field(
        "off",
        title="Jumping knowledge",
        description="What is read out: layers 1..L side by side, or their largest entries",
    )
    decorrelation_weight: float = Field(
        0,
        ge=0,
        le=10,
        title="Decorrelation weight",
        description="Weight of the correlation of columns (AFDGCF); 0: off",
    )

    @property
    def leave_propagation_alone(self) -> bool:
        """Whether the layers are those of the model itself, on whatever graph."""
        is_on = self.initial_residual or self.pair_norm or self.layer_refinement != "off"
        return not is_on

    @property
    def leave_layers_alone(self) -> bool:
        """Whether the layers and what is read out of them are those of the model itself."""
        return self.leave_propagation_alone and self.jumping_knowledge == "off"


class WeightRemedies(Hyperparameters):
    """Settings of the remedies of a model with weights in its layers."""

    identity_mapping: float = Field(
        0,
        ge=0,
        le=1.5,
        title="Identity mapping",
        description="How much a layer's weights change, lambda, the less the deeper (GCNII); 0: off",
    )


class RemedyHyperparameters(LayerRemedies):
    """Settings of all remedies, RedNⁿD's alignment among them."""

    plugin_alignment_weight: float = Field(
        0,
        ge=0,
        le=10,
        title="Alignment weight",
        description="Weight of RedNⁿD's alignment loss; 0: off",
    )
    plugin_alignment_scope: Scope = Field(
        "batch", title="Alignment compares", description="Nodes that the alignment compares"
    )
    plugin_alignment_temperature: Temperature = Field(
        0.2, title="Alignment temperature", description="Temperature of the alignment"
    )

    @property
    def comparison(self) -> Comparison:
        return Comparison(self.plugin_alignment_temperature, self.plugin_alignment_scope)


def with_residual(y: Tensor, ego: Tensor, share: float) -> Tensor:
    """(1 - a) y + a x^0, with a = ``share``; y and x^0 (N, ..., d)."""
    return torch.lerp(y, ego, share) if share else y


def near_identity(made: Tensor, y: Tensor, strength: float, depth: int) -> Tensor:
    """(1 - b) y + b ``made``, with b = ln(strength / depth + 1); ``made`` where the strength is 0.

    Args:
        made: what weights make of y, e.g. y W, (N, d). depth: l, from 1.
    """
    return torch.lerp(y, made, math.log(strength / depth + 1)) if strength else made


def refined(x: Tensor, ego: Tensor, length: Tensor) -> Tensor:
    """cos(x, x^0) x of every row; x and x^0 (N, ..., d), ``length`` |x^0|, (N, ...)."""
    weights: Tensor = vecdot(x, ego) / (vector_norm(x, dim=-1) * length).clamp_min(1e-12)
    return weights[..., None] * x


def pair_normalised(rows: Tensor, length: float) -> Tensor:
    """s (x - mean) / sqrt(mean |x - mean|^2), the means over the rows of one side, (n, ..., d)."""
    centred = rows - rows.mean(dim=0)
    spread = centred.square().sum(dim=-1).mean(dim=0)
    return centred * (length * spread.clamp_min(1e-20).rsqrt())[..., None]
