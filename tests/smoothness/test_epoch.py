"""The measures of every epoch against the table of all measures, which computes in float64."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from rednd_core.graph.engine import propagator
from rednd_core.readout import Readout
from rednd_core.smoothness import EPOCH_MEASURES, epoch, measure_layers, propagate_depth, rank
from rednd_core.smoothness.epoch import EpochSmoothness


def found_and_wanted(graph, stacks, *, readout=Readout(), linear=False, device="cpu"):
    """By the fast way in float32, and by the table from the same float32 layers."""
    stacks = {m: [np.asarray(x, dtype=np.float32) for x in stack] for m, stack in stacks.items()}
    measure = EpochSmoothness(graph, propagator(graph.norm_adj, "csr", device))
    tensors = {m: [torch.from_numpy(x).to(device) for x in xs] for m, xs in stacks.items()}
    found = measure(tensors, {m: readout.at(xs) for m, xs in tensors.items()}, linear=linear)
    readouts = {m: readout(stack) for m, stack in stacks.items()}
    table = measure_layers(stacks, graph, readouts=readouts, measures=EPOCH_MEASURES)
    deepest = {modality: len(stack) - 1 for modality, stack in stacks.items()}
    wanted = {
        f"{row.view}.{row.modality}.{row.layer}.{row.side}.{row.measure}": row.value
        for row in table.itertuples()
        if row.view == "layer" or row.measure == "discrepancy" or row.layer == deepest[row.modality]
    }
    return found, wanted


READOUTS = [Readout(rule, first) for rule in ("mean", "sum", "last", "concat") for first in (0, 1)]


@pytest.mark.parametrize("readout", READOUTS, ids=str)
@pytest.mark.parametrize("depth", [0, 1, 3])
@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def test_linear_layers(graph, rng, readout: Readout, depth: int, device: str) -> None:
    stacks = {
        name: propagate_depth(rng.standard_normal((graph.n_nodes, 6)) + 0.2, graph, depth)
        for name in ("image", "text")
    }
    found, wanted = found_and_wanted(graph, stacks, readout=readout, linear=True, device=device)
    assert found == pytest.approx(wanted, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("readout", READOUTS, ids=str)
def test_layers_of_any_model(graph, rng, readout: Readout) -> None:
    """The next layer is unrelated to A-hat x, and modalities may differ in depth and width."""
    stacks = {
        "image": list(rng.standard_normal((3, graph.n_nodes, 6))),
        "text": list(rng.standard_normal((2, graph.n_nodes, 3))),
    }
    found, wanted = found_and_wanted(graph, stacks, readout=readout)
    assert found == pytest.approx(wanted, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("rule", ["last", "concat"])
def test_layers_of_different_widths(graph, rng, rule: str) -> None:
    """x^0 is wider than what follows: there is no mean to compare it with, so no discrepancy."""
    stacks = {"image": [rng.standard_normal((graph.n_nodes, width)) for width in (9, 4, 4)]}
    found, wanted = found_and_wanted(graph, stacks, readout=Readout(rule))
    assert found == pytest.approx(wanted, rel=1e-5, abs=1e-6)
    assert not any(name.endswith("discrepancy") for name in found)


def test_layers_may_be_views_of_a_wide_one(graph, rng) -> None:
    wide = torch.from_numpy(rng.standard_normal((graph.n_nodes, 2, 6)).astype(np.float32))
    measure = EpochSmoothness(graph, propagator(graph.norm_adj, "csr"))
    x = wide[:, 0]
    strided = measure({"image": [x]}, {"image": x}, linear=True)
    x = x.contiguous()
    dense = measure({"image": [x]}, {"image": x}, linear=True)
    assert strided == pytest.approx(dense, rel=1e-6)


def test_collapse_is_resolved(make_graph) -> None:
    """All rows nearly equal: neither the distances nor the ranks may drown in rounding."""
    rng = np.random.default_rng(3)
    cells = rng.choice(60 * 40, size=600, replace=False)
    graph = make_graph([(c // 40, c % 40) for c in cells], 60, 40)
    stack = propagate_depth(rng.standard_normal((100, 8)), graph, 16)
    found, wanted = found_and_wanted(graph, {"id": stack}, linear=True)
    assert wanted["layer.id.12.users.mad"] < 1e-5
    for name, value in wanted.items():
        assert found[name] == pytest.approx(value, rel=1e-3, abs=1e-6), name
    mads = {name: value for name, value in wanted.items() if name.endswith("mad")}
    assert {name: found[name] for name in mads} == pytest.approx(mads, rel=0.02, abs=1e-12)


def test_rows_without_direction_and_dead_columns(graph, rng) -> None:
    x = rng.standard_normal((graph.n_nodes, 6))
    x[3:9] = 0
    x[:, 2] = 0
    found, wanted = found_and_wanted(graph, {"id": [x, np.maximum(x, 0)]})
    assert found == pytest.approx(wanted, rel=1e-5, abs=1e-6)


def test_what_is_not_defined_is_nan(make_graph) -> None:
    graph = make_graph([(0, 0)], 1, 1)
    found, wanted = found_and_wanted(graph, {"id": [np.zeros((2, 3))]})
    assert set(found) == set(wanted)
    for name in ("layer.id.0.users.mad", "layer.id.0.items.effective_rank"):
        assert math.isnan(found[name])
    assert found == pytest.approx(wanted, nan_ok=True)


@pytest.mark.parametrize("broken", [math.nan, math.inf, 1e30])
def test_numbers_beyond_float32_give_nothing(graph, rng, broken: float) -> None:
    x = torch.from_numpy(rng.standard_normal((graph.n_nodes, 6)).astype(np.float32))
    x[0, 0] = broken
    measure = EpochSmoothness(graph, propagator(graph.norm_adj, "csr"))
    assert measure({"id": [x]}, {"id": x}, linear=True) == {}


@pytest.mark.parametrize("n", [300, 5_000])
@pytest.mark.parametrize("scale", [1.0, 3e18, 1e-22])
@pytest.mark.parametrize("common", [0.0, 3.0])
@pytest.mark.parametrize("ratio", [0.3, 4e-3, 1e-3, 1e-7])
def test_the_effective_rank(rng, ratio: float, common: float, scale: float, n: int) -> None:
    """Down to singular values of ``ratio``: where products in float32 would blur them, float64 takes over."""
    directions = np.linalg.qr(rng.standard_normal((12, 12)))[0]
    x = rng.standard_normal((n, 12)) * np.geomspace(1, ratio, 12) @ directions.T
    x = torch.from_numpy(scale * (x + common * directions[0])).float()
    longest = float(torch.linalg.vector_norm(x, dim=1).max())
    (found,) = epoch._effective_ranks([x], [longest])
    wanted = rank.effective_rank(np.linalg.svd(x.double().numpy(), compute_uv=False))
    assert found == pytest.approx(wanted, rel=1e-5 if n > 4096 and scale == 1 else 1e-7)
