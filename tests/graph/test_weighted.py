"""W x and both gradients against the dense form, for every engine and every shape of pattern."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rednd_core.data.schema import Interactions
from rednd_core.errors import ConfigError, DataError
from rednd_core.graph.bipartite import bipartite_graph
from rednd_core.graph.engine import weighted_product
from rednd_core.graph.normalize import SparseMatrix
from rednd_core.graph.weighted import EdgePattern, WeightedProduct


def pattern_of(dense: np.ndarray) -> EdgePattern:
    """The non-zeros of a matrix, row by row."""
    indptr = np.concatenate([[0], np.cumsum((dense != 0).sum(axis=1))])
    return EdgePattern(
        indptr.astype(np.int32), np.nonzero(dense)[1].astype(np.int32), dense.shape[1]
    )


def random_dense(n_rows: int, n_cols: int, share: float, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n_rows, n_cols)) * (rng.random((n_rows, n_cols)) < share)


PATTERNS = {
    "square": random_dense(17, 17, 0.3, seed=1),
    "wide": random_dense(4, 23, 0.4, seed=2),
    "tall": random_dense(23, 4, 0.4, seed=3),
    "one edge": np.array([[0, 0, 0], [0, 2.5, 0]]),
    "one entry": np.array([[-3.0]]),
    "full": random_dense(6, 5, 1.0, seed=4),
    "no edge": np.zeros((3, 4)),
    "empty first and last row and column": np.pad(random_dense(5, 6, 0.8, seed=5), 2),
}


def check(product: WeightedProduct, dense: np.ndarray, width: int, device: str) -> None:
    """Forward and both gradients in float64 to 1e-10."""
    rng = np.random.default_rng(6)
    x, upstream = rng.normal(size=(dense.shape[1], width)), rng.normal(size=(len(dense), width))
    weights = torch.tensor(dense[dense != 0], device=device, requires_grad=True)
    table = torch.tensor(x, device=device, requires_grad=True)
    y = product(weights, table)
    y.backward(torch.tensor(upstream, device=device))
    np.testing.assert_allclose(y.detach().cpu(), dense @ x, atol=1e-10)
    np.testing.assert_allclose(table.grad.cpu(), dense.T @ upstream, atol=1e-10)
    every_pair = upstream @ x.T
    np.testing.assert_allclose(weights.grad.cpu(), every_pair[dense != 0], atol=1e-10)


@pytest.mark.parametrize("name", PATTERNS)
@pytest.mark.parametrize("width", [1, 7, 64])
def test_forward_and_both_gradients(engine, name: str, width: int) -> None:
    dense = PATTERNS[name]
    check(weighted_product(pattern_of(dense), *engine), dense, width, engine[1])


@pytest.mark.parametrize("seed", range(30))
def test_any_pattern(engine, seed: int) -> None:
    rng = np.random.default_rng(seed)
    n_rows, n_cols, width = rng.integers(1, 13, size=3)
    dense = random_dense(n_rows, n_cols, rng.random(), seed)
    check(weighted_product(pattern_of(dense), *engine), dense, width, engine[1])


def test_by_hand(engine) -> None:
    """Rows 0: 2 x_1, 1: nothing, 2: 3 x_0 + 5 x_1; the gradient of y_2 alone."""
    pattern = EdgePattern(np.array([0, 1, 1, 3], np.int32), np.array([1, 0, 1], np.int32), 2)
    product = weighted_product(pattern, *engine)
    weights = torch.tensor([2.0, 3.0, 5.0], device=engine[1], requires_grad=True)
    x = torch.tensor([[1.0, 10.0], [100.0, 1000.0]], device=engine[1], requires_grad=True)
    y = product(weights, x)
    assert y.tolist() == [[200, 2000], [0, 0], [503, 5030]]
    y[2, 0].backward()
    assert weights.grad.tolist() == [0, 1, 100]
    assert x.grad.tolist() == [[3, 0], [5, 0]]
    assert product.rows.tolist() == [0, 2, 2]
    assert product.cols.tolist() == [1, 0, 1]


def test_float32(engine) -> None:
    dense = PATTERNS["square"]
    product = weighted_product(pattern_of(dense), *engine)
    weights = torch.tensor(dense[dense != 0], dtype=torch.float32, device=engine[1])
    x = torch.randn(17, 6, device=engine[1])
    weights.requires_grad_()
    y = product(weights, x)
    y.sum().backward()
    assert y.dtype == weights.grad.dtype == torch.float32
    np.testing.assert_allclose(y.detach().cpu(), dense @ x.cpu().double().numpy(), atol=1e-5)
    sums = x.cpu().double().sum(1).numpy()[np.nonzero(dense)[1]]
    np.testing.assert_allclose(weights.grad.cpu(), sums, atol=1e-5)


def test_tables_that_are_not_contiguous(engine) -> None:
    """Every second column, a transposed table, weights and an upstream gradient with strides."""
    dense = PATTERNS["wide"]
    product = weighted_product(pattern_of(dense), *engine)
    entries = torch.tensor(dense[dense != 0], device=engine[1])
    strided = torch.stack([entries, torch.zeros_like(entries)], dim=1)[:, 0].requires_grad_()
    wide = torch.randn(23, 8, dtype=torch.float64, device=engine[1])
    flipped = torch.randn(4, 23, dtype=torch.float64, device=engine[1])
    for x in (wide[:, ::2], flipped.T):
        assert not x.is_contiguous()
        y = product(strided, x)
        np.testing.assert_allclose(y.detach().cpu(), dense @ x.cpu().numpy(), atol=1e-10)
        upstream = torch.randn(4, 4, dtype=torch.float64, device=engine[1])
        (grad,) = torch.autograd.grad((y.T * upstream).sum(), strided)
        expected = (upstream.T @ x.T).cpu().numpy()[dense != 0]
        np.testing.assert_allclose(grad.cpu(), expected, atol=1e-10)


def test_edges_of_a_row_in_any_order_and_twice(engine) -> None:
    """As a top-k gives them; an edge that is there twice counts twice."""
    pattern = EdgePattern(np.array([0, 2, 4], np.int32), np.array([2, 0, 1, 1], np.int32), 3)
    product = weighted_product(pattern, *engine)
    weights = torch.tensor([1.0, 10.0, 100.0, 1000.0], device=engine[1], requires_grad=True)
    x = torch.tensor([[1.0], [2.0], [3.0]], device=engine[1], requires_grad=True)
    y = product(weights, x)
    y.sum().backward()
    assert y.flatten().tolist() == [13, 2200]
    assert weights.grad.tolist() == [3, 1, 2, 2]
    assert x.grad.flatten().tolist() == [10, 1100, 1]


def test_what_is_given_stays_as_it_is(engine) -> None:
    dense = PATTERNS["square"]
    weights = torch.tensor(dense[dense != 0], device=engine[1], requires_grad=True)
    x = torch.randn(17, 3, dtype=torch.float64, device=engine[1], requires_grad=True)
    before = weights.detach().clone(), x.detach().clone()
    weighted_product(pattern_of(dense), *engine)(weights, x).square().sum().backward()
    assert torch.equal(weights, before[0])
    assert torch.equal(x, before[1])


def test_only_one_side_needs_a_gradient(engine) -> None:
    dense = PATTERNS["tall"]
    product = weighted_product(pattern_of(dense), *engine)
    weights = torch.tensor(dense[dense != 0], device=engine[1])
    x = torch.randn(4, 3, dtype=torch.float64, device=engine[1])
    for learned in (weights.clone().requires_grad_(), x.clone().requires_grad_()):
        y = product(learned, x) if learned.dim() == 1 else product(weights, learned)
        y.sum().backward()
        assert learned.grad.shape == learned.shape
    assert not product(weights, x).requires_grad


def test_weights_that_depend_on_the_table(engine) -> None:
    """Attention: softmax over a row's edges of x_i . x_j, against the dense masked softmax."""
    mask = torch.tensor(PATTERNS["square"] != 0, device=engine[1])
    mask.fill_diagonal_(True)
    product = weighted_product(pattern_of(mask.cpu().numpy()), *engine)
    x = torch.randn(17, 4, dtype=torch.float64, device=engine[1], requires_grad=True)

    scores = (x[product.rows] * x[product.cols]).sum(1)
    powers = (scores - scores.detach().max()).exp()
    sums = product(powers, torch.ones_like(x[:, :1]))
    y = product(powers / sums[product.rows, 0], x)
    dense = torch.where(mask, x @ x.T, -torch.inf).softmax(dim=1) @ x
    torch.testing.assert_close(y, dense, atol=1e-10, rtol=0)
    upstream = torch.randn_like(y)
    found, expected = (torch.autograd.grad((z * upstream).sum(), x)[0] for z in (y, dense))
    torch.testing.assert_close(found, expected, atol=1e-10, rtol=0)


