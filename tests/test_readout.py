"""What scores at each depth, against sums written out; tensors and arrays alike."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rednd_core.readout import Readout

RULES = [
    Readout(rule, first) for rule in ("mean", "sum", "last", "concat", "max") for first in (0, 1)
]


def layers(n_layers: int = 3) -> list[np.ndarray]:
    return list(np.random.default_rng(1).standard_normal((n_layers + 1, 5, 2)))


def by_hand(readout: Readout, x: list[np.ndarray], k: int) -> np.ndarray:
    taken = [x[0]] if k == 0 else [x[i] for i in range(readout.first, k + 1)]
    if readout.rule == "last":
        return x[k]
    if readout.rule == "concat":
        return np.hstack(taken)
    if readout.rule == "max":
        return np.stack(taken).max(axis=0)
    total = np.add.reduce(taken)
    return total / len(taken) if readout.rule == "mean" else total


@pytest.mark.parametrize("readout", RULES, ids=str)
@pytest.mark.parametrize("n_layers", [0, 1, 3])
def test_every_depth(readout: Readout, n_layers: int) -> None:
    x = layers(n_layers)
    found = readout(x)
    assert len(found) == n_layers + 1
    for k, z in enumerate(found):
        np.testing.assert_allclose(z, by_hand(readout, x, k), rtol=1e-14)
        np.testing.assert_allclose(readout.at(x[: k + 1]), z, rtol=1e-14)
        assert readout.width([2] * (k + 1)) == z.shape[1]


@pytest.mark.parametrize("readout", RULES, ids=str)
def test_tensors_with_gradients(readout: Readout) -> None:
    x = [torch.from_numpy(layer).requires_grad_() for layer in layers()]
    weights = torch.randn(5, readout.width([2] * 4), dtype=torch.float64)
    (readout.at(x) * weights).sum().backward()
    (again,) = torch.autograd.grad((readout(x)[-1] * weights).sum(), x[3])
    torch.testing.assert_close(x[3].grad, again)
    takes_part = readout.first == 0 and readout.rule != "last"
    assert (x[0].grad is not None) == takes_part


def test_the_layers_stay_as_they_are() -> None:
    x = layers()
    before = [layer.copy() for layer in x]
    for readout in RULES:
        readout(x)
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize("readout", RULES, ids=str)
def test_a_readout_that_is_a_layer_is_that_object(readout: Readout) -> None:
    """So that nothing is measured twice, and a memory-mapped layer stays one."""
    x = layers()
    found = readout(x)
    assert found[0] is x[0]
    if readout.first:
        assert found[1] is x[1]
    if readout.rule == "last":
        assert all(z is layer for z, layer in zip(found, x, strict=True))


def test_float32_stays_float32() -> None:
    x = [layer.astype(np.float32) for layer in layers()]
    assert {z.dtype for readout in RULES for z in readout(x)} == {np.dtype(np.float32)}


def test_layers_of_different_widths() -> None:
    x = [np.ones((5, width)) for width in (6, 3, 3)]
    assert [z.shape[1] for z in Readout("concat")(x)] == [6, 9, 12]
    assert [z.shape[1] for z in Readout("last")(x)] == [6, 3, 3]
    np.testing.assert_array_equal(Readout("mean", 1)(x)[2], x[1])
    assert Readout("concat").width([6, 3, 3]) == 12
    assert Readout("mean", 1).width([6, 3, 3]) == 3
