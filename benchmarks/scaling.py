"""How do time and memory of a training step grow with nodes N, train pairs E, width d and depth L?

    python benchmarks/scaling.py [--models lightgcn rednnd] [--vary N E d L] [--json PATH]

One of the four is varied about a common point, the others stay. Graphs are random with a skewed choice
of items; features are random; the alignment's scope is ``batch``. Each step runs in a process of its
own. ``cpu s`` is the least processor time of three steps (which other work on the machine distorts less
than the clock), ``MB`` the growth of peak memory over data and graph, and ``estimated MB`` what the
planner says of it. The last lines are least-squares slopes in log-log scale: 1 is proportional, 0 not
at all.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from itertools import groupby
from typing import Any

import numpy as np
import torch
from common import in_own_process, peak_kib, report, reset_peak

from rednd_core.data.sampling import BPRSampler
from rednd_core.data.schema import Interactions
from rednd_core.graph.bipartite import bipartite_graph
from rednd_core.graph.engine import propagator
from rednd_core.graph.propagator import Propagate
from rednd_core.modeling.footprint import Sizes
from rednd_core.modeling.inputs import ModelInputs
from rednd_core.modeling.registry import create_model, hyperparameters
from rednd_core.training.adam import Adam
from rednd_core.training.memory import estimate

POINT = {"N": 100_000, "E": 1_000_000, "d": 32, "L": 2}
VALUES = {
    "N": [50_000, 100_000, 200_000, 400_000],
    "E": [500_000, 1_000_000, 2_000_000, 4_000_000],
    "d": [16, 32, 64, 128],
    "L": [1, 2, 4, 8],
}
FEATURES = {"image": 32, "text": 32}
CPU = torch.device("cpu")


def random_pairs(n_users: int, n_items: int, n_pairs: int) -> Interactions:
    """About ``n_pairs`` distinct pairs; an item's chance falls with its number."""
    rng = np.random.default_rng(0)
    users = rng.integers(0, n_users, n_pairs)
    items = (n_items * rng.random(n_pairs) ** 2).astype(np.int64)
    cells = np.sort(users * n_items + items)
    cells = cells[np.append(True, cells[1:] != cells[:-1])]
    return Interactions(cells // n_items, cells % n_items)


def measure(model_name: str, point: dict[str, int]) -> dict[str, Any]:
    """Seconds and megabytes of a step at a point."""
    n_items = point["N"] // 4
    n_users = point["N"] - n_items
    train = random_pairs(n_users, n_items, point["E"])
    same = Interactions(np.arange(n_items), (np.arange(n_items) * 7 + 1) % n_items)
    item_graph = propagator(bipartite_graph(same, n_items, n_items).norm_adj)
    padding = torch.zeros(n_items, 1)

    class Inputs(ModelInputs):
        def item_graph(self, knn_k: int, fusion_weights: Mapping[str, float]) -> Propagate:
            """A stand-in of the kNN graph, whose products are cheap beside the user-item graph's."""
            return lambda x: item_graph(torch.cat([x, padding.expand_as(x)]))[n_items:]

    settings = {"embedding_size": point["d"], "n_layers": point["L"]}
    inputs = Inputs(
        n_users,
        n_items,
        train,
        {m: torch.randn(n_items, dim) for m, dim in FEATURES.items()},
        bipartite_graph(train, n_users, n_items),
        CPU,
    )
    batches = iter(BPRSampler(train, n_users, n_items, 2048, 0).epoch())
    before = reset_peak()
    model = create_model(model_name, settings, inputs)
    adam = Adam(model.parameters(), lr=1e-3)
    seconds = []
    for _ in range(4):
        began = time.process_time()
        losses = model.losses(next(batches))
        adam.zero_grad()
        torch.stack([model.loss_weights[n] * value for n, value in losses.items()]).sum().backward()
        adam.step()
        seconds.append(time.process_time() - began)
    sizes = Sizes(n_users, n_items, len(train), FEATURES)
    chosen = hyperparameters(model_name, settings)
    return {
        "cpu s": round(min(seconds[1:]), 4),
        "MB": round((peak_kib() - before) / 1024),
        "estimated MB": round(estimate(model_name, chosen, sizes, CPU) / 2**20),
    }


def slope(values: list[float], results: list[float]) -> float:
    """Of the least-squares line through (log value, log result)."""
    return float(np.polyfit(np.log(values), np.log(results), 1)[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=["lightgcn", "rednnd"])
    parser.add_argument("--vary", nargs="+", choices=VALUES, default=list(VALUES))
    parser.add_argument("--json")
    options = parser.parse_args()
    rows = []
    for name in options.models:
        for varied in options.vary:
            for value in VALUES[varied]:
                point = POINT | {varied: value}
                found = in_own_process(measure, name, point)
                rows.append({"model": name, "varied": varied, **point, **found})
    report(rows, options.json)
    print("\n| model | varied | slope of time | slope of memory |\n|---|---|---|---|")
    for (name, varied), group in groupby(rows, key=lambda row: (row["model"], row["varied"])):
        of_group = list(group)
        values = [float(row[varied]) for row in of_group]
        time_slope, memory_slope = (
            slope(values, [float(row[column]) for row in of_group]) for column in ("cpu s", "MB")
        )
        print(f"| {name} | {varied} | {time_slope:.2f} | {memory_slope:.2f} |")


if __name__ == "__main__":
    main()
