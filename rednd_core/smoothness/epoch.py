"""The measures of every epoch of training, taken where the layers are: on the model's device.

The values of :func:`~rednd_core.smoothness.report.measure_layers` to about five digits in a fraction of
its time: rows stay float32, and what is summed over nodes is float64.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rednd_core.graph.bipartite import BipartiteGraph
from rednd_core.graph.propagator import Propagate
from rednd_core.smoothness import rank

BLOCK = 256
"""Rows whose product is float32: that of all of them is right to 5e-8 of its largest entry."""
MANY_ROWS, NARROW = 4096, 64
"""From how many rows on, and to how many columns, such products pay: others take no time, or more memory."""
LARGEST_LENGTH = 1e9
"""Of rows whose squares are far inside of float32, as are those of rows of its reciprocal."""
CLEAR = 1e-5
"""Smallest to largest eigenvalue: above, the effective rank of such products is right to 1e-5."""


class MeasuredRows(NamedTuple):
    """A matrix to be measured.

    Attributes:
        views: the ``view.modality.layer`` that it is; the last layer may also be what scores.
        x: (n, d). lengths: |x_i|, (n,). ahead: |(A-hat x)_i|, (n,).
    """

    views: tuple[str, ...]
    x: Tensor
    lengths: Tensor
    ahead: Tensor


class EpochSmoothness:
    """Measures the layers of one graph, one call an epoch.

    Isolated nodes are left out, as in the table of all measures.

    Args:
        propagate: x -> A-hat x over all nodes of the graph.
    """

    def __init__(self, graph: BipartiteGraph, propagate: Propagate) -> None:
        self._propagate = propagate
        nodes = np.flatnonzero(graph.degrees)
        n_users = int(np.searchsorted(nodes, graph.n_users))
        self._nodes = torch.from_numpy(nodes) if len(nodes) < graph.n_nodes else None
        users, items = slice(0, n_users), slice(n_users, len(nodes))
        self._sides = (("users", users, items), ("items", items, users))

    @torch.no_grad()
    def __call__(
        self, layers: Mapping[str, Sequence[Tensor]], scoring: Mapping[str, Tensor], *, linear: bool
    ) -> dict[str, float]:
        """The cheap measures as ``view.modality.layer.side.measure`` -> value; exact, both sides apart.

        Of every layer, and of the readout that scores; the discrepancy at every depth from 1 on, as long
        as the layers are as wide as x^0.

        Args:
            layers: modality -> x^0 .. x^L, each (N, d); widths may differ.
            scoring: modality -> z^L, (N, D); the last layer itself where that scores.
            linear: every layer is A-hat times the one before, so that products need not be computed.

        Returns:
            NaN where a measure is not defined; nothing at all where lengths leave the range of float32.
        """
        matrices: list[MeasuredRows] = []
        cosines: dict[str, Tensor] = {}
        for modality, states in layers.items():
            rows = [self._connected(x) for x in states]
            lengths = [_lengths(x) for x in rows]
            known = len(rows) - 1 if linear else 0  # of how many the next layer is the product
            ahead = lengths[1 : known + 1] + [self._ahead(x) for x in states[known:]]
            views: list[tuple[str, ...]] = [(f"layer.{modality}.{k}",) for k in range(len(rows))]

            total: Tensor | None = None  # of the layers 1..k; it points where their mean points
            for k, x in enumerate(rows[1:], start=1):
                if x.shape != rows[0].shape:
                    break
                total = x if total is None else total + x
                product = lengths[0] * _lengths(total)
                cosines[f"readout.{modality}.{k}"] = _cosines(rows[0], total, product)
            name, z = f"readout.{modality}.{len(rows) - 1}", scoring[modality]
            if z is states[-1]:
                views[-1] += (name,)
            else:
                scored = self._connected(z)
                matrices.append(MeasuredRows((name,), scored, _lengths(scored), self._ahead(z)))
            matrices += map(MeasuredRows, views, rows, lengths, ahead)
        return self._read(matrices, cosines)

    def _ahead(self, x: Tensor) -> Tensor:
        return _lengths(self._connected(self._propagate(x)))

    def _connected(self, x: Tensor) -> Tensor:
        return x if self._nodes is None else x.index_select(0, self._nodes.to(x.device))

    def _read(
        self, matrices: Sequence[MeasuredRows], cosines: Mapping[str, Tensor]
    ) -> dict[str, float]:
        lengths = torch.stack([matrix.lengths for matrix in matrices])  # (V, n)
        squares = lengths.double().square()
        if not bool(squares.sum().isfinite()):
            return {}
        squares_ahead = torch.stack([matrix.ahead for matrix in matrices]).double().square()
        is_zero = lengths == 0
        scales = 1 / lengths.masked_fill(is_zero, 1)
        turned = torch.stack(list(cosines.values())) if cosines else lengths[:0]
        distances = 1 - turned.double()  # (K, n)
        found: dict[str, float] = {}
        for side, own, other in self._sides:
            parts = [matrix.x[own] for matrix in matrices]
            quotients = 1 - squares_ahead[:, other].sum(1) / squares[:, own].sum(1)
            longest = lengths[:, own].amax(1).tolist() if len(parts[0]) else [0.0] * len(parts)
            columns = {
                "mad": _pair_mads(parts, scales[:, own], is_zero[:, own]).tolist(),
                "two_hop_rq": quotients.clamp(min=0).tolist(),
                "effective_rank": list(_effective_ranks(parts, longest)),
            }
            for measure, column in columns.items():
                for matrix, value in zip(matrices, column, strict=True):
                    found |= {f"{view}.{side}.{measure}": value for view in matrix.views}
            means = distances[:, own].mean(1).clamp(min=0).tolist()
            for view, value in zip(cosines, means, strict=True):
                found[f"{view}.{side}.discrepancy"] = value
        return found


def _lengths(x: Tensor) -> Tensor:
    lengths: Tensor = torch.linalg.vector_norm(x, dim=1)
    return lengths


def _cosines(a: Tensor, b: Tensor, lengths: Tensor) -> Tensor:
    """Of corresponding rows, (n,); 0 where ``lengths``, the product of both, is 0."""
    return (a * b).sum(1) / lengths.masked_fill(lengths == 0, 1)


def _pair_mads(parts: Sequence[Tensor], scales: Tensor, is_zero: Tensor) -> Tensor:
    """:func:`rednd_core.cosine.pair_mad` of V matrices, (V,): squared deviations.

    float32 knows the mean m of unit rows as a centre c only. As sum |u - m|^2 = sum |u - c|^2 - n |m - c|^2,
    what that changes is below the last digit.

    Args:
        parts: (n, d) each. scales: 1 / |x_i|, (V, n). is_zero: rows without direction, (V, n).
    """
    n = scales.shape[1]
    if n < 2:
        return scales.new_full((len(parts),), math.nan)
    weights = scales / -n
    deviations = [
        _lengths(torch.addcmul(weight @ x, x, scale[:, None]))
        for x, weight, scale in zip(parts, weights, scales, strict=True)
    ]
    return torch.stack(deviations).double().square().sum(1) / (n - 1) + is_zero.sum(1) / n


def _effective_ranks(parts: Sequence[Tensor], longest: Sequence[float]) -> Iterator[float]:
    """Of V matrices (n, d) whose longest rows are known."""
    in_blocks = [_can_be_blocks(x, length) for x, length in zip(parts, longest, strict=True)]
    grams = [_gram(x, blocks) for x, blocks in zip(parts, in_blocks, strict=True)]
    spectra: list[NDArray[np.float64]] = [np.empty(0)] * len(grams)
    for width in {len(gram) for gram in grams}:
        alike = [number for number, gram in enumerate(grams) if len(gram) == width]
        found = torch.linalg.eigvalsh(torch.stack([grams[number] for number in alike]))
        for number, eigenvalues in zip(alike, found.cpu().numpy(), strict=True):
            spectra[number] = eigenvalues
    for x, blocks, eigenvalues in zip(parts, in_blocks, spectra, strict=True):
        if blocks and not eigenvalues[0] > CLEAR * eigenvalues[-1]:
            eigenvalues = torch.linalg.eigvalsh(_gram(x, in_blocks=False)).cpu().numpy()
        values = rank.from_eigenvalues(eigenvalues)
        if values is None:
            factor = torch.linalg.qr(x.double(), mode="r").R
            values = torch.linalg.svdvals(factor).cpu().numpy()
        yield rank.effective_rank(values)


def _can_be_blocks(x: Tensor, longest: float) -> bool:
    is_large = len(x) >= MANY_ROWS and x.shape[1] <= NARROW
    return is_large and 1 / LARGEST_LENGTH < longest < LARGEST_LENGTH


def _gram(x: Tensor, in_blocks: bool) -> Tensor:
    """x^T x of (n, d), (d, d) float64; in blocks their products are float32, their sum float64."""
    whole = len(x) - len(x) % BLOCK if in_blocks else 0
    rest = x[whole:].double()
    gram: Tensor = rest.T @ rest
    if in_blocks:
        blocks = x[:whole].view(-1, BLOCK, x.shape[1])
        gram += torch.bmm(blocks.mT, blocks).double().sum(0)
    return gram
