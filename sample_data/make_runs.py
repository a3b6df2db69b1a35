"""Train the bundled runs on the sample data and compute the maps that the app shows first.

    python sample_data/make_runs.py [RUN ...]
    python sample_data/make_runs.py --snapshots

Takes a few minutes on two cores. Existing bundled runs are replaced. What is needed only to resume a
training (optimiser, generators) and the logs are left out, which halves the size. With ``--snapshots`` the pair
that can be replayed is trained again beside the bundled one; where both come out equal, its snapshots alone
are taken over.
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
from app.embeddings.layers import default_layers  # noqa: E402
from app.home.story import choose_story  # noqa: E402
from app.home.view import shown_layers  # noqa: E402
from rednd_core.cache import ArrayCache  # noqa: E402
from rednd_core.config import DataConfig, RunConfig, TrainingConfig  # noqa: E402
from rednd_core.data import Dataset, load_configured  # noqa: E402
from rednd_core.graph.bipartite import bipartite_graph  # noqa: E402
from rednd_core.projection import NodeSample, project  # noqa: E402
from rednd_core.projection.sample import SampledRows  # noqa: E402
from rednd_core.runs import Provenance, Run, RunRecord, create_run  # noqa: E402
from rednd_core.atomic import write_json  # noqa: E402
from rednd_core.stage.contents import Cast, StageRun  # noqa: E402
from rednd_core.stage.of_run import stage_maps, stage_of_run  # noqa: E402
from rednd_core.training.experiment import Summary, train_run  # noqa: E402

SHOP, MUSIC = "sample_data/shop", "sample_data/music"
WIDTHS = {SHOP: 32, MUSIC: 16}
SEED = 1
OTHER_SEEDS = (2, 3)
WEIGHTS = (0.0, 0.01, 0.1)
COMPARED = (WEIGHTS[0], WEIGHTS[-1])  # by Home, which names the spread of several seeds
REPLAYED = (0, 1, 3, 5, 8, 12, 18, 27, 41)  # epochs whose snapshots the pair keeps: 1.8 MB a run
ROUNDING = 0.005  # what the rounding of another processor may grow to in a training, relative to what scores
LEFT_OUT = ("log.txt", "job.json", "control")
LOOKED_AT = ("layers", "readouts", "snapshots", "checkpoints")  # left out where metrics alone are shown


@dataclass(frozen=True)
class Plan:
    """One run.

    Attributes:
        whole: keep its layers and its checkpoint; else its metrics alone.
        data: the sample that it is trained on.
    """

    name: str
    model: str
    settings: dict[str, Any]
    learning_rate: float
    seed: int = SEED
    whole: bool = True
    data: str = SHOP

    @property
    def is_replayed(self) -> bool:
        """Whether the run keeps snapshots."""
        return (
            self.data == SHOP and self.whole and self.settings.get("alignment_weight") in COMPARED
        )

    @property
    def config(self) -> RunConfig:
        return RunConfig(
            model=self.model,
            data=DataConfig(path=self.data),
            hyperparameters={"embedding_size": WIDTHS[self.data], "n_layers": 3} | self.settings,
            training=TrainingConfig(learning_rate=self.learning_rate, seed=self.seed, device="cpu"),
        )


def rednnd(weight: float, seed: int = SEED, data: str = SHOP) -> Plan:
    whole = seed == SEED
    name = f"{Path(data).name}-rednnd-a{weight:g}" + ("" if whole else f"-seed{seed}")
    return Plan(name, "rednnd", {"alignment_weight": weight}, 1e-3, seed, whole, data)


PLANS = [
    # The larger step carries LightGCN over the plateau on which early stopping would end it: with
    # 5 batches an epoch, lr 1e-3 stops after 33 epochs at a validation Recall@20 of 0.27.
    Plan("shop-lightgcn", "lightgcn", {}, 1e-2),
    *(rednnd(weight) for weight in WEIGHTS),
    *(rednnd(weight, seed) for weight in COMPARED for seed in OTHER_SEEDS),
    Plan("music-lightgcn", "lightgcn", {}, 1e-2, data=MUSIC),
    *(rednnd(weight, data=MUSIC) for weight in COMPARED),
]


def main() -> None:
    asked = sys.argv[1:]
    if asked == ["--snapshots"]:
        for plan in PLANS:
            if plan.is_replayed:
                add_snapshots(plan, Run(ROOT / plan.data / "runs" / plan.name))
        return
    plans = [plan for plan in PLANS if not asked or plan.name in asked]
    with tempfile.TemporaryDirectory() as folder:
        for plan in plans:
            run, summary = train(plan, Path(folder))
            strip(run.path, LEFT_OUT if plan.whole else LEFT_OUT + LOOKED_AT)
            best = f"best epoch {summary.best_epoch}, valid {summary.valid['recall@20']:.4f}"
            print(f"{plan.name}: {best}")
        # Not before all are trained: a run records whether the working tree had changes.
        for plan in plans:
            bundled = ROOT / plan.data / "runs" / plan.name
            shutil.rmtree(bundled, ignore_errors=True)
            shutil.copytree(Path(folder) / plan.name, bundled)
    make_maps(ROOT / SHOP)
    make_lesson_map(ROOT / MUSIC)


def train(plan: Plan, folder: Path) -> tuple[Run, Summary]:
    """The run of ``plan`` in ``folder``, with the snapshots that it shall keep."""
    record = RunRecord(config=plan.config, provenance=Provenance(seed=plan.seed))
    writer = create_run(folder / plan.name, record)
    summary = train_run(writer)
    run = Run(writer.path)
    snapshots = run.snapshots()
    if not plan.is_replayed:
        shutil.rmtree(run.layout.snapshots)
    elif snapshots is not None:
        for epoch in set(snapshots.epochs) - set(REPLAYED):
            run.layout.snapshot(epoch).unlink()
    return run, summary


def add_snapshots(plan: Plan, bundled: Run) -> None:
    """Give a bundled run the snapshots of a second training that came out as the first one did."""
    with tempfile.TemporaryDirectory() as folder:
        run, _ = train(plan, Path(folder))
        apart = difference(run, bundled)
        if apart > ROUNDING:
            raise SystemExit(
                f"{plan.name}: the new training differs from the bundled one by {apart:.2g}, which is more "
                f"than rounding. Train all bundled runs again, without --snapshots."
            )
        shutil.rmtree(bundled.layout.snapshots, ignore_errors=True)
        shutil.copytree(run.layout.snapshots, bundled.layout.snapshots)
    print(f"{plan.name}: snapshots added; the trainings differ by {apart:.2g} at most")


def difference(one: Run, other: Run) -> float:
    """How far two runs are apart: the larger of the relative distance of what scores and the largest
    difference of a metric, after any epoch or at the end; infinite if they ended in different epochs."""
    if (one.status.epoch, one.status.best_epoch) != (other.status.epoch, other.status.best_epoch):
        return float("inf")
    pairs = zip(one.embeddings(), other.embeddings(), strict=True)
    apart = [float(np.linalg.norm(a - b) / np.linalg.norm(b)) for a, b in pairs]
    found, expected = one.evaluation(), other.evaluation()
    assert found is not None and expected is not None
    for split in ("valid", "test"):
        mine, theirs = getattr(found, split), getattr(expected, split)
        apart += [abs(mine[name] - theirs[name]) for name in theirs]
    names = [name for name in other.metrics() if name.startswith("valid.")]
    epochs = one.metrics()[names].to_numpy() - other.metrics()[names].to_numpy()
    return max(*apart, float(np.abs(epochs).max()))


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
    whole = [Run(target / "runs" / plan.name) for plan in PLANS if plan.whole and plan.data == SHOP]
    make_stages(whole, cache)
    os.environ |= {"REDND_CACHE": str(folder), "REDND_RUNS": str(folder / "none")}
    draw_home_umap()
    drop_neighbours(folder)
    home = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=300).run()
    home.toggle[0].set_value(not home.toggle[0].value).run()
    if home.exception:
        raise SystemExit(f"The start page failed: {home.exception}")


def drop_neighbours(folder: Path) -> None:
    """Remove the kNN graphs: only another UMAP of the same layers would need them."""
    for entry in folder.glob("*.npz"):
        with np.load(entry, allow_pickle=False) as arrays:
            is_knn = "coords" not in arrays.files
        if is_knn:
            entry.unlink()


def make_lesson_map(target: Path) -> None:
    """The one UMAP that a lesson shows of this sample: LightGCN at all depths."""
    folder = target / "projections"
    shutil.rmtree(folder, ignore_errors=True)
    make_stages([Run(target / "runs" / "music-lightgcn")], ArrayCache(folder))
    drop_neighbours(folder)


def make_stages(runs: Sequence[Run], cache: ArrayCache) -> None:
    """The UMAP of all depths, for Depth and Embeddings, and the PCA that Embeddings opens with."""
    dataset = load_configured(runs[0].config.data)
    graph = bipartite_graph(dataset.train, dataset.n_users, dataset.n_items)
    cast = Cast.of(dataset, graph)
    for run in runs:
        found = stage_of_run(
            run, run.name, run.layers(), "layer", cast=cast, dataset=dataset, graph=graph
        )
        stage_maps(found, cast, dataset, cache, compute_umap=True)
        make_pca(found, cast, dataset, cache)


def make_pca(found: StageRun, cast: Cast, dataset: Dataset, cache: ArrayCache) -> None:
    """The PCA of all depths, with the measures of the depths that Embeddings shows at first."""
    sample = NodeSample(cast.nodes, dataset.n_users + dataset.n_items)
    trained = int(found.beyond_from)
    project(
        [SampledRows(sample, rows) for rows in found.rows],
        "pca",
        sample,
        n_users=dataset.n_users,
        shown=default_layers(found.n_steps, trained, trained),
        cache=cache,
    )


def draw_home_umap() -> None:
    """The UMAP of the layers that Home shows of its first run."""
    story = choose_story(cached.run_entries())
    assert story is not None
    cached.joined_umap(story.base.run, shown_layers(story.base, True), story.base.reach)


if __name__ == "__main__":
    main()
