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
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from app import cached  # noqa: E402
from app.home.story import choose_story  # noqa: E402
from app.home.view import shown_layers  # noqa: E402
from rednd_core.cache import ArrayCache  # noqa: E402
from rednd_core.config import DataConfig, RunConfig, TrainingConfig  # noqa: E402
from rednd_core.data import load_configured  # noqa: E402
from rednd_core.graph.bipartite import bipartite_graph  # noqa: E402
from rednd_core.projection import project, sample_nodes  # noqa: E402
from rednd_core.runs import Provenance, Run, RunRecord, create_run  # noqa: E402
from rednd_core.atomic import write_json  # noqa: E402
from rednd_core.stage.contents import Cast  # noqa: E402
from rednd_core.stage.of_run import stage_maps, stage_of_run  # noqa: E402
from rednd_core.training.experiment import train_run  # noqa: E402

SHOP = "sample_data/shop"
SIZE = {"embedding_size": 32, "n_layers": 3}
SEED = 1
OTHER_SEEDS = (2, 3)
WEIGHTS = (0.0, 0.01, 0.1)
COMPARED = (WEIGHTS[0], WEIGHTS[-1])  # by Home, which names the spread of several seeds
LEFT_OUT = ("log.txt", "job.json", "control")
LOOKED_AT = ("layers", "readouts", "checkpoints")  # what a run needs whose metrics alone are shown does not have


@dataclass(frozen=True)
class Plan:
    """One run.

    Attributes:
        whole: keep its layers and its checkpoint; else its metrics alone.
    """

    name: str
    model: str
    settings: dict[str, Any]
    learning_rate: float
    seed: int = SEED
    whole: bool = True

    @property
    def config(self) -> RunConfig:
        return RunConfig(
            model=self.model,
            data=DataConfig(path=SHOP),
            hyperparameters=SIZE | self.settings,
            training=TrainingConfig(
                learning_rate=self.learning_rate, seed=self.seed, device="cpu"
            ),
        )


def rednnd(weight: float, seed: int = SEED) -> Plan:
    whole = seed == SEED
    name = f"shop-rednnd-a{weight:g}" + ("" if whole else f"-seed{seed}")
    return Plan(name, "rednnd", {"alignment_weight": weight}, 1e-3, seed, whole)


PLANS = [
    # The larger step carries LightGCN over the plateau on which early stopping would end it: with
    # 5 batches an epoch, lr 1e-3 stops after 33 epochs at a validation Recall@20 of 0.27.
    Plan("shop-lightgcn", "lightgcn", {}, 1e-2),
    *(rednnd(weight) for weight in WEIGHTS),
    *(rednnd(weight, seed) for weight in COMPARED for seed in OTHER_SEEDS),
]


def main() -> None:
    target = ROOT / SHOP
    for plan in PLANS:
        if sys.argv[1:] and plan.name not in sys.argv[1:]:
            continue
        with tempfile.TemporaryDirectory() as folder:
            record = RunRecord(config=plan.config, provenance=Provenance(seed=plan.seed))
            writer = create_run(Path(folder) / plan.name, record)
            summary = train_run(writer)
            strip(writer.path, LEFT_OUT if plan.whole else LEFT_OUT + LOOKED_AT)
            shutil.rmtree(target / "runs" / plan.name, ignore_errors=True)
            shutil.copytree(writer.path, target / "runs" / plan.name)
        print(f"{plan.name}: best epoch {summary.best_epoch}, valid {summary.valid['recall@20']:.4f}")
    make_maps(target)


def strip(run: Path, left_out: Sequence[str]) -> None:
    """Remove what only a resumed training would need, and on which machine it was."""
    for leftover in [*run.glob("checkpoints/last*"), *(run / name for name in left_out)]:
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
    whole = [Run(target / "runs" / plan.name) for plan in PLANS if plan.whole]
    for run in whole:
        layers = run.layers()
        n_users, n_items = len(layers.user_emb), len(layers.item_emb)
        nodes = sample_nodes(n_users, n_items, n_users + n_items)
        for stack in layers.values():
            for method in ("pca", "umap"):
                project(list(stack), method, nodes, n_users=n_users, cache=cache)
    make_stages(whole, cache)
    for entry in folder.glob("*.npz"):
        with np.load(entry, allow_pickle=False) as arrays:
            is_knn = "coords" not in arrays.files
        if is_knn:  # only another UMAP of the same layers would need it
            entry.unlink()
    os.environ |= {"REDND_CACHE": str(folder), "REDND_RUNS": str(folder / "none")}
    draw_home_umap()
    home = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=300).run()
    home.toggle[0].set_value(not home.toggle[0].value).run()
    if home.exception:
        raise SystemExit(f"The start page failed: {home.exception}")


def make_stages(runs: Sequence[Run], cache: ArrayCache) -> None:
    """The UMAP of all depths that the page Depth draws beside its PCA."""
    dataset = load_configured(runs[0].config.data)
    graph = bipartite_graph(dataset.train, dataset.n_users, dataset.n_items)
    cast = Cast.of(dataset, graph)
    for run in runs:
        found = stage_of_run(
            run, run.name, run.layers(), "layer", cast=cast, dataset=dataset, graph=graph
        )
        stage_maps(found, cast, dataset, cache, compute_umap=True)


def draw_home_umap() -> None:
    """The UMAP of the layers that Home shows of its first run."""
    story = choose_story(cached.run_entries())
    assert story is not None
    cached.joined_umap(story.base.run, shown_layers(story.base, True), story.base.reach)


if __name__ == "__main__":
    main()
