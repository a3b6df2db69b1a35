"""How long a projection takes, part by part.

    python benchmarks/projection.py [--nodes 3000 10000] [--layers 4] [--dim 64] [--json PATH]

Layers are random embeddings with a community structure, smoothed step by step towards their
community and the common mean; no data set is needed.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from common import report

from rednd_core.cache import ArrayCache
from rednd_core.projection import JointUMAP, PooledPCA, nearest, prewarm, project
from rednd_core.projection.quality import layer_quality


def smoothed_layers(n: int, n_layers: int, dim: int) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    community = rng.integers(40, size=n)
    layer = rng.normal(size=(40, dim))[community] + rng.normal(size=(n, dim))
    layers = []
    for _ in range(n_layers):
        layers.append(layer.astype(np.float32))
        sums = np.zeros((40, dim))
        np.add.at(sums, community, layer)
        means = sums / np.bincount(community, minlength=40)[:, None]
        layer = 0.5 * layer + 0.4 * means[community] + 0.1 * layer.mean(axis=0)
    return layers


def seconds(work: Callable[[], Any], repeats: int = 1) -> tuple[float, Any]:
    """Best of ``repeats`` wall times, and the result."""
    best = np.inf
    for _ in range(repeats):
        started = time.perf_counter()
        result = work()
        best = min(best, time.perf_counter() - started)
    return round(best, 3), result


def measure(n: int, n_layers: int, dim: int) -> dict[str, Any]:
    layers = smoothed_layers(n, n_layers, dim)
    stack = np.stack(layers)
    rows = stack.reshape(-1, dim)
    points = np.arange(min(n, 2000))
    result: dict[str, Any] = {"nodes": n, "layers": n_layers, "dim": dim, "rows": len(rows)}
    result["pca_s"], _ = seconds(lambda: PooledPCA().fit_transform(stack), 3)
    result["knn_s"], graph = seconds(lambda: nearest(rows, 15), 2)
    started = time.process_time()
    result["umap_layout_s"], coords = seconds(lambda: JointUMAP().fit_transform(stack, graph))
    result["umap_layout_cpu_s"] = round(time.process_time() - started, 3)
    result["quality_s_per_layer"], _ = seconds(
        lambda: layer_quality(stack[0], coords[0], None, points), 2
    )
    with tempfile.TemporaryDirectory() as folder:
        cache = ArrayCache(Path(folder))
        result["project_cold_s"], projection = seconds(lambda: project(layers, "umap", cache=cache))
        result["project_cached_s"], _ = seconds(lambda: project(layers, "umap", cache=cache), 3)
    size = projection.coords.reshape(-1, 2).std()
    moved = np.linalg.norm(np.diff(projection.coords, axis=0), axis=2).mean(axis=1) / size
    result["trustworthiness"] = [round(q["trustworthiness"], 3) for q in projection.quality]
    result["input_mad"] = [round(q["mad"], 3) for q in projection.quality]
    result["moved_between_layers"] = [round(float(value), 3) for value in moved]
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, nargs="+", default=[3000, 10_000])
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--dim", type=int, default=64)
    parser.add_argument("--json")
    arguments = parser.parse_args()
    compile_s, _ = seconds(prewarm)
    rows = [
        {**measure(n, arguments.layers, arguments.dim), "prewarm_s": compile_s}
        for n in arguments.nodes
    ]
    report(rows, arguments.json)


if __name__ == "__main__":
    main()
