"""InfoNCE between two views of nodes, for the nodes that a batch brings or for all of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor

from rednd_core.data.sampling import BPRBatch
from rednd_core.losses.info_nce import LEAST_TEMPERATURE, info_nce
from rednd_core.modeling.rows import Distinct, distinct, gather

Scope = Literal["batch", "anchors", "full"]
Temperature = Annotated[float, Field(ge=LEAST_TEMPERATURE, le=10)]


def contrast(
    views: Tensor,
    others: Tensor,
    temperature: float,
    *,
    nodes: Distinct,
    scope: Scope = "batch",
    precision: torch.dtype | None = None,
) -> Tensor:
    """Mean over anchors n of -log softmax_j(cos(views_n, others_j) / temperature) at j = n.

    Args:
        views: (N, d), or (N, M, d) for M modalities side by side; others: of the same shape.
        nodes: the rows that a batch brings, each once.
        scope: ``batch``: ``nodes`` against each other; ``anchors``: ``nodes`` against all rows; ``full``:
            all rows against all rows.
        precision: see :func:`rednd_core.losses.info_nce.info_nce`.

    Returns:
        scalar; the sum over modalities where there are several.
    """
    if scope == "full":
        everyone = torch.arange(len(views), device=views.device)
        nodes = Distinct(everyone, None)
        anchors, candidates, positives = views, others, everyone
    else:
        anchors = _rows(views, nodes.ids)
        candidates = _rows(others, nodes.ids) if scope == "batch" else others
        positives = nodes.ids
        if scope == "batch":
            positives = torch.arange(len(nodes.ids), device=views.device)
    return info_nce(
        _by_modality(anchors),
        _by_modality(candidates),
        positives,
        temperature,
        real_anchors=nodes.is_real,
        real_candidates=nodes.is_real if scope == "batch" else None,
        precision=precision,
    ).sum()


def contrast_of_batch(
    views: Iterable[tuple[Tensor, Tensor]],
    batch: BPRBatch,
    temperature: float,
    scope: Scope = "batch",
) -> Tensor:
    """The contrast of a batch's distinct users plus that of its distinct positive items.

    Args:
        views: two views, each of all users (n_users, d) and of all items (n_items, d).
        temperature, scope: see :func:`contrast`.

    Returns:
        scalar.
    """
    nodes = distinct(batch.users), distinct(batch.pos_items)
    users, items = (
        contrast(first, second, temperature, nodes=rows, scope=scope)
        for first, second, rows in zip(*views, nodes, strict=True)
    )
    return users + items


def _rows(table: Tensor, ids: Tensor) -> Tensor:
    return gather(table.flatten(1), ids).view(len(ids), *table.shape[1:])


def _by_modality(rows: Tensor) -> Tensor:
    """(n, M, d) -> (M, n, d); (n, d) as it is."""
    return rows.transpose(0, 1) if rows.ndim == 3 else rows
