"""Scores of users against all items, in blocks of one fixed shape.

A score is an inner product in float32. Every product has the same shape (short blocks and the item
side are padded with zero rows), because matrix libraries round differently for other shapes: so a
user's scores depend neither on who else is scored nor on how many, and items with equal embeddings get
equal scores, bit for bit. Memory is one block, never users x items.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from rednd_core.data.schema import IntArray
from rednd_core.errors import DataError

Embedding = Tensor | NDArray[np.floating]
TrainMatrix = sp.csr_array | sp.csr_matrix

# Users a block. On a CPU 256 x 7,000 scores (7 MB) stay in the cache between the product and the
# passes over it; a GPU is faster with fewer, larger launches.
BLOCK_ROWS = {"cpu": 256, "cuda": 2048}
GPU_SCORES = 2**26  # of a block there at most, 0.27 GB, whatever the number of items
ITEM_MULTIPLE = 16  # the widest register tile of the usual kernels
MASKED = -torch.inf


@dataclass(frozen=True, eq=False)
class Scorer:
    """Checked embeddings, ready to score. Built by :func:`scorer`.

    Attributes:
        user_emb: (n_users, d) float32.
        item_emb: (width, d) float32; rows from ``n_items`` on are padding.
        train_matrix: (n_users, n_items); every stored entry is masked.
    """

    user_emb: Tensor
    item_emb: Tensor
    train_matrix: sp.csr_array
    n_items: int

    @property
    def n_users(self) -> int:
        return len(self.user_emb)

    def history(self, user: int) -> IntArray:
        """Train items of ``user``, ascending."""
        start, stop = self.train_matrix.indptr[user : user + 2]
        return np.sort(self.train_matrix.indices[start:stop]).astype(np.int64)

    def blocks(self, users: IntArray) -> Iterator[tuple[slice, Tensor]]:
        """Masked scores, block after block: ``(rows of users, (b, width) float32)``.

        Train items and padding columns score minus infinity. The tensor is reused by the next block.
        """
        device, width = self.item_emb.device, len(self.item_emb)
        n_rows = block_rows(device, width)
        rows = torch.from_numpy(users).to(device)
        seen = self.train_matrix[users]
        in_block = np.repeat(np.arange(len(users)) % n_rows, np.diff(seen.indptr))
        masked = torch.from_numpy(in_block * width + seen.indices).to(device)
        queries = self.user_emb.new_zeros(n_rows, self.user_emb.shape[1])
        scores = self.user_emb.new_empty(n_rows, width)
        for start in range(0, len(users), n_rows):
            stop = min(start + n_rows, len(users))
            torch.index_select(self.user_emb, 0, rows[start:stop], out=queries[: stop - start])
            torch.mm(queries, self.item_emb.t(), out=scores)
            flat = masked[int(seen.indptr[start]) : int(seen.indptr[stop])]
            scores.view(-1).index_fill_(0, flat, MASKED)
            scores[:, self.n_items :] = MASKED
            yield slice(start, stop), scores[: stop - start]


def block_rows(device: torch.device, n_items: int) -> int:
    """Users of a block."""
    if device.type == "cpu":
        return BLOCK_ROWS["cpu"]
    return max(1, min(BLOCK_ROWS["cuda"], GPU_SCORES // n_items))


def scorer(user_emb: Embedding, item_emb: Embedding, train_matrix: TrainMatrix) -> Scorer:
    """Check and convert what is scored: any float type becomes float32, on the tensors' device.

    Args:
        user_emb: (n_users, d). item_emb: (n_items, d). train_matrix: (n_users, n_items).

    Raises:
        DataError: shapes that do not fit together, values that are not finite or whose product could
            not be.
    """
    users, items = as_float32(user_emb, "user_emb"), as_float32(item_emb, "item_emb")
    if users.shape[1] != items.shape[1] or users.device != items.device:
        raise DataError(
            expected="user_emb and item_emb of one width on one device",
            found=f"{tuple(users.shape)} on {users.device} and {tuple(items.shape)} on "
            f"{items.device}",
            remedy="pass both from the same model",
        )
    if train_matrix.format != "csr" or train_matrix.shape != (len(users), len(items)):
        raise DataError(
            expected=f"a CSR train matrix of shape ({len(users)}, {len(items)})",
            found=f"{train_matrix.format.upper()} of shape {train_matrix.shape}",
            remedy="pass the train matrix of the data set that the embeddings were trained on",
        )
    largest = float(users.norm(dim=1).max() * items.norm(dim=1).max())
    if not largest < torch.finfo(torch.float32).max:
        raise DataError(
            expected="embeddings whose inner products fit into float32",
            found=f"norms that multiply to {largest:.3g}",
            remedy="look at the run's losses: it has probably diverged",
        )
    width = -(-len(items) // ITEM_MULTIPLE) * ITEM_MULTIPLE
    padded = torch.nn.functional.pad(items, (0, 0, 0, width - len(items)))
    return Scorer(users, padded, sp.csr_array(train_matrix), len(items))


def as_float32(values: Embedding, name: str) -> Tensor:
    """A finite (n, d) matrix as a float32 tensor without a gradient.

    Raises:
        DataError: no rows, not two dimensions, or NaN or infinity inside.
    """
    if isinstance(values, Tensor):
        matrix = values.detach().to(torch.float32)
    else:  # a copy: memory-mapped run files are read-only, which torch does not support
        matrix = torch.from_numpy(np.array(values, dtype=np.float32))
    if matrix.ndim != 2 or matrix.numel() == 0:
        raise DataError(
            expected=f"{name} as a matrix (n, d) with at least one row and column",
            found=f"shape {tuple(matrix.shape)}",
            remedy="pass one row for every node",
        )
    finite = torch.isfinite(matrix)
    if not finite.all():
        n_bad = int((~finite).any(dim=1).sum())
        raise DataError(
            expected=f"finite values in {name}",
            found=f"NaN or infinity in {n_bad:,} of {len(matrix):,} rows",
            remedy="look at the run's losses: it has probably diverged",
        )
    return matrix


def check_ids(ids: ArrayLike, size: int, kind: str) -> IntArray:
    """Dense ids as int64.

    Raises:
        DataError: an id below zero or not below ``size``.
    """
    array = np.atleast_1d(np.asarray(ids, dtype=np.int64))
    outside = (array < 0) | (array >= size)
    if outside.any():
        raise DataError(
            expected=f"{kind} ids from 0 to {size - 1:,}",
            found=f"{kind} {array[outside][0]}",
            remedy="pass dense ids of the data set that the embeddings were trained on",
        )
    return array
