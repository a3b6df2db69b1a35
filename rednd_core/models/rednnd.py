"""RedNⁿD: Chen, Xu, Hu, "Don't Lose Yourself: Boosting Multimodal Recommendation via Reducing
Node-neighbor Discrepancy in Graph Convolutional Network", ICASSP 2025, arXiv 2412.18962.

For each modality m, with item features F_m, free user preferences P_m and A = D^-1/2 [[0,R],[R^T,0]] D^-1/2:

    x_m^0 = rownorm([P_m ; MLP_m(F_m)])          MLP: Linear(dim_m, 4d), LeakyReLU, Linear(4d, d)
    x_m^l = A x_m^(l-1), l = 1..L                heterogeneous graph
    z_m   = sum over l = 0..L of x_m^l
    user  = concat over m of w_m[u] * z_m[u],    item = c + S^n c,  c = concat over m of z_m[i]
    S     = sum over m of alpha_m * kNN graph of the raw features     homogeneous graph, frozen
    loss  = BPR / ln 2 + reg_weight * (sum_m mean(P_m[users of the batch]^2) + mean(w^2))
            + alignment_weight * sum_m InfoNCE(x_m^0, mean over l = 1..L of x_m^l)

Ablations are settings, not variants: ``alignment_weight=0``, ``n_mm_layers=0`` (no item-item graph),
``n_layers=0`` (no user-item propagation; then there is nothing to align with).

Deviations: the InfoNCE runs over ``alignment_scope``: ``full`` is the paper's (all nodes against all),
``anchors`` takes the batch's distinct users and positive items against all nodes, ``batch`` takes them
against each other; none of them holds an N x N matrix. Evaluation uses a fresh forward pass.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Literal

import torch
from pydantic import Field, ValidationInfo, field_validator
from torch import Tensor, nn

from rednd_core.config import MOST_MODALITIES
from rednd_core.data.sampling import BPRBatch
from rednd_core.errors import ConfigError
from rednd_core.losses.bpr import bpr_loss
from rednd_core.losses.info_nce import LEAST_TEMPERATURE, info_nce
from rednd_core.models.base import (
    MAX_LAYERS,
    WHOLE,
    EmbeddingHyperparameters,
    ModelInputs,
    Recommender,
    Share,
    xavier_normal,
)
from rednd_core.models.memory import Footprint, Sizes
from rednd_core.models.rows import distinct, gather, read_out, readable, unit_rows

AlignmentScope = Literal["batch", "anchors", "full"]
AlignmentPrecision = Literal["fp32", "bf16"]
PRECISIONS: dict[AlignmentPrecision, torch.dtype | None] = {"fp32": None, "bf16": torch.bfloat16}

STEP_TABLES = 11
STEP_TABLES_COMPARED: dict[AlignmentScope, int] = {"batch": 0, "anchors": 5, "full": 9}
"""Tables of all nodes at a step's peak, and more of them for the rows that the alignment compares."""


class RedNnDHyperparameters(EmbeddingHyperparameters):
    reg_weight: float = Field(
        1e-3, ge=0, le=10, title="L2 penalty", description="Weight of the L2 penalty"
    )
    n_layers: int = Field(
        3, ge=0, le=MAX_LAYERS, title="Layers", description="Propagation steps on users-items, L"
    )
    n_mm_layers: int = Field(
        1, ge=0, le=8, title="Item-item layers", description="Propagation steps on items-items, n"
    )
    knn_k: int = Field(
        10,
        ge=1,
        le=200,
        title="Neighbours of an item",
        description="Neighbours of an item, itself included",
    )
    alignment_weight: float = Field(
        1e-3, ge=0, le=10, title="Alignment weight", description="Weight of the alignment loss"
    )
    alignment_scope: AlignmentScope = Field(
        "batch", title="Alignment compares", description="Nodes that the alignment compares"
    )
    temperature: float = Field(
        0.2,
        ge=LEAST_TEMPERATURE,
        le=10,
        title="Alignment temperature",
        description="Temperature of the alignment",
    )
    alignment_precision: AlignmentPrecision = Field(
        "fp32",
        title="Alignment precision",
        description="Products of the alignment; bf16: faster on CUDA, 1 % off at temperature 0.2",
    )
    modalities: tuple[str, ...] = Field(
        (), title="Modalities", description="Modalities to use; empty means all"
    )
    fusion_weights: dict[str, Annotated[float, Field(ge=0, le=1e6)]] = Field(
        default_factory=dict,
        title="Modality weights",
        description="Modality weights of the item graph; empty: image .1 and text .9, else equal",
    )

    @field_validator("modalities")
    @classmethod
    def _distinct(cls, modalities: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(modalities)) < len(modalities):
            raise ValueError("every modality once")
        return modalities

    @field_validator("fusion_weights")
    @classmethod
    def _weigh_what_is_used(
        cls, weights: dict[str, float], info: ValidationInfo
    ) -> dict[str, float]:
        if weights and not sum(weights.values()):
            raise ValueError("at least one weight above 0; n_mm_layers=0 leaves the item graph out")
        chosen = info.data.get("modalities")
        if chosen and (foreign := set(weights) - set(chosen)):
            raise ValueError(
                f"only weights of the chosen modalities, not of {', '.join(sorted(foreign))}"
            )
        return weights


