"""How long do the smoothness measures take, against their definitions computed pair by pair?

    python benchmarks/smoothness.py [--exact-gap] [--json PATH]

One embedding of 26,495 x 64 (the size of Amazon Baby) on a random graph with 118,551 edges and
popular items. Times are the least of ``--repeat`` runs, in milliseconds; the naive forms run once.
``MAD error`` is the relative difference between the fast and the naive value.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Collection
from functools import partial
from typing import Any

import numpy as np
import torch
from common import report

from rednd_core.cosine import pair_mad
from rednd_core.data.schema import Interactions
from rednd_core.graph.bipartite import BipartiteGraph, bipartite_graph
from rednd_core.graph.engine import propagator
from rednd_core.readout import Readout
from rednd_core.smoothness import EPOCH_MEASURES, MEASURES, measure_layers, propagate_depth
from rednd_core.smoothness.epoch import EpochSmoothness

N_USERS, N_ITEMS, N_EDGES, DIM = 19_445, 7_050, 118_551, 64


def random_graph() -> BipartiteGraph:
    """Distinct pairs; an item's popularity falls like a power law."""
    rng = np.random.default_rng(0)
    cells = np.empty(0, dtype=np.int64)
    while len(cells) < N_EDGES:
        users = rng.integers(N_USERS, size=N_EDGES)
        items = (N_ITEMS * rng.random(N_EDGES) ** 3).astype(np.int64)
        cells = np.unique(np.concatenate([cells, users * N_ITEMS + items]))
    cells = rng.permutation(cells)[:N_EDGES]
    return bipartite_graph(Interactions(cells // N_ITEMS, cells % N_ITEMS), N_USERS, N_ITEMS)


def milliseconds(action: Callable[[], object], repeat: int) -> float:
    times = []
    for _ in range(repeat + 1):  # the first call loads libraries and is not counted
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return round(1e3 * min(times[1:]), 1)


def naive_mad(x: np.ndarray) -> float:
    """Every pair, a block of rows at a time."""
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    total = sum(float((1 - unit[k : k + 1000] @ unit.T).sum()) for k in range(0, len(x), 1000))
    return total / (len(x) * (len(x) - 1))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeat", type=int, default=7)
    parser.add_argument("--exact-gap", action="store_true", help="also time MADGap over all rows")
    parser.add_argument("--json")
    args = parser.parse_args()

    graph = random_graph()
    start = np.random.default_rng(0).standard_normal((graph.n_nodes, DIM)).astype(np.float32)
    layers = [x.astype(np.float32) for x in propagate_depth(start, graph, 3)]
    x, readouts = layers[2], {"id": Readout()(layers)}

    def table(names: Collection[str], stack: list[np.ndarray], **options: Any) -> object:
        return measure_layers({"id": stack}, graph, measures=names, **options)

    each_epoch = EpochSmoothness(graph, propagator(graph.norm_adj))
    tensors = [torch.from_numpy(layer) for layer in layers]
    wide = x.astype(np.float64)
    linked = wide[graph.degrees > 0]
    began = time.perf_counter()
    naive = naive_mad(linked)
    naive_ms = round(1e3 * (time.perf_counter() - began), 1)
    fast = pair_mad(linked)
    times = {
        "MAD of all pairs, naive": naive_ms,
        "MAD of all pairs": milliseconds(lambda: pair_mad(x.astype(np.float64)), args.repeat),
        "epoch measures, 4 layers and the readout": milliseconds(
            lambda: each_epoch({"id": tensors}, {"id": Readout().at(tensors)}, linear=True),
            args.repeat,
        ),
        "the same by the table, float64": milliseconds(
            lambda: table(EPOCH_MEASURES, layers, readouts=readouts), args.repeat
        ),
        "all measures, 4 layers and readouts": milliseconds(
            lambda: table(tuple(MEASURES), layers, readouts=readouts), 1
        ),
    }
    for name in MEASURES:
        one = partial(table, (name,), [x])
        times[f"{name}, one layer"] = milliseconds(one, args.repeat)
    if args.exact_gap:
        times["madgap, one layer, all rows"] = milliseconds(
            lambda: table(("madgap",), [x], n_rows=graph.n_nodes), 1
        )
    rows: list[dict[str, object]] = [{"what": name, "ms": value} for name, value in times.items()]
    rows.append(
        {"what": "MAD, relative error against naive", "ms": f"{abs(fast - naive) / naive:.1e}"}
    )
    report(rows, args.json)


if __name__ == "__main__":
    main()
