"""Every engine on every device: forward and gradient equal dense A @ X and A^T @ G."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
import torch

from rednd_core.data.schema import Interactions
from rednd_core.errors import ConfigError, EngineError
from rednd_core.graph import engine as engines
from rednd_core.graph.bipartite import bipartite_graph
from rednd_core.graph.engine import propagator, resolve_device, resolve_engine
from rednd_core.graph.normalize import SparseMatrix
from rednd_core.graph.propagator import weighted_sum
from rednd_core.graph.semantic import semantic_graph

HAS_DGL = importlib.util.find_spec("dgl") is not None
needs_dgl = pytest.mark.skipif(not HAS_DGL, reason="DGL is not installed")


@pytest.fixture
def bind(engine):
    """matrix -> propagator, and the device that it lives on."""
    name, device = engine

    def bound(matrix: SparseMatrix):
        return propagator(matrix, name, device)

    bound.device = device
    return bound


def interactions(n_users=13, n_items=9, share=0.25) -> Interactions:
    """Random pairs; the last user and the last two items have none."""
    draw = np.random.default_rng(2).random((n_users - 1, n_items - 2))
    return Interactions(*np.nonzero(draw < share))


def dense_bipartite() -> np.ndarray:
    """D^-1/2 [[0, R], [R^T, 0]] D^-1/2 in double precision, written out."""
    ratings = np.zeros((13, 9))
    train = interactions()
    ratings[train.users, train.items] = 1
    whole = np.block([[np.zeros((13, 13)), ratings], [ratings.T, np.zeros((9, 9))]])
    degrees = whole.sum(axis=1)
    scale = np.array([d**-0.5 if d else 0 for d in degrees])
    return np.diag(scale) @ whole @ np.diag(scale)


def dense_knn() -> tuple[np.ndarray, np.ndarray]:
    """A directed graph: features, and S / k as every row has k ones."""
    features = np.random.default_rng(3).normal(size=(22, 4)).astype(np.float32)
    unit = features.astype(np.float64) / np.linalg.norm(features, axis=1, keepdims=True)
    nearest = np.argsort(-(unit @ unit.T), axis=1)[:, :5]
    graph = np.zeros((22, 22))
    np.put_along_axis(graph, nearest, 1, axis=1)
    assert (graph != graph.T).any()
    return features, graph / 5


def cases() -> list[tuple[SparseMatrix, np.ndarray]]:
    features, knn = dense_knn()
    bipartite = bipartite_graph(interactions(), 13, 9).norm_adj
    return [(bipartite, dense_bipartite()), (semantic_graph(features, 5), knn)]


@pytest.mark.parametrize("which", [0, 1], ids=["bipartite", "directed"])
@pytest.mark.parametrize("width", [1, 6, 64])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_forward_and_gradient(bind, which: int, width: int, dtype: torch.dtype) -> None:
    matrix, dense = cases()[which]
    rng = np.random.default_rng(4)
    x, upstream = rng.normal(size=(2, matrix.n, width))
    tensor = torch.tensor(x, dtype=dtype, device=bind.device, requires_grad=True)
    y = bind(matrix)(tensor)
    y.backward(torch.tensor(upstream, dtype=dtype, device=bind.device))
    tolerance = 1e-12 if dtype == torch.float64 else 2e-5
    np.testing.assert_allclose(y.detach().cpu(), dense @ x, atol=tolerance)
    np.testing.assert_allclose(tensor.grad.cpu(), dense.T @ upstream, atol=tolerance)
    assert y.dtype == dtype


def test_gradient_through_three_layers(bind) -> None:
    matrix, dense = cases()[1]
    propagate = bind(matrix)
    x = torch.randn(22, 3, dtype=torch.float64, device=bind.device, requires_grad=True)
    (propagate(propagate(propagate(x))) ** 2).sum().backward()
    cubed = torch.tensor(np.linalg.matrix_power(dense, 3), device=bind.device)
    np.testing.assert_allclose(x.grad.cpu(), (2 * cubed.T @ cubed @ x).detach().cpu(), atol=1e-12)


def test_rows_that_are_not_contiguous(bind) -> None:
    matrix, dense = cases()[0]
    wide = torch.randn(22, 8, dtype=torch.float64, device=bind.device)
    found = bind(matrix)(wide[:, ::2])
    np.testing.assert_allclose(found.cpu(), dense @ wide[:, ::2].cpu().numpy(), atol=1e-12)
    transposed = torch.randn(8, 22, dtype=torch.float64, device=bind.device)
    np.testing.assert_allclose(
        bind(matrix)(transposed.T).cpu(), dense @ transposed.T.cpu().numpy(), atol=1e-12
    )


def test_the_input_is_left_as_it_is(bind) -> None:
    x = torch.randn(22, 4, device=bind.device)
    before = x.clone()
    bind(cases()[0][0])(x)
    assert torch.equal(x, before)


def test_hand_computed_three_nodes(bind) -> None:
    """Two users of one item: users get c / sqrt 2, the item gets (a + b) / sqrt 2."""
    graph = bipartite_graph(Interactions(np.array([0, 1]), np.array([0, 0])), 2, 1)
    x = torch.tensor([[1.0], [3.0], [10.0]], dtype=torch.float64, device=bind.device)
    moved = bind(graph.norm_adj)(x).cpu().ravel()
    root = 2**0.5
    np.testing.assert_allclose(moved, [10 / root, 10 / root, 4 / root], rtol=1e-14)
    assert (moved != x.cpu().ravel()).all()  # users AND the item


def test_empty_rows_give_zeros(bind) -> None:
    """An isolated node is not left with what stood in memory before."""
    graph = bipartite_graph(interactions(), 13, 9)
    moved = bind(graph.norm_adj)(torch.full((22, 5), 7.0, device=bind.device))
    np.testing.assert_array_equal(moved[torch.tensor([12, 20, 21])].cpu(), np.zeros((3, 5)))
    assert bool((moved[:7].abs().sum(1) > 0).any())


def test_a_graph_without_edges(bind) -> None:
    nothing = Interactions(np.array([], dtype=np.int64), np.array([], dtype=np.int64))
    graph = bipartite_graph(nothing, 2, 3)
    assert not bind(graph.norm_adj)(torch.ones(5, 2, device=bind.device)).any()


def test_weighted_sum(bind) -> None:
    (first, dense_first), (second, dense_second) = cases()
    fused = weighted_sum([(0.1, bind(first)), (0.9, bind(second))])
    x = torch.randn(22, 3, dtype=torch.float64, device=bind.device, requires_grad=True)
    upstream = torch.randn(22, 3, dtype=torch.float64, device=bind.device)
    y = fused(x)
    y.backward(upstream)
    dense = 0.1 * dense_first + 0.9 * dense_second
    np.testing.assert_allclose(y.detach().cpu(), dense @ x.detach().cpu().numpy(), atol=1e-12)
    np.testing.assert_allclose(x.grad.cpu(), dense.T @ upstream.cpu().numpy(), atol=1e-12)


@needs_dgl
def test_engines_agree_in_float32() -> None:
    for matrix, _ in cases():
        x = torch.randn(22, 16)
        by_dgl, by_csr = (propagator(matrix, name)(x) for name in ("dgl", "csr"))
        np.testing.assert_allclose(by_dgl, by_csr, atol=1e-6)


def test_dgl_is_chosen_where_it_is_installed() -> None:
    assert resolve_engine("auto", torch.device("cpu")) == ("dgl" if HAS_DGL else "csr")
    assert resolve_engine("csr", torch.device("cpu")) == "csr"


def test_without_dgl_csr_serves(monkeypatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        engines.importlib.util, "find_spec", lambda name: None if name == "dgl" else find(name)
    )
    assert resolve_engine("auto", torch.device("cpu")) == "csr"
    matrix, dense = cases()[0]
    x = torch.randn(22, 2, dtype=torch.float64)
    np.testing.assert_allclose(propagator(matrix)(x), dense @ x.numpy(), atol=1e-12)
    with pytest.raises(EngineError, match="engine=csr"):
        propagator(matrix, "dgl")


@needs_dgl
def test_auto_takes_csr_where_dgl_lacks_cuda(monkeypatch) -> None:
    from rednd_core.graph import engine_dgl

    monkeypatch.setattr(engine_dgl, "dgl_has_cuda", lambda: False)
    assert resolve_engine("auto", torch.device("cuda")) == "csr"
    with pytest.raises(EngineError, match="serves cuda"):
        resolve_engine("dgl", torch.device("cuda"))


def test_devices(monkeypatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert resolve_device("auto") == resolve_device("cpu") == torch.device("cpu")
    with pytest.raises(EngineError, match="device=cpu"):
        resolve_device("cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert resolve_device("auto") == torch.device("cuda")


def test_unknown_names() -> None:
    with pytest.raises(ConfigError, match="did you mean 'cuda'"):
        resolve_device("cude")
    with pytest.raises(ConfigError, match=r"among auto, csr, dgl.*did you mean 'csr'"):
        propagator(cases()[0][0], "cst")


@pytest.mark.parametrize("n", [0, 1, 2, 5])
def test_power_sum_and_its_gradient_are_those_of_the_layers(bind, n: int) -> None:
    for matrix, dense in cases():
        propagate = bind(matrix)
        adjacency = torch.from_numpy(dense).to(bind.device)
        x = torch.randn(len(dense), 3, dtype=torch.float64, device=bind.device, requires_grad=True)
        weight = torch.randn_like(x)
        total, power = torch.zeros_like(x), x
        for _ in range(n):
            power = adjacency @ power
            total = total + power
        torch.testing.assert_close(propagate.power_sum(x, n), total, atol=1e-12, rtol=1e-12)
        if n:
            (expected,) = torch.autograd.grad((total * weight).sum(), x)
            (found,) = torch.autograd.grad((propagate.power_sum(x, n) * weight).sum(), x)
            torch.testing.assert_close(found, expected, atol=1e-12, rtol=1e-12)


@pytest.mark.parametrize("n", [0, 1, 3])
def test_rows_of_a_power_sum_and_their_gradient(bind, n: int) -> None:
    """The same as taking the rows from both tables, also where a loss reads only one of the two."""
    for matrix, _ in cases():
        propagate = bind(matrix)
        nodes = torch.tensor([20, 3, 0, 12], device=bind.device)
        x = torch.randn(matrix.n, 3, dtype=torch.float64, device=bind.device, requires_grad=True)
        expected = x[nodes], propagate.power_sum(x, n)[nodes]
        found = propagate.power_sum_rows(x, n, nodes)
        weights = torch.randn(2, 4, 3, dtype=torch.float64, device=bind.device)
        for one, other in zip(found, expected, strict=True):
            torch.testing.assert_close(one, other)
        for used in ([0], [1], [0, 1]) if n else ([0], [0, 1]):
            mine, plain = (
                torch.autograd.grad(
                    sum((weights[i] * rows[i]).sum() for i in used), x, retain_graph=True
                )[0]
                for rows in (found, expected)
            )
            torch.testing.assert_close(mine, plain)


def test_rows_of_a_power_sum_need_no_batch(bind) -> None:
    """One of several processes may have no rows: zeros that depend on the same parameter."""
    matrix, _ = cases()[0]
    x = torch.randn(22, 3, device=bind.device, requires_grad=True)
    nobody = torch.tensor([], dtype=torch.int64, device=bind.device)
    own, above = bind(matrix).power_sum_rows(x, 2, nobody)
    (own.sum() + above.sum()).backward()
    assert own.shape == above.shape == (0, 3)
    assert not x.grad.any()
