"""Train the bundled runs on the sample shop and compute the maps that the app shows first.

    python sample_data/make_runs.py [RUN ...]

Takes a few minutes on two cores. Existing bundled runs are replaced. What is needed only to resume a
training (optimiser, generators) and the logs are left out, which halves the size.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from rednd_core.cache import ArrayCache  # noqa: E402
from rednd_core.config import DataConfig, RunConfig, TrainingConfig  # noqa: E402
from rednd_core.projection import project, sample_nodes  # noqa: E402
from rednd_core.runs import Provenance, Run, RunRecord, create_run  # noqa: E402
from rednd_core.atomic import write_json  # noqa: E402
from rednd_core.training.experiment import train_run  # noqa: E402

SHOP = "sample_data/shop"
SIZE = {"embedding_size": 32, "n_layers": 3}
SEED = 1
RUNS = {
    # The larger step carries LightGCN over the plateau on which early stopping would end it: with
    # 5 batches an epoch, lr 1e-3 stops after 33 epochs at a validation Recall@20 of 0.27.
    "shop-lightgcn": ("lightgcn", SIZE, 1e-2),
    "shop-rednnd-a0": ("rednnd", {**SIZE, "alignment_weight": 0.0}, 1e-3),
    "shop-rednnd-a0.01": ("rednnd", {**SIZE, "alignment_weight": 0.01}, 1e-3),
    "shop-rednnd-a0.1": ("rednnd", {**SIZE, "alignment_weight": 0.1}, 1e-3),
}
LEFT_OUT = ("log.txt", "job.json", "control")


def main() -> None:
    target = ROOT / SHOP
    for name in sys.argv[1:] or RUNS:
        model, hyperparameters, learning_rate = RUNS[name]
        config = RunConfig(
            model=model,
            data=DataConfig(path=SHOP),
            hyperparameters=hyperparameters,
            training=TrainingConfig(learning_rate=learning_rate, seed=SEED, device="cpu"),
        )
        with tempfile.TemporaryDirectory() as folder:
            record = RunRecord(config=config, provenance=Provenance(seed=SEED))
            writer = create_run(Path(folder) / name, record)
            summary = train_run(writer)
            strip(writer.path)
            shutil.rmtree(target / "runs" / name, ignore_errors=True)
            shutil.copytree(writer.path, target / "runs" / name)
        print(f"{name}: best epoch {summary.best_epoch}, valid {summary.valid['recall@20']:.4f}")
    make_maps(target)


def strip(run: Path) -> None:
    """Remove what only a resumed training would need, and on which machine it was."""
    for leftover in [*run.glob("checkpoints/last*"), *(run / name for name in LEFT_OUT)]:
        if leftover.is_dir():
            shutil.rmtree(leftover)
        else:
            leftover.unlink(missing_ok=True)
    own = Run(run)
    write_json(own.layout.status, own.status.model_copy(update={"process": None}))


def make_maps(target: Path) -> None:
    """Fill ``projections/`` with the maps that the pages show before anybody asks for one."""
    folder = target / "projections"
    shutil.rmtree(folder, ignore_errors=True)
    cache = ArrayCache(folder)
    for path in sorted((target / "runs").iterdir()):
        layers = Run(path).layers()
        n_users, n_items = len(layers.user_emb), len(layers.item_emb)
        nodes = sample_nodes(n_users, n_items, n_users + n_items)
        for stack in layers.values():
            for method in ("pca", "umap"):
                project(list(stack), method, nodes, n_users=n_users, cache=cache)
    for entry in folder.glob("*.npz"):
        with np.load(entry, allow_pickle=False) as arrays:
            is_knn = "coords" not in arrays.files
        if is_knn:  # only another UMAP of the same layers would need it
            entry.unlink()
    os.environ |= {"REDND_CACHE": str(folder), "REDND_RUNS": str(folder / "none")}
    home = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=300).run()
    home.toggle[0].set_value(not home.toggle[0].value).run()
    if home.exception:
        raise SystemExit(f"The start page failed: {home.exception}")


if __name__ == "__main__":
    main()