class RedNnD(Recommender):
    name = "rednnd"
    linear_propagation = True
    settings_class = RedNnDHyperparameters

    def __init__(self, inputs: ModelInputs, settings: RedNnDHyperparameters) -> None:
        super().__init__(inputs)
        self.modalities = _chosen_modalities(inputs, settings)
        self.n_layers, self.n_mm_layers = settings.n_layers, settings.n_mm_layers
        self.scope, self.temperature = settings.alignment_scope, settings.temperature
        self.precision = PRECISIONS[settings.alignment_precision]
        if settings.alignment_weight and not self.n_layers:
            raise ConfigError(
                expected="n_layers of at least 1 with alignment, which compares a node with its layers",
                found=f"n_layers=0 and alignment_weight={settings.alignment_weight:g}",
                remedy="set alignment_weight=0 or raise n_layers",
            )
        self.propagate = inputs.user_item
        if self.n_mm_layers:
            weights = settings.fusion_weights or _default_fusion(self.modalities)
            self.propagate_items = inputs.item_item(settings.knn_k, weights)
        self.features = {m: inputs.features[m] for m in self.modalities}
        size, n_modalities = settings.embedding_size, len(self.modalities)
        self.projections = nn.ModuleList(
            nn.Sequential(
                nn.Linear(self.features[m].shape[1], 4 * size),
                nn.LeakyReLU(),
                nn.Linear(4 * size, size),
            )
            for m in self.modalities
        )
        self.preferences = nn.Parameter(  # (n_users, M, d)
            torch.stack([xavier_normal(self.n_users, size) for _ in self.modalities], dim=1)
        )
        self.modality_weights = nn.Parameter(  # (n_users, M, 1)
            xavier_normal(self.n_users, n_modalities).softmax(dim=1)[:, :, None].detach()
        )
        self.loss_weights = {"bpr": 1.0, "regularization": settings.reg_weight}
        if self.n_layers:
            self.loss_weights["alignment"] = settings.alignment_weight

    @classmethod
    def footprint(cls, settings: RedNnDHyperparameters, sizes: Sizes) -> Footprint:
        size = settings.embedding_size
        chosen = settings.modalities or tuple(sizes.feature_dims)
        dims = [dim for m, dim in sizes.feature_dims.items() if m in chosen]
        own = sizes.n_users * len(dims) * (size + 1)  # preferences and modality weights
        compared = STEP_TABLES_COMPARED[settings.alignment_scope]
        return Footprint(
            parameters=own + sum(4 * size * (dim + 1) + size * (4 * size + 1) for dim in dims),
            table=sizes.n_nodes * len(dims) * size,
            step_tables=STEP_TABLES + (compared if settings.alignment_weight else 0),
            layers=settings.n_layers + 1,
        )

    def _ego(self) -> tuple[Tensor, Tensor]:
        """x^0 of all modalities side by side, (N, M * d), and their lengths before, (N, M)."""
        projected = [
            projection(self.features[m])
            for m, projection in zip(self.modalities, self.projections, strict=True)
        ]
        nodes = torch.cat([self.preferences, torch.stack(projected, dim=1)])  # (N, M, d)
        unit, lengths = unit_rows(nodes)
        return unit.flatten(1), lengths.flatten(1)

    def _users(self, readout: Tensor, weights: Tensor) -> Tensor:
        """Weight the modalities of users, (n, M * d) and (n, M, 1) -> (n, M * d)."""
        per_modality: Tensor = readout.unflatten(1, (len(self.modalities), -1))  # (n, M, d)
        return (weights * per_modality).flatten(1)

    def _items(self, readout: Tensor) -> Tensor:
        """Add the item-item graph's view of every item, (n_items, M * d) -> (n_items, M * d)."""
        if not self.n_mm_layers:
            return readout
        semantic = readout
        for _ in range(self.n_mm_layers):
            semantic = self.propagate_items(semantic)
        return readout + semantic

    def layers(self) -> dict[str, list[Tensor]]:
        states = [self._ego()[0]]  # one wide product a layer serves all modalities
        for _ in range(self.n_layers):
            states.append(self.propagate(states[-1]))
        wide = [state.unflatten(1, (len(self.modalities), -1)) for state in states]
        return {m: [state[:, i] for state in wide] for i, m in enumerate(self.modalities)}

    def embeddings(self) -> tuple[Tensor, Tensor]:
        ego, _ = self._ego()
        users, items = self.split_nodes(ego + self.propagate.power_sum(ego, self.n_layers))
        return self._users(users, self.modality_weights), self._items(items)

    def losses(self, batch: BPRBatch, share: Share = WHOLE) -> dict[str, Tensor]:
        aligned = bool(self.loss_weights.get("alignment"))
        compares_batch = aligned and self.scope != "full"
        ego, lengths = self._ego()
        neighbours = self.propagate.power_sum(ego, self.n_layers)  # (N, M * d)

        users, of_row, is_real = (distinct if compares_batch else readable)(batch.users)
        nodes = users
        if compares_batch:  # its positive items, too
            items_of_batch = distinct(batch.pos_items)
            nodes = torch.cat([users, items_of_batch.ids + self.n_users])
            if is_real is not None and items_of_batch.is_real is not None:
                is_real = torch.cat([is_real, items_of_batch.is_real])
        own, near, items = read_out(ego, neighbours, nodes, self.n_users)

        weights = gather(self.modality_weights.flatten(1), users)[:, :, None]
        user_emb = self._users(own[: len(users)] + near[: len(users)], weights)
        item_emb = self._items(items)
        pairs = share.of_batch(batch)
        # (2 * pairs, M * d): one gather for both, as each has a dense gradient of the whole table
        both = gather(item_emb, torch.cat([pairs.pos_items, pairs.neg_items]))
        rows = gather(user_emb, share.of(of_row))
        pos_scores, neg_scores = ((rows * others).sum(1) for others in both.chunk(2))
        # sum_m mean(P_m^2) over the batch's rows, from the lengths of the rows
        squares = gather(lengths, pairs.users).square().sum(1)
        penalised = share.of(self.modality_weights).square()
        named = {
            "bpr": bpr_loss(pos_scores, neg_scores, n_rows=len(batch)) / math.log(2),
            "regularization": squares.sum() / len(batch) / self.preferences.shape[2]
            + penalised.sum() / self.modality_weights.numel(),
        }
        if aligned:
            anchors, candidates, positives = self._compared(ego, neighbours, own, near, nodes)
            named["alignment"] = info_nce(
                self._by_modality(share.of(anchors)),
                self._by_modality(candidates),
                share.of(positives),
                self.temperature,
                n_anchors=len(anchors) if is_real is None else is_real.sum(),
                real_anchors=None if is_real is None else share.of(is_real),
                real_candidates=is_real if self.scope == "batch" else None,
                precision=self.precision,
            ).sum()
        return named

    def _compared(
        self, ego: Tensor, neighbours: Tensor, own: Tensor, near: Tensor, nodes: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Anchors, candidates and each anchor's own candidate, as the alignment's scope has it.

        A candidate is the sum over the layers l = 1..L: cosines do not tell it from the mean.
        """
        if self.scope == "anchors":
            return own, neighbours, nodes
        if self.scope == "full":
            own, near = ego, neighbours
        return own, near, torch.arange(len(own), device=own.device)

    def _by_modality(self, rows: Tensor) -> Tensor:
        """(n, M * d) -> (M, n, d)."""
        per_modality: Tensor = rows.unflatten(1, (len(self.modalities), -1))
        return per_modality.transpose(0, 1)


def _chosen_modalities(inputs: ModelInputs, settings: RedNnDHyperparameters) -> tuple[str, ...]:
    chosen = settings.modalities or tuple(sorted(inputs.features))
    missing = [m for m in chosen if m not in inputs.features]
    if missing or not chosen:
        raise ConfigError(
            expected="item features of at least one modality"
            + (f", among them {', '.join(missing)}" if missing else ""),
            found=", ".join(sorted(inputs.features)) or "none in this data set",
            remedy="add <modality>_feat.npy to the folder, or choose a model without features",
        )
    if len(chosen) > MOST_MODALITIES:
        raise ConfigError(
            expected=f"at most {MOST_MODALITIES} modalities in a model",
            found=str(len(chosen)),
            remedy="choose some of them with the setting modalities",
        )
    return chosen


def _default_fusion(modalities: tuple[str, ...]) -> Mapping[str, float]:
    """The paper's alpha = 0.1 for image against text; equal weights where it says nothing."""
    if set(modalities) == {"image", "text"}:
        return {"image": 0.1, "text": 0.9}
    return {m: 1 / len(modalities) for m in modalities}
