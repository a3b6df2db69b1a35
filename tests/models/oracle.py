"""What the oracles of several models share: dense matrices, one number at a time, no code of the library.

``PATH`` is the smallest graph on which the equations can be followed by hand: the path
i0 - u0 - i1 - u1 with the node order u0, u1, i0, i1 and the degrees 2, 1, 1, 2.
"""

from __future__ import annotations

from itertools import permutations

import numpy as np
import torch
from torch import Tensor

PATH = [(0, 0), (0, 1), (1, 1)]
UNITS = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 1.0]], dtype=torch.float64)
"""x^0 of the path's four nodes."""


def adjacency(edges: list[tuple[int, int]], n_users: int, n_items: int) -> Tensor:
    """D^-1/2 [[0, R], [R^T, 0]] D^-1/2 without self-loops, (N, N)."""
    n = n_users + n_items
    a = torch.zeros(n, n, dtype=torch.float64)
    for user, item in edges:
        a[user, n_users + item] = a[n_users + item, user] = 1
    degree = a.sum(dim=1)
    for i in range(n):
        for j in range(n):
            if a[i, j]:
                a[i, j] = 1 / (degree[i] * degree[j]).sqrt()
    return a


def edges_of(dataset) -> list[tuple[int, int]]:
    """The train pairs."""
    return list(zip(dataset.train.users.tolist(), dataset.train.items.tolist(), strict=True))


def edges_in(matrix: Tensor, n_users: int) -> list[tuple[int, int]]:
    """The (user, item) pairs with an entry in a dense (N, N) matrix, in their order."""
    block = matrix[:n_users, n_users:].nonzero().tolist()
    return [(user, item) for user, item in block]


def degree_sensitive(edges: list[tuple[int, int]]) -> list[float]:
    """Chance of every edge to be the first one kept: in proportion to 1 / sqrt(d_u d_i)."""
    users = [user for user, _ in edges]
    items = [item for _, item in edges]
    weights = [(users.count(u) * items.count(i)) ** -0.5 for u, i in edges]
    return [weight / sum(weights) for weight in weights]


def chance_of_sets(edges: list[tuple[int, int]], n: int) -> dict[frozenset[tuple[int, int]], float]:
    """Chance of every set of ``n`` edges when edge after edge is drawn without replacement."""
    weight = dict(zip(edges, degree_sensitive(edges), strict=True))
    found: dict[frozenset[tuple[int, int]], float] = {}
    for order in permutations(edges, n):
        chance, left = 1.0, 1.0
        for edge in order:
            chance *= weight[edge] / left
            left -= weight[edge]
        found[frozenset(order)] = found.get(frozenset(order), 0.0) + chance
    return found


def bpr(scores: Tensor, batch) -> Tensor:
    """Mean over the batch's rows of -ln sigmoid(s(u, i) - s(u, j)); scores (n_users, n_items)."""
    terms = [-torch.log(torch.sigmoid(scores[u, i] - scores[u, j])) for u, i, j in rows_of(batch)]
    return torch.stack(terms).mean()


def half_mean_squares(users: Tensor, items: Tensor, batch) -> Tensor:
    """(|e_u|^2 + |e_i|^2 + |e_j|^2) / 2, its mean over the batch's rows; a repeated row counts again."""
    terms = [
        (users[u].square().sum() + items[i].square().sum() + items[j].square().sum()) / 2
        for u, i, j in rows_of(batch)
    ]
    return torch.stack(terms).mean()


def rows_of(batch) -> list[tuple[int, int, int]]:
    """(user, positive item, negative item) of every row of a batch."""
    columns = (batch.users.tolist(), batch.pos_items.tolist(), batch.neg_items.tolist())
    return list(zip(*columns, strict=True))


def cosine(a: Tensor, b: Tensor) -> Tensor:
    """0 where one of the two is a row of zeros."""
    if not (a.any() and b.any()):
        return torch.zeros((), dtype=a.dtype)
    return (a @ b) / (a.norm() * b.norm())


def info_nce(first: Tensor, second: Tensor, nodes: list[int], temperature: float) -> Tensor:
    """Mean over ``nodes`` of -ln( exp(cos(n, n) / t) / sum over the nodes m of exp(cos(n, m) / t) )."""
    terms = []
    for n in nodes:
        all_pairs = [torch.exp(cosine(first[n], second[m]) / temperature) for m in nodes]
        own = torch.exp(cosine(first[n], second[n]) / temperature)
        terms.append(-torch.log(own / torch.stack(all_pairs).sum()))
    return torch.stack(terms).mean()


def nearest(features: np.ndarray, k: int) -> Tensor:
    """Every row has 1/k at its k most similar rows by cosine, its own among them, (n, n).

    D^-1/2 S D^-1/2 with the row sums of S, which are all k.
    """
    n = len(features)
    graph = torch.zeros(n, n, dtype=torch.float64)
    values = torch.from_numpy(features).double()
    for i in range(n):
        similar = [float(cosine(values[i], values[j])) for j in range(n)]
        for j in sorted(range(n), key=lambda j: -similar[j])[:k]:
            graph[i, j] = 1 / k
    return graph


def leaves_of(model) -> dict[str, Tensor]:
    """Copies of the model's parameters that have gradients of their own."""
    return {name: p.detach().clone().requires_grad_() for name, p in model.named_parameters()}


def assert_same_losses(
    found: dict[str, Tensor], expected: dict[str, Tensor], model, leaves: dict[str, Tensor]
) -> None:
    """Every loss and its gradient by every parameter, in double precision."""
    assert set(found) == set(expected)
    for name, want in expected.items():
        torch.testing.assert_close(found[name], want, rtol=1e-9, atol=1e-11, msg=name)
        ours, theirs = (
            torch.autograd.grad(
                loss, parameters, retain_graph=True, allow_unused=True, materialize_grads=True
            )
            for loss, parameters in (
                (found[name], list(model.parameters())),
                (want, list(leaves.values())),
            )
        )
        for key, mine, other in zip(leaves, ours, theirs, strict=True):
            torch.testing.assert_close(
                mine, other, rtol=1e-7, atol=1e-10,
                msg=lambda text, key=key, name=name: f"d {name} / d {key}: {text}",
            )  # fmt: skip
