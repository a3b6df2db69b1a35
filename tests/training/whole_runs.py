"""Small runs in their folders: their settings, a stop as the app sends it, and what is the same in two."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from rednd_core.runs import Command, Run, send
from rednd_core.training.callbacks import Callback

MODELS = {
    "lightgcn": {"embedding_size": 8},
    "rednnd": {"embedding_size": 4, "knn_k": 3, "alignment_weight": 0.01},
    "popularity": {},
    "mf": {"embedding_size": 8},
    "gcn": {"embedding_size": 8, "n_layers": 0},  # its layer is the parameter itself
}


class StopAt(Callback):
    """Sends a stop as the app would, after a batch."""

    def __init__(self, run_dir: Path, epoch: int, batch: int) -> None:
        self.run, self.place = Run(run_dir), (epoch, batch)

    def on_batch(self, trainer, progress) -> None:
        if (progress.epoch, progress.batch) == self.place:
            send(self.run, Command(command="stop"))


def results(run: Run) -> dict:
    layers = run.layers()
    return {
        "evaluation": run.evaluation(),
        "layers": {m: [np.array(x) for x in states] for m, states in layers.items()},
        "embeddings": [np.array(x) for x in run.embeddings()],
        "metrics": run.metrics().drop(columns=[c for c in run.metrics() if "seconds" in c]),
        "epoch": layers.epoch,
    }


def assert_same_results(first: Run, second: Run) -> None:
    mine, theirs = results(first), results(second)
    assert mine["evaluation"] == theirs["evaluation"]
    assert mine["epoch"] == theirs["epoch"]
    for m, states in mine["layers"].items():
        assert all(map(np.array_equal, states, theirs["layers"][m]))
    assert all(map(np.array_equal, mine["embeddings"], theirs["embeddings"]))
    assert mine["metrics"].equals(theirs["metrics"])
