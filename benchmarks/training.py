"""How long does an epoch take, and a validation, for each model, scope and engine?

    python benchmarks/training.py --data sample_data/shop [--models lightgcn rednnd] [--json PATH]

Every row trains ``--epochs`` epochs in a process of its own with the defaults but for what it names;
seconds are the least, as the machine's other work can only add to them; memory is the process's peak.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from common import in_own_process, report

from rednd_core.config import DataConfig, Device, Engine, RunConfig, TrainingConfig
from rednd_core.training.callbacks import Callback, EpochReport, Training
from rednd_core.training.experiment import build
from rednd_core.training.memory import peak_memory
from rednd_core.training.trainer import Trainer

VARIANTS: dict[str, list[dict[str, Any]]] = {
    "mf": [{}],
    "gcn": [{}],
    "lightgcn": [{}],
    "rednnd": [
        {"alignment_weight": 0.0},
        {"alignment_scope": "batch"},
        {"alignment_scope": "anchors"},
        {"alignment_scope": "full"},
    ],
}


class Stopwatch(Callback):
    def __init__(self) -> None:
        self.train: list[float] = []
        self.validation: list[float] = []

    def on_epoch(self, trainer: Training, report: EpochReport) -> None:
        self.train.append(report.seconds)
        self.validation.append(report.seconds_validation)


def measure(
    data: str, model: str, settings: dict[str, Any], engine: Engine, device: Device, epochs: int
) -> dict[str, object]:
    """One row."""
    config = RunConfig(
        model=model,
        data=DataConfig(path=data),
        hyperparameters=settings,
        training=TrainingConfig(epochs=epochs, engine=engine, device=device),
    )
    experiment = build(config)
    watch = Stopwatch()
    trainer = Trainer(
        experiment.model, experiment.dataset.split, config.training, callbacks=[watch]
    )
    trainer.fit()
    return {
        "data": experiment.dataset.name,
        "model": model,
        "setting": " ".join(f"{k}={v}" for k, v in settings.items()),
        "engine": engine,
        "device": trainer.device.type,
        "s / epoch": round(min(watch.train), 3),
        "batches": trainer.sampler.n_batches,
        "s / validation": round(min(watch.validation), 3),
        "peak MB": round(peak_memory(trainer.device) / 2**20),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, nargs="+", default=[Path("sample_data/shop")])
    parser.add_argument("--models", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--engines", nargs="+", default=["dgl"])
    parser.add_argument("--scopes", nargs="+", default=["batch", "anchors", "full"])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--json")
    options = parser.parse_args()
    rows = []
    for data in options.data:
        for model in options.models:
            for settings in VARIANTS[model]:
                if settings.get("alignment_scope", "batch") not in options.scopes:
                    continue
                for engine in options.engines:
                    what = (str(data), model, settings, engine, options.device, options.epochs)
                    rows.append(in_own_process(measure, *what))
    report(rows, options.json)


if __name__ == "__main__":
    main()
