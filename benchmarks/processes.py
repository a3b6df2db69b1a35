"""What does a training step cost when several processes share it?

    for n in 1 2; do torchrun --nproc-per-node $n benchmarks/processes.py --data DIR --scope full; done

The training loop's own step (losses of the share, backward, summed gradients, Adam) on the same batches,
after one that loads libraries. ``s`` is the wall time of a step. ``cpu s`` is the processor time of the
busiest process, what the wall time comes near to where every process has a core (or a machine) of its
own and nothing else runs; ``share s`` is the part of it without the sum of gradients and its copies.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterable
from itertools import cycle

import torch
from common import report
from torch import nn

from rednd_core.config import DataConfig
from rednd_core.modeling.defaults import configure
from rednd_core.training.distributed import World, joined
from rednd_core.training.experiment import build
from rednd_core.training.trainer import Trainer


class Clock:
    """Processor and wall seconds so far."""

    def __init__(self) -> None:
        self.cpu, self.wall = time.process_time(), time.perf_counter()


def measure(world: World, options: argparse.Namespace) -> dict[str, object]:
    settings = {"alignment_scope": options.scope} if options.model == "rednnd" else {}
    config = configure(
        options.model, DataConfig(path=options.data), settings | {"device": options.device}
    )
    experiment = build(config)
    trainer = Trainer(experiment.model, experiment.dataset.split, config.training, world=world)
    world.align(trainer.model)
    summing = 0.0
    sum_gradients = world.sum_gradients

    def timed(parameters: Iterable[nn.Parameter]) -> None:
        nonlocal summing
        began = time.process_time()
        sum_gradients(parameters)
        summing += time.process_time() - began

    world.sum_gradients = timed  # type: ignore[method-assign]
    batches = cycle(trainer.sampler.epoch())
    (phase,) = trainer.model.phases()
    trainer.take_step(phase, next(batches))
    summing, began = 0.0, Clock()
    for _ in range(options.steps):
        trainer.take_step(phase, next(batches))
    if trainer.device.type == "cuda":
        torch.cuda.synchronize()
    ended = Clock()
    spent = [ended.wall - began.wall, ended.cpu - began.cpu, ended.cpu - began.cpu - summing]
    everyone = [list(map(float, text.split())) for text in
                world.gather(" ".join(map(str, spent)).encode())]  # fmt: skip
    wall, cpu, share = (max(column) / options.steps for column in zip(*everyone, strict=True))
    size = sum(values.numel() for values in trainer.model.parameters())
    return {
        "data": options.data.rstrip("/").rsplit("/", 1)[-1],
        "model": options.model,
        "scope": settings.get("alignment_scope", ""),
        "processes": world.size,
        "s": round(wall, 3),
        "cpu s": round(cpu, 3),
        "share s": round(share, 3),
        "MB of gradients": round(size * 4 / 1e6, 1) if world.size > 1 else 0,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="sample_data/shop")
    parser.add_argument("--model", default="rednnd")
    parser.add_argument("--scope", default="batch")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--json")
    options = parser.parse_args()
    with joined() as world:
        row = measure(world, options)
        if world.leads:
            report([row], options.json)


if __name__ == "__main__":
    main()
