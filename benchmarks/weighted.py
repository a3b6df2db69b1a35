"""What do weights of their own cost the edges, and what does a graph that is drawn anew cost an epoch?

    python benchmarks/weighted.py --data ../shared/data/baby [--width 64] [--device cuda] [--json PATH]

Products with the user-item graph, forward and backward, milliseconds, the least of ``--repeat``:
``constant`` is the product whose weights follow from degrees, ``weighted`` has one weight an edge and a
gradient of every weight. ``gathered`` is the obvious code for the latter: ``index_select`` of both ends
and ``index_add_``. Below: what ``begin_epoch`` of a model with edge dropout does on the host.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import torch
from common import report, seconds_of
from torch import Tensor

from rednd_core.config import Engine
from rednd_core.data.dataset import load_dataset
from rednd_core.graph.bipartite import bipartite_graph
from rednd_core.graph.engine import propagator, weighted_product
from rednd_core.graph.sampling import degree_weights, draw_edges, normalized_subset
from rednd_core.graph.weighted import EdgePattern

ENGINES: tuple[Engine, ...] = ("dgl", "csr")


def least(
    actions: Mapping[Any, Callable[[], object]], device: str, repeat: int
) -> dict[Any, float]:
    """Least milliseconds of every action; the actions take turns, so that all meet the same load."""
    for action in actions.values():
        action()
    rounds = [
        {name: seconds_of(action, device) for name, action in actions.items()}
        for _ in range(repeat)
    ]
    return {name: round(1000 * min(one[name] for one in rounds), 2) for name in actions}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="sample_data/shop")
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--repeat", type=int, default=20)
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--json")
    options = parser.parse_args()
    device = options.device
    dataset = load_dataset(options.data)
    graph = bipartite_graph(dataset.train, dataset.n_users, dataset.n_items)
    matrix = graph.norm_adj
    pattern = EdgePattern.of(matrix)
    x = torch.randn(matrix.n, options.width, device=device, requires_grad=True)
    upstream = torch.randn_like(x)
    weights = torch.from_numpy(matrix.values).float().to(device).requires_grad_()
    forms: dict[tuple[str, str], Callable[[], Tensor]] = {}
    engines = ENGINES if device == "cpu" else ENGINES[1:]
    for engine in engines:
        constant = propagator(matrix, engine, device)
        weighted = weighted_product(pattern, engine, device)
        forms["constant", engine] = partial(constant, x)
        forms["weighted", engine] = partial(weighted, weights, x)

    def gathered() -> Tensor:
        messages = x.index_select(0, weighted.cols) * weights[:, None]
        return torch.zeros_like(x).index_add_(0, weighted.rows, messages)

    forms["weighted", "gathered"] = gathered

    def both_ways(form: Callable[[], Tensor]) -> None:
        x.grad = weights.grad = None
        form().backward(upstream)

    forward, backward = (
        least({name: partial(run, form) for name, form in forms.items()}, device, options.repeat)
        for run in (lambda form: form(), both_ways)
    )
    rows: list[dict[str, object]] = [
        {"what": what, "engine": engine, "ms": forward[what, engine], "with backward": both}
        for (what, engine), both in backward.items()
    ]

    sampling, rng = degree_weights(graph), np.random.default_rng(0)
    for share in (0.9, 0.2):
        n_kept = round(share * len(sampling))
        kept = draw_edges(n_kept, sampling, rng)
        subset = normalized_subset(graph, kept)
        parts: dict[str, Callable[[], object]] = {
            "draw": partial(draw_edges, n_kept, sampling, rng),
            "normalise": partial(normalized_subset, graph, kept),
            "bind": partial(propagator, subset, "auto", device),
        }
        for part, ms in least(parts, device, options.repeat).items():
            what = f"{part} {share:.0%} of {len(sampling):,} edges"
            rows.append({"what": what, "engine": "", "ms": ms, "with backward": ""})
    report(rows, options.json)


if __name__ == "__main__":
    main()
