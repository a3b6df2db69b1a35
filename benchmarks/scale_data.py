"""How long does a large data set take from nothing to a graph, and how much memory?

    python benchmarks/scale_data.py --users 1000000 --items 300000 --interactions 50000000 --knn

Every step runs in a process of its own, so that ``peak GiB`` is its own peak of resident memory
(libraries included; memory-mapped pages count while they are resident). ``cpu s`` is processor time
without the start of Python, which also holds where other work slows ``wall s`` down. ``digest`` and
``graph`` name what they add to the loading that precedes them in their process.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

STEPS = ("generate", "load", "digest", "graph", "knn")


def measured(action: Callable[[], object]) -> dict[str, float]:
    """Seconds of ``action``, and this process's peak memory after it."""
    import resource

    wall, cpu = time.perf_counter(), time.process_time()
    action()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return {
        "wall s": round(time.perf_counter() - wall, 2),
        "cpu s": round(time.process_time() - cpu, 2),
        "peak GiB": round(peak, 2),
    }


def step(name: str, folder: Path, args: argparse.Namespace) -> dict[str, object]:
    """One row of the table."""
    if name == "generate":
        from rednd_core.samples import make_graph

        sizes = {"n_users": args.users, "n_items": args.items, "n_interactions": args.interactions}
        return {**measured(lambda: make_graph(folder, **sizes)), "note": _size(folder)}
    if name == "knn":
        import numpy as np

        from rednd_core.graph.semantic import cosine_knn

        features = np.load(folder / "image_feat.npy", mmap_mode="c")
        sentences: list[str] = []
        row = measured(lambda: sentences.append(cosine_knn(features, args.knn_k).sentence))
        return {**row, "note": sentences[0]}
    from rednd_core.data.dataset import digests, load_dataset

    if name == "load":
        return {**measured(lambda: load_dataset(folder)), "note": "from Parquet, with its digest"}
    data = load_dataset(folder)
    if name == "digest":
        row = measured(lambda: digests(data.split, data.user_ids, data.item_ids, data.features))
        return {**row, "note": data.digest[:12]}
    from rednd_core.graph.bipartite import bipartite_graph

    row = measured(lambda: bipartite_graph(data.train, data.n_users, data.n_items))
    return {**row, "note": f"{len(data.train):,} train pairs"}


def _size(folder: Path) -> str:
    return f"{sum(file.stat().st_size for file in folder.iterdir()) / 1e6:.0f} MB on disk"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--users", type=int, default=100_000)
    parser.add_argument("--items", type=int, default=30_000)
    parser.add_argument("--interactions", type=int, default=5_000_000)
    parser.add_argument("--knn", action="store_true", help="also the kNN graph of one modality")
    parser.add_argument("--knn-k", type=int, default=10)
    parser.add_argument("--json")
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.step:
        print(json.dumps(step(args.step, args.folder, args)))
        return
    rows: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as scratch:
        for name in STEPS if args.knn else STEPS[:-1]:
            command = [sys.executable, *sys.argv, "--step", name, "--folder", f"{scratch}/graph"]
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            rows.append({"step": name, **json.loads(done.stdout.splitlines()[-1])})
    from common import report  # imports torch, whose memory must not count in the steps

    report(rows, args.json)


if __name__ == "__main__":
    main()