def test_learned_edges_of_grcn(engine) -> None:
    """Numbers computed by hand from the equations of arXiv 2111.02036: two users, three items.

    Edges u0-i0, u0-i1, u1-i1; i2 has none. Softmax of dot products over the edges INTO a node, times
    the confidence of the node that an edge comes from, negative weights cut; then Z + WZ + WWZ.
    """
    graph = bipartite_graph(Interactions(np.array([0, 0, 1]), np.array([0, 1, 1])), 2, 3)
    product = weighted_product(EdgePattern.of(graph.norm_adj), *engine)
    table = [[1, 0], [0, 1], [1, 0], [0, 1], [0.6, 0.8]]
    x = torch.tensor(table, dtype=torch.float64, device=engine[1])
    powers = (x[product.rows] * x[product.cols]).sum(1).exp()
    sums = product(powers, torch.ones_like(x[:, :1]))
    attention = powers / sums[product.rows, 0]
    content = x + product(attention, x)
    expected = [[1.731059, 0.268941], [0, 2], [2, 0], [0.268941, 1.731059], [0.6, 0.8]]
    np.testing.assert_allclose(content.cpu(), expected, atol=1e-6)

    confidence = torch.tensor([1, -1, 0.5, 2, 1], dtype=torch.float64, device=engine[1])
    weights = (confidence[product.cols] * attention).relu()
    by_edge = dict(
        zip(zip(product.cols.tolist(), product.rows.tolist(), strict=True), weights, strict=True)
    )
    u0, u1, i0, i1 = range(4)
    for edge, weight in {
        (i0, u0): 0.365529,
        (i1, u0): 0.537883,
        (i1, u1): 2,
        (u0, i0): 1,
        (u0, i1): 0.268941,
        (u1, i1): 0,
    }.items():
        assert by_edge[edge].item() == pytest.approx(weight, abs=1e-6)
    z = torch.ones(5, 1, dtype=torch.float64, device=engine[1])
    once = product(weights, z)
    final = (z + once + product(weights, once)).flatten()
    np.testing.assert_allclose(final.cpu(), [2.4136, 3.537883, 2.903412, 1.511906, 1], atol=1e-6)


