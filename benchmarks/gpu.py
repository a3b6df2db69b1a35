"""What does a GPU do in training: seconds of an epoch, how busy it is, and its memory against the plan?

    python benchmarks/gpu.py --data ../shared/data/tiktok ../shared/data/baby [--json PATH]
    python benchmarks/gpu.py --graph 800000 200000 20000000 [--batch-size 65536]

Steps are replayed as a CUDA graph, as ``rednd train`` does, and started kernel by kernel in the rows
without. Seconds are the least of ``--epochs``; ``busy`` is the share of the time from the first kernel of
some steps to the last in which any kernel ran, by torch's profiler, which slows the host a little;
``smoothness`` is what an epoch's measures take, their forward pass included; ``plan`` is the planner's
estimate of the peak memory, which is that of torch's tensors.

``--graph USERS ITEMS PAIRS`` draws a random graph with features of 64 columns and trains one epoch of scope
``batch``, after one that warms up is begun and left.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from common import MemoryGrowth, report, seconds_of
from scaling import random_pairs
from torch.profiler import ProfilerActivity, profile

from rednd_core.config import DataConfig, RunConfig, TrainingConfig
from rednd_core.data.schema import Dataset, Interactions, Split
from rednd_core.graph.bipartite import bipartite_graph
from rednd_core.modeling.inputs import build_inputs
from rednd_core.modeling.observe import current_layers
from rednd_core.modeling.registry import create_model, hyperparameters
from rednd_core.smoothness.epoch import EpochSmoothness
from rednd_core.training.experiment import build
from rednd_core.training.memory import estimate, sizes_of
from rednd_core.training.run_log import scoring_readouts
from rednd_core.training.trainer import Trainer

GPU = torch.device("cuda")
PROFILED = 12  # steps that the profiler watches
CASES: list[tuple[str, dict[str, Any]]] = [
    ("lightgcn", {}),
    ("rednnd", {"alignment_weight": 0.0}),
    ("rednnd", {"alignment_scope": "batch"}),
    ("rednnd", {"alignment_scope": "anchors"}),
    ("rednnd", {"alignment_scope": "full"}),
    ("rednnd", {"alignment_scope": "full", "alignment_precision": "bf16"}),
]


def busy_share(trainer: Trainer) -> float:
    """Of the time of ``PROFILED`` steps, from the first kernel to the last."""
    batches = list(islice(trainer.sampler.epoch(), PROFILED))
    torch.cuda.synchronize()
    with profile(activities=[ProfilerActivity.CUDA]) as profiled:
        for batch in batches:
            trainer.steps["joint"](batch)
        torch.cuda.synchronize()
    spans = sorted(
        (event.time_range.start, event.time_range.end)
        for event in profiled.events()
        if event.device_type.name == "CUDA"
    )
    if not spans:
        return float("nan")
    worked, until = 0.0, float(spans[0][0])
    for start, end in spans:
        worked += max(0.0, end - max(start, until))
        until = max(until, end)
    return worked / (until - float(spans[0][0]))


def steps_of(trainer: Trainer, n: int | None = None) -> int:
    """Take the steps of an epoch, or n of them, and return how many there were."""
    return sum(bool(trainer.steps["joint"](batch)) for batch in islice(trainer.sampler.epoch(), n))


def planned_mb(name: str, settings: dict[str, Any], dataset: Dataset) -> int:
    chosen = hyperparameters(name, settings)
    planned: int = estimate(name, chosen, sizes_of(dataset), GPU)
    return planned >> 20


def rows_of(data: Path, epochs: int) -> Iterator[dict[str, Any]]:
    """Every case on a data set, recorded and not."""
    for name, settings in CASES:
        config = RunConfig(
            model=name,
            data=DataConfig(path=str(data)),
            hyperparameters=settings,
            training=TrainingConfig(device="cuda", engine="csr"),
        )
        growth = MemoryGrowth("cuda")
        experiment = build(config)
        model, dataset = experiment.model, experiment.dataset
        trainer = Trainer(model, dataset.split, config.training)
        measure = EpochSmoothness(experiment.graph, experiment.propagate)

        def smoothness(model: Any = model, measure: EpochSmoothness = measure) -> None:
            layers = current_layers(model)
            measure(layers, scoring_readouts(model, layers), linear=model.linear_propagation)

        smoothness()
        recorded = trainer.steps["joint"]
        plain = partial(trainer.take_step, model.phases()[0])
        for is_recorded in (True, False):
            trainer.steps["joint"] = recorded if is_recorded else plain
            steps_of(trainer)
            epoch = partial(steps_of, trainer)
            seconds = min(seconds_of(epoch, "cuda") for _ in range(epochs))
            row = {
                "data": dataset.name,
                "model": name,
                "setting": " ".join(f"{k}={v}" for k, v in settings.items()),
                "steps": "recorded" if is_recorded else "kernel by kernel",
                "s / epoch": round(seconds, 4),
                "ms / step": round(1000 * seconds / trainer.sampler.n_batches, 3),
                "busy": f"{busy_share(trainer):.0%}",
                "s / validation": "",
                "smoothness ms": "",
                "peak MB": "",
                "plan MB": "",
            }
            if is_recorded:
                row["peak MB"] = round(growth.megabytes())
                row["plan MB"] = planned_mb(name, settings, dataset)
                seconds_of(trainer.validate, "cuda")
                row["s / validation"] = round(seconds_of(trainer.validate, "cuda"), 4)
                row["smoothness ms"] = round(1000 * seconds_of(smoothness, "cuda"), 1)
            yield row
        del trainer, recorded, model, experiment, smoothness, measure
        torch.cuda.empty_cache()


def random_dataset(n_users: int, n_items: int, n_pairs: int) -> Dataset:
    """A skewed random graph with one modality, and some other pairs to validate by."""
    train = random_pairs(n_users, n_items, n_pairs)
    known = train.users * n_items + train.items
    drawn = np.unique(np.random.default_rng(1).integers(0, n_users * n_items, n_pairs // 1000))
    drawn = drawn[~np.isin(drawn, known)]
    valid = Interactions(drawn // n_items, drawn % n_items)
    features = np.random.default_rng(0).standard_normal((n_items, 64), dtype=np.float32)
    item_ids = np.arange(n_items).astype(object)
    return Dataset(
        name=f"{n_users + n_items:,} nodes, {len(train):,} pairs",
        path="",
        n_users=n_users,
        n_items=n_items,
        split=Split(train, valid, valid),
        user_ids=np.arange(n_users).astype(object),
        item_ids=item_ids,
        features={"image": features},
        items=pd.DataFrame({"item_id": item_ids, "title": item_ids}),
        digest="",
    )


def row_of_graph(
    name: str, settings: dict[str, Any], dataset: Dataset, batch_size: int
) -> dict[str, Any]:
    """One epoch on a large graph."""
    growth = MemoryGrowth("cuda")
    graph = bipartite_graph(dataset.train, dataset.n_users, dataset.n_items)
    inputs = build_inputs(dataset, engine="csr", device=GPU, graph=graph)
    model = create_model(name, settings, inputs)
    trainer = Trainer(model, dataset.split, TrainingConfig(device="cuda", batch_size=batch_size))
    steps_of(trainer, 8)
    seconds = seconds_of(lambda: steps_of(trainer), "cuda")
    return {
        "graph": dataset.name,
        "model": name,
        "setting": " ".join(f"{k}={v}" for k, v in settings.items()),
        "batch": batch_size,
        "steps": trainer.sampler.n_batches,
        "s / epoch": round(seconds, 2),
        "ms / step": round(1000 * seconds / trainer.sampler.n_batches, 2),
        "s / validation": round(seconds_of(trainer.validate, "cuda"), 2),
        "peak MB": round(growth.megabytes()),
        "plan MB": planned_mb(name, settings, dataset),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, nargs="*", default=[])
    parser.add_argument("--graph", type=int, nargs=3, metavar=("USERS", "ITEMS", "PAIRS"))
    parser.add_argument("--batch-size", type=int, default=65_536)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--json")
    options = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for data in options.data:
        rows += rows_of(data, options.epochs)
    if options.graph:
        began = time.perf_counter()
        dataset = random_dataset(*options.graph)
        print(f"drawn in {time.perf_counter() - began:.0f} s")
        # The item graph is left out: its neighbours would take longer to find than the epoch takes.
        for name, settings in (("lightgcn", {}), ("rednnd", {"n_mm_layers": 0})):
            rows.append(row_of_graph(name, settings, dataset, options.batch_size))
            torch.cuda.empty_cache()
    report(rows, options.json)


if __name__ == "__main__":
    main()