def test_the_values_of_a_normalised_matrix_are_weights_in_its_order(engine) -> None:
    graph = bipartite_graph(Interactions(np.array([0, 0, 1]), np.array([0, 1, 1])), 2, 3)
    matrix: SparseMatrix = graph.norm_adj
    weights = torch.from_numpy(matrix.values).to(engine[1])
    x = torch.tensor([[1.0], [2], [3], [4], [5]], dtype=torch.float64, device=engine[1])
    y = weighted_product(EdgePattern.of(matrix), *engine)(weights, x).flatten()
    np.testing.assert_allclose(y.cpu(), [4.121320, 2.828427, 0.707107, 1.914214, 0], atol=1e-6)


@pytest.mark.parametrize(
    ("n_weights", "shape"),
    [(5, (17, 2)), (0, (17, 2)), (None, (16, 2)), (None, (18, 2)), (None, (17,))],
)
def test_other_shapes_are_refused(engine, n_weights: int | None, shape: tuple[int, ...]) -> None:
    dense = PATTERNS["square"]
    n_edges = np.count_nonzero(dense)
    product = weighted_product(pattern_of(dense), *engine)
    weights = torch.zeros(n_edges if n_weights is None else n_weights, device=engine[1])
    with pytest.raises(DataError, match=f"{n_edges} weights and a table of 17 rows"):
        product(weights, torch.zeros(shape, device=engine[1]))


def test_two_dtypes_are_refused(engine) -> None:
    product = weighted_product(pattern_of(PATTERNS["one edge"]), *engine)
    with pytest.raises(DataError, match="of one dtype"):
        product(torch.ones(1, device=engine[1]), torch.ones(3, 2, device=engine[1]).double())


@pytest.mark.parametrize(
    ("indptr", "indices"),
    [([0, 2], [0]), ([1, 1], [0]), ([0, 2, 1], [0]), ([], []), ([0, 1], [3]), ([0, 1], [-1])],
)
def test_a_pattern_that_would_be_read_beyond_its_end(indptr, indices) -> None:
    with pytest.raises(DataError, match=r"indptr and indices|number of columns"):
        EdgePattern(np.array(indptr, np.int32), np.array(indices, np.int32), 3)


def test_transposed_pattern() -> None:
    dense = PATTERNS["tall"]
    flipped, order = pattern_of(dense).transpose()
    back = np.zeros(dense.T.shape)
    back[flipped.rows, flipped.indices] = dense[dense != 0][order]
    np.testing.assert_array_equal(back, dense.T)
    assert (flipped.n_rows, flipped.n_cols, flipped.n_edges) == (4, 23, np.count_nonzero(dense))


def test_an_unknown_engine() -> None:
    with pytest.raises(ConfigError, match="did you mean 'csr'"):
        weighted_product(pattern_of(PATTERNS["one edge"]), "cst")
